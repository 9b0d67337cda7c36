/* A chain passes if and only if RFC 8617 says so: its sets, their fields, and what they cover. */
#include "tests/arc_chain.h"

/* ---- the chain */

static void f12_chains(void)
{
	struct drive *d = drive_key();
	struct chain c = { .n = 0 };
	CU_ASSERT(is(drive_run(d, chain_text(&c, head, body)), AUTH_NONE, NULL));
	CU_ASSERT(is(drive_run(d, bytes_str("")), AUTH_NONE, NULL));
	CU_ASSERT(is(drive_run(d, bytes_str("\r\nx")), AUTH_NONE, NULL));
	CU_ASSERT_EQUAL(d->asked, 0);
	for (unsigned n = 1; n <= ARC_SETS_MAX; n++) {
		chain_add(&c, NULL);
		const struct arc_result *r = drive_run(d, chain_text(&c, head, body));
		CU_ASSERT(is(r, AUTH_PASS, NULL));
		CU_ASSERT(r->instance == n && r->n_set == n && r->oldest_pass == 0);
		CU_ASSERT(r->failed == 0 && !r->trusted && !r->trusted_pass);
		CU_ASSERT(bytes_equal(r->sealer, bytes_str("example.org")));
		CU_ASSERT_EQUAL(d->asked, 1);
		CU_ASSERT_EQUAL(d->bodies, 1);
		for (unsigned i = 0; i < n; i++)
			CU_ASSERT(r->set[i].seal == AUTH_PASS && r->set[i].message == AUTH_PASS &&
				  r->set[i].cv == (i ? AUTH_PASS : AUTH_NONE));
	}
	/* 51 sets; in another order of fields; folded and with another case of names */
	chain_add(&c, NULL);
	CU_ASSERT(is(drive_run(d, chain_text(&c, head, body)), AUTH_FAIL, "sets"));
	CU_ASSERT_EQUAL(d->asked, 0);
	CU_ASSERT_EQUAL(stats_get(d->stats, STAT_ARC_PASS), ARC_SETS_MAX);
	CU_ASSERT_EQUAL(stats_get(d->stats, STAT_ARC_NONE), 3);
	CU_ASSERT_EQUAL(stats_get(d->stats, STAT_ARC_FAIL), 1);
	chain_free(&c);
	c = chain_of(3);
	for (unsigned i = 0; i + 1 < c.n; i += 2) {
		char *f = c.field[i];
		c.field[i] = c.field[i + 1];
		c.field[i + 1] = f;
	}
	CU_ASSERT(is(drive_run(d, chain_text(&c, head, body)), AUTH_PASS, NULL));
	*strstr(c.text, "ARC-Seal") = 'a';
	CU_ASSERT(is(drive_run(d, bytes_str(c.text)), AUTH_PASS, NULL));
	chain_free(&c);
	drive_free(d);
}

/* Every set has each field exactly once, and the sets have no gap. */
static void f12_structure(void)
{
	struct drive *d = drive_key();
	for (unsigned n = 1; n <= 3; n++)
		for (unsigned i = 0; i < n * 3; i++) {
			struct chain c = chain_of(n);
			char *field = c.field[i];
			c.field[i] = NULL;
			CU_ASSERT(is(drive_run(d, chain_text(&c, head, body)), AUTH_FAIL, "sets"));
			/* twice, also where the copy is below all others */
			if (asprintf(&c.field[i], "%s%s", field, field) < 0)
				abort();
			CU_ASSERT(is(drive_run(d, chain_text(&c, head, body)), AUTH_FAIL, "sets"));
			free(c.field[i]);
			c.field[i] = field;
			char *text;
			if (asprintf(&text, "%s%s", head, field) < 0)
				abort();
			CU_ASSERT(is(drive_run(d, chain_text(&c, text, body)), AUTH_FAIL, "sets"));
			free(text);
			CU_ASSERT_EQUAL(d->asked, 0);
			chain_free(&c);
		}
	/* whole sets left out */
	for (unsigned gone = 0; gone < 3; gone++) {
		struct chain c = chain_of(3);
		for (unsigned i = gone * 3; i < gone * 3 + 3; i++) {
			free(c.field[i]);
			c.field[i] = NULL;
		}
		/* without the newest the older message signature is the newest */
		const struct arc_result *r = drive_run(d, chain_text(&c, head, body));
		CU_ASSERT(gone == 2 ? is(r, AUTH_PASS, NULL) : is(r, AUTH_FAIL, "sets"));
		chain_free(&c);
	}
	drive_free(d);
}

