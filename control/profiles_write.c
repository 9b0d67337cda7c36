#include "control/profiles_write.h"

#include "base/utf8.h"

static bool is_alnum(uint8_t c)
{
	c = bytes_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Can stand without quotes: nothing in it means something to YAML. */
static bool is_plain(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!is_alnum(text.p[i]) && !memchr("._@/-+:", text.p[i], 7))
			return false;
	return text.n && is_alnum(text.p[0]) && text.p[text.n - 1] != ':';
}

/* Code points that YAML 1.1 does not take as they are, or takes for a line end. */
static bool is_escaped(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff ||
	       c == 0xfffe || c == 0xffff;
}

static void write_quoted(FILE *out, struct bytes text)
{
	fputc('"', out);
	while (text.n) {
		uint32_t c;
		size_t n = utf8_point(text, &c);
		if (is_escaped(c))
			fprintf(out, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			fprintf(out, "\\%c", (int)c);
		else
			fwrite(text.p, 1, n, out);
		text = bytes_from(text, n);
	}
	fputc('"', out);
}

static void write_text(FILE *out, struct bytes text)
{
	if (is_plain(text))
		fwrite(text.p, 1, text.n, out);
	else
		write_quoted(out, text);
}

static void write_list(FILE *out, const struct list *l, unsigned indent)
{
	if (!l || !list_count(l))
		fputs(" []", out);
	fputc('\n', out);
	for (uint32_t i = 0; l && i < list_count(l); i++) {
		fprintf(out, "%*s- ", (int)indent, "");
		write_text(out, list_entry(l, i));
		fputc('\n', out);
	}
}

static void write_row(FILE *out, const struct schema_row *row, const void *item, unsigned indent)
{
	char text[SCHEMA_VALUE_MAX];
	fprintf(out, "%*s%s:", (int)indent, "", row->name);
	if (row->type == SCHEMA_LIST || row->type == SCHEMA_NAMES) {
		const struct list *l;
		memcpy(&l, schema_field(row, item), sizeof l);
		write_list(out, l, indent + 2);
		return;
	}
	schema_get(row, item, text);
	fputc(' ', out);
	/* a text in quotes is never taken for null or nothing */
	if (row->type == SCHEMA_NAME || row->type == SCHEMA_ASCII || row->type == SCHEMA_HEADERS)
		write_quoted(out, bytes_str(text));
	else
		fputs(text, out);
	fputc('\n', out);
}

void profiles_write(FILE *out, const struct profiles *p, enum kind kind, unsigned indent)
{
	const struct kind_info *info = &kind_info[kind];
	uint32_t n = profiles_count(p, kind);
	fprintf(out, "%*s%s:%s\n", (int)indent, "", info->section, n ? "" : " {}");
	for (uint32_t i = 0; i < n; i++) {
		fprintf(out, "%*s", (int)indent + 2, "");
		write_text(out, bytes_str(profiles_name(p, kind, i)));
		fputc(':', out);
		if (!info->row) {
			write_list(out, profiles_list(p, kind, i), indent + 4);
			continue;
		}
		fputc('\n', out);
		for (unsigned r = 0; r < info->n_row; r++)
			write_row(out, &info->row[r], profiles_item(p, kind, i), indent + 4);
	}
}
