#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_* work in our own memory, EVP_* do not */
#include "reassembly/assemble.h"

#include "base/pool.h"

#include <openssl/sha.h>
#include <stdlib.h>

/*
 * Chunks come in four classes. The first chunk of a message begins small and moves to the next
 * class while the header section has not ended, so that the header is contiguous; the largest class
 * takes a header of MESSAGE_HEADER_MAX. Body chunks grow with the message. All classes share one
 * bound in octets.
 */
enum {
	CHUNK_CLASSES = 4,
	BODY_CLASSES = 3,
	STRINGS_SIZE = 2048, /* a block takes any one recipient */
	SCRATCH_SIZE = 16384,
};

static const uint32_t chunk_size[CHUNK_CLASSES] = { 4096, 16384, 65536, MESSAGE_HEADER_MAX + 8192 };

struct assembler {
	const struct config *cfg;
	struct stats *stats;
	struct dot_ops ops;
	struct pool *drafts, *strings, *hashes, *chunks[CHUNK_CLASSES];
	struct textline_pool *lines;
	struct message *done, *done_last;
	uint64_t bytes, order;
	uint32_t out, message_max;
	uint8_t scratch[SCRATCH_SIZE];
};

struct assembler *assembler_new(const struct config *cfg, struct stats *stats)
{
	struct assembler *a = calloc(1, sizeof *a);
	if (!a)
		return NULL;
	a->cfg = cfg;
	a->stats = stats;
	a->message_max = cfg->message_max ? cfg->message_max : 1;
	dot_ops_init(&a->ops, cpu_level());
	a->drafts = pool_new(sizeof(struct draft), a->message_max);
	a->strings = pool_new(STRINGS_SIZE, a->message_max + a->message_max / 4 + 64);
	a->hashes = pool_new(sizeof(SHA256_CTX), a->message_max / 16 + 16);
	a->lines = textline_pool_new(cfg->flow_max);
	bool ok = a->drafts && a->strings && a->hashes && a->lines;
	for (int i = 0; i < CHUNK_CLASSES; i++) {
		uint64_t n = cfg->message_bytes / chunk_size[i] + 1;
		a->chunks[i] = pool_new(chunk_size[i], n < POOL_NONE ? (uint32_t)n : POOL_NONE - 1);
		ok = ok && a->chunks[i];
	}
	if (ok)
		return a;
	assembler_free(a);
	return NULL;
}

void assembler_free(struct assembler *a)
{
	if (!a)
		return;
	pool_free(a->drafts);
	pool_free(a->strings);
	pool_free(a->hashes);
	for (int i = 0; i < CHUNK_CLASSES; i++)
		pool_free(a->chunks[i]);
	textline_pool_free(a->lines);
	free(a);
}

void assembler_config(struct assembler *a, const struct config *cfg)
{
	a->cfg = cfg;
}

static struct message_chunk *chunk_take(struct assembler *a, int class)
{
	if (a->bytes + chunk_size[class] > a->cfg->message_bytes)
		return NULL;
	uint32_t i = pool_take(a->chunks[class]);
	if (i == POOL_NONE)
		return NULL;
	struct message_chunk *c = pool_at(a->chunks[class], i);
	*c = (struct message_chunk){ .cap = chunk_size[class] - (uint32_t)sizeof *c };
	a->bytes += chunk_size[class];
	return c;
}

static int chunk_class(const struct message_chunk *c)
{
	int class = 0;
	while (chunk_size[class] - sizeof *c != c->cap)
		class ++;
	return class;
}

static void chunk_give(struct assembler *a, struct message_chunk *c)
{
	int class = chunk_class(c);
	a->bytes -= chunk_size[class];
	pool_give(a->chunks[class], pool_index(a->chunks[class], c));
}

struct draft *assembler_begin(struct assembler *a)
{
	uint32_t i = pool_take(a->drafts);
	if (i == POOL_NONE)
		return NULL;
	struct draft *t = pool_at(a->drafts, i);
	memset(t, 0, sizeof *t);
	t->m.home = a;
	return t;
}

/* Envelope strings */

