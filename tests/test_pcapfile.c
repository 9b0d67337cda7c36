/*
 * The packets of a capture file come out with their times, lengths and link, in both byte orders and in
 * whatever pieces the file comes; what is damaged is told where it stands, and what is before it is given.
 */
#include "dataplane/pcapfile.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- files ---- */

struct file {
	uint8_t octets[16384];
	size_t n;
	bool swap;
};

static void w32(struct file *f, uint32_t v)
{
	v = f->swap ? __builtin_bswap32(v) : v;
	memcpy(f->octets + f->n, &v, 4);
	f->n += 4;
}

static void w16(struct file *f, unsigned v)
{
	uint16_t h = f->swap ? __builtin_bswap16((uint16_t)v) : (uint16_t)v;
	memcpy(f->octets + f->n, &h, 2);
	f->n += 2;
}

static void fill(struct file *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		f->octets[f->n++] = (uint8_t)(i * 3 + n);
}

static void pcap_header(struct file *f, uint32_t magic, uint32_t link)
{
	w32(f, magic);
	w16(f, 2);
	w16(f, 4);
	w32(f, 0);
	w32(f, 0);
	w32(f, 65535);
	w32(f, link);
}

static void pcap_record(struct file *f, uint32_t seconds, uint32_t part, size_t n, uint32_t wire,
			bool kuznetzov)
{
	w32(f, seconds);
	w32(f, part);
	w32(f, (uint32_t)n);
	w32(f, wire);
	if (kuznetzov)
		fill(f, 8);
	fill(f, n);
}

/* One block around what `end` later closes. */
static size_t block(struct file *f, uint32_t type)
{
	size_t at = f->n;
	w32(f, type);
	w32(f, 0);
	return at;
}

static void end(struct file *f, size_t at)
{
	while (f->n % 4)
		f->octets[f->n++] = 0;
	uint32_t len = (uint32_t)(f->n - at) + 4;
	w32(f, len);
	memcpy(f->octets + at + 4, f->octets + f->n - 4, 4);
}

static void ng_section(struct file *f)
{
	size_t at = block(f, 0x0a0d0d0a);
	w32(f, 0x1a2b3c4d);
	w16(f, 1);
	w16(f, 0);
	w32(f, 0xffffffff);
	w32(f, 0xffffffff);
	w16(f, 3); /* shb_os */
	w16(f, 5);
	fill(f, 8);
	w32(f, 0);
	end(f, at);
}

static void ng_interface(struct file *f, unsigned link, uint32_t snaplen, int tsresol,
			 int64_t tsoffset)
{
	size_t at = block(f, 1);
	w16(f, link);
	w16(f, 0);
	w32(f, snaplen);
	w16(f, 2); /* if_name */
	w16(f, 3);
	fill(f, 4);
	if (tsresol >= 0) {
		w16(f, 9);
		w16(f, 1);
		f->octets[f->n] = (uint8_t)tsresol;
		f->n += 4;
	}
	if (tsoffset) {
		uint64_t v = f->swap ? __builtin_bswap64((uint64_t)tsoffset) : (uint64_t)tsoffset;
		w16(f, 14);
		w16(f, 8);
		memcpy(f->octets + f->n, &v, 8);
		f->n += 8;
	}
	w32(f, 0);
	end(f, at);
}

/* type 6, or 2 */
static void ng_packet(struct file *f, uint32_t type, uint32_t interface, uint64_t time, size_t n,
		      uint32_t wire)
{
	size_t at = block(f, type);
	if (type == 2) {
		w16(f, interface);
		w16(f, 77); /* drops */
	} else {
		w32(f, interface);
	}
	w32(f, (uint32_t)(time >> 32));
	w32(f, (uint32_t)time);
	w32(f, (uint32_t)n);
	w32(f, wire);
	fill(f, n);
	while (f->n % 4)
		f->octets[f->n++] = 0;
	w16(f, 1); /* a comment */
	w16(f, 5);
	fill(f, 8);
	w32(f, 0);
	end(f, at);
}

static void ng_simple(struct file *f, size_t n, uint32_t wire)
{
	size_t at = block(f, 3);
	w32(f, wire);
	fill(f, n);
	end(f, at);
}

