/*
 * list - named sets of IP prefixes, domains, mail addresses and plain texts, looked up without
 * regard to how many there are.
 *
 * Immutable once made. An entry with "/" or that is an IP address is a prefix, one with "@" in it
 * an address (local part and domain compared without case), any other a domain, which stands for
 * itself and all below it. Prefixes of one family are found by binary search.
 */
#pragma once

#include "base/bytes.h"

enum { LIST_ENTRY_MAX = 512, LIST_ENTRIES_MAX = 1000000 };

struct list;

/* entry[i] copied; NULL when out of memory or too many. text: entries are texts, kept as they are.
 * bad: the number of the entry that is no address, domain or prefix, or LIST_ENTRIES_MAX. */
struct list *list_new(const char *name, const struct bytes *entry, uint32_t n, bool text,
		      uint32_t *bad);
void list_free(struct list *l);

const char *list_name(const struct list *l);
uint32_t list_count(const struct list *l);
/* As it was given, in the order it was given. */
struct bytes list_entry(const struct list *l, uint32_t i);

/* Each false for a NULL list. ip: IPv4 mapped into IPv6. domain: A-labels, lower case. */
bool list_has_ip(const struct list *l, const uint8_t ip[16]);
bool list_has_domain(const struct list *l, struct bytes domain);
/* An address or its domain is in it. */
bool list_has_address(const struct list *l, struct bytes local, struct bytes domain);
