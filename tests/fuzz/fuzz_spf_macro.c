/* spf_macro: a sender, a NUL, a macro string: a domain-spec is a macro-string is an explain-string; names are names; texts have room. */
#include <stdlib.h>

#include "verify/auth/spf_macro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *nul = n ? memchr(data, 0, n) : NULL;
	char name[SPF_MACRO_NAME_MAX + 1], whole[300], part[300];
	unsigned use;
	if (!nul)
		return 0;
	struct bytes sender = bytes_of(data, (size_t)(nul - data));
	struct bytes in = bytes_of(nul + 1, n - sender.n - 1);
	struct spf_macro m = { .sender = sender,
			       .local = bytes_head(sender, sender.n / 2),
			       .sender_domain = bytes_from(sender, sender.n / 2),
			       .domain = bytes_from(sender, sender.n / 3),
			       .ptr = bytes_head(sender, sender.n / 3),
			       .helo = sender,
			       .now_s = n,
			       .ip = { [10] = 0xff, [11] = 0xff, [15] = (uint8_t)n } };
	m.ip[0] = n % 3 ? 0 : 0x20;
	bool domain = spf_macro_check(in, SPF_MACRO_DOMAIN, &use);
	bool string = spf_macro_check(in, SPF_MACRO_STRING, &use);
	bool explain = spf_macro_check(in, SPF_MACRO_EXPLAIN, &use);
	if ((domain && !string) || (string && !explain))
		abort();
	if (domain) {
		size_t len = spf_macro_name(&m, in, name);
		if (len > SPF_MACRO_NAME_MAX || (len && !spf_macro_is_name(bytes_of(name, len))))
			abort();
	}
	if (!explain)
		return 0;
	size_t len = spf_macro_text(&m, in, whole, sizeof whole);
	for (size_t i = 0; i < len; i++)
		if (whole[i] < 0x20 || whole[i] > 0x7e)
			abort();
	size_t less = spf_macro_text(&m, in, part, len / 2);
	if (len > sizeof whole || less != len / 2 || memcmp(whole, part, less) != 0)
		abort();
	return 0;
}
