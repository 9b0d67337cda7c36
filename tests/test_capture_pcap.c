/*
 * A capture file gives the packets libpcap finds in it, from a disk, a pipe or gzip alike; one that is
 * damaged gives all packets before the damage and then one line that says where it is.
 */
#include "dataplane/capture.h"
#include "tests/test.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

static char folder[] = "/tmp/test_capture_XXXXXX";

static const char *path_of(const char *name)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void remove_folder(void)
{
	static const char *const names[] = { "a.pcap", "a.pcap.gz", "b.pcapng",
					     "c.pcap", "d.pcap",    "d.gz" };
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(path_of(names[i]));
	rmdir(folder);
}

/* the first test */
static void make_folder(void)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	CU_ASSERT_EQUAL(atexit(remove_folder), 0);
}

/* What was seen: all packets folded into one number. */
struct seen {
	uint64_t packets, octets, fold;
	enum capture_state state;
	char why[256];
};

static void see(struct seen *s, uint64_t time_ns, uint32_t len, uint32_t wire, const uint8_t *p)
{
	s->packets++;
	s->octets += len;
	s->fold = (s->fold * 31 + time_ns) * 31 + len;
	s->fold = s->fold * 31 + wire;
	for (uint32_t i = 0; i < len; i++)
		s->fold = s->fold * 31 + p[i];
}

/* Takes c. */
static struct seen drain(struct capture *c, unsigned max)
{
	struct seen s = { 0 };
	for (;;) {
		struct packet pkt[CAPTURE_BURST];
		unsigned n = 99;
		s.state = c->ops->next(c, pkt, max, &n);
		CU_ASSERT(n <= max && (n == 0 || s.state == CAPTURE_MORE));
		for (unsigned i = 0; i < n && i < max; i++)
			see(&s, pkt[i].time_ns, pkt[i].len, pkt[i].wire_len, pkt[i].data);
		c->ops->release(c, pkt, n);
		if (s.state != CAPTURE_MORE)
			break;
	}
	snprintf(s.why, sizeof s.why, "%s", capture_pcap_why(c));
	/* it stays so */
	struct packet pkt[1];
	unsigned n;
	CU_ASSERT(c->ops->next(c, pkt, 1, &n) == s.state && n == 0);
	uint64_t done, all;
	capture_pcap_progress(c, &done, &all);
	CU_ASSERT(done <= all || !all);
	c->ops->free(c);
	return s;
}

static struct seen ours(const char *path)
{
	struct capture *c;
	char why[256];
	CU_ASSERT_EQUAL_FATAL(capture_pcap_open(&c, path, why, sizeof why), 0);
	CU_ASSERT(!c->live);
	return drain(c, CAPTURE_BURST);
}

static struct seen from_memory(struct bytes file, size_t chunk, unsigned max)
{
	struct capture *c;
	char why[256] = "";
	uint8_t *p = test_guard(file.p, file.n);
	struct seen s = { .state = CAPTURE_BROKEN };
	if (capture_pcap_memory(&c, bytes_of(p, file.n), chunk, why, sizeof why) == 0)
		s = drain(c, max);
	else
		snprintf(s.why, sizeof s.why, "%s", why);
	test_guard_free(p, file.n);
	return s;
}

static struct seen theirs(const char *path)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	struct seen s = { .state = CAPTURE_END };
	struct pcap_pkthdr *h;
	const uint8_t *data;
	int r;
	while ((r = pcap_next_ex(p, &h, &data)) == 1)
		see(&s, (uint64_t)h->ts.tv_sec * 1000000000 + (uint64_t)h->ts.tv_usec, h->caplen,
		    h->len, data);
	if (r != PCAP_ERROR_BREAK)
		s.state = CAPTURE_BROKEN;
	pcap_close(p);
	return s;
}

static bool same(const struct seen *a, const struct seen *b)
{
	return a->packets == b->packets && a->octets == b->octets && a->fold == b->fold &&
	       a->state == b->state;
}

