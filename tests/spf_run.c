/*
 * spf_run ZONE - judges SPF cases read from stdin with the answers of a zone, for comparison with
 * other verifiers: a line "IP HELO MAILFROM [LEVEL IDENTITY]" with tabs between in, one with
 * "RESULT REASON LOOKUPS VOIDS MECHANISM EXPLANATION" out.
 */
#include "tests/lookup.h"
#include "tests/test.h"
#include "verify/auth/spf.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

static struct lookup *l;
static struct spf_setup setup;
static struct spf_result result;

static bool step(void *ctx)
{
	(void)ctx;
	return spf_check(&setup, &result);
}

static bool read_ip(const char *text, struct address *out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	memcpy(out->ip, mapped, sizeof mapped);
	return inet_pton(AF_INET, text, out->ip + 12) == 1 ||
	       inet_pton(AF_INET6, text, out->ip) == 1;
}

static void print(struct bytes b)
{
	printf("\t");
	for (size_t i = 0; i < b.n; i++)
		putchar(b.p[i] < 0x20 ? '?' : b.p[i]);
}

static void judge(char *line)
{
	static const char *const levels[] = { "spf", "sidf", "sidf-compatible" };
	static struct spf_profile profile = { .lookup_max = 10, .void_max = 2 };
	char *field[5] = { "", "", "", "spf", "mailfrom" };
	for (unsigned i = 0; i < 5 && line; i++)
		field[i] = strsep(&line, "\t");
	for (unsigned i = 0; i < 3; i++)
		if (strcmp(levels[i], field[3]) == 0)
			profile.level = i;
	setup = (struct spf_setup){ .known = &l->known,
				    .arena = &l->arena,
				    .profile = &profile,
				    .helo = bytes_str(field[1]),
				    .sender = bytes_str(*field[2] ? field[2] : field[1]),
				    .now_s = 1000000000,
				    .identity = SPF_MAILFROM };
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++)
		if (strcmp(spf_identity_name(i), field[4]) == 0)
			setup.identity = i;
	lookup_again(l);
	if (!read_ip(field[0], &setup.client)) {
		printf("bad address\n");
		return;
	}
	const char *fault = lookup_fault(l, &l->known, step, NULL);
	printf("%s\t%s\t%u\t%u", fault ? fault : auth_result_name(result.result),
	       result.reason ? result.reason : "", result.lookups, result.voids);
	print(result.mechanism);
	print(result.explanation);
	printf("\n");
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t room = 0;
	if (argc != 2)
		return 2;
	struct bytes zone = test_file(argv[1]);
	char *text = strndup((const char *)zone.p, zone.n);
	l = lookup_new(text);
	free(text);
	free((void *)(uintptr_t)zone.p);
	for (ssize_t n; (n = getline(&line, &room, stdin)) >= 0;) {
		if (n && line[n - 1] == '\n')
			line[n - 1] = 0;
		judge(line);
	}
	free(line);
	lookup_free(l);
	return 0;
}
