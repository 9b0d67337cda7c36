#include "control/profiles.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct held { /* what profiles_new gives */
	struct profiles p; /* first */
	uint32_t users;
	uint32_t room[KIND_N]; /* items there is space for */
};

static struct {
	struct profiles p;
	struct dkim_profile dkim;
	struct spf_profile spf;
	struct dmarc_profile dmarc;
} builtin;
static pthread_once_t builtin_once = PTHREAD_ONCE_INIT;

static void builtin_make(void)
{
	struct bytes name = bytes_str("default");
	kind_default(&builtin.dkim, KIND_DKIM, name);
	kind_default(&builtin.spf, KIND_SPF, name);
	kind_default(&builtin.dmarc, KIND_DMARC, name);
	builtin.p = (struct profiles){ .dkim = &builtin.dkim,
				       .spf = &builtin.spf,
				       .dmarc = &builtin.dmarc,
				       .n_dkim = 1,
				       .n_spf = 1,
				       .n_dmarc = 1 };
}

const struct profiles *profiles_default(void)
{
	pthread_once(&builtin_once, builtin_make);
	return &builtin.p;
}

struct profiles *profiles_new(void)
{
	struct held *h = calloc(1, sizeof *h);
	if (!h)
		return NULL;
	h->users = 1;
	for (int kind = KIND_DKIM; kind <= KIND_DMARC; kind++)
		if (!profiles_add(&h->p, (enum kind)kind, bytes_str("default"))) {
			profiles_free(&h->p);
			return NULL;
		}
	return &h->p;
}

const struct profiles *profiles_hold(const struct profiles *p)
{
	if (p && p != &builtin.p)
		((struct held *)p)->users++;
	return p;
}

/* Where a kind's array and its count stand, and how large an item is. */
struct array {
	void **items;
	uint32_t *n;
	size_t size;
};

static struct array array_of(const struct profiles *p, enum kind kind)
{
	struct profiles *m = (struct profiles *)p;
	switch (kind) {
	case KIND_DKIM:
		return (struct array){ (void **)&m->dkim, &m->n_dkim, sizeof *m->dkim };
	case KIND_SPF:
		return (struct array){ (void **)&m->spf, &m->n_spf, sizeof *m->spf };
	case KIND_DMARC:
		return (struct array){ (void **)&m->dmarc, &m->n_dmarc, sizeof *m->dmarc };
	case KIND_NAMES:
		return (struct array){ (void **)&m->names, &m->n_names, sizeof *m->names };
	case KIND_SEALERS:
		return (struct array){ (void **)&m->sealers, &m->n_sealers, sizeof *m->sealers };
	default:
		return (struct array){ (void **)&m->addresses, &m->n_addresses,
				       sizeof *m->addresses };
	}
}

uint32_t profiles_count(const struct profiles *p, enum kind kind)
{
	return *array_of(p, kind).n;
}

static void *place(const struct profiles *p, enum kind kind, uint32_t i)
{
	struct array a = array_of(p, kind);
	return (char *)*a.items + i * a.size;
}

/* What hangs on an item. */
static void free_item(const struct profiles *p, enum kind kind, uint32_t i)
{
	if (kind == KIND_NAMES) {
		list_free((struct list *)p->names[i].names);
		list_free((struct list *)p->names[i].own);
		list_free((struct list *)p->names[i].except);
	} else if (!kind_info[kind].row) {
		list_free(*(struct list **)place(p, kind, i));
	}
}

void profiles_free(const struct profiles *p)
{
	struct held *h = (struct held *)p;
	if (!p || p == &builtin.p || --h->users)
		return;
	for (int kind = 0; kind < KIND_N; kind++)
		for (uint32_t i = 0; i < profiles_count(p, (enum kind)kind); i++)
			free_item(p, (enum kind)kind, i);
	free(p->dkim);
	free(p->spf);
	free(p->dmarc);
	free(p->names);
	free(p->sealers);
	free(p->addresses);
	free(h);
}

const void *profiles_item(const struct profiles *p, enum kind kind, uint32_t i)
{
	return kind_info[kind].row ? place(p, kind, i) : NULL;
}

const struct list *profiles_list(const struct profiles *p, enum kind kind, uint32_t i)
{
	return kind_info[kind].row ? NULL : *(struct list **)place(p, kind, i);
}

