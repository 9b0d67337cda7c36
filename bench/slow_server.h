/*
 * slow_server - a name server that knows every domain and takes its time: for benchmarks.
 *
 * Answers each question after delay_ms: TXT of a domain with SPF, of _dmarc.DOMAIN with DMARC, of
 * SELECTOR._domainkey.DOMAIN with a key, each A with the one address that SPF lets send; nothing
 * else is there; about names under "silent" it says nothing. UDP on a free port of 127.0.0.1, in a
 * process of its own that ends with this one.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#define SLOW_SERVER_CLIENT "192.0.2.1"

/* key: record of every selector. Gives the process; ends the program when it cannot. */
pid_t slow_server_start(unsigned delay_ms, const char *key, uint16_t *port);
void slow_server_stop(pid_t pid);