static void f12_instances(void)
{
	static const struct {
		const char *tag; /* i= as it stands in all fields of set 1 or 2 */
		const char *reason[2]; /* NULL: it passes */
	} rows[] = {
		{ "i=1", { NULL, "sets" } },
		{ "i=2", { "sets", NULL } },
		{ "i=01", { NULL, "sets" } },
		{ "i=002", { "instance", "instance" } },
		{ "i= 2 ", { "sets", NULL } },
		{ "i=0", { "instance", "instance" } },
		{ "i=50", { "sets", "sets" } },
		{ "i=51", { "instance", "instance" } },
		{ "i=", { "instance", "instance" } },
		{ "i=one", { "instance", "instance" } },
		{ "i=-1", { "instance", "instance" } },
		{ "i=1.", { "instance", "instance" } },
		{ "j=1", { "instance", "instance" } },
		{ "I=1", { "instance", "instance" } },
		{ "i=99999999999999999999", { "instance", "instance" } },
	};
	struct drive *d = drive_key();
	for (unsigned k = 0; k < sizeof rows / sizeof rows[0]; k++)
		for (unsigned at = 0; at < 2; at++) {
			char results[300], message[300], seal[300];
			struct chain c = { .n = 0 };
			struct set set = { .results = results, .message = message, .seal = seal };
			snprintf(results, sizeof results, "%s%s", rows[k].tag,
				 strchr(RESULTS, ';'));
			snprintf(message, sizeof message, "%s%s", rows[k].tag,
				 strchr(MESSAGE_TAGS, ';'));
			snprintf(seal, sizeof seal, "%s; a=rsa-sha256; cv=%s; d=example.org; s=s1",
				 rows[k].tag, at ? "pass" : "none");
			chain_add(&c, at == 0 ? &set : NULL);
			chain_add(&c, at == 1 ? &set : NULL);
			const char *reason = rows[k].reason[at];
			const struct arc_result *r = drive_run(d, chain_text(&c, head, body));
			CU_ASSERT(is(r, reason ? AUTH_FAIL : AUTH_PASS, reason));
			chain_free(&c);
		}
	drive_free(d);
}

/* In one field alone, the rest of the set as it was. */
static void f12_one_instance(void)
{
	static const char *const bad[] = { "i=0", "i=3", "i=x", "j=1", "i=" };
	struct drive *d = drive_key();
	for (unsigned k = 0; k < sizeof bad / sizeof bad[0]; k++)
		for (unsigned i = 0; i < 3; i++) {
			char results[300], message[300], seal[300];
			struct chain c = { .n = 0 };
			struct set set = { .results = i == 0 ? results : NULL,
					   .message = i == 1 ? message : NULL,
					   .seal = i == 2 ? seal : NULL };
			snprintf(results, sizeof results, "%s%s", bad[k], strchr(RESULTS, ';'));
			snprintf(message, sizeof message, "%s%s", bad[k],
				 strchr(MESSAGE_TAGS, ';'));
			snprintf(seal, sizeof seal,
				 "%s; a=rsa-sha256; cv=none; d=example.org; s=s1", bad[k]);
			chain_add(&c, &set);
			const struct arc_result *r = drive_run(d, chain_text(&c, head, body));
			CU_ASSERT(is(r, AUTH_FAIL, k == 1 ? "sets" : "instance"));
			CU_ASSERT_EQUAL(d->asked, 0);
			chain_free(&c);
		}
	/* i= of results comes first */
	struct chain c = { .n = 0 };
	chain_add(&c, &(struct set){ .results = "mx.example.org; i=#; dmarc=pass" });
	CU_ASSERT(is(drive_run(d, chain_text(&c, head, body)), AUTH_FAIL, "instance"));
	chain_free(&c);
	drive_free(d);
}

