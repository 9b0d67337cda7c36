#include "verify/kernel/sha256.h"

#include "verify/kernel/sha256_impl.h"

const uint32_t sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static const uint32_t start[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

void sha256_lane_init(struct sha256_lanes *s, unsigned lane)
{
	for (int i = 0; i < 8; i++)
		s->word[i][lane] = start[i];
}

static uint32_t ror(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static void block_scalar(uint32_t *state, unsigned stride, const uint8_t *p)
{
	uint32_t w[64], v[8];
	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)p[i * 4] << 24 | (uint32_t)p[i * 4 + 1] << 16 |
		       (uint32_t)p[i * 4 + 2] << 8 | p[i * 4 + 3];
	for (int i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];
		w[i] = w[i - 16] + (ror(a, 7) ^ ror(a, 18) ^ a >> 3) + w[i - 7] +
		       (ror(b, 17) ^ ror(b, 19) ^ b >> 10);
	}
	for (unsigned i = 0; i < 8; i++)
		v[i] = state[i * stride];
	for (int i = 0; i < 64; i++) {
		uint32_t e = v[4], a = v[0];
		uint32_t t = v[7] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) +
			     ((e & v[5]) ^ (~e & v[6])) + sha256_k[i] + w[i];
		uint32_t m = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) +
			     ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof *v);
		v[4] += t;
		v[0] = t + m;
	}
	for (unsigned i = 0; i < 8; i++)
		state[i * stride] += v[i];
}

void sha256_lanes_scalar(struct sha256_lanes *s, const uint8_t *const p[SHA256_LANES],
			 size_t blocks)
{
	for (unsigned l = 0; l < SHA256_LANES; l++)
		for (size_t b = 0; b < blocks; b++)
			block_scalar(&s->word[0][l], SHA256_LANES, p[l] + b * SHA256_BLOCK);
}

enum { AGREE_BLOCKS = 2 };

struct agree {
	uint8_t octets[SHA256_LANES + AGREE_BLOCKS * SHA256_BLOCK];
	const uint8_t *p[SHA256_LANES];
	struct sha256_lanes tried, truth;
};

/* Two blocks a lane, all lanes different. */
static void agree_init(struct agree *a)
{
	for (unsigned i = 0; i < sizeof a->octets; i++)
		a->octets[i] = (uint8_t)(i * 167 + 13);
	for (unsigned l = 0; l < SHA256_LANES; l++) {
		a->p[l] = a->octets + l;
		sha256_lane_init(&a->truth, l);
	}
	a->tried = a->truth;
	sha256_lanes_scalar(&a->truth, a->p, AGREE_BLOCKS);
}

static bool same(const struct agree *a, unsigned width)
{
	for (int i = 0; i < 8; i++)
		if (memcmp(a->tried.word[i], a->truth.word[i], width * sizeof(uint32_t)) != 0)
			return false;
	return true;
}

static bool lanes_agree(const struct sha256_ops *ops)
{
	struct agree a;
	agree_init(&a);
	ops->lanes(&a.tried, a.p, a.p, AGREE_BLOCKS);
	return same(&a, ops->width);
}

static bool pair_agrees(const struct sha256_ops *ops)
{
	struct agree a;
	agree_init(&a);
	for (unsigned i = 0; i < SHA256_LANES / 2; i++)
		ops->pair(&a.tried, (unsigned[2]){ i, SHA256_LANES - 1 - i },
			  (const uint8_t *[2]){ a.p[i], a.p[SHA256_LANES - 1 - i] }, AGREE_BLOCKS);
	return same(&a, SHA256_LANES);
}

struct sha256_ops sha256_ops_init(enum cpu_level level, unsigned flags)
{
	struct sha256_ops ops = { .worth = UINT32_MAX };
	if (flags & CPU_SHA_NI)
		ops.pair = sha256_pair_shani;
	if (ops.pair && !pair_agrees(&ops)) {
		cpu_left_out("sha256 pair", "sha-ni");
		ops.pair = NULL;
	}
	if (level >= CPU_AVX512) {
		ops.lanes = sha256_lanes_avx512;
		ops.width = 32;
		ops.worth = ops.pair ? SHA256_WORTH_AVX512_NI : SHA256_WORTH_AVX512;
		if (lanes_agree(&ops))
			return ops;
		cpu_left_out("sha256 lanes", cpu_level_name(CPU_AVX512));
	}
	if (level >= CPU_AVX2 && !ops.pair) {
		ops.lanes = sha256_lanes_avx2;
		ops.width = 8;
		ops.worth = SHA256_WORTH_AVX2;
		if (lanes_agree(&ops))
			return ops;
		cpu_left_out("sha256 lanes", cpu_level_name(CPU_AVX2));
	}
	return (struct sha256_ops){ .worth = UINT32_MAX, .pair = ops.pair };
}
