#include "base/cpu.h"

#include <cpuid.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <immintrin.h>

#include "base/log.h"

enum { /* register state the operating system saves: XCR0 bits */
       CPU_XCR0_AVX = 0x06, /* SSE, AVX */
       CPU_XCR0_AVX512 = 0xe6, /* and masks, upper halves, upper sixteen */
};

static const char *const cpu_name[CPU_LEVEL_N] = { "scalar", "avx2", "avx512" };

const char *cpu_level_name(enum cpu_level level)
{
	return cpu_name[level];
}

bool cpu_level_parse(const char *word, enum cpu_level *level)
{
	for (int i = 0; i < CPU_LEVEL_N; i++) {
		if (strcmp(word, cpu_name[i]) == 0) {
			*level = (enum cpu_level)i;
			return true;
		}
	}
	return false;
}

__attribute__((target("xsave"))) static uint64_t cpu_xcr0(void)
{
	return _xgetbv(0);
}

struct cpu_found {
	enum cpu_level level;
	unsigned flags;
};

static struct cpu_found cpu_find(void)
{
	struct cpu_found found = { CPU_SCALAR, 0 };
	unsigned a, b, c, d, b7, c7;
	if (!__get_cpuid(1, &a, &b, &c, &d))
		return found;
	uint64_t xcr0 = c & bit_OSXSAVE ? cpu_xcr0() : 0;
	bool avx = (c & bit_AVX) && (xcr0 & CPU_XCR0_AVX) == CPU_XCR0_AVX;
	if (!__get_cpuid_count(7, 0, &a, &b7, &c7, &d))
		return found;
	if (b7 & bit_SHA)
		found.flags |= CPU_SHA_NI;
	unsigned want = bit_AVX2 | bit_BMI | bit_BMI2;
	if (!avx || (b7 & want) != want)
		return found;
	found.level = CPU_AVX2;
	want = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
	if ((xcr0 & CPU_XCR0_AVX512) != CPU_XCR0_AVX512 || (b7 & want) != want)
		return found;
	found.level = CPU_AVX512;
	if (b7 & bit_AVX512IFMA)
		found.flags |= CPU_IFMA;
	if (c7 & bit_AVX512VBMI)
		found.flags |= CPU_VBMI;
	if (c7 & bit_AVX512VBMI2)
		found.flags |= CPU_VBMI2;
	return found;
}

static struct cpu_found cpu_allowed(void)
{
	struct cpu_found found = cpu_find();
	const char *wish = getenv("POSTERN_CPU");
	enum cpu_level level;
	if (wish && cpu_level_parse(wish, &level) && level < found.level) {
		found.level = level;
		found.flags &= CPU_SHA_NI;
	}
	if (wish && strcmp(wish, cpu_name[CPU_SCALAR]) == 0)
		found.flags = 0;
	return found;
}

enum cpu_level cpu_level(void)
{
	return cpu_allowed().level;
}

unsigned cpu_flags(void)
{
	return cpu_allowed().flags;
}

const char *cpu_odd_wish(void)
{
	const char *wish = getenv("POSTERN_CPU");
	enum cpu_level level;
	return wish && *wish && !cpu_level_parse(wish, &level) ? wish : NULL;
}

void cpu_left_out(const char *kernel, const char *level)
{
	log_line(LOG_LEVEL_WARNING,
		 "kernel %s, %s: wrong in its self-test and not used; what is slower does its work",
		 kernel, level);
}