static void ng_unknown(struct file *f, uint32_t type, size_t n)
{
	size_t at = block(f, type);
	fill(f, n);
	end(f, at);
}

/* ---- reading ---- */

struct seen {
	uint64_t time_ns;
	uint32_t len, wire_len, sum;
	uint8_t link;
};

struct result {
	struct seen seen[32];
	unsigned n;
	size_t rest; /* octets not taken at the end */
	const char *why;
	uint64_t skip;
};

/* The window grows by `step` octets each time more are asked for. */
static struct result read_file(const uint8_t *p, size_t n, size_t step)
{
	static struct pcapfile f;
	memset(&f, 0, sizeof f);
	struct result r = { 0 };
	size_t at = 0, there = 0;
	for (;;) {
		size_t taken;
		struct packet pkt;
		enum pcapfile_result what =
			pcapfile_next(&f, bytes_of(p + at, there - at), &taken, &pkt);
		at += taken;
		if (what == PCAPFILE_PACKET && r.n < 32) {
			struct seen *s = &r.seen[r.n++];
			*s = (struct seen){ pkt.time_ns, pkt.len, pkt.wire_len, 0, pkt.link };
			for (uint32_t i = 0; i < pkt.len; i++)
				s->sum = s->sum * 31 + pkt.data[i];
		}
		if (what == PCAPFILE_BAD || (what == PCAPFILE_MORE && there == n))
			break;
		if (what == PCAPFILE_MORE)
			there = n - there < step ? n : there + step;
	}
	r.rest = n - at;
	r.why = f.why;
	r.skip = f.skip;
	return r;
}

static bool same_result(const struct result *a, const struct result *b)
{
	bool same = a->n == b->n && a->rest == b->rest && a->why == b->why && a->skip == b->skip;
	for (unsigned i = 0; i < a->n && same; i++)
		same = a->seen[i].time_ns == b->seen[i].time_ns &&
		       a->seen[i].len == b->seen[i].len &&
		       a->seen[i].wire_len == b->seen[i].wire_len &&
		       a->seen[i].sum == b->seen[i].sum && a->seen[i].link == b->seen[i].link;
	return same;
}

static uint32_t sum_of(size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum = sum * 31 + (uint8_t)(i * 3 + n);
	return sum;
}

static bool is(const struct result *r, unsigned i, uint64_t time_ns, uint32_t len, uint32_t wire,
	       uint8_t link)
{
	const struct seen *s = &r->seen[i];
	return i < r->n && s->time_ns == time_ns && s->len == len && s->wire_len == wire &&
	       s->link == link && s->sum == sum_of(len);
}

/* ---- tests ---- */

static void make_pcap(struct file *f, uint32_t magic, bool swap)
{
	f->n = 0;
	f->swap = swap;
	bool kuznetzov = magic == 0xa1b2cd34;
	pcap_header(f, magic, 0xf4000001); /* with the length of an FCS in the upper half */
	pcap_record(f, 1700000000, 123456, 60, 60, kuznetzov);
	pcap_record(f, 1700000001, 999999, 0, 0, kuznetzov);
	pcap_record(f, 4000000000u, 1, 96, 1514, kuznetzov);
	pcap_record(f, 0, 0, 100, 64, kuznetzov); /* less on the wire than kept */
}

static void pcap(void)
{
	static const uint32_t magics[] = { 0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34 };
	for (unsigned i = 0; i < 6; i++) {
		static struct file f;
		make_pcap(&f, magics[i / 2], i & 1);
		uint64_t unit = i / 2 == 1 ? 1 : 1000;
		struct result r = read_file(f.octets, f.n, f.n);
		CU_ASSERT(pcapfile_magic(bytes_of(f.octets, 4)));
		CU_ASSERT(!pcapfile_magic(bytes_of(f.octets, 3)));
		CU_ASSERT(r.n == 4 && r.rest == 0 && !r.why);
		CU_ASSERT(is(&r, 0, UINT64_C(1700000000000000000) + 123456 * unit, 60, 60, 0));
		CU_ASSERT(is(&r, 1, UINT64_C(1700000001000000000) + 999999 * unit, 0, 0, 0));
		CU_ASSERT(is(&r, 2, UINT64_C(4000000000000000000) + unit, 96, 1514, 0));
		CU_ASSERT(is(&r, 3, 0, 100, 100, 0));
	}
}

