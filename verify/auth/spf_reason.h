/*
 * spf_reason - why an SPF or Sender ID check has the result it has, where a record's own words do
 * not say it: the fixed list of words in the record.
 */
#pragma once

#include "base/verdict.h"

/* symbol, word, result, meaning */
#define SPF_REASONS(ROW) \
	ROW(NONE, NULL, PASS, "a mechanism decided, or none did") \
	/* nothing to check */ \
	ROW(MALFORMED, "malformed", NONE, "the identity has no domain name of several labels") \
	ROW(NO_DOMAIN, "no_such_domain", NONE, "the domain does not exist") \
	ROW(NO_RECORD, "no_record", NONE, "the domain publishes no record for this identity") \
	ROW(NO_PRA, "no_pra", NONE, "the header has no single purported responsible address") \
	ROW(RESENT, "resent", NONE, "a PRA pass taken back: the message was sent again") \
	/* not seen */ \
	ROW(NO_CLIENT, "no_client", UNVERIFIABLE, "the client's address was not seen") \
	ROW(NO_HELO, "no_helo", UNVERIFIABLE, "the HELO name was not seen") \
	ROW(NO_MAIL_FROM, "no_mail_from", UNVERIFIABLE, "the sender of the envelope was not seen") \
	ROW(NO_HEADER, "no_header", UNVERIFIABLE, "the header section was not seen whole") \
	/* records */ \
	ROW(SYNTAX, "syntax", PERMERROR, "a record is malformed") \
	ROW(SEVERAL_RECORDS, "several_records", PERMERROR, "a name has more than one record") \
	ROW(RECORD_LIMIT, "record_limit", PERMERROR, "a record has too many terms") \
	ROW(NO_INCLUDE, "no_include", PERMERROR, "what include names has no record") \
	ROW(NO_REDIRECT, "no_redirect", PERMERROR, "what redirect names has no record") \
	/* limits (RFC 7208 section 4.6.4) */ \
	ROW(LOOKUP_LIMIT, "lookup_limit", PERMERROR, "too many terms that need the DNS") \
	ROW(VOID_LIMIT, "void_limit", PERMERROR, "too many terms for which the DNS has nothing") \
	ROW(MX_LIMIT, "mx_limit", PERMERROR, "mx has more than 10 hosts") \
	/* the DNS */ \
	ROW(TIMEOUT, "dns_timeout", TEMPERROR, "no answer in time") \
	ROW(FAILED, "dns_failed", TEMPERROR, "a question failed") \
	ROW(NO_SPACE, "no_space", TEMPERROR, "the records did not fit what a message has room for")

#define SPF_REASON_ENUM(symbol, word, result, meaning) SPF_REASON_##symbol,
enum spf_reason { SPF_REASONS(SPF_REASON_ENUM) SPF_REASON_N };
#undef SPF_REASON_ENUM

/* The word, NULL for SPF_REASON_NONE; its result; its meaning. */
const char *spf_reason_word(enum spf_reason r);
enum auth_result spf_reason_result(enum spf_reason r);
const char *spf_reason_meaning(enum spf_reason r);
/* The word, or NULL, is that of a limit: of the RFC, or of the room there is. */
bool spf_reason_limit(const char *word);
