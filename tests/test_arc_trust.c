/* Nobody is trusted who is not on the list, nothing is proved with keys or octets that are missing, and no
 * chain costs more than its bounds. */
#include "tests/arc_chain.h"
#include "tests/lookup.h"

/* ---- keys */

static bool ask_zone(void *ctx, struct known *known, bool (*step)(void *d), void *d)
{
	return lookup_run(ctx, known, step, d);
}

static void keys_of_the_chain(void)
{
	/* names: n newest message signature, s newest seal, o older message signature, p older seal */
	static const struct {
		const char *zone; /* of these, the ones that are not as they should be */
		enum auth_result result;
		const char *reason;
		unsigned failed, oldest;
	} rows[] = {
		{ "", AUTH_PASS, NULL, 0, 0 },
		{ "n NXDOMAIN", AUTH_FAIL, "no_key", 2, 0 },
		{ "s NXDOMAIN", AUTH_FAIL, "no_key", 2, 0 },
		{ "p NODATA", AUTH_FAIL, "no_key", 1, 0 },
		{ "o NXDOMAIN", AUTH_PASS, NULL, 0, 2 },
		{ "n SERVFAIL", AUTH_TEMPERROR, "key_failed", 2, 0 },
		{ "s TIMEOUT", AUTH_TEMPERROR, "key_timeout", 2, 0 },
		{ "p TIMEOUT", AUTH_TEMPERROR, "key_timeout", 1, 0 },
		{ "o TIMEOUT", AUTH_PASS, NULL, 0, 2 },
		/* what fails for good is told before what may yet pass */
		{ "n SERVFAIL,p NXDOMAIN", AUTH_FAIL, "no_key", 1, 0 },
		{ "s SERVFAIL,n NXDOMAIN", AUTH_FAIL, "no_key", 2, 0 },
		{ "n revoked", AUTH_FAIL, "key_revoked", 2, 0 },
		{ "s wrong", AUTH_FAIL, "signature", 2, 0 },
		{ "p wrong", AUTH_FAIL, "signature", 1, 0 },
		{ "n wrong", AUTH_FAIL, "signature", 2, 0 },
		{ "n TIMEOUT,p wrong", AUTH_FAIL, "signature", 1, 0 },
		{ "o wrong", AUTH_PASS, NULL, 0, 2 },
		{ "s other", AUTH_FAIL, "key_service", 2, 0 },
		{ "s sha1", AUTH_FAIL, "key_hash", 2, 0 },
		{ "n version", AUTH_FAIL, "key_syntax", 2, 0 },
		{ "n test,s test", AUTH_PASS, NULL, 0, 0 },
	};
	EVP_PKEY *wrong = sign_rsa(1024);
	char *good_record = sign_record(test_key(), ""), *wrong_record = sign_record(wrong, "");
	struct chain c = { .n = 0 };
	static const char names[] = "pons"; /* in the order of sets: seal, message */
	for (unsigned i = 0; i < 2; i++) {
		char message[200], seal[200];
		snprintf(message, sizeof message, IA "d=%c.example.org; s=k; h=from",
			 names[i * 2 + 1 - i]);
		snprintf(seal, sizeof seal, IACV "d=%c.example.org; s=k", i ? 's' : 'p');
		if (i)
			message[strlen("i=#; a=rsa-sha256; d=")] = 'n';
		chain_add(&c, &(struct set){ .message = message, .names = "from", .seal = seal });
	}
	struct bytes text = chain_text(&c, head, body);
	for (unsigned k = 0; k < sizeof rows / sizeof rows[0]; k++)
		for (unsigned mode = 0; mode < 4; mode++) {
			char zone[4000], records[300];
			size_t n = 0;
			for (const char *p = names; *p; p++) {
				char key[3] = { *p, ' ', 0 };
				const char *at = strstr(rows[k].zone, key), *record = good_record;
				char what[20] = "";
				if (at)
					sscanf(at + 2, "%19[^,]", what);
				if (strcmp(what, "wrong") == 0)
					record = wrong_record;
				snprintf(records, sizeof records, "%s%s",
					 strcmp(what, "test") == 0      ? "t=y; "
					 : strcmp(what, "other") == 0   ? "s=other; "
					 : strcmp(what, "sha1") == 0    ? "h=sha1; "
					 : strcmp(what, "version") == 0 ? "v=DKIM7; "
									: "",
					 strcmp(what, "revoked") == 0 ? "p=" : strchr(record, ' '));
				if (*what >= 'A' && *what <= 'Z')
					n += (size_t)sprintf(
						zone + n,
						";ERROR,k._domainkey.%c.example.org,TXT,%s\n", *p,
						what);
				else
					n += (size_t)sprintf(zone + n,
							     "k._domainkey.%c.example.org. 60 IN "
							     "TXT \"%.200s\" \"%s\"\n",
							     *p, records,
							     strlen(records) > 200 ? records + 200
										   : "");
			}
			struct lookup *l = lookup_new(zone);
			struct drive *d = drive_new();
			d->ask = ask_zone;
			d->ctx = l;
			d->cfg.evidence = mode & 1;
			l->mode = mode & 2 ? LOOKUP_ONE : LOOKUP_ALL;
			const struct arc_result *r = drive_run(d, text);
			CU_ASSERT(is(r, rows[k].result, rows[k].reason));
			CU_ASSERT_EQUAL(r->failed, rows[k].failed);
			CU_ASSERT_EQUAL(r->oldest_pass, rows[k].oldest);
			CU_ASSERT_EQUAL(d->asked, 4);
			CU_ASSERT_EQUAL(l->rounds, mode & 2 ? 5 : 2);
			drive_free(d);
			lookup_free(l);
		}
	chain_free(&c);
	free(good_record);
	free(wrong_record);
	EVP_PKEY_free(wrong);
}

