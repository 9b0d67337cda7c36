/* Real name servers say what the same zone file says here, and what they prove or disprove is told. */
#include "tests/test.h"

#include "verify/dns/resolver.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TIMEOUT_MS = 5000, SERVERS_MAX = 4 };

static struct stats stats;

struct place { /* a folder with the servers that work in it */
	char dir[64];
	pid_t pid[SERVERS_MAX];
	unsigned n;
};

static bool have(const char *program)
{
	if (access(program, X_OK) == 0)
		return true;
	const char *ci = getenv("CI");
	printf("skipped: %s is not installed ", program);
	CU_ASSERT_FALSE(ci && strcmp(ci, "true") == 0);
	return false;
}

static struct place *place(void)
{
	static struct place p;
	p = (struct place){ .dir = "/tmp/test_servers.XXXXXX" };
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(p.dir));
	return &p;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

static void place_end(struct place *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		kill(p->pid[i], SIGTERM);
		waitpid(p->pid[i], NULL, 0);
	}
	nftw(p->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static FILE *create(const struct place *p, const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", p->dir, name);
	FILE *f = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	return f;
}

static pid_t begin(const struct place *p, char *const *argv)
{
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent || chdir(p->dir) < 0 || !freopen("said", "a", stderr) ||
		    !freopen("said.out", "a", stdout))
			_exit(126);
		execv(argv[0], argv);
		_exit(127);
	}
	CU_ASSERT_TRUE_FATAL(pid > 0);
	return pid;
}

static void serve(struct place *p, char *const *argv)
{
	p->pid[p->n++] = begin(p, argv);
}

