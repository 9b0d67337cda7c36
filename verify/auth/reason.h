/*
 * reason - why a signature of DKIM or ARC, or an ARC chain, has the result it has: the fixed list of
 * words in the record.
 *
 * Each reason belongs to one result (RFC 8601 section 2.7.1, and `unverifiable`): the first that
 * applies, in the order of RFC 6376 section 6.1: the field, what policy refuses unseen, the key,
 * the body, the signature. A chain has the reason of the first of its signatures that did not pass,
 * or one of its own (RFC 8617 section 5.2).
 */
#pragma once

#include "base/verdict.h"

/* symbol, word, result, meaning */
#define REASONS(ROW) \
	ROW(NONE, NULL, PASS, "the signature verified") \
	/* the field (6.1.1) */ \
	ROW(SYNTAX, "syntax", PERMERROR, "no tag=value list, or a duplicate tag") \
	ROW(MISSING_TAG, "missing_tag", PERMERROR, "one of v a b bh d h s is not there") \
	ROW(VERSION, "version", PERMERROR, "v= is not 1") \
	ROW(ALGORITHM, "algorithm", PERMERROR, "a= is not known") \
	ROW(CANONICALIZATION, "canonicalization", PERMERROR, "c= is not known") \
	ROW(QUERY, "query", PERMERROR, "q= does not have dns/txt") \
	ROW(DOMAIN, "domain", PERMERROR, "d= is no domain name of two labels, or too long") \
	ROW(SELECTOR, "selector", PERMERROR, "s= is no selector, or too long") \
	ROW(HEADER_LIST, "header_list", PERMERROR, "h= is empty or has what is no field name") \
	ROW(FROM_UNSIGNED, "from_unsigned", PERMERROR, "h= has no From") \
	ROW(IDENTITY, "identity", PERMERROR, "i= is no address") \
	ROW(MISMATCH, "domain_mismatch", PERMERROR, "i= is outside d=, or below it with t=s") \
	ROW(LENGTH, "length", PERMERROR, "l= is no number") \
	ROW(TIME, "time", PERMERROR, "t= or x= is no number, or x= before t=") \
	ROW(BODY_HASH_VALUE, "body_hash_value", PERMERROR, "bh= is no hash of that algorithm") \
	ROW(SIGNATURE_VALUE, "signature_value", PERMERROR, "b= is no base64, empty or too long") \
	/* refused unseen */ \
	ROW(SHA1, "sha1", POLICY, "rsa-sha1 (RFC 8301 section 3.1)") \
	ROW(EXPIRED, "expired", POLICY, "x= is past, beyond the skew") \
	ROW(FUTURE, "future", POLICY, "t= is to come, beyond the skew") \
	ROW(LENGTH_USED, "length_used", POLICY, "l= is there and not to be honoured") \
	/* octets */ \
	ROW(OCTETS_MISSING, "octets_missing", UNVERIFIABLE, "octets it covers were not seen") \
	ROW(NOT_KEPT, "not_kept", UNVERIFIABLE, "octets it covers were over a limit and not kept") \
	ROW(HEADER_LIMIT, "header_limit", UNVERIFIABLE, "the header section is over a limit") \
	ROW(NO_SPACE, "no_space", UNVERIFIABLE, \
	    "the header did not fit what verification has room for") \
	/* the key (6.1.2) */ \
	ROW(KEY_TIMEOUT, "key_timeout", TEMPERROR, "no answer about the key in time") \
	ROW(KEY_FAILED, "key_failed", TEMPERROR, "the question for the key failed") \
	ROW(TEST_MODE, "test_mode", NEUTRAL, "the key has t=y, and the profile skips such keys") \
	ROW(NO_KEY, "no_key", PERMERROR, "there is no key record") \
	ROW(KEY_SYNTAX, "key_syntax", PERMERROR, "the key record or the key in it is malformed") \
	ROW(KEY_SERVICE, "key_service", PERMERROR, "the key is not for mail") \
	ROW(KEY_REVOKED, "key_revoked", PERMERROR, "p= is empty") \
	ROW(KEY_TYPE, "key_type", PERMERROR, "the key is of another type than a=") \
	ROW(KEY_HASH, "key_hash", PERMERROR, "the key does not allow the hash of a=") \
	ROW(KEY_SIZE, "key_size", POLICY, "the key is too short or too long") \
	/* body and signature (6.1.3) */ \
	ROW(LENGTH_OVER, "length_over_body", PERMERROR, "l= is more than the body has") \
	ROW(BODY_HASH, "body_hash", FAIL, "the body hash did not verify") \
	ROW(SIGNATURE, "signature", FAIL, "the signature did not verify") \
	/* fields of ARC (RFC 8617 section 4.1) */ \
	ROW(SEAL_COVERS, "seal_covers", PERMERROR, "a seal has h= or bh=") \
	ROW(SEAL_COVERED, "seal_covered", PERMERROR, "h= of a message signature has ARC-Seal") \
	/* the chain (RFC 8617 section 5.2) */ \
	ROW(INSTANCE, "instance", FAIL, "an ARC field has no i= of 1 to 50") \
	ROW(SETS, "sets", FAIL, "a set is missing, lacks a field or has one twice") \
	ROW(CHAIN_ENDED, "chain_ended", FAIL, "the newest seal says cv=fail") \
	ROW(CHAIN_STATUS, "chain_status", FAIL, \
	    "cv= is not none in the first seal, pass in later ones")

#define REASON_ENUM(symbol, word, result, meaning) REASON_##symbol,
enum reason { REASONS(REASON_ENUM) REASON_N };
#undef REASON_ENUM

/* The word, NULL for REASON_NONE; its result; its meaning. */
const char *reason_word(enum reason r);
enum auth_result reason_result(enum reason r);
const char *reason_meaning(enum reason r);
