#include "dataplane/frag.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/eight.h"
#include "base/pool.h"

/*
 * All fragments but the last are multiples of 8 octets, so a datagram is 8,192 blocks of 8, one bit
 * each, kept in pages of 512 octets that come from one pool as they are needed. Tiny fragments cost
 * no more than large ones, a flood of first fragments costs a page or three each, and no list of
 * ranges is needed.
 */
enum {
	BLOCK = 8,
	PAGE = 512,
	PAGE_BLOCKS = PAGE / BLOCK,
	PAGES = 65536 / PAGE,
	NONE = UINT32_MAX,
};

struct page {
	uint64_t have; /* one bit a block */
	uint8_t data[PAGE];
};

struct datagram {
	uint8_t address[32]; /* src, dst; IPv4 in the first 4 of each, zero behind */
	uint32_t id;
	uint8_t ip_version, protocol;
	bool dropped; /* overlaps differed: what still comes is dropped too */
	uint16_t first_protocol; /* that of the fragment at 0, plus 1; 0: not seen */
	uint32_t end; /* behind the last octet seen */
	uint32_t total; /* 0: the last fragment was not seen */
	uint32_t blocks; /* that are there */
	uint32_t older, newer, same; /* by age; in the hash chain */
	uint64_t first_ns;
	uint32_t page[PAGES]; /* NONE: not there */
};

struct frag {
	struct stats *stats;
	struct pool *datagrams, *pages;
	uint32_t *chain; /* heads */
	uint32_t mask; /* chains - 1 */
	uint32_t max;
	uint32_t oldest, newest;
	uint64_t age_ns;
	uint64_t secret[2];
	uint8_t out[2][65536]; /* used in turn: the last result may be the next input */
	unsigned turn;
};

static struct datagram *datagram_at(const struct frag *f, uint32_t i)
{
	return pool_at(f->datagrams, i);
}

static struct page *page_at(const struct frag *f, uint32_t i)
{
	return pool_at(f->pages, i);
}

struct frag *frag_new(const struct config *cfg, struct stats *stats)
{
	struct frag *f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	f->stats = stats;
	f->max = cfg->fragment_max ? cfg->fragment_max : 1;
	f->age_ns = (uint64_t)cfg->fragment_ms * 1000000;
	f->mask = 1;
	while (f->mask < f->max)
		f->mask = f->mask * 2 + 1;
	f->datagrams = pool_new(sizeof(struct datagram), f->max);
	/* one datagram always fits */
	f->pages = pool_new(sizeof(struct page), f->max * (FRAG_BYTES_EACH / PAGE) + PAGES);
	f->chain = malloc(((size_t)f->mask + 1) * sizeof *f->chain);
	if (!f->datagrams || !f->pages || !f->chain ||
	    getrandom(f->secret, sizeof f->secret, 0) != sizeof f->secret) {
		frag_free(f);
		return NULL;
	}
	for (uint32_t i = 0; i <= f->mask; i++)
		f->chain[i] = NONE;
	f->oldest = f->newest = NONE;
	return f;
}

void frag_free(struct frag *f)
{
	if (!f)
		return;
	pool_free(f->datagrams);
	pool_free(f->pages);
	free(f->chain);
	free(f);
}

/* ---- which datagram ---- */

static void address_of(uint8_t address[32], const struct decode_fragment *in)
{
	size_t n = in->ip_version == 4 ? 4 : 16;
	memset(address, 0, 32);
	memcpy(address, in->src, n);
	memcpy(address + 16, in->dst, n);
}

static uint32_t *chain_of(struct frag *f, const uint8_t address[32], uint32_t id)
{
	uint64_t word[4];
	memcpy(word, address, sizeof word);
	uint64_t hash = eight_fold(word[0] ^ f->secret[0], word[1] ^ f->secret[1]);
	hash = eight_fold(hash ^ word[2] ^ f->secret[1], word[3] ^ f->secret[0]);
	hash = eight_fold(hash ^ f->secret[0], id ^ f->secret[1]);
	return &f->chain[hash & f->mask];
}

/* RFC 791 section 3.2 adds the protocol to the key, RFC 8200 section 4.5 does not. */
static bool is_key(const struct datagram *d, const uint8_t address[32],
		   const struct decode_fragment *in)
{
	return d->id == in->id && d->ip_version == in->ip_version &&
	       (in->ip_version == 6 || d->protocol == in->protocol) &&
	       memcmp(d->address, address, 32) == 0;
}

static void drop_pages(struct frag *f, struct datagram *d)
{
	for (uint32_t i = 0; i * PAGE < d->end; i++)
		if (d->page[i] != NONE) {
			pool_give(f->pages, d->page[i]);
			d->page[i] = NONE;
		}
}

static void forget(struct frag *f, uint32_t i)
{
	struct datagram *d = datagram_at(f, i);
	uint32_t *at = chain_of(f, d->address, d->id);
	while (*at != i)
		at = &datagram_at(f, *at)->same;
	*at = d->same;
	*(d->older != NONE ? &datagram_at(f, d->older)->newer : &f->oldest) = d->newer;
	*(d->newer != NONE ? &datagram_at(f, d->newer)->older : &f->newest) = d->older;
	drop_pages(f, d);
	pool_give(f->datagrams, i);
}

static void evict(struct frag *f)
{
	if (!datagram_at(f, f->oldest)->dropped)
		stats_add(f->stats, STAT_FRAG_EVICTED, 1);
	forget(f, f->oldest);
}