/* cv=: none in the first, pass in the later ones; failed stays failed. */
static void f12_status(void)
{
	static const struct {
		const char *cv[2];
		const char *reason; /* NULL: pass */
		unsigned failed;
	} rows[] = {
		{ { "none", "pass" }, NULL, 0 },
		{ { "none", "fail" }, "chain_ended", 2 },
		{ { "fail", "fail" }, "chain_ended", 2 },
		{ { "none", "none" }, "chain_status", 0 },
		{ { "pass", "pass" }, "chain_status", 0 },
		{ { "fail", "pass" }, "chain_status", 0 },
		{ { "none", "Pass" }, "chain_status", 0 },
		{ { "none", "PASS" }, "chain_status", 0 },
		{ { "None", "pass" }, "chain_status", 0 },
		{ { "none", "" }, "chain_status", 0 },
		{ { "", "pass" }, "chain_status", 0 },
		{ { "none", "invalid" }, "chain_status", 0 },
		{ { "none", "temperror" }, "chain_status", 0 },
		{ { "permerror", "pass" }, "chain_status", 0 },
		{ { "none", "p a s s" }, "chain_status", 0 },
	};
	struct drive *d = drive_key();
	for (unsigned k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct chain c = { .n = 0 };
		for (unsigned i = 0; i < 2; i++) {
			char seal[300];
			snprintf(seal, sizeof seal, "i=#; a=rsa-sha256; cv=%s; d=example.org; s=s1",
				 rows[k].cv[i]);
			chain_add(&c, &(struct set){ .seal = seal });
		}
		const struct arc_result *r = drive_run(d, chain_text(&c, head, body));
		CU_ASSERT(is(r, rows[k].reason ? AUTH_FAIL : AUTH_PASS, rows[k].reason));
		CU_ASSERT_EQUAL(r->failed, rows[k].failed);
		CU_ASSERT_EQUAL(d->asked, !rows[k].reason);
		/* a third set on top does not mend it */
		chain_add(&c, NULL);
		r = drive_run(d, chain_text(&c, head, body));
		CU_ASSERT_EQUAL(r->result, rows[k].reason ? AUTH_FAIL : AUTH_PASS);
		chain_free(&c);
	}
	drive_free(d);
}

/* ---- the fields */

struct tags_row {
	const char *tags, *names;
	enum auth_result result;
	const char *reason;
	const char *word; /* of the set; NULL: the same */
};

