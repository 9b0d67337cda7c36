/* Lines of requests: every reply is JSON, and all are the same however the octets are cut. */
#include <jansson.h>
#include <stdlib.h>

#include "control/commands.h"
#include "control/config.h"
#include "control/line.h"

static int reload(void *run, char *note, size_t n)
{
	note[0] = 0;
	return 0;
}

static void stop(void *run)
{
}

static uint64_t answers(const uint8_t *data, size_t n, size_t piece)
{
	static char reply[COMMANDS_REPLY_MAX];
	static struct config cfg;
	struct command_context ctx = {
		.cfg = &cfg, .stats = { .started_ns = UINT64_MAX }, .reload = reload, .stop = stop
	};
	uint8_t buf[256 + LINE_EXTRA], *p;
	uint64_t sum = 0;
	struct line l;
	struct bytes line, text;
	enum line_result r = LINE_MORE;
	config_default(&cfg);
	line_init(&l, buf, 256);
	for (size_t at = 0, k; at < n && r != LINE_TOO_LONG; at += k) {
		k = line_room(&l, &p);
		k = k < piece ? k : piece;
		k = k < n - at ? k : n - at;
		memcpy(p, data + at, k);
		line_added(&l, k);
		while ((r = line_next(&l, &line)) == LINE_READY) {
			text = commands_answer(&ctx, line, reply, sizeof reply);
			json_t *top = json_loadb((const char *)text.p, text.n,
						 JSON_REJECT_DUPLICATES, NULL);
			if (json_object_size(top) != 2 || memchr(text.p, '\n', text.n))
				abort();
			json_decref(top);
			for (size_t i = 0; i < text.n; i++)
				sum = sum * 31 + text.p[i];
		}
		sum += r == LINE_TOO_LONG;
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (answers(data, n, n) != answers(data, n, 1) ||
	    answers(data, n, n) != answers(data, n, 7))
		abort();
	return 0;
}
