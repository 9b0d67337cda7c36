#include "verify/dns/upstream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unbound.h>

enum { UPSTREAM_PORTS_MAX = 2048, UPSTREAM_WORD_MAX = 80 };

static int refuse(char *why, size_t why_len, const char *word, const char *what)
{
	snprintf(why, why_len, "dns: \"%s\" %s; give none, system, IP[@PORT][,...] or zone:FILE",
		 word, what);
	return -EINVAL;
}

/* word: "IP", "IP@PORT" or "[IP]@PORT"; becomes the form libunbound reads. NULL or what is wrong.
 */
static const char *server_word(char out[UPSTREAM_WORD_MAX], const char *word)
{
	char ip[UPSTREAM_WORD_MAX];
	snprintf(ip, sizeof ip, "%s", word);
	char *at = strchr(ip, '@');
	unsigned long port = 53;
	if (at) {
		*at++ = 0;
		char *end = at;
		if (*at >= '0' && *at <= '9')
			port = strtoul(at, &end, 10);
		if (end == at || *end || port == 0 || port > 65535)
			return "has a port that is not 1 to 65535";
	}
	char *p = ip;
	size_t n = strlen(p);
	if (n > 2 && p[0] == '[' && p[n - 1] == ']') {
		p[n - 1] = 0;
		p++;
	}
	struct in6_addr address;
	if (inet_pton(AF_INET, p, &address) != 1 && inet_pton(AF_INET6, p, &address) != 1)
		return "is no IP address";
	snprintf(out, UPSTREAM_WORD_MAX, "%.*s@%lu", INET6_ADDRSTRLEN, p, port);
	return NULL;
}

static int add_servers(struct ub_ctx *ub, const char *list, char *why, size_t why_len)
{
	unsigned n = 0;
	for (const char *p = list;; p++) {
		char word[UPSTREAM_WORD_MAX], server[UPSTREAM_WORD_MAX];
		size_t len = strcspn(p, ",");
		snprintf(word, sizeof word, "%.*s", (int)(len < sizeof word ? len : sizeof word),
			 p);
		const char *wrong = len < sizeof word ? server_word(server, word)
						      : "is too long for an address";
		if (!wrong && n++ == UPSTREAM_SERVERS_MAX)
			wrong = "is one server too many";
		if (wrong)
			return refuse(why, why_len, word, wrong);
		if (ub_ctx_set_fwd(ub, server) != 0)
			return refuse(why, why_len, word, "is refused by libunbound");
		p += len;
		if (*p == 0)
			return 0;
	}
}

/* Sockets the resolver may have open: half of what the process may open. */
static unsigned sockets_max(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / 2 > UPSTREAM_PORTS_MAX)
		return UPSTREAM_PORTS_MAX;
	return limit.rlim_cur < 64 ? 16 : (unsigned)limit.rlim_cur / 2;
}

static int set_options(struct ub_ctx *ub, const struct config *cfg, char *why, size_t why_len)
{
	char ports[16], ttl[16];
	snprintf(ports, sizeof ports, "%u", sockets_max());
	snprintf(ttl, sizeof ttl, "%u", cfg->dns_cache_ttl_max_s);
	const char *const options[][2] = {
		{ "unblock-lan-zones:", "yes" },
		{ "outgoing-range:", ports },
		{ "outgoing-num-tcp:", "64" },
		{ "num-queries-per-thread:", "4096" },
		{ "msg-cache-size:", "16m" },
		{ "rrset-cache-size:", "32m" },
		{ "cache-max-ttl:", ttl },
		/* a server that was dead is tried again soon, not after 15 minutes */
		{ "infra-host-ttl:", "60" },
		{ "infra-keep-probing:", "yes" },
		{ "edns-buffer-size:", "1232" },
	};
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
		int rc = ub_ctx_set_option(ub, options[i][0], options[i][1]);
		if (rc != 0) {
			snprintf(why, why_len,
				 "dns: libunbound refuses %s %s (%s); install libunbound 1.13 or "
				 "later",
				 options[i][0], options[i][1], ub_strerror(rc));
			return -ENOTSUP;
		}
	}
	return 0;
}

