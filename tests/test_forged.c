/* A protected name is found by what From: shows, with the score that plain edit distance gives. */
#include "tests/test.h"
#include "verify/auth/fold.h"
#include "verify/auth/forged.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static unsigned score(const char *text, const char *name)
{
	return forged_score(bytes_str(text), bytes_str(name));
}

/* The two of the guide: 82 is 9 of 11 letters. */
static void c170_samples(void)
{
	CU_ASSERT_EQUAL(score("j0hn.sim0ns", "John Simons"), 82);
	CU_ASSERT_EQUAL(score("john.simons", "John Simons"), 100);
	CU_ASSERT_EQUAL(score("Olivia Smith", "Olivia Smith"), 100);
}

static void c170_scores(void)
{
	static const struct {
		const char *text, *name;
		unsigned score;
	} rows[] = {
		{ "JOHN SIMONS", "john simons", 100 },
		{ "john_simons", "John Simons", 100 },
		{ "John  -  Simons", "John Simons", 100 },
		{ "J\xc3\xb6hn Sim\xc3\xb3ns", "John Simons", 100 },
		{ "\xd0\x88\xd0\xbehn \xd0\x85im\xd0\xbens", "John Simons", 100 },
		{ "John Simons", "\xd0\x88\xd0\xbehn \xd0\x85im\xd0\xbens", 100 },
		{ "\xef\xbc\xaaohn Simons", "John Simons", 100 },
		{ "johnsimons", "John Simons", 91 },
		{ "John Simmons", "John Simons", 91 },
		{ "Jhon Simons", "John Simons", 82 },
		{ "John Simon", "John Simons", 91 },
		{ "John", "John Simons", 36 },
		/* runs of words */
		{ "Dr. John Simons (CEO)", "John Simons", 100 },
		{ "urgent from john simons, please read", "John Simons", 100 },
		{ "john.simons.office", "John Simons", 100 },
		/* but not parts of words */
		{ "Majohn Simonsen", "John Simons", 64 },
		{ "Joann Lee", "Ann Lee", 71 },
		{ "Mary Poppins", "John Simons", 36 },
		{ "", "John Simons", 0 },
		{ "John Simons", "", 0 },
		{ "...", "John Simons", 0 },
		{ "\xe5\xb1\xb1\xe7\x94\xb0\xe5\xa4\xaa\xe9\x83\x8e",
		  "\xe5\xb1\xb1\xe7\x94\xb0\xe6\xac\xa1\xe9\x83\x8e", 75 },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		unsigned got = score(rows[i].text, rows[i].name);
		if (got != rows[i].score)
			printf("\n%s, %s: %u, not %u\n", rows[i].text, rows[i].name, got,
			       rows[i].score);
		CU_ASSERT_EQUAL(got, rows[i].score);
	}
}

/* The same by the table method, over every run of words. */
static unsigned plain_score(const char *text, const char *name)
{
	uint32_t t[FORGED_TEXT_MAX], p[FORGED_NAME_MAX];
	bool cut;
	unsigned n = fold_text(bytes_str(text), t, FORGED_TEXT_MAX, &cut), best = 0;
	unsigned m = fold_text(bytes_str(name), p, FORGED_NAME_MAX, &cut);
	for (unsigned from = 0; from < n; from++) {
		unsigned row[FORGED_NAME_MAX + 1];
		if (from && t[from - 1] != ' ')
			continue;
		for (unsigned k = 0; k <= m; k++)
			row[k] = k;
		for (unsigned i = from; i < n && i < from + FORGED_NAME_MAX; i++) {
			unsigned diagonal = row[0];
			row[0] = i - from + 1;
			for (unsigned k = 1; k <= m; k++) {
				unsigned d = diagonal + (p[k - 1] != t[i]);
				diagonal = row[k];
				d = row[k] + 1 < d ? row[k] + 1 : d;
				row[k] = row[k - 1] + 1 < d ? row[k - 1] + 1 : d;
			}
			bool end = i + 1 == n || t[i + 1] == ' ' || i + 1 == from + FORGED_NAME_MAX;
			if (end && row[m] < m && (200 * (m - row[m]) + m) / (2 * m) > best)
				best = (200 * (m - row[m]) + m) / (2 * m);
		}
	}
	return best;
}

