#include "verify/auth/forged.h"

#include "verify/auth/fold.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/*
 * Edits are counted by the bit-parallel method of Myers: a window of the text, from the beginning of
 * a word on, is the column, a bit for each letter; the name goes through it letter by letter. After
 * the last letter the column has the distance to every prefix of the window, of which those that
 * end with a word count. So one pass of a name serves all runs of words that begin at one place.
 *
 * Before that, letters are told apart by 64 kinds: a kind that the name has and the window's first
 * letters have not costs at least one edit. Most names end there, at two words of memory.
 */

enum { COLUMN_MAX = 64, ASCII_N = 128 };

static_assert((int)FORGED_NAME_MAX <= (int)COLUMN_MAX, "a name fits a column");

struct name {
	uint64_t kinds;
	uint32_t letters; /* index into forged.letters */
	uint32_t entry; /* of its dictionary's list */
	uint8_t n;
	uint8_t edits; /* at most so many reach the threshold */
};

struct dictionary {
	const struct names_profile *profile;
	uint32_t first, n; /* in forged.name */
};

struct forged {
	struct dictionary *dictionary;
	struct name *name;
	uint32_t *letters;
	uint32_t n_dictionary, n_name, n_letters;
};

struct window { /* letters of a text from the beginning of a word on */
	unsigned n;
	uint64_t ends; /* bit i: a word ends with letter i */
	uint64_t kinds[COLUMN_MAX + 1]; /* of the first i letters */
	uint64_t ascii[ASCII_N]; /* the letters at which it stands */
	uint64_t other[COLUMN_MAX];
	uint32_t point[COLUMN_MAX]; /* what stands at other[i] */
	unsigned n_other;
};

struct text {
	uint32_t letter[FORGED_TEXT_MAX];
	unsigned n;
	bool cut;
};

struct match {
	uint32_t dictionary, name;
	unsigned score;
};

static uint64_t kind_of(uint32_t c)
{
	if (c >= 'a' && c <= 'z')
		return 1ull << (c - 'a');
	if (c >= '0' && c <= '9')
		return 1ull << (26 + c - '0');
	return c == ' ' ? 1ull << 36 : 1ull << (37 + c * 2654435761u % 27);
}

static unsigned score_of(unsigned letters, unsigned edits)
{
	return edits >= letters ? 0 : (200 * (letters - edits) + letters) / (2 * letters);
}

static uint64_t low_bits(unsigned n)
{
	return n == 64 ? ~0ull : (1ull << n) - 1;
}

/* The window of t that begins at letter `at`. */
static void window_set(struct window *w, const struct text *t, unsigned at)
{
	memset(w->ascii, 0, sizeof w->ascii);
	w->n = t->n - at < COLUMN_MAX ? t->n - at : COLUMN_MAX;
	w->ends = 0;
	w->n_other = 0;
	w->kinds[0] = 0;
	for (unsigned i = 0; i < w->n; i++) {
		uint32_t c = t->letter[at + i];
		unsigned k = 0;
		w->kinds[i + 1] = w->kinds[i] | kind_of(c);
		if (i + 1 == w->n || t->letter[at + i + 1] == ' ')
			w->ends |= 1ull << i;
		if (c < ASCII_N) {
			w->ascii[c] |= 1ull << i;
			continue;
		}
		while (k < w->n_other && w->point[k] != c)
			k++;
		if (k == w->n_other) {
			w->point[w->n_other] = c;
			w->other[w->n_other++] = 0;
		}
		w->other[k] |= 1ull << i;
	}
}

static uint64_t places_of(const struct window *w, uint32_t c)
{
	if (c < ASCII_N)
		return w->ascii[c];
	for (unsigned k = 0; k < w->n_other; k++)
		if (w->point[k] == c)
			return w->other[k];
	return 0;
}

