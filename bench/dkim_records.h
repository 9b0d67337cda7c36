/*
 * dkim_records - the messages of bench_dkim as a capture, and the records of what its worker judged,
 * so that those of scan can be laid beside them.
 */
#pragma once

#include "base/config.h"
#include "bench/dkim_mail.h"

struct dkim_records;

/* Writes FOLDER/mail.pcap, one SMTP session for each of n messages, and FOLDER/zone with the keys.
 * Records go to FOLDER/records. Borrows cfg. Ends the program when a file cannot be written. */
struct dkim_records *dkim_records_new(const char *folder, const struct config *cfg,
				      const struct dkim_mail *mail, unsigned n);
/* The record of a message with its verdict, one line. */
void dkim_records_add(struct dkim_records *r, const struct message *m);
void dkim_records_free(struct dkim_records *r);
