#include "dataplane/port.h"

#include <errno.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/capture.h"
#include "dataplane/eal.h"

enum {
	PORT_DESCRIPTORS = 2048, /* asked for; the device may take fewer */
	PORT_CACHE = 128, /* buffers a core keeps */
	PORT_MTU_MAX = 9600, /* jumbo frames with some tunnel around them */
	/* a buffer of AF_XDP is a page with all its headers, the kernel leaves 256 octets free in
	   front; see STEER_MTU_MAX */
	PORT_XDP_ROOM = 3712,
	PORT_RSS_KEY_MAX = 64,
};

/* A Toeplitz key of this period gives a packet and its answer the same hash. */
static void rss_key(uint8_t *key, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		key[i] = i & 1 ? 0x5a : 0x6d;
}

/*
 * By addresses alone where the device can: then fragments, which have no ports, come to the worker
 * of their connection. Else by addresses and ports.
 */
static uint64_t rss_fields(uint64_t can)
{
	uint64_t addresses =
		RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_FRAG_IPV6;
	uint64_t ports = addresses | RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP |
			 RTE_ETH_RSS_NONFRAG_IPV4_OTHER | RTE_ETH_RSS_NONFRAG_IPV6_OTHER;
	if ((can & RTE_ETH_RSS_IPV4) && (can & RTE_ETH_RSS_IPV6))
		return can & addresses;
	return can & ports;
}

static bool can_symmetric(const struct rte_eth_dev_info *info)
{
	return rss_fields(info->flow_type_rss_offloads) && info->hash_key_size >= 40 &&
	       info->hash_key_size <= PORT_RSS_KEY_MAX;
}

/* Buffers of a queue: what its descriptors hold, what a burst holds, what caches hold. */
static struct rte_mempool *pool_new(const struct port *p, unsigned queue, unsigned descriptors,
				    unsigned room, int socket)
{
	char name[RTE_MEMPOOL_NAMESIZE];
	snprintf(name, sizeof name, "rx%u.%u.%u", p->id, queue, room);
	/* AF_XDP keeps a full ring in the kernel besides the one here, memif and vhost a burst */
	unsigned n = descriptors * 2 + 4 * CAPTURE_BURST + 4 * PORT_CACHE + 1024;
	return rte_pktmbuf_pool_create(name, n, PORT_CACHE, 0, (uint16_t)room, socket);
}

static int queue_setup(struct port *p, unsigned queue, unsigned descriptors)
{
	/* for a device that wants a whole frame in one buffer and says how long that is only by
	 * refusing */
	static const unsigned larger[] = { 4096, 9728, 16384, 32768, 65400 };
	unsigned room = RTE_MBUF_DEFAULT_DATAROOM, i = 0;
	int socket = rte_eth_dev_socket_id(p->id);
	bool xdp = strcmp(p->driver, "net_af_xdp") == 0;
	if (xdp)
		room = PORT_XDP_ROOM;
	for (;;) {
		p->pool[queue] = pool_new(p, queue, descriptors, room + RTE_PKTMBUF_HEADROOM,
					  socket < 0 ? SOCKET_ID_ANY : socket);
		if (!p->pool[queue])
			return -rte_errno;
		int err = rte_eth_rx_queue_setup(p->id, (uint16_t)queue, (uint16_t)descriptors,
						 (unsigned)(socket < 0 ? SOCKET_ID_ANY : socket),
						 NULL, p->pool[queue]);
		if (!err)
			return 0;
		rte_mempool_free(p->pool[queue]);
		p->pool[queue] = NULL;
		if (xdp || (err != -ENOMEM && err != -EINVAL) || i >= RTE_DIM(larger))
			return err;
		room = larger[i++];
	}
}

/* The largest MTU whose frames the device takes; ethdev reckons the same way. */
static uint16_t mtu_max(const struct rte_eth_dev_info *info)
{
	uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN, mtu = info->max_mtu;
	if (info->max_mtu != UINT16_MAX && info->max_rx_pktlen > info->max_mtu)
		overhead = info->max_rx_pktlen - info->max_mtu;
	if (info->max_rx_pktlen > overhead && mtu > info->max_rx_pktlen - overhead)
		mtu = info->max_rx_pktlen - overhead;
	return (uint16_t)(mtu < PORT_MTU_MAX ? mtu : PORT_MTU_MAX);
}

static void configure(struct port *p, const struct rte_eth_dev_info *info,
		      struct rte_eth_conf *conf, uint8_t *key)
{
	static const uint64_t wanted = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM |
				       RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_SCATTER;
	conf->rxmode.offloads = info->rx_offload_capa & wanted;
	rte_eth_dev_get_mtu(p->id, &p->mtu);
	/* frames of any length come in, in pieces; a device without pieces keeps the MTU it has */
	if ((conf->rxmode.offloads & RTE_ETH_RX_OFFLOAD_SCATTER) && p->mtu < mtu_max(info))
		p->mtu = mtu_max(info);
	conf->rxmode.mtu = p->mtu;
	if (p->queues > 1 && can_symmetric(info)) {
		rss_key(key, info->hash_key_size);
		conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf->rx_adv_conf.rss_conf.rss_key = key;
		conf->rx_adv_conf.rss_conf.rss_key_len = info->hash_key_size;
		conf->rx_adv_conf.rss_conf.rss_hf = rss_fields(info->flow_type_rss_offloads);
	}
}

