/*
 * config - from built-in defaults, a YAML file and command line options to one checked struct
 * config.
 *
 * settings_read.h says what is refused in a file, with its place; so are files over
 * CONFIG_FILE_MAX.
 */
#pragma once

#include "base/config.h"
#include "control/profiles.h"
#include "control/settings.h"

enum { CONFIG_FILE_MAX = 64 * 1024 * 1024, CONFIG_OPTIONS_MAX = 128 };

#define CONFIG_RUN_FILE "/etc/postern/postern.yaml"

/* What a config is made of; kept by `run` so that a reload makes it again. Borrows all strings. */
struct config_source {
	const char *file; /* NULL: none */
	struct bytes text; /* p set: stands for what is in the file */
	bool file_optional; /* a file that does not exist is no error: the default path of run */
	struct config_option {
		const struct schema_row
			*row; /* of settings.h, or of kind.h: the profile in force */
		const char *value;
	} option[CONFIG_OPTIONS_MAX]; /* in their order on the command line, the last one wins */
	unsigned n;
};

/* Defaults, then the file, then the options, then config_check. 0, or -1: *cfg is not usable, why
 * has one line. Gives cfg->profiles to config_fini. */
int config_build(struct config *cfg, const struct config_source *src, char *why, size_t why_len);

/* Frees what hangs on *cfg; cfg->suffixes is its loader's. */
void config_fini(struct config *cfg);

/* Nothing hangs on it that is to be freed: profiles are profiles_default(). */
void config_default(struct config *cfg);

/* A whole settings file. Gives malloc memory in out->p; -1: why has one line. */
int config_read(const char *path, struct bytes *out, char *why, size_t why_len);

/* Changes in *cfg what the file says; its profiles, when it has any, are all there are. 0, or -1
 * and why has one line. */
int config_load(struct config *cfg, const char *path, char *why, size_t why_len);

/* The same from memory; name stands in messages. */
int config_parse(struct config *cfg, struct bytes text, const char *name, char *why,
		 size_t why_len);

/* Rules between settings. 0, or -1 and why has one line. */
int config_check(const struct config *cfg, char *why, size_t why_len);

/*
 * Names of the settings (with ", " between) that differ and that a reload cannot change; empty when
 * there are none. Their fields in *cfg are set back to what they are in *now.
 */
void config_keep_restart(struct config *cfg, const struct config *now, char *names, size_t len);

/* One JSON object, nested at the dots, values as the file takes them. Gives malloc memory, NULL:
 * none. */
char *config_json(const struct config *cfg);