static bool run(const struct place *p, char *const *argv)
{
	int status = 0;
	pid_t pid = begin(p, argv);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

/* Free for UDP and TCP a moment ago. */
static uint16_t free_port(void)
{
	for (unsigned tries = 0; tries < 50; tries++) {
		struct sockaddr_in at = { .sin_family = AF_INET };
		at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		socklen_t len = sizeof at;
		int udp = socket(AF_INET, SOCK_DGRAM, 0), tcp = socket(AF_INET, SOCK_STREAM, 0);
		bool good = bind(udp, (struct sockaddr *)&at, len) == 0 &&
			    getsockname(udp, (struct sockaddr *)&at, &len) == 0 &&
			    bind(tcp, (struct sockaddr *)&at, len) == 0;
		close(udp);
		close(tcp);
		if (good)
			return ntohs(at.sin_port);
	}
	CU_FAIL_FATAL("no free port");
	return 0;
}

/* Serves the zone of that name from the file of that name; another zone when it is not NULL. */
static uint16_t nsd(struct place *p, const char *zone, const char *other)
{
	uint16_t port = free_port();
	FILE *f = create(p, "nsd.conf");
	fprintf(f,
		"server:\n ip-address: 127.0.0.1@%u\n zonesdir: \"%s\"\n pidfile: \"\"\n"
		" database: \"\"\n zonelistfile: \"%s/list\"\n xfrdfile: \"%s/xfrd\"\n"
		" xfrdir: \"%s\"\n username: \"\"\n chroot: \"\"\n server-count: 1\n"
		" verbosity: 0\n hide-version: yes\nremote-control:\n control-enable: no\n"
		"zone:\n name: \"%s\"\n zonefile: \"zone\"\n",
		port, p->dir, p->dir, p->dir, p->dir, zone);
	if (other)
		fprintf(f, "zone:\n name: \"%s\"\n zonefile: \"other\"\n", other);
	fclose(f);
	char *const argv[] = { "/usr/sbin/nsd", "-d", "-c", "nsd.conf", NULL };
	serve(p, argv);
	return port;
}

/* Asks the server at that port for everything. */
static uint16_t unbound(struct place *p, uint16_t forward)
{
	uint16_t port = free_port();
	FILE *f = create(p, "unbound.conf");
	fprintf(f,
		"server:\n interface: 127.0.0.1\n port: %u\n directory: \"%s\"\n username: \"\"\n"
		" chroot: \"\"\n pidfile: \"\"\n use-syslog: no\n logfile: \"\"\n"
		" do-daemonize: no\n do-not-query-localhost: no\n module-config: \"iterator\"\n"
		" unblock-lan-zones: yes\n outgoing-range: 64\n so-reuseport: no\n"
		"remote-control:\n control-enable: no\n"
		"stub-zone:\n name: \".\"\n stub-addr: 127.0.0.1@%u\n stub-prime: no\n",
		port, p->dir, forward);
	fclose(f);
	char *const argv[] = { "/usr/sbin/unbound", "-d", "-c", "unbound.conf", NULL };
	serve(p, argv);
	return port;
}

static struct resolver *start(const struct place *p, const char *dns, const char *anchor)
{
	struct config cfg = { .dns_query_timeout_ms = TIMEOUT_MS, .dns_cache_ttl_max_s = 86400 };
	char why[400] = "";
	struct resolver *r = NULL;
	snprintf(cfg.dns, sizeof cfg.dns, "%s", dns);
	if (anchor)
		snprintf(cfg.dns_trust_anchor, sizeof cfg.dns_trust_anchor, "%s/%s", p->dir,
			 anchor);
	if (resolver_new(&r, &cfg, 1, why, sizeof why) < 0)
		printf("\n%s: %s\n", dns, why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	return r;
}

static struct resolver *start_at(const struct place *p, uint16_t port, const char *anchor)
{
	char dns[32];
	snprintf(dns, sizeof dns, "127.0.0.1@%u", port);
	return start(p, dns, anchor);
}

static struct resolver *start_zone(const struct place *p)
{
	char dns[96];
	snprintf(dns, sizeof dns, "zone:%s/zone", p->dir);
	return start(p, dns, NULL);
}

/* Asks and waits. */
static const struct answer *ask(struct resolver_link *l, const char *name, uint16_t type)
{
	struct question q = { .type = type, .len = (uint8_t)strlen(name) };
	struct resolver_reply reply = { 0 };
	const struct answer *a = NULL;
	memcpy(q.name, name, strlen(name));
	if (resolver_ask(l, &q, 1, &a) == RESOLVER_NOW)
		return a;
	for (unsigned i = 0; i < 3 * TIMEOUT_MS && resolver_poll(l, &reply, 1) == 0; i++)
		usleep(1000);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reply.answer);
	return reply.answer;
}

/* Until it serves names that form makes: each time another, since failures are cached. */
static bool wait_up(struct resolver_link *l, const char *under)
{
	for (unsigned i = 0; i < 100; i++) {
		char name[64];
		snprintf(name, sizeof name, "up%u.%s", i, under);
		const struct answer *a = ask(l, name, QUESTION_TXT);
		bool up = a->status == ANSWER_DATA;
		resolver_release(l, a);
		if (up)
			return true;
		usleep(100000);
	}
	CU_FAIL("the server does not come up");
	return false;
}

static void same_as(struct resolver_link *x, struct resolver_link *y, const char *name,
		    uint16_t type)
{
	const struct answer *a = ask(x, name, type), *b = ask(y, name, type);
	if (a->status != b->status || a->n != b->n)
		printf("\n%s %u: %u with %u, %u with %u\n", name, type, a->status, a->n, b->status,
		       b->n);
	CU_ASSERT_EQUAL(a->status, b->status);
	CU_ASSERT_EQUAL(a->n, b->n);
	for (unsigned i = 0; i < a->n && a->n == b->n; i++) { /* a server may turn a set round */
		bool found = false;
		for (unsigned k = 0; k < b->n; k++)
			found = found || bytes_equal_nocase(a->rr[i].data, b->rr[k].data);
		CU_ASSERT_TRUE(found);
	}
	resolver_release(x, a);
	resolver_release(y, b);
}

static void status_of(struct resolver_link *l, const char *name, uint16_t type, uint8_t status,
		      bool secure)
{
	const struct answer *a = ask(l, name, type);
	if (a->status != status || a->secure != secure)
		printf("\n%s %u: %u, %s\n", name, type, a->status, a->secure ? "secure" : "not");
	CU_ASSERT_EQUAL(a->status, status);
	CU_ASSERT_EQUAL(a->secure, secure);
	resolver_release(l, a);
}

static void write_zone(const struct place *p)
{
	FILE *f = create(p, "zone");
	fprintf(f, "$TTL 60\n. SOA ns. host. 1 3600 600 86400 60\n. NS ns.\nns. A 127.0.0.1\n"
		   "$ORIGIN example.org.\n@ MX 5 a\n  MX 10 B\na A 1.2.3.4\n A 1.2.3.5\n"
		   " AAAA 2001:db8::1\n AAAA 2001:db8::ff\n"
		   "b CNAME a\nc CNAME x.w\n*.w TXT wild\n MX 1 a\n A 9.8.7.6\nin.w A 9.9.9.9\n"
		   "x.er.in.w AAAA ::1\n"
		   "mx MX 1 a.example.org.\n MX 2 mx.example.org.\n MX 3 a.b.c.example.org.\n"
		   " MX 4 a.b.example.com.\n");
	/* under the answer of 64 KiB, and far over what fits a datagram */
	for (int i = 0; i < 5; i++) {
		fprintf(f, "key TXT (");
		for (int k = 0; k < 48; k++)
			fprintf(f, " \"%0255d\"", i * 100 + k);
		fprintf(f, " )\n");
	}
	fprintf(f, "some TXT (");
	for (int i = 0; i < 49; i++)
		fprintf(f, " \"%0255d\"\n", i);
	fprintf(f, " )\n");
	for (int i = 0; i < 300; i++)
		fprintf(f, "many A 10.0.%d.%d\n", i / 100, i % 100);
	for (int i = 1; i < 9; i++)
		fprintf(f, "chain%d CNAME chain%d\n", i, i + 1);
	fprintf(f, "chain9 TXT end\nchain9 MX 7 chain1\n"
		   "$ORIGIN example.com.\ntwo TXT one\n TXT \"o\" \"ne\" \"two\"\n"
		   "empty TXT \"\"\nodd TXT \"\\000\\255\\\"\\\\\"\n"
		   "*.cw CNAME two\ngone CNAME nowhere.example.net.\na.ent TXT x\n"
		   "m MX 0 .\nself CNAME self\nl1 CNAME l2\nl2 CNAME l1\n"
		   "$ORIGIN in-addr.arpa.\n4.3.2.1 PTR a.example.org.\n PTR b.example.org.\n"
		   "$ORIGIN ip6.arpa.\n*.8.b.d.0.1.0.0.2 PTR a.example.org.\n");
	fclose(f);
}

/* nsd has the last word on what a master file says, asked alone and through unbound. */
static void zone_says_what_servers_say(void)
{
	static const char *const names[] = {
		"example.org",
		"a.example.org",
		"b.example.org",
		"c.example.org",
		"key.example.org",
		"some.example.org",
		"many.example.org",
		"mx.example.org",
		"chain1.example.org",
		"chain5.example.org",
		"x.w.example.org",
		"x.y.w.example.org",
		"w.example.org",
		"in.w.example.org",
		"x.in.w.example.org",
		"deep.er.in.w.example.org",
		"nothing.example.org",
		"org",
		"com",
		"two.example.com",
		"empty.example.com",
		"odd.example.com",
		"x.cw.example.com",
		"gone.example.com",
		"ent.example.com",
		"m.example.com",
		"self.example.com",
		"4.3.2.1.in-addr.arpa",
		"l1.example.com",
		"1.0.8.b.d.0.1.0.0.2.ip6.arpa",
	};
	static const uint16_t types[] = { QUESTION_A, QUESTION_PTR, QUESTION_MX, QUESTION_TXT,
					  QUESTION_AAAA };
	if (!have("/usr/sbin/nsd") || !have("/usr/sbin/unbound"))
		return;
	struct place *p = place();
	write_zone(p);
	uint16_t port = nsd(p, ".", NULL);
	struct resolver *x = start_zone(p), *y = start_at(p, port, NULL),
			*z = start_at(p, unbound(p, port), NULL);
	struct resolver_link *lx = resolver_link(x, 0, &stats), *ly = resolver_link(y, 0, &stats),
			     *lz = resolver_link(z, 0, &stats);
	if (wait_up(ly, "w.example.org") && wait_up(lz, "w.example.org")) {
		const struct answer *a = ask(lx, "key.example.org", QUESTION_TXT);
		CU_ASSERT(a->n == 5 && a->rr[0].data.n == 48 * 255);
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
			for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
				same_as(lx, ly, names[i], types[k]);
				same_as(lx, lz, names[i], types[k]);
			}
	}
	resolver_free(x);
	resolver_free(y);
	resolver_free(z);
	place_end(p);
}

