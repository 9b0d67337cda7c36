/*
 * maillog - judged messages for people and log readers: a line each result.
 *
 *     Sat Nov 21 10:00:00 2026 Info: MID 17 SPF: mailfrom identity a@sender.example pass
 *
 * Time in UTC, level, the message's number, what speaks, and what it says. Level is Info, or Warning
 * where nobody judged. Nothing but printable ASCII comes out of a mail: other octets are \xNN, a
 * value with a blank or a quote stands in quotes, one over MAILLOG_VALUE_MAX octets ends in "~". So
 * a line is never more than one, nor of another message than it says.
 * Not handled: lines of signing, delivery and connections.
 */
#pragma once

#include "base/config.h"
#include "base/message.h"
#include "base/verdict.h"

enum { MAILLOG_VALUE_MAX = 320, MAILLOG_LINE_MAX = 8192 };

struct maillog;

/* style: that of header fields. STYLE_ASYNCOS has the words and forms of AsyncOS for DKIM and SPF.
 * NULL when out of memory. */
struct maillog *maillog_new(enum config_style style);
void maillog_free(struct maillog *l);

/* All lines of a message, each with its newline, borrowed until the next call. Never empty. */
struct bytes maillog_lines(struct maillog *l, const struct message *m, uint64_t mid);
