/* keys: any record gives a status; a key that is good has a size that can be checked. */
#include <assert.h>

#include "verify/auth/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct pubkey_queue *q;
	struct key key;
	if (!q)
		q = pubkey_queue_new(1);
	key_parse(&key, q, bytes_of(data, n));
	if (key.status == KEY_OK)
		assert(key.pub.bits >= 256 && key.pub.bits <= PUBKEY_BITS_MAX);
	if (key.status != KEY_OK && key.status != KEY_SIZE)
		assert(!key.pub.key && !key.pub.rsa && !key.pub.ed25519);
	key_fini(&key);
	return 0;
}
