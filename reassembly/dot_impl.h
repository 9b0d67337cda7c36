/* dot_impl - what the vector variants share: from the masks of one block to the next state. */
#pragma once

#include "base/message.h"
#include "reassembly/dot.h"

/* Bit i of each mask tells of octet i. */
struct dot_mask {
	uint64_t cr, lf, dot, nul, high;
};

/* Whether an octet may stand behind what the state says. */
static inline bool dot_fits(const struct dot *d, uint8_t first)
{
	if ((d->state == DOT_CR) != (first == '\n'))
		return false;
	return d->state != DOT_BOL || first != '.' || d->raw;
}

/*
 * Judges a block of n octets, 1 to 64: false when it is not plain and nothing was changed. A CR at
 * its end is left to the next block.
 */
static inline __attribute__((always_inline)) bool dot_block(struct dot *d, const struct dot_mask *m,
							    unsigned n)
{
	/* octet 0 is behind whatever the state says */
	uint64_t behind_cr = m->cr << 1 | (d->state == DOT_CR);
	uint64_t behind_lf = m->lf << 1 | (d->state == DOT_BOL);
	uint64_t here = n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
	if (((behind_cr & here) ^ m->lf) | (behind_lf & m->dot) | m->nul)
		return false;
	if (m->high)
		d->flags |= MESSAGE_8BIT;
	unsigned line = d->line;
	if (m->lf) {
		if (line + (unsigned)__builtin_ctzll(m->lf) > DOT_LINE_MAX + 1)
			d->flags |= MESSAGE_LONG_LINE;
		line = n - 1 - (63 - (unsigned)__builtin_clzll(m->lf));
	} else {
		line += n;
		if (line > DOT_LINE_MAX + 1) {
			d->flags |= MESSAGE_LONG_LINE;
			line = DOT_LINE_MAX + 2;
		}
	}
	d->line = (uint16_t)line;
	d->state = m->cr >> (n - 1) & 1 ? DOT_CR : m->lf >> (n - 1) & 1 ? DOT_BOL : DOT_MID;
	return true;
}
