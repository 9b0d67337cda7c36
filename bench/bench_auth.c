/*
 * bench_auth - SPF and DMARC of one message with every answer in the worker's cache, beside SPF
 * alone by libspf2 on the same records with its own cache warm.
 *
 * Prints nanoseconds of CPU time a message, medians of the repetitions, which alternate.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <spf2/spf.h>
#include <spf2/spf_dns_cache.h>
#include <spf2/spf_dns_zone.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/profile.h"
#include "control/profiles.h"
#include "verify/auth/dmarc.h"
#include "verify/dns/names.h"
#include "verify/auth/sender.h"
#include "verify/dns/zone.h"

enum { DOMAINS = 400, PROVIDERS = 8, ROUNDS = 50, REPEATS = 7, ARENA = 256 * 1024 };

struct mail {
	char domain[64], helo[80], from[96], ip[16];
	struct message message;
	struct header header;
	struct verdict_from author;
};

static struct mail mail[DOMAINS];
static char zone_text[DOMAINS * 512];
static size_t zone_len;

static void die(const char *what)
{
	fprintf(stderr, "bench_auth: %s\n", what);
	exit(2);
}

static uint64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- the records, for both ---- */

static SPF_dns_server_t *peer_zone;

static void add(const char *name, const char *type, const char *data)
{
	bool txt = !strcmp(type, "TXT");
	const char *quote = txt ? "\"" : "";
	zone_len += (size_t)snprintf(zone_text + zone_len, sizeof zone_text - zone_len,
				     "%s. 3600 IN %s %s%s%s\n", name, type, quote, data, quote);
	ns_type of = txt ? ns_t_txt : !strcmp(type, "MX") ? ns_t_mx : ns_t_a;
	const char *plain = of == ns_t_mx ? data + 3 : data; /* without the preference */
	char host[512];
	snprintf(host, sizeof host, "%s", plain);
	if (of == ns_t_mx && *host)
		host[strlen(host) - 1] = 0;
	if (SPF_dns_zone_add_str(peer_zone, name, of, NETDB_SUCCESS, host) != SPF_E_SUCCESS)
		die("libspf2 does not take a record");
}

/* A large provider: two includes of eight prefixes each; the last holds who sends. */
static void add_provider(unsigned p)
{
	char name[64], record[512];
	snprintf(name, sizeof name, "_spf.provider%u.example", p);
	snprintf(record, sizeof record,
		 "v=spf1 include:_a.provider%u.example include:_b.provider%u.example ~all", p, p);
	add(name, "TXT", record);
	for (unsigned half = 0; half < 2; half++) {
		int n = snprintf(record, sizeof record, "v=spf1");
		for (unsigned i = 0; i < 8; i++)
			n += snprintf(record + n, sizeof record - (size_t)n, " ip4:10.%u.%u.0/24",
				      100 + p, half * 8 + i);
		snprintf(record + n, sizeof record - (size_t)n, " ~all");
		snprintf(name, sizeof name, "_%c.provider%u.example", 'a' + (int)half, p);
		add(name, "TXT", record);
	}
}

/* What domains publish: prefixes, a provider, a and mx, or all of it by redirect=. */
static void add_domain(struct mail *m, unsigned i)
{
	char record[256], name[96];
	unsigned p = i % PROVIDERS;
	snprintf(m->domain, sizeof m->domain, "d%u.sender.example", i);
	snprintf(m->helo, sizeof m->helo, "mail.d%u.sender.example", i);
	snprintf(m->from, sizeof m->from, "bounce-%u@d%u.sender.example", i, i);
	snprintf(m->ip, sizeof m->ip, "10.%u.%u.7", i >> 8, i & 255);
	switch (i % 10) {
	case 0 ... 3:
		snprintf(record, sizeof record, "v=spf1 ip4:192.0.2.0/24 ip4:10.%u.%u.0/24 -all",
			 i >> 8, i & 255);
		break;
	case 4 ... 6:
		snprintf(record, sizeof record, "v=spf1 include:_spf.provider%u.example ~all", p);
		snprintf(m->ip, sizeof m->ip, "10.%u.15.7", 100 + p);
		break;
	case 7 ... 8:
		snprintf(record, sizeof record, "v=spf1 a mx -all");
		add(m->domain, "A", "192.0.2.1");
		snprintf(name, sizeof name, "10 mail.d%u.sender.example.", i);
		add(m->domain, "MX", name);
		break;
	default:
		snprintf(record, sizeof record, "v=spf1 redirect=_spf.provider%u.example", p);
		snprintf(m->ip, sizeof m->ip, "10.%u.15.7", 100 + p);
	}
	add(m->domain, "TXT", record);
	add(m->helo, "A", m->ip);
	add(m->helo, "TXT", "v=spf1 a -all");
	snprintf(name, sizeof name, "_dmarc.d%u.sender.example", i);
	add(name, "TXT", "v=DMARC1; p=reject; rua=mailto:dmarc@sender.example; adkim=s");
}

