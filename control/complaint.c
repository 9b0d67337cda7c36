#include "control/complaint.h"

#include <stdarg.h>
#include <stdio.h>

void complaint_add(struct complaints *c, bool error, const char *word, const char *form, ...)
{
	if (c->n == COMPLAINT_MAX)
		return;
	struct complaint *next = &c->complaint[c->n++];
	va_list args;
	next->word = word;
	next->error = error;
	va_start(args, form);
	vsnprintf(next->text, sizeof next->text, form, args);
	va_end(args);
}

void complaint_put(const struct complaints *c, struct json *j)
{
	json_key(j, "complaints");
	json_array_begin(j);
	for (unsigned i = 0; i < c->n; i++) {
		json_object_begin(j);
		json_key(j, "word");
		json_str(j, c->complaint[i].word);
		json_key(j, "severity");
		json_str(j, c->complaint[i].error ? "error" : "warning");
		json_key(j, "text");
		json_str(j, c->complaint[i].text);
		json_object_end(j);
	}
	json_array_end(j);
}
