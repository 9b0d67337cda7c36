#include "tests/spf_case.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/test.h"

const struct spf_profile spf_case_profile = { .lookup_max = 10, .void_max = 2 };

struct address spf_case_ip(const char *text)
{
	struct address a = { { [10] = 0xff, [11] = 0xff } };
	if (inet_pton(AF_INET, text, a.ip + 12) != 1 && inet_pton(AF_INET6, text, a.ip) != 1) {
		fprintf(stderr, "no address: %s\n", text);
		exit(1);
	}
	return a;
}

struct step {
	struct spf_setup setup;
	struct spf_result *result;
};

static bool step(void *ctx)
{
	struct step *s = ctx;
	return spf_check(&s->setup, s->result);
}

const struct spf_result *spf_case_one(struct lookup *l, const struct spf_profile *profile,
				      enum spf_identity identity, const struct spf_row *row)
{
	static struct spf_result result;
	struct step s = { { .known = &l->known,
			    .arena = &l->arena,
			    .profile = profile,
			    .client = spf_case_ip(row->ip),
			    .helo = bytes_str(row->helo),
			    .sender = bytes_str(*row->from ? row->from : row->helo),
			    .receiver = bytes_str("mx.receiver.example"),
			    .now_s = 1795284000,
			    .identity = identity },
			  &result };
	lookup_again(l);
	lookup_run(l, &l->known, step, &s);
	return &result;
}

static bool is_text(struct bytes have, const char *want)
{
	return want ? bytes_equal(have, bytes_str(want)) : have.n == 0;
}

static void compare(const struct spf_result *r, const struct spf_row *row)
{
	bool reason = r->reason && row->reason ? strcmp(r->reason, row->reason) == 0
					       : r->reason == row->reason;
	bool same = strcmp(auth_result_name(r->result), row->result) == 0 && reason &&
		    is_text(r->mechanism, row->mechanism) &&
		    is_text(r->explanation, row->explanation);
	if (!same)
		fprintf(stderr, "%s %s %s: %s mechanism %.*s reason %s explanation %.*s\n", row->ip,
			row->helo, row->from, auth_result_name(r->result), (int)r->mechanism.n,
			r->mechanism.p, r->reason ? r->reason : "-", (int)r->explanation.n,
			r->explanation.p);
	CU_ASSERT(same);
	CU_ASSERT(r->checked && r->result < AUTH_RESULT_N && !r->secure && !r->downgraded);
	for (size_t i = 0; i < r->explanation.n; i++)
		CU_ASSERT(r->explanation.p[i] >= 0x20 && r->explanation.p[i] < 0x7f);
}

void spf_case_all(const char *zone, const struct spf_profile *profile, enum spf_identity identity,
		  const struct spf_row *row, unsigned n)
{
	struct lookup *l = lookup_new(zone);
	for (unsigned i = 0; i < n; i++) {
		l->mode = LOOKUP_ALL;
		const struct spf_result *r =
			spf_case_one(l, profile ? profile : &spf_case_profile, identity, &row[i]);
		unsigned lookups = r->lookups, voids = r->voids;
		compare(r, &row[i]);
		l->mode = LOOKUP_ONE;
		r = spf_case_one(l, profile ? profile : &spf_case_profile, identity, &row[i]);
		compare(r, &row[i]);
		CU_ASSERT(r->lookups == lookups && r->voids == voids);
	}
	lookup_free(l);
}
