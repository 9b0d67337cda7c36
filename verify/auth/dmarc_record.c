#include "verify/auth/dmarc_record.h"

static bool is_alpha(uint8_t c)
{
	c |= 0x20;
	return c >= 'a' && c <= 'z';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(struct bytes value, const char *word)
{
	return bytes_equal_nocase(value, bytes_str(word));
}

/* From the front of *rest up to the separator, which is taken too. False behind the last. */
static bool next_part(struct bytes *rest, uint8_t separator, struct bytes *part)
{
	if (!rest->p)
		return false;
	const uint8_t *end = rest->n ? memchr(rest->p, separator, rest->n) : NULL;
	size_t n = end ? (size_t)(end - rest->p) : rest->n;
	*part = bytes_of(rest->p, n);
	*rest = end ? bytes_of(end + 1, rest->n - n - 1) : (struct bytes){ NULL, 0 };
	return true;
}

/* name = value without the blanks around them. False: it is no tag. */
static bool split(struct bytes tag, struct bytes *name, struct bytes *value)
{
	struct bytes rest = tag;
	if (!next_part(&rest, '=', name) || !rest.p)
		return false;
	*name = bytes_trim(*name);
	*value = bytes_trim(rest);
	for (size_t i = 0; i < name->n; i++)
		if (!is_alpha(name->p[i]))
			return false;
	return name->n > 0;
}

/* RFC 3986: a scheme, and behind it characters of a URI. Those of mailto have an address. */
static bool is_uri(struct bytes uri)
{
	static const char marks[] = "-._~:/?#[]@$&'()*+;=";
	size_t i = 0, at = 0;
	if (uri.n == 0 || !is_alpha(uri.p[0]))
		return false;
	while (i < uri.n && (is_alpha(uri.p[i]) || is_digit(uri.p[i]) || uri.p[i] == '+' ||
			     uri.p[i] == '-' || uri.p[i] == '.'))
		i++;
	if (i + 1 >= uri.n || uri.p[i] != ':')
		return false;
	bool mail = is_word(bytes_head(uri, i), "mailto"), query = false;
	size_t start = ++i;
	for (; i < uri.n; i++) {
		uint8_t c = uri.p[i];
		if (c == '%') {
			static const char hex[] = "0123456789abcdefABCDEF";
			if (uri.n - i < 3 || !memchr(hex, uri.p[i + 1], sizeof hex - 1) ||
			    !memchr(hex, uri.p[i + 2], sizeof hex - 1))
				return false;
			i += 2;
		} else if (!is_alpha(c) && !is_digit(c) && !memchr(marks, c, sizeof marks - 1)) {
			return false;
		}
		query = query || c == '?';
		if (c == '@' && !query && i > start)
			at = i;
	}
	return !mail || (at && at + 1 < uri.n && uri.p[at + 1] != '?');
}

/* Without "!", digits and a unit at its end. */
static struct bytes without_size(struct bytes uri)
{
	const uint8_t *mark = uri.n ? memchr(uri.p, '!', uri.n) : NULL;
	if (!mark)
		return uri;
	size_t n = (size_t)(mark - uri.p), i = n + 1, digits = 0;
	while (i < uri.n && is_digit(uri.p[i]))
		i++, digits++;
	if (i < uri.n && memchr("kmgtKMGT", uri.p[i], 8))
		i++;
	return digits && i == uri.n ? bytes_of(uri.p, n) : uri;
}

bool dmarc_record_uri(struct bytes *list, struct bytes *uri)
{
	struct bytes part;
	while (next_part(list, ',', &part)) {
		*uri = without_size(bytes_trim(part));
		if (is_uri(*uri))
			return true;
	}
	return false;
}

static void parse_request(struct dmarc_request *r, struct bytes value)
{
	if (r->state != DMARC_ABSENT)
		return;
	r->state = DMARC_VALID;
	if (is_word(value, "none"))
		r->policy = DMARC_NONE;
	else if (is_word(value, "quarantine"))
		r->policy = DMARC_QUARANTINE;
	else if (is_word(value, "reject"))
		r->policy = DMARC_REJECT;
	else
		r->state = DMARC_BAD;
}

static void parse_list(struct bytes *field, struct bytes value)
{
	if (!field->p)
		*field = value;
}

static uint8_t parse_percent(struct bytes value)
{
	unsigned n = 0;
	if (value.n == 0 || value.n > 3)
		return 100;
	for (size_t i = 0; i < value.n; i++) {
		if (!is_digit(value.p[i]))
			return 100;
		n = 10 * n + (unsigned)(value.p[i] - '0');
	}
	return n <= 100 ? (uint8_t)n : 100;
}

enum { SEEN_ADKIM = 1, SEEN_ASPF = 2, SEEN_PSD = 4, SEEN_PCT = 8, SEEN_T = 16 };

/* The first time of a tag of which a default stands for what is wrong. */
static bool first(unsigned *seen, unsigned tag)
{
	bool again = *seen & tag;
	*seen |= tag;
	return !again;
}

static void parse_tag(struct dmarc_record *r, unsigned *seen, struct bytes name, struct bytes value)
{
	if (is_word(name, "p")) {
		parse_request(&r->p, value);
	} else if (is_word(name, "sp")) {
		parse_request(&r->sp, value);
	} else if (is_word(name, "np")) {
		parse_request(&r->np, value);
	} else if (is_word(name, "rua")) {
		parse_list(&r->rua, value);
	} else if (is_word(name, "ruf")) {
		parse_list(&r->ruf, value);
	} else if (is_word(name, "fo")) {
		parse_list(&r->fo, value);
	} else if (is_word(name, "adkim") && first(seen, SEEN_ADKIM)) {
		r->adkim = is_word(value, "s") ? DMARC_STRICT : DMARC_RELAXED;
	} else if (is_word(name, "aspf") && first(seen, SEEN_ASPF)) {
		r->aspf = is_word(value, "s") ? DMARC_STRICT : DMARC_RELAXED;
	} else if (is_word(name, "psd") && first(seen, SEEN_PSD)) {
		r->psd = is_word(value, "y")   ? DMARC_PSD_YES
			 : is_word(value, "n") ? DMARC_PSD_NO
					       : DMARC_PSD_UNSAID;
	} else if (is_word(name, "pct") && first(seen, SEEN_PCT)) {
		r->pct = parse_percent(value);
	} else if (is_word(name, "t") && first(seen, SEEN_T)) {
		r->testing = is_word(value, "y");
	}
}

bool dmarc_record_parse(struct dmarc_record *r, struct bytes text)
{
	struct bytes rest = text, part, name, value;
	unsigned seen = 0;
	/* most texts at a name are something else: told by their first octets */
	if (!next_part(&rest, ';', &part) || !split(part, &name, &value) || !is_word(name, "v") ||
	    !bytes_equal(value, bytes_str("DMARC1")))
		return false;
	*r = (struct dmarc_record){ .text = text, .pct = 100 };
	while (next_part(&rest, ';', &part))
		if (split(part, &name, &value))
			parse_tag(r, &seen, name, value);
	struct bytes list = r->rua, uri;
	r->reports = dmarc_record_uri(&list, &uri);
	if (!r->ruf.p)
		r->fo = (struct bytes){ NULL, 0 };
	return true;
}

const struct dmarc_set *dmarc_record_set(struct record *record, struct arena *arena)
{
	static const struct dmarc_set none;
	struct dmarc_set set = { 0 };
	if (record->parsed[RECORD_DMARC])
		return record->parsed[RECORD_DMARC];
	for (unsigned i = 0; i < record->answer.n && record->answer.status == ANSWER_DATA; i++) {
		struct dmarc_record r;
		if (dmarc_record_parse(&r, record->answer.rr[i].data) && set.n++ == 0)
			set.record = r;
	}
	const struct dmarc_set *kept = &none;
	if (set.n) {
		struct dmarc_set *copy = arena_take(&record->space, sizeof *copy);
		bool own = copy != NULL;
		if (!own)
			copy = arena_take(arena, sizeof *copy);
		if (!copy)
			return NULL;
		*copy = set;
		if (!own)
			return copy;
		kept = copy;
	}
	record->parsed[RECORD_DMARC] = kept;
	return kept;
}
