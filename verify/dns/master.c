#include "verify/dns/master.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>

/* Records are read by libldns from a stream over the text; when it ends the text is gone through
 * for ERROR lines. */
struct master {
	struct bytes text;
	FILE *f; /* NULL: all records were read */
	ldns_rdf *origin, *prev;
	uint32_t ttl;
	size_t counted; /* line is that of this offset */
	size_t errors_at; /* offset of the next line that may be an ERROR */
	int line;
	const char *name;
	char *why;
	size_t why_len;
	uint8_t data[LDNS_MAX_PACKETLEN + 1];
};

size_t master_name(uint8_t wire[MASTER_NAME_MAX], const char *text, size_t n)
{
	size_t len = 0, label = 0; /* label: offset of the length octet */
	if (n && text[n - 1] == '.')
		n--;
	if (n + 2 > MASTER_NAME_MAX)
		return 0;
	if (n == 0) {
		wire[0] = 0;
		return 1;
	}
	wire[len++] = 0;
	for (size_t i = 0; i < n; i++) {
		if (text[i] != '.') {
			if (wire[label]++ == 63)
				return 0;
			wire[len++] = bytes_lower((uint8_t)text[i]);
		} else {
			if (wire[label] == 0)
				return 0;
			label = len;
			wire[len++] = 0;
		}
	}
	if (wire[label] == 0)
		return 0;
	wire[len++] = 0;
	return len;
}

int master_refuse(struct master *m, int line, const char *what, const char *cure)
{
	snprintf(m->why, m->why_len, "%s:%d: %s; %s", m->name, line, what, cure);
	return -EINVAL;
}

static int refuse_here(struct master *m, const char *what, const char *cure)
{
	return master_refuse(m, m->line, what, cure);
}

static int no_memory(const char *name, char *why, size_t why_len)
{
	snprintf(why, why_len, "%s: out of memory; give a smaller file", name);
	return -ENOMEM;
}

/* The reader takes what is open at the end for closed and would lose records so. */
static int check_pairs(struct master *m)
{
	bool quoted = false, comment = false;
	int open = 0, open_line = 0;
	m->line = 1;
	for (size_t i = 0; i < m->text.n; i++) {
		uint8_t c = m->text.p[i];
		if (c == '\n') {
			if (quoted)
				break;
			comment = false;
			m->line++;
		} else if (comment) {
			continue;
		} else if (c == '\\') {
			i += i + 1 < m->text.n && m->text.p[i + 1] != '\n';
		} else if (c == '"') {
			quoted = !quoted;
		} else if (!quoted && c == ';') {
			comment = true;
		} else if (!quoted && c == '(' && open++ == 0) {
			open_line = m->line;
		} else if (!quoted && c == ')' && open-- == 0) {
			return refuse_here(m, "parenthesis closed that is not open", "remove it");
		}
	}
	if (quoted)
		return refuse_here(m, "string without its second quote", "close it on its line");
	if (open > 0) {
		m->line = open_line;
		return refuse_here(m, "parenthesis without its second one", "close it");
	}
	m->line = 1;
	return 0;
}

int master_open(struct master **out, struct bytes text, const char *name, char *why, size_t why_len)
{
	struct master *m = calloc(1, sizeof *m);
	if (!m)
		return no_memory(name, why, why_len);
	m->text = text;
	m->name = name;
	m->why = why;
	m->why_len = why_len;
	m->ttl = 3600;
	int rc = check_pairs(m);
	if (rc == 0 && text.n) {
		m->origin = ldns_dname_new_frm_str(".");
		m->f = fmemopen((void *)text.p, text.n, "r");
		if (!m->origin || !m->f)
			rc = no_memory(name, why, why_len);
	}
	if (rc < 0) {
		master_close(m);
		return rc;
	}
	*out = m;
	return 0;
}

void master_close(struct master *m)
{
	if (!m)
		return;
	if (m->f)
		fclose(m->f);
	ldns_rdf_deep_free(m->origin);
	ldns_rdf_deep_free(m->prev);
	free(m);
}

/* One record out of libldns' form. */
static int take_record(struct master *m, const ldns_rr *rr, struct master_record *r)
{
	const ldns_rdf *owner = ldns_rr_owner(rr);
	size_t n = owner ? ldns_rdf_size(owner) : 0;
	if (n == 0 || n > sizeof r->name)
		return refuse_here(m, "record without a name",
				   "write the name at the start of the line");
	if (ldns_rr_get_type(rr) == 0) /* a line of two words that libldns lets pass */
		return refuse_here(m, "record without a known type",
				   "write it as RFC 1035 section 5 says, or remove it");
	if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
		return refuse_here(m, "class is not IN", "remove the record");
	r->name_len = (uint8_t)n;
	for (size_t i = 0; i < n; i++) /* length octets are under 64, so they stay */
		r->name[i] = bytes_lower(ldns_rdf_data(owner)[i]);
	r->fails = false;
	r->type = (uint16_t)ldns_rr_get_type(rr);
	r->ttl_s = ldns_rr_ttl(rr);
	r->line = m->line;
	size_t skip = r->type == QUESTION_TXT ? 1 : 0; /* the length octet of each string */
	size_t len = 0;
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);
		if (ldns_rdf_size(rdf) < skip)
			continue;
		n = ldns_rdf_size(rdf) - skip;
		if (n > sizeof m->data - len)
			return refuse_here(m, "record over 65,535 octets", "make it shorter");
		memcpy(m->data + len, ldns_rdf_data(rdf) + skip, n);
		len += n;
	}
	r->data = bytes_of(m->data, len);
	return 1;
}

