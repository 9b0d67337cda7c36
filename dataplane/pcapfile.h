/*
 * pcapfile - pcap and pcapng: octets of the file in, packets out. Pure.
 *
 * pcap in both byte orders, microseconds, nanoseconds and Kuznetzov's longer records; pcapng with
 * several sections and interfaces, if_tsresol and if_tsoffset; blocks not known here are passed
 * over. A record over PCAPFILE_RECORD_MAX octets, a block over PCAPFILE_BLOCK_MAX, or more
 * interfaces than PCAPFILE_INTERFACES_MAX in a section are damage.
 * Not handled: pcapng's
 * statistics, names and secrets; frame check sequences stay on the frame.
 */
#pragma once

#include "base/packet.h"

enum {
	PCAPFILE_RECORD_MAX = 256 << 10,
	PCAPFILE_BLOCK_MAX = 64 << 20, /* of a block that is passed over */
	PCAPFILE_HEADER_MAX = 512 << 10, /* of a block that is read, with its options */
	PCAPFILE_INTERFACES_MAX = 1024,
};

enum pcapfile_result {
	PCAPFILE_MORE = 0, /* more octets are needed to go on */
	PCAPFILE_PACKET,
	PCAPFILE_SKIPPED, /* something that is no packet was taken; go on */
	PCAPFILE_BAD = -1, /* final */
};

struct pcapfile_interface {
	uint8_t link; /* enum packet_link */
	uint8_t resolution; /* if_tsresol as in the file: 10^-n, or 2^-n with the top bit */
	uint32_t snaplen; /* 0: none */
	int64_t offset_s; /* if_tsoffset */
};

struct pcapfile {
	const char *why; /* after BAD: what is wrong and the cure; static */
	uint64_t skip; /* octets of a block still to be passed over */
	uint64_t time_ns; /* of the last packet: for those that have none */
	uint32_t n; /* interfaces */
	uint8_t record; /* pcap: octets of a record's header; 0: pcapng */
	bool begun, swap, nano;
	struct pcapfile_interface interface[PCAPFILE_INTERFACES_MAX];
};

/* True when the file starts as pcap or pcapng files do; four octets are enough. */
bool pcapfile_magic(struct bytes head);

/*
 * Looks at `in`, which starts where the last call stopped, and says in *taken how much of it is
 * done with. PACKET: data .. link of pkt are filled, the octets are borrowed from `in`. All-zero is
 * the start.
 */
enum pcapfile_result pcapfile_next(struct pcapfile *f, struct bytes in, size_t *taken,
				   struct packet *pkt);