/*
 * What the device made of the key: one that cannot tell (net_tap says that it hashes, and the
 * kernel does as it likes) is not relied upon.
 */
static bool has_symmetric_key(const struct port *p, const struct rte_eth_dev_info *info)
{
	uint8_t got[PORT_RSS_KEY_MAX] = { 0 }, want[PORT_RSS_KEY_MAX];
	struct rte_eth_rss_conf conf = { .rss_key = got, .rss_key_len = info->hash_key_size };
	rss_key(want, info->hash_key_size);
	return rte_eth_dev_rss_hash_conf_get(p->id, &conf) == 0 && conf.rss_hf &&
	       memcmp(got, want, info->hash_key_size) == 0;
}

static int fail(const struct port *p, const char *what, int err, char *why, size_t why_len)
{
	const char *log = eal_log_first(), *cure = "";
	if (err == -ENOMEM)
		cure = ": give DPDK more memory (-- -m 1024)";
	else if ((err == -EPERM || err == -EACCES) && geteuid() != 0)
		cure = ": run as root";
	else if (err == -EBUSY)
		cure = ": another program has it: end that one first";
	/* drivers give -1 for anything */
	const char *error = err == -1 && geteuid() == 0 ? "failed" : strerror(-err);
	snprintf(why, why_len, "port %s (%s): %s: %s%s%s%s%s", p->name, p->driver, what, error,
		 log[0] ? " (" : "", log, log[0] ? ")" : "", cure);
	return err;
}

static void describe(struct port *p, const struct rte_eth_dev_info *info)
{
	rte_eth_dev_get_name_by_port(p->id, p->name);
	snprintf(p->driver, sizeof p->driver, "%s", info->driver_name ? info->driver_name : "?");
	const struct rte_devargs *args = info->device ? rte_dev_devargs(info->device) : NULL;
	p->file_time = strcmp(p->driver, "net_pcap") == 0 && args && args->args &&
		       strstr(args->args, "rx_pcap");
	/* the kernel's fanout by hash is the same for both directions, and puts fragments together
	 * before */
	p->symmetric = p->queues == 1 || strcmp(p->driver, "net_af_packet") == 0;
}

/* A device may want a queue to send on to be there before it starts. */
static int start(struct port *p, const struct rte_eth_dev_info *info, uint16_t tx, char *why,
		 size_t why_len)
{
	int err = 0;
	uint16_t descriptors =
		info->default_txportconf.ring_size ? info->default_txportconf.ring_size : 512;
	for (uint16_t q = 0; q < tx && !err; q++)
		err = rte_eth_tx_queue_setup(p->id, q, descriptors, SOCKET_ID_ANY, NULL);
	if (err)
		return fail(p, "sending queue", err, why, why_len);
	err = rte_eth_dev_start(p->id);
	if (err)
		return fail(p, "start", err, why, why_len);
	p->started = true;
	if (p->queues > 1 && can_symmetric(info))
		p->symmetric = has_symmetric_key(p, info);
	/* not every virtual device has such a mode: they give out all they get */
	rte_eth_promiscuous_enable(p->id);
	return 0;
}

int port_open(struct port *p, uint16_t id, unsigned queues, unsigned auto_max, char *why,
	      size_t why_len)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = { 0 };
	uint8_t key[PORT_RSS_KEY_MAX];
	memset(p, 0, sizeof *p);
	eal_log_forget();
	p->id = id;
	int err = rte_eth_dev_info_get(id, &info);
	if (err)
		return fail(p, "not there", err, why, why_len);
	unsigned most = info.max_rx_queues < PORT_QUEUES_MAX ? info.max_rx_queues : PORT_QUEUES_MAX;
	if (queues == PORT_AUTO_QUEUES)
		queues = !can_symmetric(&info) ? 1 : auto_max < most ? auto_max : most;
	p->queues = (uint16_t)(queues ? queues : 1);
	describe(p, &info);
	if (queues > most) {
		snprintf(why, why_len,
			 "port %s (%s): %u queues asked for, it has at most %u: set fewer "
			 "(run.queues)",
			 p->name, p->driver, queues, most);
		return -EINVAL;
	}
	configure(p, &info, &conf, key);
	uint16_t tx = info.max_tx_queues ? 1 : 0;
	err = rte_eth_dev_configure(id, p->queues, tx, &conf);
	if (err && tx) /* such as net_af_xdp: as many of one kind as of the other */
		err = rte_eth_dev_configure(id, p->queues, tx = p->queues, &conf);
	if (err)
		return fail(p, "configuration", err, why, why_len);
	uint16_t rx = PORT_DESCRIPTORS, dummy = 512;
	rte_eth_dev_adjust_nb_rx_tx_desc(id, &rx, &dummy);
	for (unsigned q = 0; q < p->queues && !err; q++)
		err = queue_setup(p, q, rx);
	if (err) {
		fail(p, "receive queue", err, why, why_len);
		port_close(p);
		return err;
	}
	err = start(p, &info, tx, why, why_len);
	if (err)
		port_close(p);
	return err;
}

void port_close(struct port *p)
{
	if (p->started)
		rte_eth_dev_stop(p->id);
	if (p->queues)
		rte_eth_dev_close(p->id);
	for (unsigned q = 0; q < p->queues; q++)
		rte_mempool_free(p->pool[q]);
	memset(p, 0, sizeof *p);
}

int port_link(const struct port *p)
{
	struct rte_eth_link link;
	return rte_eth_link_get_nowait(p->id, &link) ? -1 : link.link_status;
}
