/*
 * check - `postern check`: one question about one sender, key or message, one JSON object on one
 * line.
 *
 * What stands on the command line is data: an empty or malformed name or address gets a result
 * like any other. Each kind of check is in a file of its own, check_<kind>.c, which writes its
 * members of the object.
 */
#pragma once

#include <stdio.h>

#include "base/config.h"
#include "base/json.h"
#include "base/message.h"
#include "base/stats.h"
#include "control/config.h"
#include "verify/dns/known.h"

enum { CHECK_WHY_MAX = 512, CHECK_ARGUMENTS_MAX = 2 };

struct ask;
struct answers;
struct files;
struct verify;
struct verify_engine;

struct check { /* all-zero before; strings are borrowed from argv */
	struct config cfg;
	struct config_source source;
	const char *argument[CHECK_ARGUMENTS_MAX];
	unsigned n_argument;
	const char *identity, *level, *evidence, *socket, *file; /* NULL: not given */
	bool has_client, has_helo, has_mail_from, has_pra;
	bool client_given; /* an address, or something that is none */
	bool raw, help;
	struct address client;
	struct bytes helo, mail_from, pra;
	struct message_rcpt *rcpt, *rcpt_last;
	uint32_t n_rcpt;

	/* by the kind's settings() */
	char engine_path[CONFIG_PATH_MAX]; /* of the engine whose settings are taken */
	char *settings; /* in malloc memory */

	/* by check_run, for the kinds */
	bool built; /* cfg is there */
	FILE *out; /* of a kind that prints text */
	struct ask *ask;
	struct json json; /* the object is open */
	struct answers *answers;
	struct verify_engine *engine;
	struct verify *judged;
	struct stats *stats;
	char *why; /* [CHECK_WHY_MAX] */
};

struct check_kind {
	const char *command, *name; /* "check", "spf" */
	const char *usage, *help, *example;
	int (*run)(struct check *c); /* 0, or -1 and c->why has one line */
	/* What must still be given, NULL: nothing; and without it: all arguments. */
	const char *(*missing)(const struct check *c);
	int (*settings)(
		struct check *c); /* fills c->source; NULL: nothing to do. 0, or -1 and why */
	unsigned own; /* bits of enum check_own: the options it takes */
	unsigned arguments; /* and so many of these at most */
	const char *groups; /* of settings that it takes, NULL: all */
	bool text; /* it prints for people, else into the open object */
};

/* argv[0] is "check". Exit status: 0 there is an answer, whatever it says; 2 usage, input or
 * system, with one line on err. */
int check_main(int argc, char **argv, FILE *out, FILE *err);

/* The same for one kind; argv[0] is its name. */
int check_run(const struct check_kind *k, int argc, char **argv, FILE *out, FILE *err);

/* Each 0, or -1 and c->why has one line. */
int check_spf(struct check *c);
int check_sidf(struct check *c);
int check_dmarc(struct check *c);
int check_key(struct check *c);
int check_arc(struct check *c);

/* ---- for the kinds ---- */

/* A member that is text; null when it is empty. */
void check_text(struct check *c, const char *key, struct bytes text);
void check_word(struct check *c, const char *key, const char *word);
void check_bool(struct check *c, const char *key, bool value);
void check_uint(struct check *c, const char *key, uint64_t value);

/* What one check knows, with memory of its own; NULL: out of memory, and why says so. */
struct known *check_known(struct check *c);
void check_known_free(struct known *k);

/* An argument that is a domain: without the dot at its end. */
struct bytes check_domain(const char *argument);

/* The present, or what --now says; in seconds. */
uint64_t check_now_s(const struct check *c);
/* Who receives: authserv_id or the host's name; borrowed from c or static. */
struct bytes check_receiver(const struct check *c);

/* One message through all checks that c->cfg has on; m->verdict stands until check_judged. trace
 * may be NULL. 0, or -1 and why has one line. */
int check_judge(struct check *c, struct message *m, struct trace *trace);
void check_judged(struct check *c);

/* The first message of c->file with the envelope given; files_free and files_release are the
 * caller's. NULL: why has one line. */
struct message *check_message(struct check *c, struct files **files);
