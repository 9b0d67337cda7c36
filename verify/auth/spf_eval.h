/*
 * spf_eval - the terms of SPF records against one client: what check_host() of RFC 7208 does at each
 * step (sections 4.3 to 5.7). Which step comes next is spf.h's.
 *
 * At most SPF_EVAL_HOSTS_MAX hosts of one mx (more are an error) and of one ptr (more are left out).
 */
#pragma once

#include "verify/auth/spf.h"
#include "verify/auth/spf_macro.h"
#include "verify/auth/spf_reason.h"
#include "verify/auth/spf_record.h"

enum { SPF_EVAL_HOSTS_MAX = 10 };

struct spf_frame { /* one record under evaluation */
	const struct spf_record *record;
	struct bytes domain; /* <domain> of section 4.1 */
	uint16_t next; /* term */
};

struct spf_eval {
	const struct spf_setup *setup;
	struct spf_result *out;
	struct trace *trace;
	struct spf_macro macro;
	bool ip4, local_bad, used, insecure;
	unsigned depth; /* frames */
	struct spf_frame stack[SPF_DEPTH_MAX];
};

enum spf_step {
	SPF_STEP_NO, /* the term does not match */
	SPF_STEP_MATCH,
	SPF_STEP_ASK, /* it depends on an open question */
	SPF_STEP_RECORD, /* evaluation goes on in another record */
	SPF_STEP_END, /* the result stands */
};

/* The check ends with that result. SPF_STEP_END. */
enum spf_step spf_eval_end(struct spf_eval *c, enum spf_reason why);

/* A term that needs the DNS begins (section 4.6.4). SPF_STEP_NO, or _END: it is one too many. */
enum spf_step spf_eval_count(struct spf_eval *c, const struct spf_term *t);

/* The next mechanism of a record. */
enum spf_step spf_eval_term(struct spf_eval *c, struct spf_frame *f, const struct spf_term *t);

/* Puts the record of that domain on the stack. none, gone: the end if there is none, or not even
 * the name. SPF_STEP_RECORD, _ASK or _END. */
enum spf_step spf_eval_begin(struct spf_eval *c, struct bytes domain, enum spf_reason none,
			     enum spf_reason gone);

/* The <target-name> of a term. Empty: there is none that could match. SPF_STEP_NO, _ASK or _END. */
enum spf_step spf_eval_target(struct spf_eval *c, const struct spf_frame *f,
			      const struct spf_term *t, struct bytes *name);

/*
 * The best of the validated names of the client (section 5.5): the domain itself, one below it, and
 * with `any` another. Empty: there is none. SPF_STEP_NO, _ASK or _END.
 */
enum spf_step spf_eval_ptr(struct spf_eval *c, struct bytes domain, bool any, struct bytes *found);

/* An ip4 or ip6 term has the client. */
bool spf_eval_network(const struct spf_eval *c, const struct spf_frame *f,
		      const struct spf_term *t);

/* The record of an answer that counts for the identity, parsed once a message at most; *n: how many
 * there are. NULL: none, or with *n there is no room. */
const struct spf_record *spf_eval_record(struct spf_eval *c, struct record *r, unsigned *n);
