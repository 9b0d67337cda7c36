#include "control/schema.h"

#include <inttypes.h>
#include <stdlib.h>

#include "control/value.h"

static const char *const checksum_words[] = { "auto", "always", "never", NULL };
static const char *const dkim_l_words[] = { "ignore", "partial", "honour", NULL };

enum { KIB = 1024, MIB = 1024 * 1024, S = 1000 };

#define FIELD(f) .offset = offsetof(struct config, f), .size = sizeof(((struct config *)0)->f)
#define RANGE(lo, hi) .min = (lo), .max = (hi)

const struct schema_row schema_rows[] = {
	{ .name = "smtp_ports",
	  .type = SCHEMA_PORTS,
	  .fallback = "25,587",
	  .help = "TCP ports that carry SMTP",
	  FIELD(smtp_ports) },
	{ .name = "pop3_ports",
	  .type = SCHEMA_PORTS,
	  .fallback = "110",
	  .help = "TCP ports that carry POP3",
	  FIELD(pop3_ports) },
	{ .name = "checksum",
	  .type = SCHEMA_WORD,
	  .words = checksum_words,
	  .fallback = "auto",
	  .help = "ignore segments with a wrong IP or TCP checksum: auto does so in each direction "
		  "of "
		  "a flow from its first right one on",
	  FIELD(checksum) },
	{ .name = "digest",
	  .type = SCHEMA_BOOL,
	  .fallback = "true",
	  .help = "compute message.sha256",
	  FIELD(digest) },
	{ .name = "now",
	  .type = SCHEMA_TIME,
	  .use = SCHEMA_SCAN,
	  RANGE(1, INT64_MAX),
	  .fallback = "",
	  .help = "judge as if it were this time; without it the time of capture counts, and the "
		  "present for bare messages",
	  FIELD(now_ns) },

	{ .name = "limits.flow_max",
	  .type = SCHEMA_NUMBER,
	  RANGE(64, 16777216),
	  .fallback = "1048576",
	  .help = "connections one receive worker follows at once",
	  .restart = true,
	  FIELD(flow_max) },
	{ .name = "limits.flow_idle",
	  .type = SCHEMA_SECONDS,
	  RANGE(1, 86400),
	  .fallback = "10m",
	  .help = "a connection without a packet for so long has ended",
	  FIELD(flow_idle_s) },
	{ .name = "limits.flow_closed",
	  .type = SCHEMA_SECONDS,
	  RANGE(0, 600),
	  .fallback = "10s",
	  .help = "a closed connection is remembered for so long, for late copies of its packets",
	  FIELD(flow_closed_s) },
	{ .name = "limits.hole_packets",
	  .type = SCHEMA_NUMBER,
	  RANGE(0, 65536),
	  .fallback = "64",
	  .help = "a hole in a stream is given up when the peer's ACK has passed it and so many "
		  "more "
		  "packets of the connection came",
	  FIELD(hole_packets) },
	{ .name = "limits.hole_time",
	  .type = SCHEMA_MS,
	  RANGE(0, 60 * S),
	  .fallback = "1s",
	  .help = "or when so much capture time went by",
	  FIELD(hole_ms) },
	{ .name = "limits.held_flow",
	  .type = SCHEMA_SIZE,
	  RANGE(64 * KIB, 256 * MIB),
	  .fallback = "1MiB",
	  .help = "octets one direction of a connection may hold behind a hole",
	  .restart = true,
	  FIELD(held_flow_bytes) },
	{ .name = "limits.held",
	  .type = SCHEMA_SIZE,
	  .min = MIB,
	  .max = 64 * (1024ull * 1024 * 1024),
	  .fallback = "128MiB",
	  .help = "octets all connections of one receive worker may hold behind holes",
	  .restart = true,
	  FIELD(held_bytes) },
	{ .name = "limits.message_size",
	  .type = SCHEMA_SIZE,
	  .min = KIB,
	  .max = 1024ull * 1024 * 1024,
	  .fallback = "50MiB",
	  .help = "octets of one message that are kept; of a larger one the header and a running "
		  "hash",
	  FIELD(message_size) },
	{ .name = "limits.message_total",
	  .type = SCHEMA_SIZE,
	  .min = 8 * MIB,
	  .max = 1024 * (1024ull * 1024 * 1024),
	  .fallback = "512MiB",
	  .help = "octets of all messages of one receive worker, in the making or in verification",
	  .restart = true,
	  FIELD(message_bytes) },
	{ .name = "limits.message_max",
	  .type = SCHEMA_NUMBER,
	  RANGE(16, 1048576),
	  .fallback = "65536",
	  .help = "messages of one receive worker, in the making or in verification",
	  .restart = true,
	  FIELD(message_max) },
	{ .name = "limits.fragment_max",
	  .type = SCHEMA_NUMBER,
	  RANGE(16, 65536),
	  .fallback = "1024",
	  .help = "IP datagrams in the making from fragments, of one receive worker",
	  .restart = true,
	  FIELD(fragment_max) },
	{ .name = "limits.fragment_time",
	  .type = SCHEMA_MS,
	  RANGE(100, 300 * S),
	  .fallback = "30s",
	  .help = "fragments of a datagram wait for so long for the others",
	  FIELD(fragment_ms) },
	{ .name = "limits.command_max",
	  .type = SCHEMA_NUMBER,
	  RANGE(512, 65536),
	  .fallback = "4096",
	  .help = "octets kept of one SMTP or POP3 command or reply line",
	  .restart = true,
	  FIELD(command_max) },

	{ .name = "dns.source",
	  .option = "dns",
	  .type = SCHEMA_DNS,
	  RANGE(1, CONFIG_DNS_MAX - 1),
	  .fallback = "system",
	  .help = "where names are asked for: system is /etc/resolv.conf; none makes every "
		  "question a "
		  "temporary error; zone:FILE is a master file that answers alone",
	  .restart = true,
	  FIELD(dns) },
	{ .name = "dns.query_timeout",
	  .type = SCHEMA_MS,
	  RANGE(10, 300 * S),
	  .fallback = "10s",
	  .help = "one question is given up after this time",
	  .restart = true,
	  FIELD(dns_query_timeout_ms) },
	{ .name = "dns.message_deadline",
	  .type = SCHEMA_MS,
	  RANGE(10, 600 * S),
	  .fallback = "20s",
	  .help = "all questions of one message are given up after this time: temperror",
	  FIELD(dns_message_deadline_ms) },
	{ .name = "dns.cache_keys",
	  .type = SCHEMA_NUMBER,
	  RANGE(16, 16777216),
	  .fallback = "65536",
	  .help = "parsed public keys kept by one verify worker",
	  .restart = true,
	  FIELD(dns_cache_keys) },
	{ .name = "dns.cache_ttl_max",
	  .type = SCHEMA_SECONDS,
	  RANGE(0, 7 * 86400),
	  .fallback = "1d",
	  .help = "longest time a key is kept, whatever its TTL says",
	  FIELD(dns_cache_ttl_max_s) },

	{ .name = "dkim.verify",
	  .type = SCHEMA_BOOL,
	  .fallback = "true",
	  .help = "verify DKIM signatures",
	  FIELD(dkim) },
	{ .name = "dkim.allow_sha1",
	  .type = SCHEMA_BOOL,
	  .fallback = "false",
	  .help = "let rsa-sha1 pass, for archives (RFC 8301 forbids it)",
	  FIELD(dkim_allow_sha1) },
	{ .name = "dkim.min_bits",
	  .type = SCHEMA_NUMBER,
	  RANGE(512, 16384),
	  .fallback = "1024",
	  .help = "shortest RSA key that may pass",
	  FIELD(dkim_min_bits) },
	{ .name = "dkim.max_bits",
	  .type = SCHEMA_NUMBER,
	  RANGE(512, 16384),
	  .fallback = "4096",
	  .help = "longest RSA key that is used",
	  FIELD(dkim_max_bits) },
	{ .name = "dkim.l",
	  .type = SCHEMA_WORD,
	  .words = dkim_l_words,
	  .fallback = "partial",
	  .help = "signatures with l=: ignore makes them policy, partial lets them pass, never "
		  "aligned "
		  "where the body goes on behind it, honour lets them pass",
	  FIELD(dkim_l) },
	{ .name = "dkim.signatures_max",
	  .type = SCHEMA_NUMBER,
	  RANGE(1, 64),
	  .fallback = "5",
	  .help = "signatures of one message that are verified, aligned ones first",
	  FIELD(dkim_signatures_max) },
	{ .name = "dkim.skew",
	  .type = SCHEMA_SECONDS,
	  RANGE(0, 86400),
	  .fallback = "60s",
	  .help = "how far clocks may differ for t= and x=",
	  FIELD(dkim_skew_s) },

	{ .name = "interface",
	  .type = SCHEMA_TEXT,
	  .use = SCHEMA_RUN,
	  RANGE(1, CONFIG_DNS_MAX - 1),
	  .fallback = "none",
	  .help = "ports to read, blanks between: a network interface (through AF_XDP), a PCI "
		  "address, or "
		  "a DPDK device such as net_memif0,role=client; none: those of the EAL arguments "
		  "only",
	  .restart = true,
	  FIELD(interface) },
	{ .name = "steer",
	  .type = SCHEMA_BOOL,
	  .use = SCHEMA_RUN,
	  .fallback = "true",
	  .help = "from an interface read through AF_XDP take only frames of the mail ports; all "
		  "others "
		  "stay with the kernel. Tunnels are not looked into: for those set false",
	  .restart = true,
	  FIELD(steer) },
	{ .name = "join_ports",
	  .type = SCHEMA_BOOL,
	  .use = SCHEMA_RUN,
	  .fallback = "true",
	  .help = "read queue N of every port in one worker, so that the two directions of a "
		  "connection may "
		  "come in on two ports; false: a worker for each queue of each port",
	  .restart = true,
	  FIELD(join_ports) },
	{ .name = "queues",
	  .type = SCHEMA_NUMBER,
	  .use = SCHEMA_RUN,
	  RANGE(0, 64),
	  .fallback = "0",
	  .help = "receive queues of each port, with a worker for each; 0: half as many as cores "
		  "where the "
		  "port keeps both directions of a connection in one queue, else one",
	  .restart = true,
	  FIELD(queues) },
	{ .name = "idle_sleep_us",
	  .type = SCHEMA_NUMBER,
	  .use = SCHEMA_RUN,
	  RANGE(0, 100000),
	  .fallback = "50",
	  .help = "microseconds a receive worker sleeps that finds nothing to do, four times so "
		  "long on a quiet port; 0: it never sleeps and takes its whole core, for the "
		  "highest rates",
	  FIELD(idle_sleep_us) },
	{ .name = "verify.workers",
	  .type = SCHEMA_NUMBER,
	  .use = SCHEMA_RUN,
	  RANGE(0, 64),
	  .fallback = "0",
	  .help = "verify threads; 0: as many as there are cores left",
	  .restart = true,
	  FIELD(verify_workers) },
	{ .name = "verify.in_flight",
	  .type = SCHEMA_NUMBER,
	  RANGE(1, 65536),
	  .fallback = "1024",
	  .help = "messages one verify worker has going at once; so many may wait for slow name "
		  "servers before others wait too",
	  .restart = true,
	  FIELD(in_flight) },
	{ .name = "stop_time",
	  .type = SCHEMA_MS,
	  .use = SCHEMA_RUN,
	  RANGE(0, 300 * S),
	  .fallback = "5s",
	  .help = "after SIGTERM what is in flight is finished within this time",
	  FIELD(stop_ms) },
	{ .name = "output",
	  .type = SCHEMA_TEXT,
	  .use = SCHEMA_RUN,
	  RANGE(1, CONFIG_PATH_MAX - 1),
	  .fallback = "-",
	  .help = "file the records are appended to; - is standard output",
	  .restart = true,
	  FIELD(output) },
	{ .name = "socket",
	  .type = SCHEMA_TEXT,
	  .use = SCHEMA_RUN,
	  RANGE(1, 107), /* what sun_path holds */
	  .fallback = "/run/postern/control.sock",
	  .help = "control socket",
	  .restart = true,
	  FIELD(socket) },
};

