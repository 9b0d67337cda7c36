#include "control/value.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { NS_PER_S = 1000000000 };

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit size_units[] = {
	{ "GiB", 1024u * 1024 * 1024 }, { "MiB", 1024 * 1024 }, { "KiB", 1024 }, { "", 1 }
};
static const struct unit time_units[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 },
					  { "s", 1000 },     { "ms", 1 },      { "", 1000 } };

/* The digits at the front; what is behind them is left in *text. */
static bool digits(struct bytes *text, uint64_t *out)
{
	size_t i = 0;
	*out = 0;
	for (; i < text->n && text->p[i] >= '0' && text->p[i] <= '9'; i++)
		if (__builtin_mul_overflow(*out, 10, out) ||
		    __builtin_add_overflow(*out, text->p[i] - '0', out))
			return false;
	*text = bytes_from(*text, i);
	return i > 0;
}

bool value_number(struct bytes text, uint64_t *out)
{
	return digits(&text, out) && text.n == 0;
}

bool value_tenths(struct bytes text, uint64_t *out)
{
	uint64_t part = 0;
	if (!digits(&text, out) || __builtin_mul_overflow(*out, 10, out))
		return false;
	if (text.n == 2 && text.p[0] == '.' && text.p[1] >= '0' && text.p[1] <= '9') {
		part = (uint64_t)(text.p[1] - '0');
		text.n = 0;
	}
	return text.n == 0 && !__builtin_add_overflow(*out, part, out);
}

static bool with_unit(struct bytes text, const struct unit *units, size_t n, uint64_t *out)
{
	if (!digits(&text, out))
		return false;
	for (size_t i = 0; i < n; i++)
		if (bytes_equal(text, bytes_str(units[i].name)))
			return !__builtin_mul_overflow(*out, units[i].factor, out);
	return false;
}

/* In the largest unit that leaves no rest. */
static void print_unit(uint64_t v, const struct unit *units, size_t n, char *out, size_t len)
{
	size_t i = 0;
	while (i + 1 < n && (v < units[i].factor || v % units[i].factor))
		i++;
	snprintf(out, len, "%" PRIu64 "%s", v / units[i].factor, units[i].name);
}

bool value_size(struct bytes text, uint64_t *out)
{
	return with_unit(text, size_units, sizeof size_units / sizeof size_units[0], out);
}

void value_size_print(uint64_t octets, char *out, size_t len)
{
	print_unit(octets, size_units, sizeof size_units / sizeof size_units[0], out, len);
}

bool value_duration(struct bytes text, uint64_t *ms)
{
	return with_unit(text, time_units, sizeof time_units / sizeof time_units[0], ms);
}

void value_duration_print(uint64_t ms, char *out, size_t len)
{
	/* without the last row: what is printed always has its unit; 0 is 0s */
	if (ms)
		print_unit(ms, time_units, sizeof time_units / sizeof time_units[0] - 1, out, len);
	else
		snprintf(out, len, "0s");
}

/* Up to nine digits behind the point as nanoseconds; more are read and left out. */
static bool fraction(struct bytes *text, uint64_t *ns)
{
	size_t i = 0;
	uint64_t scale = NS_PER_S;
	*ns = 0;
	for (; i < text->n && text->p[i] >= '0' && text->p[i] <= '9'; i++) {
		scale /= 10;
		*ns += scale * (text->p[i] - '0');
	}
	*text = bytes_from(*text, i);
	return i > 0;
}

static bool take(struct bytes *text, char a, char b)
{
	if (!text->n || (text->p[0] != a && text->p[0] != b))
		return false;
	*text = bytes_from(*text, 1);
	return true;
}

/* Exactly n digits with a value from min to max. */
static bool fixed(struct bytes *text, unsigned n, int min, int max, int *out)
{
	uint64_t v;
	struct bytes head = bytes_head(*text, n);
	if (head.n != n || !value_number(head, &v))
		return false;
	*out = (int)v;
	*text = bytes_from(*text, n);
	return *out >= min && *out <= max;
}

static bool offset(struct bytes *text, int *seconds)
{
	int sign = text->n && text->p[0] == '-' ? -1 : 1, h, m;
	*seconds = 0;
	if (take(text, 'Z', 'z'))
		return true;
	if (!take(text, '+', '-') || !fixed(text, 2, 0, 23, &h) || !take(text, ':', ':') ||
	    !fixed(text, 2, 0, 59, &m))
		return false;
	*seconds = sign * (h * 3600 + m * 60);
	return true;
}

