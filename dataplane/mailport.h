/*
 * mailport - the TCP ports that mail is read on: one bit each.
 */
#pragma once

#include "base/config.h"

struct mailport {
	uint64_t bit[65536 / 64];
};

static inline bool mailport_has(const struct mailport *m, uint16_t port)
{
	return m->bit[port / 64] >> (port % 64) & 1;
}

static inline void mailport_set(struct mailport *m, const struct config *cfg)
{
	const struct config_ports *list[2] = { &cfg->smtp_ports, &cfg->pop3_ports };
	memset(m->bit, 0, sizeof m->bit);
	for (int l = 0; l < 2; l++)
		for (uint32_t i = 0; i < list[l]->n; i++)
			m->bit[list[l]->port[i] / 64] |= UINT64_C(1) << (list[l]->port[i] % 64);
}