/* ---- N-3: octets that were not seen */

static void n3_missing_octets(void)
{
	struct drive *d = drive_key();
	struct chain c = chain_of(2);
	struct bytes text = chain_text(&c, head, body);
	size_t start = text.n - strlen(body);
	d->hole = true;
	for (size_t n = 0; n <= text.n; n++) {
		d->m.intact = n;
		const struct arc_result *r = drive_run(d, n < start ? bytes_head(text, n) : text);
		CU_ASSERT(is(r, AUTH_UNVERIFIABLE, "octets_missing"));
		CU_ASSERT(!r->trusted);
		/* without the body the seals tell all the same */
		CU_ASSERT(n < start ||
			  (r->set[1].seal == AUTH_PASS && r->set[0].seal == AUTH_PASS &&
			   r->set[1].message == AUTH_UNVERIFIABLE && r->failed == 2));
		CU_ASSERT(n >= start || (r->n_set == 0 && d->asked == 0));
	}
	d->m.intact = text.n;
	*strstr(c.text, "mailfrom=a") = 'M';
	CU_ASSERT(is(drive_run(d, text), AUTH_FAIL, "signature"));
	chain_free(&c);
	/* l= that ends in front of the hole */
	chain_add(&c, &(struct set){ .message = IA DS "c=relaxed/simple; l=11; h=from",
				     .names = "from",
				     .simple_body = true,
				     .length = 11 });
	text = chain_text(&c, head, body);
	start = text.n - strlen(body);
	for (size_t n = start; n <= text.n; n++) {
		d->m.intact = n;
		const struct arc_result *r = drive_run(d, text);
		CU_ASSERT(n >= start + 11 ? is(r, AUTH_PASS, NULL)
					  : is(r, AUTH_UNVERIFIABLE, "octets_missing"));
	}
	chain_free(&c);
	c = chain_of(1);
	text = chain_text(&c, head, body);
	d->hole = false;
	d->m.flags = MESSAGE_TOO_LARGE;
	CU_ASSERT(is(drive_run(d, text), AUTH_UNVERIFIABLE, "not_kept"));
	d->m.flags = MESSAGE_HEADER_TOO_LARGE;
	CU_ASSERT(is(drive_run(d, text), AUTH_UNVERIFIABLE, "header_limit"));
	CU_ASSERT_EQUAL(stats_get(d->stats, STAT_ARC_TEMPERROR), 0);
	CU_ASSERT(stats_get(d->stats, STAT_ARC_UNVERIFIABLE) > 100);
	chain_free(&c);
	drive_free(d);
}

