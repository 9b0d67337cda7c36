#include "verify/auth/discovery.h"

/* "_dmarc." and a name that may be too long for that: then it does not exist */
enum { PREFIX = 7, QUESTION_ROOM = PREFIX + QUESTION_NAME_MAX };

struct step {
	struct bytes name;
	enum discovery_state state;
	const struct dmarc_set *set; /* valid if known */
	uint8_t status; /* enum answer_status, likewise */
};

unsigned discovery_labels(struct bytes name)
{
	unsigned n = name.n != 0;
	for (size_t i = 0; i < name.n; i++)
		n += name.p[i] == '.';
	return n;
}

struct bytes discovery_tail(struct bytes name, unsigned labels)
{
	size_t i = name.n;
	if (labels == 0)
		return bytes_from(name, name.n);
	while (i > 0 && (name.p[i - 1] != '.' || --labels > 0))
		i--;
	return bytes_from(name, i);
}

static void tell(const struct discovery *d, const struct step *s)
{
	static const char *const words[] = {
		[ANSWER_DATA] = "other texts only",     [ANSWER_NODATA] = "no text",
		[ANSWER_NXDOMAIN] = "no such name",     [ANSWER_SERVFAIL] = "the question failed",
		[ANSWER_TIMEOUT] = "no answer in time",
	};
	struct trace *t = d->known->trace;
	int n = (int)s->name.n;
	const char *name = (const char *)s->name.p;
	if (!t || s->state == DISCOVERY_OPEN)
		return;
	if (s->state == DISCOVERY_KNOWN && s->set->n == 1)
		trace_line(t, TRACE_DMARC, 2, "_dmarc.%.*s: %.*s", n, name,
			   (int)s->set->record.text.n, (const char *)s->set->record.text.p);
	else if (s->state == DISCOVERY_KNOWN && s->set->n)
		trace_line(t, TRACE_DMARC, 2, "_dmarc.%.*s: %u records, all discarded", n, name,
			   s->set->n);
	else
		trace_line(t, TRACE_DMARC, 2, "_dmarc.%.*s: %s", n, name, words[s->status]);
}

/* What is at _dmarc.name. */
static void look(struct discovery *d, struct bytes name, struct step *s)
{
	char question[QUESTION_ROOM] = "_dmarc.";
	*s = (struct step){ .name = name };
	size_t n = name.n < QUESTION_NAME_MAX ? name.n : QUESTION_NAME_MAX;
	memcpy(question + PREFIX, name.p, n);
	struct record *r =
		known_ask(d->known, KNOWN_DMARC, QUESTION_TXT, bytes_of(question, PREFIX + n));
	if (!r) {
		s->state = DISCOVERY_OPEN;
		return;
	}
	s->status = r->answer.status;
	if (s->status == ANSWER_TIMEOUT || s->status == ANSWER_SERVFAIL) {
		s->state = s->status == ANSWER_TIMEOUT ? DISCOVERY_TIMEOUT : DISCOVERY_FAILED;
	} else {
		s->set = dmarc_record_set(r, d->arena);
		s->state = s->set ? DISCOVERY_KNOWN : DISCOVERY_NO_SPACE;
		d->insecure |= !r->answer.secure;
	}
	tell(d, s);
}

static const struct dmarc_record *only(const struct step *s)
{
	return s->state == DISCOVERY_KNOWN && s->set->n == 1 ? &s->set->record : NULL;
}

static bool has_list(const struct discovery *d)
{
	return d->suffixes && d->walk != WALK_RFC9989;
}

/* What psd= says, or in its place the list. */
static enum dmarc_psd psd_of(const struct discovery *d, const struct step *s, bool *by_list)
{
	const struct dmarc_record *r = only(s);
	if (!r)
		return DMARC_PSD_UNSAID;
	*by_list = r->psd == DMARC_PSD_UNSAID && d->walk == WALK_AUTO && has_list(d) &&
		   suffixes_organization(d->suffixes, s->name).n == 0;
	return *by_list ? DMARC_PSD_YES : (enum dmarc_psd)r->psd;
}

/* Selects among the steps of a walk that all are known (RFC 9989 section 4.10.2). */
static void choose(const struct step *step, unsigned n, enum dmarc_psd last, struct bytes name,
		   struct discovery_organization *out)
{
	out->domain = name;
	if (last == DMARC_PSD_YES && n > 1) {
		/* the domain one label below the public suffix, whether it was asked for or not */
		out->above = only(&step[n - 1]);
		out->above_at = step[n - 1].name;
		out->domain = discovery_tail(name, discovery_labels(step[n - 1].name) + 1);
	} else {
		/* psd=n, and a psd=y where the walk started, are the last step too */
		out->suffix = last == DMARC_PSD_YES;
		for (unsigned i = 0; i < n; i++)
			if (only(&step[i]))
				out->domain = step[i].name;
	}
	for (unsigned i = 0; i < n; i++)
		if (step[i].name.n == out->domain.n)
			out->record = only(&step[i]);
}

