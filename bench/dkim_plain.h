/*
 * dkim_plain - the plain way with OpenSSL: one message after the other, each digest at once by EVP, each
 * signature at once by EVP_PKEY, with the canonicalization and the parsers of the engine.
 */
#pragma once

#include "base/config.h"
#include "bench/dkim_mail.h"

void dkim_plain_start(const struct config *cfg);

/* One message; sets passed. Keys are cached. */
void dkim_plain_verify(struct dkim_mail *mail);
