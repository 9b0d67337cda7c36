#include "bench/ref/ref.h"

#include <stdbool.h>

size_t ref_simple(const uint8_t *p, size_t n, uint8_t *out)
{
	size_t o = 0, ends = 0; /* line ends not yet written */
	bool start = true; /* of a line */
	for (size_t i = 0; i < n; i++) {
		if (start && p[i] == '.') {
			start = false;
			continue;
		}
		start = p[i] == '\r' && i + 1 < n && p[i + 1] == '\n';
		if (start) {
			ends++;
			i++;
			continue;
		}
		for (; ends; ends--) {
			out[o++] = '\r';
			out[o++] = '\n';
		}
		out[o++] = p[i];
	}
	out[o++] = '\r';
	out[o++] = '\n';
	return o;
}

size_t ref_relaxed(const uint8_t *p, size_t n, uint8_t *out)
{
	size_t o = 0, ends = 0; /* line ends not yet written */
	bool start = true, blank = false;
	for (size_t i = 0; i < n; i++) {
		if (start && p[i] == '.') {
			start = false;
			continue;
		}
		start = p[i] == '\r' && i + 1 < n && p[i + 1] == '\n';
		if (start) {
			ends++;
			blank = false;
			i++;
			continue;
		}
		if (p[i] == ' ' || p[i] == '\t') {
			blank = true;
			continue;
		}
		for (; ends; ends--) {
			out[o++] = '\r';
			out[o++] = '\n';
		}
		if (blank)
			out[o++] = ' ';
		blank = false;
		out[o++] = p[i];
	}
	if (o) {
		out[o++] = '\r';
		out[o++] = '\n';
	}
	return o;
}

/* RFC 4648 section 4, one more than the value; 0: not of the alphabet. */
static const uint8_t base64[256] = {
	['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,
	['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
	['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
	['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
	['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
	['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
	['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
	['/'] = 64,
};

size_t ref_base64(const uint8_t *p, size_t n, uint8_t *out)
{
	size_t o = 0;
	uint32_t group = 0;
	unsigned have = 0; /* digits of it */
	for (size_t i = 0; i < n && p[i] != '='; i++) {
		uint8_t value = base64[p[i]];
		if (!value)
			continue;
		group = group << 6 | (value - 1u);
		if (++have < 4)
			continue;
		out[o++] = (uint8_t)(group >> 16);
		out[o++] = (uint8_t)(group >> 8);
		out[o++] = (uint8_t)group;
		have = 0;
	}
	if (have >= 2)
		out[o++] = (uint8_t)(group >> (have == 2 ? 4 : 10));
	if (have == 3)
		out[o++] = (uint8_t)(group >> 2);
	return o;
}