static void *strings_take(struct assembler *a, struct draft *t, size_t n)
{
	struct assembler_strings *s = t->strings;
	size_t at = s ? (s->used + 7) & ~(size_t)7 : 0;
	if (!s || at + n > STRINGS_SIZE - sizeof *s) {
		uint32_t i = pool_take(a->strings);
		if (i == POOL_NONE)
			return NULL;
		s = pool_at(a->strings, i);
		*s = (struct assembler_strings){ .next = t->strings };
		t->strings = s;
		at = 0;
	}
	s->used = (uint32_t)(at + n);
	return s->data + at;
}

static void strings_back(struct assembler *a, struct draft *t, struct assembler_mark mark)
{
	while (t->strings != mark.block) {
		struct assembler_strings *s = t->strings;
		t->strings = s->next;
		pool_give(a->strings, pool_index(a->strings, s));
	}
	if (t->strings)
		t->strings->used = mark.used;
}

/* No recipient is pending: what was refused leaves no memory behind, unless something kept lies
 * above it. */
static void strings_settle(struct assembler *a, struct draft *t)
{
	if (!t->grown)
		strings_back(a, t, t->kept);
	t->kept = (struct assembler_mark){ t->strings, t->strings ? t->strings->used : 0 };
	t->grown = false;
}

struct bytes assembler_string(struct assembler *a, struct draft *t, struct bytes b)
{
	static const uint8_t nothing;
	if (b.n > MESSAGE_NAME_MAX)
		t->m.flags |= MESSAGE_LONG_COMMAND;
	b = bytes_head(b, MESSAGE_NAME_MAX);
	if (!b.n)
		return bytes_of(&nothing, 0);
	uint8_t *p = strings_take(a, t, b.n);
	if (!p) {
		t->m.flags |= MESSAGE_NO_MEMORY;
		return bytes_of(NULL, 0);
	}
	memcpy(p, b.p, b.n);
	t->grown = true;
	if (!t->pending)
		strings_settle(a, t);
	return bytes_of(p, b.n);
}

bool assembler_rcpt(struct assembler *a, struct draft *t, struct bytes address)
{
	if (t->n_pending >= MESSAGE_RCPT_MAX || t->m.n_rcpt >= MESSAGE_RCPT_MAX)
		return false;
	if (address.n > MESSAGE_NAME_MAX)
		t->m.flags |= MESSAGE_LONG_COMMAND;
	address = bytes_head(address, MESSAGE_NAME_MAX);
	struct message_rcpt *r = strings_take(a, t, sizeof *r + address.n);
	if (!r)
		return false;
	uint8_t *p = (uint8_t *)(r + 1);
	if (address.n)
		memcpy(p, address.p, address.n);
	*r = (struct message_rcpt){ .address = { p, address.n } };
	if (t->pending)
		t->pending_last->next = r;
	else
		t->pending = r;
	t->pending_last = r;
	t->n_pending++;
	return true;
}

void assembler_rcpt_overflow(struct draft *t, bool accepted)
{
	if (!accepted)
		return;
	t->m.rcpt_seen++;
	t->m.flags |= MESSAGE_RCPT_OVERFLOW;
}

void assembler_rcpt_answer(struct assembler *a, struct draft *t, bool accepted)
{
	struct message_rcpt *r = t->pending;
	if (!r)
		return;
	t->pending = r->next;
	t->n_pending--;
	r->next = NULL;
	if (accepted && t->m.n_rcpt < MESSAGE_RCPT_MAX) {
		if (t->rcpt_last)
			t->rcpt_last->next = r;
		else
			t->m.rcpt = r;
		t->rcpt_last = r;
		t->m.n_rcpt++;
		t->m.rcpt_seen++;
		t->grown = true;
	} else {
		assembler_rcpt_overflow(t, accepted);
	}
	if (!t->pending)
		strings_settle(a, t);
}

/* Content */

static void hash_chunk(struct draft *t, const struct message_chunk *c)
{
	SHA256_Update(t->m.running, c->data, c->len);
	t->m.hashed_to += c->len;
}

/* Over limits.message_size: the oldest body chunks go into the running hash until the rest fits. */
static void shed(struct assembler *a, struct draft *t)
{
	struct message *m = &t->m;
	m->flags |= MESSAGE_TOO_LARGE;
	if (t->held <= a->cfg->message_size || m->chunks->next == t->tail)
		return;
	if (!m->running) {
		uint32_t i = pool_take(a->hashes);
		if (i == POOL_NONE) {
			t->no_room = true;
			return;
		}
		m->running = pool_at(a->hashes, i);
		SHA256_Init(m->running);
		hash_chunk(t, m->chunks);
	}
	while (t->held > a->cfg->message_size && m->chunks->next != t->tail) {
		struct message_chunk *c = m->chunks->next;
		hash_chunk(t, c);
		t->held -= c->len;
		m->chunks->next = c->next;
		chunk_give(a, c);
	}
}

