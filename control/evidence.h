/*
 * evidence - records with the DNS answers they rest on -> a source of answers (verify/dns/answers.h).
 *
 * A file of JSON records, one a line, as `scan` and `run` write them where `evidence` is true.
 * Lines of other events are passed over. A line may be as long as memory allows.
 */
#pragma once

#include "base/config.h"
#include "base/verdict.h"
#include "verify/dns/answers.h"

/* 0 or -errno: why has one line with file, line and cure. Gives *out to answers_free. */
int evidence_load(struct answers **out, const char *path, char *why, size_t why_len);

/*
 * A record that is judged again has the evidence it had, in its order, whatever of it was asked for
 * in which order this time. To be called between the verdict and its record; *list is the caller's
 * memory, which this makes larger and free() takes.
 */
void evidence_show(const struct answers *a, struct message *m, struct verdict_evidence **list,
		   uint32_t *cap);

/* From now on cfg asks these answers and nobody else; records show them. Borrows a. */
void evidence_use(struct config *cfg, const struct answers *a);