static void walk(struct discovery *d, struct bytes name, struct discovery_organization *out)
{
	struct step step[DISCOVERY_STEPS];
	unsigned labels = discovery_labels(name), n = 0;
	enum dmarc_psd psd = DMARC_PSD_UNSAID;
	bool by_list = false;
	*out = (struct discovery_organization){ .state = DISCOVERY_KNOWN };
	while (labels && n < DISCOVERY_STEPS && psd == DMARC_PSD_UNSAID) {
		struct step *s = &step[n++];
		look(d, discovery_tail(name, labels), s);
		/* the first that is not known decides; the others are asked for all the same */
		if (out->state == DISCOVERY_KNOWN)
			out->state = s->state;
		if (n == 1) {
			out->own_state = s->state;
			out->own = only(s);
			out->exists = s->state == DISCOVERY_KNOWN && s->status != ANSWER_NXDOMAIN;
		}
		out->several |= s->state == DISCOVERY_KNOWN && s->set->n > 1;
		psd = psd_of(d, s, &by_list);
		labels = labels >= DISCOVERY_STEPS ? DISCOVERY_STEPS - 1 : labels - 1;
	}
	out->by_list = psd != DMARC_PSD_UNSAID && by_list;
	if (out->state == DISCOVERY_KNOWN)
		choose(step, n, psd, name, out);
}

/* RFC 7489 section 3.2: the list alone. */
static struct bytes registrable(const struct discovery *d, struct bytes name)
{
	struct bytes found = suffixes_organization(d->suffixes, name);
	return found.n ? found : name;
}

static bool list_alone(const struct discovery *d)
{
	return d->walk == WALK_PSL && has_list(d);
}

void discovery_organize(struct discovery *d, struct bytes name, struct discovery_organization *out)
{
	if (!list_alone(d)) {
		walk(d, name, out);
		return;
	}
	*out = (struct discovery_organization){ .state = DISCOVERY_KNOWN,
						.domain = registrable(d, name),
						.by_list = true };
}

/* RFC 7489 section 6.6.3: the author's domain, else its organization. Several records end it. */
static void find_by_list(struct discovery *d, struct bytes author, struct bytes domain, bool ahead,
			 struct discovery_policy *out)
{
	struct step own, above = { 0 };
	bool other = domain.n != author.n;
	look(d, author, &own);
	bool next = own.state == DISCOVERY_KNOWN && own.set->n == 0;
	if (other && (ahead || next))
		look(d, domain, &above);
	const struct step *s = other && next ? &above : &own;
	*out = (struct discovery_policy){
		.state = s->state,
		.record = only(s),
		.at = s->name,
		.by_list = true,
		.several = s->state == DISCOVERY_KNOWN && s->set->n > 1,
		.exists = own.state == DISCOVERY_KNOWN && own.status != ANSWER_NXDOMAIN,
	};
}

void discovery_find(struct discovery *d, struct bytes author, bool ahead,
		    struct discovery_policy *out, struct discovery_organization *organization)
{
	struct discovery_organization *o = organization;
	discovery_organize(d, author, o);
	if (list_alone(d)) {
		find_by_list(d, author, o->domain, ahead, out);
		return;
	}
	if (o->own || o->own_state != DISCOVERY_KNOWN) {
		*out = (struct discovery_policy){
			.state = o->own_state, .record = o->own, .at = author, .exists = o->exists
		};
		return;
	}
	*out = (struct discovery_policy){ .state = o->state,
					  .record = o->record ? o->record : o->above,
					  .at = o->record ? o->domain : o->above_at,
					  .by_list = o->by_list,
					  .several = o->several,
					  .exists = o->exists };
}

/*
 * The walk from name passes the organization, and above it goes as the author's went: so it ends
 * there too, unless a record below has psd=. Where it would jump it is made in full.
 */
enum discovery_state discovery_within(struct discovery *d, struct bytes name,
				      const struct discovery_organization *organization,
				      bool *within)
{
	unsigned labels = discovery_labels(name), end = discovery_labels(organization->domain);
	enum discovery_state state = DISCOVERY_KNOWN;
	enum dmarc_psd psd = DMARC_PSD_UNSAID;
	bool by_list = false;
	if (list_alone(d) || labels >= DISCOVERY_STEPS) {
		struct discovery_organization other;
		discovery_organize(d, name, &other);
		*within = other.domain.n == organization->domain.n;
		return other.state;
	}
	for (; labels > end && psd == DMARC_PSD_UNSAID && !organization->suffix; labels--) {
		struct step s;
		look(d, discovery_tail(name, labels), &s);
		if (state == DISCOVERY_KNOWN)
			state = s.state;
		psd = psd_of(d, &s, &by_list);
	}
	*within = psd == DMARC_PSD_UNSAID && !organization->suffix;
	return state;
}
