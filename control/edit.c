#include "control/edit.h"

#include <stdlib.h>
#include <unistd.h>

#include "control/profiles_write.h"
#include "control/rewrite.h"
#include "control/section.h"

/* The file's own profiles: without what options change. */
static int read_file(const struct edit *e, struct edit_result *r, struct config *cfg, char *why,
		     size_t why_len)
{
	const char *file = e->source->file;
	r->existed = access(file, F_OK) == 0;
	if (!r->existed) {
		r->before = (struct bytes){ calloc(1, 1), 0 };
		config_default(cfg);
		return 0;
	}
	if (config_read(file, &r->before, why, why_len) < 0)
		return -1;
	config_default(cfg);
	if (config_parse(cfg, r->before, file, why, why_len) == 0)
		return 0;
	config_fini(cfg);
	return -1;
}

/* The kind as it shall be. Gives; NULL: why has one line. */
static struct profiles *wanted(const struct edit *e, const struct config *cfg, char *why,
			       size_t why_len)
{
	const struct kind_info *info = &kind_info[e->kind];
	if (e->what == EDIT_IMPORT)
		return section_parse(e->text, e->kind, "the text to import", why, why_len);
	if (e->what == EDIT_CLEAR) {
		struct profiles *p = profiles_new();
		if (!p)
			snprintf(why, why_len, "out of memory");
		return p;
	}
	uint32_t i = profiles_find(cfg->profiles, e->kind, e->text);
	if (i == profiles_count(cfg->profiles, e->kind)) {
		snprintf(why, why_len, "there is no %s \"%.*s\" in %s", info->noun,
			 (int)(e->text.n < PROFILE_NAME_MAX ? e->text.n : PROFILE_NAME_MAX),
			 (const char *)e->text.p, e->source->file);
		return NULL;
	}
	if (info->options && i == 0) {
		snprintf(why, why_len,
			 "the %s \"default\" is always there; clear gives it its built-in settings "
			 "again and deletes all others",
			 info->noun);
		return NULL;
	}
	/* made by this edit_make alone, so it may be changed */
	struct profiles *p = (struct profiles *)profiles_hold(cfg->profiles);
	profiles_remove(p, e->kind, i);
	return p;
}

static char *section_text(const struct profiles *p, enum kind kind)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);
	if (!f)
		return NULL;
	profiles_write(f, p, kind, 0);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

/* What the new text says is what was wanted, whatever the old one looked like. */
static bool same_section(const struct profiles *a, const struct profiles *b, enum kind kind)
{
	char *x = section_text(a, kind), *y = section_text(b, kind);
	bool same = x && y && !strcmp(x, y);
	free(x);
	free(y);
	return same;
}

static int prove(const struct edit *e, const struct edit_result *r, const struct profiles *p,
		 char *why, size_t why_len)
{
	struct config_source source = *e->source;
	struct config cfg;
	source.text = r->after;
	if (r->after.n > CONFIG_FILE_MAX) {
		snprintf(why, why_len, "%s would have %zu octets; it may have %d", source.file,
			 r->after.n, CONFIG_FILE_MAX);
		return -1;
	}
	if (config_build(&cfg, &source, why, why_len) < 0)
		return -1;
	config_fini(&cfg);
	/* once more without options, which may have changed a profile */
	config_default(&cfg);
	if (config_parse(&cfg, r->after, source.file, why, why_len) < 0)
		return -1;
	bool same = same_section(cfg.profiles, p, e->kind);
	config_fini(&cfg);
	if (!same)
		snprintf(why, why_len, "%s: %s cannot be found its place; edit the file by hand",
			 source.file, kind_info[e->kind].section);
	return same ? 0 : -1;
}

int edit_make(const struct edit *e, struct edit_result *out, char *why, size_t why_len)
{
	struct edit_result r = { .existed = false };
	struct config cfg;
	int ret = -1;
	if (!e->source->file) {
		snprintf(why, why_len, "the engine has no settings file; start it with --config");
		return -1;
	}
	if (read_file(e, &r, &cfg, why, why_len) == 0) {
		r.n_before = profiles_count(cfg.profiles, e->kind);
		struct profiles *p = wanted(e, &cfg, why, why_len);
		if (p) {
			r.n_after = profiles_count(p, e->kind);
			ret = section_splice(r.before, e->kind, p, e->source->file, &r.after, why,
					     why_len);
			if (ret == 0)
				ret = prove(e, &r, p, why, why_len);
		}
		profiles_free(p);
		config_fini(&cfg);
	}
	if (ret < 0)
		edit_free(&r);
	else
		*out = r;
	return ret;
}

void edit_free(struct edit_result *r)
{
	free((void *)r->before.p);
	free((void *)r->after.p);
	*r = (struct edit_result){ .existed = false };
}

int edit_write(const struct edit *e, const struct edit_result *r, char *why, size_t why_len)
{
	return rewrite_file(e->source->file, r->after, why, why_len);
}

int edit_undo(const struct edit *e, const struct edit_result *r, char *why, size_t why_len)
{
	if (r->existed)
		return rewrite_file(e->source->file, r->before, why, why_len);
	if (unlink(e->source->file) == 0)
		return 0;
	snprintf(why, why_len, "%s: cannot be taken away again", e->source->file);
	return -1;
}
