/*
 * glue - what one builds from parts: libnids, a small SMTP parser, libopendkim with keys in memory.
 *
 * glue CAPTURE KEYS.tsv [dkim [PASSES]]: one thread; prints messages, octets and signatures by
 * verdict. With PASSES the capture is read into memory first; each pass gives its packets to libnids
 * as they lie there, and prints its CPU time besides. A peer to measure against, not part of the
 * product: its parser knows only orderly SMTP.
 */
#include <nids.h>
#include <opendkim/dkim.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

struct key {
	char *name, *record;
};

struct mail_stream {
	bool in_data;
	char *buf;
	size_t n, cap, searched;
};

static struct key keys[512];
static int n_keys;
static DKIM_LIB *lib;
static unsigned long messages, octets, passed, failed, unsigned_;

static void keys_read(const char *path)
{
	char line[8192];
	FILE *f = fopen(path, "r");
	if (!f) {
		perror(path);
		exit(1);
	}
	while (n_keys < 512 && fgets(line, sizeof line, f)) {
		char *tab = strchr(line, '\t');
		line[strcspn(line, "\n")] = 0;
		if (!tab)
			continue;
		*tab = 0;
		keys[n_keys].name = strdup(line);
		keys[n_keys++].record = strdup(tab + 1);
	}
	fclose(f);
}

static DKIM_CBSTAT key_lookup(DKIM *dkim, DKIM_SIGINFO *sig, unsigned char *buf, size_t len)
{
	char name[512];
	snprintf(name, sizeof name, "%s._domainkey.%s", dkim_sig_getselector(sig),
		 dkim_sig_getdomain(sig));
	for (int i = 0; i < n_keys; i++)
		if (!strcmp(keys[i].name, name)) {
			snprintf((char *)buf, len, "%s", keys[i].record);
			return DKIM_CBSTAT_CONTINUE;
		}
	return DKIM_CBSTAT_NOTFOUND;
}

static void verify(char *p, size_t n)
{
	char *end = p + n;
	DKIM_STAT status;
	bool test_key;
	DKIM *dkim = dkim_verify(lib, (const unsigned char *)"glue", NULL, &status);
	while (p < end && !(p[0] == '\r' && p + 1 < end && p[1] == '\n')) {
		char *next = p;
		do {
			next = memchr(next, '\n', (size_t)(end - next));
			next = next ? next + 1 : end;
		} while (next < end && (*next == ' ' || *next == '\t'));
		dkim_header(dkim, (unsigned char *)p, (size_t)(next - p) - 2);
		p = next;
	}
	p = p + 2 < end ? p + 2 : end;
	status = dkim_eoh(dkim);
	if (status != DKIM_STAT_NOSIG) {
		dkim_body(dkim, (unsigned char *)p, (size_t)(end - p));
		status = dkim_eom(dkim, &test_key);
	}
	*(status == DKIM_STAT_NOSIG ? &unsigned_ : status == DKIM_STAT_OK ? &passed : &failed) += 1;
	dkim_free(dkim);
}

/* Takes stuffed dots out in place. */
static size_t unstuff(char *p, size_t n)
{
	char *from = p, *to = p, *end = p + n;
	if (from < end && *from == '.')
		from++;
	while (from < end) {
		char *dot = memmem(from, (size_t)(end - from), "\r\n.", 3);
		size_t run = dot ? (size_t)(dot + 2 - from) : (size_t)(end - from);
		memmove(to, from, run);
		to += run;
		from += run + (dot != NULL);
	}
	return (size_t)(to - p);
}

static size_t line(struct mail_stream *s, char *p, size_t n)
{
	char *end = memmem(p, n, "\r\n", 2);
	if (!end)
		return 0;
	if (end - p == 4 && !strncasecmp(p, "DATA", 4)) {
		s->in_data = true;
		s->searched = 0;
	}
	return (size_t)(end - p) + 2;
}