/* Looks for the end of the header section in what came to the first chunk. */
static void scan_header(struct draft *t)
{
	struct message_chunk *c = t->m.chunks;
	uint32_t n = c->len < MESSAGE_HEADER_MAX ? c->len : MESSAGE_HEADER_MAX;
	uint32_t from = t->scanned > 3 ? t->scanned - 3 : 0;
	const uint8_t *p;
	if (n >= 2 && c->data[0] == '\r' && c->data[1] == '\n') {
		t->m.header_len = 2; /* no field at all */
		t->header_done = true;
	} else if ((p = memmem(c->data + from, n - from, "\r\n\r\n", 4))) {
		t->m.header_len = (uint32_t)(p - c->data) + 4;
		t->header_done = true;
	} else if (n == MESSAGE_HEADER_MAX) {
		t->m.header_len = n;
		t->m.flags |= MESSAGE_HEADER_TOO_LARGE;
		t->header_done = true;
	}
	t->scanned = n;
}

static void no_room(struct draft *t)
{
	t->no_room = true;
	t->broken = true;
	t->m.flags |= MESSAGE_NO_MEMORY;
}

/* A header that does not fit moves to the next class. */
static bool grow_first(struct assembler *a, struct draft *t)
{
	struct message_chunk *old = t->tail, *c = NULL;
	for (int class = chunk_class(old) + 1; class < CHUNK_CLASSES && !c; class ++)
		c = chunk_take(a, class);
	if (!c)
		return false;
	memcpy(c->data, old->data, old->len);
	c->len = old->len;
	chunk_give(a, old);
	t->tail = t->m.chunks = c;
	return true;
}

static bool add_chunk(struct assembler *a, struct draft *t)
{
	int class = 0;
	while (class < BODY_CLASSES - 1 && t->m.size >= chunk_size[class] &&
	       chunk_size[class + 1] <= a->cfg->message_size / 4)
		class ++;
	struct message_chunk *c = NULL;
	for (; class >= 0 && !c; class --)
		c = chunk_take(a, class);
	if (!c)
		return false;
	if (t->tail)
		t->tail->next = c;
	else
		t->m.chunks = c;
	t->tail = c;
	return true;
}

/* Where content goes next: at least two octets, of the message or of nothing. */
static uint8_t *room(struct assembler *a, struct draft *t, size_t *cap)
{
	if (!t->no_room && (!t->tail || t->tail->cap - t->tail->len < 2)) {
		bool first = t->tail && t->tail == t->m.chunks && !t->header_done;
		if (!(first ? grow_first(a, t) : add_chunk(a, t)))
			no_room(t);
	}
	*cap = t->no_room ? sizeof a->scratch : t->tail->cap - t->tail->len;
	return t->no_room ? a->scratch : t->tail->data + t->tail->len;
}

static void commit(struct assembler *a, struct draft *t, size_t n)
{
	t->m.size += n;
	if (t->no_room) {
		t->m.missing += n;
		return;
	}
	t->tail->len += (uint32_t)n;
	if (t->tail != t->m.chunks)
		t->held += n;
	else if (!t->header_done)
		scan_header(t);
	if (!t->broken)
		t->m.intact = t->m.size;
	if (t->m.size > a->cfg->message_size) {
		shed(a, t);
		if (t->no_room)
			no_room(t);
	}
}

size_t assembler_data(struct assembler *a, struct draft *t, const uint8_t *p, size_t n)
{
	size_t i = 0, k, cap;
	while (i < n && t->dot.state != DOT_END) {
		uint8_t *dst = room(a, t, &cap);
		size_t o = dot_copy(&a->ops, &t->dot, dst, cap, p + i, n - i, &k);
		i += k;
		commit(a, t, o);
	}
	return i;
}

