/* dmarc_record: what is taken begins as a record, what is kept of it lies inside, and lists end. */
#include <assert.h>

#include "verify/auth/dmarc_record.h"

static bool inside(struct bytes part, const uint8_t *data, size_t n)
{
	return !part.p || (part.p >= data && part.p + part.n <= data + n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct dmarc_record r;
	if (!dmarc_record_parse(&r, bytes_of(data, n)))
		return 0;
	assert(r.p.policy <= DMARC_REJECT && r.sp.policy <= DMARC_REJECT);
	assert(r.np.policy <= DMARC_REJECT && r.pct <= 100 && r.psd <= DMARC_PSD_NO);
	assert(inside(r.rua, data, n) && inside(r.ruf, data, n) && inside(r.fo, data, n));
	assert(r.ruf.p || !r.fo.p);
	struct bytes list = r.rua, uri;
	size_t uris = 0;
	while (dmarc_record_uri(&list, &uri)) {
		assert(inside(uri, data, n) && uri.n >= 3);
		uris++;
	}
	assert(r.reports == (uris > 0) && uris <= n);
	return 0;
}
