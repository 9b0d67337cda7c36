/*
 * edit - one section of profiles or lists of the settings file replaced, taken out or shortened:
 * made, proved to be right as a whole, then written.
 */
#pragma once

#include "control/config.h"

enum edit_what {
	EDIT_IMPORT, /* all of that kind is replaced by what is in text */
	EDIT_DELETE, /* the profile or list that text names goes */
	EDIT_CLEAR, /* all of that kind go; `default` has its built-in settings again */
};

struct edit { /* borrowed for the call */
	const struct config_source *source; /* its file is what is changed */
	enum kind kind;
	enum edit_what what;
	struct bytes text; /* EDIT_IMPORT: the section in YAML; EDIT_DELETE: a name */
};

struct edit_result {
	bool existed; /* the file */
	struct bytes before, after; /* its text */
	uint32_t n_before, n_after; /* profiles or lists of that kind */
};

/*
 * Changes nothing yet: the settings with the new text and the command line's options have been
 * built and checked. Gives *out to edit_free. -1: why has one line, nothing is given.
 */
int edit_make(const struct edit *e, struct edit_result *out, char *why, size_t why_len);
void edit_free(struct edit_result *r);

/* Writes the new text; edit_undo the old one, or takes the file away that was not there. 0, or -1
 * and why has one line. */
int edit_write(const struct edit *e, const struct edit_result *r, char *why, size_t why_len);
int edit_undo(const struct edit *e, const struct edit_result *r, char *why, size_t why_len);
