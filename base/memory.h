/*
 * memory - large tables: zero octets that the system gives page by page, as they are touched.
 *
 * What is never used costs address space only. Not handled: nothing says when the machine has no
 * more memory than was touched.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Of the first so many octets none lie in huge pages: little use shall not clear much memory. */
#define MEMORY_SMALL ((size_t)2 * 1024 * 1024)

/*
 * size > 0 octets at the start of a page. huge: what lies behind the first MEMORY_SMALL is wished
 * for in huge pages, which suits small objects all over the table. NULL when there is no room.
 */
void *memory_new(size_t size, bool huge);
/* Takes in the pages of what memory_new gave, [p, p + n), by one call and not by a fault each. A
 * wish: kernels before 5.14 refuse it, then it is false and pages come at first touch. */
bool memory_fill(void *p, size_t n);
/* As memory_new was asked. p may be NULL. */
void memory_free(void *p, size_t size);
