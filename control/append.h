/*
 * append - opening a file that only grows, and writing all there is to it.
 */
#pragma once

#include <stddef.h>

/* Mode 0640, made when missing. A descriptor or -errno. */
int append_open(const char *path);

/* Returns how many octets went out; *error is 0 when all did, else an errno. */
size_t append_write(int fd, const void *p, size_t n, int *error);
