/* A check gets every answer there is, and a timeout for the others when its time is over. */
#include "control/ask.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "control/config.h"
#include "tests/test.h"

enum { MEMORY = 1024 * 1024 };

static char zone[64];

static struct config config(const char *dns)
{
	struct config cfg;
	config_default(&cfg);
	snprintf(cfg.dns, sizeof cfg.dns, "%s", dns);
	return cfg;
}

static const char *zone_dns(const char *text)
{
	static char dns[80];
	snprintf(zone, sizeof zone, "/tmp/test_ask.XXXXXX");
	int fd = mkstemp(zone);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	snprintf(dns, sizeof dns, "zone:%s", zone);
	return dns;
}

/* Two rounds: the second name is in the first answer. */
static unsigned chase(struct ask *a, struct known *k, uint8_t status[2])
{
	unsigned rounds = 0;
	for (;; rounds++) {
		const struct record *first =
			known_ask(k, KNOWN_SPF, QUESTION_TXT, bytes_str("first.example"));
		const struct record *second =
			first && first->answer.n
				? known_ask(k, KNOWN_SPF, QUESTION_TXT, first->answer.rr[0].data)
				: first;
		if (first && second) {
			status[0] = first->answer.status;
			status[1] = second->answer.status;
			return rounds;
		}
		CU_ASSERT_FATAL(rounds < 10);
		ask_known(a, k, 300);
	}
}

static unsigned run(const char *dns, uint8_t status[2])
{
	struct config cfg = config(dns);
	struct known *k = calloc(1, sizeof *k);
	void *memory = malloc(MEMORY);
	struct ask *a;
	char why[200] = "";
	k->budget = 100;
	known_init(k, memory, MEMORY);
	CU_ASSERT_EQUAL_FATAL(ask_new(&a, &cfg, why, sizeof why), 0);
	unsigned rounds = chase(a, k, status);
	known_end(k);
	ask_free(a);
	free(memory);
	free(k);
	return rounds;
}

static void answers_come(void)
{
	uint8_t status[2];
	CU_ASSERT_EQUAL(run(zone_dns("first.example. TXT second.example\n"
				     "second.example. TXT x\n"),
			    status),
			2);
	unlink(zone);
	CU_ASSERT_EQUAL(status[0], ANSWER_DATA);
	CU_ASSERT_EQUAL(status[1], ANSWER_DATA);
	run(zone_dns("first.example. TXT second.example\n"), status);
	unlink(zone);
	CU_ASSERT_EQUAL(status[1], ANSWER_NXDOMAIN);
	run("none", status);
	CU_ASSERT_EQUAL(status[0], ANSWER_TIMEOUT);
}

/* A server that never answers: the time given is kept. */
static void time_is_kept(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof addr;
	struct timespec from, to;
	char dns[40];
	uint8_t status[2];
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
	CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	snprintf(dns, sizeof dns, "127.0.0.1@%u", ntohs(addr.sin_port));
	clock_gettime(CLOCK_MONOTONIC, &from);
	run(dns, status);
	clock_gettime(CLOCK_MONOTONIC, &to);
	close(fd);
	int64_t ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
	CU_ASSERT_EQUAL(status[0], ANSWER_TIMEOUT);
	CU_ASSERT(ms >= 290 && ms < 3000);
}

static void bad_source(void)
{
	struct config cfg = config("zone:/nonexistent");
	struct ask *a;
	char why[200] = "";
	CU_ASSERT(ask_new(&a, &cfg, why, sizeof why) < 0);
	CU_ASSERT_PTR_NULL(a);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "/nonexistent"));
}

TEST_MAIN("ask", TEST(answers_come), TEST(time_is_kept), TEST(bad_source))