/* ---- trust */

static struct list *list_of(const char *domain)
{
	struct bytes entry = bytes_str(domain);
	uint32_t bad;
	return list_new("sealers", &entry, *domain != 0, false, &bad);
}

static void b3_d2_d3_trusted_sealers(void)
{
	static const struct {
		const char *list; /* NULL: none */
		bool trusted;
	} rows[] = {
		{ NULL, false },
		{ "", false },
		{ "example.net", false },
		{ "new.example.org", true },
		{ "example.org", true },
		{ "org", true },
		{ "old.example.org", false },
		{ "x.new.example.org", false },
	};
	struct drive *d = drive_key();
	struct chain c = { .n = 0 };
	chain_add(&c, &(struct set){ .seal = IACV "d=old.example.org; s=s1" });
	chain_add(&c, &(struct set){ .seal = IACV "d=New.Example.org; s=s1" });
	for (unsigned k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct list *l = rows[k].list ? list_of(rows[k].list) : NULL;
		d->sealers = l;
		const struct arc_result *r = drive_run(d, chain_text(&c, head, body));
		CU_ASSERT(is(r, AUTH_PASS, NULL));
		CU_ASSERT_EQUAL(r->trusted, rows[k].trusted);
		CU_ASSERT_EQUAL(r->trusted_pass, rows[k].trusted);
		/* a chain that fails is nobody's */
		r = drive_run(d, chain_text(&c, head, "other"));
		CU_ASSERT(r->result == AUTH_FAIL && !r->trusted && !r->trusted_pass);
		list_free(l);
	}
	CU_ASSERT_EQUAL(stats_get(d->stats, STAT_ARC_TRUSTED), 3);
	chain_free(&c);
	drive_free(d);
}

