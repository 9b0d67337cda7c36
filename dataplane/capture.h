/*
 * capture - where packets come from: a file or a port. A struct of batch calls.
 *
 * Packets and their octets are borrowed from the capture until release. Nothing is called per
 * packet. At most CAPTURE_BURST packets are out at once.
 */
#pragma once

#include "base/packet.h"
#include "base/stats.h"

enum { CAPTURE_BURST = 64 };

enum capture_state {
	CAPTURE_MORE, /* a port: go on polling; a file: there is more */
	CAPTURE_END, /* the file is through */
	CAPTURE_BROKEN, /* the file is damaged behind what was given; capture_why says where and how
			 */
};

struct capture;

struct capture_ops {
	/* Gives up to max packets (<= CAPTURE_BURST), *n may be 0 on a port and on a quiet pipe.
	 * Fills data .. owner only. */
	enum capture_state (*next)(struct capture *c, struct packet *pkt, unsigned max,
				   unsigned *n);
	/* Takes back the packets of the last next. */
	void (*release)(struct capture *c, struct packet *pkt, unsigned n);
	/* Port drop counters into the worker's stats; rarely called. May be NULL. */
	void (*count)(struct capture *c, struct stats *stats);
	void (*free)(struct capture *c);
};

struct capture { /* first member of every kind */
	const struct capture_ops *ops;
	bool live; /* time_ns is the clock; otherwise it is the file's */
};

/* ---- files (capture_pcap.c) ---- */

/*
 * Opens pcap, pcapng, or gzip of either; "-" is standard input. 0 or -errno; on failure
 * why[0..why_len) has one line without the file's name. An empty or foreign file is -EINVAL.
 */
int capture_pcap_open(struct capture **out, const char *path, char *why, size_t why_len);

/*
 * The same from memory, which is borrowed until free: packets point into it. With chunk not 0 the
 * octets come at most so many at a time, as from a slow pipe.
 */
int capture_pcap_memory(struct capture **out, struct bytes file, size_t chunk, char *why,
			size_t why_len);

/* After CAPTURE_BROKEN: one line with the place (octet offset, packet number) and the damage.
 * Borrowed. */
const char *capture_pcap_why(const struct capture *c);

/* For the progress bar: octets of the file read so far and in all (all 0: unknown). */
void capture_pcap_progress(const struct capture *c, uint64_t *done, uint64_t *all);

/* True when the first octets of a file are those of a capture file or of a gzip file. */
bool capture_pcap_magic(struct bytes head);
