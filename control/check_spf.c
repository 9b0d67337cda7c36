#include <stdio.h>
#include <stdlib.h>

#include "base/profile.h"
#include "control/ask.h"
#include "control/check.h"
#include "control/events_auth.h"
#include "control/files.h"
#include "control/profiles.h"
#include "verify/auth/sender.h"
#include "verify/auth/spf_reason.h"

/* SPF of one identity, and Sender ID of one address or message. */

enum { SPF_MEMORY = 4 * 1024 * 1024 };

/* What a check works with until its answers are there. */
struct work {
	struct known *known;
	struct arena arena;
	void *memory;
};

static bool work_begin(struct check *c, struct work *w)
{
	w->memory = malloc(SPF_MEMORY);
	w->known = w->memory ? check_known(c) : NULL;
	if (!w->known) {
		free(w->memory);
		snprintf(c->why, CHECK_WHY_MAX, "out of memory");
		return false;
	}
	arena_init(&w->arena, w->memory, SPF_MEMORY);
	return true;
}

static void work_end(struct work *w)
{
	check_known_free(w->known);
	free(w->memory);
}

static void put(struct check *c, const struct spf_result *r)
{
	check_word(c, "result", auth_result_name(events_spf(r)));
	check_text(c, "domain", r->domain);
	check_word(c, "identity", spf_identity_name((enum spf_identity)r->identity));
	check_text(c, "mechanism", r->mechanism);
	check_text(c, "explanation", r->explanation);
	check_word(c, "reason", r->reason);
	check_text(c, "sender", r->sender);
	check_uint(c, "lookups", r->lookups);
	check_uint(c, "voids", r->voids);
	check_bool(c, "dnssec", r->secure);
}

static void unseen(struct spf_result *r, enum spf_identity identity, enum spf_reason reason)
{
	*r = (struct spf_result){ .checked = true,
				  .identity = (uint8_t)identity,
				  .result = (uint8_t)spf_reason_result(reason),
				  .reason = spf_reason_word(reason) };
}

/* check_host() until it has its answers. */
static void host(struct check *c, struct work *w, struct spf_setup *setup, struct spf_result *r)
{
	setup->known = w->known;
	setup->arena = &w->arena;
	while (!spf_check(setup, r)) {
		ask_known(c->ask, w->known, setup->profile->timeout_ms);
		arena_reset(&w->arena);
	}
}

/* Which identity, and what is not there to check it with. */
static enum spf_reason choose(const struct check *c, struct spf_setup *setup)
{
	bool helo =
		c->identity ? !strcmp(c->identity, "helo") : !c->has_mail_from || !c->mail_from.n;
	setup->identity = helo ? SPF_HELO : SPF_MAILFROM;
	setup->sender = helo ? c->helo : c->mail_from;
	if (!c->has_client)
		return SPF_REASON_NO_CLIENT;
	if (!helo && !c->has_mail_from)
		return SPF_REASON_NO_MAIL_FROM;
	if (!helo && !c->mail_from.n) { /* RFC 7208 section 2.4 */
		setup->sender = c->helo;
		helo = true;
	}
	if (helo && !c->has_helo)
		return SPF_REASON_NO_HELO;
	/* it would be taken for an address */
	bool at = helo && c->helo.n && memchr(c->helo.p, '@', c->helo.n);
	return at ? SPF_REASON_MALFORMED : SPF_REASON_NONE;
}

int check_spf(struct check *c)
{
	struct work w;
	struct spf_result r;
	struct spf_setup setup = { .profile = profiles_spf(c->cfg.profiles, c->cfg.spf_profile),
				   .client = c->client,
				   .helo = c->helo,
				   .receiver = check_receiver(c),
				   .now_s = check_now_s(c) };
	enum spf_reason missing = choose(c, &setup);
	if (!work_begin(c, &w))
		return -1;
	if (missing == SPF_REASON_NONE)
		host(c, &w, &setup, &r);
	else
		unseen(&r, setup.identity, missing);
	put(c, &r);
	work_end(&w);
	return 0;
}

