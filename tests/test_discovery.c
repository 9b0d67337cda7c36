/* Organizations and records are those of RFC 9989 section 4.10, read once more word by word, in trees made at random. */
#include "tests/lookup.h"
#include "tests/test.h"
#include "verify/auth/discovery.h"

#include <stdio.h>
#include <stdlib.h>

enum { NODES_MAX = 12, NAME_ROOM = 64 };

enum what { NOTHING, RECORD, PSD_Y, PSD_N, TWO, OTHER, LATE };

struct tree {
	struct {
		char name[NAME_ROOM];
		enum what what;
	} node[NODES_MAX];
	unsigned n;
};

static enum what at(const struct tree *t, const char *name)
{
	for (unsigned i = 0; i < t->n; i++)
		if (strcmp(t->node[i].name, name) == 0)
			return t->node[i].what;
	return NOTHING;
}

static bool is_record(enum what what)
{
	return what == RECORD || what == PSD_Y || what == PSD_N;
}

static unsigned labels_of(const char *name)
{
	unsigned n = 1;
	for (; *name; name++)
		n += *name == '.';
	return n;
}

/* The name with its left-most labels removed until n are left. */
static const char *cut_to(const char *name, unsigned n)
{
	while (labels_of(name) > n)
		name = strchr(name, '.') + 1;
	return name;
}

struct want {
	bool failed;
	const char *organization; /* a tail of the name */
	const char *policy; /* where the record that holds is; NULL: none does */
};

/* The steps of the section, one after the other. */
static struct want walk(const struct tree *t, const char *start)
{
	struct want want = { .organization = start };
	const char *found[DISCOVERY_STEPS], *target = start;
	unsigned n = 0, queries = 0, x = labels_of(start);
	while (target) {
		enum what what = at(t, target);
		queries++;
		if (what == LATE) {
			want.failed = true;
			return want;
		}
		if (is_record(what))
			found[n++] = target;
		if (what == PSD_Y || what == PSD_N)
			break;
		/* step 4: x < 8: one label less; else until 7 remain; step 7: one less each time */
		unsigned left = labels_of(target);
		target = queries == 1 && x >= 8 ? cut_to(start, 7)
			 : left > 1             ? cut_to(start, left - 1)
						: NULL;
	}
	const char *psd = NULL;
	for (unsigned i = 0; i < n; i++) {
		enum what what = at(t, found[i]);
		if (what == PSD_N) {
			want.organization = found[i];
			break;
		}
		if (what == PSD_Y && found[i] != start) {
			psd = found[i];
			want.organization = cut_to(start, labels_of(psd) + 1);
			break;
		}
		want.organization = found[i]; /* the fewest labels come last */
	}
	/* 4.10.1: the author's domain, its organization, its public suffix */
	for (unsigned i = 0; i < n; i++)
		if (found[i] == want.organization)
			want.policy = found[i];
	if (!want.policy)
		want.policy = psd;
	if (is_record(at(t, start)))
		want.policy = start;
	return want;
}

static void make_name(uint64_t *seed, unsigned labels, char *out)
{
	for (unsigned i = 0; i + 1 < labels; i++)
		out += sprintf(out, "%c.", "aab"[test_random(seed) % 3]);
	strcpy(out, "t");
}

static void make_tree(uint64_t *seed, struct tree *t, char *zone)
{
	static const char *const texts[] = {
		[RECORD] = "TXT \"v=DMARC1; p=reject\"",
		[PSD_Y] = "TXT \"v=DMARC1; p=reject; psd=y\"",
		[PSD_N] = "TXT \"v=DMARC1; p=reject; psd=n\"",
		[OTHER] = "TXT \"nothing\"",
	};
	t->n = 0;
	zone += sprintf(zone, "t. 60 A 192.0.2.1\n");
	for (unsigned i = 0; i < NODES_MAX; i++) {
		char name[NAME_ROOM];
		make_name(seed, 1 + (unsigned)(test_random(seed) % 11), name);
		enum what what = 1 + test_random(seed) % 6;
		/* most are plain, few break the walk */
		if (test_random(seed) % 2)
			what = RECORD;
		if (what == LATE && test_random(seed) % 4)
			what = OTHER;
		if (at(t, name) != NOTHING)
			continue;
		strcpy(t->node[t->n].name, name);
		t->node[t->n++].what = what;
		if (what == LATE)
			zone += sprintf(zone, ";ERROR,_dmarc.%s.,TXT,TIMEOUT\n", name);
		else if (what == TWO)
			zone += sprintf(zone, "_dmarc.%s. 60 %s\n_dmarc.%s. 60 %s\n", name,
					texts[RECORD], name, texts[PSD_N]);
		else
			zone += sprintf(zone, "_dmarc.%s. 60 %s\n", name, texts[what]);
	}
}

