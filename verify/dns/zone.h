/*
 * zone - names and their answers from one RFC 1035 master file, read once and immutable after that.
 *
 * Answers alone: a name that is not in the file does not exist. Names may lie under any roots, no
 * SOA is needed. CNAMEs are followed (ZONE_CHAIN_MAX of them, longer chains and loops are
 * SERVFAIL), wildcards expanded (RFC 4592, with empty non-terminals). A line
 * ";ERROR,name,TYPE,RCODE" (TIMEOUT, SERVFAIL, NXDOMAIN, NODATA; the name is absolute) makes that
 * question fail in that way. A set of records over ANSWER_OCTETS_MAX is SERVFAIL.
 * Not handled:
 * $INCLUDE and classes other than IN are refused; NS delegates nothing and DNAME renames nothing.
 */
#pragma once

#include "verify/dns/question.h"

enum { ZONE_CHAIN_MAX = 11, ZONE_FILE_MAX = 256 * 1024 * 1024 };

struct zone;

/* 0 or -errno; why gets one line with file, line and cure. Gives *out to zone_free. */
int zone_load(struct zone **out, const char *path, char *why, size_t why_len);

/* The same for a text in memory, borrowed for the call; name stands for the file in `why`. */
int zone_parse(struct zone **out, struct bytes text, const char *name, char *why, size_t why_len);

void zone_free(struct zone *z);

/* Never NULL; lives as long as z. May be called on any thread. */
const struct answer *zone_answer(const struct zone *z, const struct question *q);
