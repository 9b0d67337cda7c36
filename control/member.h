/*
 * member - members of a JSON object as records have them: a key, and a value or null.
 */
#pragma once

#include "base/json.h"

/* known false: null. */
void member_bytes(struct json *j, const char *key, struct bytes b, bool known);
void member_uint(struct json *j, const char *key, uint64_t v, bool known);
/* s NULL: null. */
void member_str(struct json *j, const char *key, const char *s);
void member_bool(struct json *j, const char *key, bool v);
void member_empty_array(struct json *j, const char *key);
/* Only when there is something: a text, true. */
void member_some(struct json *j, const char *key, struct bytes b);
void member_true(struct json *j, const char *key, bool v);
