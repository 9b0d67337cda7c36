/* authres: texts of others in every place of our fields leave one field each, and the authserv-id that is read back is ours. */
#include <assert.h>

#include "verify/auth/authres.h"

static _Alignas(16) uint8_t memory[1 << 20];

static void whole(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		assert(b.p[i] != '\n' ? b.p[i] >= ' ' || b.p[i] == '\t' || b.p[i + 1] == '\n'
				      : i + 1 < b.n && b.p[i + 1] == '\t' && b.p[i - 1] == '\r');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct config cfg = { .authserv_id = "mx.example.org" };
	struct bytes text = bytes_of(data, n < 1000 ? n : 1000);
	struct dkim_result dkim = { .result = (uint8_t)(n % AUTH_RESULT_N),
				    .domain = text,
				    .identity = text,
				    .b = bytes_head(text, 8) };
	struct origin origin = { true, true, true, .helo = text, .mail_from = text };
	struct verdict v = { .checks = 0xff, .dkim = &dkim, .n_dkim = 1 };
	struct header h;
	struct arena arena;
	arena_init(&arena, memory, sizeof memory);
	if (n > 1 << 16 || !header_split(&h, bytes_of(data, n), n, &arena))
		return 0;
	cfg.header_style = n % 3;
	v.from.address = v.dmarc.author = text;
	v.dmarc.has_record = true;
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++)
		v.spf[i] = (struct spf_result){ true,           dkim.result,    (uint8_t)i,
						.sender = text, .domain = text, .mechanism = text };
	struct authres_setup setup = { .cfg = &cfg, .header = &h, .origin = &origin };
	assert(authres_make(&setup, &v, &arena));
	whole(v.headers.authentication_results);
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++)
		whole(v.headers.received_spf[i]);
	struct bytes value = bytes_from(v.headers.authentication_results, 23);
	assert(bytes_equal(authres_id(value, &arena), bytes_str(cfg.authserv_id)));
	return 0;
}
