/* Attachments: base64 at each level against bench/ref, quoted-printable against its scalar code. */
#include "bench/kernels.h"

#include <stdio.h>

#include "bench/mail.h"
#include "bench/ref/ref.h"
#include "verify/kernel/base64.h"
#include "verify/kernel/quoted.h"

enum { TEXT_MAX = 200 * 1024 };

struct work {
	struct bytes in;
	uint8_t *out;
	struct base64_ops base64;
	bool mime;
	const struct quoted_ops *quoted;
};

static size_t base64(const struct work *w)
{
	struct base64 s = { .ops = &w->base64, .mime = w->mime };
	size_t n = base64_push(&s, w->in, w->out, TEXT_MAX), rest;
	kernels_must(base64_end(&s, w->out + n, TEXT_MAX - n, &rest), "base64");
	return n + rest;
}

static void by_kernel(void *arg)
{
	base64(arg);
}

static void by_ref(void *arg)
{
	const struct work *w = arg;
	ref_base64(w->in.p, w->in.n, w->out);
}

static void check(const struct work *w)
{
	static uint8_t want[TEXT_MAX];
	size_t n = ref_base64(w->in.p, w->in.n, want);
	kernels_must(base64(w) == n && memcmp(w->out, want, n) == 0, "octets of base64");
}

static void of_base64(struct work *w)
{
	double gb = (double)w->in.n / 1e9;
	for (int level = CPU_SCALAR; level <= (int)cpu_level(); level++) {
		struct kernels_racer race[] = { { .name = "kernel", .run = by_kernel, .arg = w },
						{ .name = "ref", .run = by_ref, .arg = w } };
		char what[80], extra[80];
		base64_ops_init(&w->base64, level);
		check(w);
		kernels_race(race, 2);
		double ratio = kernels_ratio(&race[1], &race[0]);
		snprintf(what, sizeof what, "base64 decode against bench/ref, %zu KB, %s",
			 w->in.n / 1024, w->mime ? "MIME" : "signature");
		snprintf(extra, sizeof extra, "%.2f GB/s, ref %.2f GB/s,", gb / race[0].seconds,
			 gb / race[1].seconds);
		if (level == (int)cpu_level())
			kernels_figure(what, ratio, 14, extra);
		else
			printf("# %s, %s: %s %.2f times\n", what, cpu_level_name(level), extra,
			       ratio);
	}
}

static void by_quoted(void *arg)
{
	const struct work *w = arg;
	struct quoted s = { .ops = w->quoted };
	struct bytes in = w->in;
	quoted_push(&s, &in, w->out, TEXT_MAX + MAIL_LINE + QUOTED_ROOM);
}

/* Prose with an escape in every fifth line, or so. */
static void of_quoted(struct work *w, uint8_t *memory, uint64_t *random)
{
	w->in = bytes_of(memory, mail_body(MAIL_PROSE, memory, 20 * 1024, random));
	for (size_t i = 0; i + 3 < w->in.n; i += 389)
		if (!memchr(memory + i, '\r', 3) && !memchr(memory + i, '\n', 3))
			memcpy(memory + i, "=E9", 3);
	struct work octets = *w;
	octets.quoted = NULL;
	for (int level = CPU_SCALAR; level <= CPU_AVX2 && level <= (int)cpu_level(); level++) {
		struct quoted_ops ops;
		struct kernels_racer race[] = {
			{ .name = "kernel", .run = by_quoted, .arg = w },
			{ .name = "octets", .run = by_quoted, .arg = &octets }
		};
		quoted_ops_init(&ops, level);
		w->quoted = &ops;
		kernels_race(race, 2);
		printf("# quoted-printable, 20 KB, %s: %.2f GB/s, %.1f times octet by octet\n",
		       cpu_level_name(level), (double)w->in.n / 1e9 / race[0].seconds,
		       kernels_ratio(&race[1], &race[0]));
	}
	w->quoted = NULL;
}

void kernels_base64(void)
{
	static const size_t sizes[] = { 20 * 1024, TEXT_MAX };
	uint64_t random = 88172645463325252u;
	uint8_t *memory = kernels_memory(TEXT_MAX + MAIL_LINE);
	struct work w = { .out = kernels_memory(TEXT_MAX + MAIL_LINE + QUOTED_ROOM) };
	for (unsigned i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
		w.in = bytes_of(memory, mail_body(MAIL_BASE64, memory, sizes[i / 2], &random));
		w.mime = i & 1;
		of_base64(&w);
	}
	of_quoted(&w, memory, &random);
}
