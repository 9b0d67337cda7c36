/*
 * files - messages from files: a bare message, an mbox, a Maildir.
 *
 * A file whose first line ends in a bare LF is text: LF becomes CRLF (MESSAGE_TEXT), a CRLF in it
 * stays. An mbox begins with a "From " line; its messages are parted by such lines behind an empty
 * one, and ">From ",
 * ">>From " lose one ">" (mboxrd; what mboxo wrote is read the same way). With raw octets are taken
 * as they are and a file is one message. A message over limits.message_size keeps its header and a
 * running hash.
 * Not handled: Content-Length of mboxcl, folders inside a Maildir.
 */
#pragma once

#include <signal.h>

#include "base/config.h"
#include "base/message.h"

struct files;

struct files_setup {
	const struct config *cfg; /* all borrowed for the life of files and its messages */
	bool raw;
	const volatile sig_atomic_t *stop; /* not 0: reading ends with EINTR; NULL: it never does */
	uint64_t time_ns; /* message.time_ns */
	/* envelope of every message */
	bool has_client, has_helo, has_mail_from;
	struct address client;
	struct bytes helo, mail_from;
	struct message_rcpt *rcpt;
	uint32_t n_rcpt;
};

enum files_state {
	FILES_MESSAGE,
	FILES_END,
	FILES_BAD, /* why has one line; go on */
};

/* NULL when out of memory. */
struct files *files_new(const struct files_setup *setup);
/* Messages that are out stay. */
void files_free(struct files *f);

/* Takes fd, which stands at the start; borrows name, which stands in records and errors. */
void files_open(struct files *f, const char *name, int fd);

/* True when path is a folder with cur and new in it. */
bool files_is_maildir(const char *path);
/* Messages of cur and new in the order of their names. Borrows path. 0 or -errno. */
int files_open_maildir(struct files *f, const char *path);

/* Gives the next message of what is open; files_release takes it back, in any order. */
enum files_state files_next(struct files *f, struct message **m, char *why, size_t why_len);
void files_release(struct message *m);

/* Octets read of what is open. */
uint64_t files_read(const struct files *f);
