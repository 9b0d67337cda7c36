/*
 * commands - the requests a running engine answers, one row a command.
 *
 * A request is {"command":"<name>"} with the string members its row names, a reply
 * {"ok":true,"result":{...}} or {"ok":false,"error":"<one line>"}. Anything else in a request is
 * refused: other members, members given twice, text that is not UTF-8, nesting, a request over
 * COMMANDS_REQUEST_MAX.
 */
#pragma once

#include "base/config.h"
#include "base/json.h"
#include "control/edit.h"
#include "control/stats_out.h"

enum {
	/* octets of one request without its line end: a settings file goes into it */
	COMMANDS_REQUEST_MAX = CONFIG_FILE_MAX,
	COMMANDS_REPLY_MAX = CONFIG_FILE_MAX, /* octets of one reply without its line end */
	COMMANDS_WHY_MAX = 1024,
	COMMANDS_MEMBERS_MAX = 2,
};

/*
 * How the engine looks to a command. Owned by whoever runs it and borrowed for each answer; its
 * fields may change between answers. All calls come from the thread that asks for answers.
 */
struct command_context {
	const struct config *cfg; /* the snapshot in force */
	struct stats_view stats;
	void *run; /* first argument of the calls */
	/*
	 * Reads the settings again and publishes them. 0: done, note has the settings that changed
	 * but need a restart, with ", " between, or is empty. -1: nothing changed, note says why in
	 * one line.
	 */
	int (*reload)(void *run, char *note, size_t note_len);
	/* Asks for the end; returns at once. */
	void (*stop)(void *run);
	/*
	 * Changes a section of the settings file and publishes it. 0: done, count has how many of
	 * that kind the file had and has, note as of reload. -1: nothing changed, note says why.
	 */
	int (*edit)(void *run, enum kind kind, enum edit_what what, struct bytes text,
		    uint32_t count[2], char *note, size_t note_len);
};

/* The values of the row's members; p NULL: one that may be left out was. */
struct command_request {
	struct bytes value[COMMANDS_MEMBERS_MAX];
};

struct command {
	const char *name;
	const char *help;
	const char *usage, *example; /* of `postern ctl` */
	/* beside "command"; a '?' at the end: it may be left out. NULL behind the last */
	const char *member[COMMANDS_MEMBERS_MAX + 1];
	/* Writes the value of "result"; false: why has one line and nothing was written. */
	bool (*answer)(const struct command_context *ctx, const struct command_request *request,
		       struct json *j, char *why, size_t why_len);
};

extern const struct command commands[];
extern const unsigned commands_n;

/* NULL: there is none. */
const struct command *commands_find(struct bytes name);

/* "ping, stats, ...": every name, for error texts and usage. */
void commands_names(char *out, size_t len);

/* Writes one whole reply into buf, without a line end, and gives it; never empty. cap at least
 * COMMANDS_WHY_MAX * 8. */
struct bytes commands_answer(const struct command_context *ctx, struct bytes request, void *buf,
			     size_t cap);

/* Writes the settings of a note of reload, with ", " between, as an array. */
void commands_note(struct json *j, const char *note);

/* The reply to a request that cannot be taken at all. */
struct bytes commands_error(const char *why, void *buf, size_t cap);