static void make_name(uint64_t *seed, unsigned n, char *out)
{
	static const char letters[] = "abcdeil0 .-\xc3\xa9";
	for (unsigned i = 0; i < n; i++)
		*out++ = letters[test_random(seed) % (sizeof letters - 3)];
	if (n && test_random(seed) % 4 == 0) {
		memcpy(out, "\xd0\xb6", 2);
		out += 2;
	}
	*out = 0;
}

static void c170_plain_distance(void)
{
	uint64_t seed = 170;
	unsigned differ = 0;
	for (unsigned i = 0; i < 20000; i++) {
		char text[128], name[128];
		make_name(&seed, (unsigned)(test_random(&seed) % (i % 50 ? 30 : 100)), text);
		make_name(&seed, (unsigned)(test_random(&seed) % (i % 70 ? 16 : 90)), name);
		if (i % 3 == 0)
			snprintf(name + strlen(name) / 2, 40, "%.30s", text + strlen(text) / 2);
		unsigned want = plain_score(text, name), got = score(text, name);
		if (want != got && differ++ < 5)
			printf("\n\"%s\" \"%s\": %u, not %u\n", text, name, got, want);
	}
	CU_ASSERT_EQUAL(differ, 0);
}

static struct list *list_of(const char *const *entries, bool text)
{
	struct bytes entry[64];
	uint32_t n = 0, bad;
	for (; entries[n]; n++)
		entry[n] = bytes_str(entries[n]);
	struct list *l = list_new("names", entry, n, text, &bad);
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	return l;
}

static struct verdict_from from_of(const char *display, const char *local, const char *domain)
{
	struct verdict_from from = { .n_shown = 1, .n_domain = 1 };
	from.display = bytes_str(display);
	from.local = bytes_str(local);
	from.domain[0] = bytes_str(domain);
	return from;
}

/* "dictionary:name=score" with commas between, and the count. */
static uint32_t check(const struct forged *f, const struct verdict_from *from, char *out)
{
	static uint8_t memory[4096];
	struct arena arena;
	struct verdict_forged *found;
	uint32_t n;
	arena_init(&arena, memory, sizeof memory);
	CU_ASSERT(forged_check(f, from, &arena, NULL, &found, &n));
	*out = 0;
	for (uint32_t i = 0; i < n; i++)
		out += sprintf(out, "%s%s:%.*s=%u", i ? "," : "", found[i].dictionary,
			       (int)found[i].name.n, (const char *)found[i].name.p, found[i].score);
	return n;
}

static struct names_profile profiles[3] = {
	{ .name = "board", .threshold = 70 },
	{ .name = "strict", .threshold = 100 },
	{ .name = "empty", .threshold = 70 },
};
static struct profiles all = { .names = profiles, .n_names = 3 };

static void make_profiles(void)
{
	static const char *const board[] = { "John Simons", "Olivia Smith", "...", "Jon Simon",
					     NULL };
	static const char *const strict[] = { "Olivia Smith", NULL };
	static const char *const own[] = { "example.com", NULL };
	static const char *const except[] = { "john.simons@home.example", "partner.example", NULL };
	profiles[0].names = list_of(board, true);
	profiles[0].own = list_of(own, false);
	profiles[0].except = list_of(except, false);
	profiles[1].names = list_of(strict, true);
}

static void free_profiles(void)
{
	for (unsigned i = 0; i < 3; i++) {
		list_free((struct list *)profiles[i].names);
		list_free((struct list *)profiles[i].own);
		list_free((struct list *)profiles[i].except);
	}
}

