/* Any file of records: read whole, or refused with one line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control/evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answers *a = NULL;
	char why[512] = "", path[32];
	struct answers_own own = { 0 };
	struct question q = { .type = QUESTION_TXT, .len = 1, .name = "x" };
	int fd = memfd_create("records", 0);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int rc = evidence_load(&a, path, why, sizeof why);
	if ((rc == 0) != (a != NULL) || (rc < 0 && (!why[0] || strchr(why, '\n'))))
		abort();
	if (a && !answers_find(a, &own, &q))
		abort();
	answers_free(a);
	close(fd);
	return 0;
}
