#include <stdio.h>

#include "control/ask.h"
#include "control/check.h"
#include "control/files.h"

/* The chain of one message, judged as a scan would, without the checks that have no part in it. */

static void put_set(struct check *c, unsigned instance, const struct arc_set *s)
{
	json_object_begin(&c->json);
	check_uint(c, "instance", instance);
	check_word(c, "cv", auth_result_name((enum auth_result)s->cv));
	check_word(c, "seal", auth_result_name((enum auth_result)s->seal));
	check_word(c, "message_signature", auth_result_name((enum auth_result)s->message));
	check_text(c, "domain", s->domain);
	check_text(c, "selector", s->selector);
	check_word(c, "reason", s->reason);
	json_object_end(&c->json);
}

static void put(struct check *c, const struct arc_result *a)
{
	check_word(c, "result", auth_result_name((enum auth_result)a->result));
	check_uint(c, "instance", a->instance);
	check_word(c, "reason", a->reason);
	check_uint(c, "failed", a->failed);
	check_uint(c, "oldest_pass", a->oldest_pass);
	check_text(c, "sealer", a->sealer);
	check_bool(c, "trusted", a->trusted);
	check_bool(c, "trusted_pass", a->trusted_pass);
	check_bool(c, "dnssec", a->secure);
	json_key(&c->json, "sets");
	json_array_begin(&c->json);
	for (unsigned i = 0; a->set && i < a->n_set; i++)
		put_set(c, i + 1, &a->set[i]);
	json_array_end(&c->json);
}

int check_arc(struct check *c)
{
	struct files *files;
	c->file = c->argument[0];
	c->cfg.dkim = c->cfg.spf = c->cfg.dmarc = c->cfg.names = false;
	c->cfg.arc = true;
	struct message *m = check_message(c, &files);
	int rc = m ? check_judge(c, m, NULL) : -1;
	if (rc == 0) {
		put(c, &m->verdict->arc);
		check_judged(c);
	}
	if (m)
		files_release(m);
	files_free(files);
	return rc;
}