static void make_message(struct mail *m)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	m->message = (struct message){ .has_client = true,
				       .has_helo = true,
				       .has_mail_from = true,
				       .complete = true,
				       .helo = bytes_str(m->helo),
				       .mail_from = bytes_str(m->from) };
	memcpy(m->message.client.ip, mapped, sizeof mapped);
	inet_pton(AF_INET, m->ip, m->message.client.ip + 12);
	m->author = (struct verdict_from){ .n_domain = 1,
					   .mailboxes = 1,
					   .domain[0] = bytes_str(m->domain) };
}

/* ---- ours ---- */

static struct records *records;
static struct zone *zone;
static const struct profiles *profiles;
static uint8_t known_memory[ARENA], arena_memory[ARENA];

/* Steps both checks until nothing is open; answers what is. Returns how many questions there were. */
static unsigned judge(struct mail *m, struct dmarc_result *dmarc, struct spf_result *spf)
{
	static struct known known;
	struct arena arena;
	struct origin origin;
	unsigned questions = 0;
	known = (struct known){
		.records = records, .clock_s = 1, .ttl_max_s = 86400, .budget = KNOWN_MAX
	};
	known_init(&known, known_memory, sizeof known_memory);
	arena_init(&arena, arena_memory, sizeof arena_memory);
	origin_find(&origin, &m->message, &m->header, NULL);
	struct sender_setup s = { .known = &known,
				  .arena = &arena,
				  .profile = &profiles->spf[0],
				  .message = &m->message,
				  .header = &m->header,
				  .origin = &origin,
				  .receiver = bytes_str("mx.receiver.example"),
				  .now_s = 1 };
	struct dmarc_setup d = {
		.known = &known, .arena = &arena, .from = &m->author, .spf = &spf[SPF_MAILFROM]
	};
	while (!sender_check(&s, spf) || !dmarc_check(&d, dmarc)) {
		const struct question *q;
		for (unsigned i = 0; (q = known_question(&known, i)); i++, questions++)
			known_answer(&known, i, zone_answer(zone, q));
	}
	known_end(&known);
	return questions;
}

static uint64_t ours(unsigned *passes)
{
	uint64_t start = cpu_ns();
	for (unsigned r = 0; r < ROUNDS; r++)
		for (unsigned i = 0; i < DOMAINS; i++) {
			struct spf_result spf[SPF_IDENTITY_N];
			struct dmarc_result dmarc;
			if (judge(&mail[i], &dmarc, spf))
				die("the cache is not warm");
			*passes +=
				spf[SPF_MAILFROM].result == AUTH_PASS && dmarc.result == AUTH_PASS;
		}
	return (cpu_ns() - start) / (ROUNDS * DOMAINS);
}

/* ---- libspf2 ---- */

static uint64_t theirs(SPF_server_t *server, unsigned *passes)
{
	uint64_t start = cpu_ns();
	for (unsigned r = 0; r < ROUNDS; r++)
		for (unsigned i = 0; i < DOMAINS; i++) {
			SPF_request_t *request = SPF_request_new(server);
			SPF_response_t *response = NULL;
			SPF_request_set_ipv4_str(request, mail[i].ip);
			SPF_request_set_helo_dom(request, mail[i].helo);
			SPF_request_set_env_from(request, mail[i].from);
			SPF_request_query_mailfrom(request, &response);
			*passes += SPF_response_result(response) == SPF_RESULT_PASS;
			SPF_response_free(response);
			SPF_request_free(request);
		}
	return (cpu_ns() - start) / (ROUNDS * DOMAINS);
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

int main(void)
{
	char why[256];
	peer_zone = SPF_dns_zone_new(NULL, NULL, 0);
	for (unsigned p = 0; p < PROVIDERS; p++)
		add_provider(p);
	for (unsigned i = 0; i < DOMAINS; i++) {
		add_domain(&mail[i], i);
		make_message(&mail[i]);
	}
	if (zone_parse(&zone, bytes_of(zone_text, zone_len), "bench", why, sizeof why) < 0)
		die(why);
	records = records_new(65536, 1);
	profiles = profiles_default();
	SPF_dns_server_t *cache = SPF_dns_cache_new(peer_zone, NULL, 0, 14);
	SPF_server_t *server = cache ? SPF_server_new_dns(cache, 0) : NULL;
	if (!records || !profiles || !server)
		die("no memory");
	unsigned asked = 0, passes[2] = { 0 };
	uint64_t ns[2][REPEATS];
	for (unsigned i = 0; i < DOMAINS; i++) {
		struct spf_result spf[SPF_IDENTITY_N];
		struct dmarc_result dmarc;
		asked += judge(&mail[i], &dmarc, spf);
	}
	theirs(server, &passes[1]);
	passes[1] = 0;
	for (unsigned r = 0; r < REPEATS; r++) {
		ns[0][r] = ours(&passes[0]);
		ns[1][r] = theirs(server, &passes[1]);
	}
	for (unsigned i = 0; i < 2; i++)
		qsort(ns[i], REPEATS, sizeof ns[i][0], ascending);
	printf("domains %d, questions while cold %u, passes %u and %u of %d\n", DOMAINS, asked,
	       passes[0], passes[1], DOMAINS * ROUNDS * REPEATS);
	printf("postern_ns %lu\nlibspf2_ns %lu\n", ns[0][REPEATS / 2], ns[1][REPEATS / 2]);
	return passes[0] == passes[1] ? 0 : 1;
}