/* What is not there is kept for as long as the zone's SOA says, and told so (RFC 2308 section 5). */
static void negative_ttl(void)
{
	if (!have("/usr/sbin/nsd"))
		return;
	struct place *p = place();
	FILE *f = create(p, "zone");
	fprintf(f, "$TTL 600\n@ SOA ns. host. 1 3600 600 86400 17\n@ NS ns.\nns A 127.0.0.1\n"
		   "*.w TXT x\nthere A 1.2.3.4\n");
	fclose(f);
	uint16_t port = nsd(p, ".", NULL);
	struct resolver *r = start_at(p, port, NULL);
	struct resolver_link *l = resolver_link(r, 0, &stats);
	if (wait_up(l, "w")) {
		static const char *const names[] = { "there", "x.there" };
		for (unsigned i = 0; i < 2; i++) {
			const struct answer *a = ask(l, names[i], QUESTION_TXT);
			CU_ASSERT_EQUAL(a->status, i ? ANSWER_NXDOMAIN : ANSWER_NODATA);
			CU_ASSERT(a->ttl_s >= 15 && a->ttl_s <= 17);
			resolver_release(l, a);
		}
	}
	resolver_free(r);
	place_end(p);
}

/* A zone given on to servers that do not have it is an error, not an empty answer. */
static void lame_delegation(void)
{
	if (!have("/usr/sbin/nsd") || !have("/usr/sbin/unbound"))
		return;
	struct place *p = place();
	FILE *f = create(p, "zone");
	fprintf(f, "$TTL 600\n@ SOA ns. host. 1 3600 600 86400 60\n@ NS ns.\nns A 127.0.0.1\n"
		   "*.w TXT x\nlame NS ns.lame\nns.lame A 127.0.0.1\n"
		   "nowhere NS ns.not.there.\n");
	fclose(f);
	uint16_t port = nsd(p, ".", NULL);
	struct resolver *y = start_at(p, port, NULL), *z = start_at(p, unbound(p, port), NULL);
	struct resolver_link *ly = resolver_link(y, 0, &stats), *lz = resolver_link(z, 0, &stats);
	if (wait_up(ly, "w") && wait_up(lz, "w")) {
		static const char *const names[] = { "lame", "x.lame", "nowhere", "x.nowhere" };
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
			for (unsigned k = 0; k < 2; k++) {
				struct resolver_link *l = k ? lz : ly;
				const struct answer *a = ask(l, names[i], QUESTION_TXT);
				if (a->status != ANSWER_SERVFAIL && a->status != ANSWER_TIMEOUT)
					printf("\n%s, %u: %u\n", names[i], k, a->status);
				CU_ASSERT(a->status == ANSWER_SERVFAIL ||
					  a->status == ANSWER_TIMEOUT);
				resolver_release(l, a);
			}
	}
	resolver_free(y);
	resolver_free(z);
	place_end(p);
}