/* D-2: what a trusted sealer must say, and of what message, so that it helps. */
static void d2_trusted_pass(void)
{
	static const struct {
		struct set set;
		const char *author; /* domain of From:, NULL: not known */
		bool pass, honour;
	} rows[] = {
		{ { .results = NULL }, "example.com", true, false },
		{ { .results = NULL }, NULL, true, false },
		{ { .results = NULL }, "victim.example", false, false },
		{ { .results = "i=#; mx; dmarc=pass" }, "victim.example", true, false },
		{ { .results = "i=#; mx; dmarc=pass header.from=Example.COM" },
		  "example.com",
		  true,
		  false },
		{ { .results = "i=#; mx; dmarc=pass header.from=sub.example.com" },
		  "example.com",
		  false,
		  false },
		{ { .results = "i=#; mx; dmarc=pass header.from=\"b\xc3\xbc"
			       "cher.example\"" },
		  "xn--bcher-kva.example",
		  true,
		  false },
		{ { .results = "i=#; mx; dmarc=fail" }, "example.com", false, false },
		{ { .results = "i=#; mx; dmarc=none" }, "example.com", false, false },
		{ { .results = "i=#; mx; none" }, "example.com", false, false },
		{ { .results = "i=#; mx; dkim=pass header.d=example.com; spf=pass "
			       "smtp.mailfrom=example.com" },
		  "example.com",
		  false,
		  false },
		{ { .results = "i=#; mx; spf=fail (dmarc=pass)" }, "example.com", false, false },
		{ { .results = "i=#; garbage" }, "example.com", false, false },
		/* From: or the end of the body is not covered */
		{ { .message = IA DS "h=to:subject", .names = "to:subject" },
		  "example.com",
		  false,
		  false },
		{ { .message = IA DS "h=", .names = "" }, "example.com", false, false },
		{ { .message = IA DS "l=4; h=from", .names = "from", .length = 4 },
		  "example.com",
		  false,
		  false },
		{ { .message = IA DS "l=4; h=from", .names = "from", .length = 4 },
		  "example.com",
		  true,
		  true },
	};
	struct list *l = list_of("example.org");
	for (unsigned k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct drive *d = drive_key();
		struct chain c = chain_of(1);
		chain_add(&c, &rows[k].set);
		d->sealers = l;
		d->profile.l = rows[k].honour ? DKIM_L_HONOUR : DKIM_L_PARTIAL;
		if (rows[k].author) {
			d->from.domain[0] = bytes_str(rows[k].author);
			d->from.n_domain = 1;
		}
		const struct arc_result *r = drive_run(d, chain_text(&c, head, body));
		CU_ASSERT(is(r, AUTH_PASS, NULL) && r->trusted);
		if (r->trusted_pass != rows[k].pass)
			printf("\nrow %u", k);
		CU_ASSERT_EQUAL(r->trusted_pass, rows[k].pass);
		/* the results of an older set count for nothing */
		chain_add(&c, &(struct set){ .results = "i=#; mx; dmarc=fail" });
		r = drive_run(d, chain_text(&c, head, body));
		CU_ASSERT(r->trusted && !r->trusted_pass);
		chain_free(&c);
		drive_free(d);
	}
	/* a key in test mode is no word to build on */
	struct drive *d = drive_new();
	char *record = sign_record(test_key(), "t=y; ");
	struct chain c = chain_of(1);
	d->key = bytes_str(record);
	d->sealers = l;
	const struct arc_result *r = drive_run(d, chain_text(&c, head, body));
	CU_ASSERT(is(r, AUTH_PASS, NULL) && r->trusted && !r->trusted_pass);
	d->profile.l = DKIM_L_IGNORE;
	chain_add(&c,
		  &(struct set){ .message = IA DS "l=4; h=from", .names = "from", .length = 4 });
	CU_ASSERT(is(drive_run(d, chain_text(&c, head, body)), AUTH_FAIL, "length_used"));
	chain_free(&c);
	free(record);
	drive_free(d);
	list_free(l);
}

/* ---- together with DKIM, limits */

static void bodies_are_shared(void)
{
	struct drive *d = drive_key();
	struct chain c = chain_of(2);
	struct sign s = {
		.key = test_key(),
		.tags = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=from",
		.names = "from",
		.relaxed_header = true,
		.relaxed_body = true,
		.length = -1
	};
	char *signature = sign_message(&s, head, bytes_str(body)), *fields;
	CU_ASSERT(asprintf(&fields, "%s%s", signature, head) > 0);
	for (unsigned on = 0; on < 2; on++) {
		d->dkim = on;
		CU_ASSERT(is(drive_run(d, chain_text(&c, fields, body)), AUTH_PASS, NULL));
		CU_ASSERT_EQUAL(d->bodies, !on);
		CU_ASSERT_EQUAL(d->verdict.n_dkim, on);
		CU_ASSERT(!on || d->verdict.dkim->result == AUTH_PASS);
		/* a body that fails does so for both */
		CU_ASSERT(is(drive_run(d, chain_text(&c, fields, "x")), AUTH_FAIL, "body_hash"));
		CU_ASSERT(!on || d->verdict.dkim->result == AUTH_FAIL);
	}
	free(fields);
	free(signature);
	chain_free(&c);
	drive_free(d);
}

/* l= of older sets can not make a body be hashed again and again. */
static void h1_distinct_bodies(void)
{
	struct drive *d = drive_key();
	struct chain c = { .n = 0 };
	for (unsigned i = 1; i <= 20; i++) {
		char message[300];
		snprintf(message, sizeof message, IA DS "l=%u; h=from", 21 - i);
		chain_add(&c,
			  &(struct set){ .message = message, .names = "from", .length = 21 - i });
	}
	const struct arc_result *r = drive_run(d, chain_text(&c, head, body));
	CU_ASSERT(is(r, AUTH_PASS, NULL));
	CU_ASSERT_EQUAL(d->bodies, ARC_BODIES_MAX);
	CU_ASSERT_EQUAL(r->oldest_pass, 20 - ARC_BODIES_MAX + 1);
	CU_ASSERT_EQUAL(stats_get(d->stats, STAT_ARC_OLDER_SKIPPED), 20 - ARC_BODIES_MAX);
	chain_free(&c);
	drive_free(d);
}

