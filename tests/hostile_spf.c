#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/hostile_make.h"
#include "tests/sign.h"

/* ---- H-4: answers ---- */

static void answers_of(struct hostile *h, size_t n, unsigned records)
{
	struct answer *a = hostile_rule(h, "_domainkey.key.example", QUESTION_TXT, records);
	char *k = sign_record(hostile_key(), "n=");
	char *p = strstr(k, "p=");
	for (unsigned i = 0; i < records; i++)
		hostile_set(h, a, i, hostile_long(h, n, "v=DKIM1; n=", "x y "));
	char *last;
	if (asprintf(&last, "v=DKIM1; k=rsa; %s", p) < 0)
		abort();
	if (records > 1)
		hostile_set(h, a, records - 1, bytes_str(last));
	free(last);
	free(k);
	struct answer *d = hostile_rule(h, "_dmarc.from.bad.example", QUESTION_TXT, records);
	for (unsigned i = 0; i < records; i++)
		hostile_set(h, d, i,
			    hostile_long(h, n, "v=DMARC1; p=none; rua=mailto:a@b.example",
					 ",mailto:a@b.example"));
	a = hostile_rule(h, "bad.example", QUESTION_TXT, records);
	for (unsigned i = 0; i < records; i++)
		hostile_set(h, a, i,
			    hostile_long(h, n, i ? "v=spf2 x" : "v=spf1 ", "ip4:203.0.113.1 "));
	for (unsigned i = 0; i < 5; i++) {
		char selector[16];
		snprintf(selector, sizeof selector, "s%u", i);
		hostile_signature(h, "key.example", selector, "", "from");
	}
	hostile_add(h, "%s", hostile_from);
	hostile_end(h);
}

static void txt_64k(struct hostile *h)
{
	answers_of(h, 65000, 1);
}

static void txt_49_strings(struct hostile *h)
{
	answers_of(h, 49 * 255, 1);
}

static void txt_100_records(struct hostile *h)
{
	answers_of(h, 600, 100);
}

/* ---- H-5: SPF ---- */

static void plain(struct hostile *h)
{
	hostile_add(h, "%s", hostile_from);
	hostile_end(h);
}

static void include_loop(struct hostile *h)
{
	hostile_spf_text(h, "a.bad.example", "include:b.bad.example -all");
	hostile_spf_text(h, "b.bad.example", "include:a.bad.example -all");
	hostile_spf_text(h, "bad.example", "include:a.bad.example include:b.bad.example -all");
	plain(h);
}

static void includes_11(struct hostile *h)
{
	char record[1024] = "";
	for (unsigned i = 0; i < 11; i++)
		sprintf(record + strlen(record), " include:i%u.inc.example", i);
	hostile_spf_text(h, "inc.example", "ip4:203.0.113.1");
	hostile_spf_text(h, "bad.example", record);
	plain(h);
}

static void void_storm(struct hostile *h)
{
	char *record = malloc(65536);
	size_t n = 0;
	for (unsigned i = 0; i < 2000; i++)
		n += (size_t)sprintf(record + n, " a:v%u.void.example", i);
	hostile_spf_text(h, "bad.example", record);
	free(record);
	plain(h);
}

/* Ten lookups, each with a name of many macros, in the three forms that take one; exp= too. */
void hostile_macro_bomb(struct hostile *h)
{
	char *record = malloc(65536), *local = hostile_take(h, 1000);
	size_t n = 0;
	for (unsigned i = 0; i < 10; i++) {
		n += (size_t)sprintf(record + n, " exists:");
		for (unsigned k = 0; k < 700; k++)
			n += (size_t)sprintf(record + n, k % 3 == 0   ? "%%{ir}."
							 : k % 3 == 1 ? "%%{L99r-}."
								      : "%%{s}.");
		n += (size_t)sprintf(record + n, "m%u.bomb.example", i);
	}
	sprintf(record + n, " exp=why.bomb.example -all");
	inet_pton(AF_INET6, "2001:db8::1", h->m.client.ip);
	memset(local, '-', 900);
	for (unsigned i = 0; i < 900; i += 2)
		local[i] = (char)('a' + i % 26);
	strcpy(local + 900, "@mail.bad.example");
	h->m.mail_from = bytes_str(local);
	hostile_spf_text(h, "bad.example", record);
	struct bytes why = hostile_long(h, 60000, "", "%{s} %{ir} %{L99r-} %{o} ");
	hostile_set(h, hostile_rule(h, "why.bomb.example", QUESTION_TXT, 1), 0, why);
	free(record);
	plain(h);
}

/* An explanation that is asked for, of as many macros as a record holds. */
static void explanation_bomb(struct hostile *h)
{
	struct bytes why = hostile_long(h, 60000, "", "%{s} %{ir} %{L99r-} %{o} ");
	hostile_set(h, hostile_rule(h, "why.bomb.example", QUESTION_TXT, 1), 0, why);
	hostile_spf_text(h, "bad.example", "-all exp=why.bomb.example");
	plain(h);
}

static void record_2000_terms(struct hostile *h)
{
	struct bytes record = hostile_long(h, 10000, "", "x=y  ");
	hostile_spf(h, "bad.example", record);
	plain(h);
}

static void record_ip4(struct hostile *h)
{
	struct bytes record = hostile_long(h, 32000, "", "ip4:203.0.113.1 ");
	hostile_spf(h, "inc.example", record);
	char text[1024] = "";
	for (unsigned i = 0; i < 10; i++)
		sprintf(text + strlen(text), " include:i%u.inc.example", i);
	hostile_spf_text(h, "bad.example", text);
	plain(h);
}

