/*
 * test - one CUnit program per source file: TEST_MAIN("canon", TEST(a), TEST(b)) behind the functions.
 */
#pragma once

#include <CUnit/CUnit.h>
#include <stdbool.h>

#include "base/bytes.h"

struct test_case {
	const char *name;
	void (*run)(void);
};

#define TEST(f) \
	{ \
#f, f \
	}
#define TEST_MAIN(suite, ...) \
	int main(void) \
	{ \
		static const struct test_case cases[] = { __VA_ARGS__ }; \
		return test_run(suite, cases, sizeof cases / sizeof cases[0]); \
	}

/* Runs them and prints CUnit's summary. 0, or 1 when any assertion failed. */
int test_run(const char *suite, const struct test_case *cases, unsigned n);

/*
 * A copy of data whose last octet lies against a page without access. Gives memory that test_guard_free
 * takes back.
 */
uint8_t *test_guard(const void *data, size_t n);
void test_guard_free(uint8_t *p, size_t n);

/* n octets, a number of pages, between two pages without access; never given back. */
uint8_t *test_walled(size_t n);

/* n octets between two pages without access, against the first one (front) or the second. Gives
 * memory that test_edge_free takes back with the same n and front. */
uint8_t *test_edge(size_t n, bool front);
void test_edge_free(uint8_t *p, size_t n, bool front);

/* A whole file; ends the program when it cannot be read. Gives malloc memory. */
struct bytes test_file(const char *path);

/* Folder tests/data of the source tree, without final slash. */
const char *test_data(void);

/* xorshift: the same numbers in every run. */
uint64_t test_random(uint64_t *state);
