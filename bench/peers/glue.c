/*
 * glue - what one builds from parts: libnids, a small SMTP parser, libopendkim with keys in memory.
 *
 * glue CAPTURE KEYS.tsv [dkim]: one thread; prints messages, octets and signatures by verdict. A
 * peer to measure against, not part of the product: its parser knows only orderly SMTP.
 */
#include <nids.h>
#include <opendkim/dkim.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: glue CAPTURE KEYS.tsv [dkim]\n");
		return 2;
	}
	keys_read(argv[2]);
	if (argc > 3) {
		lib = dkim_init(NULL, NULL);
		dkim_set_key_lookup(lib, key_lookup);
	}
	nids_params.filename = argv[1];
	nids_params.scan_num_hosts = 0;
	nids_params.n_tcp_streams = 8192;
	nids_params.device = NULL;
	if (!nids_init()) {
		fprintf(stderr, "glue: %s\n", nids_errbuf);
		return 2;
	}
	nids_register_tcp(on_tcp);
	nids_run();
	printf("messages %lu octets %lu pass %lu fail %lu none %lu\n", messages, octets, passed,
	       failed, unsigned_);
	return 0;
}
