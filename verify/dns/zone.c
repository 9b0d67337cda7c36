#include "verify/dns/zone.h"

#include "verify/dns/master.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * A node is a name that exists: it has records, or a name below it has (RFC 4592 2.2.2), or it only
 * has an ERROR line. Names are kept in wire form and lower case, so that the name one label up is a
 * suffix. Every answer is made at load time, those at the end of a CNAME chain too: asking only
 * looks up.
 */

enum zone_slot { ZONE_A, ZONE_PTR, ZONE_MX, ZONE_TXT, ZONE_AAAA, ZONE_OTHER, ZONE_SLOTS };

enum { ZONE_TYPE_CNAME = 5, ZONE_NEGATIVE_TTL = 60 };

struct zone_node {
	uint32_t name; /* offset in octets */
	uint8_t name_len;
	bool exists; /* false: only an ERROR line made it */
	uint32_t target; /* offset in octets of the CNAME's target; 0: none */
	uint8_t target_len;
	uint32_t target_ttl;
	const struct answer *answer[ZONE_SLOTS]; /* own data and errors; NULL: none */
	struct answer *chained; /* [ZONE_SLOTS], of a CNAME */
};

struct zone_record { /* while loading */
	uint32_t node, slot, ttl;
	uint32_t data, len; /* in octets */
	uint32_t seq;
	int line;
};

struct zone {
	uint8_t *octets; /* names and data; offset 0 is not used */
	uint32_t n_octets, cap_octets;
	struct zone_node *node;
	uint32_t n_node, cap_node;
	uint32_t *table; /* index of node + 1; 0: free */
	uint32_t table_size; /* power of two, at least twice n_node */
	struct answer *answer;
	struct answer_rr *rr;
};

struct zone_loader {
	struct zone *z;
	struct zone_record *record;
	uint32_t n_record, cap_record;
	struct master *m;
	const char *name;
	char *why;
	size_t why_len;
};

static const struct answer zone_nodata = { .status = ANSWER_NODATA, .ttl_s = ZONE_NEGATIVE_TTL };
static const struct answer zone_nxdomain = { .status = ANSWER_NXDOMAIN,
					     .ttl_s = ZONE_NEGATIVE_TTL };
static const struct answer zone_servfail = { .status = ANSWER_SERVFAIL };
static const struct answer zone_timeout = { .status = ANSWER_TIMEOUT };

static enum zone_slot slot_of(uint16_t type)
{
	switch (type) {
	case QUESTION_A:
		return ZONE_A;
	case QUESTION_PTR:
		return ZONE_PTR;
	case QUESTION_MX:
		return ZONE_MX;
	case QUESTION_TXT:
		return ZONE_TXT;
	case QUESTION_AAAA:
		return ZONE_AAAA;
	default:
		return ZONE_OTHER;
	}
}

static uint32_t name_hash(const uint8_t *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325; /* FNV-1a: the file is the operator's own */
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3;
	return (uint32_t)(h ^ h >> 32);
}

/* The node's index, or UINT32_MAX. */
static uint32_t node_find(const struct zone *z, const uint8_t *name, size_t n)
{
	for (uint32_t i = name_hash(name, n);; i++) {
		uint32_t at = z->table[i & (z->table_size - 1)];
		if (at == 0)
			return UINT32_MAX;
		const struct zone_node *node = &z->node[at - 1];
		if (node->name_len == n && memcmp(z->octets + node->name, name, n) == 0)
			return at - 1;
	}
}

/* The node that answers for a name: its own, or the wildcard at its closest encloser (RFC
 * 4592 3.3.1). */
static const struct zone_node *node_for(const struct zone *z, const uint8_t *name, size_t n)
{
	uint32_t at = node_find(z, name, n);
	if (at != UINT32_MAX && z->node[at].exists)
		return &z->node[at];
	uint8_t wild[MASTER_NAME_MAX + 2] = { 1, '*' };
	for (size_t up = 0; name[up];) {
		up += (size_t)name[up] + 1;
		uint32_t encloser = node_find(z, name + up, n - up);
		if (encloser == UINT32_MAX || !z->node[encloser].exists)
			continue;
		memcpy(wild + 2, name + up, n - up);
		uint32_t source = node_find(z, wild, n - up + 2);
		return source == UINT32_MAX ? NULL : &z->node[source];
	}
	return NULL;
}

