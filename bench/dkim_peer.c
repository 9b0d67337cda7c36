#include "bench/dkim_peer.h"

#include <stdio.h>
#include <opendkim/dkim.h>

static DKIM_LIB *lib;

static DKIM_CBSTAT key_of(DKIM *d, DKIM_SIGINFO *sig, unsigned char *buf, size_t len)
{
	char want[300];
	snprintf(want, sizeof want, "%s._domainkey.%s", (const char *)dkim_sig_getselector(sig),
		 (const char *)dkim_sig_getdomain(sig));
	for (unsigned i = 0; i < DKIM_MAIL_KEYS; i++) {
		const char *record, *name = dkim_mail_key(i, &record);
		if (strcmp(name, want) == 0) {
			snprintf((char *)buf, len, "%s", record);
			return DKIM_CBSTAT_CONTINUE;
		}
	}
	return DKIM_CBSTAT_NOTFOUND;
}

void dkim_peer_verify(struct dkim_mail *mail)
{
	DKIM_STAT status;
	_Bool test_key;
	if (!lib) {
		lib = dkim_init(NULL, NULL);
		dkim_set_key_lookup(lib, key_of);
	}
	uint8_t *p = (uint8_t *)mail->text.p, *end = p + mail->m.header_len - 2;
	DKIM *d = dkim_verify(lib, (const unsigned char *)"bench", NULL, &status);
	while (p < end) {
		uint8_t *next = p;
		do {
			next = (uint8_t *)memchr(next, '\n', (size_t)(end - next)) + 1;
		} while (next < end && (*next == ' ' || *next == '\t'));
		dkim_header(d, p, (size_t)(next - p) - 2);
		p = next;
	}
	status = dkim_eoh(d);
	if (status == DKIM_STAT_OK) {
		dkim_body(d, end + 2, mail->text.n - mail->m.header_len);
		status = dkim_eom(d, &test_key);
	}
	mail->judged = true;
	mail->passed = status == DKIM_STAT_OK;
	dkim_free(d);
}
