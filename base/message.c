#include "base/message.h"

static const char *const flag_name[MESSAGE_FLAG_N] = {
	"bare_cr",
	"bare_lf",
	"nul",
	"8bit",
	"dot_ambiguous",
	"overlap",
	"hole",
	"no_start",
	"no_end",
	"too_large",
	"header_too_large",
	"no_memory",
	"rcpt_overflow",
	"long_line",
	"long_command",
	"starttls_injection",
	"no_replies",
	"pipelined_early",
	"bdat_mixed",
	"text",
	"envelope_nul",
	"unverified",
};

const char *message_flag_name(enum message_flag flag)
{
	if (flag <= 0 || (flag & (flag - 1)) || flag >= 1 << MESSAGE_FLAG_N)
		return NULL;
	return flag_name[__builtin_ctz((unsigned)flag)];
}