/* The fewest edits between the name and a run of words from the window's beginning. */
static unsigned edits_of(const struct window *w, const uint32_t *name, unsigned n)
{
	uint64_t plus = ~0ull, minus = 0;
	for (unsigned k = 0; k < n; k++) {
		uint64_t equal = places_of(w, name[k]), vertical = equal | minus;
		uint64_t horizontal = (((equal & plus) + plus) ^ plus) | equal;
		uint64_t up = minus | ~(horizontal | plus), down = plus & horizontal;
		/* the distance to nothing grows with each letter of the name */
		up = up << 1 | 1;
		down <<= 1;
		plus = down | ~(vertical | up);
		minus = up & vertical;
	}
	unsigned best = n;
	for (uint64_t ends = w->ends; ends; ends &= ends - 1) {
		uint64_t bits = low_bits((unsigned)__builtin_ctzll(ends) + 1);
		unsigned d = n + (unsigned)__builtin_popcountll(plus & bits) -
			     (unsigned)__builtin_popcountll(minus & bits);
		best = d < best ? d : best;
	}
	return best;
}

/* No window of these letters can be within so many edits of the name. */
static bool hopeless(const struct window *w, uint64_t kinds, unsigned n, unsigned edits)
{
	unsigned most = n + edits < w->n ? n + edits : w->n;
	return (unsigned)__builtin_popcountll(kinds & ~w->kinds[most]) > edits || w->n + edits < n;
}

/* The next beginning of a word at or behind *at. */
static bool next_word(const struct text *t, unsigned *at)
{
	while (*at < t->n && *at && t->letter[*at - 1] != ' ')
		(*at)++;
	return *at < t->n;
}

unsigned forged_score(struct bytes text, struct bytes name)
{
	struct text t;
	struct window w;
	uint32_t letters[FORGED_NAME_MAX];
	bool cut;
	unsigned n = fold_text(name, letters, FORGED_NAME_MAX, &cut), best = 0, words = 0;
	t.n = fold_text(text, t.letter, FORGED_TEXT_MAX, &t.cut);
	for (unsigned at = 0; next_word(&t, &at) && words < FORGED_WORDS_MAX; at++, words++) {
		window_set(&w, &t, at);
		unsigned score = score_of(n, edits_of(&w, letters, n));
		best = score > best ? score : best;
	}
	return best;
}

static void add_name(struct forged *f, const struct names_profile *profile, uint32_t entry)
{
	struct name *name = &f->name[f->n_name];
	uint32_t *letters = f->letters + f->n_letters;
	bool cut;
	unsigned n = fold_text(list_entry(profile->names, entry), letters, FORGED_NAME_MAX, &cut);
	if (n == 0)
		return;
	*name = (struct name){ .letters = f->n_letters, .entry = entry, .n = (uint8_t)n };
	for (unsigned i = 0; i < n; i++)
		name->kinds |= kind_of(letters[i]);
	while (name->edits < n && score_of(n, name->edits + 1u) >= profile->threshold)
		name->edits++;
	f->n_letters += n;
	f->n_name++;
}

int forged_new(struct forged **out, const struct profiles *profiles)
{
	uint64_t names = 0;
	*out = NULL;
	for (uint32_t i = 0; i < profiles->n_names; i++)
		if (profiles->names[i].names)
			names += list_count(profiles->names[i].names);
	if (names == 0)
		return 0;
	struct forged *f = calloc(1, sizeof *f);
	if (!f)
		return -ENOMEM;
	f->dictionary = calloc(profiles->n_names, sizeof *f->dictionary);
	f->name = calloc(names, sizeof *f->name);
	/* as if all were of full length; given back below */
	f->letters = malloc(names * FORGED_NAME_MAX * sizeof *f->letters);
	if (!f->dictionary || !f->name || !f->letters) {
		forged_free(f);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < profiles->n_names; i++) {
		const struct names_profile *profile = &profiles->names[i];
		struct dictionary *d = &f->dictionary[f->n_dictionary++];
		*d = (struct dictionary){ .profile = profile, .first = f->n_name };
		for (uint32_t k = 0; profile->names && k < list_count(profile->names); k++)
			add_name(f, profile, k);
		d->n = f->n_name - d->first;
	}
	uint32_t *fit = realloc(f->letters, (f->n_letters + 1) * sizeof *fit);
	f->letters = fit ? fit : f->letters;
	*out = f;
	return 0;
}

