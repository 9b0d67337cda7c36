#include "bench/dkim_records.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/kernels.h"
#include "bench/trace.h"
#include "control/events.h"

enum { MSS = 1460, ACK = 16, SYN = 2, FIN = 1 };

struct dkim_records {
	struct events *events;
	FILE *file;
};

struct talk {
	struct trace *trace;
	struct trace_end end[2]; /* client, server */
};

static void say(struct talk *t, unsigned side, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i += MSS)
		trace_segment(t->trace, &t->end[side], &t->end[!side], ACK, text + i,
			      n - i < MSS ? n - i : MSS);
}

static void line(struct talk *t, unsigned side, const char *text)
{
	say(t, side, text, strlen(text));
}

/* Dot-stuffed, with the end. */
static void content(struct talk *t, struct bytes text)
{
	char *out = malloc(text.n * 2 + 3);
	size_t o = 0;
	kernels_must(out != NULL, "no memory");
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '.' && (i == 0 || text.p[i - 1] == '\n'))
			out[o++] = '.';
		out[o++] = (char)text.p[i];
	}
	memcpy(out + o, ".\r\n", 3);
	say(t, 0, out, o + 3);
	free(out);
}

static void session(struct trace *trace, unsigned number, struct bytes text)
{
	struct talk t = { trace,
			  { { 0xc6336401, (uint16_t)(20000 + number), 1000 },
			    { 0xcb007119, 25, 2000 } } };
	trace_segment(trace, &t.end[0], &t.end[1], SYN, NULL, 0);
	trace_segment(trace, &t.end[1], &t.end[0], SYN | ACK, NULL, 0);
	line(&t, 1, "220 mx.example.net\r\n");
	line(&t, 0, "HELO mail.d0.example\r\n");
	line(&t, 1, "250 mx.example.net\r\n");
	line(&t, 0, "MAIL FROM:<sender@d0.example>\r\n");
	line(&t, 1, "250 ok\r\n");
	line(&t, 0, "RCPT TO:<receiver@example.net>\r\n");
	line(&t, 1, "250 ok\r\n");
	line(&t, 0, "DATA\r\n");
	line(&t, 1, "354 go on\r\n");
	content(&t, text);
	line(&t, 1, "250 queued\r\n");
	trace_segment(trace, &t.end[0], &t.end[1], FIN | ACK, NULL, 0);
	trace_segment(trace, &t.end[1], &t.end[0], FIN | ACK, NULL, 0);
}

struct dkim_records *dkim_records_new(const char *folder, const struct config *cfg,
				      const struct dkim_mail *mail, unsigned n)
{
	char path[512];
	struct trace trace;
	struct dkim_records *r = calloc(1, sizeof *r);
	trace_init(&trace, (size_t)256 << 20, 1 << 20);
	for (unsigned i = 0; i < n; i++)
		session(&trace, i, mail[i].text);
	snprintf(path, sizeof path, "%s/mail.pcap", folder);
	kernels_must(r && trace_write(&trace, path), path);
	trace_fini(&trace);
	snprintf(path, sizeof path, "%s/zone", folder);
	dkim_mail_zone(path);
	snprintf(path, sizeof path, "%s/records", folder);
	r->file = fopen(path, "w");
	r->events = events_new(cfg);
	kernels_must(r->file && r->events, path);
	return r;
}

void dkim_records_add(struct dkim_records *r, const struct message *m)
{
	struct bytes record = events_record(r->events, m);
	fwrite(record.p, record.n, 1, r->file);
}

void dkim_records_free(struct dkim_records *r)
{
	kernels_must(fclose(r->file) == 0, "the records could not be written");
	events_free(r->events);
	free(r);
}