/* How many keys there are; what is no record is libunbound's to refuse. */
static unsigned anchors_in(FILE *f)
{
	unsigned n = 0;
	while (!feof(f)) {
		ldns_rr *rr = NULL;
		if (ldns_rr_new_frm_fp(&rr, f, NULL, NULL, NULL) == LDNS_STATUS_OK) {
			ldns_rr_type type = ldns_rr_get_type(rr);
			n += type == LDNS_RR_TYPE_DS || type == LDNS_RR_TYPE_DNSKEY;
		}
		ldns_rr_free(rr);
	}
	return n;
}

/* libunbound reads the file when it starts to work, and then only says that it does not. */
static int add_anchors(struct ub_ctx *ub, const struct config *cfg, char *why, size_t why_len)
{
	const char *path = cfg->dns_trust_anchor;
	if (!path[0])
		return 0;
	FILE *f = fopen(path, "re");
	int rc = !f ? -errno : anchors_in(f) ? 0 : -EINVAL;
	if (f)
		fclose(f);
	if (rc == 0 && ub_ctx_add_ta_file(ub, path) != 0)
		rc = -ENOMEM;
	if (rc < 0)
		snprintf(why, why_len,
			 "dns.trust_anchor: %s: %s; give a file of DS or DNSKEY records", path,
			 rc == -EINVAL ? "holds none" : strerror(-rc));
	return rc;
}

/* What unblock-lan-zones leaves in of RFC 6303 and RFC 6761. */
static int remove_local_zones(struct ub_ctx *ub, const struct config *cfg, char *why,
			      size_t why_len)
{
	static const char *const zones[] = {
		"localhost.",
		"127.in-addr.arpa.",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
		"home.arpa.",
		"resolver.arpa.",
		"service.arpa.",
		"onion.",
		"test.",
		"invalid.",
	};
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
		int rc = ub_ctx_zone_remove(ub, zones[i]);
		if (rc != 0) {
			snprintf(why, why_len, "dns: libunbound does not start (%s); %s",
				 ub_strerror(rc),
				 cfg->dns_trust_anchor[0]
					 ? "dns.trust_anchor must hold DS or DNSKEY records"
					 : "see its log");
			return -EINVAL;
		}
	}
	return 0;
}

int upstream_new(struct ub_ctx **out, const struct config *cfg, char *why, size_t why_len)
{
	struct ub_ctx *ub = ub_ctx_create();
	if (!ub) {
		snprintf(why, why_len,
			 "dns: libunbound: out of memory or file descriptors; "
			 "raise ulimit -n");
		return -ENOMEM;
	}
	ub_ctx_debugout(ub, NULL);
	int rc = set_options(ub, cfg, why, why_len);
	if (rc == 0 && strcmp(cfg->dns, "system") == 0) {
		if (ub_ctx_resolvconf(ub, NULL) != 0)
			rc = refuse(why, why_len, cfg->dns, "needs a readable /etc/resolv.conf");
	} else if (rc == 0) {
		rc = add_servers(ub, cfg->dns, why, why_len);
	}
	if (rc == 0)
		rc = add_anchors(ub, cfg, why, why_len);
	if (rc == 0 && ub_ctx_async(ub, 1) != 0)
		rc = refuse(why, why_len, cfg->dns, "needs a libunbound with threads");
	if (rc == 0)
		rc = remove_local_zones(ub, cfg, why, why_len); /* ends the settings */
	if (rc < 0) {
		ub_ctx_delete(ub);
		return rc;
	}
	*out = ub;
	return 0;
}

bool upstream_referral(const struct ub_result *res)
{
	ldns_pkt *pkt = NULL;
	bool ns = false, soa = false;
	if (res->havedata || res->rcode != 0 || !res->answer_packet ||
	    ldns_wire2pkt(&pkt, res->answer_packet, (size_t)res->answer_len) != LDNS_STATUS_OK)
		return false;
	const ldns_rr_list *authority = ldns_pkt_authority(pkt);
	for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++) {
		ldns_rr_type type = ldns_rr_get_type(ldns_rr_list_rr(authority, i));
		ns |= type == LDNS_RR_TYPE_NS;
		soa |= type == LDNS_RR_TYPE_SOA;
	}
	ldns_pkt_free(pkt);
	return ns && !soa;
}
