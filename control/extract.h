/*
 * extract - every message as DIR/<sha256>.eml, its octets exactly.
 *
 * A file is written under another name and renamed when it is whole; one that is there already has
 * the same octets and stays. What no longer has its octets (message_too_large, no digest) is
 * refused.
 */
#pragma once

#include "base/message.h"

/* Makes the folder when it is not there. 0, or -1 and why has one line. */
int extract_open(const char *dir, char *why, size_t why_len);

/* m has a verdict. 0, or -1 and why has one line. */
int extract_message(const char *dir, const struct message *m, char *why, size_t why_len);
