#include "control/options.h"

/* The row's name up to its dot, or the kind of the profile it is for, is one of the words of
 * groups. */
static bool grouped(const struct schema_row *row, const char *groups)
{
	enum kind kind = kind_of_row(row);
	const char *name = kind < KIND_N ? kind_info[kind].word : row->name;
	size_t n = strcspn(name, ".");
	for (const char *at = groups; at && *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");
		if (len == n && !memcmp(at, name, n))
			return true;
		at += len;
	}
	return !groups;
}

static bool taken(const struct options *o, const struct schema_row *row)
{
	return row && (row->use == SCHEMA_ALL || row->use == o->use) && grouped(row, o->groups);
}

static int own_option(struct options *o, unsigned i, const char *value, char *why, size_t why_len)
{
	const struct options_own *own = &o->own[i];
	if (!own->value) {
		if (value) {
			snprintf(why, why_len, "--%s takes no value", own->name);
			return OPTIONS_WRONG;
		}
	} else if (!value) {
		if (o->at >= o->argc) {
			snprintf(why, why_len, "--%s needs a value: --%s %s", own->name, own->name,
				 own->value);
			return OPTIONS_WRONG;
		}
		value = o->argv[o->at++];
	}
	o->value = value;
	return (int)i;
}

/* A setting is only noted; config_build takes it. */
static bool setting(struct options *o, const struct schema_row *row, const char *value, char *why,
		    size_t why_len)
{
	char name[SCHEMA_OPTION_MAX], allowed[256];
	schema_option(row, name);
	if (!value && row->type == SCHEMA_BOOL) {
		value = "true";
	} else if (!value) {
		if (o->at >= o->argc) {
			schema_allowed(row, allowed, sizeof allowed);
			snprintf(why, why_len, "--%s needs a value: %s", name, allowed);
			return false;
		}
		value = o->argv[o->at++];
	}
	if (o->source->n == CONFIG_OPTIONS_MAX) {
		snprintf(why, why_len, "more than %d settings; put them in a file (--config)",
			 CONFIG_OPTIONS_MAX);
		return false;
	}
	o->source->option[o->source->n++] = (struct config_option){ row, value };
	return true;
}

int options_next(struct options *o, char *why, size_t why_len)
{
	while (o->at < o->argc) {
		const char *arg = o->argv[o->at++];
		if (o->rest || arg[0] != '-' || !arg[1] || (o->dash_arguments && arg[1] != '-')) {
			o->value = arg;
			return OPTIONS_ARGUMENT;
		}
		if (!strcmp(arg, "--")) {
			o->rest = true;
			continue;
		}
		bool two = arg[1] == '-';
		struct bytes name = bytes_of(arg + 2, two ? strcspn(arg + 2, "=") : 0);
		const char *value = two && arg[2 + name.n] == '=' ? arg + 3 + name.n : NULL;
		for (unsigned i = 0; i < o->n_own; i++)
			if (bytes_equal(bytes_str(o->own[i].name), name))
				return own_option(o, i, value, why, why_len);
		const struct schema_row *row = name.n ? settings_find_option(name) : NULL;
		if (!row)
			row = kind_find_option(name);
		if (!taken(o, row)) {
			snprintf(why, why_len, "there is no option %.64s; --help lists them", arg);
			return OPTIONS_WRONG;
		}
		if (!setting(o, row, value, why, why_len))
			return OPTIONS_WRONG;
	}
	return OPTIONS_END;
}

static void help_line(const struct schema_row *row, FILE *out)
{
	char left[SCHEMA_OPTION_MAX + 2] = "--", allowed[256];
	schema_option(row, left + 2);
	schema_allowed(row, allowed, sizeof allowed);
	fprintf(out, "  %-26s %s%s%s%s\n", left, allowed, *row->fallback ? " [" : "", row->fallback,
		*row->fallback ? "]" : "");
}

void options_help(const struct options *o, FILE *out)
{
	for (unsigned i = 0; i < o->n_own; i++) {
		const struct options_own *own = &o->own[i];
		char left[48];
		snprintf(left, sizeof left, "--%s%s%s", own->name, own->value ? " " : "",
			 own->value ? own->value : "");
		fprintf(out, "  %-26s %s\n", left, own->help);
	}
	options_help_settings(o, out);
}

void options_help_settings(const struct options *o, FILE *out)
{
	fprintf(out,
		"\nsettings, which a file may have too (postern help settings explains them):\n");
	for (unsigned i = 0; i < settings_n; i++)
		if (taken(o, &settings_rows[i]))
			help_line(&settings_rows[i], out);
	fprintf(out, "\nof the profiles in force (postern help profiles explains them):\n");
	for (int k = 0; k < KIND_N; k++)
		for (unsigned i = 0; kind_info[k].options && i < kind_info[k].n_row; i++)
			if (taken(o, &kind_info[k].row[i]))
				help_line(&kind_info[k].row[i], out);
}
