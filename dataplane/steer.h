/*
 * steer - our XDP program on one network interface: of all its frames net_af_xdp is given those of
 * mail.
 *
 * The program (steer.bpf.c) is in the binary; DPDK attaches it from a temporary file when the port
 * is set up. The mail ports stand in a map of the program and can be changed while it runs. A
 * program of ours that a killed run left behind is cleared; somebody else's, or that of a run that
 * lives, is an error.
 * Not handled: more than receive queue 0 of the interface (steer_open warns).
 */
#pragma once

#include "base/config.h"

enum { STEER_MTU_MAX = 3434 }; /* AF_XDP takes no frame in several pieces */

struct steer;

/*
 * Claims the interface and makes the program file. 0 or -errno; then why has one line with the
 * cure. With 0 why is empty or has a warning.
 */
int steer_open(struct steer **out, const char *interface, char *why, size_t why_len);

/* Detaches the program if the port has not, and gives the interface free. */
void steer_free(struct steer *s);

/* The file for net_af_xdp's xdp_prog=. Borrowed, there until steer_attached. */
const char *steer_path(const struct steer *s);
const char *steer_interface(const struct steer *s);

/* After the port was set up: finds the program on the interface. 0 or -errno and why. */
int steer_attached(struct steer *s, char *why, size_t why_len);

/* The mail ports from now on; new ones are there before old ones go. 0 or -errno. */
int steer_ports(struct steer *s, const struct config *cfg);