const char *profiles_name(const struct profiles *p, enum kind kind, uint32_t i)
{
	const struct list *l = profiles_list(p, kind, i);
	return l ? list_name(l) : profiles_item(p, kind, i);
}

uint32_t profiles_find(const struct profiles *p, enum kind kind, struct bytes name)
{
	uint32_t i = 0, n = profiles_count(p, kind);
	while (i < n && !bytes_equal(bytes_str(profiles_name(p, kind, i)), name))
		i++;
	return i;
}

/* Space for one more, all zero; NULL: there is none. */
static void *grow(struct profiles *p, enum kind kind)
{
	struct array a = array_of(p, kind);
	struct held *h = (struct held *)p;
	if (*a.n == PROFILES_MAX)
		return NULL;
	if (*a.n == h->room[kind]) {
		uint32_t room = h->room[kind] ? 2 * h->room[kind] : 4;
		void *more = realloc(*a.items, room * a.size);
		if (!more)
			return NULL;
		*a.items = more;
		h->room[kind] = room;
	}
	return memset(place(p, kind, (*a.n)++), 0, a.size);
}

void *profiles_add(struct profiles *p, enum kind kind, struct bytes name)
{
	uint32_t i = profiles_find(p, kind, name);
	if (i < profiles_count(p, kind))
		return place(p, kind, i);
	void *item = name.n < PROFILE_NAME_MAX ? grow(p, kind) : NULL;
	if (item)
		kind_default(item, kind, name);
	return item;
}

int profiles_add_list(struct profiles *p, enum kind kind, struct list *l)
{
	struct list **at = grow(p, kind);
	if (!at) {
		list_free(l);
		return -1;
	}
	*at = l;
	return 0;
}

void profiles_remove(struct profiles *p, enum kind kind, uint32_t i)
{
	struct array a = array_of(p, kind);
	assert(i < *a.n && (i > 0 || !kind_info[kind].options));
	free_item(p, kind, i);
	(*a.n)--;
	memmove(place(p, kind, i), place(p, kind, i + 1), (*a.n - i) * a.size);
}

static int check_lists(const struct profiles *p, enum kind kind, const void *item, char *why,
		       size_t why_len)
{
	for (unsigned i = 0; i < kind_info[kind].n_row; i++) {
		const struct schema_row *row = &kind_info[kind].row[i];
		enum kind list = kind_names_list(row);
		const char *name = schema_field(row, item);
		if (list == KIND_N || !*name ||
		    profiles_find(p, list, bytes_str(name)) < profiles_count(p, list))
			continue;
		snprintf(why, why_len, "%s: there is no %s \"%s\" in %s", row->name,
			 kind_info[list].noun, name, kind_info[list].section);
		return -1;
	}
	return 0;
}

int profiles_check(const struct profiles *p, char *why, size_t why_len)
{
	for (int k = 0; k < KIND_N; k++) {
		enum kind kind = (enum kind)k;
		for (uint32_t i = 0; kind_info[k].row && i < profiles_count(p, kind); i++) {
			char words[SCHEMA_WHY_MAX];
			const void *item = profiles_item(p, kind, i);
			if (kind_check(kind, item, words, sizeof words) == 0 &&
			    check_lists(p, kind, item, words, sizeof words) == 0)
				continue;
			snprintf(why, why_len, "%s.%s: %s", kind_info[k].section,
				 profiles_name(p, kind, i), words);
			return -1;
		}
	}
	return 0;
}

/* ---- those in force ---- */

static const void *named(const struct profiles *p, enum kind kind, const char *name)
{
	uint32_t i = profiles_find(p, kind, bytes_str(name));
	return i < profiles_count(p, kind) ? profiles_item(p, kind, i) : NULL;
}

const struct dkim_profile *profiles_dkim(const struct profiles *p, const char *name)
{
	return named(p, KIND_DKIM, name);
}

const struct spf_profile *profiles_spf(const struct profiles *p, const char *name)
{
	return named(p, KIND_SPF, name);
}

const struct dmarc_profile *profiles_dmarc(const struct profiles *p, const char *name)
{
	return named(p, KIND_DMARC, name);
}
