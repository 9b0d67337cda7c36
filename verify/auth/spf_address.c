#include "verify/auth/spf_address.h"

#include <arpa/inet.h>
#include <stdio.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

bool spf_address_is_ip4(const uint8_t ip[16])
{
	return memcmp(ip, mapped, sizeof mapped) == 0;
}

bool spf_address_in(const uint8_t *ip, const uint8_t *network, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(ip, network, whole) != 0)
		return false;
	return rest == 0 || ((ip[whole] ^ network[whole]) & (0xff00 >> rest) & 0xff) == 0;
}

/* The same of many: a hostile host may have thousands. */
static bool found_ip4(const struct answer *a, const uint8_t ip[4], unsigned bits)
{
	uint32_t own, other, mask = htonl(bits ? UINT32_MAX << (32 - bits) : 0);
	memcpy(&own, ip, sizeof own);
	for (unsigned i = 0; i < a->n; i++) {
		if (a->rr[i].data.n != sizeof other)
			continue;
		memcpy(&other, a->rr[i].data.p, sizeof other);
		if (!((own ^ other) & mask))
			return true;
	}
	return false;
}

bool spf_address_found(const struct answer *a, const uint8_t ip[16], unsigned cidr4, unsigned cidr6)
{
	if (spf_address_is_ip4(ip))
		return found_ip4(a, ip + 12, cidr4);
	for (unsigned i = 0; i < a->n; i++) {
		struct bytes data = a->rr[i].data;
		if (data.n == 16 && spf_address_in(ip, data.p, cidr6))
			return true;
	}
	return false;
}

size_t spf_address_reverse(const uint8_t ip[16], char out[SPF_ADDRESS_REVERSE_MAX])
{
	if (spf_address_is_ip4(ip))
		return (size_t)snprintf(out, SPF_ADDRESS_REVERSE_MAX, "%u.%u.%u.%u.in-addr.arpa",
					ip[15], ip[14], ip[13], ip[12]);
	size_t n = 0;
	for (unsigned i = 32; i-- > 0;) {
		out[n++] = "0123456789abcdef"[ip[i / 2] >> (i & 1 ? 0 : 4) & 15];
		out[n++] = '.';
	}
	memcpy(out + n, "ip6.arpa", 9);
	return n + 8;
}

size_t spf_address_host(struct bytes wire, char out[QUESTION_NAME_MAX + 1])
{
	size_t n = 0;
	for (size_t i = 0; i < wire.n;) {
		size_t label = wire.p[i++];
		if (label == 0) {
			out[n ? n - 1 : 0] = 0;
			return n ? n - 1 : 0;
		}
		if (label > 63 || label > wire.n - i || n + label + 1 > QUESTION_NAME_MAX)
			return 0;
		for (; label; label--, i++) {
			if (wire.p[i] == '.')
				return 0;
			out[n++] = (char)wire.p[i];
		}
		out[n++] = '.';
	}
	return 0;
}