/* Signs `other` as "signed." with a new key, and puts its DS into `anchor`. */
static bool sign(const struct place *p)
{
	char path[128], key[128] = "";
	char *const keygen[] = {
		"/usr/bin/ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "signed.", NULL
	};
	if (!run(p, keygen))
		return false;
	snprintf(path, sizeof path, "%s/said.out", p->dir);
	FILE *f = fopen(path, "r");
	bool good = f && fscanf(f, "%127s", key) == 1;
	if (f)
		fclose(f);
	char *const signzone[] = {
		"/usr/bin/ldns-signzone", "-n", "-o", "signed.", "-f", "other", "plain", key, NULL
	};
	char ds[160];
	snprintf(ds, sizeof ds, "%s.ds", key);
	char *const copy[] = { "/bin/cp", ds, "anchor", NULL };
	return good && run(p, signzone) && run(p, copy);
}

/* Changes one octet of what is signed. */
static void forge(const struct place *p)
{
	char path[128];
	snprintf(path, sizeof path, "%s/other", p->dir);
	struct bytes text = test_file(path);
	uint8_t *at = memmem(text.p, text.n, "genuine", 7);
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	at[0] = 'G';
	FILE *f = create(p, "other");
	fwrite(text.p, 1, text.n, f);
	fclose(f);
	free((void *)text.p);
}

