/*
 * check_options - the command line of one kind of check.
 *
 * A value is data: an address or name that is none is judged as such, never a usage error.
 */
#pragma once

#include <stdio.h>

#include "control/check.h"

enum check_own { /* options of their own; the others are settings */
		 CHECK_CLIENT_IP = 1 << 0,
		 CHECK_HELO = 1 << 1,
		 CHECK_MAIL_FROM = 1 << 2,
		 CHECK_RCPT_TO = 1 << 3,
		 CHECK_IDENTITY = 1 << 4,
		 CHECK_PRA = 1 << 5,
		 CHECK_LEVEL = 1 << 6,
		 CHECK_MESSAGE = 1 << 7,
		 CHECK_RAW = 1 << 8,
		 CHECK_SOCKET = 1 << 9,
		 CHECK_CONFIG = 1 << 10,
		 CHECK_EVIDENCE = 1 << 11,
		 CHECK_HELP = 1 << 12,
		 CHECK_ENVELOPE = CHECK_CLIENT_IP | CHECK_HELO | CHECK_MAIL_FROM,
		 CHECK_ALWAYS = CHECK_CONFIG | CHECK_EVIDENCE | CHECK_HELP,
};

/* argv[0] is the kind's name. 0; 1: the help was asked for and printed; -1: c->why has one line. */
int check_options_read(struct check *c, const struct check_kind *k, int argc, char **argv,
		       FILE *out);
