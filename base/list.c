#include "base/list.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/profile.h"

/*
 * Prefixes become disjoint ranges in order, those of IPv4 apart, so that one binary search finds
 * an address. Domains and mail addresses are in one hash table, open addressing at most half full:
 * the key is hashed from its end, so that one walk over a domain meets the hash of every parent.
 */
struct entry {
	uint32_t off;
	uint16_t len, key; /* as given; without the final dot of a domain */
};

struct range {
	uint8_t low[16], high[16];
};

struct list {
	char name[PROFILE_NAME_MAX];
	uint8_t *octets;
	struct entry *entry;
	uint32_t n;
	struct range *range; /* IPv4 (mapped) first */
	uint32_t n_v4, n_v6;
	uint32_t *slot; /* number of an entry + 1 */
	uint32_t mask;
};

enum { HASH_START = 0x811c9dc5, HASH_FACTOR = 0x01000193, LABEL_MAX = 63, DOMAIN_MAX = 253 };

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static uint32_t hash_add(uint32_t hash, uint8_t c)
{
	return (hash ^ bytes_lower(c)) * HASH_FACTOR;
}

static uint32_t hash_end(uint32_t hash)
{
	hash ^= hash >> 16;
	hash *= 0x7feb352d;
	return hash ^ hash >> 15;
}

static struct bytes key_of(const struct list *l, uint32_t i)
{
	return bytes_of(l->octets + l->entry[i].off, l->entry[i].key);
}

/* ---- what an entry is ---- */

static bool is_domain(struct bytes b)
{
	size_t label = 0;
	bool digits = true;
	if (!b.n || b.n > DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < b.n; i++) {
		uint8_t c = bytes_lower(b.p[i]);
		if (c == '.') {
			if (!label)
				return false;
			label = 0;
			digits = true;
			continue;
		}
		bool digit = c >= '0' && c <= '9';
		if (!digit && !(c >= 'a' && c <= 'z') && c != '-' && c != '_')
			return false;
		digits = digits && digit;
		if (++label > LABEL_MAX)
			return false;
	}
	/* the last label of digits only: an IP address gone wrong */
	return label && !digits;
}

static bool is_address(struct bytes b, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (b.p[i] < 0x20 || b.p[i] == 0x7f)
			return false;
	return at > 0 && is_domain(bytes_from(b, at + 1));
}

/* False: no IP address. *bits: 32 or 128, for an address in *ip that is mapped when it is IPv4. */
static bool read_ip(struct bytes b, uint8_t ip[16], unsigned *bits)
{
	char text[INET6_ADDRSTRLEN];
	if (b.n >= sizeof text || (b.n && memchr(b.p, 0, b.n)))
		return false;
	memcpy(text, b.p, b.n);
	text[b.n] = 0;
	*bits = 32;
	memcpy(ip, mapped, sizeof mapped);
	if (inet_pton(AF_INET, text, ip + 12) == 1)
		return true;
	*bits = 128;
	return inet_pton(AF_INET6, text, ip) == 1;
}

static bool read_prefix(struct bytes b, struct range *out)
{
	const uint8_t *slash = memchr(b.p, '/', b.n);
	size_t n = slash ? (size_t)(slash - b.p) : b.n;
	unsigned bits, len = 0;
	if (!read_ip(bytes_head(b, n), out->low, &bits))
		return false;
	if (slash) {
		struct bytes digits = bytes_from(b, n + 1);
		if (!digits.n || digits.n > 3)
			return false;
		for (size_t i = 0; i < digits.n; i++) {
			if (digits.p[i] < '0' || digits.p[i] > '9')
				return false;
			len = len * 10 + (digits.p[i] - '0');
		}
		if (len > bits)
			return false;
	} else {
		len = bits;
	}
	len += 128 - bits;
	memcpy(out->high, out->low, 16);
	for (unsigned i = 0; i < 16; i++) {
		unsigned kept = len > 8 * i ? len - 8 * i : 0;
		uint8_t host = kept >= 8 ? 0 : (uint8_t)(0xff >> kept);
		out->low[i] &= (uint8_t)~host;
		out->high[i] |= host;
	}
	return true;
}

/* ---- ranges ---- */

static int range_order(const void *a, const void *b)
{
	return memcmp(((const struct range *)a)->low, ((const struct range *)b)->low, 16);
}