static const struct tags_row message_rows[] = {
	{ IA DS H, "from", AUTH_PASS, NULL, NULL },
	{ "a=rsa-sha256; " DS H "; i=#", "from", AUTH_PASS, NULL, NULL },
	{ IA DS "v=1; " H, "from", AUTH_PASS, NULL, NULL },
	{ IA DS "v=7; " H, "from", AUTH_PASS, NULL, NULL },
	{ IA DS "x-y=1; " H, "from", AUTH_FAIL, "instance", NULL }, /* no tag name */
	{ IA DS "x_y=1; " H, "from", AUTH_PASS, NULL, NULL },
	{ IA DS "zz=; " H, "from", AUTH_PASS, NULL, NULL },
	/* what is required */
	{ "i=#; " DS H, "from", AUTH_FAIL, "missing_tag", NULL },
	{ IA "s=s1; " H, "from", AUTH_FAIL, "missing_tag", NULL },
	{ IA "d=example.org; " H, "from", AUTH_FAIL, "missing_tag", NULL },
	{ IA "d=example.org; s=s1", "", AUTH_FAIL, "missing_tag", NULL },
	/* algorithms */
	{ "i=#; a=; " DS H, "from", AUTH_FAIL, "algorithm", NULL },
	{ "i=#; a=rsa-sha512; " DS H, "from", AUTH_FAIL, "algorithm", NULL },
	{ "i=#; a=RSA-SHA256; " DS H, "from", AUTH_FAIL, "algorithm", NULL },
	{ "i=#; a=ed25519-sha256; " DS H, "from", AUTH_FAIL, "key_type", NULL },
	/* canonicalization */
	{ IA DS "c=relaxed/relaxed; " H, "from", AUTH_PASS, NULL, NULL },
	{ IA DS "c=; " H, "from", AUTH_FAIL, "canonicalization", NULL },
	{ IA DS "c=loose; " H, "from", AUTH_FAIL, "canonicalization", NULL },
	{ IA DS "c=relaxed/; " H, "from", AUTH_FAIL, "canonicalization", NULL },
	{ IA DS "c=relaxed/simple/x; " H, "from", AUTH_FAIL, "canonicalization", NULL },
	{ IA DS "c=Relaxed/Relaxed; " H, "from", AUTH_FAIL, "canonicalization", NULL },
	{ IA DS "c=simple/simple; " H, "from", AUTH_FAIL, "body_hash", NULL },
	/* names */
	{ IA "d=; s=s1; " H, "from", AUTH_FAIL, "domain", NULL },
	{ IA "d=org; s=s1; " H, "from", AUTH_FAIL, "domain", NULL },
	{ IA "d=exa mple.org; s=s1; " H, "from", AUTH_FAIL, "domain", NULL },
	{ IA "d=example..org; s=s1; " H, "from", AUTH_FAIL, "domain", NULL },
	{ IA "d=Example.ORG; s=S1; " H, "from", AUTH_PASS, NULL, NULL },
	{ IA "d=example.org; s=; " H, "from", AUTH_FAIL, "selector", NULL },
	{ IA "d=example.org; s=a b; " H, "from", AUTH_FAIL, "selector", NULL },
	/* h= */
	{ IA DS "h=", "", AUTH_PASS, NULL, NULL },
	{ IA DS "h=to", "to", AUTH_PASS, NULL, NULL },
	{ IA DS "h=from::to", "from:to", AUTH_PASS, NULL, NULL },
	{ IA DS "h=From : tO:SUBJECT", "from:to:subject", AUTH_PASS, NULL, NULL },
	{ IA DS "h=from:\r\n to", "from:to", AUTH_PASS, NULL, NULL },
	{ IA DS "h=from:absent:absent", "from", AUTH_PASS, NULL, NULL },
	{ IA DS "h=from:a b", "from", AUTH_FAIL, "header_list", NULL },
	{ IA DS "h=from:ARC-Seal", "from", AUTH_FAIL, "seal_covered", NULL },
	{ IA DS "h=arc-seal", "", AUTH_FAIL, "seal_covered", NULL },
	{ IA DS "h=to:from", "from:to", AUTH_FAIL, "signature", NULL },
	/* times */
	{ IA DS "t=; " H, "from", AUTH_FAIL, "time", NULL },
	{ IA DS "t=12x; " H, "from", AUTH_FAIL, "time", NULL },
	{ IA DS "t=-1; " H, "from", AUTH_FAIL, "time", NULL },
	{ IA DS "t=12345; " H, "from", AUTH_PASS, NULL, NULL },
	{ IA DS "t=1528637969; " H, "from", AUTH_PASS, NULL, NULL }, /* the skew */
	{ IA DS "t=1528637970; " H, "from", AUTH_FAIL, "future", NULL },
	{ IA DS "x=1528637849; " H, "from", AUTH_PASS, NULL, NULL },
	{ IA DS "x=1528637848; " H, "from", AUTH_FAIL, "expired", NULL },
	{ IA DS "t=2; x=1; " H, "from", AUTH_FAIL, "time", NULL },
	{ IA DS "q=dns/txt; " H, "from", AUTH_PASS, NULL, NULL },
	{ IA DS "q=web; " H, "from", AUTH_FAIL, "query", NULL },
	{ IA DS "l=x; " H, "from", AUTH_FAIL, "length", NULL },
	{ IA DS "l=999; " H, "from", AUTH_FAIL, "length_over_body", NULL },
	/* no tag list: then its instance is not known either */
	{ IA DS "i=1; " H, "from", AUTH_FAIL, "instance", NULL },
	{ IA DS "s=s1; " H, "from", AUTH_FAIL, "instance", NULL },
	{ IA DS ";" H, "from", AUTH_FAIL, "instance", NULL },
	{ IA DS "x; " H, "from", AUTH_FAIL, "instance", NULL },
	{ IA DS "=1; " H, "from", AUTH_FAIL, "instance", NULL },
	{ "i=#; A=rsa-sha256; " DS H, "from", AUTH_FAIL, "missing_tag", NULL },
};