const unsigned schema_n = sizeof schema_rows / sizeof schema_rows[0];

void schema_option(const struct schema_row *row, char out[SCHEMA_OPTION_MAX])
{
	snprintf(out, SCHEMA_OPTION_MAX, "%s", row->option ? row->option : row->name);
	for (char *c = out; *c; c++)
		if (*c == '.' || *c == '_')
			*c = '-';
}

const struct schema_row *schema_find(struct bytes name)
{
	for (unsigned i = 0; i < schema_n; i++)
		if (bytes_equal(bytes_str(schema_rows[i].name), name))
			return &schema_rows[i];
	return NULL;
}

const struct schema_row *schema_find_option(struct bytes option)
{
	for (unsigned i = 0; i < schema_n; i++) {
		char name[SCHEMA_OPTION_MAX];
		schema_option(&schema_rows[i], name);
		if (bytes_equal(bytes_str(name), option))
			return &schema_rows[i];
	}
	return NULL;
}

const void *schema_field(const struct schema_row *row, const struct config *cfg)
{
	return (const char *)cfg + row->offset;
}

static void words(const struct schema_row *row, char *out, size_t len)
{
	size_t at = 0;
	for (unsigned i = 0; row->words[i] && at < len; i++) {
		const char *between = !i ? "" : row->words[i + 1] ? ", " : " or ";
		at += (size_t)snprintf(out + at, len - at, "%s%s", between, row->words[i]);
	}
}

