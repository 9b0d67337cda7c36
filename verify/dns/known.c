#include "verify/dns/known.h"

#include <assert.h>

#include "base/eight.h"

/*
 * An item is on the list of open questions once (`listed`) and leaves it when it is answered or
 * everyone who asked has given up; the list is tidied at the next ask, so that its numbers hold
 * until then. What the budget refused is an item too, with a timeout for its answer: when a check
 * runs again it must find what it found before, although the cache may know better by now.
 */

enum { KNOWN_SPACE = 1024 }; /* for what is parsed of a text the cache did not keep */

void known_init(struct known *k, void *mem, size_t size)
{
	arena_init(&k->arena, mem, size);
	k->asked = k->over = 0;
	k->n = k->n_open = 0;
	k->n_parsed = 0;
	k->gave_up = 0;
	k->untidy = false;
}

/* Lower case without the final dot. False: there can be no such name. */
static bool question_make(struct question *q, enum question_type type, struct bytes name)
{
	size_t n = name.n, label = 0;
	if (n && name.p[n - 1] == '.')
		n--;
	if (n == 0 || n > KNOWN_NAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = name.p[i];
		if (c != '.' && ++label > 63)
			return false;
		if (c == '.' && label == 0)
			return false;
		if (c == '.')
			label = 0;
		q->name[i] = (char)bytes_lower(c);
	}
	q->name[n] = 0;
	q->len = (uint8_t)n;
	q->type = (uint16_t)type;
	return label != 0;
}

static uint32_t hash_question(const struct question *q)
{
	return (uint32_t)(eight_hash((uint64_t)q->type << 32, q->name, q->len) >> 32);
}

/* An answer without data that is no item's; anew each time, so that nobody's parsed stays. */
static struct record *plain(struct known *k, enum answer_status status)
{
	struct record *r = &k->plain[status];
	*r = (struct record){ .answer.status = (uint8_t)status };
	return r;
}

static bool waited_for(const struct known *k, const struct known_item *item)
{
	return !item->record && (item->who & ~(item->late | k->gave_up)) != 0;
}

/* Takes what nobody waits for off the list. */
static void tidy(struct known *k)
{
	unsigned n = 0;
	for (unsigned i = 0; i < k->n_open; i++) {
		struct known_item *item = k->open[i];
		item->listed = waited_for(k, item);
		if (item->listed)
			k->open[n++] = item;
	}
	k->n_open = (uint16_t)n;
	k->untidy = false;
}

static struct known_item *find(const struct known *k, const struct question *q, uint32_t hash)
{
	for (unsigned i = 0; i < k->n; i++) {
		struct known_item *item = k->item[i];
		if (item->hash == hash && item->question.type == q->type &&
		    item->question.len == q->len &&
		    memcmp(item->question.name, q->name, q->len) == 0)
			return item;
	}
	return NULL;
}

/* NULL: there is no room. */
static struct known_item *add(struct known *k, const struct question *q, uint32_t hash)
{
	unsigned max = k->reserve ? KNOWN_MAX / 2 : KNOWN_MAX;
	struct known_item *item = k->n < max ? arena_take(&k->arena, sizeof *item) : NULL;
	if (!item)
		return NULL;
	item->question.type = q->type;
	item->question.len = q->len;
	memcpy(item->question.name, q->name, (size_t)q->len + 1);
	item->record = NULL;
	item->kept = item->listed = item->counted = item->once = item->taken = false;
	item->number = k->n;
	item->who = item->late = 0;
	item->hash = hash;
	k->item[k->n++] = item;
	return item;
}

/* An item without an answer, on the list if it may be; its record if the budget says no. */
static struct record *open_item(struct known *k, struct known_item *item)
{
	if (item->listed || k->n_open == KNOWN_OPEN_MAX)
		return NULL;
	if (!item->counted && k->asked >= (k->reserve ? k->budget / 2 : k->budget)) {
		k->over++;
		item->own = (struct record){ .answer.status = ANSWER_TIMEOUT };
		item->record = &item->own;
		return item->record;
	}
	k->asked += !item->counted;
	item->counted = true;
	item->listed = true;
	k->open[k->n_open++] = item;
	return NULL;
}

