/* taglist: tags are distinct, values lie inside their raw text, and a list and its items come to an end. */
#include <assert.h>

#include "verify/header/taglist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct taglist t;
	if (!taglist_parse(&t, bytes_of(data, n)))
		return 0;
	assert(t.n > 0 && t.n <= TAGLIST_MAX);
	for (unsigned i = 0; i < t.n; i++) {
		struct tag *tag = &t.tag[i];
		assert(tag->name.n > 0 && tag->value.p >= tag->raw.p);
		assert(tag->value.p + tag->value.n <= tag->raw.p + tag->raw.n);
		assert(tag->raw.p + tag->raw.n <= data + n);
		for (unsigned k = 0; k < i; k++)
			assert(!bytes_equal(tag->name, t.tag[k].name));
		struct bytes list = tag->value, item;
		for (size_t items = 0; taglist_item(&list, &item); items++)
			assert(items <= tag->value.n);
	}
	return 0;
}
