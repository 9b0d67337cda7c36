/* Lines as entries: refused, or a list in which every address and domain of it is found. */
#include "base/list.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct bytes entry[1024];
	uint32_t lines = 0, bad;
	uint8_t ip[16] = { [10] = 0xff, [11] = 0xff };
	struct bytes rest = bytes_of(data, n);
	while (rest.n && lines < 1024) {
		const uint8_t *lf = memchr(rest.p, '\n', rest.n);
		size_t len = lf ? (size_t)(lf - rest.p) : rest.n;
		entry[lines++] = bytes_head(rest, len);
		rest = bytes_from(rest, len + 1);
	}
	struct list *l = list_new("l", entry, lines, false, &bad);
	if (!l && lines && bad >= lines)
		abort();
	for (uint32_t i = 0; l && i < lines; i++) {
		const uint8_t *at = memrchr(entry[i].p, '@', entry[i].n);
		size_t local = at ? (size_t)(at - entry[i].p) : 0;
		if (at && !list_has_address(l, bytes_head(entry[i], local),
					    bytes_from(entry[i], local + 1)))
			abort();
		list_has_domain(l, entry[i]);
		memcpy(ip + 12, entry[i].p, entry[i].n < 4 ? entry[i].n : 4);
		list_has_ip(l, ip);
	}
	list_free(l);
	return 0;
}
