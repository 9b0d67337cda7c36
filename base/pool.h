/*
 * pool - a fixed number of objects of one size, by index; one thread.
 *
 * Memory is mapped at pool_new and touched on first use (base/memory), that of objects of a page or
 * more 256 KiB at a time. Last freed is first given, so that hot memory stays hot.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define POOL_NONE UINT32_MAX

struct pool;

/* size is rounded up to 8. NULL when out of memory. */
struct pool *pool_new(size_t size, uint32_t n);
void pool_free(struct pool *p);
/* POOL_NONE when empty. The object's octets are what was left in it. */
uint32_t pool_take(struct pool *p);
void pool_give(struct pool *p, uint32_t i);
void *pool_at(const struct pool *p, uint32_t i);
uint32_t pool_index(const struct pool *p, const void *obj);
uint32_t pool_left(const struct pool *p);