static void expire(struct frag *f, uint64_t now_ns)
{
	while (f->oldest != NONE) {
		struct datagram *d = datagram_at(f, f->oldest);
		if (now_ns <= d->first_ns || now_ns - d->first_ns <= f->age_ns)
			return;
		if (!d->dropped)
			stats_add(f->stats, STAT_FRAG_TIMEOUT, 1);
		forget(f, f->oldest);
	}
}

/* The datagram the fragment belongs to, a new one when there is none. */
static uint32_t look_up(struct frag *f, const struct decode_fragment *in, uint64_t now_ns)
{
	uint8_t address[32];
	address_of(address, in);
	uint32_t *chain = chain_of(f, address, in->id);
	for (uint32_t i = *chain; i != NONE; i = datagram_at(f, i)->same)
		if (is_key(datagram_at(f, i), address, in))
			return i;
	if (!pool_left(f->datagrams))
		evict(f);
	uint32_t i = pool_take(f->datagrams);
	struct datagram *d = datagram_at(f, i);
	memset(d, 0, offsetof(struct datagram, page));
	memset(d->page, 0xff, sizeof d->page);
	memcpy(d->address, address, sizeof address);
	d->id = in->id;
	d->ip_version = in->ip_version;
	d->protocol = in->protocol;
	d->first_ns = now_ns;
	d->same = *chain;
	*chain = i;
	d->newer = NONE;
	d->older = f->newest;
	*(f->newest != NONE ? &datagram_at(f, f->newest)->newer : &f->oldest) = i;
	f->newest = i;
	return i;
}

/* ---- its octets ---- */

/*
 * Pages for the octets off[0..n) of datagram i, at the cost of the oldest datagrams. False: i
 * itself was the oldest and is gone.
 */
static bool take_pages(struct frag *f, uint32_t i, size_t off, size_t n)
{
	struct datagram *d = datagram_at(f, i);
	for (size_t k = off / PAGE; k * PAGE < off + n; k++) {
		if (d->page[k] != NONE)
			continue;
		while (!pool_left(f->pages)) {
			bool self = f->oldest == i;
			evict(f);
			if (self)
				return false;
		}
		d->page[k] = pool_take(f->pages);
		page_at(f, d->page[k])->have = 0;
	}
	return true;
}

/* False when an octet that is there already differs. */
static bool write_octets(struct frag *f, struct datagram *d, size_t off, struct bytes data)
{
	for (size_t done = 0; done < data.n; done += BLOCK) {
		size_t at = (off + done) % PAGE;
		struct page *page = page_at(f, d->page[(off + done) / PAGE]);
		size_t n = data.n - done < BLOCK ? data.n - done : BLOCK;
		uint64_t bit = UINT64_C(1) << at / BLOCK;
		if (page->have & bit) {
			if (memcmp(page->data + at, data.p + done, n))
				return false;
			continue;
		}
		memcpy(page->data + at, data.p + done, n);
		page->have |= bit;
		d->blocks++;
	}
	return true;
}

/* Whether the fragment can belong to what is known of the datagram. */
static bool fits(const struct datagram *d, const struct decode_fragment *in)
{
	uint32_t end = in->offset + (uint32_t)in->data.n;
	if (!in->offset && d->first_protocol && d->first_protocol != in->protocol + 1)
		return false;
	if (!in->more)
		return end >= d->end && (!d->total || d->total == end);
	return !d->total || end <= d->total;
}

static void give(struct frag *f, uint32_t i, struct bytes *out, uint8_t *protocol)
{
	struct datagram *d = datagram_at(f, i);
	uint8_t *to = f->out[f->turn ^= 1];
	for (uint32_t at = 0; at < d->total; at += PAGE)
		memcpy(to + at, page_at(f, d->page[at / PAGE])->data,
		       d->total - at < PAGE ? d->total - at : PAGE);
	*out = bytes_of(to, d->total);
	*protocol = (uint8_t)(d->first_protocol - 1);
	forget(f, i);
}

static bool dropped(struct frag *f)
{
	stats_add(f->stats, STAT_FRAME_FRAG_DROPPED, 1);
	return false;
}

bool frag_push(struct frag *f, const struct decode_fragment *in, uint64_t now_ns, struct bytes *out,
	       uint8_t *protocol)
{
	expire(f, now_ns);
	uint32_t end = in->offset + (uint32_t)in->data.n;
	if (in->cut || in->csum_wrong || in->data.n == 0 || in->data.n > UINT16_MAX ||
	    end > UINT16_MAX || (in->more && in->data.n % BLOCK))
		return dropped(f);
	uint32_t i = look_up(f, in, now_ns);
	struct datagram *d = datagram_at(f, i);
	if (d->dropped)
		return dropped(f);
	bool fit = fits(d, in);
	if (fit && d->end < end)
		d->end = end; /* first: pages are given back up to here */
	if (fit && !take_pages(f, i, in->offset, in->data.n))
		return dropped(f);
	if (!fit || !write_octets(f, d, in->offset, in->data)) {
		stats_add(f->stats, STAT_FRAG_OVERLAP, 1);
		drop_pages(f, d);
		d->dropped = true;
		return dropped(f);
	}
	if (in->offset == 0)
		d->first_protocol = in->protocol + 1;
	if (!in->more)
		d->total = end;
	if (!d->total || d->blocks < (d->total + BLOCK - 1) / BLOCK) {
		stats_add(f->stats, STAT_FRAME_FRAGMENT, 1);
		return false;
	}
	stats_add(f->stats, STAT_FRAG_DONE, 1);
	give(f, i, out, protocol);
	return true;
}

void frag_end(struct frag *f)
{
	while (f->oldest != NONE) {
		if (!datagram_at(f, f->oldest)->dropped)
			stats_add(f->stats, STAT_FRAG_TIMEOUT, 1);
		forget(f, f->oldest);
	}
}
