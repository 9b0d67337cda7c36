/* mail - bodies as ordinary mail has them, made up: the same in every run. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum mail_kind {
	MAIL_PROSE, /* 72 columns, two spaces behind a sentence, 8 lines of 100 flowed */
	MAIL_HTML, /* lines indented by spaces, one of four by tabs */
	MAIL_BASE64, /* 76 columns */
	MAIL_MIX, /* 30 % prose, 40 % HTML, 30 % base64 */
	MAIL_KIND_N,
};

enum { MAIL_LINE = 256 };

extern const char *const mail_name[MAIL_KIND_N];

/*
 * Whole lines as they stand on the wire, dots stuffed, without the dot line at the end; out has room
 * for n + MAIL_LINE. Returns octets written, n at least.
 */
size_t mail_body(enum mail_kind kind, uint8_t *out, size_t n, uint64_t *random);