static bool is_v4(const uint8_t ip[16])
{
	return !memcmp(ip, mapped, sizeof mapped);
}

/* Sorts r[n], joins what overlaps and returns how many are left. */
static uint32_t join(struct range *r, uint32_t n)
{
	uint32_t kept = 0;
	if (n)
		qsort(r, n, sizeof *r, range_order);
	for (uint32_t i = 0; i < n; i++) {
		if (!kept || memcmp(r[i].low, r[kept - 1].high, 16) > 0)
			r[kept++] = r[i];
		else if (memcmp(r[i].high, r[kept - 1].high, 16) > 0)
			memcpy(r[kept - 1].high, r[i].high, 16);
	}
	return kept;
}

/* The last range that begins at or before ip has it, or none has. */
static bool in_ranges(const struct range *r, uint32_t n, const uint8_t ip[16])
{
	uint32_t low = 0, high = n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (memcmp(r[middle].low, ip, 16) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && memcmp(ip, r[low - 1].high, 16) <= 0;
}

static int add_ranges(struct list *l, const struct range *found, uint32_t n)
{
	if (!n)
		return 0;
	struct range *r = malloc(n * sizeof *r);
	if (!r)
		return -1;
	uint32_t v4 = 0, at;
	for (uint32_t i = 0; i < n; i++)
		if (is_v4(found[i].low) && is_v4(found[i].high))
			r[v4++] = found[i];
	at = v4;
	for (uint32_t i = 0; i < n; i++)
		if (!is_v4(found[i].low) || !is_v4(found[i].high))
			r[at++] = found[i];
	l->n_v4 = join(r, v4);
	l->n_v6 = join(r + v4, n - v4);
	memmove(r + l->n_v4, r + v4, l->n_v6 * sizeof *r);
	l->range = r;
	return 0;
}

/* ---- names ---- */

static bool in_table(const struct list *l, struct bytes key, uint32_t hash)
{
	uint32_t at = hash_end(hash) & l->mask;
	for (; l->slot[at]; at = (at + 1) & l->mask)
		if (bytes_equal_nocase(key_of(l, l->slot[at] - 1), key))
			return true;
	return false;
}

static uint32_t hash_of(struct bytes key)
{
	uint32_t hash = HASH_START;
	for (size_t i = key.n; i-- > 0;)
		hash = hash_add(hash, key.p[i]);
	return hash;
}

static void add_name(struct list *l, uint32_t i)
{
	struct bytes key = key_of(l, i);
	uint32_t hash = hash_of(key);
	if (in_table(l, key, hash))
		return;
	uint32_t at = hash_end(hash) & l->mask;
	while (l->slot[at])
		at = (at + 1) & l->mask;
	l->slot[at] = i + 1;
}

/* ---- making one ---- */

enum kind { BAD, PREFIX, NAME };

static enum kind kind_of(struct list *l, uint32_t i, struct range *range)
{
	struct entry *e = &l->entry[i];
	struct bytes b = bytes_of(l->octets + e->off, e->len);
	const uint8_t *at = b.n && b.p ? memrchr(b.p, '@', b.n) : NULL;
	if (!at && b.n && read_prefix(b, range))
		return PREFIX;
	if (b.n && b.p[b.n - 1] == '.')
		b.n = --e->key;
	return (at ? is_address(b, (size_t)(at - b.p)) : is_domain(b)) ? NAME : BAD;
}

/* 0, or -1 with *bad the number of the wrong one or LIST_ENTRIES_MAX. */
static int sort_out(struct list *l, struct range *found, uint32_t *bad)
{
	uint32_t n = 0, names = 0, size = 2;
	uint8_t *is = calloc(l->n ? l->n : 1, 1);
	int ret = -1;
	if (!is)
		return -1;
	for (uint32_t i = 0; i < l->n; i++) {
		is[i] = (uint8_t)kind_of(l, i, &found[n]);
		n += is[i] == PREFIX;
		names += is[i] == NAME;
		if (is[i] == BAD) {
			*bad = i;
			free(is);
			return -1;
		}
	}
	while (names && size < 2 * names)
		size *= 2;
	l->slot = names ? calloc(size, sizeof *l->slot) : NULL;
	l->mask = size - 1;
	if (l->slot || !names) {
		for (uint32_t i = 0; i < l->n; i++)
			if (is[i] == NAME)
				add_name(l, i);
		ret = add_ranges(l, found, n);
	}
	free(is);
	return ret;
}

/* False: out of memory, or one is too long. */
static bool copy(struct list *l, const struct bytes *entry, uint32_t n, uint32_t *bad)
{
	size_t octets = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (entry[i].n > LIST_ENTRY_MAX) {
			*bad = i;
			return false;
		}
		octets += entry[i].n;
	}
	l->octets = malloc(octets + 1);
	l->entry = calloc(n ? n : 1, sizeof *l->entry);
	if (!l->octets || !l->entry)
		return false;
	octets = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint16_t len = (uint16_t)entry[i].n;
		l->entry[i] = (struct entry){ (uint32_t)octets, len, len };
		if (len)
			memcpy(l->octets + octets, entry[i].p, len);
		octets += len;
	}
	l->n = n;
	return true;
}

