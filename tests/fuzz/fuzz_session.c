/*
 * Both sides of a session, interleaved by the input: the first octet tells port and cut; then lines that
 * begin with C or S are that side's, c or s are lost, e or f end it. Cut in two ways, read in order, the
 * messages are the same; nothing is left behind.
 */
#include "reassembly/assemble.h"
#include "reassembly/session.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct stats stats;
static struct assembler *a;

static uint64_t collect(uint64_t sum)
{
	struct message *m;
	while ((m = assembler_next(a))) {
		sum = sum * 31 + m->size + m->flags * 7 + (uint64_t)m->reply + m->rcpt_seen;
		for (struct message_chunk *c = m->chunks; c; c = c->next)
			for (uint32_t i = 0; i < c->len; i++)
				sum = sum * 31 + c->data[i];
		if (m->intact > m->size || m->header_len > m->size)
			abort();
		assembler_release(a, m);
	}
	return sum;
}

/* Gives n octets; what is left over is offered again when the other side spoke, or for the last time. */
static uint64_t play(const uint8_t *data, size_t n, size_t cut)
{
	struct session s = { 0 };
	struct session_peer peer = { .server_port = data[0] & 1 ? 110 : 25,
				     .midstream = data[0] >> 1 & 1 };
	uint64_t off[2] = { 0 }, acked[2] = { 0 }, sum = 0;
	for (size_t at = 1; at < n;) {
		const uint8_t *lf = memchr(data + at, '\n', n - at);
		size_t end = lf ? (size_t)(lf - data) + 1 : n, from = at + 1;
		uint8_t who = data[at];
		int k = who == 'S' || who == 's' || who == 'f';
		bool gap = who == 'c' || who == 's', first = true;
		acked[k] = off[!k]; /* had it all when it spoke */
		while (from < end || first) {
			size_t len = gap || end - from < cut ? end - from : cut;
			struct session_input in = { .side = k ? SESSION_SERVER : SESSION_CLIENT,
						    .gap = gap,
						    .end = (who == 'e' || who == 'f') &&
							   from + len == end,
						    .last_chance = true,
						    .data = { gap ? NULL : data + from, len },
						    .off = off[k],
						    .peer_acked = acked[k] };
			if (session_push(&s, a, &peer, &in) > len)
				abort();
			off[k] += len;
			from += len;
			first = false;
			sum = collect(sum);
		}
		at = end;
	}
	session_finish(&s, a, &peer, 0);
	sum = collect(sum);
	if (textline_pool_out(assembler_lines(a)) || assembler_objects(a) || assembler_bytes(a))
		abort();
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct config cfg = { .smtp_ports = { { 25 }, 1 },
					   .pop3_ports = { { 110 }, 1 },
					   .flow_max = 16,
					   .message_size = 5000,
					   .message_bytes = 100000,
					   .message_max = 512,
					   .command_max = 100 };
	if (!a)
		a = assembler_new(&cfg, &stats);
	if (n < 2)
		return 0;
	uint64_t whole = play(data, n, SIZE_MAX);
	if (play(data, n, 1 + (data[0] >> 2) % 13) != whole || play(data, n, 1) != whole)
		abort();
	return 0;
}
