#include "control/append.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int append_open(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	return fd < 0 ? -errno : fd;
}

size_t append_write(int fd, const void *p, size_t n, int *error)
{
	size_t done = 0;
	*error = 0;
	while (done < n && !*error) {
		ssize_t k = write(fd, (const char *)p + done, n - done);
		if (k > 0)
			done += (size_t)k;
		else if (k == 0 || errno != EINTR)
			*error = k == 0 ? ENOSPC : errno;
	}
	return done;
}