/* H-1: fifty sets in the largest header: what is hashed is bounded. */
static void h1_largest_header(void)
{
	struct drive *d = drive_key();
	struct chain c = { .n = 0 };
	char *wide = malloc(MESSAGE_HEADER_MAX), *fields = malloc(MESSAGE_HEADER_MAX + 1);
	/* every message signature covers a large field, every seal large results */
	for (unsigned large = 0; large < 2; large++) {
		size_t room = large ? 150000 : 2000, n = (size_t)sprintf(fields, "%sX: ", head);
		memset(fields + n, 'x', room);
		strcpy(fields + n + room, "\r\n");
		for (unsigned i = 1; i <= ARC_SETS_MAX; i++) {
			snprintf(wide, 2000, "i=#; mx; none (%0*u)", large ? 10 : 1900, i);
			chain_add_as(&c, i, fields, body,
				     &(struct set){ .results = wide,
						    .message = IA DS "h=from:x",
						    .names = "from:x" });
		}
		struct bytes text = chain_text(&c, fields, body);
		CU_ASSERT(text.n > 100000 && text.n < MESSAGE_HEADER_MAX);
		uint64_t before = stats_get(d->stats, STAT_ARC_OCTETS);
		const struct arc_result *r = drive_run(d, text);
		uint64_t octets = stats_get(d->stats, STAT_ARC_OCTETS) - before;
		CU_ASSERT(is(r, AUTH_PASS, NULL));
		CU_ASSERT_EQUAL(r->n_set, ARC_SETS_MAX);
		/* the seals, the newest message signature, and what the older ones may */
		CU_ASSERT(octets <=
			  text.n * (ARC_SETS_MAX + 1) / 2 + text.n + ARC_OLDER_OCTETS_MAX);
		CU_ASSERT(octets > text.n);
		unsigned skipped = (unsigned)stats_get(d->stats, STAT_ARC_OLDER_SKIPPED);
		/* six of 150,000 octets are looked at behind the newest */
		CU_ASSERT_EQUAL(skipped, large ? ARC_SETS_MAX - 7 : 0);
		CU_ASSERT_EQUAL(r->oldest_pass, large ? ARC_SETS_MAX - 6 : 0);
		chain_free(&c);
	}
	free(fields);
	free(wide);
	drive_free(d);
}

/* A hundred names: they are asked for in rounds, none twice. */
static void h1_many_keys(void)
{
	struct drive *d = drive_key();
	struct chain c = { .n = 0 };
	for (unsigned i = 1; i <= ARC_SETS_MAX; i++) {
		char message[200], seal[200];
		snprintf(message, sizeof message, IA "d=m%u.example.org; s=k; h=from", i);
		snprintf(seal, sizeof seal, IACV "d=s%u.example.org; s=k", i);
		chain_add(&c, &(struct set){ .message = message, .names = "from", .seal = seal });
	}
	CU_ASSERT(is(drive_run(d, chain_text(&c, head, body)), AUTH_PASS, NULL));
	CU_ASSERT_EQUAL(d->asked, 100);
	CU_ASSERT_EQUAL(stats_get(d->stats, STAT_KEY_MISS), 100);
	chain_free(&c);
	drive_free(d);
}