static const struct tags_row seal_rows[] = {
	{ IACV "d=example.org; s=s1", NULL, AUTH_PASS, NULL, NULL },
	{ "a=rsa-sha256; d=example.org; s=s1; i=#; cv=~", NULL, AUTH_PASS, NULL, NULL },
	{ IACV DS "x=1", NULL, AUTH_PASS, NULL, NULL }, /* no tag of a seal: ignored */
	{ IACV DS "l=x", NULL, AUTH_PASS, NULL, NULL },
	{ IACV DS "c=simple/simple", NULL, AUTH_PASS, NULL, NULL },
	{ IACV DS "q=web", NULL, AUTH_PASS, NULL, NULL },
	{ IACV DS "v=2", NULL, AUTH_PASS, NULL, NULL },
	{ IACV DS "zz", NULL, AUTH_FAIL, "instance", NULL },
	{ IACV DS "h=from", NULL, AUTH_FAIL, "seal_covers", NULL },
	{ IACV DS "h=", NULL, AUTH_FAIL, "seal_covers", NULL },
	{ IACV DS "bh=AAAA", NULL, AUTH_FAIL, "seal_covers", NULL },
	{ "i=#; cv=~; d=example.org; s=s1", NULL, AUTH_FAIL, "missing_tag", NULL },
	{ "i=#; a=; cv=~; d=example.org; s=s1", NULL, AUTH_FAIL, "algorithm", NULL },
	{ "i=#; a=rsa-md5; cv=~; d=example.org; s=s1", NULL, AUTH_FAIL, "algorithm", NULL },
	{ IACV "s=s1", NULL, AUTH_FAIL, "missing_tag", NULL },
	{ IACV "d=example.org", NULL, AUTH_FAIL, "missing_tag", NULL },
	{ IACV "d=; s=s1", NULL, AUTH_FAIL, "domain", NULL },
	{ IACV "d=not a domain; s=s1", NULL, AUTH_FAIL, "domain", NULL },
	{ IACV "d=example.org; s=", NULL, AUTH_FAIL, "selector", NULL },
	{ IACV DS "t=", NULL, AUTH_FAIL, "time", NULL },
	{ IACV DS "t=no", NULL, AUTH_FAIL, "time", NULL },
	{ IACV DS "t=1", NULL, AUTH_PASS, NULL, NULL },
	{ IACV DS "t=1528637970", NULL, AUTH_FAIL, "future", NULL },
	{ IACV DS "cv=pass", NULL, AUTH_FAIL, "instance", NULL }, /* twice */
};

/* The row in the first, in the newest and in a middle set of three. */
static void try_row(struct drive *d, const struct tags_row *row, bool seal)
{
	for (unsigned at = 1; at <= 3; at++) {
		struct chain c = { .n = 0 };
		struct set set = { .message = seal ? NULL : row->tags,
				   .names = row->names,
				   .seal = seal ? row->tags : NULL };
		for (unsigned i = 1; i <= 3; i++)
			chain_add(&c, i == at ? &set : NULL);
		const struct arc_result *r = drive_run(d, chain_text(&c, head, body));
		bool structure = row->reason && strcmp(row->reason, "instance") == 0;
		/* an older message signature does not count */
		bool older = !seal && at != 3 && !structure;
		CU_ASSERT(older ? is(r, AUTH_PASS, NULL) : is(r, row->result, row->reason));
		CU_ASSERT_EQUAL(r->oldest_pass, older && row->reason ? at + 1 : 0);
		CU_ASSERT_EQUAL(r->failed, row->reason && !structure && !older ? at : 0);
		chain_free(&c);
	}
}