/* What stands at the name itself, before any CNAME is followed; NULL: follow (*via)->target. */
static const struct answer *answer_at(const struct zone *z, const uint8_t *name, size_t n,
				      enum zone_slot slot, const struct zone_node **via)
{
	/* an ERROR line goes before everything, also where only it made the node */
	uint32_t at = node_find(z, name, n);
	if (at != UINT32_MAX && z->node[at].answer[slot])
		return z->node[at].answer[slot];
	const struct zone_node *node = node_for(z, name, n);
	if (!node)
		return &zone_nxdomain;
	if (node->answer[slot])
		return node->answer[slot];
	*via = node;
	if (node->target)
		return NULL;
	return node->exists ? &zone_nodata : &zone_nxdomain;
}

const struct answer *zone_answer(const struct zone *z, const struct question *q)
{
	uint8_t name[MASTER_NAME_MAX];
	size_t n = master_name(name, q->name, q->len);
	if (n == 0)
		return &zone_nxdomain;
	enum zone_slot slot = slot_of(q->type);
	const struct zone_node *via = NULL;
	const struct answer *a = answer_at(z, name, n, slot, &via);
	return a ? a : &via->chained[slot];
}

static int no_memory(struct zone_loader *l)
{
	snprintf(l->why, l->why_len, "%s: out of memory; give a smaller file", l->name);
	return -ENOMEM;
}

/* Room for `more` items of size behind n. */
static bool grow(void **p, uint32_t *cap, uint32_t n, uint32_t more, size_t size)
{
	if (n + (uint64_t)more <= *cap)
		return true;
	uint64_t want = *cap ? *cap : 64;
	while (want < n + (uint64_t)more)
		want *= 2;
	void *q = want > UINT32_MAX ? NULL : realloc(*p, want * size);
	if (!q)
		return false;
	*p = q;
	*cap = (uint32_t)want;
	return true;
}

/* Offset of a copy, 0 when out of memory. */
static uint32_t octets_add(struct zone *z, const uint8_t *p, size_t n)
{
	if (n > UINT32_MAX / 2 ||
	    !grow((void **)&z->octets, &z->cap_octets, z->n_octets, (uint32_t)n, 1))
		return 0;
	if (n)
		memcpy(z->octets + z->n_octets, p, n);
	z->n_octets += (uint32_t)n;
	return z->n_octets - (uint32_t)n;
}

static bool table_grow(struct zone *z)
{
	uint32_t size = z->table_size ? z->table_size * 2 : 256;
	uint32_t *table = calloc(size, sizeof *table);
	if (!table)
		return false;
	for (uint32_t k = 0; k < z->n_node; k++) {
		uint32_t i = name_hash(z->octets + z->node[k].name, z->node[k].name_len);
		while (table[i & (size - 1)])
			i++;
		table[i & (size - 1)] = k + 1;
	}
	free(z->table);
	z->table = table;
	z->table_size = size;
	return true;
}

/* Finds or makes the node. UINT32_MAX when out of memory. */
static uint32_t node_make(struct zone *z, const uint8_t *name, size_t n)
{
	uint32_t at = node_find(z, name, n);
	if (at != UINT32_MAX)
		return at;
	if (!grow((void **)&z->node, &z->cap_node, z->n_node, 1, sizeof *z->node))
		return UINT32_MAX;
	if (z->n_node >= z->table_size / 2 && !table_grow(z))
		return UINT32_MAX;
	uint32_t off = octets_add(z, name, n);
	if (!off)
		return UINT32_MAX;
	z->node[z->n_node] = (struct zone_node){ .name = off, .name_len = (uint8_t)n };
	uint32_t i = name_hash(name, n);
	while (z->table[i & (z->table_size - 1)])
		i++;
	z->table[i & (z->table_size - 1)] = ++z->n_node;
	return z->n_node - 1;
}

/* The name and all above it exist. UINT32_MAX when out of memory. */
static uint32_t node_exist(struct zone *z, const uint8_t *name, size_t n)
{
	uint32_t first = node_make(z, name, n);
	uint32_t at = first;
	for (size_t up = 0; at != UINT32_MAX && !z->node[at].exists;) {
		z->node[at].exists = true;
		if (name[up] == 0)
			break;
		up += (size_t)name[up] + 1;
		at = node_make(z, name + up, n - up);
	}
	return at == UINT32_MAX ? at : first;
}

