#include "control/member.h"

void member_bytes(struct json *j, const char *key, struct bytes b, bool known)
{
	json_key(j, key);
	if (known)
		json_bytes(j, b);
	else
		json_nil(j);
}

void member_uint(struct json *j, const char *key, uint64_t v, bool known)
{
	json_key(j, key);
	if (known)
		json_uint(j, v);
	else
		json_nil(j);
}

void member_str(struct json *j, const char *key, const char *s)
{
	json_key(j, key);
	json_str(j, s);
}

void member_bool(struct json *j, const char *key, bool v)
{
	json_key(j, key);
	json_bool(j, v);
}

void member_empty_array(struct json *j, const char *key)
{
	json_key(j, key);
	json_array_begin(j);
	json_array_end(j);
}

void member_some(struct json *j, const char *key, struct bytes b)
{
	if (b.n)
		member_bytes(j, key, b, true);
}

void member_true(struct json *j, const char *key, bool v)
{
	if (v)
		member_bool(j, key, true);
}