struct run {
	struct discovery d;
	struct bytes author, other;
	struct discovery_policy policy;
	struct discovery_organization organization;
	enum discovery_state state;
	bool within;
};

static bool find(void *ctx)
{
	struct run *r = ctx;
	discovery_find(&r->d, r->author, true, &r->policy, &r->organization);
	return r->policy.state != DISCOVERY_OPEN && r->organization.state != DISCOVERY_OPEN;
}

static bool within(void *ctx)
{
	struct run *r = ctx;
	if (!find(r))
		return false;
	r->state = discovery_within(&r->d, r->other, &r->organization, &r->within);
	return r->state != DISCOVERY_OPEN;
}

static bool same(struct bytes have, const char *want)
{
	return want ? bytes_equal(have, bytes_str(want)) : have.n == 0;
}

static void check(struct lookup *l, const struct tree *t, const char *author)
{
	struct want want = walk(t, author);
	struct run r = { .d = { .known = &l->known, .arena = &l->arena },
			 .author = bytes_str(author) };
	lookup_again(l);
	CU_ASSERT(lookup_run(l, &l->known, find, &r));
	CU_ASSERT(l->questions <= DISCOVERY_STEPS);
	bool own = is_record(at(t, author)), late = at(t, author) == LATE;
	CU_ASSERT_EQUAL(r.organization.state == DISCOVERY_KNOWN, !want.failed);
	CU_ASSERT_EQUAL(r.policy.state == DISCOVERY_KNOWN, own || (!want.failed && !late));
	if (!want.failed) {
		CU_ASSERT(same(r.organization.domain, want.organization));
		CU_ASSERT_EQUAL(r.policy.record != NULL, want.policy != NULL);
		if (want.policy)
			CU_ASSERT(same(r.policy.at, want.policy));
	}
	if (own)
		CU_ASSERT(r.policy.record && same(r.policy.at, author));
	if (want.failed || !want.policy)
		return;
	/* an organization is its own */
	struct want again = walk(t, want.organization);
	CU_ASSERT(again.failed || strcmp(again.organization, want.organization) == 0);
	/* names below the organization, some of them too deep for a plain walk */
	static const char *const more[] = { "a", "b", "a.a", "b.a", "a.b.a", "a.a.a.b.a.b" };
	for (unsigned i = 0; i < sizeof more / sizeof more[0]; i++) {
		char name[2 * NAME_ROOM];
		snprintf(name, sizeof name, "%s.%s", more[i], want.organization);
		struct want other = walk(t, name);
		r.other = bytes_str(name);
		lookup_again(l);
		CU_ASSERT(lookup_run(l, &l->known, within, &r));
		/* nothing below a public suffix belongs to it, whatever is there */
		bool sure = !other.failed || (r.organization.suffix && r.state == DISCOVERY_KNOWN);
		CU_ASSERT_EQUAL(r.state == DISCOVERY_KNOWN, sure);
		CU_ASSERT(!other.failed || !sure || !r.within);
		if (!other.failed)
			CU_ASSERT_EQUAL(r.within,
					strcmp(other.organization, want.organization) == 0);
	}
}

static void f20_trees(void)
{
	enum { TREES = 150, AUTHORS = 25 };
	uint64_t seed = 9989;
	unsigned policies = 0;
	for (unsigned i = 0; i < TREES; i++) {
		struct tree t;
		char zone[4096];
		make_tree(&seed, &t, zone);
		struct lookup *l = lookup_new(zone);
		l->mode = i & 1 ? LOOKUP_ONE : LOOKUP_ALL;
		for (unsigned k = 0; k < AUTHORS; k++) {
			char author[NAME_ROOM];
			make_name(&seed, 1 + (unsigned)(test_random(&seed) % 11), author);
			policies += walk(&t, author).policy != NULL;
			check(l, &t, author);
		}
		lookup_free(l);
	}
	CU_ASSERT(policies > TREES * AUTHORS / 4);
}

static void names(void)
{
	struct bytes name = bytes_str("a.bc.d");
	CU_ASSERT_EQUAL(discovery_labels(name), 3);
	CU_ASSERT_EQUAL(discovery_labels(bytes_str("")), 0);
	CU_ASSERT(same(discovery_tail(name, 0), ""));
	CU_ASSERT(same(discovery_tail(name, 1), "d"));
	CU_ASSERT(same(discovery_tail(name, 2), "bc.d"));
	CU_ASSERT(same(discovery_tail(name, 3), "a.bc.d"));
	CU_ASSERT(same(discovery_tail(name, 9), "a.bc.d"));
	CU_ASSERT(same(discovery_tail(bytes_str(""), 1), ""));
}

TEST_MAIN("discovery", TEST(f20_trees), TEST(names))
