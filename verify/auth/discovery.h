/*
 * discovery - which domain is an organization, and which DMARC record holds for a domain: the tree
 * walk of RFC 9989 section 4.10, and RFC 7489 sections 3.2 and 6.6.3 with the public suffix list.
 *
 * A walk asks for at most DISCOVERY_STEPS names, all at once; the jump of section 4.10 step 4 keeps
 * it there whatever the number of labels. The mode `auto` is the tree walk with the list as its
 * ceiling: a record without psd= at a name that the list calls a public suffix is read as if it
 * said psd=y. So the list can only ever make an organization smaller, and only where the DNS does
 * not say; a registry that publishes a record and forgets psd=y does not align its customers with
 * each other (section 11.8).
 */
#pragma once

#include "base/config.h"
#include "verify/auth/dmarc_record.h"
#include "verify/dns/known.h"
#include "verify/dns/suffixes.h"

enum { DISCOVERY_STEPS = 8 };

enum discovery_state {
	DISCOVERY_KNOWN,
	DISCOVERY_OPEN, /* questions are open */
	DISCOVERY_TIMEOUT, /* a question that it needs had no answer in time */
	DISCOVERY_FAILED, /* or failed */
	DISCOVERY_NO_SPACE,
};

struct discovery { /* set by the caller up to suffixes; borrowed for the calls */
	struct known *known;
	struct arena *arena;
	enum config_walk walk;
	const struct suffixes *suffixes; /* NULL: only the tree walk */
	bool insecure; /* an answer was used that DNSSEC did not prove */
};

struct discovery_organization {
	enum discovery_state state; /* the rest is valid if known */
	struct bytes domain; /* a tail of the name asked for */
	bool by_list; /* the list decided */
	bool suffix; /* it is itself a public suffix, by psd=y: nothing below belongs to it */
	const struct dmarc_record *record; /* the record at domain; NULL: none */
	const struct dmarc_record
		*above; /* the record at the public suffix right above it, by psd=y */
	struct bytes above_at;
	bool several; /* records that were discarded because there were several at a name */
	/* of a walk, what there is at the name asked for itself */
	enum discovery_state own_state;
	const struct dmarc_record *own; /* NULL: none */
	bool exists; /* the name is there: an answer showed it */
};

struct discovery_policy {
	enum discovery_state state;
	const struct dmarc_record *record; /* NULL: none holds */
	struct bytes at; /* where it was found: a tail of the author's domain */
	bool by_list;
	bool several;
	bool exists; /* an answer showed that the author's domain is there */
};

/* The organizational domain of name. name: A-labels, lower case, borrowed for the life of the
 * result. */
void discovery_organize(struct discovery *d, struct bytes name, struct discovery_organization *out);

/* The record that holds for an author's domain, and its organization, which may be open or failed
 * where the record is known. ahead: both names of RFC 7489 are asked for at once. */
void discovery_find(struct discovery *d, struct bytes author, bool ahead,
		    struct discovery_policy *out, struct discovery_organization *organization);

/* Whether name, which is below the organization of an author's domain for which a record holds,
 * belongs to it: its own organization is the same. What is at the organization and above it is not
 * asked again. */
enum discovery_state discovery_within(struct discovery *d, struct bytes name,
				      const struct discovery_organization *organization,
				      bool *within);

/* The last n labels of name; all of it when it has no more. */
struct bytes discovery_tail(struct bytes name, unsigned labels);
unsigned discovery_labels(struct bytes name);
