/*
 * aar - an ARC-Authentication-Results field (RFC 8617 section 4.1.1): its instance, and what it says
 * of DMARC.
 *
 * i= comes first. The results are read by resinfo; where one of them is malformed none is believed.
 */
#pragma once

#include "base/arena.h"
#include "base/verdict.h"

/* value: behind the colon. 1..50; 0: malformed. *payload: what is behind the instance. */
uint8_t aar_instance(struct bytes value, struct bytes *payload);

/*
 * AUTH_PASS: there are results of DMARC, each says pass, and none names another header.from than the
 * others; *from is that, empty where none does. AUTH_FAIL: one says something else. AUTH_NONE: there
 * is none, or the field is malformed, or the arena is full.
 */
enum auth_result aar_dmarc(struct bytes payload, struct arena *arena, struct bytes *from);
