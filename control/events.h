/*
 * events - the record of one message: a JSON object on one line, shaped like Suricata's EVE.
 *
 * Made from struct message and its verdict. `auth` has what this engine judges, which is DKIM
 * alone; a key of a check that was not made is absent. A message without a signature has one dkim
 * entry, "none". Beside the common members: dkim entries have "body_octets" when l= left octets
 * uncovered and "test_mode" when the key says so, pop3 has "messages", and a message from a file
 * has "source".
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
