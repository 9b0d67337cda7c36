/* pubkey: any octets as a key, any as its signature: the same key and verdict at every level; the lowest is OpenSSL's. */
#include <assert.h>

#include "tests/fuzz/pieces.h"
#include "verify/kernel/pubkey.h"

/* What became of it: the result of parsing, bits, whether it is good. */
static uint64_t judge(struct pubkey_queue *q, enum pubkey_type type, struct bytes key,
		      struct bytes signature, bool sha1)
{
	struct pubkey k;
	struct pubkey_job job = { .key = &k,
				  .signature = signature,
				  .hash = sha1 ? HASH_SHA1 : HASH_SHA256,
				  .digest_len = sha1 ? 20 : 32 };
	enum pubkey_result r = pubkey_parse(q, &k, type, key);
	uint64_t seen = (uint64_t)k.bits << 8 | (uint64_t)r << 1;
	if (r == PUBKEY_OK) {
		struct pubkey_job *back = pubkey_submit(q, &job);
		back = back ? back : pubkey_flush(q);
		assert(back == &job && !pubkey_flush(q));
		seen |= job.good;
	}
	pubkey_fini(&k);
	return seen;
}

/* The digest is of zeros. Of the first three octets one says what it is, two how long the key is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct pubkey_queue *q[CPU_LEVEL_N];
	if (n < 3)
		return 0;
	struct bytes all = bytes_of(data + 3, n - 3);
	struct bytes key = bytes_head(all, (size_t)data[1] << 8 | data[2]);
	struct bytes signature = bytes_from(all, key.n);
	key.p = memcpy(pieces_room(key.n), key.p, key.n);
	signature.p = memcpy(pieces_room(signature.n), signature.p, signature.n);
	for (int l = 0; l <= (int)cpu_level(); l++) {
		if (!q[l])
			q[l] = pubkey_queue_new_level(8, l,
						      l == (int)cpu_level() ? cpu_flags() : 0);
		enum pubkey_type type = data[0] & 1 ? PUBKEY_ED25519 : PUBKEY_RSA;
		assert(judge(q[l], type, key, signature, data[0] & 2) ==
		       judge(q[0], type, key, signature, data[0] & 2));
	}
	free((void *)key.p);
	free((void *)signature.p);
	return 0;
}
