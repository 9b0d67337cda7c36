/*
 * known - what one message knows of the DNS: the questions its checks asked, and the answers.
 *
 * A check runs from its start and asks for names as it goes. What is not known yet is put on the
 * list of open questions, and the check ends there, to be run again when they are answered. Answers
 * stay with the message until known_end, so a TTL cannot change its mind. Over the budget, or
 * after the deadline of who asks, the answer is a timeout. At most KNOWN_MAX names, of which
 * KNOWN_OPEN_MAX are open at once; a check that could not open a question just asks again.
 */
#pragma once

#include "verify/dns/records.h"
#include "verify/dns/trace.h"

enum { KNOWN_MAX = 256, KNOWN_OPEN_MAX = 64, KNOWN_NAME_MAX = 253, KNOWN_PARSED_MAX = 64 };

enum known_who { /* whose deadline counts; a bit each */
		 KNOWN_KEYS = 1 << 0,
		 KNOWN_SPF = 1 << 1,
		 KNOWN_DMARC = 1 << 2,
};

struct known_item {
	struct question question;
	struct record *record; /* NULL: open */
	struct record own; /* where the cache did not keep it */
	bool kept; /* record is in use in the cache */
	bool listed; /* among the open ones */
	bool counted; /* in asked */
	bool once; /* nobody asked for it to be kept */
	bool taken; /* somebody is asking (known_take) */
	uint16_t number; /* in the order of asking */
	uint8_t who; /* everyone who asked */
	uint8_t late; /* of these, for whom it is a timeout, whatever comes */
	uint32_t hash;
};

struct known {
	struct arena arena; /* of the items */
	struct records *records; /* NULL: nothing is kept */
	struct trace *trace; /* NULL: nobody looks */
	uint64_t clock_s;
	uint32_t ttl_max_s, budget;
	bool reserve; /* for who asks now half of the budget and of the room is kept back */
	uint32_t asked; /* questions that were not in the cache */
	uint32_t over; /* names that the budget refused, and asks that the room refused */
	uint16_t n, n_open;
	uint8_t gave_up; /* enum known_who */
	bool untidy; /* some open ones are not */
	struct record plain[ANSWER_TIMEOUT + 1]; /* by status, of names without an item */
	struct known_item *item[KNOWN_MAX], *open[KNOWN_OPEN_MAX];
	struct known_parsed { /* of records that have no room of their own for it */
		const struct record *record;
		const void *parsed;
	} parsed[KNOWN_PARSED_MAX];
	uint8_t n_parsed;
};

/* The caller sets the fields records to reserve, this the others. Borrows mem until known_end: KNOWN_MAX
 * items of sizeof(struct known_item) and some for what is parsed; what it has no room for is refused. */
void known_init(struct known *k, void *mem, size_t size);

/*
 * What is known of that name, borrowed until known_end; NULL: nothing yet, the question is open.
 * name: at most 253 octets of any kind, with or without a final dot, in any case; longer or with
 * an empty label or one over 63 octets it does not exist.
 */
struct record *known_ask(struct known *k, enum known_who who, enum question_type type,
			 struct bytes name);
/* The same for an answer of which the caller keeps a parsed copy of his own for longer. */
struct record *known_ask_once(struct known *k, enum known_who who, enum question_type type,
			      struct bytes name);

/* The i-th open question, NULL behind the last; the same until a check runs again, answered or not.
 * Then those that are answered, and those of which everyone who asked has given up, are gone. */
const struct question *known_question(const struct known *k, unsigned i);
/* Borrows the answer until known_end. A second answer to one question is ignored. */
void known_answer(struct known *k, unsigned i, const struct answer *answer);
/*
 * For who answers them one by one and runs the checks in between: the next open question that was
 * not taken, NULL: there is none; number names it from now on.
 */
const struct question *known_take(struct known *k, unsigned *number);
/* It could not be asked: it will be taken again. */
void known_put_back(struct known *k, unsigned number);
/* known_answer by number. */
void known_settle(struct known *k, unsigned number, const struct answer *answer);

/* Open questions of those who have not given up. */
unsigned known_waiting(const struct known *k);
/* who: bits. Whatever they asked and is open, and what they will ask, is a timeout for them. */
void known_give_up(struct known *k, unsigned who);

/*
 * What was parsed of a record in which there is no room for it (record->space), once a message.
 * known_room gives the arena to parse into, which known_keep takes back used; what is kept stays
 * until known_end. False: there were too many. NULL: nothing is kept of that record.
 */
struct arena known_room(const struct known *k);
bool known_keep(struct known *k, const struct record *record, const void *parsed,
		const struct arena *room);
const void *known_parsed(const struct known *k, const struct record *record);

/* In the order of asking; NULL behind the last. */
const struct known_item *known_item(const struct known *k, unsigned i);

void known_end(struct known *k);
