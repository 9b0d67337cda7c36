/*
 * flights - questions on their way through libunbound, each once however many ask it.
 *
 * At most FLIGHTS_MAX at once; each ends after cfg->dns_query_timeout_ms at the latest, earlier where
 * its domain is left alone (failures.h) or crowded (crowd.h). One thread, which libunbound's own
 * serves. Answers are counted references: what came with an ask goes back by flights_release.
 */
#pragma once

#include "base/config.h"
#include "verify/dns/question.h"

enum { FLIGHTS_MAX = 4096 };

struct flights;

struct ask { /* one question of somebody */
	struct ask *next;
	void *owner; /* the caller's, like tag */
	uint64_t tag;
	const struct answer *answer; /* when it is done */
	struct question q;
};

/* 0 or -errno; why gets one line with the cure. */
int flights_new(struct flights **out, const struct config *cfg, char *why, size_t why_len);
/* Asks that are not done are forgotten. */
void flights_free(struct flights *all);

bool flights_room(const struct flights *all);
/* Takes a, until it is done. There must be room. */
void flights_take(struct flights *all, struct ask *a, uint64_t now_ms);
/* Ends what has its answer or is late. Returns how much it did. */
unsigned flights_turn(struct flights *all, uint64_t now_ms);
/* Readable when there is something for flights_turn. */
int flights_fd(const struct flights *all);
/* Gives one that is done; NULL: there is none. */
struct ask *flights_done(struct flights *all);

void flights_release(const struct answer *a);
/* It needs no release. May be called on any thread, as the next. */
bool flights_static(const struct answer *a);
/* Its domain is left alone, or crowded. */
bool flights_left_alone(const struct answer *a);
