/*
 * main - `postern`: one row a command.
 */
#include <bpf/libbpf.h>
#include <idn2.h>
#include <jansson.h>
#include <ldns/util.h>
#include <openssl/crypto.h>
#include <rte_version.h>
#include <stdio.h>
#include <string.h>
#include <unbound.h>
#include <yaml.h>
#include <zlib.h>

#include "base/cpu.h"
#include "base/log.h"
#include "control/check.h"
#include "control/ctl.h"
#include "control/ctl_trace.h"
#include "control/kind.h"
#include "control/run.h"
#include "control/scan.h"
#include "control/settings.h"
#include "verify/auth/dmarc.h"
#include "verify/auth/reason.h"
#include "verify/auth/spf_reason.h"
#include "verify/policy.h"

struct main_command {
	const char *name, *arguments, *help, *example;
	int (*run)(int argc, char **argv);
};

/* The place of `trace`, the one command that is no request to the engine; 0: it is another. */
static int trace_at(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "trace"))
			return i;
		if (!strcmp(argv[i], "--socket"))
			i++;
		else if (argv[i][0] != '-')
			return 0;
	}
	return 0;
}

static int run_ctl(int argc, char **argv)
{
	int at = trace_at(argc, argv);
	if (at) { /* options may stand in front of it */
		memmove(argv + 1, argv, (size_t)at * sizeof *argv);
		return ctl_trace_main(argc - 1, argv + 1, stdout, stderr);
	}
	return ctl_main(argc, argv, stdout, stderr);
}

static int run_run(int argc, char **argv)
{
	return run_main(argc, argv, stdout, stderr);
}

static int run_check(int argc, char **argv)
{
	return check_main(argc, argv, stdout, stderr);
}

static int run_version(int argc, char **argv);
static int run_help(int argc, char **argv);

static const struct main_command main_commands[] = {
	{ "scan", "[options] INPUT...", "captures, messages, mbox files, Maildirs in, records out",
	  "postern scan mail.pcap", scan_main },
	{ "run", "[options] [-- EAL arguments]", "live ports in, records out, until it is stopped",
	  "postern run --interface eth1", run_run },
	{ "ctl", "[--socket PATH] COMMAND", "one command to a running engine", "postern ctl stats",
	  run_ctl },
	{ "check", "KIND ...", "one question about a sender, a key or a message",
	  "postern check dkim-key s1 example.org", run_check },
	{ "version", "", "version, libraries and CPU level", "postern version", run_version },
	{ "help", "[COMMAND|settings|profiles|reasons]",
	  "this text, a command's, all settings, profiles, reasons", "postern help settings",
	  run_help },
};
enum { COMMANDS_N = sizeof main_commands / sizeof main_commands[0] };

static const struct main_command *find(const char *name)
{
	for (int i = 0; i < COMMANDS_N; i++)
		if (!strcmp(main_commands[i].name, name))
			return &main_commands[i];
	return NULL;
}

/* version and help: they take --help as the others do, and nothing else. */
static bool wants_help(int argc, char **argv)
{
	return argc > 1 && !strcmp(argv[1], "--help");
}

static int usage_of(const struct main_command *c)
{
	printf("postern %s %s\n%s\n\nexample: %s\n", c->name, c->arguments, c->help, c->example);
	return 0;
}

static int surplus(const char *command, const char *argument)
{
	fprintf(stderr, "postern %s: does not take \"%.64s\"; see postern %s --help\n", command,
		argument, command);
	return 2;
}

static int run_version(int argc, char **argv)
{
	if (wants_help(argc, argv))
		return usage_of(find("version"));
	if (argc > 1)
		return surplus(argv[0], argv[1]);
	unsigned flags = cpu_flags();
	printf("postern %s\n", POSTERN_VERSION);
	printf("cpu: %s%s%s%s\n", cpu_level_name(cpu_level()), flags & CPU_SHA_NI ? " sha-ni" : "",
	       flags & CPU_IFMA ? " ifma" : "", flags & CPU_VBMI2 ? " vbmi2" : "");
	printf("%s\n%s\n", rte_version(), OpenSSL_version(OPENSSL_VERSION));
	printf("libunbound %s\nldns %s\nlibidn2 %s\n", ub_version(), ldns_version(),
	       idn2_check_version(NULL));
	printf("libbpf %u.%u\n", libbpf_major_version(), libbpf_minor_version());
	printf("libyaml %s\njansson %s\nzlib %s\n", yaml_get_version_string(),
	       jansson_version_str(), zlibVersion());
	return 0;
}

static void usage(FILE *out)
{
	fprintf(out, "postern - takes mail off the wire, proves who sent it, gives a verdict\n\n");
	for (int i = 0; i < COMMANDS_N; i++)
		fprintf(out, "  postern %-8s %-30s %s\n", main_commands[i].name,
			main_commands[i].arguments, main_commands[i].help);
	fprintf(out, "\nEach takes --help. example: postern scan --dns none mail.pcap\n");
}

static void reason(const char *word, const char *check, const char *result, const char *meaning)
{
	char of[32];
	snprintf(of, sizeof of, "%s%s%s", check, *check && *result ? ":" : "", result);
	if (word)
		printf("%-21s %-19s %s\n", word, of, meaning);
}

/* Every word that a reason in a record can be: of DKIM with the result it belongs to, of the other
 * checks with their name in front. */
static void reasons(void)
{
	for (int i = 0; i < REASON_N; i++)
		reason(reason_word((enum reason)i), i < REASON_SEAL_COVERS ? "" : "arc",
		       auth_result_name(reason_result((enum reason)i)),
		       reason_meaning((enum reason)i));
	for (int i = 0; i < SPF_REASON_N; i++)
		reason(spf_reason_word((enum spf_reason)i), "spf",
		       auth_result_name(spf_reason_result((enum spf_reason)i)),
		       spf_reason_meaning((enum spf_reason)i));
	for (int i = 0; i < DMARC_REASON_N; i++)
		reason(dmarc_reason_word((enum dmarc_reason)i), "dmarc",
		       auth_result_name(dmarc_reason_result((enum dmarc_reason)i)),
		       dmarc_reason_meaning((enum dmarc_reason)i));
	for (int i = 0; i < POLICY_N; i++)
		reason(policy_word((enum policy_reason)i), "verdict", "",
		       policy_meaning((enum policy_reason)i));
}

static int run_help(int argc, char **argv)
{
	if (argc == 1) {
		usage(stdout);
		return 0;
	}
	if (wants_help(argc, argv))
		return usage_of(find("help"));
	if (argc > 2)
		return surplus(argv[0], argv[2]);
	if (!strcmp(argv[1], "settings")) {
		settings_manual(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "profiles")) {
		kind_manual(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "reasons")) {
		reasons();
		return 0;
	}
	const struct main_command *c = find(argv[1]);
	if (!c)
		return surplus(argv[0], argv[1]);
	char *ask[] = { argv[1], (char[]){ "--help" }, NULL };
	return c->run == run_help ? usage_of(c) : c->run(2, ask);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	const char *name = argv[1];
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	if (!strcmp(name, "--version"))
		name = "version";
	const struct main_command *c = find(name);
	if (!c) {
		fprintf(stderr, "postern: there is no command \"%.64s\"; see postern help\n", name);
		return 2;
	}
	const char *odd = cpu_odd_wish();
	if (odd)
		log_line(LOG_LEVEL_WARNING,
			 "POSTERN_CPU=%.64s is not scalar, avx2 or avx512 and changes nothing",
			 odd);
	return c->run(argc - 1, argv + 1);
}
