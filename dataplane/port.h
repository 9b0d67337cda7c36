/*
 * port - one DPDK port set up for receiving: queues, buffers, hashing, frame size.
 *
 * Promiscuous, as large frames as the device has, one mempool a queue. Several queues get a hash
 * that keeps both directions of a connection together where the device can; port.symmetric says so.
 * Not handled: sending.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PORT_QUEUES_MAX = 64, PORT_NAME_MAX = 64, PORT_AUTO_QUEUES = 0 };

struct rte_mempool;

struct port {
	uint16_t id;
	uint16_t queues;
	uint16_t mtu; /* 0: the device does not say */
	bool symmetric; /* both directions of a connection come out of the same queue */
	bool file_time; /* net_pcap reading a file: time is in the packets */
	bool started;
	char name[PORT_NAME_MAX], driver[PORT_NAME_MAX];
	struct rte_mempool *pool[PORT_QUEUES_MAX];
};

/*
 * Sets the port up and starts it. queues PORT_AUTO_QUEUES: up to auto_max where the hash is
 * symmetric, else one. 0 or -errno and why has one line with the cure.
 */
int port_open(struct port *p, uint16_t id, unsigned queues, unsigned auto_max, char *why,
	      size_t why_len);
void port_close(struct port *p);

/* The link: -1 the device does not know, 0 down, 1 up. Does not wait. */
int port_link(const struct port *p);
