/*
 * A key that was inserted is found until it is removed, from both ends of its connection; when the table is
 * full the oldest idle flow goes first, and a busy one only when no flow is idle.
 */
#include "dataplane/flow.h"
#include "tests/test.h"

#include <stdlib.h>

enum { SECOND = 1000000000 };

static struct flow_key key_of(const struct flow_table *t, uint32_t i, bool back, bool *reversed)
{
	uint8_t client[4] = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
	uint8_t server[4] = { 10, 200, 0, 1 };
	struct packet pkt = {
		.ip_version = 4,
		.src = back ? server : client,
		.dst = back ? client : server,
		.sport = back ? 25 : 1024 + i % 60000,
		.dport = back ? 1024 + i % 60000 : 25,
	};
	struct flow_key key;
	flow_key(t, &key, &pkt, reversed);
	return key;
}

static bool same_key(const struct flow_key *a, const struct flow_key *b)
{
	return memcmp(a->a, b->a, 16) == 0 && memcmp(a->b, b->b, 16) == 0 &&
	       a->a_port == b->a_port && a->b_port == b->b_port && a->hash == b->hash;
}

/* one key for both directions, which are told apart, also where the addresses or ports are equal */
static void keys(void)
{
	static const struct {
		uint8_t version;
		const char src[17], dst[17];
		uint16_t sport, dport;
		bool reversed;
	} cases[] = {
		{ 4, "aaaa", "bbbb", 9, 25, false },
		{ 4, "bbbb", "aaaa", 25, 9, true },
		{ 4, "aaaa", "aaaa", 9, 25, false },
		{ 4, "aaaa", "aaaa", 25, 9, true },
		{ 4, "aaaa", "aaaa", 25, 25, false },
		{ 6, "aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaab", 9, 25, false },
		{ 6, "aaaaaaaaaaaaaaab", "aaaaaaaaaaaaaaaa", 25, 9, true },
	};
	struct flow_table *t = flow_new(10, 10, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	struct flow_key key[7];
	for (unsigned i = 0; i < 7; i++) {
		bool reversed;
		struct packet pkt = {
			.ip_version = cases[i].version,
			.src = (const uint8_t *)cases[i].src,
			.dst = (const uint8_t *)cases[i].dst,
			.sport = cases[i].sport,
			.dport = cases[i].dport,
		};
		flow_key(t, &key[i], &pkt, &reversed);
		CU_ASSERT_EQUAL(reversed, cases[i].reversed);
		if (cases[i].reversed)
			CU_ASSERT(same_key(&key[i - 1], &key[i]));
	}
	CU_ASSERT(!same_key(&key[0], &key[2]) && !same_key(&key[2], &key[4]));
	CU_ASSERT(memcmp(key[0].a,
			 "\0\0\0\0\0\0\0\0\0\0\xff\xff"
			 "aaaa",
			 16) == 0);
	/* the seed chooses the buckets */
	struct flow_table *other = flow_new(10, 10, 2);
	bool reversed;
	struct flow_key a = key_of(t, 5, false, &reversed), b = key_of(other, 5, false, &reversed);
	CU_ASSERT_NOT_EQUAL(a.hash, b.hash);
	flow_free(other);
	flow_free(t);
	flow_free(NULL);
}

/* the table does what a plain array would, through a long random life */
static void like_an_array(void)
{
	static const uint32_t sizes[] = { 1, 2, 7, 16, 17, 100, 1000, 4097 };
	for (unsigned s = 0; s < 2 * sizeof sizes / sizeof sizes[0]; s++) {
		uint32_t max = sizes[s / 2], names = max * 3, count = 0;
		struct flow_table *t =
			flow_new(max, s % 2 ? 0 : max, s); /* 0: grows from the start */
		uint32_t *at = malloc(names * sizeof *at);
		CU_ASSERT_FATAL(t && at);
		memset(at, 0xff, names * sizeof *at);
		uint64_t state = s + 1, wrong = 0;
		for (unsigned turn = 0; turn < 60 * max + 1000; turn++) {
			bool reversed;
			uint32_t i = (uint32_t)(test_random(&state) >> 20) % names;
			struct flow_key key = key_of(t, i, turn & 1, &reversed), back;
			wrong += reversed != (turn & 1);
			flow_prefetch(t, &key, 0);
			flow_prefetch(t, &key, 1);
			wrong += flow_lookup(t, &key) != at[i];
			if (at[i] == FLOW_NONE) {
				at[i] = flow_insert(t, &key, turn);
				wrong += (at[i] == FLOW_NONE) != (count == max);
				wrong += at[i] != FLOW_NONE && at[i] >= max;
				count += at[i] != FLOW_NONE;
			} else if (test_random(&state) & 4096) {
				flow_key_at(t, at[i], &back);
				wrong += !same_key(&key, &back);
				flow_remove(t, at[i]);
				at[i] = FLOW_NONE;
				count--;
			}
			wrong += flow_count(t) != count;
		}
		for (uint32_t i = 0; i < names; i++) {
			bool reversed;
			struct flow_key key = key_of(t, i, false, &reversed);
			wrong += flow_lookup(t, &key) != at[i];
		}
		CU_ASSERT_EQUAL(wrong, 0);
		free(at);
		flow_free(t);
	}
}

/* every one of them: buckets have room for the stated number, not only nearly */
static void a_million(void)
{
	static const uint32_t sizes[] = { 1u << 20, (1u << 20) + (1u << 18) };
	for (unsigned k = 0; k < 4; k++) {
		unsigned s = k / 2;
		struct flow_table *t = flow_new(sizes[s], k % 2 ? 4096 : sizes[s], 99);
		CU_ASSERT_PTR_NOT_NULL_FATAL(t);
		uint32_t wrong = 0;
		bool reversed;
		for (uint32_t i = 0; i < sizes[s]; i++) {
			struct flow_key key = key_of(t, i, false, &reversed);
			wrong += flow_insert(t, &key, i) == FLOW_NONE;
		}
		for (uint32_t i = 0; i < sizes[s]; i++) {
			struct flow_key key = key_of(t, i, true, &reversed);
			wrong += flow_lookup(t, &key) == FLOW_NONE;
		}
		struct flow_key key = key_of(t, sizes[s], false, &reversed);
		wrong += flow_insert(t, &key, 0) != FLOW_NONE;
		CU_ASSERT_EQUAL(wrong, 0);
		CU_ASSERT_EQUAL(flow_count(t), sizes[s]);
		flow_free(t);
	}
	CU_ASSERT(flow_size() <= 100);
}

/* all flows in the same few buckets, as somebody who knew the seed would do: refused, never lost */
static void same_bucket(void)
{
	struct flow_table *t = flow_new(1000, 1000, 3);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	bool reversed;
	unsigned n = 0;
	uint32_t at[64];
	struct flow_key key[64];
	for (; n < 64; n++) {
		key[n] = key_of(t, n, false, &reversed);
		key[n].hash = 0x00070003;
		at[n] = flow_insert(t, &key[n], n);
		if (at[n] == FLOW_NONE)
			break;
	}
	CU_ASSERT(n == 16);
	for (unsigned i = 0; i < n; i++)
		CU_ASSERT_EQUAL(flow_lookup(t, &key[i]), at[i]);
	for (unsigned i = 0; i < n; i++) {
		flow_remove(t, at[i]);
		CU_ASSERT_EQUAL(flow_lookup(t, &key[i]), FLOW_NONE);
		for (unsigned k = i + 1; k < n; k++)
			CU_ASSERT_EQUAL(flow_lookup(t, &key[k]), at[k]);
	}
	CU_ASSERT_EQUAL(flow_count(t), 0);
	/* other tags in the same first bucket: some have to move to make room */
	for (n = 0; n < 64; n++) {
		key[n].hash = (n + 1) << 16 | 3;
		at[n] = flow_insert(t, &key[n], n);
		CU_ASSERT_NOT_EQUAL_FATAL(at[n], FLOW_NONE);
	}
	for (unsigned i = 0; i < 64; i++)
		CU_ASSERT_EQUAL(flow_lookup(t, &key[i]), at[i]);
	flow_free(t);
}

/* few buckets, crowded: flows that stand in their second bucket are found, and come home, and go */
static void crowded(void)
{
	struct flow_table *t = flow_new(1000, 1000, 3);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	enum { NAMES = 120 };
	uint32_t at[NAMES], refused = 0, wrong = 0;
	memset(at, 0xff, sizeof at);
	uint64_t state = 9;
	for (unsigned turn = 0; turn < 200000; turn++) {
		bool reversed;
		uint32_t i = (uint32_t)(test_random(&state) >> 20) % NAMES;
		struct flow_key key = key_of(t, i, false, &reversed);
		/* three first buckets, six tags: their second buckets are crowded as well */
		key.hash = (i % 6 + 1) << 16 | (i % 3);
		wrong += flow_lookup(t, &key) != at[i];
		if (at[i] == FLOW_NONE) {
			at[i] = flow_insert(t, &key, turn);
			refused += at[i] == FLOW_NONE;
		} else if (test_random(&state) % 3 == 0) {
			flow_remove(t, at[i]);
			at[i] = FLOW_NONE;
		}
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(refused > 0);
	flow_free(t);
}

/* more buckets for flows that crowd in few: none is lost, at home or not, and each can go */
static void grows(void)
{
	enum { SAME = 16, FLOWS = 3000 };
	struct flow_table *t = flow_new(FLOWS, 1, 3);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	static struct flow_key key[FLOWS];
	static uint32_t at[FLOWS];
	bool reversed;
	unsigned wrong = 0;
	for (unsigned i = 0; i < FLOWS; i++) {
		key[i] = key_of(t, i, false, &reversed);
		if (i % 2 && i / 2 < SAME) /* two buckets that are full from the start to the end */
			key[i].hash = 0x00070003;
		else if (i % 8 == 0) /* one home, many tags */
			key[i].hash = (i << 16) | 5;
		at[i] = flow_insert(t, &key[i], i);
		bool told = i < 200 || (i & (i - 1)) == 0 || i % 499 == 0 || i == FLOWS - 1;
		for (unsigned k = 0; told && k <= i; k++)
			wrong += flow_lookup(t, &key[k]) != at[k];
	}
	CU_ASSERT_EQUAL(wrong, 0);
	unsigned held = flow_count(t);
	CU_ASSERT(held > FLOWS * 9 / 10);
	for (unsigned i = 0; i < FLOWS; i++) {
		unsigned next = (i * 7) % FLOWS; /* in another order */
		if (at[next] == FLOW_NONE)
			continue;
		flow_remove(t, at[next]);
		wrong += flow_lookup(t, &key[next]) != FLOW_NONE;
		at[next] = FLOW_NONE;
		for (unsigned k = 0; i % 97 == 0 && k < FLOWS; k++)
			wrong += flow_lookup(t, &key[k]) != at[k];
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(flow_count(t), 0);
	flow_free(t);
}

static void eviction(void)
{
	struct flow_table *t = flow_new(4, 4, 5);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	bool busy, reversed;
	uint32_t at[4];
	CU_ASSERT_EQUAL(flow_victim(t, &busy), FLOW_NONE);
	for (uint32_t i = 0; i < 4; i++) {
		struct flow_key key = key_of(t, i, false, &reversed);
		at[i] = flow_insert(t, &key, 0);
	}
	struct flow_key fifth = key_of(t, 9, false, &reversed);
	CU_ASSERT_EQUAL(flow_insert(t, &fifth, 0), FLOW_NONE);

	uint64_t now = 10 * (uint64_t)SECOND;
	flow_touch(t, at[0], now, true); /* busy: the last to go */
	flow_touch(t, at[1], now, false); /* idle, newer than 2 and 3 */
	static const uint32_t order[] = { 2, 3, 1, 0 };
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(flow_victim(t, &busy), at[order[i]]);
		CU_ASSERT_EQUAL(busy, i == 3);
		flow_remove(t, at[order[i]]);
	}
	CU_ASSERT_EQUAL(flow_victim(t, &busy), FLOW_NONE);

	/* no longer busy: idle again, at once */
	for (uint32_t i = 0; i < 2; i++) {
		struct flow_key key = key_of(t, i, false, &reversed);
		at[i] = flow_insert(t, &key, now);
		flow_touch(t, at[i], now, true);
	}
	flow_touch(t, at[1], now, false);
	CU_ASSERT(flow_victim(t, &busy) == at[1] && !busy);
	flow_free(t);
}

static void expiry(void)
{
	struct flow_table *t = flow_new(4, 4, 5);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	bool reversed;
	uint32_t at[3];
	CU_ASSERT_EQUAL(flow_expired(t, UINT64_MAX), FLOW_NONE);
	for (uint32_t i = 0; i < 3; i++) {
		struct flow_key key = key_of(t, i, false, &reversed);
		at[i] = flow_insert(t, &key, i * (uint64_t)SECOND);
	}
	CU_ASSERT_EQUAL(flow_expired(t, 0), FLOW_NONE);
	CU_ASSERT_EQUAL(flow_expired(t, 1), at[0]);
	flow_touch(t, at[0], SECOND, true);
	CU_ASSERT_EQUAL(flow_expired(t, SECOND), FLOW_NONE);
	/* the oldest of idle and busy */
	flow_touch(t, at[1], 5 * (uint64_t)SECOND, false);
	CU_ASSERT_EQUAL(flow_expired(t, 9 * (uint64_t)SECOND), at[0]);
	flow_remove(t, at[0]);
	CU_ASSERT_EQUAL(flow_expired(t, 9 * (uint64_t)SECOND), at[2]);
	flow_remove(t, at[2]);
	CU_ASSERT_EQUAL(flow_expired(t, 9 * (uint64_t)SECOND), at[1]);
	/* a clock that goes back, or wraps, makes no flow younger and loses none */
	flow_touch(t, at[1], 1, true);
	flow_touch(t, at[1], UINT64_MAX, false);
	flow_touch(t, at[1], 7, false);
	CU_ASSERT_EQUAL(flow_expired(t, UINT64_MAX), FLOW_NONE);
	flow_remove(t, at[1]);
	CU_ASSERT_EQUAL(flow_count(t), 0);
	flow_free(t);
}

TEST_MAIN("flow", TEST(keys), TEST(like_an_array), TEST(a_million), TEST(same_bucket),
	  TEST(crowded), TEST(grows), TEST(eviction), TEST(expiry))
