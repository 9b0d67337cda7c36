/*
 * capture_pcap - the file kind of capture: source gives octets, pcapfile finds the packets in them.
 *
 * Packets point into the source's window and are not copied. The window moves only when there is no
 * whole record left in it, and only at the start of next, when no packet is out.
 */
#include "dataplane/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/pcapfile.h"
#include "dataplane/source.h"

struct capture_pcap {
	struct capture base;
	struct source source;
	struct pcapfile file;
	uint64_t packets;
	enum capture_state state; /* what is said once the packets before it are given */
	char why[256];
};

static struct capture_pcap *self_of(struct capture *c)
{
	return (struct capture_pcap *)c;
}

static void broken(struct capture_pcap *c, const char *what)
{
	c->state = CAPTURE_BROKEN;
	snprintf(c->why, sizeof c->why, "packet %llu, octet %llu%s: %s",
		 (unsigned long long)c->packets + 1, (unsigned long long)c->source.off,
		 c->source.packed ? " of the unpacked data" : "", what);
}

/* The window holds no whole record: what follows? False when nothing does; then state says why. */
static bool more(struct capture_pcap *c)
{
	if (source_fill(&c->source))
		return true;
	if (c->source.why)
		broken(c, c->source.why);
	else if (c->source.in.n || c->file.skip)
		broken(c, "the file is cut short: copy the file again");
	else
		c->state = CAPTURE_END;
	return false;
}

static enum capture_state pcap_next(struct capture *base, struct packet *pkt, unsigned max,
				    unsigned *n)
{
	struct capture_pcap *c = self_of(base);
	*n = 0;
	while (*n < max && c->state == CAPTURE_MORE) {
		size_t taken;
		enum pcapfile_result r = pcapfile_next(&c->file, c->source.in, &taken, &pkt[*n]);
		if (r == PCAPFILE_BAD)
			broken(c, c->file.why);
		source_take(&c->source, taken);
		if (r == PCAPFILE_PACKET)
			c->packets++, ++*n;
		if (r == PCAPFILE_MORE && (*n || source_quiet(&c->source) || !more(c)))
			break;
	}
	return *n ? CAPTURE_MORE : c->state;
}

static void pcap_release(struct capture *base, struct packet *pkt, unsigned n)
{
	/* the window is the source's: nothing to give back one by one */
}

static void pcap_free(struct capture *base)
{
	if (!base)
		return;
	source_fini(&self_of(base)->source);
	free(base);
}

static const struct capture_ops pcap_ops = {
	.next = pcap_next,
	.release = pcap_release,
	.free = pcap_free,
};

/* The file header, so that a foreign file is refused before anything is scanned. */
static int begin(struct capture_pcap *c)
{
	while (!c->file.begun) {
		size_t taken;
		struct packet none;
		enum pcapfile_result r = pcapfile_next(&c->file, c->source.in, &taken, &none);
		source_take(&c->source, taken);
		if (r == PCAPFILE_BAD) {
			snprintf(c->why, sizeof c->why, "%s", c->file.why);
			return -EINVAL;
		}
		if (r != PCAPFILE_MORE || more(c))
			continue;
		if (c->state == CAPTURE_END)
			snprintf(c->why, sizeof c->why,
				 "the file is empty: a capture has a header even without packets");
		return -EINVAL;
	}
	return 0;
}

static struct capture_pcap *make(char *why, size_t why_len)
{
	struct capture_pcap *c = calloc(1, sizeof *c);
	if (c)
		c->base.ops = &pcap_ops;
	else
		snprintf(why, why_len, "out of memory");
	return c;
}

/* Behind the opening of the source, which gave r. Takes c. */
static int finish(struct capture_pcap *c, int r, struct capture **out, char *why, size_t why_len)
{
	if (r < 0)
		snprintf(c->why, sizeof c->why, "%s", strerror(-r));
	else
		r = begin(c);
	if (r < 0) {
		snprintf(why, why_len, "%s", c->why);
		pcap_free(&c->base);
		return r;
	}
	*out = &c->base;
	return 0;
}

int capture_pcap_open(struct capture **out, const char *path, char *why, size_t why_len)
{
	struct capture_pcap *c = make(why, why_len);
	return c ? finish(c, source_open(&c->source, path), out, why, why_len) : -ENOMEM;
}

int capture_pcap_memory(struct capture **out, struct bytes file, size_t chunk, char *why,
			size_t why_len)
{
	struct capture_pcap *c = make(why, why_len);
	return c ? finish(c, source_memory(&c->source, file, chunk), out, why, why_len) : -ENOMEM;
}

const char *capture_pcap_why(const struct capture *c)
{
	return ((const struct capture_pcap *)c)->why;
}

void capture_pcap_progress(const struct capture *c, uint64_t *done, uint64_t *all)
{
	const struct source *s = &((const struct capture_pcap *)c)->source;
	*done = s->done;
	*all = s->all;
}

bool capture_pcap_magic(struct bytes head)
{
	return pcapfile_magic(head) || (head.n >= 2 && head.p[0] == 0x1f && head.p[1] == 0x8b);
}