static size_t mail(struct mail_stream *s, char *p, size_t n)
{
	size_t from = s->searched > 4 ? s->searched - 4 : 0;
	char *end = memmem(p + from, n - from, "\r\n.\r\n", 5);
	if (!end) {
		s->searched = n;
		return 0;
	}
	size_t whole = (size_t)(end - p) + 2, plain = unstuff(p, whole);
	messages++;
	octets += plain;
	if (lib)
		verify(p, plain);
	s->in_data = false;
	return whole + 3;
}

static void push(struct mail_stream *s, const char *data, size_t n)
{
	if (s->n + n > s->cap) {
		s->cap = (s->n + n) * 2;
		s->buf = realloc(s->buf, s->cap);
	}
	memcpy(s->buf + s->n, data, n);
	s->n += n;
	size_t off = 0, took;
	while (off < s->n && (took = (s->in_data ? mail : line)(s, s->buf + off, s->n - off)) != 0)
		off += took;
	memmove(s->buf, s->buf + off, s->n - off);
	s->n -= off;
}

static void on_tcp(struct tcp_stream *tcp, void **user)
{
	struct mail_stream *s = *user;
	if (tcp->nids_state == NIDS_JUST_EST) {
		if (tcp->addr.dest == 25) {
			tcp->server.collect++;
			*user = calloc(1, sizeof *s);
		}
	} else if (tcp->nids_state == NIDS_DATA) {
		push(s, tcp->server.data, (size_t)tcp->server.count_new);
	} else if (s) {
		free(s->buf);
		free(s);
	}
}

struct packets {
	uint8_t *mem;
	size_t used;
	struct pcap_pkthdr *head;
	size_t *at, n;
};

static void *map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) {
		perror("glue");
		exit(2);
	}
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

/* Reads what comes from p into memory. */
static struct packets packets_read(pcap_t *p)
{
	enum { MAX = 32 << 20 };
	const size_t size = (size_t)2 << 30;
	struct packets k = { .mem = map(size),
			     .head = map(MAX * sizeof *k.head),
			     .at = map(MAX * sizeof *k.at) };
	struct pcap_pkthdr *head;
	const u_char *data;
	while (pcap_next_ex(p, &head, &data) == 1) {
		if (k.n == MAX || k.used + head->caplen + 8 > size) {
			fprintf(stderr, "glue: the capture is too large\n");
			exit(2);
		}
		k.head[k.n] = *head;
		k.at[k.n++] = k.used;
		memcpy(k.mem + k.used, data, head->caplen);
		k.used = (k.used + head->caplen + 7) & ~(size_t)7;
	}
	return k;
}

static double cpu(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void tell(void)
{
	printf("messages %lu octets %lu pass %lu fail %lu none %lu", messages, octets, passed,
	       failed, unsigned_);
	messages = octets = passed = failed = unsigned_ = 0;
}

static void from_memory(const char *path, int passes)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline(path, why);
	if (!p) {
		fprintf(stderr, "glue: %s\n", why);
		exit(2);
	}
	struct packets k = packets_read(p);
	for (int i = 0; i < passes; i++) {
		double begin = cpu();
		for (size_t n = 0; n < k.n; n++)
			nids_pcap_handler(NULL, &k.head[n], k.mem + k.at[n]);
		double took = cpu() - begin;
		tell();
		printf(" cpu_s %.6f\n", took);
	}
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: glue CAPTURE KEYS.tsv [dkim [PASSES]]\n");
		return 2;
	}
	keys_read(argv[2]);
	if (argc > 3) {
		lib = dkim_init(NULL, NULL);
		dkim_set_key_lookup(lib, key_lookup);
	}
	bool memory = argc > 4;
	nids_params.filename = memory ? NULL : argv[1];
	nids_params.pcap_desc = memory ? pcap_open_dead(DLT_EN10MB, 65535) : NULL;
	nids_params.scan_num_hosts = 0;
	nids_params.n_tcp_streams = 8192;
	nids_params.device = NULL;
	if (!nids_init()) {
		fprintf(stderr, "glue: %s\n", nids_errbuf);
		return 2;
	}
	nids_register_tcp(on_tcp);
	if (memory) {
		from_memory(argv[1], atoi(argv[4]));
		return 0;
	}
	nids_run();
	tell();
	printf("\n");
	return 0;
}