/* The line the next record begins on: libldns counts the empty ones behind the last one in, or not.
 */
static void find_line(struct master *m)
{
	long at = ftell(m->f);
	bool comment = false;
	for (; m->counted < m->text.n; m->counted++) {
		uint8_t c = m->text.p[m->counted];
		if (at >= 0 && m->counted >= (size_t)at) {
			comment = c != '\n' && (comment || c == ';');
			if (!comment && c != ' ' && c != '\t' && c != '\r' && c != '\n')
				return;
		}
		m->line += c == '\n';
	}
}

static int next_record(struct master *m, struct master_record *r)
{
	while (!feof(m->f)) {
		find_line(m);
		ldns_rr *rr = NULL;
		ldns_status s =
			ldns_rr_new_frm_fp_l(&rr, m->f, &m->ttl, &m->origin, &m->prev, NULL);
		int rc = 0;
		if (s == LDNS_STATUS_OK)
			rc = take_record(m, rr, r);
		else if (s == LDNS_STATUS_SYNTAX_INCLUDE)
			rc = refuse_here(m, "$INCLUDE is not followed",
					 "put the records in this file");
		else if (s == LDNS_STATUS_MEM_ERR)
			rc = no_memory(m->name, m->why, m->why_len);
		else if (s != LDNS_STATUS_SYNTAX_EMPTY && s != LDNS_STATUS_SYNTAX_TTL &&
			 s != LDNS_STATUS_SYNTAX_ORIGIN)
			rc = refuse_here(m, ldns_get_errorstr_by_id(s),
					 "write it as RFC 1035 section 5 says, or remove it");
		ldns_rr_free(rr);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* Cuts the next comma-separated word off b. */
static struct bytes next_word(struct bytes *b)
{
	const uint8_t *comma = b->n ? memchr(b->p, ',', b->n) : NULL;
	struct bytes word = bytes_head(*b, comma ? (size_t)(comma - b->p) : b->n);
	*b = bytes_from(*b, comma ? word.n + 1 : b->n);
	return bytes_trim(word);
}

/* What follows ";ERROR,". */
static int take_error(struct master *m, struct bytes line, struct master_record *r)
{
	static const struct {
		const char *word;
		enum answer_status status;
	} rcodes[] = { { "TIMEOUT", ANSWER_TIMEOUT },
		       { "SERVFAIL", ANSWER_SERVFAIL },
		       { "NXDOMAIN", ANSWER_NXDOMAIN },
		       { "NODATA", ANSWER_NODATA } };
	struct bytes name = next_word(&line), type = next_word(&line), rcode = next_word(&line);
	r->name_len = (uint8_t)master_name(r->name, (const char *)name.p, name.n);
	if (r->name_len == 0)
		return refuse_here(m, "ERROR line without a possible name",
				   "write ;ERROR,name,TYPE,RCODE");
	r->fails = false;
	for (size_t i = 0; i < sizeof rcodes / sizeof rcodes[0]; i++) {
		if (bytes_equal_nocase(rcode, bytes_str(rcodes[i].word))) {
			r->status = rcodes[i].status;
			r->fails = true;
		}
	}
	if (!r->fails || line.n)
		return refuse_here(m, "ERROR line with another RCODE",
				   "write TIMEOUT, SERVFAIL, NXDOMAIN or NODATA");
	char word[16] = "";
	if (type.n < sizeof word && type.n)
		memcpy(word, type.p, type.n);
	r->type = (uint16_t)ldns_get_rr_type_by_name(word);
	if (r->type == 0)
		return refuse_here(m, "ERROR line with an unknown type",
				   "write A, AAAA, MX, PTR or TXT");
	r->ttl_s = 0;
	r->data = (struct bytes){ 0 };
	r->line = m->line;
	return 1;
}

static int next_error(struct master *m, struct master_record *r)
{
	static const char mark[] = ";ERROR,";
	while (m->errors_at < m->text.n) {
		struct bytes rest = bytes_from(m->text, m->errors_at);
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		struct bytes line = bytes_head(rest, end ? (size_t)(end - rest.p) : rest.n);
		m->errors_at += line.n + 1;
		m->line++;
		if (line.n >= sizeof mark - 1 && memcmp(line.p, mark, sizeof mark - 1) == 0)
			return take_error(m, bytes_trim(bytes_from(line, sizeof mark - 1)), r);
	}
	return 0;
}

int master_next(struct master *m, struct master_record *r)
{
	if (m->f) {
		int rc = next_record(m, r);
		if (rc != 0)
			return rc;
		fclose(m->f);
		m->f = NULL;
		m->line = 0;
	}
	return next_error(m, r);
}
