#include "bench/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static void *map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) {
		perror("trace");
		exit(1);
	}
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

void trace_init(struct trace *t, size_t size, size_t max)
{
	*t = (struct trace){ .size = size, .max = max };
	t->mem = map(size);
	t->off8 = map(max * sizeof *t->off8);
	t->len = map(max * sizeof *t->len);
	t->time_ns = map(max * sizeof *t->time_ns);
}

void trace_fini(struct trace *t)
{
	munmap(t->mem, t->size);
	munmap(t->off8, t->max * sizeof *t->off8);
	munmap(t->len, t->max * sizeof *t->len);
	munmap(t->time_ns, t->max * sizeof *t->time_ns);
}

bool trace_frame(struct trace *t, const void *frame, size_t n, uint64_t time_ns)
{
	if (t->n == t->max || t->used + n + 8 > t->size || n > UINT16_MAX)
		return false;
	memcpy(t->mem + t->used, frame, n);
	t->off8[t->n] = (uint32_t)(t->used / 8);
	t->len[t->n] = (uint16_t)n;
	t->time_ns[t->n] = time_ns;
	t->n++;
	t->used = (t->used + n + 7) & ~(size_t)7;
	return true;
}

static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t n)
{
	size_t i = 0;
	for (; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (i < n)
		sum += (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t sum_end(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint8_t *put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v >> 16), v & 0xffff);
}

void trace_segment(struct trace *t, struct trace_end *from, const struct trace_end *to,
		   uint8_t flags, const void *payload, size_t n)
{
	uint8_t f[2048] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0 };
	uint8_t *ip = f + 14, *tcp = ip + 20, *p = ip;
	if (n > 1460) {
		fprintf(stderr, "trace: segment of %zu octets\n", n);
		exit(1);
	}
	p = put16(p, 0x4500);
	p = put16(p, (uint32_t)(40 + n));
	p = put32(p, 0x4000);
	p = put16(p, 64 << 8 | 6);
	p = put16(p, 0);
	p = put32(p, from->ip);
	p = put32(p, to->ip);
	put16(ip + 10, sum_end(sum16(0, ip, 20)));
	p = put16(p, from->port);
	p = put16(p, to->port);
	p = put32(p, from->seq);
	p = put32(p, flags & TCP_ACK ? to->seq : 0);
	p = put16(p, 5 << 12 | flags);
	p = put16(p, 502);
	p = put32(p, 0);
	if (n)
		memcpy(p, payload, n);
	uint32_t sum = sum16((uint32_t)(6 + 20 + n), ip + 12, 8);
	put16(tcp + 16, sum_end(sum16(sum, tcp, 20 + n)));
	size_t len = 54 + n < 60 ? 60 : 54 + n;
	if (!trace_frame(t, f, len, 1795248000000000000u + t->n * TRACE_STEP_NS)) {
		fprintf(stderr, "trace: full at %zu frames, %zu octets\n", t->n, t->used);
		exit(1);
	}
	from->seq += (uint32_t)n + (flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
}

bool trace_write(const struct trace *t, const char *path)
{
	static const uint32_t head[] = { 0xa1b23c4d, 4 << 16 | 2, 0, 0, 1 << 18, 1 };
	FILE *f = fopen(path, "wb");
	if (!f)
		return false;
	fwrite(head, sizeof head, 1, f);
	for (size_t i = 0; i < t->n; i++) {
		uint32_t frame[] = { (uint32_t)(t->time_ns[i] / 1000000000),
				     (uint32_t)(t->time_ns[i] % 1000000000), t->len[i], t->len[i] };
		fwrite(frame, sizeof frame, 1, f);
		fwrite(t->mem + (size_t)t->off8[i] * 8, t->len[i], 1, f);
	}
	bool good = !ferror(f);
	return fclose(f) == 0 && good;
}

struct trace_reader {
	struct capture capture;
	const struct trace *t;
	size_t i;
	bool stays;
	uint64_t later_ns;
};

static enum capture_state reader_next(struct capture *c, struct packet *pkt, unsigned max,
				      unsigned *n)
{
	struct trace_reader *r = (struct trace_reader *)c;
	const struct trace *t = r->t;
	unsigned k = 0;
	for (; k < max && r->i < t->n; k++, r->i++) {
		pkt[k].data = t->mem + (size_t)t->off8[r->i] * 8;
		pkt[k].len = pkt[k].wire_len = t->len[r->i];
		pkt[k].time_ns = t->time_ns[r->i] + r->later_ns;
		pkt[k].link = PACKET_LINK_ETHERNET;
		pkt[k].csum_hw = 0;
	}
	*n = k;
	return r->i < t->n || r->stays ? CAPTURE_MORE : CAPTURE_END;
}

static void reader_release(struct capture *c, struct packet *pkt, unsigned n)
{
}

static void reader_free(struct capture *c)
{
	free(c);
}

struct capture *trace_capture(const struct trace *t, bool stays)
{
	static const struct capture_ops ops = { reader_next, reader_release, NULL, reader_free };
	struct trace_reader *r = calloc(1, sizeof *r);
	if (!r) {
		perror("trace");
		exit(1);
	}
	r->capture.ops = &ops;
	r->t = t;
	r->stays = stays;
	return &r->capture;
}

void trace_rewind(struct capture *c)
{
	((struct trace_reader *)c)->i = 0;
}

void trace_again(struct capture *c, uint64_t gap_ns)
{
	struct trace_reader *r = (struct trace_reader *)c;
	const struct trace *t = r->t;
	r->i = 0;
	r->later_ns += t->time_ns[t->n - 1] - t->time_ns[0] + gap_ns;
}

double trace_cpu(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

double trace_median(double *v, unsigned n)
{
	qsort(v, n, sizeof *v, compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}
