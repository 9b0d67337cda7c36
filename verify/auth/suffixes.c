#include "verify/auth/suffixes.h"

#include <errno.h>
#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_MAX_OCTETS = 253 };

struct suffixes {
	psl_ctx_t *list;
};

/* The number of the first line that cannot be a rule or a comment; 0: there is none. */
static unsigned bad_line(FILE *file)
{
	char line[1024];
	unsigned bad = 0;
	bool compiled = false;
	for (unsigned n = 1; !bad && !compiled && fgets(line, sizeof line, file); n++) {
		struct bytes rule = bytes_trim(bytes_str(line));
		compiled = n == 1 && strncmp(line, ".DAFSA@PSL_", 11) == 0;
		if (compiled || (rule.n >= 2 && rule.p[0] == '/' && rule.p[1] == '/'))
			continue;
		/* a rule ends at the first blank */
		for (size_t i = 0; i < rule.n && rule.p[i] != ' ' && rule.p[i] != '\t' && !bad;
		     i++) {
			uint8_t c = bytes_lower(rule.p[i]);
			bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80 ||
				  c == '-' || c == '.' || c == '*' || (c == '!' && i == 0);
			bad = ok ? 0 : n;
		}
	}
	rewind(file);
	return bad;
}

int suffixes_load(struct suffixes **out, const char *path, char *why, size_t why_len)
{
	FILE *file = fopen(path, "re");
	int err = file ? 0 : -errno;
	struct suffixes *s = NULL;
	unsigned line;
	if (!file) {
		snprintf(why, why_len, "%s: %s", path, strerror(-err));
		return err;
	}
	line = bad_line(file);
	if (line) {
		snprintf(why, why_len, "%s:%u: no rule; it must be a public suffix list", path,
			 line);
		fclose(file);
		return -EINVAL;
	}
	s = calloc(1, sizeof *s);
	errno = 0;
	if (s)
		s->list = psl_load_fp(file);
	if (!s || !s->list || ferror(file)) {
		err = s && errno ? -errno : -ENOMEM;
		snprintf(why, why_len, "%s: cannot be read: %s", path, strerror(-err));
	} else if (psl_suffix_count(s->list) <= 0) {
		err = -EINVAL;
		snprintf(why, why_len, "%s: holds no rule; it must be a public suffix list", path);
	}
	fclose(file);
	if (err) {
		suffixes_free(s);
		return err;
	}
	*out = s;
	return 0;
}

void suffixes_free(struct suffixes *s)
{
	if (!s)
		return;
	psl_free(s->list);
	free(s);
}

unsigned suffixes_count(const struct suffixes *s)
{
	int n = psl_suffix_count(s->list);
	return n > 0 ? (unsigned)n : 0;
}

struct bytes suffixes_organization(const struct suffixes *s, struct bytes name)
{
	char text[NAME_MAX_OCTETS + 1];
	if (name.n == 0 || name.n > NAME_MAX_OCTETS)
		return (struct bytes){ name.p, 0 };
	memcpy(text, name.p, name.n);
	text[name.n] = 0;
	/* ASCII is looked up as it is; the heap would be for U-labels */
	const char *found = psl_registrable_domain(s->list, text);
	return found ? bytes_from(name, (size_t)(found - text)) : (struct bytes){ name.p, 0 };
}