static void links(void)
{
	static const uint32_t link[][2] = {
		{ 0, PACKET_LINK_NULL },   { 1, PACKET_LINK_ETHERNET }, { 9, PACKET_LINK_PPP },
		{ 12, PACKET_LINK_RAW },   { 14, PACKET_LINK_RAW },     { 50, PACKET_LINK_PPP },
		{ 51, PACKET_LINK_PPP },   { 101, PACKET_LINK_RAW },    { 108, PACKET_LINK_LOOP },
		{ 113, PACKET_LINK_SLL },  { 228, PACKET_LINK_RAW },    { 229, PACKET_LINK_RAW },
		{ 276, PACKET_LINK_SLL2 }, { 105, PACKET_LINK_OTHER },  { 104, PACKET_LINK_PPP },
	};
	for (unsigned i = 0; i < sizeof link / sizeof link[0]; i++) {
		static struct file f;
		f.n = 0;
		pcap_header(&f, 0xa1b2c3d4, link[i][0]);
		pcap_record(&f, 1, 0, 40, 40, false);
		struct result r = read_file(f.octets, f.n, f.n);
		CU_ASSERT(is(&r, 0, 1000000000, 40, 40, (uint8_t)link[i][1]));
	}
}

static void make_pcapng(struct file *f, bool swap)
{
	f->n = 0;
	f->swap = swap;
	ng_section(f);
	ng_unknown(f, 0x7001, 300);
	ng_interface(f, 1, 0, -1, 0);
	ng_interface(f, 101, 50, 9, 0);
	ng_packet(f, 6, 0, UINT64_C(1700000000123456), 61, 61);
	ng_packet(f, 6, 1, UINT64_C(1700000000123456789), 50, 1500);
	ng_simple(f, 70, 70);
	ng_unknown(f, 0x7002, 40);
	ng_packet(f, 2, 1, 5, 7, 7);
	/* another section: other order, its own interfaces */
	f->swap = !swap;
	ng_section(f);
	ng_interface(f, 113, 40, 0x80 | 10, 0);
	ng_interface(f, 276, 0, 0, -3600);
	ng_interface(f, 0, 0, 12, 1000);
	ng_simple(f, 40, 9000);
	ng_packet(f, 6, 0, (UINT64_C(1700000000) << 10) + 512, 20, 20);
	ng_packet(f, 6, 1, 1700003600, 21, 21);
	ng_packet(f, 6, 2, UINT64_C(1234567890123456), 22, 22);
	ng_unknown(f, 0x7003, 64);
}

static void pcapng(void)
{
	for (unsigned swap = 0; swap < 2; swap++) {
		static struct file f;
		make_pcapng(&f, swap);
		struct result r = read_file(f.octets, f.n, f.n);
		CU_ASSERT(pcapfile_magic(bytes_of(f.octets, 4)));
		CU_ASSERT(r.n == 8 && r.rest == 0 && !r.why && !r.skip);
		CU_ASSERT(is(&r, 0, UINT64_C(1700000000123456000), 61, 61, PACKET_LINK_ETHERNET));
		CU_ASSERT(is(&r, 1, UINT64_C(1700000000123456789), 50, 1500, PACKET_LINK_RAW));
		CU_ASSERT(is(&r, 2, UINT64_C(1700000000123456789), 70, 70, PACKET_LINK_ETHERNET));
		CU_ASSERT(is(&r, 3, 5, 7, 7, PACKET_LINK_RAW));
		CU_ASSERT(is(&r, 4, 5, 40, 9000, PACKET_LINK_SLL));
		CU_ASSERT(is(&r, 5, UINT64_C(1700000000500000000), 20, 20, PACKET_LINK_SLL));
		CU_ASSERT(is(&r, 6, UINT64_C(1700000000000000000), 21, 21, PACKET_LINK_SLL2));
		CU_ASSERT(is(&r, 7, UINT64_C(1234567890123) + UINT64_C(1000000000000), 22, 22,
			     PACKET_LINK_NULL));
	}
}