static int add_cname(struct zone_loader *l, uint32_t at, const struct master_record *r)
{
	struct zone *z = l->z;
	uint8_t target[MASTER_NAME_MAX];
	if (r->data.n == 0 || r->data.n > sizeof target)
		return master_refuse(l->m, r->line, "CNAME without one name",
				     "give it exactly one target");
	for (size_t i = 0; i < r->data.n; i++)
		target[i] = bytes_lower(r->data.p[i]);
	const struct zone_node *node = &z->node[at];
	if (node->target &&
	    (node->target_len != r->data.n || memcmp(z->octets + node->target, target, r->data.n)))
		return master_refuse(l->m, r->line, "second CNAME at one name",
				     "keep one (RFC 2181 section 10.1)");
	uint32_t off = octets_add(z, target, r->data.n);
	if (!off)
		return no_memory(l);
	z->node[at].target = off;
	z->node[at].target_len = (uint8_t)r->data.n;
	z->node[at].target_ttl = r->ttl_s;
	return 0;
}

static int add_error(struct zone_loader *l, const struct master_record *r)
{
	static const struct answer *const answers[] = { [ANSWER_NODATA] = &zone_nodata,
							[ANSWER_NXDOMAIN] = &zone_nxdomain,
							[ANSWER_SERVFAIL] = &zone_servfail,
							[ANSWER_TIMEOUT] = &zone_timeout };
	enum zone_slot slot = slot_of(r->type);
	if (slot == ZONE_OTHER)
		return 0; /* a type that is never asked for */
	uint32_t at = node_make(l->z, r->name, r->name_len);
	if (at == UINT32_MAX)
		return no_memory(l);
	l->z->node[at].answer[slot] = answers[r->status];
	return 0;
}

static int add_record(struct zone_loader *l, const struct master_record *r)
{
	struct zone *z = l->z;
	if (r->fails)
		return add_error(l, r);
	uint32_t at = node_exist(z, r->name, r->name_len);
	if (at == UINT32_MAX)
		return no_memory(l);
	if (r->type == ZONE_TYPE_CNAME)
		return add_cname(l, at, r);
	if (!grow((void **)&l->record, &l->cap_record, l->n_record, 1, sizeof *l->record))
		return no_memory(l);
	enum zone_slot slot = slot_of(r->type);
	uint32_t data = slot == ZONE_OTHER ? 1 : octets_add(z, r->data.p, r->data.n);
	if (!data)
		return no_memory(l);
	l->record[l->n_record] = (struct zone_record){ .node = at,
						       .slot = slot,
						       .ttl = r->ttl_s,
						       .data = data,
						       .len = (uint32_t)r->data.n,
						       .seq = l->n_record,
						       .line = r->line };
	l->n_record++;
	return 0;
}

static int read_records(struct zone_loader *l)
{
	struct master_record r;
	int rc;
	while ((rc = master_next(l->m, &r)) > 0) {
		rc = add_record(l, &r);
		if (rc < 0)
			break;
	}
	return rc;
}