static void c170_check(void)
{
	static const struct {
		const char *display, *local, *domain, *want;
	} rows[] = {
		{ "John Simons", "x", "evil.example", "board:John Simons=100,board:Jon Simon=78" },
		{ "x", "j0hn.sim0ns", "evil.example", "board:John Simons=82" },
		{ "Oliv1a Smith", "x", "evil.example", "board:Olivia Smith=92" },
		{ "Olivia Smith", "x", "evil.example",
		  "board:Olivia Smith=100,strict:Olivia Smith=100" },
		{ "John Simons and Olivia Smith", "x", "evil.example",
		  "board:John Simons=100,board:Olivia Smith=100,strict:Olivia Smith=100,board:Jon "
		  "Simon=78" },
		{ "Somebody Else", "else", "evil.example", "" },
		{ "", "", "evil.example", "" },
		/* own domains and what is below them, exceptions */
		{ "John Simons", "x", "example.com", "" },
		{ "John Simons", "x", "mail.example.com", "" },
		{ "Olivia Smith", "x", "example.com", "strict:Olivia Smith=100" },
		{ "John Simons", "x", "notexample.com",
		  "board:John Simons=100,board:Jon Simon=78" },
		{ "John Simons", "john.simons", "home.example", "" },
		{ "John Simons", "other", "home.example",
		  "board:John Simons=100,board:Jon Simon=78" },
		{ "John Simons", "x", "partner.example", "" },
	};
	struct forged *f;
	char text[1024];
	make_profiles();
	CU_ASSERT_EQUAL_FATAL(forged_new(&f, &all), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct verdict_from from = from_of(rows[i].display, rows[i].local, rows[i].domain);
		check(f, &from, text);
		CU_ASSERT_STRING_EQUAL(text, rows[i].want);
		if (strcmp(text, rows[i].want) != 0)
			printf("\n%s\n", text);
	}
	/* H-6: an own domain beside another one covers nothing */
	struct verdict_from two = from_of("John Simons", "x", "example.com");
	two.domain[two.n_shown++] = bytes_str("evil.example");
	two.n_domain = 2;
	CU_ASSERT_EQUAL(check(f, &two, text), 2);
	two.domain[0] = bytes_str("partner.example");
	CU_ASSERT_EQUAL(check(f, &two, text), 2);
	/* no domain at all */
	two.n_domain = two.n_shown = 0;
	CU_ASSERT_EQUAL(check(f, &two, text), 2);
	forged_free(f);
	free_profiles();
	CU_ASSERT_EQUAL(check(NULL, &two, text), 0);
}

static void c170_none(void)
{
	static struct names_profile nobody[1] = { { .name = "nobody" } };
	struct profiles none = { 0 };
	struct forged *f;
	CU_ASSERT_EQUAL(forged_new(&f, &none), 0);
	CU_ASSERT_PTR_NULL(f);
	none = (struct profiles){ .names = nobody, .n_names = 1 };
	CU_ASSERT_EQUAL(forged_new(&f, &none), 0);
	CU_ASSERT_PTR_NULL(f);
	forged_free(NULL);
}

static struct forged *many(struct names_profile *profile, struct profiles *some, unsigned n)
{
	struct bytes *entry = calloc(n, sizeof *entry);
	char *text = malloc(32 * (size_t)n);
	uint64_t seed = 1;
	uint32_t bad;
	static const char *const given[] = { "Anna",  "Boris", "Carla", "David", "Elena", "Frank",
					     "Greta", "Henry", "Irina", "Jamal", "Katja", "Louis" };
	static const char *const family[] = { "son", "berg", "stein",  "wood", "field", "ov",
					      "ski", "mann", "dottir", "ez",   "ini",   "meyer" };
	for (unsigned i = 0; i < n; i++) {
		uint64_t r = test_random(&seed);
		int len = snprintf(text + 32 * (size_t)i, 32, "%s %c%c%c%s", given[r % 12],
				   (char)('A' + (r >> 8) % 26), "aeiou"[(r >> 16) % 5],
				   (char)('a' + (r >> 24) % 26), family[(r >> 32) % 12]);
		entry[i] = bytes_of(text + 32 * (size_t)i, (size_t)len);
	}
	*profile = (struct names_profile){ .name = "many", .threshold = 70 };
	profile->names = list_new("many", entry, n, true, &bad);
	*some = (struct profiles){ .names = profile, .n_names = 1 };
	free(entry);
	free(text);
	struct forged *f = NULL;
	CU_ASSERT_EQUAL_FATAL(forged_new(&f, some), 0);
	return f;
}

