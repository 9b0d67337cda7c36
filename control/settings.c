#include "control/settings.h"

#include "base/profile.h"

static const char *const checksum_words[] = { "auto", "always", "never", NULL };
static const char *const walk_words[] = { "rfc9989", "psl", "auto", NULL };

static const char *const style_words[] = { "rfc8601", "asyncos", "securitygateway", NULL };

enum { KIB = 1024, MIB = 1024 * 1024, S = 1000 };

#define FIELD(f) .offset = offsetof(struct config, f), .size = sizeof(((struct config *)0)->f)
#define RANGE(lo, hi) .min = (lo), .max = (hi)

const struct schema_row settings_rows[] = {
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
	  .help = "longest time a key or an answer is kept, whatever its TTL says",
	  FIELD(dns_cache_ttl_max_s) },
	{ .name = "dns.cache_records",
	  .type = SCHEMA_NUMBER,
	  RANGE(16, 16777216),
	  .fallback = "65536",
	  .help = "answers kept by one verify worker, with what was read in them",
	  .restart = true,
	  FIELD(dns_cache_records) },
	{ .name = "dns.message_questions",
	  .type = SCHEMA_NUMBER,
	  RANGE(10, 256),
	  .fallback = "200",
	  .help = "questions asked for one message; what more it would take is a temporary error",
	  FIELD(dns_message_questions) },
	{ .name = "dns.failures",
	  .type = SCHEMA_NUMBER,
	  RANGE(0, 65536),
	  .fallback = "32",
	  .help = "a domain under which so many questions in a row failed is left alone: its "
		  "questions are a temporary error at once; 0: none is",
	  .restart = true,
	  FIELD(dns_failures) },
	{ .name = "dns.failure_time",
	  .type = SCHEMA_MS,
	  RANGE(10, 3600 * S),
	  .fallback = "30s",
	  .help = "for so long; then one question tries it again",
	  .restart = true,
	  FIELD(dns_failure_ms) },
	{ .name = "dns.trust_anchor",
	  .type = SCHEMA_TEXT,
	  RANGE(0, CONFIG_PATH_MAX - 1),
	  .fallback = "",
	  .help = "file of DNSSEC trust anchors, DS or DNSKEY records as in a master file: answers "
		  "are validated from there, and what fails is a temporary error; empty: none are",
	  .restart = true,
	  FIELD(dns_trust_anchor) },

	{ .name = "dkim.verify",
	  .type = SCHEMA_BOOL,
	  .fallback = "true",
	  .help = "verify DKIM signatures",
	  FIELD(dkim) },
	{ .name = "dkim.profile",
	  .type = SCHEMA_NAME,
	  RANGE(1, PROFILE_NAME_MAX - 1),
	  .fallback = "default",
	  .help = "the DKIM profile in force, one of dkim_profiles",
	  FIELD(dkim_profile) },

	{ .name = "spf.verify",
	  .type = SCHEMA_BOOL,
	  .fallback = "true",
	  .help = "check HELO and MAIL FROM by SPF, and at the levels of Sender ID the purported "
		  "responsible address",
	  FIELD(spf) },
	{ .name = "spf.profile",
	  .type = SCHEMA_NAME,
	  RANGE(1, PROFILE_NAME_MAX - 1),
	  .fallback = "default",
	  .help = "the SPF profile in force, one of spf_profiles",
	  FIELD(spf_profile) },

	{ .name = "arc.verify",
	  .type = SCHEMA_BOOL,
	  .fallback = "true",
	  .help = "verify chains of ARC; whose results count is arc_sealers",
	  FIELD(arc) },

	{ .name = "dmarc.verify",
	  .type = SCHEMA_BOOL,
	  .fallback = "true",
	  .help = "check the policy of the domain in From: by DMARC; it needs SPF or DKIM",
	  FIELD(dmarc) },
	{ .name = "dmarc.walk",
	  .type = SCHEMA_WORD,
	  .words = walk_words,
	  .fallback = "rfc9989",
	  .help = "how organizations and their policies are found: rfc9989 walks up the DNS; psl "
		  "is "
		  "all of RFC 7489, with the public suffix list and pct; auto walks, but takes a "
		  "name on the list for a public suffix where its record does not say with psd= "
		  "what it is",
	  FIELD(dmarc_walk) },
	{ .name = "dmarc.suffix_file",
	  .type = SCHEMA_TEXT,
	  RANGE(0, CONFIG_PATH_MAX - 1),
	  .fallback = "/usr/share/publicsuffix/public_suffix_list.dat",
	  .help = "the public suffix list, as publicsuffix.org publishes it, for dmarc.walk psl "
		  "and "
		  "auto; it is read anew when the file changes. Empty: there is none",
	  FIELD(suffix_file) },
	{ .name = "dmarc.profile",
	  .type = SCHEMA_NAME,
	  RANGE(1, PROFILE_NAME_MAX - 1),
	  .fallback = "default",
	  .help = "the DMARC profile in force, one of dmarc_profiles",
	  FIELD(dmarc_profile) },

	{ .name = "names.verify",
	  .type = SCHEMA_BOOL,
	  .fallback = "true",
	  .help = "look in From: for the protected names of the dictionaries in forged_names",
	  FIELD(names) },

	{ .name = "score.quarantine",
	  .type = SCHEMA_TENTHS,
	  RANGE(0, 10000),
	  .fallback = "0.0",
	  .help = "a message that scores so much or more, all checks together, is quarantined; "
		  "0.0: never",
	  FIELD(score_quarantine) },
	{ .name = "score.reject",
	  .type = SCHEMA_TENTHS,
	  RANGE(0, 10000),
	  .fallback = "0.0",
	  .help = "one that scores so much or more is rejected; 0.0: never",
	  FIELD(score_reject) },

	{ .name = "authserv_id",
	  .type = SCHEMA_ASCII,
	  RANGE(0, CONFIG_NAME_MAX - 1),
	  .fallback = "",
	  .help = "who judges, in the header fields that are made for a message; fields that come "
		  "in with this name are forged; empty: the name of this host",
	  FIELD(authserv_id) },
	{ .name = "headers.style",
	  .type = SCHEMA_WORD,
	  .words = style_words,
	  .fallback = "rfc8601",
	  .help = "form of these fields: asyncos writes Authentication-Results and Received-SPF "
		  "as AsyncOS does, securitygateway X-SGDMARC-Fail-policy instead of "
		  "X-Postern-DMARC-Fail-Policy",
	  FIELD(header_style) },
	{ .name = "evidence",
	  .type = SCHEMA_BOOL,
	  .fallback = "false",
	  .option = "with-evidence",
	  .help = "records hold the DNS answers that were used",
	  FIELD(evidence) },

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
	  .help = "messages one verify worker has going at once",
	  .restart = true,
	  FIELD(in_flight) },
	{ .name = "verify.flush_us",
	  .type = SCHEMA_NUMBER,
	  .use = SCHEMA_RUN,
	  RANGE(0, 1000000),
	  .fallback = "200",
	  .help = "microseconds a digest or a signature may wait for others to be worked on beside "
		  "it; a verify thread with nothing else to do never waits",
	  FIELD(flush_us) },
	{ .name = "verify.parked",
	  .type = SCHEMA_NUMBER,
	  .use = SCHEMA_RUN,
	  RANGE(0, 65536),
	  .fallback = "768",
	  .help = "so many of them may wait for name servers; the next that would is judged "
		  "without: a temporary error; 0: all may",
	  FIELD(parked_max) },
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

const unsigned settings_n = sizeof settings_rows / sizeof settings_rows[0];

const struct schema_row *settings_find(struct bytes name)
{
	for (unsigned i = 0; i < settings_n; i++)
		if (bytes_equal(bytes_str(settings_rows[i].name), name))
			return &settings_rows[i];
	return NULL;
}

const struct schema_row *settings_find_option(struct bytes option)
{
	for (unsigned i = 0; i < settings_n; i++) {
		char name[SCHEMA_OPTION_MAX];
		schema_option(&settings_rows[i], name);
		if (bytes_equal(bytes_str(name), option))
			return &settings_rows[i];
	}
	return NULL;
}

void settings_manual(FILE *out)
{
	static const char *const use[] = { "", " (run only)", " (scan, option only)" };
	for (unsigned i = 0; i < settings_n; i++) {
		const struct schema_row *row = &settings_rows[i];
		char option[SCHEMA_OPTION_MAX];
		schema_option(row, option);
		fprintf(out, "%s  --%s%s\n", row->name, option, use[row->use]);
		schema_explain(row, out);
	}
}
