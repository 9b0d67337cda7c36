/* The level is one the processor has, and POSTERN_CPU lowers it and never raises it. */
#include "base/cpu.h"
#include "tests/test.h"

#include <stdlib.h>

static void names_read_back(void)
{
	for (int i = 0; i < CPU_LEVEL_N; i++) {
		enum cpu_level level = CPU_LEVEL_N;
		CU_ASSERT(cpu_level_parse(cpu_level_name((enum cpu_level)i), &level));
		CU_ASSERT_EQUAL((int)level, i);
	}
	enum cpu_level level = CPU_AVX2;
	CU_ASSERT_FALSE(cpu_level_parse("", &level));
	CU_ASSERT_FALSE(cpu_level_parse("AVX2", &level));
	CU_ASSERT_FALSE(cpu_level_parse("avx", &level));
	CU_ASSERT_EQUAL(level, CPU_AVX2);
}

/* Against the compiler's own idea of the processor. */
static void level_is_there(void)
{
	unsetenv("POSTERN_CPU");
	__builtin_cpu_init();
	bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
		    __builtin_cpu_supports("bmi2");
	bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
		      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
		      __builtin_cpu_supports("avx512vl");
	CU_ASSERT_EQUAL(cpu_level(), avx512 ? CPU_AVX512 : avx2 ? CPU_AVX2 : CPU_SCALAR);
	CU_ASSERT_EQUAL((cpu_flags() & CPU_IFMA) != 0,
			avx512 && __builtin_cpu_supports("avx512ifma"));
	CU_ASSERT_EQUAL((cpu_flags() & CPU_VBMI2) != 0,
			avx512 && __builtin_cpu_supports("avx512vbmi2"));
	CU_ASSERT_EQUAL((cpu_flags() & CPU_VBMI) != 0,
			avx512 && __builtin_cpu_supports("avx512vbmi"));
}

static void environment_lowers(void)
{
	unsetenv("POSTERN_CPU");
	enum cpu_level best = cpu_level();
	unsigned flags = cpu_flags();
	for (int i = 0; i < CPU_LEVEL_N; i++) {
		setenv("POSTERN_CPU", cpu_level_name((enum cpu_level)i), 1);
		CU_ASSERT_EQUAL((int)cpu_level(), i < (int)best ? i : (int)best);
		if (i == CPU_SCALAR)
			CU_ASSERT_EQUAL(cpu_flags(), 0);
		if (i == CPU_AVX2)
			CU_ASSERT_EQUAL(cpu_flags(), flags & CPU_SHA_NI);
		if (i == CPU_AVX512)
			CU_ASSERT_EQUAL(cpu_flags(), flags);
	}
	setenv("POSTERN_CPU", "fastest", 1);
	CU_ASSERT_EQUAL(cpu_level(), best);
	CU_ASSERT_EQUAL(cpu_flags(), flags);
	unsetenv("POSTERN_CPU");
}

/* Whatever is no level changes nothing, and can be told. */
static void odd_wishes(void)
{
	static const char *const odd[] = { "fastest", "AVX2",     "avx",      "avx2 ", " scalar",
					   "avx5120", "scalar\n", "\x80\xff", "2" };
	unsetenv("POSTERN_CPU");
	CU_ASSERT_PTR_NULL(cpu_odd_wish());
	enum cpu_level best = cpu_level();
	unsigned flags = cpu_flags();
	for (unsigned i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		setenv("POSTERN_CPU", odd[i], 1);
		CU_ASSERT_STRING_EQUAL(cpu_odd_wish(), odd[i]);
		CU_ASSERT(cpu_level() == best && cpu_flags() == flags);
	}
	for (int i = 0; i <= CPU_LEVEL_N; i++) {
		setenv("POSTERN_CPU", i < CPU_LEVEL_N ? cpu_level_name((enum cpu_level)i) : "", 1);
		CU_ASSERT_PTR_NULL(cpu_odd_wish());
	}
	CU_ASSERT(cpu_level() == best && cpu_flags() == flags); /* empty */
	unsetenv("POSTERN_CPU");
}

TEST_MAIN("cpu", TEST(names_read_back), TEST(level_is_there), TEST(environment_lowers),
	  TEST(odd_wishes))