struct list *list_new(const char *name, const struct bytes *entry, uint32_t n, bool text,
		      uint32_t *bad)
{
	*bad = LIST_ENTRIES_MAX;
	if (n > LIST_ENTRIES_MAX)
		return NULL;
	struct list *l = calloc(1, sizeof *l);
	struct range *found = text ? NULL : malloc((n + 1) * sizeof *found);
	bool made = l && (text || found) && copy(l, entry, n, bad) &&
		    (text || sort_out(l, found, bad) == 0);
	free(found);
	if (!made) {
		list_free(l);
		return NULL;
	}
	strncpy(l->name, name, sizeof l->name - 1);
	return l;
}

void list_free(struct list *l)
{
	if (!l)
		return;
	free(l->octets);
	free(l->entry);
	free(l->range);
	free(l->slot);
	free(l);
}

const char *list_name(const struct list *l)
{
	return l->name;
}

uint32_t list_count(const struct list *l)
{
	return l->n;
}

struct bytes list_entry(const struct list *l, uint32_t i)
{
	return bytes_of(l->octets + l->entry[i].off, l->entry[i].len);
}

/* ---- looking up ---- */

bool list_has_ip(const struct list *l, const uint8_t ip[16])
{
	if (!l)
		return false;
	return is_v4(ip) ? in_ranges(l->range, l->n_v4, ip)
			 : in_ranges(l->range + l->n_v4, l->n_v6, ip);
}

bool list_has_domain(const struct list *l, struct bytes domain)
{
	/* what has '@' in it is no domain, though there may be such an address in the table */
	if (!l || !l->slot || (domain.n && memchr(domain.p, '@', domain.n)))
		return false;
	if (domain.n && domain.p[domain.n - 1] == '.')
		domain.n--;
	uint32_t hash = HASH_START;
	for (size_t i = domain.n; i-- > 0;) {
		hash = hash_add(hash, domain.p[i]);
		if ((!i || domain.p[i - 1] == '.') && in_table(l, bytes_from(domain, i), hash))
			return true;
	}
	return false;
}

/* An address of the table in two parts; they need not lie side by side. */
static bool in_table_parts(const struct list *l, struct bytes local, struct bytes domain)
{
	uint32_t hash = HASH_START;
	for (size_t i = domain.n; i-- > 0;)
		hash = hash_add(hash, domain.p[i]);
	hash = hash_add(hash, '@');
	for (size_t i = local.n; i-- > 0;)
		hash = hash_add(hash, local.p[i]);
	for (uint32_t at = hash_end(hash) & l->mask; l->slot[at]; at = (at + 1) & l->mask) {
		struct bytes key = key_of(l, l->slot[at] - 1);
		if (key.n == local.n + 1 + domain.n && key.p[local.n] == '@' &&
		    bytes_equal_nocase(bytes_head(key, local.n), local) &&
		    bytes_equal_nocase(bytes_from(key, local.n + 1), domain))
			return true;
	}
	return false;
}

bool list_has_address(const struct list *l, struct bytes local, struct bytes domain)
{
	if (!l || !l->slot)
		return false;
	if (domain.n && domain.p[domain.n - 1] == '.')
		domain.n--;
	if (list_has_domain(l, domain))
		return true;
	return domain.n + local.n < LIST_ENTRY_MAX && in_table_parts(l, local, domain);
}