void forged_free(struct forged *f)
{
	if (!f)
		return;
	free(f->dictionary);
	free(f->name);
	free(f->letters);
	free(f);
}

/* Best first, then in the order of the settings; one match a name. */
static void add_match(struct match *match, unsigned *n, struct match new)
{
	unsigned at = 0;
	for (unsigned i = 0; i < *n; i++)
		if (match[i].dictionary == new.dictionary && match[i].name == new.name) {
			if (match[i].score >= new.score)
				return;
			memmove(&match[i], &match[i + 1], (*n - i - 1) * sizeof *match);
			(*n)--;
			break;
		}
	while (at < *n && (match[at].score > new.score ||
			   (match[at].score == new.score &&match[at].name < new.name)))
		at++;
	if (at == FORGED_MATCHES_MAX)
		return;
	if (*n < FORGED_MATCHES_MAX)
		(*n)++;
	memmove(&match[at + 1], &match[at], (*n - at - 1) * sizeof *match);
	match[at] = new;
}

static void compare(const struct forged *f, uint32_t dictionary, const struct window *w,
		    struct match *match, unsigned *n)
{
	const struct dictionary *d = &f->dictionary[dictionary];
	for (uint32_t i = d->first; i < d->first + d->n; i++) {
		const struct name *name = &f->name[i];
		if (hopeless(w, name->kinds, name->n, name->edits))
			continue;
		unsigned edits = edits_of(w, f->letters + name->letters, name->n);
		unsigned score = score_of(name->n, edits);
		if (edits <= name->edits && score >= d->profile->threshold)
			add_match(match, n, (struct match){ dictionary, i, score });
	}
}

static bool applies(const struct names_profile *profile, const struct verdict_from *from)
{
	unsigned own = 0;
	for (unsigned i = 0; i < from->n_shown; i++)
		own += list_has_domain(profile->own, from->domain[i]);
	if (from->n_shown && own == from->n_shown)
		return false;
	return from->n_domain != 1 ||
	       !list_has_address(profile->except, from->local, from->domain[0]);
}

static void check_text(const struct forged *f, const struct verdict_from *from, struct bytes text,
		       struct stats *stats, struct match *match, unsigned *n)
{
	struct text t;
	struct window w;
	unsigned words = 0;
	t.n = fold_text(text, t.letter, FORGED_TEXT_MAX, &t.cut);
	for (unsigned at = 0; next_word(&t, &at); at++, words++) {
		if (words == FORGED_WORDS_MAX) {
			t.cut = true;
			break;
		}
		window_set(&w, &t, at);
		for (uint32_t i = 0; i < f->n_dictionary; i++)
			if (applies(f->dictionary[i].profile, from))
				compare(f, i, &w, match, n);
	}
	if (t.cut && stats)
		stats_add(stats, STAT_NAMES_CUT, 1);
}

bool forged_check(const struct forged *f, const struct verdict_from *from, struct arena *arena,
		  struct stats *stats, struct verdict_forged **out, uint32_t *n)
{
	struct match match[FORGED_MATCHES_MAX];
	unsigned found = 0;
	*out = NULL;
	*n = 0;
	if (!f)
		return true;
	check_text(f, from, from->display, stats, match, &found);
	check_text(f, from, from->local, stats, match, &found);
	if (found == 0)
		return true;
	struct verdict_forged *made = arena_take(arena, found * sizeof *made);
	if (!made)
		return false;
	for (unsigned i = 0; i < found; i++) {
		const struct names_profile *profile = f->dictionary[match[i].dictionary].profile;
		uint32_t entry = f->name[match[i].name].entry;
		made[i] = (struct verdict_forged){ .dictionary = profile->name,
						   .name = list_entry(profile->names, entry),
						   .score = (uint8_t)match[i].score };
	}
	*out = made;
	*n = found;
	return true;
}
