/*
 * steer: frames of the mail ports go to the socket, and so does every fragment of TCP that might be one; no other
 * frame does. Skipped where BPF may not be loaded.
 */
#include "tests/test.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "steer.skel.h"

enum { FRAME_MAX = 256, TCP = 6, UDP = 17, HOP = 0, FRAGMENT = 44, DESTINATION = 60, AUTH = 51 };

struct frame {
	uint8_t p[FRAME_MAX];
	uint32_t n;
};

static struct steer_bpf *bpf;

static void put(struct frame *f, const void *p, uint32_t n)
{
	memcpy(f->p + f->n, p, n);
	f->n += n;
}

static void put16(struct frame *f, uint16_t v)
{
	uint8_t b[2] = { v >> 8, v & 255 };
	put(f, b, 2);
}

static void ethernet(struct frame *f, unsigned tags, uint16_t type)
{
	static const uint16_t tag[] = { 0x88a8, 0x8100, 0x8100 };
	memset(f, 0, sizeof *f);
	f->n = 12;
	for (unsigned i = 0; i < tags; i++) {
		put16(f, tags == 1 ? 0x8100 : tag[i]);
		put16(f, (uint16_t)(100 + i));
	}
	put16(f, type);
}

static void ports(struct frame *f, uint16_t src, uint16_t dst)
{
	uint8_t rest[16] = { 0 };
	put16(f, src);
	put16(f, dst);
	put(f, rest, sizeof rest);
}

/* frag: the field of flags and offset. */
static void ipv4(struct frame *f, unsigned options, uint8_t protocol, uint16_t frag)
{
	uint8_t ip[60] = { (uint8_t)(0x45 + options) };
	ip[6] = frag >> 8;
	ip[7] = frag & 255;
	ip[8] = 64;
	ip[9] = protocol;
	put(f, ip, 20 + options * 4);
}

static void ipv6(struct frame *f, uint8_t next)
{
	uint8_t ip[40] = { 0x60 };
	ip[6] = next;
	put(f, ip, sizeof ip);
}

/* len: octets in all. */
static void extension(struct frame *f, uint8_t next, uint8_t len_field, unsigned len)
{
	uint8_t x[64] = { next, len_field };
	put(f, x, len);
}

static void fragment6(struct frame *f, uint8_t next, uint16_t offset)
{
	uint8_t x[8] = { next, 0, offset >> 8, offset & 255 };
	put(f, x, sizeof x);
}

static bool taken(const struct frame *f)
{
	uint8_t out[FRAME_MAX + 64];
	struct bpf_test_run_opts run = { .sz = sizeof run,
					 .data_in = f->p,
					 .data_size_in = f->n,
					 .data_out = out,
					 .data_size_out = sizeof out,
					 .repeat = 1 };
	CU_ASSERT_EQUAL(bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.postern_steer), &run), 0);
	/* never dropped: what is not for the socket is the kernel's */
	CU_ASSERT_TRUE(run.retval == XDP_REDIRECT || run.retval == XDP_PASS);
	return run.retval == XDP_REDIRECT;
}

static void by_port(void)
{
	static const struct {
		uint16_t src, dst;
		bool taken;
	} cases[] = { { 40000, 25, true },  { 25, 40000, true }, { 110, 40000, true },
		      { 40000, 80, false }, { 26, 24, false },   { 0x1900, 0x6e00, false } };
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (unsigned tags = 0; tags <= 2; tags++)
			for (unsigned options = 0; options <= 10; options += 5) {
				struct frame f;
				ethernet(&f, tags, 0x0800);
				ipv4(&f, options, TCP, 0x4000);
				ports(&f, cases[i].src, cases[i].dst);
				CU_ASSERT_EQUAL(taken(&f), cases[i].taken);
				ethernet(&f, tags, 0x86dd);
				ipv6(&f, TCP);
				ports(&f, cases[i].src, cases[i].dst);
				CU_ASSERT_EQUAL(taken(&f), cases[i].taken);
			}
}

static void other_frames(void)
{
	struct frame f;
	ethernet(&f, 0, 0x0800);
	ipv4(&f, 0, UDP, 0);
	ports(&f, 25, 25);
	CU_ASSERT_FALSE(taken(&f));
	ethernet(&f, 0, 0x86dd);
	ipv6(&f, UDP);
	ports(&f, 25, 25);
	CU_ASSERT_FALSE(taken(&f));
	ethernet(&f, 0, 0x0806);
	ports(&f, 25, 25);
	CU_ASSERT_FALSE(taken(&f));
	ethernet(&f, 3, 0x0800); /* a tag more than is looked at */
	ipv4(&f, 0, TCP, 0);
	ports(&f, 25, 25);
	CU_ASSERT_FALSE(taken(&f));
	ethernet(&f, 0, 0x0800); /* the version does not fit the type */
	ipv6(&f, TCP);
	ports(&f, 25, 25);
	CU_ASSERT_FALSE(taken(&f));
}

static void h11_ipv4_fragments(void)
{
	struct frame f;
	ethernet(&f, 1, 0x0800);
	ipv4(&f, 0, TCP, 0x2000 | 185); /* in the middle */
	ports(&f, 1, 1);
	CU_ASSERT_TRUE(taken(&f));
	ethernet(&f, 0, 0x0800);
	ipv4(&f, 0, TCP, 185); /* the last */
	CU_ASSERT_TRUE(taken(&f));
	for (unsigned bit = 0; bit < 13; bit++) { /* every bit of the offset counts */
		ethernet(&f, 0, 0x0800);
		ipv4(&f, 0, TCP, (uint16_t)(1 << bit));
		ports(&f, 1, 1);
		CU_ASSERT_TRUE(taken(&f));
	}
	ethernet(&f, 0, 0x0800);
	ipv4(&f, 0, TCP, 0x2000); /* the first, with its ports */
	ports(&f, 4000, 80);
	CU_ASSERT_FALSE(taken(&f));
	ethernet(&f, 0, 0x0800);
	ipv4(&f, 0, TCP, 0x2000); /* the first, without them */
	put16(&f, 80);
	CU_ASSERT_TRUE(taken(&f));
	ethernet(&f, 0, 0x0800);
	ipv4(&f, 0, UDP, 185);
	CU_ASSERT_FALSE(taken(&f));
}

