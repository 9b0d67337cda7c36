/* arc: a key record, a NUL, a message: the chain and its DKIM are the same in one chunk and in many. */
#include "tests/arc_drive.h"

static uint32_t judge(struct drive *d, struct bytes text, unsigned chunk, unsigned lanes)
{
	d->chunk = chunk;
	d->lanes = lanes;
	const struct arc_result *r = drive_run(d, text);
	if (!r)
		return 1; /* no space: told elsewhere */
	uint32_t sum = r->result * 64u + r->instance + r->failed * 1024u + r->oldest_pass * 65536u;
	for (unsigned i = 0; i < r->n_set; i++)
		sum = sum * 31 + r->set[i].seal * 16 + r->set[i].message;
	for (unsigned i = 0; i < d->verdict.n_dkim; i++)
		sum = sum * 31 + d->verdict.dkim[i].result;
	if (r->trusted_pass && (!r->trusted || r->result != AUTH_PASS))
		abort();
	return sum * 2 + r->trusted_pass;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct drive *d;
	const uint8_t *nul = n && n < 1 << 17 ? memchr(data, 0, n) : NULL;
	if (!d) {
		struct bytes sealer = bytes_str("example.org");
		uint32_t bad;
		d = drive_new();
		d->sealers = list_new("sealers", &sealer, 1, false, &bad);
		d->profile.min_bits = 512;
		d->dkim = true;
	}
	if (!nul)
		return 0;
	d->key = bytes_of(data, (size_t)(nul - data));
	struct bytes text = bytes_of(nul + 1, n - d->key.n - 1);
	uint32_t whole = judge(d, text, 0, 1);
	if (judge(d, text, 7, 4) != whole)
		abort();
	return 0;
}
