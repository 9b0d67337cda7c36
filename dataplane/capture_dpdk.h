/*
 * capture_dpdk - packets from DPDK queues: one queue of one port, or the same queue of several
 * ports.
 *
 * A frame in several buffers is copied to one piece in the queue's own memory, at most
 * CAPTURE_DPDK_FRAME_MAX octets of it; the rest counts as cut. Several ports are read in turn: a
 * tap that gives each direction on a port of its own comes to one worker that way.
 */
#pragma once

#include "dataplane/capture.h"
#include "dataplane/port.h"

enum { CAPTURE_DPDK_FRAME_MAX = 65536, CAPTURE_DPDK_PORTS_MAX = 16 };

/* Queue `queue` of every port that has one. Borrows the ports for its life. 0 or -errno. */
int capture_dpdk_open(struct capture **out, const struct port *const *ports, unsigned n,
		      uint16_t queue);
