/*
 * command - one SMTP command line taken apart (RFC 5321 4.1.2, and what clients send instead).
 *
 * Verbs in any case; blanks around the colon of MAIL FROM and RCPT TO, no blanks at all, no
 * brackets. Addresses come out as on the wire, without brackets and source route.
 * Not handled:
 * comments in addresses (RFC 5321 has none).
 */
#pragma once

#include "base/bytes.h"

enum command {
	COMMAND_OTHER, /* not known, or without meaning for a transaction */
	COMMAND_HELO,
	COMMAND_EHLO,
	COMMAND_LHLO,
	COMMAND_MAIL,
	COMMAND_RCPT,
	COMMAND_DATA,
	COMMAND_BDAT,
	COMMAND_RSET,
	COMMAND_AUTH,
	COMMAND_STARTTLS,
	COMMAND_XCLIENT,
	COMMAND_QUIT,
	COMMAND_NOOP, /* NOOP, VRFY, EXPN, HELP, ETRN, TURN, XFORWARD */
};

/* *args: what follows the verb, without blanks around it. */
enum command command_parse(struct bytes line, struct bytes *args);

/* The word FROM or TO, a colon, the path: *address is lent from args, *params what is behind.
 * False: not of that form. */
bool command_path(struct bytes args, const char *word, struct bytes *address, struct bytes *params);

/* Takes the next word off *params; *value is what is behind its first =, p NULL when there is none.
 */
bool command_param(struct bytes *params, struct bytes *key, struct bytes *value);

enum command_bdat {
	COMMAND_BDAT_GOOD,
	COMMAND_BDAT_ODD, /* a number, but what follows it is not LAST: n and *last are filled in */
	COMMAND_BDAT_BAD, /* no number, or over 2^63 - 1 */
};
enum command_bdat command_bdat(struct bytes args, uint64_t *n, bool *last);

/* Decodes base64 up to the first octet that is not; returns the octets written, at most max. */
size_t command_base64(struct bytes in, uint8_t *out, size_t max);

enum command_auth { /* what the next answer of an AUTH exchange is */
		    COMMAND_AUTH_SECRET,
		    COMMAND_AUTH_PLAIN, /* RFC 4616 */
		    COMMAND_AUTH_USER, /* of LOGIN */
};
enum { COMMAND_AUTH_MAX = 3072 };

/* Mechanism and *initial response of AUTH's arguments. */
enum command_auth command_auth(struct bytes args, struct bytes *initial);

/* The user name in an answer, in out (which the caller wipes); p NULL when there is none. */
struct bytes command_auth_user(enum command_auth what, struct bytes answer,
			       uint8_t out[COMMAND_AUTH_MAX]);