static struct record *ask(struct known *k, enum known_who who, enum question_type type,
			  struct bytes name, bool once)
{
	struct question q;
	if (!question_make(&q, type, name))
		return plain(k, ANSWER_NXDOMAIN);
	if (k->untidy)
		tidy(k);
	uint32_t hash = hash_question(&q);
	struct known_item *item = find(k, &q, hash);
	if (!item) {
		item = add(k, &q, hash);
		if (!item) {
			k->over++;
			return plain(k, ANSWER_TIMEOUT);
		}
		item->once = once;
		item->record = k->records ? records_find(k->records, &q, k->clock_s) : NULL;
		item->kept = item->record != NULL;
	}
	item->who |= (uint8_t)who;
	item->once &= once;
	if (!item->record && (k->gave_up & who))
		item->late |= (uint8_t)who;
	if (item->late & who)
		return plain(k, ANSWER_TIMEOUT);
	return item->record ? item->record : open_item(k, item);
}

struct record *known_ask(struct known *k, enum known_who who, enum question_type type,
			 struct bytes name)
{
	return ask(k, who, type, name, false);
}

struct record *known_ask_once(struct known *k, enum known_who who, enum question_type type,
			      struct bytes name)
{
	return ask(k, who, type, name, true);
}

const struct question *known_question(const struct known *k, unsigned i)
{
	return i < k->n_open ? &k->open[i]->question : NULL;
}

static void settle(struct known *k, struct known_item *item, const struct answer *answer)
{
	if (item->record)
		return;
	k->untidy = true;
	if (k->records && !item->once)
		item->record =
			records_put(k->records, &item->question, answer, k->clock_s, k->ttl_max_s);
	item->kept = item->record != NULL;
	if (item->kept)
		return;
	item->own = (struct record){ .answer = *answer };
	item->record = &item->own;
	void *space = NULL;
	if (answer->status == ANSWER_DATA && item->question.type == QUESTION_TXT && !item->once)
		space = arena_take(&k->arena, KNOWN_SPACE);
	if (space)
		arena_init(&item->own.space, space, KNOWN_SPACE);
}

void known_answer(struct known *k, unsigned i, const struct answer *answer)
{
	assert(i < k->n_open);
	settle(k, k->open[i], answer);
}

const struct question *known_take(struct known *k, unsigned *number)
{
	for (unsigned i = 0; i < k->n_open; i++) {
		struct known_item *item = k->open[i];
		if (item->taken || !waited_for(k, item))
			continue;
		item->taken = true;
		*number = item->number;
		return &item->question;
	}
	return NULL;
}

void known_put_back(struct known *k, unsigned number)
{
	assert(number < k->n);
	k->item[number]->taken = false;
}

void known_settle(struct known *k, unsigned number, const struct answer *answer)
{
	assert(number < k->n);
	settle(k, k->item[number], answer);
}

unsigned known_waiting(const struct known *k)
{
	unsigned n = 0;
	for (unsigned i = 0; i < k->n_open; i++)
		n += waited_for(k, k->open[i]);
	return n;
}

void known_give_up(struct known *k, unsigned who)
{
	for (unsigned i = 0; i < k->n; i++)
		if (!k->item[i]->record)
			k->item[i]->late |= (uint8_t)(k->item[i]->who & who);
	k->gave_up |= (uint8_t)who;
	k->untidy = true;
}

struct arena known_room(const struct known *k)
{
	struct arena room = k->arena;
	size_t items = (size_t)(KNOWN_MAX - k->n) * (sizeof(struct known_item) + 16);
	room.size = room.size > items ? room.size - items : 0;
	if (k->reserve)
		room.size /= 2;
	if (room.size < room.used)
		room.size = room.used;
	return room;
}

bool known_keep(struct known *k, const struct record *record, const void *parsed,
		const struct arena *room)
{
	unsigned i = 0;
	while (i < k->n_parsed && k->parsed[i].record != record)
		i++;
	if (i == KNOWN_PARSED_MAX)
		return false;
	k->parsed[i] = (struct known_parsed){ record, parsed };
	k->n_parsed += i == k->n_parsed;
	k->arena.used = room->used;
	return true;
}

const void *known_parsed(const struct known *k, const struct record *record)
{
	for (unsigned i = 0; i < k->n_parsed; i++)
		if (k->parsed[i].record == record)
			return k->parsed[i].parsed;
	return NULL;
}

const struct known_item *known_item(const struct known *k, unsigned i)
{
	return i < k->n ? k->item[i] : NULL;
}

void known_end(struct known *k)
{
	for (unsigned i = 0; i < k->n; i++)
		if (k->item[i]->kept)
			records_release(k->item[i]->record);
	k->n = k->n_open = 0;
	k->n_parsed = 0;
}
