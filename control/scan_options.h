/*
 * scan_options - the command line of `postern scan`.
 *
 * A value is data: an address or name that is none is unknown to the checks, never a usage error.
 */
#pragma once

#include "control/emit.h"
#include "control/files.h"
#include "control/options.h"

enum { SCAN_CORES_MAX = 64 };

struct scan_options { /* all-zero before; strings are borrowed from argv */
	struct config cfg;
	struct config_source source;
	const char *format, *extract, *evidence; /* NULL: not given */
	enum emit_format as; /* what format says */
	unsigned cores; /* 0: not given */
	bool help;
	const char **input;
	unsigned n_input;
	struct files_setup bare; /* raw and the envelope of bare messages */
	struct message_rcpt *rcpt_last;
};

/* argv[0] is "scan". Prints the help when it is asked for. 0, or -1 and why has one line. */
int scan_options_read(struct scan_options *s, int argc, char **argv, char *why, size_t why_len);
