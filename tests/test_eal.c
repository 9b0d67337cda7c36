/*
 * eal: what the user wrote stays as it is, and what he left out is added so that DPDK starts on any machine without
 * touching a device that was not named.
 */
#include "tests/test.h"

#include <errno.h>

#include "dataplane/eal.h"

static struct eal_args made(const char *const *words, size_t free_mb)
{
	struct eal_args a = { 0 };
	for (; *words; words++)
		CU_ASSERT_EQUAL(eal_args_add(&a, "%s", *words), 0);
	CU_ASSERT_EQUAL(eal_args_complete(&a, free_mb, 3, "name"), 0);
	CU_ASSERT_PTR_NULL(a.arg[a.n]);
	return a;
}

static bool has(const struct eal_args *a, const char *word)
{
	for (int i = 0; i < a->n; i++)
		if (strcmp(a->arg[i], word) == 0)
			return true;
	return false;
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void nothing_said(void)
{
	struct eal_args a = made(WORDS("--vdev=net_null0"), 0);
	CU_ASSERT_TRUE(has(&a, "--vdev=net_null0"));
	CU_ASSERT_TRUE(has(&a, "--no-pci"));
	CU_ASSERT_TRUE(has(&a, "--no-huge"));
	CU_ASSERT_TRUE(has(&a, "--no-shconf"));
	CU_ASSERT_TRUE(has(&a, "-m512"));
	CU_ASSERT_TRUE(has(&a, "--file-prefix=name"));
	CU_ASSERT_TRUE(has(&a, "--log-level=*:error"));
	CU_ASSERT_TRUE(has(&a, "--lcores=0@3"));
	CU_ASSERT_FALSE(has(&a, "--in-memory"));
	CU_ASSERT_FALSE(a.cores);
	CU_ASSERT_FALSE(a.verbose);
	eal_args_free(&a);
}

static void with_hugepages(void)
{
	struct eal_args a = made(WORDS("--vdev=net_null0"), 1024);
	CU_ASSERT_TRUE(has(&a, "--in-memory"));
	CU_ASSERT_FALSE(has(&a, "--no-huge")); /* EAL refuses both together */
	CU_ASSERT_FALSE(has(&a, "--no-shconf"));
	CU_ASSERT_FALSE(has(&a, "-m512"));
	eal_args_free(&a);
	a = made(WORDS("--no-huge", "-m", "100"), 1024);
	CU_ASSERT_FALSE(has(&a, "--in-memory"));
	CU_ASSERT_FALSE(has(&a, "-m512"));
	CU_ASSERT_TRUE(has(&a, "--no-shconf"));
	eal_args_free(&a);
	a = made(WORDS("--huge-dir=/mnt"), 1024);
	CU_ASSERT_FALSE(has(&a, "--in-memory"));
	eal_args_free(&a);
}

/* In every form getopt takes. */
static void said_by_the_user(void)
{
	static const struct {
		const char *word, *not_added;
	} cases[] = {
		{ "-a0000:03:00.0", "--no-pci" },
		{ "-a", "--no-pci" },
		{ "--allow=0000:03:00.0", "--no-pci" },
		{ "--allow", "--no-pci" },
		{ "-b0000:00:03.0", "--no-pci" },
		{ "-m64", "-m512" },
		{ "--socket-mem=64", "-m512" },
		{ "--file-prefix=mine", "--file-prefix=name" },
		{ "--log-level=debug", "--log-level=*:error" },
		{ "-l2-5", "--lcores=0@3" },
		{ "--lcores=(0-3)@1", "--lcores=0@3" },
		{ "-c6", "--lcores=0@3" },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct eal_args a = made(WORDS(cases[i].word), 0);
		CU_ASSERT_STRING_EQUAL(a.arg[0], cases[i].word);
		CU_ASSERT_FALSE(has(&a, cases[i].not_added));
		eal_args_free(&a);
	}
	/* a longer name is another option */
	struct eal_args a = made(WORDS("--allowance", "--no-pciX"), 0);
	CU_ASSERT_TRUE(has(&a, "--no-pci"));
	eal_args_free(&a);
}

static void too_many(void)
{
	struct eal_args a = { 0 };
	for (int i = 0; i < EAL_ARGS_MAX; i++)
		CU_ASSERT_EQUAL(eal_args_add(&a, "--x%d", i), 0);
	CU_ASSERT_EQUAL(eal_args_add(&a, "--one-more"), -E2BIG);
	CU_ASSERT_EQUAL(eal_args_complete(&a, 0, 0, "name"), -E2BIG);
	CU_ASSERT_EQUAL(a.n, EAL_ARGS_MAX);
	eal_args_free(&a);
	CU_ASSERT_EQUAL(a.n, 0);
}

TEST_MAIN("eal", TEST(nothing_said), TEST(with_hugepages), TEST(said_by_the_user), TEST(too_many))
