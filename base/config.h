/*
 * config - one immutable snapshot of every setting. Control makes it, workers borrow it.
 *
 * Defaults, ranges and help texts stand in control/settings.c, one row a field; config_default() is
 * made from those rows. Sizes are octets, times are as their names end.
 */
#pragma once

#include "base/bytes.h"

struct profiles;
struct suffixes;
struct answers;
struct forged;

enum {
	CONFIG_PORTS_MAX = 16,
	CONFIG_PATH_MAX = 256,
	CONFIG_DNS_MAX = 512,
	CONFIG_NAME_MAX = 128,
};

enum config_checksum { CHECKSUM_AUTO, CHECKSUM_ALWAYS, CHECKSUM_NEVER };
enum dkim_l { DKIM_L_IGNORE, DKIM_L_PARTIAL, DKIM_L_HONOUR };
enum config_walk { WALK_RFC9989, WALK_PSL, WALK_AUTO };
enum config_style { STYLE_RFC8601, STYLE_ASYNCOS, STYLE_SECURITYGATEWAY };

struct config_ports {
	uint16_t port[CONFIG_PORTS_MAX];
	uint32_t n;
};

struct config {
	struct config_ports smtp_ports; /* 25 587 */
	struct config_ports pop3_ports; /* 110 */

	uint32_t checksum; /* enum config_checksum */

	/* limits, each per receive worker */
	uint32_t flow_max; /* 1,048,576 */
	uint32_t flow_idle_s; /* 600: no packet for so long ends a flow */
	uint32_t flow_closed_s; /* 10: a closed flow stays so long, for late copies */
	uint32_t hole_packets; /* 64: more packets of the flow after the peer's ACK passed a hole */
	uint32_t hole_ms; /* 1000: or so much capture time */
	uint32_t held_flow_bytes; /* 1 MiB: octets one direction may hold behind a hole or a wait */
	uint64_t held_bytes; /* 128 MiB: of all flows */
	uint64_t message_size; /* 52,428,800: octets of one message kept */
	uint64_t message_bytes; /* 512 MiB: of all messages in the making or in verification */
	uint32_t message_max; /* 65,536: message objects */
	uint32_t fragment_max; /* 1,024: datagrams in the making */
	uint32_t fragment_ms; /* 30,000 */
	uint32_t command_max; /* 4,096: octets of one SMTP or POP3 line kept; AUTH lines may be
				 12,288 */

	/* dns */
	char dns[CONFIG_DNS_MAX]; /* none, system, IP[@PORT][,...], zone:FILE */
	uint32_t dns_query_timeout_ms; /* 10,000 */
	uint32_t dns_message_deadline_ms; /* 20,000 */
	uint32_t dns_cache_keys; /* 65,536 parsed keys per verify worker */
	uint32_t dns_cache_ttl_max_s; /* 86,400 */

	/* checks; which profile of each kind is in force */
	bool dkim, spf, arc, dmarc, names; /* true */
	uint32_t dmarc_walk; /* enum config_walk: rfc9989 */
	char dkim_profile[CONFIG_NAME_MAX], spf_profile[CONFIG_NAME_MAX],
		dmarc_profile[CONFIG_NAME_MAX]; /* "default" */
	char suffix_file[CONFIG_PATH_MAX]; /* public suffix list */
	char authserv_id
		[CONFIG_NAME_MAX]; /* in our own header fields; config_build makes the host's
					    name of an empty one */
	uint32_t header_style; /* enum config_style: rfc8601 */
	uint32_t score_quarantine, score_reject; /* 0, 0: a message of so many tenths or more is
						    quarantined, rejected; 0: never */
	bool evidence; /* false: the record holds the DNS answers used */
	uint32_t dns_cache_records; /* 65,536 answers per verify worker, with what was parsed */
	uint32_t dns_message_questions; /* 200: of one message; over it: a temporary error */
	uint32_t dns_failures; /* 32: failed questions of a domain after which it is left alone */
	uint32_t dns_failure_ms; /* 30,000: for so long */
	char dns_trust_anchor[CONFIG_PATH_MAX]; /* file of DNSSEC root keys; empty: no validation */

	/* made of the settings file; NULL only where nothing is judged */
	const struct profiles *profiles;
	const struct suffixes *suffixes; /* NULL: there is no list */
	const struct forged *forged; /* protected names, prepared; NULL: none are */
	const struct answers *answers; /* kept ones are used instead of the DNS; NULL: none are */
	_Atomic uint64_t *users; /* messages begun under this snapshot and not given back */

	bool digest; /* true: message.sha256 is computed */
	uint64_t now_ns; /* --now; 0: the time of capture */

	/* run only */
	char interface[CONFIG_DNS_MAX]; /* ports to read, blanks between: interface, PCI address,
					   net_... */
	bool steer; /* true: AF_XDP takes only frames of the mail ports from an interface */
	bool join_ports; /* true: queue i of every port goes to receive worker i */
	uint32_t queues; /* of a port; 0: one, more where the port keeps connections together */
	uint32_t idle_sleep_us; /* 50: a worker with nothing to do sleeps so long; 0: it polls on */
	uint32_t verify_workers; /* 0: as many cores as are left */
	uint32_t in_flight; /* 1024: messages in one verify worker */
	uint32_t flush_us; /* 200: a job waits so long for others to be worked on beside it */
	uint32_t parked_max; /* 768: of these, that may wait for the DNS; 0: all */
	uint32_t stop_ms; /* 5,000: SIGTERM finishes in this time */
	char output[CONFIG_PATH_MAX]; /* record file, "-" is stdout */
	char socket[CONFIG_PATH_MAX]; /* /run/postern/control.sock */
};
