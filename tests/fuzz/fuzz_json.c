/* Any octets become a string, and a key, that a reader takes; in pieces as well, and in any space. */
#include <jansson.h>
#include <stdlib.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t cap = n * 12 + 64, cut = n ? data[0] % n : 0;
	char *buf = calloc(1, cap), *tight = calloc(1, cap);
	struct json j;
	for (int pass = 0; pass < 2; pass++) { /* the second in exactly the space of the first */
		json_init(&j, pass ? tight : buf, pass ? j.len : cap);
		json_object_begin(&j);
		json_key_bytes(&j, bytes_of(data, cut));
		json_text_begin(&j);
		json_text(&j, bytes_of(data, cut));
		json_text(&j, bytes_of(data + cut, n - cut));
		json_text_end(&j);
		json_object_end(&j);
		if (!json_done(&j).p)
			abort();
	}
	json_t *top = json_loadb(tight, j.len, JSON_ALLOW_NUL, NULL);
	if (!top && !memchr(data, 0, cut)) /* jansson takes no NUL in a key */
		abort();
	json_decref(top);
	free(buf);
	free(tight);
	return 0;
}