static void ipv6_extensions(void)
{
	struct frame f;
	ethernet(&f, 0, 0x86dd);
	ipv6(&f, HOP);
	extension(&f, DESTINATION, 0, 8);
	extension(&f, AUTH, 2, 24);
	extension(&f, TCP, 4, 24);
	ports(&f, 4000, 25);
	CU_ASSERT_TRUE(taken(&f));
	f.p[f.n - 17] = 80; /* the low octet of the port */
	CU_ASSERT_FALSE(taken(&f));
	ethernet(&f, 0, 0x86dd); /* more headers than are looked at: cannot be told */
	ipv6(&f, DESTINATION);
	for (int i = 0; i < 9; i++)
		extension(&f, i < 8 ? DESTINATION : UDP, 0, 8);
	CU_ASSERT_TRUE(taken(&f));
}

static void h11_ipv6_fragments(void)
{
	static const struct {
		uint8_t next;
		uint16_t offset;
		uint16_t port;
		bool taken;
	} cases[] = {
		{ TCP, 8, 80, true }, /* behind the first: no ports */
		{ TCP, 9, 80, true }, /* the same, more to come */
		{ TCP, 0x10, 80, true }, /* every bit of the offset counts */
		{ TCP, 0x8000, 80, true }, /* the highest */
		{ TCP, 6, 80, false }, /* reserved bits do not */
		{ UDP, 8, 25, false }, /* not TCP */
		{ DESTINATION, 8, 80, true }, /* what follows is not told */
		{ TCP, 1, 80, false }, /* the first, with its ports */
		{ TCP, 1, 25, true },         { TCP, 0, 25, true }, /* an atomic fragment */
		{ TCP, 0, 80, false },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct frame f;
		ethernet(&f, 2, 0x86dd);
		ipv6(&f, FRAGMENT);
		fragment6(&f, cases[i].next, cases[i].offset);
		ports(&f, 4000, cases[i].port);
		CU_ASSERT_EQUAL(taken(&f), cases[i].taken);
	}
}

/* A frame cut off anywhere is never a reason to drop it; the kernel or the socket gets it. */
static void h11_cut_anywhere(void)
{
	struct frame f;
	ethernet(&f, 2, 0x86dd);
	ipv6(&f, HOP);
	extension(&f, TCP, 0, 8);
	ports(&f, 4000, 25);
	uint32_t whole = f.n;
	for (f.n = 14; f.n <= whole; f.n++)
		CU_ASSERT_EQUAL(taken(&f), f.n >= whole - 16);
}

/* The list of ports changes while the program runs. */
static void ports_change(void)
{
	struct frame f;
	uint16_t port = 2525;
	uint8_t one = 1;
	int map = bpf_map__fd(bpf->maps.mail_ports);
	ethernet(&f, 0, 0x0800);
	ipv4(&f, 0, TCP, 0);
	ports(&f, 4000, port);
	CU_ASSERT_FALSE(taken(&f));
	CU_ASSERT_EQUAL(bpf_map_update_elem(map, &port, &one, BPF_ANY), 0);
	CU_ASSERT_TRUE(taken(&f));
	CU_ASSERT_EQUAL(bpf_map_delete_elem(map, &port), 0);
	CU_ASSERT_FALSE(taken(&f));
}

/* Without a socket everything stays with the kernel: mail flows on when the engine is gone. */
static void no_socket(void)
{
	struct frame f;
	uint32_t queue = 0;
	ethernet(&f, 0, 0x0800);
	ipv4(&f, 0, TCP, 0);
	ports(&f, 4000, 25);
	CU_ASSERT_TRUE(taken(&f));
	CU_ASSERT_EQUAL(bpf_map_delete_elem(bpf_map__fd(bpf->maps.xsks_map), &queue), 0);
	CU_ASSERT_FALSE(taken(&f));
}

static const struct test_case cases[] = {
	TEST(by_port),         TEST(other_frames),       TEST(h11_ipv4_fragments),
	TEST(ipv6_extensions), TEST(h11_ipv6_fragments), TEST(h11_cut_anywhere),
	TEST(ports_change),    TEST(no_socket),
};

int main(void)
{
	uint32_t queue = 0;
	int xsk = socket(AF_XDP, SOCK_RAW, 0);
	bpf = steer_bpf__open_and_load();
	if (xsk < 0 || !bpf) {
		int err = errno;
		printf("skipped: XDP programs cannot be loaded here: %s\n", strerror(err));
		const char *ci = getenv("CI");
		return ci && strcmp(ci, "true") == 0 ? 1 : 77;
	}
	static const uint16_t mail[] = { 25, 110 };
	uint8_t one = 1;
	for (unsigned i = 0; i < 2; i++)
		bpf_map_update_elem(bpf_map__fd(bpf->maps.mail_ports), &mail[i], &one, BPF_ANY);
	if (bpf_map_update_elem(bpf_map__fd(bpf->maps.xsks_map), &queue, &xsk, BPF_ANY)) {
		perror("xsks_map");
		return 1;
	}
	int failed = test_run("steer", cases, sizeof cases / sizeof cases[0]);
	steer_bpf__destroy(bpf);
	close(xsk);
	return failed;
}