/* Thousands of fields: they are not parsed beyond what a chain may have. */
static void h1_many_fields(void)
{
	static const char *const names[] = { "ARC-Seal: i=1; cv=none", "ARC-Message-Signature: i=1",
					     "ARC-Authentication-Results: i=1; x", "ARC-Seal: x" };
	struct drive *d = drive_key();
	char *text = malloc(MESSAGE_HEADER_MAX);
	for (unsigned k = 0; k < 4; k++)
		for (unsigned many = 0; many < 2; many++) {
			size_t n = 0;
			for (unsigned i = 0;
			     i < (many ? HEADER_FIELDS_MAX + 1 : HEADER_FIELDS_MAX - 1); i++)
				n += (size_t)sprintf(text + n, "%s\r\n", names[k]);
			n += (size_t)sprintf(text + n, "\r\n");
			const struct arc_result *r = drive_run(d, bytes_of(text, n));
			CU_ASSERT(many ? is(r, AUTH_UNVERIFIABLE, "header_limit")
				       : is(r, AUTH_FAIL, k == 3 ? "instance" : "sets"));
			CU_ASSERT_EQUAL(d->asked, 0);
		}
	free(text);
	drive_free(d);
}

/* However the text ends there is a result, and no pass but that of the whole. */
static void cut_everywhere(void)
{
	struct drive *d = drive_key();
	struct chain c = chain_of(2);
	d->dkim = true;
	struct bytes text = chain_text(&c, head, "body\r\n");
	for (size_t n = 0; n < text.n; n++) {
		const struct arc_result *r = drive_run(d, bytes_head(text, n));
		CU_ASSERT_FATAL(r != NULL);
		CU_ASSERT(r->result == AUTH_FAIL || (r->result == AUTH_NONE && n < 20));
	}
	chain_free(&c);
	drive_free(d);
}

/* With too little room nothing is said, and nothing stays in use. */
static void no_room(void)
{
	struct drive *d = drive_key();
	struct chain c = chain_of(5);
	struct bytes text = chain_text(&c, head, body);
	unsigned refused = 0, judged = 0;
	d->dkim = true;
	for (d->room = 16; d->room < DRIVE_MEMORY / 4; d->room += 1 + d->room / 64) {
		const struct arc_result *r = drive_run(d, text);
		CU_ASSERT(!r || is(r, AUTH_PASS, NULL));
		CU_ASSERT(!r || refused); /* more room is never too little again */
		refused += !r;
		judged += r != NULL;
		CU_ASSERT(r || !judged);
	}
	CU_ASSERT(refused > 100 && judged > 10);
	chain_free(&c);
	drive_free(d);
}

static void trace_lines(void)
{
	struct drive *d = drive_key();
	struct chain c = chain_of(2);
	d->trace = trace_new();
	d->dkim = true;
	drive_run(d, chain_text(&c, head, body));
	struct bytes text = trace_text(d->trace, TRACE_ARC);
	CU_ASSERT(memmem(text.p, text.n, "ARC-Seal i=2 d=example.org", 26) != NULL);
	CU_ASSERT(memmem(text.p, text.n, "1024 bits", 9) != NULL);
	CU_ASSERT(memmem(text.p, text.n, "arc: pass", 9) != NULL);
	text = trace_text(d->trace, TRACE_DKIM);
	CU_ASSERT(memmem(text.p, text.n, "dkim: none", 10) != NULL);
	drive_run(d, chain_text(&c, head, "x"));
	text = trace_text(d->trace, TRACE_ARC);
	CU_ASSERT(memmem(text.p, text.n, "arc: fail, body_hash", 20) != NULL);
	CU_ASSERT(memmem(text.p, text.n, "arc: pass", 9) == NULL);
	trace_free(d->trace);
	chain_free(&c);
	drive_free(d);
}

TEST_MAIN("arc_trust", TEST(keys_of_the_chain), TEST(n3_missing_octets),
	  TEST(b3_d2_d3_trusted_sealers), TEST(d2_trusted_pass), TEST(bodies_are_shared),
	  TEST(h1_distinct_bodies), TEST(h1_largest_header), TEST(h1_many_keys),
	  TEST(h1_many_fields), TEST(cut_everywhere), TEST(trace_lines), TEST(no_room))
