#include "verify/dns/names.h"

#include <idn2.h>

#include "base/eight.h"

enum { LABEL_MAX = 63, UTF8_MAX = 1000 };

static size_t copy_ascii(struct bytes in, char *out)
{
	size_t label = 0;
	if (in.n == 0 || in.n > NAMES_MAX)
		return 0;
	for (size_t i = 0; i < in.n; i++) {
		uint8_t c = bytes_lower(in.p[i]);
		if (c == '.') {
			if (label == 0)
				return 0;
			label = 0;
		} else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
			   c == '_') {
			if (++label > LABEL_MAX)
				return 0;
		} else {
			return 0;
		}
		out[i] = (char)c;
	}
	out[in.n] = 0;
	return label ? in.n : 0;
}

size_t names_ascii(struct bytes in, char out[NAMES_MAX + 1])
{
	char utf8[UTF8_MAX + 1], *ascii = NULL;
	if (eight_ascii(in.p, in.n))
		return copy_ascii(in, out);
	if (in.n > UTF8_MAX || memchr(in.p, 0, in.n))
		return 0;
	memcpy(utf8, in.p, in.n);
	utf8[in.n] = 0;
	if (idn2_to_ascii_8z(utf8, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return 0;
	size_t n = copy_ascii(bytes_str(ascii), out);
	idn2_free(ascii);
	return n;
}

bool names_under(struct bytes name, struct bytes domain)
{
	if (domain.n == 0 || name.n < domain.n)
		return false;
	size_t more = name.n - domain.n;
	return memcmp(name.p + more, domain.p, domain.n) == 0 &&
	       (more == 0 || name.p[more - 1] == '.');
}
