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
static void find_by_list(struct discovery *d, struct bytes author, bool ahead,
			 struct discovery_policy *out)
{
	struct bytes domain = registrable(d, author);
	struct step own, above;
	out->by_list = true;
	look(d, author, &own);
	if (domain.n != author.n && ahead)
		look(d, domain, &above);
	out->exists = own.state == DISCOVERY_KNOWN && own.status != ANSWER_NXDOMAIN;
	const struct step *s = &own;
	if (domain.n != author.n && own.state == DISCOVERY_KNOWN && own.set->n == 0) {
		if (!ahead)
			look(d, domain, &above);
		s = &above;
	}
	out->state = s->state;
	out->record = only(s);
	out->at = s->name;
	out->several = s->state == DISCOVERY_KNOWN && s->set->n > 1;
}

void discovery_find(struct discovery *d, struct bytes author, bool ahead,
		    struct discovery_policy *out)
{
	struct discovery_organization organization;
	struct step own;
	*out = (struct discovery_policy){ .state = DISCOVERY_KNOWN };
	if (list_alone(d)) {
		find_by_list(d, author, ahead, out);
		return;
	}
	look(d, author, &own);
	out->exists = own.state == DISCOVERY_KNOWN && own.status != ANSWER_NXDOMAIN;
	out->record = only(&own);
	out->at = author;
	bool enough = out->record || own.state > DISCOVERY_OPEN;
	if (!enough || ahead)
		discovery_organize(d, author, &organization);
	if (enough || own.state == DISCOVERY_OPEN) {
		out->state = own.state;
		return;
	}
	out->state = organization.state;
	out->by_list = organization.by_list;
	out->several = organization.several;
	out->record = organization.record ? organization.record : organization.above;
	out->at = organization.record ? organization.domain : organization.above_at;
}