/* With a trust anchor: what is signed is secure, also that a name does not exist; what is forged fails. */
static void dnssec(void)
{
	if (!have("/usr/sbin/nsd") || !have("/usr/bin/ldns-signzone"))
		return;
	struct place *p = place();
	FILE *f = create(p, "zone");
	fprintf(f, "$TTL 600\n@ SOA ns. host. 1 3600 600 86400 60\n@ NS ns.\nns A 127.0.0.1\n"
		   "*.w TXT x\nsigned. NS ns.\n");
	fclose(f);
	f = create(p, "plain");
	fprintf(f, "$ORIGIN signed.\n$TTL 600\n@ SOA ns. host. 1 3600 600 86400 60\n@ NS ns.\n"
		   "good TXT \"v=spf1 -all\"\nbad TXT genuine\ngood MX 1 good\n*.wild TXT w\n"
		   "alias CNAME good\nout CNAME x.w.\n");
	fclose(f);
	CU_ASSERT_TRUE_FATAL(sign(p));
	forge(p);
	uint16_t port = nsd(p, ".", "signed.");
	struct resolver *r = start_at(p, port, "anchor"), *without = start_at(p, port, NULL);
	struct resolver_link *l = resolver_link(r, 0, &stats),
			     *lw = resolver_link(without, 0, &stats);
	if (wait_up(lw, "w") && wait_up(l, "w")) {
		status_of(l, "good.signed", QUESTION_TXT, ANSWER_DATA, true);
		status_of(l, "good.signed", QUESTION_MX, ANSWER_DATA, true);
		status_of(l, "good.signed", QUESTION_A, ANSWER_NODATA, true);
		status_of(l, "none.signed", QUESTION_TXT, ANSWER_NXDOMAIN, true);
		status_of(l, "alias.signed", QUESTION_TXT, ANSWER_DATA, true);
		status_of(l, "x.wild.signed", QUESTION_TXT, ANSWER_DATA, true);
		status_of(l, "bad.signed", QUESTION_TXT, ANSWER_SERVFAIL, false);
		/* a chain is as secure as its last link */
		status_of(l, "out.signed", QUESTION_TXT, ANSWER_DATA, false);
		status_of(l, "x.w", QUESTION_TXT, ANSWER_DATA, false);
		/* without an anchor nothing is proved, and nothing disproved */
		status_of(lw, "good.signed", QUESTION_TXT, ANSWER_DATA, false);
		status_of(lw, "bad.signed", QUESTION_TXT, ANSWER_DATA, false);
	}
	resolver_free(r);
	resolver_free(without);
	place_end(p);
}

TEST_MAIN("servers", TEST(zone_says_what_servers_say), TEST(negative_ttl), TEST(lame_delegation),
	  TEST(dnssec))
