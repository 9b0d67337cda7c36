/* header: fields lie one behind the other, and each is found by its name at or below where it stands. */
#include <assert.h>

#include "verify/auth/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static _Alignas(16) uint8_t memory[1 << 20];
	struct arena arena;
	struct header h;
	struct verdict_email email;
	arena_init(&arena, memory, sizeof memory);
	if (n > 1 << 16 || !header_split(&h, bytes_of(data, n), n, &arena))
		return 0;
	uint32_t at = 0;
	for (uint16_t i = 0; i < h.n; i++) {
		assert(h.field[i].off == at && h.field[i].len > 0);
		at += h.field[i].len;
		uint16_t k = header_last(&h, header_name(&h, i));
		while (k != HEADER_NONE && k != i)
			k = h.field[k].above;
		assert(h.field[i].name_len ? k == i : k == HEADER_NONE);
	}
	assert(at <= n);
	assert(address_email(&email, &h, &arena));
	return 0;
}