static void f12_message_tags(void)
{
	struct drive *d = drive_key();
	for (unsigned k = 0; k < sizeof message_rows / sizeof message_rows[0]; k++) {
		unsigned failed = CU_get_number_of_failures();
		try_row(d, &message_rows[k], false);
		if (CU_get_number_of_failures() > failed)
			printf("\n^ %s", message_rows[k].tags);
	}
	drive_free(d);
}

static void f12_seal_tags(void)
{
	struct drive *d = drive_key();
	for (unsigned k = 0; k < sizeof seal_rows / sizeof seal_rows[0]; k++) {
		unsigned failed = CU_get_number_of_failures();
		try_row(d, &seal_rows[k], true);
		if (CU_get_number_of_failures() > failed)
			printf("\n^ %s", seal_rows[k].tags);
	}
	drive_free(d);
}

/* b= and bh=, which the signer writes itself, changed afterwards. */
static void f12_values(void)
{
	static const struct {
		unsigned field; /* 1: message signature, 2: seal */
		const char *tag, *with;
		const char *reason;
	} rows[] = {
		{ 1, "; b=", "; b=; z=", "signature_value" },
		{ 1, "; b=", "; z=", "missing_tag" },
		{ 1, "; b=", "; b=!", "signature_value" },
		{ 1, "; bh=", "; bh=; z=", "body_hash_value" },
		{ 1, "; bh=", "; z=", "missing_tag" },
		{ 1, "; bh=", "; bh=!", "body_hash_value" },
		{ 1, "; bh=", "; bh=AAAA", "body_hash_value" },
		{ 2, "; b=", "; b=; z=", "signature_value" },
		{ 2, "; b=", "; z=", "missing_tag" },
		{ 2, "; b=", "; b=!", "signature_value" },
		{ 2, "; b=", "; b= ", NULL },
		{ 1, "; b=", "; b=\r\n\t", NULL }, /* blanks around b= are not hashed... */
	};
	struct drive *d = drive_key();
	for (unsigned k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct chain c = { .n = 0 };
		char *changed;
		chain_add(&c, NULL);
		char *field = c.field[rows[k].field], *at = strstr(field, rows[k].tag);
		CU_ASSERT_FATAL(at != NULL);
		if (asprintf(&changed, "%.*s%s%s", (int)(at - field), field, rows[k].with,
			     at + strlen(rows[k].tag)) < 0)
			abort();
		c.field[rows[k].field] = changed;
		free(field);
		const struct arc_result *r = drive_run(d, chain_text(&c, head, body));
		const char *reason = rows[k].reason;
		/* ...by itself, but the seal has them */
		bool blanks = !reason && rows[k].field == 1;
		CU_ASSERT(blanks ? is(r, AUTH_FAIL, "signature")
				 : is(r, reason ? AUTH_FAIL : AUTH_PASS, reason));
		CU_ASSERT(!blanks ||
			  (r->set[0].message == AUTH_PASS && r->set[0].seal == AUTH_FAIL));
		chain_free(&c);
	}
	drive_free(d);
}

