/*
 * connection - both directions of one TCP connection: who is client, what is in window, what comes
 * next.
 *
 * Judges SYN, FIN and RST, port reuse, mid-stream pick-up, one-sided captures, checksums; drives
 * the two streams (reassembly/stream) and gives their octets out in turn. Its reader may take less
 * than it is given: the rest is kept (the wait of a session for the other direction), bounded in
 * octets, and in packets and time where the other direction may have lost some; then last_chance
 * tells the reader to do without. A SYN with
 * another number makes a new connection only when the old one has ended or the other side answers
 * it; a RST must have the exact number, ends nothing at once and is forgotten when its sender goes
 * on (a decoy must not blind the tap). A start that was not seen is waited for as long as for a
 * hole. All-zero is a new connection.
 * Not handled: a false FIN in order is believed; with one side missing, what is far ahead is
 * believed when nothing else comes.
 */
#pragma once

#include "reassembly/stream.h"

enum connection_dir { CONNECTION_A = 0, CONNECTION_B = 1 }; /* by flow_key: a sent it, b sent it */

struct connection {
	struct stream dir[2];
	uint32_t syn_isn; /* of a SYN that does not belong to this connection, if syn_pending */
	uint8_t client; /* enum connection_dir, if client_known */
	uint8_t turn; /* who sent the last packet */
	uint8_t syn_dir, reset_dir;
	bool client_known : 1; /* set by the caller who knows the port, else from a SYN */
	bool midstream : 1; /* octets were given out and no SYN had been seen */
	bool closed : 1; /* both directions ended, or reset */
	bool answered : 1; /* a SYN-ACK was believed */
	bool syn_pending : 1;
	bool reset : 1; /* a RST was believed; goes off again, and closed with it, when its sender
			   goes on */
	bool finishing : 1;
};

enum connection_push {
	CONNECTION_TAKEN, /* call connection_next until it says MORE */
	CONNECTION_REUSED, /* pkt begins a new connection on these ports: end the old one
			      (connection_finish), zero it, push again */
	CONNECTION_BAD_CHECKSUM, /* ignored, as the two below */
	CONNECTION_OUT_OF_WINDOW,
};

/* Borrows pkt until connection_next says MORE. now_ns is the capture time of the packet. */
enum connection_push connection_push(struct connection *c, struct stream_pool *pool,
				     enum connection_dir dir, const struct packet *pkt);

struct connection_item {
	enum stream_result result; /* DATA, GAP or END */
	enum connection_dir dir;
	struct bytes data; /* DATA: the octets; GAP: n lost */
	uint64_t off; /* stream offset of data.p[0], from the first octet of the direction seen */
	uint64_t peer_acked; /* offset in the other direction up to which the sender had
				acknowledged, 0 unknown */
	bool last_chance; /* the wait was given up: whatever is left over this time is dropped as a
			     gap */
};

/*
 * The next thing to read; false: none now. After DATA call connection_used before calling it
 * again. A direction whose octets were left over is not offered again until the other one moved on
 * or its wait ended.
 */
bool connection_next(struct connection *c, struct stream_pool *pool, struct connection_item *item);

/* Tells how many of the item's octets were taken; less than all begins or continues a wait. */
void connection_used(struct connection *c, struct stream_pool *pool,
		     const struct connection_item *item, size_t n);

/*
 * Time went by, no packet came: holes and waits that are too old are given up; then read
 * connection_next. Returns the time at which it wants to be called again, 0: not at all.
 */
uint64_t connection_timer(struct connection *c, struct stream_pool *pool, uint64_t now_ns);

/*
 * The end of capture or of the flow: all holes and waits are given up. Read connection_next, then
 * connection_reset.
 */
void connection_finish(struct connection *c, struct stream_pool *pool);

/* Gives back everything held; c is all-zero after it. */
void connection_reset(struct connection *c, struct stream_pool *pool);

/* Octets are held or a wait is on: such a flow is busy. */
bool connection_busy(const struct connection *c);

/* A differing second copy of octets was seen in either direction. */
bool connection_overlap(const struct connection *c);