/* Every match is found by plain distance too, and the best are kept. */
static void c170_many(void)
{
	enum { N = 5000 };
	static struct names_profile profile;
	struct profiles some;
	struct forged *f = many(&profile, &some, N);
	uint8_t memory[4096];
	for (unsigned i = 0; i < 20; i++) {
		struct bytes name = list_entry(profile.names, i * 31);
		char display[64];
		unsigned over = 0, best = 0;
		snprintf(display, sizeof display, "%.*s", (int)name.n, (const char *)name.p);
		display[2] = 'x';
		struct verdict_from from = from_of(display, "info", "evil.example");
		struct arena arena;
		struct verdict_forged *found;
		uint32_t n;
		arena_init(&arena, memory, sizeof memory);
		CU_ASSERT(forged_check(f, &from, &arena, NULL, &found, &n));
		for (unsigned k = 0; k < N; k++) {
			char entry[64];
			struct bytes e = list_entry(profile.names, k);
			snprintf(entry, sizeof entry, "%.*s", (int)e.n, (const char *)e.p);
			unsigned s = plain_score(display, entry);
			over += s >= 70;
			best = s > best ? s : best;
		}
		CU_ASSERT_EQUAL(n, over < FORGED_MATCHES_MAX ? over : FORGED_MATCHES_MAX);
		CU_ASSERT_EQUAL(found[0].score, best);
		for (unsigned k = 1; k < n; k++)
			CU_ASSERT(found[k].score <= found[k - 1].score);
	}
	forged_free(f);
	list_free((struct list *)profile.names);
}

/* Over the limits the beginning is compared, and it is counted; a full arena is told. */
static void c170_limits(void)
{
	static struct stats stats;
	static struct names_profile profile;
	struct profiles some;
	struct forged *f = many(&profile, &some, 1);
	struct bytes name = list_entry(profile.names, 0);
	char text[2000];
	uint8_t memory[4096];
	struct arena arena, none = { 0 };
	struct verdict_forged *found;
	uint32_t n;
	static const struct {
		unsigned words, matches, cut;
	} rows[] = { { 0, 1, 0 }, { 30, 1, 0 }, { 31, 1, 1 }, { 40, 0, 2 }, { 400, 0, 3 } };
	for (unsigned k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		size_t at = 0;
		for (unsigned i = 0; i < rows[k].words; i++)
			at += (size_t)sprintf(text + at, "w ");
		sprintf(text + at, "%.*s", (int)name.n, (const char *)name.p);
		struct verdict_from from = from_of(text, "x", "evil.example");
		arena_init(&arena, memory, sizeof memory);
		CU_ASSERT(forged_check(f, &from, &arena, &stats, &found, &n));
		CU_ASSERT_EQUAL(n, rows[k].matches);
		CU_ASSERT(n == 0 || found[0].score == 100);
		CU_ASSERT_EQUAL(stats_get(&stats, STAT_NAMES_CUT), rows[k].cut);
	}
	memset(text, 'a', 600);
	text[600] = 0;
	CU_ASSERT_EQUAL(score(text, text), 100);
	struct verdict_from from = from_of("", "", "evil.example");
	from.display = name;
	CU_ASSERT_FALSE(forged_check(f, &from, &none, NULL, &found, &n));
	forged_free(f);
	list_free((struct list *)profile.names);
}

/* Thousands of names cost little, whoever wrote the text. Generous: other work may run beside it. */
static void c170_cost(void)
{
	enum { N = 10000, TIMES = 20 };
	static const char *const texts[] = {
		"Anna Berglund",
		"Quarterly report of the sales department, second version",
		"abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz "
		"a "
		"b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p "
		"q",
	};
	static struct names_profile profile;
	struct profiles some;
	struct forged *f = many(&profile, &some, N);
	uint8_t memory[4096];
	for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct timespec a, b;
		struct verdict_from from = from_of(texts[i], "newsletter", "evil.example");
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
		for (unsigned k = 0; k < TIMES; k++) {
			struct arena arena;
			struct verdict_forged *found;
			uint32_t n;
			arena_init(&arena, memory, sizeof memory);
			CU_ASSERT(forged_check(f, &from, &arena, NULL, &found, &n));
		}
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
		double us =
			((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) /
			1e3 / TIMES;
		printf(" %.0f us of %d names", us, N);
		CU_ASSERT(us < 50000);
	}
	forged_free(f);
	list_free((struct list *)profile.names);
}

TEST_MAIN("forged", TEST(c170_samples), TEST(c170_scores), TEST(c170_plain_distance),
	  TEST(c170_check), TEST(c170_none), TEST(c170_many), TEST(c170_limits), TEST(c170_cost))