static int record_order(const void *a, const void *b)
{
	const struct zone_record *x = a, *y = b;
	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* One answer of the records [first, first + n), which have one name and one type. */
static void make_set(struct zone_loader *l, uint32_t first, uint32_t n, struct answer *a,
		     struct answer_rr *rr)
{
	const struct zone *z = l->z;
	uint64_t octets = 0;
	*a = (struct answer){ .status = ANSWER_DATA, .ttl_s = l->record[first].ttl, .rr = rr };
	for (uint32_t i = first; i < first + n; i++) {
		const struct zone_record *r = &l->record[i];
		struct bytes data = { z->octets + r->data, r->len };
		bool twice = false;
		for (uint32_t k = 0; k < a->n && !twice; k++)
			twice = bytes_equal(rr[k].data, data);
		if (twice)
			continue; /* RFC 2181 section 5 */
		a->ttl_s = r->ttl < a->ttl_s ? r->ttl : a->ttl_s;
		octets += data.n;
		if (octets > ANSWER_OCTETS_MAX || a->n == UINT16_MAX) {
			*a = zone_servfail;
			return;
		}
		rr[a->n++].data = data;
	}
}

static int make_sets(struct zone_loader *l)
{
	struct zone *z = l->z;
	if (l->n_record == 0)
		return 0;
	qsort(l->record, l->n_record, sizeof *l->record, record_order);
	z->answer = calloc(l->n_record, sizeof *z->answer);
	z->rr = calloc(l->n_record, sizeof *z->rr);
	if (!z->answer || !z->rr)
		return no_memory(l);
	uint32_t n = 0, end;
	for (uint32_t first = 0; first < l->n_record; first = end) {
		const struct zone_record *r = &l->record[first];
		for (end = first + 1; end < l->n_record && l->record[end].node == r->node &&
				      l->record[end].slot == r->slot;)
			end++;
		if (z->node[r->node].target)
			return master_refuse(l->m, r->line,
					     "a CNAME stands beside other records of one name",
					     "keep one of both (RFC 2181 section 10.1)");
		/* an ERROR line goes before data */
		if (r->slot == ZONE_OTHER || z->node[r->node].answer[r->slot])
			continue;
		make_set(l, first, end - first, &z->answer[n], z->rr + first);
		z->node[r->node].answer[r->slot] = &z->answer[n++];
	}
	return 0;
}

/* Follows the CNAME of node to its end. */
static struct answer follow(const struct zone *z, const struct zone_node *node, enum zone_slot slot)
{
	uint32_t ttl = UINT32_MAX;
	for (unsigned hops = 0; hops < ZONE_CHAIN_MAX; hops++) {
		ttl = node->target_ttl < ttl ? node->target_ttl : ttl;
		const struct answer *a =
			answer_at(z, z->octets + node->target, node->target_len, slot, &node);
		if (a) {
			struct answer result = *a;
			result.ttl_s = ttl < result.ttl_s ? ttl : result.ttl_s;
			return result;
		}
	}
	return zone_servfail;
}

static int make_chains(struct zone_loader *l)
{
	struct zone *z = l->z;
	for (uint32_t i = 0; i < z->n_node; i++) {
		struct zone_node *node = &z->node[i];
		if (!node->target)
			continue;
		node->chained = calloc(ZONE_SLOTS, sizeof *node->chained);
		if (!node->chained)
			return no_memory(l);
		for (unsigned slot = 0; slot < ZONE_SLOTS; slot++)
			node->chained[slot] = follow(z, node, slot);
	}
	return 0;
}

int zone_parse(struct zone **out, struct bytes text, const char *name, char *why, size_t why_len)
{
	struct zone_loader l = { .name = name, .why = why, .why_len = why_len };
	l.z = calloc(1, sizeof *l.z);
	int rc = l.z && table_grow(l.z) && octets_add(l.z, (const uint8_t *)"", 1) == 0 &&
				 l.z->n_octets == 1
			 ? 0
			 : no_memory(&l);
	if (rc == 0)
		rc = master_open(&l.m, text, name, why, why_len);
	if (rc == 0)
		rc = read_records(&l);
	if (rc == 0)
		rc = make_sets(&l);
	if (rc == 0)
		rc = make_chains(&l);
	master_close(l.m);
	free(l.record);
	if (rc < 0) {
		zone_free(l.z);
		return rc;
	}
	*out = l.z;
	return 0;
}

int zone_load(struct zone **out, const char *path, char *why, size_t why_len)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		int rc = -errno;
		snprintf(why, why_len, "%s: %s; give the path of a master file", path,
			 strerror(-rc));
		return rc;
	}
	uint8_t *text = NULL;
	uint32_t cap = 0, n = 0;
	int rc = 0;
	while (rc == 0) {
		if (n > ZONE_FILE_MAX || !grow((void **)&text, &cap, n, 65536, 1)) {
			snprintf(why, why_len, "%s: over %u octets; give a smaller file", path,
				 (unsigned)ZONE_FILE_MAX);
			rc = -EFBIG;
			break;
		}
		size_t got = fread(text + n, 1, cap - n, f);
		n += (uint32_t)got;
		if (got == 0)
			break;
	}
	if (rc == 0 && ferror(f)) {
		rc = -EIO;
		snprintf(why, why_len, "%s: cannot be read; give the path of a file", path);
	}
	fclose(f);
	if (rc == 0)
		rc = zone_parse(out, bytes_of(text, n), path, why, why_len);
	free(text);
	return rc;
}

void zone_free(struct zone *z)
{
	if (!z)
		return;
	for (uint32_t i = 0; i < z->n_node; i++)
		free(z->node[i].chained);
	free(z->node);
	free(z->table);
	free(z->octets);
	free(z->answer);
	free(z->rr);
	free(z);
}
