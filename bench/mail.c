#include "bench/mail.h"

#include <stdbool.h>
#include <string.h>

const char *const mail_name[MAIL_KIND_N] = { "prose", "html", "base64", "mix" };

static unsigned draw(uint64_t *random, unsigned n)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (unsigned)(*random >> 16) % n;
}

/* line has room for a dot in front and CRLF behind. */
static size_t put(uint8_t *out, const char *line, size_t n)
{
	size_t o = 0;
	if (n && line[0] == '.')
		out[o++] = '.';
	memcpy(out + o, line, n);
	memcpy(out + o + n, "\r\n", 2);
	return o + n + 2;
}

static size_t prose(uint8_t *out, size_t n, uint64_t *random)
{
	static const char *const words[] = {
		"the",      "of",     "and",     "to",      "a",       "in",     "that",
		"it",       "is",     "was",     "for",     "on",      "with",   "he",
		"as",       "you",    "at",      "this",    "but",     "his",    "by",
		"from",     "they",   "we",      "say",     "her",     "she",    "or",
		"will",     "my",     "one",     "all",     "would",   "there",  "their",
		"delivery", "please", "account", "meeting", "invoice", "report", "tomorrow",
		"question", "answer", "because", "between", "another", "thought"
	};
	size_t o = 0;
	bool sentence = false;
	while (o < n) {
		char line[MAIL_LINE];
		size_t k = 0;
		unsigned kind = draw(random, 100);
		if (kind < 1)
			line[k++] = '.';
		while (kind < 88) {
			const char *word = words[draw(random, sizeof words / sizeof *words)];
			size_t len = strlen(word);
			if (k + len + 3 > 72)
				break;
			if (k)
				line[k++] = ' ';
			if (k && sentence)
				line[k++] = ' ';
			memcpy(line + k, word, len);
			k += len;
			sentence = draw(random, 10) == 0;
			if (sentence)
				line[k++] = '.';
		}
		if (kind >= 2 && kind < 10)
			line[k++] = ' ';
		o += put(out + o, line, k); /* an empty one parts paragraphs */
	}
	return o;
}

static size_t html(uint8_t *out, size_t n, uint64_t *random)
{
	static const char *const lines[] = {
		"<table role=\"presentation\" width=\"100%\" cellspacing=\"0\" cellpadding=\"0\">",
		"<tr>",
		"<td align=\"left\" style=\"padding: 16px 24px; font: 14px/20px Helvetica, "
		"sans-serif;\">",
		"<a href=\"https://news.example.net/r/7f3a90c1d2/open?m=20418\">Read it online</a>",
		"<p>We have sent the goods you ordered today.  They should be there by Friday.</p>",
		"<img src=\"https://cdn.example.net/p/1.gif\" width=\"1\" height=\"1\" alt=\"\">",
		"</td>",
		"</tr>",
		"</table>",
		"",
		"<div class=\"footer\">",
	};
	size_t o = 0;
	unsigned depth = 2;
	while (o < n) {
		char line[MAIL_LINE];
		unsigned which = draw(random, sizeof lines / sizeof *lines);
		if (which < 3)
			depth = depth < 12 ? depth + 1 : 3;
		else if (which > 5 && which < 9 && depth > 1)
			depth--;
		bool tab = draw(random, 4) == 0;
		size_t k = tab ? depth : 2 * depth, len = strlen(lines[which]);
		memset(line, tab ? '\t' : ' ', k);
		memcpy(line + k, lines[which], len);
		k += len;
		if (draw(random, 20) == 0)
			line[k++] = ' ';
		o += put(out + o, line, k);
	}
	return o;
}

static size_t base64(uint8_t *out, size_t n, uint64_t *random)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t o = 0;
	while (o < n) {
		char line[76];
		for (unsigned i = 0; i < sizeof line; i++)
			line[i] = digits[draw(random, 64)];
		o += put(out + o, line, sizeof line);
	}
	return o;
}

size_t mail_body(enum mail_kind kind, uint8_t *out, size_t n, uint64_t *random)
{
	if (kind == MAIL_PROSE)
		return prose(out, n, random);
	if (kind == MAIL_HTML)
		return html(out, n, random);
	if (kind == MAIL_BASE64)
		return base64(out, n, random);
	size_t o = prose(out, n * 3 / 10, random);
	o += html(out + o, n * 4 / 10, random);
	return o < n ? o + base64(out + o, n - o, random) : o;
}
