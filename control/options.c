#include "control/options.h"

static bool taken(const struct schema_row *row, enum schema_use use)
{
	return row && (row->use == SCHEMA_ALL || row->use == use);
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
		if (o->rest || arg[0] != '-' || !arg[1]) {
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
		const struct schema_row *row = name.n ? schema_find_option(name) : NULL;
		if (!taken(row, o->use)) {
			snprintf(why, why_len, "there is no option %.64s; --help lists them", arg);
			return OPTIONS_WRONG;
		}
		if (!setting(o, row, value, why, why_len))
			return OPTIONS_WRONG;
	}
	return OPTIONS_END;
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
	fprintf(out,
		"\nsettings, which a file may have too (postern help settings explains them):\n");
	for (unsigned i = 0; i < schema_n; i++) {
		const struct schema_row *row = &schema_rows[i];
		char left[SCHEMA_OPTION_MAX + 2] = "--", allowed[256];
		if (!taken(row, o->use))
			continue;
		schema_option(row, left + 2);
		schema_allowed(row, allowed, sizeof allowed);
		fprintf(out, "  %-26s %s%s%s%s\n", left, allowed, *row->fallback ? " [" : "",
			row->fallback, *row->fallback ? "]" : "");
	}
}
