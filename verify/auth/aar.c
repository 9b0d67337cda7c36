#include "verify/auth/aar.h"

#include "verify/header/cfws.h"
#include "verify/auth/resinfo.h"
#include "verify/auth/signature.h"

/* Over blanks and comments and one octet c. */
static bool take(struct bytes b, size_t *at, uint8_t c)
{
	*at = cfws_skip(b, *at);
	if (*at >= b.n || b.p[*at] != c)
		return false;
	(*at)++;
	return true;
}

uint8_t aar_instance(struct bytes value, struct bytes *payload)
{
	size_t at = 0;
	if (!take(value, &at, 'i') || !take(value, &at, '='))
		return 0;
	at = cfws_skip(value, at);
	size_t from = at;
	while (at < value.n && value.p[at] >= '0' && value.p[at] <= '9')
		at++;
	uint8_t i = signature_position(bytes_of(value.p + from, at - from));
	if (!i || !take(value, &at, ';'))
		return 0;
	*payload = bytes_from(value, at);
	return i;
}

enum auth_result aar_dmarc(struct bytes payload, struct arena *arena, struct bytes *from)
{
	enum auth_result result = AUTH_NONE;
	struct resinfo_list list;
	struct resinfo r;
	*from = bytes_of(NULL, 0);
	if (!resinfo_begin(&list, payload, false, arena))
		return AUTH_NONE;
	while (resinfo_next(&list, &r)) {
		bool first = !r.version.n || bytes_equal(r.version, bytes_str("1"));
		if (!first || !bytes_equal_nocase(r.method, bytes_str("dmarc")))
			continue;
		struct bytes own = resinfo_find(&r, "header", "from");
		bool other = from->n && own.n && !bytes_equal_nocase(*from, own);
		if (own.n)
			*from = own;
		if (other || !bytes_equal_nocase(r.result, bytes_str("pass")))
			result = AUTH_FAIL;
		else if (result == AUTH_NONE)
			result = AUTH_PASS;
	}
	return list.malformed ? AUTH_NONE : result;
}