size_t assembler_skip(struct assembler *a, struct dot *dot, const uint8_t *p, size_t n)
{
	size_t i = 0, k;
	while (i < n && dot->state != DOT_END) {
		dot_copy(&a->ops, dot, a->scratch, sizeof a->scratch, p + i, n - i, &k);
		i += k;
	}
	return i;
}

void assembler_hole(struct draft *t, uint64_t n)
{
	t->m.flags |= MESSAGE_HOLE;
	t->m.missing += n;
	t->broken = true;
	/* what comes behind it is taken to be inside a line */
	if (t->dot.state != DOT_END)
		t->dot.state = DOT_MID;
	t->dot.line = 0;
}

static void chunks_give(struct assembler *a, struct message *m)
{
	while (m->chunks) {
		struct message_chunk *c = m->chunks;
		m->chunks = c->next;
		chunk_give(a, c);
	}
	if (m->running)
		pool_give(a->hashes, pool_index(a->hashes, m->running));
	m->running = NULL;
}

void assembler_drop_content(struct assembler *a, struct draft *t)
{
	chunks_give(a, &t->m);
	t->m.size = t->m.intact = t->m.missing = t->m.hashed_to = t->held = 0;
	t->m.header_len = t->scanned = 0;
	t->m.flags &= ~(uint32_t)(MESSAGE_HOLE | MESSAGE_NO_START | MESSAGE_TOO_LARGE |
				  MESSAGE_HEADER_TOO_LARGE | MESSAGE_NO_MEMORY);
	t->dot = (struct dot){ 0 };
	t->tail = NULL;
	t->header_done = t->broken = t->no_room = t->begun = false;
}

static void count(struct assembler *a, const struct message *m)
{
	stats_add(a->stats, m->protocol == MESSAGE_POP3 ? STAT_MESSAGE_POP3_N : STAT_MESSAGE_SMTP_N,
		  1);
	stats_add(a->stats, STAT_MESSAGE_OCTETS, m->size);
	if (!m->complete)
		stats_add(a->stats, STAT_MESSAGE_INCOMPLETE, 1);
	if (m->flags & MESSAGE_TOO_LARGE)
		stats_add(a->stats, STAT_MESSAGE_TOO_LARGE_N, 1);
	if (m->flags & MESSAGE_NO_MEMORY)
		stats_add(a->stats, STAT_MESSAGE_NO_MEMORY_N, 1);
}

void assembler_finish(struct assembler *a, struct draft *t, bool complete)
{
	struct message *m = &t->m;
	if (t->dot.state != DOT_END) { /* BDAT, or an early end */
		uint8_t last;
		size_t cap;
		if (dot_finish(&t->dot, &last)) {
			*room(a, t, &cap) = last;
			commit(a, t, 1);
		}
	}
	m->flags |= t->dot.flags;
	if (m->flags & MESSAGE_NO_START)
		m->header_len = 0;
	else if (!t->header_done && m->chunks)
		m->header_len = m->chunks->len;
	if (m->flags & (MESSAGE_NO_START | MESSAGE_NO_END | MESSAGE_HOLE) || t->no_room)
		complete = false;
	m->complete = complete;
	m->order = a->order++;
	count(a, m);
	m->next = NULL;
	if (a->done)
		a->done_last->next = m;
	else
		a->done = m;
	a->done_last = m;
}

void assembler_drop(struct assembler *a, struct draft *t)
{
	chunks_give(a, &t->m);
	strings_back(a, t, (struct assembler_mark){ 0 });
	pool_give(a->drafts, pool_index(a->drafts, t));
}

struct message *assembler_next(struct assembler *a)
{
	struct message *m = a->done;
	if (!m)
		return NULL;
	a->done = m->next;
	m->next = NULL;
	a->out++;
	return m;
}

void assembler_release(struct assembler *a, struct message *m)
{
	a->out--;
	assembler_drop(a, (struct draft *)m);
}

uint32_t assembler_out(const struct assembler *a)
{
	return a->out;
}

struct textline_pool *assembler_lines(const struct assembler *a)
{
	return a->lines;
}

const struct config *assembler_cfg(const struct assembler *a)
{
	return a->cfg;
}

struct stats *assembler_stats(const struct assembler *a)
{
	return a->stats;
}

uint64_t assembler_bytes(const struct assembler *a)
{
	return a->bytes;
}

uint32_t assembler_objects(const struct assembler *a)
{
	return a->message_max - pool_left(a->drafts);
}