/* Written by libpcap, 3000 packets of all sizes: over 2 MiB, so the window moves. */
static struct bytes make(const char *name, u_int precision, int snaplen)
{
	static uint8_t frame[70000];
	pcap_t *p = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 262144, precision);
	pcap_dumper_t *d = pcap_dump_open(p, path_of(name));
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	uint64_t state = 17;
	for (unsigned i = 0; i < 3000; i++) {
		uint32_t wire = (uint32_t)(test_random(&state) >> 30) % (i % 500 ? 1600 : 70000);
		for (uint32_t k = 0; k < wire; k++)
			frame[k] = (uint8_t)(k * 5 + i);
		struct pcap_pkthdr h = { .ts = { 1700000000 + i, i * 300 },
					 .caplen = wire < (uint32_t)snaplen ? wire
									    : (uint32_t)snaplen,
					 .len = wire };
		pcap_dump((u_char *)d, &h, frame);
	}
	pcap_dump_close(d);
	pcap_close(p);
	return test_file(path_of(name));
}

/* Writes file through gzip in several members; gives its new octets. */
static struct bytes zip(struct bytes file, const char *name)
{
	for (size_t i = 0; i < 3; i++) {
		size_t part = file.n / 3;
		gzFile z = gzopen(path_of(name), i ? "ab" : "wb");
		CU_ASSERT_PTR_NOT_NULL_FATAL(z);
		gzwrite(z, file.p + i * part, (unsigned)(i == 2 ? file.n - 2 * part : part));
		gzclose(z);
	}
	return test_file(path_of(name));
}

static void like_libpcap(void)
{
	for (unsigned i = 0; i < 4; i++) {
		struct bytes file = make(
			"a.pcap", i & 1 ? PCAP_TSTAMP_PRECISION_NANO : PCAP_TSTAMP_PRECISION_MICRO,
			i & 2 ? 96 : 70000);
		struct seen want = theirs(path_of("a.pcap")), got = ours(path_of("a.pcap"));
		CU_ASSERT(want.packets == 3000 && same(&got, &want));
		struct bytes packed = zip(file, "a.pcap.gz");
		got = ours(path_of("a.pcap.gz"));
		CU_ASSERT(same(&got, &want));
		static const size_t chunks[] = { 0, 1, 100, 65536 };
		for (unsigned k = 0; k < 4; k++) {
			got = from_memory(file, chunks[k], k ? 1 + k * 20 : 1);
			CU_ASSERT(same(&got, &want));
			got = from_memory(packed, chunks[k], CAPTURE_BURST);
			CU_ASSERT(same(&got, &want));
		}
		free((void *)(uintptr_t)file.p);
		free((void *)(uintptr_t)packed.p);
	}
}

/* pcapng as a plain writer makes it, which libpcap reads too */
static void pcapng_like_libpcap(void)
{
	FILE *f = fopen(path_of("b.pcapng"), "wb");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	static const uint32_t head[] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff,
					 28,         1,  20,         1, 0,          20 };
	fwrite(head, 1, sizeof head, f);
	for (uint32_t i = 0; i < 2000; i++) {
		uint32_t len = i % 1500, padded = (len + 3) / 4 * 4;
		uint64_t time = UINT64_C(1700000000000000) + i * 1000003;
		uint32_t block[] = { 6,   32 + padded, 0, (uint32_t)(time >> 32), (uint32_t)time,
				     len, len + i % 3 };
		uint8_t data[1504];
		memset(data, (int)i, sizeof data);
		fwrite(block, 1, sizeof block, f);
		fwrite(data, 1, padded, f);
		fwrite(&block[1], 1, 4, f);
	}
	fclose(f);
	struct seen want = theirs(path_of("b.pcapng")), got = ours(path_of("b.pcapng"));
	CU_ASSERT(want.packets == 2000 && want.state == CAPTURE_END && same(&got, &want));
	struct bytes file = test_file(path_of("b.pcapng"));
	got = from_memory(file, 3, 5);
	CU_ASSERT(same(&got, &want));
	free((void *)(uintptr_t)file.p);
}

