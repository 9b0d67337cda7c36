/* Any octets as a header field: ASCII in gives UTF-8 out, and decoding reads nothing outside. */
#include "control/words.h"

#include <stdlib.h>

#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct words *w;
	bool ascii = true;
	if (!w)
		w = words_new();
	for (size_t i = 0; i < n; i++)
		ascii &= data[i] < 0x80;
	for (int kind = WORDS_TEXT; kind <= WORDS_ADDRESS; kind++) {
		struct bytes out = words_decode(w, (enum words_kind)kind, bytes_of(data, n));
		if (ascii && !utf8_valid(out))
			abort();
	}
	return 0;
}