/* every resolution and offset there can be gives a time from 1970 to 2262 */
static void times(void)
{
	static const int64_t offsets[] = { 0, 1, -1, INT64_MAX, INT64_MIN };
	for (int i = 0; i < 256 * 5; i++) {
		static struct file f;
		f.n = 0;
		ng_section(&f);
		ng_interface(&f, 1, 0, i % 256, offsets[i / 256]);
		ng_packet(&f, 6, 0, UINT64_MAX, 1, 1);
		ng_packet(&f, 6, 0, 0, 1, 1);
		struct result r = read_file(f.octets, f.n, f.n);
		CU_ASSERT_FATAL(r.n == 2);
		CU_ASSERT(r.seen[0].time_ns <= INT64_MAX && r.seen[1].time_ns <= INT64_MAX);
		if (i < 9) /* over 2^64 ns */
			CU_ASSERT_EQUAL(r.seen[0].time_ns, INT64_MAX);
		if (i >= 29 && i < 128)
			CU_ASSERT_EQUAL(r.seen[0].time_ns, 0);
		if (i == 128 + 63)
			CU_ASSERT_EQUAL(r.seen[0].time_ns, 1999999999);
		static const uint64_t zero[] = { 0, 1000000000, 0, INT64_MAX, 0 };
		CU_ASSERT_EQUAL(r.seen[1].time_ns, zero[i / 256]);
	}
}

/* whole, in two parts, octet by octet; against a page without access */
static void cut_everywhere(void)
{
	static struct file f[3];
	make_pcap(&f[0], 0xa1b23c4d, true);
	make_pcapng(&f[1], false);
	make_pcapng(&f[2], true);
	for (unsigned i = 0; i < 3; i++) {
		uint8_t *p = test_guard(f[i].octets, f[i].n);
		struct result all = read_file(p, f[i].n, f[i].n);
		for (size_t step = 1; step < f[i].n; step += 1 + step / 50) {
			struct result r = read_file(p, f[i].n, step);
			CU_ASSERT(same_result(&r, &all));
		}
		test_guard_free(p, f[i].n);
		/* and ending early: the packets before, no more, nothing wrong with them */
		for (size_t n = 0; n < f[i].n; n++) {
			p = test_guard(f[i].octets, n);
			struct result r = read_file(p, n, n);
			CU_ASSERT(!r.why && r.n <= all.n);
			for (unsigned k = 0; k < r.n; k++)
				CU_ASSERT(r.seen[k].sum == all.seen[k].sum);
			test_guard_free(p, n);
		}
	}
}

static bool is_bad(const struct file *f, unsigned packets, const char *part)
{
	struct result r = read_file(f->octets, f->n, f->n);
	bool ok = r.why && strstr(r.why, part) && strchr(r.why, ':') && r.n == packets;
	if (!ok)
		printf("%s: %s, %u packets\n", part, r.why ? r.why : "(fine)", r.n);
	return ok;
}

