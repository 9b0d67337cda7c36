#include "verify/dns/suffixes.h"

#include <errno.h>
#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_OCTETS_MAX = 253, LINE_MAX_OCTETS = 1024, PARENTS_MAX = 65536 };

/*
 * libpsl calls the name right under a wildcard a suffix too: kawasaki.jp for *.kawasaki.jp. The
 * list's algorithm does not, unless another rule does: there the rule is jp. So these names are
 * kept here, in the order of memcmp, and judged by the name above them.
 */
struct parent {
	char *name;
	bool listed; /* it has a rule of its own */
};

struct suffixes {
	psl_ctx_t *list;
	struct parent *parent;
	unsigned n_parent, n_rules;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct parent *)a)->name, ((const struct parent *)b)->name);
}

static struct parent *find_parent(const struct suffixes *s, const char *name)
{
	struct parent key = { .name = (char *)name };
	return s->n_parent ? bsearch(&key, s->parent, s->n_parent, sizeof key, compare) : NULL;
}

/* The rule of a line, which ends at the first blank; empty: a comment or nothing. */
static struct bytes rule_of(char *line)
{
	struct bytes rule = bytes_trim(bytes_str(line));
	size_t n = 0;
	while (n < rule.n && rule.p[n] != ' ' && rule.p[n] != '\t')
		n++;
	return rule.n >= 2 && memcmp(rule.p, "//", 2) == 0 ? bytes_head(rule, 0)
							   : bytes_head(rule, n);
}

static bool is_rule(struct bytes rule)
{
	for (size_t i = 0; i < rule.n; i++) {
		uint8_t c = bytes_lower(rule.p[i]);
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80 || c == '-' ||
		      c == '.' || c == '*' || (c == '!' && i == 0)))
			return false;
	}
	return true;
}

static int add_parent(struct suffixes *s, struct bytes name)
{
	/* doubled whenever the number is a power of two */
	if ((s->n_parent & (s->n_parent - 1)) == 0) {
		struct parent *more = NULL;
		size_t n = s->n_parent ? 2 * (size_t)s->n_parent : 1;
		if (n <= PARENTS_MAX)
			more = realloc(s->parent, n * sizeof *more);
		if (!more)
			return -ENOMEM;
		s->parent = more;
	}
	char *copy = strndup((const char *)name.p, name.n);
	if (!copy)
		return -ENOMEM;
	s->parent[s->n_parent++] = (struct parent){ .name = copy };
	return 0;
}

/* Counts the rules and finds the parents of wildcards. */
static int read_rules(struct suffixes *s, FILE *file, const char *path, char *why, size_t why_len)
{
	char line[LINE_MAX_OCTETS];
	unsigned number = 0;
	while (fgets(line, sizeof line, file)) {
		struct bytes rule = rule_of(line);
		number++;
		s->n_rules += rule.n != 0;
		if (!is_rule(rule)) {
			snprintf(why, why_len, "%s:%u: no rule; it must be a public suffix list",
				 path, number);
			return -EINVAL;
		}
		if (rule.n > 2 && rule.p[0] == '*' && add_parent(s, bytes_from(rule, 2)) < 0) {
			snprintf(why, why_len, "%s: out of memory", path);
			return -ENOMEM;
		}
	}
	if (ferror(file)) {
		int err = -errno;
		snprintf(why, why_len, "%s: %s", path, strerror(-err));
		return err;
	}
	if (s->n_rules == 0) {
		snprintf(why, why_len, "%s: no rule in it; it must be a public suffix list", path);
		return -EINVAL;
	}
	if (s->n_parent)
		qsort(s->parent, s->n_parent, sizeof *s->parent, compare);
	return 0;
}

/* Which of the parents have a rule themselves. */
static void mark_listed(struct suffixes *s, FILE *file)
{
	char line[LINE_MAX_OCTETS];
	while (fgets(line, sizeof line, file)) {
		struct bytes rule = rule_of(line);
		char name[LINE_MAX_OCTETS];
		memcpy(name, rule.p, rule.n);
		name[rule.n] = 0;
		struct parent *parent = rule.n ? find_parent(s, name) : NULL;
		if (parent)
			parent->listed = true;
	}
}

int suffixes_load(struct suffixes **out, const char *path, char *why, size_t why_len)
{
	FILE *file = fopen(path, "re");
	int err = file ? 0 : -errno;
	struct suffixes *s = NULL;
	if (!file) {
		snprintf(why, why_len, "%s: %s", path, strerror(-err));
		return err;
	}
	err = -ENOMEM;
	snprintf(why, why_len, "%s: out of memory", path);
	s = calloc(1, sizeof *s);
	if (!s)
		goto err1;
	err = read_rules(s, file, path, why, why_len);
	if (err)
		goto err2;
	rewind(file);
	mark_listed(s, file);
	rewind(file);
	s->list = psl_load_fp(file);
	if (!s->list) {
		err = -EINVAL;
		snprintf(why, why_len, "%s: libpsl cannot read it", path);
		goto err2;
	}
	fclose(file);
	*out = s;
	return 0;
err2:
	suffixes_free(s);
err1:
	fclose(file);
	return err;
}

void suffixes_free(struct suffixes *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->n_parent; i++)
		free(s->parent[i].name);
	free(s->parent);
	psl_free(s->list);
	free(s);
}

unsigned suffixes_count(const struct suffixes *s)
{
	return s->n_rules;
}

struct bytes suffixes_organization(const struct suffixes *s, struct bytes name)
{
	char text[NAME_OCTETS_MAX + 1];
	const struct bytes none = { name.p, 0 };
	if (name.n == 0 || name.n > NAME_OCTETS_MAX)
		return none;
	memcpy(text, name.p, name.n);
	text[name.n] = 0;
	/* ASCII is looked up as it is; the heap would be for U-labels */
	const char *found = psl_registrable_domain(s->list, text), *dot = strchr(text, '.');
	if (!found && dot) {
		const struct parent *parent = find_parent(s, text);
		/* no rule is its own, and none covers it from above: the rule above it holds */
		if (parent && !parent->listed && !find_parent(s, dot + 1))
			found = psl_is_public_suffix(s->list, dot + 1)
					? text
					: psl_registrable_domain(s->list, dot + 1);
	}
	return found ? bytes_from(name, (size_t)(found - text)) : none;
}
