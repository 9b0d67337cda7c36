#include "tests/test.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int test_run(const char *suite, const struct test_case *cases, unsigned n)
{
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	CU_pSuite s = CU_add_suite(suite, NULL, NULL);
	for (unsigned i = 0; s && i < n; i++)
		if (!CU_add_test(s, cases[i].name, cases[i].run))
			s = NULL;
	if (!s) {
		fprintf(stderr, "%s: %s\n", suite, CU_get_error_msg());
		return 1;
	}
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	/* CU_basic_run_tests returns 0 with failed assertions */
	int failed = CU_get_number_of_failures() != 0;
	CU_cleanup_registry();
	return failed;
}

static size_t guard_span(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	return (n + page - 1) / page * page + page;
}

uint8_t *test_guard(const void *data, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), span = guard_span(n);
	uint8_t *m = mmap(NULL, span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m == MAP_FAILED || mprotect(m + span - page, page, PROT_NONE) < 0) {
		perror("test_guard");
		exit(1);
	}
	uint8_t *p = m + span - page - n;
	if (n)
		memcpy(p, data, n);
	return p;
}

void test_guard_free(uint8_t *p, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), span = guard_span(n);
	munmap(p + n + page - span, span);
}

uint8_t *test_walled(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *m = mmap(NULL, n + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (n % page || m == MAP_FAILED || mprotect(m + page, n, PROT_READ | PROT_WRITE) < 0) {
		perror("test_walled");
		exit(1);
	}
	return m + page;
}

static size_t edge_span(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	return (n / page + 1) * page;
}

uint8_t *test_edge(size_t n, bool front)
{
	uint8_t *p = test_walled(edge_span(n));
	return front ? p : p + edge_span(n) - n;
}

void test_edge_free(uint8_t *p, size_t n, bool front)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), span = edge_span(n);
	munmap((front ? p : p - (span - n)) - page, span + 2 * page);
}

struct bytes test_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		perror(path);
		exit(1);
	}
	fseek(f, 0, SEEK_END);
	size_t n = (size_t)ftell(f);
	rewind(f);
	uint8_t *p = malloc(n ? n : 1);
	if (!p || fread(p, 1, n, f) != n) {
		perror(path);
		exit(1);
	}
	fclose(f);
	return bytes_of(p, n);
}

const char *test_data(void)
{
	return POSTERN_SOURCE "/tests/data";
}

uint64_t test_random(uint64_t *state)
{
	uint64_t x = *state ? *state : 88172645463325252u;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}