static void damage(void)
{
	static struct file f;
	make_pcap(&f, 0xa1b2c3d4, false);
	pcap_record(&f, 1, 1, 10, 10, false);
	uint32_t len = PCAPFILE_RECORD_MAX + 1;
	memcpy(f.octets + f.n - 10 - 8, &len, 4);
	CU_ASSERT(is_bad(&f, 4, "262,144"));
	f.octets[4] = 3;
	CU_ASSERT(is_bad(&f, 0, "version"));
	memcpy(f.octets, "From", 4);
	CU_ASSERT(is_bad(&f, 0, "not a capture"));

	struct {
		size_t at; /* of what, from the start of the last block; 0x8000: from its end */
		uint32_t to;
		const char *why;
	} cases[] = {
		{ 4, 11, "impossible length" },    { 4, 35, "impossible length" },
		{ 4, 0xfffffffc, "64 MiB" },       { 4, PCAPFILE_HEADER_MAX + 4, "512 KiB" },
		{ 8, 1, "not described" },         { 8, 0xffffffff, "not described" },
		{ 20, 90, "over its block" },      { 20, 0xffffffff, "over its block" },
		{ 0x8000 - 4, 99, "two lengths" },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		f.n = 0;
		ng_section(&f);
		ng_interface(&f, 1, 0, -1, 0);
		ng_packet(&f, 6, 0, 1, 30, 30);
		size_t at = f.n;
		ng_packet(&f, 6, 0, 1, 30, 30);
		at = cases[i].at >= 0x4000 ? f.n - (0x8000 - cases[i].at) : at + cases[i].at;
		memcpy(f.octets + at, &cases[i].to, 4);
		CU_ASSERT(is_bad(&f, 1, cases[i].why));
	}
	f.n = 0;
	ng_section(&f);
	ng_simple(&f, 4, 4);
	CU_ASSERT(is_bad(&f, 0, "before its interface"));
	f.n = 0;
	ng_section(&f);
	ng_interface(&f, 1, 0, -1, 0);
	ng_simple(&f, 4, 9);
	CU_ASSERT(is_bad(&f, 0, "over its block"));
	for (uint32_t type = 1; type <= 6; type++) {
		if (type == 4 || type == 5)
			continue;
		f.n = 0;
		ng_section(&f);
		ng_interface(&f, 1, 0, -1, 0);
		end(&f, block(&f, type));
		CU_ASSERT(is_bad(&f, 0, "too short"));
	}
	f.n = 0;
	ng_section(&f);
	ng_interface(&f, 1, 0, -1, 0);
	f.octets[f.n - 4 - 12 + 2] = 200; /* if_name goes over */
	CU_ASSERT(is_bad(&f, 0, "option"));
	f.n = 0;
	ng_section(&f);
	f.octets[12] = 2;
	CU_ASSERT(is_bad(&f, 0, "version"));
	f.octets[8] = 0;
	CU_ASSERT(is_bad(&f, 0, "byte order"));
	make_pcapng(&f, false);
	f.octets[4] = 16; /* a section header that has no room for itself */
	CU_ASSERT(is_bad(&f, 0, "impossible length"));
}

static void limits(void)
{
	/* the largest record, and the largest block that is passed over */
	size_t n = 24 + 16 + PCAPFILE_RECORD_MAX;
	uint8_t *p = calloc(1, n);
	static struct file f;
	f.n = 0;
	pcap_header(&f, 0xa1b2c3d4, 1);
	pcap_record(&f, 1, 0, 0, 0, false);
	uint32_t len = PCAPFILE_RECORD_MAX;
	memcpy(f.octets + 24 + 8, &len, 4);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	memcpy(p, f.octets, f.n);
	struct result r = read_file(p, n, 70000);
	CU_ASSERT(r.n == 1 && r.seen[0].len == len && !r.why && !r.rest);
	free(p);

	static struct pcapfile file;
	f.n = 0;
	ng_section(&f);
	size_t at = block(&f, 0x0bad);
	len = PCAPFILE_BLOCK_MAX;
	memcpy(f.octets + at + 4, &len, 4);
	w32(&f, 0);
	size_t taken;
	struct packet pkt;
	CU_ASSERT_EQUAL(pcapfile_next(&file, bytes_of(f.octets, f.n), &taken, &pkt),
			PCAPFILE_SKIPPED);
	CU_ASSERT_EQUAL(pcapfile_next(&file, bytes_of(f.octets + taken, f.n - taken), &taken, &pkt),
			PCAPFILE_SKIPPED);
	CU_ASSERT_EQUAL(file.skip, PCAPFILE_BLOCK_MAX - 12);

	/* interfaces */
	memset(&file, 0, sizeof file);
	f.n = 0;
	ng_section(&f);
	size_t head = f.n;
	ng_interface(&f, 1, 0, -1, 0);
	CU_ASSERT(pcapfile_next(&file, bytes_of(f.octets, f.n), &taken, &pkt) == PCAPFILE_SKIPPED &&
		  taken == head);
	for (unsigned i = 0; i <= PCAPFILE_INTERFACES_MAX; i++)
		CU_ASSERT_EQUAL(
			pcapfile_next(&file, bytes_of(f.octets + head, f.n - head), &taken, &pkt),
			i < PCAPFILE_INTERFACES_MAX ? PCAPFILE_SKIPPED : PCAPFILE_BAD);
	CU_ASSERT_EQUAL(pcapfile_next(&file, bytes_of(f.octets, f.n), &taken, &pkt), PCAPFILE_BAD);
}

TEST_MAIN("pcapfile", TEST(pcap), TEST(links), TEST(pcapng), TEST(times), TEST(cut_everywhere),
	  TEST(damage), TEST(limits))
