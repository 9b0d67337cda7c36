#include "dataplane/capture_dpdk.h"

#include <errno.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <stdlib.h>
#include <time.h>

struct queue {
	uint16_t port, queue;
	bool file_time;
	bool counts; /* of the port's counters, which belong to no queue: one queue tells them */
};

struct capture_dpdk {
	struct capture base;
	struct queue queue[CAPTURE_DPDK_PORTS_MAX];
	unsigned n_queue, turn;
	int time_offset; /* of the timestamp in an mbuf, -1: no driver has it */
	uint64_t time_flag;
	struct rte_mbuf *mbuf[CAPTURE_BURST];
	unsigned out; /* mbufs lent by the last next */
	uint8_t *joined; /* frames in one piece, of this burst */
};

/* RFC 1071; the sum of a right header is all ones. */
static bool ipv4_sum_right(const uint8_t *ip, unsigned len)
{
	uint32_t sum = 0;
	for (unsigned i = 0; i < len; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/*
 * The port's word on checksums counts for frames with TCP directly in IP: in a tunnel it may speak
 * of the outer headers only. L4 NONE means that the sum was left out on its way from a virtual
 * machine, and is no error.
 */
static bool port_vouches(const struct packet *pkt, uint64_t flags)
{
	uint64_t l4 = flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, l3 = flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
	const uint8_t *p = pkt->data;
	unsigned off = 12;
	if (l4 != RTE_MBUF_F_RX_L4_CKSUM_GOOD && l4 != RTE_MBUF_F_RX_L4_CKSUM_NONE)
		return false;
	if (pkt->len < 14 + 2 * 4 + 20 || l3 == RTE_MBUF_F_RX_IP_CKSUM_BAD)
		return false;
	for (int i = 0; i < 2 && ((p[off] == 0x81 && p[off + 1] == 0) ||
				  (p[off] == 0x88 && p[off + 1] == 0xa8));
	     i++)
		off += 4;
	const uint8_t *ip = p + off + 2;
	if (p[off] == 0x86 && p[off + 1] == 0xdd)
		return ip[0] >> 4 == 6 && ip[6] == 6;
	unsigned len = (ip[0] & 15) * 4u;
	if (p[off] != 8 || p[off + 1] != 0 || ip[0] >> 4 != 4 || len < 20 || ip[9] != 6 ||
	    (ip[6] & 0x3f) || ip[7] || off + 2 + len > pkt->len)
		return false;
	return l3 != RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN || ipv4_sum_right(ip, len);
}

/* Copies a frame in pieces; false never: what is over the limit is cut. */
static void join(const struct rte_mbuf *m, uint8_t *to, struct packet *pkt)
{
	uint32_t len = 0;
	for (; m && len < CAPTURE_DPDK_FRAME_MAX; m = m->next) {
		uint32_t n = rte_pktmbuf_data_len(m);
		if (n > CAPTURE_DPDK_FRAME_MAX - len)
			n = CAPTURE_DPDK_FRAME_MAX - len;
		memcpy(to + len, rte_pktmbuf_mtod(m, const uint8_t *), n);
		len += n;
	}
	pkt->data = to;
	pkt->len = len;
}

static enum capture_state dpdk_next(struct capture *base, struct packet *pkt, unsigned max,
				    unsigned *n)
{
	struct capture_dpdk *c = (struct capture_dpdk *)base;
	const struct queue *q = NULL;
	unsigned got = 0;
	/* the first queue that has something, beginning behind the one of the last time */
	for (unsigned i = 0; i < c->n_queue && !got; i++) {
		q = &c->queue[c->turn];
		c->turn = c->turn + 1 < c->n_queue ? c->turn + 1 : 0;
		got = rte_eth_rx_burst(q->port, q->queue, c->mbuf,
				       (uint16_t)(max < CAPTURE_BURST ? max : CAPTURE_BURST));
	}
	*n = c->out = got;
	if (!got)
		return CAPTURE_MORE;
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	uint64_t now_ns = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	uint8_t *to = c->joined;
	for (unsigned i = 0; i < got; i++) {
		struct rte_mbuf *m = c->mbuf[i];
		struct packet *k = &pkt[i];
		if (i + 4 < got)
			rte_prefetch0(rte_pktmbuf_mtod(c->mbuf[i + 4], void *));
		k->data = rte_pktmbuf_mtod(m, const uint8_t *);
		k->len = k->wire_len = rte_pktmbuf_pkt_len(m);
		k->time_ns = now_ns;
		k->link = PACKET_LINK_ETHERNET;
		k->owner = m;
		if (m->nb_segs > 1) {
			join(m, to, k);
			to += CAPTURE_DPDK_FRAME_MAX;
		}
		if (q->file_time && c->time_offset >= 0 && (m->ol_flags & c->time_flag))
			k->time_ns = *RTE_MBUF_DYNFIELD(m, c->time_offset,
							const rte_mbuf_timestamp_t *) *
				     1000; /* net_pcap counts microseconds */
		k->csum_hw = port_vouches(k, m->ol_flags);
	}
	return CAPTURE_MORE;
}

static void dpdk_release(struct capture *base, struct packet *pkt, unsigned n)
{
	struct capture_dpdk *c = (struct capture_dpdk *)base;
	rte_pktmbuf_free_bulk(c->mbuf, c->out);
	c->out = 0;
}

static void dpdk_count(struct capture *base, struct stats *stats)
{
	struct capture_dpdk *c = (struct capture_dpdk *)base;
	uint64_t missed = 0, errors = 0, no_mbuf = 0;
	for (unsigned i = 0; i < c->n_queue; i++) {
		struct rte_eth_stats s;
		if (!c->queue[i].counts || rte_eth_stats_get(c->queue[i].port, &s))
			continue;
		missed += s.imissed;
		errors += s.ierrors;
		no_mbuf += s.rx_nombuf;
	}
	stats_set(stats, STAT_PORT_MISSED, missed);
	stats_set(stats, STAT_PORT_ERRORS, errors);
	stats_set(stats, STAT_PORT_NO_MBUF, no_mbuf);
}

static void dpdk_free(struct capture *base)
{
	struct capture_dpdk *c = (struct capture_dpdk *)base;
	rte_pktmbuf_free_bulk(c->mbuf, c->out);
	free(c->joined);
	free(c);
}

static const struct capture_ops dpdk_ops = { dpdk_next, dpdk_release, dpdk_count, dpdk_free };

int capture_dpdk_open(struct capture **out, const struct port *const *ports, unsigned n,
		      uint16_t queue)
{
	if (n > CAPTURE_DPDK_PORTS_MAX)
		return -E2BIG;
	struct capture_dpdk *c = calloc(1, sizeof *c);
	if (!c)
		return -ENOMEM;
	/* 4 MiB of which only so much is touched as there are frames in pieces */
	c->joined = malloc((size_t)CAPTURE_BURST * CAPTURE_DPDK_FRAME_MAX);
	if (!c->joined) {
		free(c);
		return -ENOMEM;
	}
	c->base.ops = &dpdk_ops;
	for (unsigned i = 0; i < n; i++)
		if (queue < ports[i]->queues) {
			bool file = ports[i]->file_time;
			c->queue[c->n_queue++] =
				(struct queue){ ports[i]->id, queue, file, queue == 0 };
			c->base.live = c->base.live || !file;
		}
	c->time_offset = rte_mbuf_dynfield_lookup(RTE_MBUF_DYNFIELD_TIMESTAMP_NAME, NULL);
	int bit = rte_mbuf_dynflag_lookup(RTE_MBUF_DYNFLAG_RX_TIMESTAMP_NAME, NULL);
	if (bit >= 0)
		c->time_flag = UINT64_C(1) << bit;
	*out = &c->base;
	return 0;
}