static void forms(void)
{
	static const char *const bodies[] = { body, "", "\r\n", "a", "\r\n\r\n \t\r\na b\r\n" };
	struct drive *d = drive_key();
	for (unsigned form = 0; form < 5; form++)
		for (unsigned k = 0; k < sizeof bodies / sizeof bodies[0]; k++) {
			static const char *const canon[] = { "", "c=simple/simple; ",
							     "c=simple/relaxed; ", "c=relaxed; ",
							     "c=relaxed/relaxed; " };
			char message[300];
			struct chain c = { .n = 0 };
			snprintf(message, sizeof message, IA DS "%sh=from:to:subject", canon[form]);
			struct set set = { .message = message,
					   .simple_header = form == 1 || form == 2,
					   .simple_body = form == 1 || form == 3,
					   .after = k % 2 ? "; n=y" : NULL };
			for (unsigned i = 1; i <= 3; i++)
				chain_add_as(&c, i, head, bodies[k], &set);
			struct bytes text = chain_text(&c, head, bodies[k]);
			for (d->lanes = 1; d->lanes <= 4; d->lanes += 3)
				for (d->chunk = 0; d->chunk < 9; d->chunk += 4)
					CU_ASSERT(is(drive_run(d, text), AUTH_PASS, NULL));
			d->chunk = 0;
			chain_free(&c);
		}
	drive_free(d);
}

static void f8_ed25519(void)
{
	EVP_PKEY *key = sign_ed25519();
	char *record = sign_record(key, "");
	struct drive *d = drive_new();
	d->key = bytes_str(record);
	struct chain c = { .n = 0 };
	struct set set = { .message = "i=#; a=ed25519-sha256; d=example.org; s=s1; h=from",
			   .names = "from",
			   .seal = "i=#; a=ed25519-sha256; cv=~; d=example.org; s=s1",
			   .message_key = key,
			   .seal_key = key };
	chain_add(&c, &set);
	chain_add(&c, &set);
	CU_ASSERT(is(drive_run(d, chain_text(&c, head, body)), AUTH_PASS, NULL));
	c.text[strstr(c.text, "example.com") - c.text] = 'f';
	CU_ASSERT(is(drive_run(d, bytes_str(c.text)), AUTH_FAIL, "signature"));
	chain_free(&c);
	free(record);
	EVP_PKEY_free(key);
	drive_free(d);
}

/* rsa-sha1 never passes, not even where DKIM may take it; sizes are those of the profile. */
static void f8_sha1_and_sizes(void)
{
	static const unsigned bits[] = { 512, 768, 1024, 2048 };
	struct drive *d = drive_key();
	struct chain c = { .n = 0 };
	d->profile.allow_sha1 = true;
	chain_add(&c, &(struct set){
			      .message = "i=#; a=rsa-sha1; " DS H, .names = "from", .sha1 = true });
	CU_ASSERT(is(drive_run(d, chain_text(&c, head, body)), AUTH_FAIL, "sha1"));
	chain_free(&c);
	chain_add(&c, &(struct set){ .seal = "i=#; a=rsa-sha1; cv=~; d=example.org; s=s1" });
	CU_ASSERT(is(drive_run(d, chain_text(&c, head, body)), AUTH_FAIL, "sha1"));
	chain_free(&c);
	for (unsigned k = 0; k < sizeof bits / sizeof bits[0]; k++) {
		EVP_PKEY *key = sign_rsa(bits[k]);
		char *record = sign_record(key, "");
		d->key = bytes_str(record);
		chain_add(&c, &(struct set){ .message_key = key, .seal_key = key });
		struct bytes text = chain_text(&c, head, body);
		bool small = bits[k] < 1024;
		CU_ASSERT(is(drive_run(d, text), small ? AUTH_FAIL : AUTH_PASS,
			     small ? "key_size" : NULL));
		d->profile.min_bits = 512;
		d->profile.max_bits = 1024;
		small = bits[k] > 1024;
		CU_ASSERT(is(drive_run(d, text), small ? AUTH_FAIL : AUTH_PASS,
			     small ? "key_size" : NULL));
		d->profile.min_bits = 1024;
		d->profile.max_bits = 4096;
		chain_free(&c);
		free(record);
		EVP_PKEY_free(key);
	}
	drive_free(d);
}

/* ---- what counts, and what it covers */