void schema_allowed(const struct schema_row *row, char *out, size_t len)
{
	char lo[32], hi[32];
	switch (row->type) {
	case SCHEMA_BOOL:
		snprintf(out, len, "true or false");
		break;
	case SCHEMA_WORD:
		words(row, out, len);
		break;
	case SCHEMA_NUMBER:
		snprintf(out, len, "a number from %" PRIu64 " to %" PRIu64, row->min, row->max);
		break;
	case SCHEMA_SIZE:
		value_size_print(row->min, lo, sizeof lo);
		value_size_print(row->max, hi, sizeof hi);
		snprintf(out, len, "a size from %s to %s", lo, hi);
		break;
	case SCHEMA_MS:
	case SCHEMA_SECONDS:;
		uint64_t unit_ms = row->type == SCHEMA_MS ? 1 : 1000;
		value_duration_print(row->min * unit_ms, lo, sizeof lo);
		value_duration_print(row->max * unit_ms, hi, sizeof hi);
		snprintf(out, len, "a time from %s to %s%s", lo, hi,
			 row->type == SCHEMA_SECONDS ? " in whole seconds" : "");
		break;
	case SCHEMA_PORTS:
		snprintf(out, len, "up to %d different port numbers from 1 to 65535",
			 CONFIG_PORTS_MAX);
		break;
	case SCHEMA_TEXT:
		snprintf(out, len, "text of %" PRIu64 " to %" PRIu64 " octets", row->min, row->max);
		break;
	case SCHEMA_DNS:
		snprintf(out, len,
			 "none, system, IP[@PORT][,...] or zone:FILE, up to %" PRIu64 " octets",
			 row->max);
		break;
	case SCHEMA_TIME:
		snprintf(out, len, "seconds since 1970 or a time such as 2026-11-21T10:00:00Z");
		break;
	}
}

