/*
 * address_run - reads address lists for comparison with other parsers: a value in hexadecimal a line in; out a line
 * "FLAGS DISPLAY,LOCAL,DOMAIN;..." with a blank between, texts in hexadecimal, FLAGS "ok" or "malformed".
 */
#include "verify/header/display.h"
#include "verify/header/mailbox.h"

#include <stdio.h>

static _Alignas(16) uint8_t memory[1 << 20];

static void print(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		printf("%02x", b.p[i]);
}

static void judge(struct bytes value)
{
	static struct display display;
	struct arena arena;
	struct mailbox_list l;
	struct mailbox m;
	arena_init(&arena, memory, sizeof memory);
	mailbox_begin(&l, value, &arena);
	while (mailbox_next(&l, &m))
		;
	printf("%s", l.flags & MAILBOX_MALFORMED ? "malformed" : "ok");
	arena_init(&arena, memory, sizeof memory);
	mailbox_begin(&l, value, &arena);
	for (char between = ' '; mailbox_next(&l, &m); between = ';') {
		display_read(&display, m.display, false);
		putchar(between);
		print(display_text(&display));
		putchar(',');
		print(m.name);
		putchar(',');
		print(m.domain);
	}
	putchar('\n');
}

int main(void)
{
	static char line[1 << 17];
	static uint8_t value[1 << 16];
	while (fgets(line, sizeof line, stdin)) {
		size_t n = 0;
		unsigned octet;
		for (const char *c = line; sscanf(c, "%2x", &octet) == 1; c += 2)
			value[n++] = (uint8_t)octet;
		judge(bytes_of(value, n));
	}
	return 0;
}