/* ---- Sender ID ---- */

/* The address is given, so there is no header to choose it from. */
static void of_address(struct check *c, struct work *w, const struct spf_profile *profile)
{
	struct spf_result r;
	struct spf_setup setup = { .profile = profile,
				   .client = c->client,
				   .helo = c->helo,
				   .sender = c->pra,
				   .receiver = check_receiver(c),
				   .now_s = check_now_s(c),
				   .identity = SPF_PRA };
	if (!c->has_client) {
		unseen(&r, SPF_PRA, SPF_REASON_NO_CLIENT);
	} else if (!c->pra.n) {
		unseen(&r, SPF_PRA, SPF_REASON_NO_PRA);
		if (profile->level == SPF_LEVEL_SIDF) /* RFC 4406 section 4.3 */
			r.result = AUTH_FAIL;
	} else {
		host(c, w, &setup, &r);
	}
	put(c, &r);
}

static void put_other(struct check *c, const struct spf_result *r)
{
	json_key(&c->json, spf_identity_name((enum spf_identity)r->identity));
	json_object_begin(&c->json);
	put(c, r);
	json_object_end(&c->json);
}

/* All identities of the level. False: no memory for the header. */
static bool of_message(struct check *c, struct work *w, const struct spf_profile *profile,
		       const struct message *m)
{
	struct spf_result r[SPF_IDENTITY_N];
	struct header header;
	struct origin origin;
	bool kept = m->chunks && m->header_len <= m->chunks->len;
	struct bytes octets =
		kept ? bytes_of(m->chunks->data, m->header_len) : (struct bytes){ NULL, 0 };
	if (!header_split(&header, octets, 1, &w->arena))
		return false;
	uint32_t relays =
		profiles_find(c->cfg.profiles, KIND_ADDRESSES, bytes_str(profile->relays));
	origin_find(&origin, m, &header,
		    relays < profiles_count(c->cfg.profiles, KIND_ADDRESSES)
			    ? profiles_list(c->cfg.profiles, KIND_ADDRESSES, relays)
			    : NULL);
	struct sender_setup setup = { .known = w->known,
				      .arena = &w->arena,
				      .profile = profile,
				      .message = m,
				      .header = &header,
				      .origin = &origin,
				      .receiver = check_receiver(c),
				      .now_s = check_now_s(c) };
	size_t used = w->arena.used;
	while (!sender_check(&setup, r)) {
		ask_known(c->ask, w->known, profile->timeout_ms);
		w->arena.used = used;
	}
	put(c, &r[SPF_PRA]);
	check_bool(c, "downgraded", r[SPF_PRA].downgraded);
	put_other(c, &r[SPF_MAILFROM]);
	if (r[SPF_HELO].checked)
		put_other(c, &r[SPF_HELO]);
	return true;
}

static int message(struct check *c, struct work *w, const struct spf_profile *profile)
{
	struct files *files;
	struct message *m = check_message(c, &files);
	int rc = m && of_message(c, w, profile, m) ? 0 : -1;
	if (m && rc < 0)
		snprintf(c->why, CHECK_WHY_MAX, "%.256s: no memory for its header", c->file);
	if (m)
		files_release(m);
	files_free(files);
	return rc;
}

int check_sidf(struct check *c)
{
	static const char *const level[] = { "spf", "sidf", "sidf-compatible" };
	struct spf_profile profile = *profiles_spf(c->cfg.profiles, c->cfg.spf_profile);
	struct work w;
	int rc = 0;
	if (c->level)
		profile.level =
			strcmp(c->level, "sidf") ? SPF_LEVEL_SIDF_COMPATIBLE : SPF_LEVEL_SIDF;
	else if (profile.level == SPF_LEVEL_SPF)
		profile.level = SPF_LEVEL_SIDF_COMPATIBLE;
	if (!work_begin(c, &w))
		return -1;
	if (c->has_pra)
		of_address(c, &w, &profile);
	else
		rc = message(c, &w, &profile);
	check_word(c, "level", level[profile.level]);
	work_end(&w);
	return rc;
}
