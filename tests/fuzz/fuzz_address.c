/* address: parts of a mailbox lie in the list or the arena, and no unclear From: has a domain to judge. */
#include <assert.h>

#include "base/utf8.h"
#include "verify/auth/address.h"
#include "verify/header/mailbox.h"

static _Alignas(16) uint8_t memory[1 << 20];

static bool inside(struct bytes part, struct bytes whole)
{
	return !part.n || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n) ||
	       (part.p >= memory && part.p + part.n <= memory + sizeof memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena arena;
	struct header h;
	struct mailbox_list l;
	struct mailbox m;
	struct verdict_from f;
	struct bytes in = bytes_of(data, n);
	if (n > 1 << 16)
		return 0;
	arena_init(&arena, memory, sizeof memory);
	mailbox_begin(&l, in, &arena);
	while (mailbox_next(&l, &m)) {
		assert(inside(m.raw, in) && inside(m.display, in) && inside(m.comment, in));
		assert(inside(m.local, in) && inside(m.domain, in) && inside(m.name, in));
		assert(!(m.flags & MAILBOX_MALFORMED) == (m.local.n && m.domain.n));
		assert((l.flags & m.flags & MAILBOX_MALFORMED) == (m.flags & MAILBOX_MALFORMED));
	}
	arena_init(&arena, memory, sizeof memory);
	if (!header_split(&h, in, n, &arena) || !address_from(&f, &h, NULL, &arena, NULL))
		return 0;
	assert(f.n_domain == 0 || (f.n_domain == f.n_shown && f.mailboxes >= f.n_domain));
	assert(!(f.flags & (FROM_NONE | FROM_SEVERAL_FIELDS | FROM_MALFORMED)) || !f.n_domain);
	assert(utf8_valid(f.display));
	return 0;
}
