#include "control/config.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/settings_read.h"

int config_read(const char *path, struct bytes *out, char *why, size_t why_len)
{
	FILE *f = fopen(path, "rbe");
	char *text = f ? malloc(CONFIG_FILE_MAX + 1) : NULL;
	int ret = -1;
	if (!text) {
		snprintf(why, why_len, "%s: %s", path, strerror(errno));
	} else {
		size_t n = fread(text, 1, CONFIG_FILE_MAX + 1, f);
		*out = bytes_of(text, n);
		if (ferror(f))
			snprintf(why, why_len, "%s: %s", path, strerror(errno));
		else if (n > CONFIG_FILE_MAX)
			snprintf(why, why_len, "%s: over %d octets; a settings file is shorter",
				 path, CONFIG_FILE_MAX);
		else
			ret = 0;
	}
	if (ret < 0)
		free(text);
	if (f)
		fclose(f);
	return ret;
}

int config_parse(struct config *cfg, struct bytes text, const char *name, char *why, size_t why_len)
{
	return settings_read(cfg, text, name, why, why_len);
}

int config_load(struct config *cfg, const char *path, char *why, size_t why_len)
{
	struct bytes text;
	if (config_read(path, &text, why, why_len) < 0)
		return -1;
	int ret = config_parse(cfg, text, path, why, why_len);
	free((void *)text.p);
	return ret;
}

void config_default(struct config *cfg)
{
	char why[SCHEMA_WHY_MAX];
	memset(cfg, 0, sizeof *cfg);
	for (unsigned i = 0; i < settings_n; i++) {
		/* a row without a default has a field that starts as zero */
		if (*settings_rows[i].fallback &&
		    schema_set(&settings_rows[i], cfg, bytes_str(settings_rows[i].fallback), false,
			       why, sizeof why) < 0)
			abort(); /* tests/test_config.c goes through all rows */
	}
	cfg->profiles = profiles_default();
}

void config_fini(struct config *cfg)
{
	profiles_free(cfg->profiles);
	cfg->profiles = NULL;
}

static int check(bool right, char *why, size_t why_len, const char *words)
{
	if (!right)
		snprintf(why, why_len, "%s", words);
	return right ? 0 : -1;
}

static bool ports_apart(const struct config *cfg)
{
	for (uint32_t i = 0; i < cfg->smtp_ports.n; i++)
		for (uint32_t k = 0; k < cfg->pop3_ports.n; k++)
			if (cfg->smtp_ports.port[i] == cfg->pop3_ports.port[k])
				return false;
	return true;
}

/* A profile in force is there. */
static int check_named(const struct profiles *p, enum kind kind, const char *setting,
		       const char *name, char *why, size_t why_len)
{
	uint32_t n = profiles_count(p, kind);
	if (profiles_find(p, kind, bytes_str(name)) < n)
		return 0;
	size_t at = (size_t)snprintf(why, why_len,
				     "%s: there is no %s \"%s\" in %s; allowed: ", setting,
				     kind_info[kind].noun, name, kind_info[kind].section);
	for (uint32_t i = 0; i < n && at < why_len; i++)
		at += (size_t)snprintf(why + at, why_len - at, "%s%s", i ? ", " : "",
				       profiles_name(p, kind, i));
	return -1;
}

int config_check(const struct config *cfg, char *why, size_t why_len)
{
	if (check(cfg->smtp_ports.n + cfg->pop3_ports.n, why, why_len,
		  "smtp_ports and pop3_ports are both empty; name at least one port") < 0 ||
	    check(ports_apart(cfg), why, why_len,
		  "a port is in smtp_ports and in pop3_ports; a port carries one of them") < 0 ||
	    check(cfg->held_flow_bytes <= cfg->held_bytes, why, why_len,
		  "limits.held_flow is over limits.held, which is for all connections") < 0 ||
	    check(cfg->message_size <= cfg->message_bytes / 2, why, why_len,
		  "limits.message_size is over half of limits.message_total, which is for all "
		  "messages") < 0 ||
	    check(cfg->dns_query_timeout_ms <= cfg->dns_message_deadline_ms, why, why_len,
		  "dns.query_timeout is over dns.message_deadline, which is for all questions of a "
		  "message") < 0 ||
	    check(!cfg->dmarc || cfg->spf || cfg->dkim, why, why_len,
		  "dmarc.verify rests on spf.verify or dkim.verify, and both are off; turn one on, "
		  "or dmarc.verify off") < 0)
		return -1;
	if (check_named(cfg->profiles, KIND_DKIM, "dkim.profile", cfg->dkim_profile, why, why_len) <
		    0 ||
	    check_named(cfg->profiles, KIND_SPF, "spf.profile", cfg->spf_profile, why, why_len) <
		    0 ||
	    check_named(cfg->profiles, KIND_DMARC, "dmarc.profile", cfg->dmarc_profile, why,
			why_len) < 0)
		return -1;
	return profiles_check(cfg->profiles, why, why_len);
}

static int take_option(void *base, const struct config_option *o, char *why, size_t why_len)
{
	char words[SCHEMA_WHY_MAX], name[SCHEMA_OPTION_MAX];
	if (schema_set(o->row, base, bytes_str(o->value), false, words, sizeof words) == 0)
		return 0;
	schema_option(o->row, name);
	snprintf(why, why_len, "--%s: %s", name, words);
	return -1;
}

