/*
 * cpu - which vector instructions this processor and its operating system allow.
 *
 * POSTERN_CPU=scalar|avx2|avx512 in the environment lowers the level, never raises it; another word
 * there changes nothing. Read once at start: every call asks the processor again.
 */
#pragma once

#include <stdbool.h>

enum cpu_level {
	CPU_SCALAR, /* what the compiler makes of C for x86-64-v2 */
	CPU_AVX2, /* with BMI1, BMI2 */
	CPU_AVX512, /* F, BW, DQ, VL: Skylake servers and later */
	CPU_LEVEL_N,
};

enum cpu_flag { /* apart from the levels; none is set with POSTERN_CPU=scalar */
		CPU_SHA_NI = 1 << 0,
		CPU_IFMA = 1 << 1, /* AVX512-IFMA, only with CPU_AVX512 */
		CPU_VBMI2 = 1 << 2, /* AVX512-VBMI2, only with CPU_AVX512 */
		CPU_VBMI = 1 << 3, /* AVX512-VBMI, only with CPU_AVX512 */
};

enum cpu_level cpu_level(void);
/* A set of enum cpu_flag. */
unsigned cpu_flags(void);

/* scalar, avx2 or avx512, a static string. */
const char *cpu_level_name(enum cpu_level level);
/* False when word is none of them. */
bool cpu_level_parse(const char *word, enum cpu_level *level);
/* What POSTERN_CPU says when it is none of them, nor empty, and so changes nothing; else NULL. */
const char *cpu_odd_wish(void);

/* At start only: a kernel of this level or flag gave another result than scalar C in its self-test
 * and is not used. One warning line. */
void cpu_left_out(const char *kernel, const char *level);
