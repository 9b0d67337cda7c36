/* dkim_peer - libopendkim over the same messages, keys by callback. */
#pragma once

#include "bench/dkim_mail.h"

/* One message; sets passed. */
void dkim_peer_verify(struct dkim_mail *mail);