/* A message changed behind the first sealer: its message signature fails, the chain does not. */
static void f12_only_the_newest_message(void)
{
	static const char later[] =
		"From: List <list@example.net>\r\nTo: b@example.org\r\nSubject: [l] x\r\n";
	struct drive *d = drive_key();
	for (unsigned changed = 1; changed <= 3; changed++) {
		struct chain c = { .n = 0 };
		for (unsigned i = 1; i <= 3; i++)
			chain_add_as(&c, i, i < changed ? head : later,
				     i < changed ? body : "new\r\n", NULL);
		const struct arc_result *r = drive_run(d, chain_text(&c, later, "new\r\n"));
		CU_ASSERT(is(r, AUTH_PASS, NULL));
		CU_ASSERT_EQUAL(r->oldest_pass, changed == 1 ? 0 : changed);
		for (unsigned i = 1; i <= 3; i++) {
			uint8_t want = i >= changed ? AUTH_PASS : AUTH_FAIL;
			CU_ASSERT_EQUAL(r->set[i - 1].message, want);
			CU_ASSERT_EQUAL(r->set[i - 1].seal, AUTH_PASS);
		}
		/* and behind the last one: then it does */
		CU_ASSERT(is(drive_run(d, chain_text(&c, later, "newer\r\n")), AUTH_FAIL,
			     "body_hash"));
		CU_ASSERT_EQUAL(d->verdict.arc.failed, 3);
		chain_free(&c);
	}
	drive_free(d);
}

/* Each ARC field changed in its text: the newest seal that covers it fails. */
static void f12_seals_cover_all(void)
{
	struct drive *d = drive_key();
	for (unsigned i = 0; i < 9; i++) {
		struct chain c = chain_of(3);
		char *tag = strstr(c.field[i], i % 3 ? "t=1528637909" : "mailfrom=a");
		CU_ASSERT_FATAL(tag != NULL);
		tag[i % 3 ? 2 : 9] = '0';
		const struct arc_result *r = drive_run(d, chain_text(&c, head, body));
		CU_ASSERT(is(r, AUTH_FAIL, "signature"));
		CU_ASSERT_EQUAL(r->failed, 3);
		for (unsigned k = 0; k < 3; k++)
			CU_ASSERT_EQUAL(r->set[k].seal, k >= i / 3 ? AUTH_FAIL : AUTH_PASS);
		CU_ASSERT_EQUAL(r->set[2].message, i == 7 ? AUTH_FAIL : AUTH_PASS);
		chain_free(&c);
	}
	drive_free(d);
}

/* Every octet changed once: never a pass, but in the unused bits of the last letter of b=. */
static void every_octet_counts(void)
{
	struct drive *d = drive_key();
	struct chain c = { .n = 0 };
	chain_add_as(&c, 1, head, "body\r\n",
		     &(struct set){ .message = IA DS "c=simple/simple; h=received:from:to:subject",
				    .names = "received:from:to:subject",
				    .simple_header = true,
				    .simple_body = true });
	struct bytes text = chain_text(&c, head, "body\r\n");
	CU_ASSERT(is(drive_run(d, text), AUTH_PASS, NULL));
	unsigned passed = 0;
	for (size_t i = 0; i < text.n; i++) {
		c.text[i] ^= 4;
		const struct arc_result *r = drive_run(d, text);
		passed += r->result == AUTH_PASS;
		c.text[i] ^= 4;
	}
	CU_ASSERT(passed <= 1); /* the seal's; the other b= is covered by the seal */
	chain_free(&c);
	drive_free(d);
}

TEST_MAIN("arc", TEST(f12_chains), TEST(f12_structure), TEST(f12_instances), TEST(f12_one_instance),
	  TEST(f12_status), TEST(f12_message_tags), TEST(f12_seal_tags), TEST(f12_values),
	  TEST(forms), TEST(f8_ed25519), TEST(f8_sha1_and_sizes), TEST(f12_only_the_newest_message),
	  TEST(f12_seals_cover_all), TEST(every_octet_counts))
