#include "bench/dkim_mail.h"

#include "bench/kernels.h"
#include "bench/mail.h"
#include "reassembly/dot.h"
#include "tests/sign.h"

static EVP_PKEY *key[DKIM_MAIL_KEYS];
static char *record[DKIM_MAIL_KEYS], name[DKIM_MAIL_KEYS][64];

const char *dkim_mail_key(unsigned i, const char **text)
{
	if (!key[i]) {
		key[i] = sign_rsa(2048);
		kernels_must(key[i] != NULL, "no key");
		record[i] = sign_record(key[i], "");
		snprintf(name[i], sizeof name[i], "s%u._domainkey.d%u.example", i, i);
	}
	*text = record[i];
	return name[i];
}

void dkim_mail_zone(const char *path)
{
	FILE *f = fopen(path, "w");
	kernels_must(f != NULL, path);
	fprintf(f, "$TTL 3600\n");
	for (unsigned i = 0; i < DKIM_MAIL_KEYS; i++) {
		const char *text, *owner = dkim_mail_key(i, &text);
		fprintf(f, "%s. IN TXT", owner);
		for (size_t at = 0; at < strlen(text); at += 250)
			fprintf(f, " \"%.250s\"", text + at);
		fprintf(f, "\n");
	}
	fclose(f);
}

/* Without stuffed dots; ends where a terminator would be put. */
static struct bytes body_of(size_t size, uint64_t *random)
{
	struct dot_ops ops;
	struct dot dot = { 0 };
	size_t used;
	uint8_t *wire = malloc(size + MAIL_LINE), *text = malloc(size + MAIL_LINE + 3);
	kernels_must(wire && text, "no memory");
	size_t n = mail_body(MAIL_MIX, wire, size, random);
	dot_ops_init(&ops, CPU_SCALAR);
	n = dot_copy(&ops, &dot, text, n + 2, wire, n, &used);
	free(wire);
	text[n] = 0;
	return bytes_of(text, n);
}

static void spoil(char *text, size_t header, size_t n, unsigned how)
{
	char *at = how == 0 ? text + header + (n - header) / 2 : strstr(text, "Subject: ") + 12;
	if (how == 2)
		at = strstr(text, "; b=") + 20;
	while (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')
		at++;
	*at = *at == 'A' ? 'B' : 'A';
}

struct dkim_mail *dkim_mail_make(unsigned n, size_t size)
{
	static const char names[] = "from:to:subject:date:message-id:mime-version:content-type";
	struct dkim_mail *mail = calloc(n, sizeof *mail);
	uint64_t random = 88172645463325252u;
	kernels_must(mail != NULL, "no memory");
	for (unsigned i = 0; i < n; i++) {
		unsigned k = i % DKIM_MAIL_KEYS;
		const char *text;
		char tags[256], header[2048], *all;
		dkim_mail_key(k, &text);
		snprintf(tags, sizeof tags,
			 "v=1; a=rsa-sha256; c=relaxed/relaxed; d=d%u.example; s=s%u;\r\n\th=%s", k,
			 k, names);
		snprintf(header, sizeof header,
			 "Received: from mail.d%u.example (mail.d%u.example [192.0.2.1]) by "
			 "mx.example.net with ESMTPS id %08x; Sat, 21 Nov 2026 10:00:01 +0000\r\n"
			 "From: \"Somebody  of D\" <sender.%u@d%u.example>\r\n"
			 "To: Receiver <receiver@example.net>\r\n"
			 "Subject: Your order number %u  has been shipped \r\n"
			 "Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
			 "Message-ID: <%08x.%u@d%u.example>\r\nMIME-Version: 1.0\r\n"
			 "Content-Type: text/html; charset=utf-8\r\n"
			 "List-Unsubscribe: <https://d%u.example/u/%u>\r\n"
			 "X-Mailer: Mailer 1.0\r\n",
			 k, k, i * 2654435761u, i, k, i, i * 2654435761u, i, k, k, i);
		struct sign s = { .key = key[k],
				  .tags = tags,
				  .names = names,
				  .relaxed_header = true,
				  .relaxed_body = true,
				  .length = -1 };
		struct bytes body = body_of(size, &random);
		char *field = sign_message(&s, header, body);
		int len = asprintf(&all, "%s%s\r\n%s", field, header, (const char *)body.p);
		kernels_must(len > 0, "no memory");
		size_t head = strlen(field) + strlen(header) + 2;
		mail[i].good = i % 16 != 5;
		if (!mail[i].good)
			spoil(all, head, (size_t)len, i / 16 % 3);
		struct message_chunk *c = malloc(sizeof *c + (size_t)len);
		kernels_must(c != NULL, "no memory");
		*c = (struct message_chunk){ NULL, (uint32_t)len, (uint32_t)len };
		memcpy(c->data, all, (size_t)len);
		mail[i].text = bytes_of(c->data, (size_t)len);
		mail[i].m = (struct message){ .order = i,
					      .time_ns = 1795255200000000000,
					      .protocol = MESSAGE_SMTP,
					      .chunks = c,
					      .size = (uint64_t)len,
					      .intact = (uint64_t)len,
					      .complete = true,
					      .header_len = (uint32_t)head };
		free(all);
		free(field);
		free((void *)body.p);
	}
	return mail;
}
