/*
 * events - the record of one message: a JSON object on one line, shaped like Suricata's EVE.
 *
 * Made from struct message and its verdict. A key of a check that was not made is absent; a message
 * without a signature has one dkim entry, "none". docs/operating.md has all members. A record is at
 * most RECORD_MAX octets (events.c), whatever came in.
 * Not handled: attachments, addresses in the text, matches; their arrays are empty.
 */
#pragma once

#include "base/config.h"
#include "base/message.h"
#include "base/verdict.h"

struct events;

/* NULL when out of memory. */
struct events *events_new(const struct config *cfg);
void events_free(struct events *e);
void events_config(struct events *e, const struct config *cfg);

/* The line with its newline, borrowed until the next call. Never empty. */
struct bytes events_record(struct events *e, const struct message *m);

enum { EVENTS_TIME_MAX = 32, EVENTS_IP_MAX = 46 };

/* 2026-11-21T10:00:00.000123+0000; returns its length. */
size_t events_time(struct events *e, uint64_t time_ns, char out[EVENTS_TIME_MAX]);
/* IPv4 or IPv6 text; returns its length. */
size_t events_ip(const struct address *a, char out[EVENTS_IP_MAX]);
