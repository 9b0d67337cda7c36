/*
 * input - what a name on the command line of `scan` stands for: a file, a Maildir, "-".
 *
 * A pipe can be read once only, so its first octets are looked at here and a thread feeds them and
 * the rest into a new pipe in place of standard input.
 */
#pragma once

#include "base/bytes.h"

enum { INPUT_HEAD_MAX = 4096 };

/* Whether so many first octets are enough to tell what it is: a quiet pipe is not waited for then.
 */
typedef bool input_told(struct bytes head);

struct input {
	const char *path; /* "-" also for a pipe by another name: read standard input */
	const char *name; /* for records and errors */
	bool maildir;
	int fd; /* at the start; -1 for a Maildir; the caller's to close */
	uint64_t size; /* octets, 0: unknown */
	size_t head_len;
	uint8_t head[INPUT_HEAD_MAX];
};

/* Borrows name; told only during the call. 0, or -1 and why has one line. */
int input_open(struct input *in, const char *name, input_told *told, char *why, size_t why_len);

/* Octets of all regular files among the names. */
uint64_t input_sizes(char *const *name, unsigned n);
