/* forged: a line and the rest are a name and a text: 100 for itself, and never over it. */
#include <assert.h>

#include "verify/auth/fold.h"
#include "verify/auth/forged.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *end = n ? memchr(data, '\n', n) : NULL;
	struct bytes name = bytes_of(data, end ? (size_t)(end - data) : n);
	struct bytes text = bytes_from(bytes_of(data, n), name.n);
	uint32_t letters[FORGED_NAME_MAX];
	bool cut;
	unsigned len = fold_text(name, letters, FORGED_NAME_MAX, &cut);
	assert(forged_score(text, name) <= 100);
	assert(len == 0 || (letters[0] != ' ' && letters[len - 1] != ' '));
	if (len && !cut)
		assert(forged_score(name, name) == 100);
	return 0;
}
