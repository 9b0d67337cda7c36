/*
 * bytes - a borrowed run of octets, never NUL-terminated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *p; /* may be NULL when n is 0 */
	size_t n;
};

static inline struct bytes bytes_of(const void *p, size_t n)
{
	return (struct bytes){ p, n };
}

/* Borrows a C string without its NUL. */
static inline struct bytes bytes_str(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline uint8_t bytes_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* ASCII case folded, other octets as they are. */
static inline bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (bytes_lower(a.p[i]) != bytes_lower(b.p[i]))
			return false;
	return true;
}

/* Six bits of a base64 letter (RFC 4648 section 4); -1: it is none. */
static inline int bytes_base64(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The run from off on; empty when off is at or behind the end. */
static inline struct bytes bytes_from(struct bytes b, size_t off)
{
	return off >= b.n ? (struct bytes){ b.p, 0 } : (struct bytes){ b.p + off, b.n - off };
}

/* At most n octets from the front. */
static inline struct bytes bytes_head(struct bytes b, size_t n)
{
	return (struct bytes){ b.p, n < b.n ? n : b.n };
}

/* Without leading and trailing SP, HTAB, CR and LF. */
static inline struct bytes bytes_trim(struct bytes b)
{
	while (b.n && (b.p[0] == ' ' || b.p[0] == '\t' || b.p[0] == '\r' || b.p[0] == '\n'))
		b.p++, b.n--;
	while (b.n && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\t' || b.p[b.n - 1] == '\r' ||
		       b.p[b.n - 1] == '\n'))
		b.n--;
	return b;
}