static bool set_text(const struct schema_row *row, struct config *cfg, struct bytes value)
{
	if (value.n < row->min || value.n > row->max || memchr(value.p, 0, value.n) ||
	    (row->type == SCHEMA_DNS && !value_dns(value)))
		return false;
	char *field = (char *)cfg + row->offset;
	memset(field, 0, row->size);
	memcpy(field, value.p, value.n);
	return true;
}

static bool set_number(const struct schema_row *row, struct config *cfg, uint64_t v)
{
	void *field = (char *)cfg + row->offset;
	if (v < row->min || v > row->max)
		return false;
	if (row->size == sizeof(uint64_t)) {
		memcpy(field, &v, sizeof v);
	} else {
		uint32_t small = (uint32_t)v;
		memcpy(field, &small, sizeof small);
	}
	return true;
}

static bool set_word(const struct schema_row *row, struct config *cfg, struct bytes value)
{
	for (uint32_t i = 0; row->words[i]; i++)
		if (bytes_equal(bytes_str(row->words[i]), value)) {
			memcpy((char *)cfg + row->offset, &i, sizeof i);
			return true;
		}
	return false;
}

static bool set_value(const struct schema_row *row, struct config *cfg, struct bytes value)
{
	uint64_t v;
	void *field = (char *)cfg + row->offset;
	switch (row->type) {
	case SCHEMA_BOOL:
		if (!bytes_equal(value, bytes_str("true")) &&
		    !bytes_equal(value, bytes_str("false")))
			return false;
		*(bool *)field = value.p[0] == 't';
		return true;
	case SCHEMA_WORD:
		return set_word(row, cfg, value);
	case SCHEMA_NUMBER:
		return value_number(value, &v) && set_number(row, cfg, v);
	case SCHEMA_SIZE:
		return value_size(value, &v) && set_number(row, cfg, v);
	case SCHEMA_MS:
		return value_duration(value, &v) && set_number(row, cfg, v);
	case SCHEMA_SECONDS:
		return value_duration(value, &v) && v % 1000 == 0 && set_number(row, cfg, v / 1000);
	case SCHEMA_PORTS:
		return value_ports(value, field);
	case SCHEMA_TEXT:
	case SCHEMA_DNS:
		return set_text(row, cfg, value);
	case SCHEMA_TIME:
		/* 0 is no time at all: the epoch is a nanosecond late */
		return value_time(value, &v) && set_number(row, cfg, v ? v : 1);
	}
	return false;
}