static bool rfc3339(struct bytes text, uint64_t *ns)
{
	struct tm tm = { 0 };
	uint64_t part = 0;
	int shift;
	if (!fixed(&text, 4, 1970, 2262, &tm.tm_year) || !take(&text, '-', '-') ||
	    !fixed(&text, 2, 1, 12, &tm.tm_mon) || !take(&text, '-', '-') ||
	    !fixed(&text, 2, 1, 31, &tm.tm_mday) ||
	    (!take(&text, 'T', 't') && !take(&text, ' ', ' ')) ||
	    !fixed(&text, 2, 0, 23, &tm.tm_hour) || !take(&text, ':', ':') ||
	    !fixed(&text, 2, 0, 59, &tm.tm_min) || !take(&text, ':', ':') ||
	    !fixed(&text, 2, 0, 60, &tm.tm_sec))
		return false;
	if (take(&text, '.', '.') && !fraction(&text, &part))
		return false;
	if (!offset(&text, &shift) || text.n)
		return false;
	int day = tm.tm_mday, leap = tm.tm_sec == 60;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	tm.tm_sec -= leap;
	time_t t = timegm(&tm);
	if (tm.tm_mday != day) /* timegm made 31 April the first of May */
		return false;
	t += leap - shift;
	if (t < 0 || t > INT64_MAX / NS_PER_S - 1)
		return false;
	*ns = (uint64_t)t * NS_PER_S + part;
	return true;
}

bool value_time(struct bytes text, uint64_t *ns)
{
	struct bytes rest = text;
	uint64_t s, part = 0;
	if (!digits(&rest, &s))
		return false;
	if (rest.n && rest.p[0] == '-')
		return rfc3339(text, ns);
	if (take(&rest, '.', '.') && !fraction(&rest, &part))
		return false;
	if (rest.n || s > INT64_MAX / NS_PER_S - 1)
		return false;
	*ns = s * NS_PER_S + part;
	return true;
}

bool value_ports(struct bytes text, struct config_ports *out)
{
	struct config_ports ports = { .n = 0 };
	while (text.n) {
		uint64_t v;
		if (!digits(&text, &v) || v < 1 || v > 65535 || ports.n == CONFIG_PORTS_MAX)
			return false;
		for (uint32_t i = 0; i < ports.n; i++)
			if (ports.port[i] == v)
				return false;
		ports.port[ports.n++] = (uint16_t)v;
		if (text.n && (!take(&text, ',', ',') || !text.n))
			return false;
	}
	*out = ports;
	return true;
}

bool value_ip(struct bytes text, uint8_t out[16])
{
	char name[INET6_ADDRSTRLEN];
	if (text.n >= sizeof name || (text.n && memchr(text.p, 0, text.n)))
		return false;
	memcpy(name, text.p, text.n);
	name[text.n] = 0;
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	if (inet_pton(AF_INET, name, out + 12) == 1) {
		memcpy(out, mapped, sizeof mapped);
		return true;
	}
	return inet_pton(AF_INET6, name, out) == 1;
}

static bool dns_server(struct bytes text)
{
	uint8_t ip[16];
	uint64_t port;
	const uint8_t *at = text.n ? memchr(text.p, '@', text.n) : NULL;
	if (!at)
		return value_ip(text, ip);
	size_t n = (size_t)(at - text.p);
	return value_ip(bytes_head(text, n), ip) && value_number(bytes_from(text, n + 1), &port) &&
	       port >= 1 && port <= 65535;
}

bool value_dns(struct bytes text)
{
	if (bytes_equal(text, bytes_str("none")) || bytes_equal(text, bytes_str("system")))
		return true;
	if (bytes_equal(bytes_head(text, 5), bytes_str("zone:")))
		return text.n > 5 && !memchr(text.p, 0, text.n);
	for (;;) {
		const uint8_t *comma = text.n ? memchr(text.p, ',', text.n) : NULL;
		size_t n = comma ? (size_t)(comma - text.p) : text.n;
		if (!dns_server(bytes_head(text, n)))
			return false;
		if (!comma)
			return true;
		text = bytes_from(text, n + 1);
	}
}