/* An option that is a row of a profile changes the one in force. */
static int take_profile_option(struct config *cfg, const struct config_option *o, char *why,
			       size_t why_len)
{
	enum kind kind = kind_of_row(o->row);
	const char *name = kind == KIND_DKIM  ? cfg->dkim_profile
			   : kind == KIND_SPF ? cfg->spf_profile
					      : cfg->dmarc_profile;
	if (cfg->profiles == profiles_default()) /* that is nobody's to change */
		cfg->profiles = profiles_new();
	if (!cfg->profiles) {
		snprintf(why, why_len, "out of memory");
		return -1;
	}
	uint32_t i = profiles_find(cfg->profiles, kind, bytes_str(name));
	if (i == profiles_count(cfg->profiles, kind))
		return 0; /* config_check tells */
	/* made by this config_build, so it is not shared yet */
	return take_option((void *)profiles_item(cfg->profiles, kind, i), o, why, why_len);
}

static int build(struct config *cfg, const struct config_source *src, char *why, size_t why_len)
{
	const char *file = src->file;
	if (src->text.p) {
		if (config_parse(cfg, src->text, file, why, why_len) < 0)
			return -1;
	} else if (file && src->file_optional && access(file, F_OK) < 0) {
		file = NULL;
	} else if (file && config_load(cfg, file, why, why_len) < 0) {
		return -1;
	}
	for (unsigned i = 0; i < src->n; i++)
		if (kind_of_row(src->option[i].row) == KIND_N &&
		    take_option(cfg, &src->option[i], why, why_len) < 0)
			return -1;
	for (unsigned i = 0; i < src->n; i++)
		if (kind_of_row(src->option[i].row) != KIND_N &&
		    take_profile_option(cfg, &src->option[i], why, why_len) < 0)
			return -1;
	char words[SCHEMA_WHY_MAX];
	if (config_check(cfg, words, sizeof words) == 0)
		return 0;
	snprintf(why, why_len, "%s%s%s", file ? file : "", file ? ": " : "", words);
	return -1;
}

/* A name for our header fields: of the host where none is set. */
static void name_host(struct config *cfg)
{
	if (cfg->authserv_id[0])
		return;
	if (gethostname(cfg->authserv_id, sizeof cfg->authserv_id) < 0 || !cfg->authserv_id[0])
		snprintf(cfg->authserv_id, sizeof cfg->authserv_id, "localhost");
	cfg->authserv_id[sizeof cfg->authserv_id - 1] = 0;
}

int config_build(struct config *cfg, const struct config_source *src, char *why, size_t why_len)
{
	config_default(cfg);
	int ret = build(cfg, src, why, why_len);
	if (ret < 0)
		config_fini(cfg);
	else
		name_host(cfg);
	return ret;
}

void config_keep_restart(struct config *cfg, const struct config *now, char *names, size_t len)
{
	size_t at = 0;
	if (len)
		names[0] = 0;
	for (unsigned i = 0; i < settings_n; i++) {
		const struct schema_row *row = &settings_rows[i];
		char *field = (char *)cfg + row->offset;
		const void *kept = schema_field(row, now);
		if (!row->restart || !memcmp(field, kept, row->size))
			continue;
		memcpy(field, kept, row->size);
		if (at < len)
			at += (size_t)snprintf(names + at, len - at, "%s%s", at ? ", " : "",
					       row->name);
	}
}

static json_t *json_value(const struct schema_row *row, const struct config *cfg)
{
	char text[SCHEMA_VALUE_MAX];
	const void *field = schema_field(row, cfg);
	schema_get(row, cfg, text);
	switch (row->type) {
	case SCHEMA_BOOL:
		return json_boolean(*(const bool *)field);
	case SCHEMA_NUMBER:
		return json_integer(*(const uint32_t *)field);
	case SCHEMA_TENTHS:
		return json_real(*(const uint32_t *)field / 10.0);
	case SCHEMA_PORTS:;
		const struct config_ports *ports = field;
		json_t *list = json_array();
		for (uint32_t i = 0; i < ports->n; i++)
			json_array_append_new(list, json_integer(ports->port[i]));
		return list;
	default:;
		/* a path need not be UTF-8 */
		json_t *s = json_string(text);
		return s ? s : json_null();
	}
}

char *config_json(const struct config *cfg)
{
	json_t *top = json_object();
	for (unsigned i = 0; i < settings_n; i++) {
		const struct schema_row *row = &settings_rows[i];
		const char *dot = strchr(row->name, '.');
		if (row->use == SCHEMA_SCAN)
			continue;
		if (!dot) {
			json_object_set_new(top, row->name, json_value(row, cfg));
			continue;
		}
		char group[SETTINGS_GROUP_MAX];
		snprintf(group, sizeof group, "%.*s", (int)(dot - row->name), row->name);
		json_t *inner = json_object_get(top, group);
		if (!inner) {
			inner = json_object();
			json_object_set_new(top, group, inner);
		}
		json_object_set_new(inner, dot + 1, json_value(row, cfg));
	}
	char *out = json_dumps(top, JSON_COMPACT | JSON_REAL_PRECISION(10));
	json_decref(top);
	return out;
}