int schema_set(const struct schema_row *row, struct config *cfg, struct bytes value, bool quoted,
	       char *why, size_t why_len)
{
	bool number =
		row->type == SCHEMA_BOOL || row->type == SCHEMA_NUMBER || row->type == SCHEMA_PORTS;
	bool wrong_type = quoted && number;
	if (!wrong_type && set_value(row, cfg, value))
		return 0;
	char allowed[256], shown[48];
	schema_allowed(row, allowed, sizeof allowed);
	size_t n = 0;
	for (; n < value.n && n < sizeof shown - 1; n++)
		shown[n] = value.p[n] >= 0x20 && value.p[n] < 0x7f ? (char)value.p[n] : '?';
	shown[n] = 0;
	snprintf(why, why_len, "\"%s%s\" is %s; allowed: %s", shown, n < value.n ? "..." : "",
		 wrong_type ? "quoted, so it is text" : "not possible", allowed);
	return -1;
}

static void get_ports(const struct config_ports *ports, char *out)
{
	size_t at = 0;
	out[0] = 0;
	for (uint32_t i = 0; i < ports->n; i++)
		at += (size_t)snprintf(out + at, SCHEMA_VALUE_MAX - at, "%s%u", i ? "," : "",
				       ports->port[i]);
}

static uint64_t get_number(const struct schema_row *row, const void *field)
{
	uint64_t v;
	uint32_t small;
	if (row->size == sizeof v) {
		memcpy(&v, field, sizeof v);
		return v;
	}
	memcpy(&small, field, sizeof small);
	return small;
}

void schema_get(const struct schema_row *row, const struct config *cfg, char out[SCHEMA_VALUE_MAX])
{
	const void *field = schema_field(row, cfg);
	switch (row->type) {
	case SCHEMA_BOOL:
		snprintf(out, SCHEMA_VALUE_MAX, "%s", *(const bool *)field ? "true" : "false");
		break;
	case SCHEMA_WORD:
		snprintf(out, SCHEMA_VALUE_MAX, "%s", row->words[get_number(row, field)]);
		break;
	case SCHEMA_NUMBER:
		snprintf(out, SCHEMA_VALUE_MAX, "%" PRIu64, get_number(row, field));
		break;
	case SCHEMA_SIZE:
		value_size_print(get_number(row, field), out, SCHEMA_VALUE_MAX);
		break;
	case SCHEMA_MS:
		value_duration_print(get_number(row, field), out, SCHEMA_VALUE_MAX);
		break;
	case SCHEMA_SECONDS:
		value_duration_print(get_number(row, field) * 1000, out, SCHEMA_VALUE_MAX);
		break;
	case SCHEMA_PORTS:
		get_ports(field, out);
		break;
	case SCHEMA_TEXT:
	case SCHEMA_DNS:
		snprintf(out, SCHEMA_VALUE_MAX, "%s", (const char *)field);
		break;
	case SCHEMA_TIME:;
		uint64_t ns = get_number(row, field);
		snprintf(out, SCHEMA_VALUE_MAX, "%" PRIu64 ".%09" PRIu64, ns / 1000000000,
			 ns % 1000000000);
		break;
	}
}

/* Help text in lines of up to 78 columns, indented. */
static void manual_wrap(FILE *out, const char *text)
{
	enum { INDENT = 6, WIDTH = 78 };
	while (*text) {
		size_t n = strlen(text);
		if (n > WIDTH - INDENT) {
			n = WIDTH - INDENT;
			while (n && text[n] != ' ')
				n--;
		}
		fprintf(out, "%*s%.*s\n", INDENT, "", (int)n, text);
		text += n;
		text += strspn(text, " ");
	}
}

void schema_manual(FILE *out)
{
	for (unsigned i = 0; i < schema_n; i++) {
		const struct schema_row *row = &schema_rows[i];
		static const char *const use[] = { "", " (run only)", " (scan, option only)" };
		char allowed[256], option[SCHEMA_OPTION_MAX];
		schema_allowed(row, allowed, sizeof allowed);
		schema_option(row, option);
		fprintf(out, "%s  --%s%s\n", row->name, option, use[row->use]);
		manual_wrap(out, row->help);
		fprintf(out, "      %s; default %s%s\n", allowed,
			*row->fallback ? row->fallback : "none",
			row->restart ? "; needs a restart" : "");
	}
}
