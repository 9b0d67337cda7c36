/*
 * master - an RFC 1035 master file as a run of records.
 *
 * $ORIGIN, $TTL, parentheses, escapes and unknown types (RFC 3597) are understood; names without an
 * origin are under the root. Behind the records come the lines ";ERROR,name,TYPE,RCODE" (TIMEOUT,
 * SERVFAIL, NXDOMAIN, NODATA; the name is absolute), which say how a question is to fail. Not
 * handled: $INCLUDE and classes other than IN, which are refused.
 */
#pragma once

#include "verify/dns/question.h"

enum { MASTER_NAME_MAX = 255 };

struct master;

struct master_record {
	uint8_t name[MASTER_NAME_MAX]; /* wire form, lower case */
	uint8_t name_len;
	bool fails; /* an ERROR line */
	uint8_t status; /* of an ERROR line: enum answer_status */
	uint16_t type;
	uint32_t ttl_s;
	struct bytes
		data; /* RDATA in wire form, TXT strings joined; borrowed until the next call */
	int line; /* its first one */
};

/* Borrows text, name (which stands for the file) and why until master_close. 0 or -errno, with why
 * set. */
int master_open(struct master **out, struct bytes text, const char *name, char *why,
		size_t why_len);
/* 1: *r is there; 0: end; -errno: why has one line with place and cure. */
int master_next(struct master *m, struct master_record *r);
void master_close(struct master *m);

/* Sets why: "file:line: what; cure". Returns -EINVAL. */
int master_refuse(struct master *m, int line, const char *what, const char *cure);

/* Text without escapes to wire form in lower case. Returns its length, 0 when no such name can be.
 */
size_t master_name(uint8_t wire[MASTER_NAME_MAX], const char *text, size_t n);