/* As large and as many as the three identities may have. */
static void records_30(struct hostile *h)
{
	struct bytes record = hostile_long(h, 32000, "", "ip4:203.0.113.1 ");
	hostile_spf(h, "inc.example", record);
	char text[1024] = "";
	for (unsigned i = 0; i < 10; i++)
		sprintf(text + strlen(text), " include:i%u.%%{d}.inc.example", i);
	hostile_spf_text(h, "bad.example", text);
	plain(h);
}

/* A host name on the wire, mx: with a preference in front. */
static void host(struct hostile *h, struct answer *a, unsigned i, const char *tail, bool mx)
{
	uint8_t wire[80];
	char label[16];
	size_t n = mx ? 2 : 0, len = (size_t)sprintf(label, "host%u", i);
	wire[0] = wire[1] = 0;
	wire[n++] = (uint8_t)len;
	memcpy(wire + n, label, len);
	n += len;
	wire[n++] = (uint8_t)strlen(tail);
	memcpy(wire + n, tail, strlen(tail));
	n += strlen(tail);
	memcpy(wire + n, "\7example", 9);
	hostile_set(h, a, i, bytes_of(wire, n + 9));
}

static void addresses(struct hostile *h, const char *tail, unsigned n)
{
	struct answer *a = hostile_rule(h, tail, QUESTION_A, n);
	for (unsigned i = 0; i < n; i++)
		hostile_set(h, a, i, bytes_of((uint8_t[]){ 203, 0, 113, (uint8_t)i }, 4));
}

static void ptr_100(struct hostile *h)
{
	struct answer *a = hostile_rule(h, "in-addr.arpa", QUESTION_PTR, 100);
	for (unsigned i = 0; i < 100; i++)
		host(h, a, i, "ptr", false);
	addresses(h, "ptr.example", 100);
	hostile_spf_text(h, "bad.example",
			 "ptr ptr:a.example ptr:b.example ptr:c.example ptr:d.example "
			 "ptr:e.example exists:%{p}.x.example -all");
	plain(h);
}

static void mx_100(struct hostile *h)
{
	struct answer *a = hostile_rule(h, ".mx.example", QUESTION_MX, 100);
	for (unsigned i = 0; i < 100; i++)
		host(h, a, i, "mxs", true);
	hostile_spf_text(h, "bad.example", "mx:a.mx.example -all");
	plain(h);
}

/* Ten mx of ten hosts, each with many addresses: for the names that end so. */
static void mx_storm_at(struct hostile *h, const char *tail)
{
	char hosts[24];
	static const char *const mx[10] = { "m0.mx.example", "m1.mx.example", "m2.mx.example",
					    "m3.mx.example", "m4.mx.example", "m5.mx.example",
					    "m6.mx.example", "m7.mx.example", "m8.mx.example",
					    "m9.mx.example" };
	char text[1024] = "";
	for (unsigned i = 0; i < 10; i++) {
		struct answer *a = hostile_rule(h, mx[i], QUESTION_MX, 10);
		sprintf(hosts, "hosts%u", i);
		for (unsigned k = 0; k < 10; k++)
			host(h, a, k, hosts, true);
		sprintf(text + strlen(text), " mx:%%{d1r}.m%u.mx.example", i);
	}
	addresses(h, ".example", 1000);
	hostile_spf_text(h, tail, text);
}

void hostile_mx_storm(struct hostile *h)
{
	mx_storm_at(h, "bad.example");
	plain(h);
}

/* The author's and the envelope's domain are somebody else's, who refuses what is not his; all else
 * is there to use up what a message may ask, or has room for, before his turn comes. */
static void victim(struct hostile *h)
{
	hostile_spf_text(h, "from.bad.example", "include:_a.from.bad.example -all");
	hostile_spf_text(h, "_a.from.bad.example", "include:_b.from.bad.example ~all");
	hostile_spf_text(h, "_b.from.bad.example", "include:_c.from.bad.example ~all");
	hostile_spf_text(h, "_c.from.bad.example", "ip4:198.18.0.0/15 ~all");
	h->m.mail_from = bytes_str("alice@from.bad.example");
}

static void questions_used_up(struct hostile *h)
{
	victim(h);
	mx_storm_at(h, "helo.bad.example");
	hostile_chain(h, 50, 10, false);
}

static void room_used_up(struct hostile *h)
{
	victim(h);
	struct bytes record = hostile_long(h, 32000, "", "ip4:203.0.113.1 ");
	hostile_spf(h, "inc.example", record);
	char text[1024] = "";
	for (unsigned i = 0; i < 10; i++)
		sprintf(text + strlen(text), " include:i%u.inc.example", i);
	hostile_spf_text(h, "helo.bad.example", text);
	plain(h);
}

static const struct hostile_row rows[] = {
	{ "h4 TXT of 64 KB", txt_64k },
	{ "h4 TXT of 49 strings", txt_49_strings },
	{ "h4 100 TXT records", txt_100_records },
	{ "h5 include loop", include_loop },
	{ "h5 eleven includes", includes_11 },
	{ "h5 void storm", void_storm },
	{ "h5 macro bomb", hostile_macro_bomb },
	{ "h5 explanation bomb", explanation_bomb },
	{ "h5 record of 2,000 terms", record_2000_terms },
	{ "h5 ten records of 32 KB twice", record_ip4 },
	{ "h5 thirty records of 32 KB twice", records_30 },
	{ "h5 ptr of 100 names", ptr_100 },
	{ "h5 mx of 100 hosts", mx_100 },
	{ "h5 mx storm", hostile_mx_storm },
	{ "h5 questions used up", questions_used_up },
	{ "h5 room used up", room_used_up },
};
const struct hostile_table hostile_dns = { rows, sizeof rows / sizeof rows[0] };
