/*
 * stream - one direction of a TCP connection: segments in, octets in order out.
 *
 * In-order payload is never copied: it is lent from the packet. What is out of order, and what its
 * reader is not ready for, is copied into a pool of the worker, bounded per flow and in all. In an
 * overlap the first octet wins; a differing second copy is counted and marked: of held octets
 * always, of octets given out before for the last 256, and for every 128th of the last 8,192
 * (STREAM_TAILS streams at a time). A hole is given out as STREAM_GAP when it is given up (config:
 * hole_packets, hole_ms after the peer's ACK passed it, or a full pool), and reading goes on
 * behind it. Everything is judged from the tap's own position.
 * Not handled: urgent data is treated as data; TCP timestamps (PAWS) and windows are not looked at.
 */
#pragma once

#include "base/config.h"
#include "base/packet.h"
#include "base/stats.h"
#include "reassembly/held.h"

enum {
	STREAM_WINDOW = 1 << 30, /* RFC 7323 2.3; farther away is another connection or a decoy */
	STREAM_TAILS = 8192
};

struct stream_pool;

/* One pool per worker. Borrows cfg and stats for its life. NULL when out of memory. */
struct stream_pool *stream_pool_new(const struct config *cfg, struct stats *stats);
void stream_pool_free(struct stream_pool *pool);
/* Nothing is held. */
bool stream_pool_whole(const struct stream_pool *pool);
/* A new snapshot of the settings. */
void stream_pool_config(struct stream_pool *pool, const struct config *cfg);

enum stream_result {
	STREAM_MORE = 0, /* nothing to give now */
	STREAM_DATA, /* out has octets in order */
	STREAM_GAP, /* out.n octets were lost (p NULL); n 0: an unknown number */
	STREAM_END, /* FIN: nothing will follow; given once */
};

/*
 * The rest of this header belongs to reassembly/connection, which owns two of these. Zero is the
 * start.
 */
struct stream {
	uint64_t off; /* octets given out or lost so far */
	uint64_t stall_ns; /* since when it waits for what `stall_packets` says; 0: it does not */
	uint32_t next; /* sequence number of the next octet to give out; soft: of one near to it */
	uint32_t sent; /* behind the highest sequence number its sender has shown, a FIN counted */
	uint32_t end; /* sequence number of the FIN, if fin; behind the SYN's data, if syn_data */
	uint32_t isn; /* if syn */
	uint32_t peer_ack; /* highest ACK of the peer, if acked */
	uint32_t stall_packets; /* packets of the flow since the hole was acknowledged or the wait
				   began */
	uint32_t limit; /* end of the holes that are being given up, or will be */
	uint32_t tail; /* ticket of the memory of octets given out */
	uint32_t peer_tick; /* when the peer was last seen, if acked, in 2^20 ns */
	struct held held;
	bool known : 1; /* a packet was seen; next is valid */
	bool soft : 1; /* where it starts is not sure: nothing is given out */
	bool syn : 1; /* its SYN was seen */
	bool syn_data : 1; /* the SYN had octets, and whether the peer takes them is not known */
	bool fin : 1;
	bool ended : 1; /* END was given */
	bool acked : 1;
	bool csum_right : 1; /* a right checksum was seen: wrong ones are wrong from here on */
	bool overlap : 1; /* differing copies */
	bool wait : 1; /* the reader left octets */
	bool retry : 1; /* the other direction moved on since */
	bool last : 1; /* the wait is over: last chance */
	bool giving : 1; /* holes up to limit are given up */
	bool lossy : 1; /* a hole was given out */
};

/* The clock: capture time of the packet at hand. */
void stream_pool_time(struct stream_pool *pool, uint64_t now_ns);
const struct config *stream_pool_settings(const struct stream_pool *pool);

/* a is behind b in sequence space (RFC 9293 3.4) when > 0. */
static inline int32_t stream_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

/* Less than a window away from the tap's position, or nothing is known. */
static inline bool stream_near(const struct stream *s, uint32_t seq)
{
	int32_t d = stream_diff(seq, s->next);
	return !s->known || (d < STREAM_WINDOW && d > -STREAM_WINDOW);
}

/* Nothing to give, nothing held, nothing waited for. */
static inline bool stream_quiet(const struct stream *s)
{
	return s->next == s->sent && !s->held.owner && !s->stall_ns && !s->soft;
}

/* The first octet may have been `start`: nothing contradicts it. */
bool stream_fits(const struct stream *s, uint32_t start);
/* The first octet is `start`, by a SYN before it. */
void stream_begin(struct stream *s, uint32_t start);
/* A SYN with octets whose fate its answer tells; until then they are held. */
void stream_syn_data(struct stream *s, uint32_t n);
/* The answer: acknowledged up to ack; the rest of a SYN's octets never was. */
void stream_syn_answer(struct stream *s, struct stream_pool *pool, uint32_t ack);

/*
 * A segment in window: its octets are lent until stream_next and stream_settle say there is no
 * more.
 */
struct stream_segment {
	uint32_t seq, ack;
	struct bytes data;
	uint32_t cut; /* octets behind data that were not captured */
	bool fin;
};
void stream_push(struct stream *s, struct stream_pool *pool, const struct stream_segment *seg);

/* The peer acknowledged up to ack. */
void stream_ack(struct stream *s, const struct stream_pool *pool, uint32_t ack);

struct stream_out {
	struct bytes data;
	uint32_t ack; /* what the sender had acknowledged */
	bool acked; /* ack is known */
	bool last; /* last chance */
};
enum stream_result stream_next(struct stream *s, struct stream_pool *pool, struct stream_out *out);

/*
 * n octets of stream_next's data were taken; the rest stays, or is lost when it was the last
 * chance.
 */
void stream_used(struct stream *s, struct stream_pool *pool, struct bytes data, size_t n,
		 bool last);

/* Its start is not sure, and may still come. */
bool stream_starting(const struct stream *s, const struct stream_pool *pool);

/*
 * Nothing more can be given: keeps what is left of the segment, begins to wait for what is
 * missing, gives up holes that are too old (all when finish). A start that is not sure waits while
 * the peer's may still come: acknowledgements mean nothing before both are known. True: ask
 * stream_next again.
 */
bool stream_settle(struct stream *s, const struct stream *peer, struct stream_pool *pool,
		   bool finish);
/*
 * The reader's wait is too old, or finish. At `rest` the peer is known to have sent nothing that
 * was not read: such a wait has no age.
 */
bool stream_wait_over(const struct stream *s, const struct stream_pool *pool, bool rest,
		      bool finish);
/* Gives the reader its last chance. */
void stream_wait_end(struct stream *s, struct stream_pool *pool);

/* The time at which something is too old, 0: nothing is waited for. */
uint64_t stream_due(const struct stream *s, const struct stream_pool *pool);

/* Gives back what is held; s is all-zero after it. */
void stream_reset(struct stream *s, struct stream_pool *pool);