static void standard_input(void)
{
	struct bytes file = make("c.pcap", PCAP_TSTAMP_PRECISION_MICRO, 70000);
	struct seen want = theirs(path_of("c.pcap"));
	int keep = dup(STDIN_FILENO);
	char command[300];
	snprintf(command, sizeof command, "cat %s", path_of("c.pcap"));
	FILE *pipe_end = popen(command, "r"); /* more than a pipe holds: short reads */
	CU_ASSERT_PTR_NOT_NULL_FATAL(pipe_end);
	CU_ASSERT_FATAL(dup2(fileno(pipe_end), STDIN_FILENO) == STDIN_FILENO);
	struct seen got = ours("-");
	CU_ASSERT(same(&got, &want));
	pclose(pipe_end);
	if (keep >= 0) {
		dup2(keep, STDIN_FILENO);
		close(keep);
	}
	free((void *)(uintptr_t)file.p);
}

/* a small file cut at every octet: whole packets are given, then END at a seam and BROKEN elsewhere */
static void cut_short(void)
{
	struct bytes file = make("d.pcap", PCAP_TSTAMP_PRECISION_MICRO, 60);
	size_t at = 24, packets = 0;
	for (size_t n = 24; n < 1000; n++) {
		uint32_t len;
		memcpy(&len, file.p + at + 8, 4);
		if (n == at + 16 + len)
			at = n, packets++;
		for (unsigned chunk = 0; chunk < 2; chunk++) {
			struct seen s = from_memory(bytes_head(file, n), chunk, CAPTURE_BURST);
			char place[64];
			snprintf(place, sizeof place, "packet %zu, octet %zu: ", packets + 1, at);
			CU_ASSERT_EQUAL(s.packets, packets);
			CU_ASSERT_EQUAL(s.state, n == at ? CAPTURE_END : CAPTURE_BROKEN);
			CU_ASSERT(n == at || (strstr(s.why, place) == s.why &&
					      strstr(s.why, "cut short: copy the file again")));
		}
	}
	struct bytes packed = zip(file, "d.gz");
	struct seen s = from_memory(bytes_head(packed, packed.n - 1), 0, CAPTURE_BURST);
	CU_ASSERT(s.packets == 3000 && s.state == CAPTURE_BROKEN);
	CU_ASSERT_PTR_NOT_NULL(strstr(s.why, "of the unpacked data: the gzip data is cut short"));
	free((void *)(uintptr_t)file.p);
	free((void *)(uintptr_t)packed.p);
}

static void not_a_capture(void)
{
	static const char *const foreign[] = { "",
					       "\xd4",
					       "From: a@b.example\r\n\r\n",
					       "\xd4\xc3\xb2\xa1\2",
					       "\x0a\x0d\x0d\x0a",
					       "\x1f\x8b",
					       "\x1f\x8b\x08garbage" };
	for (unsigned i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
		for (size_t chunk = 0; chunk < 2; chunk++) {
			struct capture *c;
			char why[256] = "";
			CU_ASSERT_EQUAL(capture_pcap_memory(&c, bytes_str(foreign[i]), chunk, why,
							    sizeof why),
					-EINVAL);
			CU_ASSERT(why[0] && !strchr(why, '\n'));
		}
	struct capture *c;
	char why[256] = "";
	CU_ASSERT_EQUAL(capture_pcap_open(&c, "/nonexistent", why, sizeof why), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "No such file"));
	CU_ASSERT(capture_pcap_open(&c, "/", why, sizeof why) < 0);
	CU_ASSERT(capture_pcap_magic(bytes_of("\x1f\x8b\x08", 3)));
	CU_ASSERT(capture_pcap_magic(bytes_of("\x4d\x3c\xb2\xa1", 4)));
	CU_ASSERT(!capture_pcap_magic(bytes_str("From")));
	CU_ASSERT(!capture_pcap_magic(bytes_of(NULL, 0)));
}

TEST_MAIN("capture_pcap", TEST(make_folder), TEST(like_libpcap), TEST(pcapng_like_libpcap),
	  TEST(standard_input), TEST(cut_short), TEST(not_a_capture))
