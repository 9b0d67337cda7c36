#include "reassembly/command.h"

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct bytes skip_blanks(struct bytes b)
{
	while (b.n && blank(b.p[0]))
		b = bytes_from(b, 1);
	return b;
}

static struct bytes trim_end(struct bytes b)
{
	while (b.n && (blank(b.p[b.n - 1]) || b.p[b.n - 1] == '\r'))
		b.n--;
	return b;
}

/* The run of octets before a blank, taken off *b. */
static struct bytes word(struct bytes *b)
{
	size_t n = 0;
	while (n < b->n && !blank(b->p[n]))
		n++;
	struct bytes w = bytes_head(*b, n);
	*b = skip_blanks(bytes_from(*b, n));
	return w;
}

enum command command_parse(struct bytes line, struct bytes *args)
{
	static const struct {
		const char *verb;
		enum command command;
	} table[] = {
		{ "HELO", COMMAND_HELO },     { "EHLO", COMMAND_EHLO },
		{ "LHLO", COMMAND_LHLO },     { "MAIL", COMMAND_MAIL },
		{ "RCPT", COMMAND_RCPT },     { "DATA", COMMAND_DATA },
		{ "BDAT", COMMAND_BDAT },     { "RSET", COMMAND_RSET },
		{ "AUTH", COMMAND_AUTH },     { "STARTTLS", COMMAND_STARTTLS },
		{ "QUIT", COMMAND_QUIT },     { "XCLIENT", COMMAND_XCLIENT },
		{ "NOOP", COMMAND_NOOP },     { "VRFY", COMMAND_NOOP },
		{ "EXPN", COMMAND_NOOP },     { "HELP", COMMAND_NOOP },
		{ "ETRN", COMMAND_NOOP },     { "TURN", COMMAND_NOOP },
		{ "XFORWARD", COMMAND_NOOP },
	};
	*args = trim_end(skip_blanks(line));
	struct bytes verb = word(args);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (bytes_equal_nocase(verb, bytes_str(table[i].verb)))
			return table[i].command;
	return COMMAND_OTHER;
}

/* Octets of b up to stop, outside of a quoted string; b.n when it is not there. */
static size_t find_unquoted(struct bytes b, uint8_t stop, bool or_blank)
{
	bool quoted = false;
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] == '\\' && quoted)
			i++;
		else if (b.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && (b.p[i] == stop || (or_blank && blank(b.p[i]))))
			return i;
	}
	return b.n;
}

bool command_path(struct bytes args, const char *what, struct bytes *address, struct bytes *params)
{
	struct bytes w = bytes_str(what);
	*address = *params = bytes_of(args.p, 0);
	if (!bytes_equal_nocase(bytes_head(args, w.n), w))
		return false;
	args = skip_blanks(bytes_from(args, w.n));
	if (!args.n || args.p[0] != ':')
		return false;
	args = skip_blanks(bytes_from(args, 1));
	bool bracket = args.n && args.p[0] == '<';
	if (bracket)
		args = bytes_from(args, 1);
	size_t n = find_unquoted(args, bracket ? '>' : ' ', !bracket);
	if (bracket && n == args.n) { /* an open quote or no end: the first > all the same */
		const uint8_t *end = n ? memchr(args.p, '>', n) : NULL;
		n = end ? (size_t)(end - args.p) : n;
	}
	struct bytes path = bytes_head(args, n);
	*params = skip_blanks(bytes_from(args, n + bracket));
	if (path.n && path.p[0] == '@') { /* @a,@b:user@c, RFC 5321 4.1.1.3 */
		size_t colon = find_unquoted(path, ':', false);
		if (colon < path.n)
			path = bytes_from(path, colon + 1);
	}
	*address = trim_end(skip_blanks(path));
	return true;
}

bool command_param(struct bytes *params, struct bytes *key, struct bytes *value)
{
	*params = skip_blanks(*params);
	if (!params->n)
		return false;
	*key = word(params);
	const uint8_t *eq = memchr(key->p, '=', key->n);
	*value = bytes_of(NULL, 0);
	if (eq) {
		*value = bytes_from(*key, (size_t)(eq - key->p) + 1);
		key->n = (size_t)(eq - key->p);
	}
	return true;
}

enum command_bdat command_bdat(struct bytes args, uint64_t *n, bool *last)
{
	*n = 0;
	*last = false;
	struct bytes number = word(&args);
	if (!number.n)
		return COMMAND_BDAT_BAD;
	for (size_t i = 0; i < number.n; i++) {
		uint8_t c = number.p[i];
		int64_t next;
		if (c < '0' || c > '9' || __builtin_mul_overflow((int64_t)*n, 10, &next) ||
		    __builtin_add_overflow(next, c - '0', &next))
			return COMMAND_BDAT_BAD;
		*n = (uint64_t)next;
	}
	if (!args.n)
		return COMMAND_BDAT_GOOD;
	*last = bytes_equal_nocase(args, bytes_str("LAST"));
	return *last ? COMMAND_BDAT_GOOD : COMMAND_BDAT_ODD;
}

size_t command_base64(struct bytes in, uint8_t *out, size_t max)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t o = 0;
	for (size_t i = 0; i < in.n && o < max; i++) {
		int v = bytes_base64(in.p[i]);
		if (v < 0)
			break;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[o++] = (uint8_t)(bits >> have);
		}
	}
	return o;
}

/* authorization identity, NUL, authentication identity, NUL, password */
static struct bytes plain_user(struct bytes decoded)
{
	const uint8_t *nul = decoded.n ? memchr(decoded.p, 0, decoded.n) : NULL;
	if (!nul)
		return bytes_of(NULL, 0);
	struct bytes user = bytes_from(decoded, (size_t)(nul - decoded.p) + 1);
	nul = user.n ? memchr(user.p, 0, user.n) : NULL;
	if (!nul) /* not to be told from a password */
		return bytes_of(NULL, 0);
	user.n = (size_t)(nul - user.p);
	return user;
}

enum command_auth command_auth(struct bytes args, struct bytes *initial)
{
	struct bytes mechanism = word(&args);
	*initial = args;
	return bytes_equal_nocase(mechanism, bytes_str("PLAIN"))   ? COMMAND_AUTH_PLAIN
	       : bytes_equal_nocase(mechanism, bytes_str("LOGIN")) ? COMMAND_AUTH_USER
								   : COMMAND_AUTH_SECRET;
}

struct bytes command_auth_user(enum command_auth what, struct bytes answer,
			       uint8_t out[COMMAND_AUTH_MAX])
{
	if (what == COMMAND_AUTH_SECRET || bytes_equal(answer, bytes_str("*")))
		return bytes_of(NULL, 0);
	struct bytes text = bytes_of(out, command_base64(answer, out, COMMAND_AUTH_MAX));
	return what == COMMAND_AUTH_PLAIN ? plain_user(text) : text;
}
