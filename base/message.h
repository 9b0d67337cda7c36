/*
 * message - one mail as it went over the wire: envelope, octets, and what is missing or odd.
 *
 * Made by a receive worker out of its own pools; lent to one verify worker, then to the output, and
 * given back the way it came (SP/SC rings carry the pointer and with it the ownership). Who holds
 * the pointer may write the fields said to be his, nothing else. Octets lie in chunks,
 * dot-unstuffed, BDAT chunks joined, without the final dot line; the header section with its empty
 * line is contiguous.
 */
#pragma once

#include "base/bytes.h"

struct verdict;

enum message_protocol { MESSAGE_SMTP, MESSAGE_POP3, MESSAGE_FILE };

/* Ambiguities and limits, each a word in the record's message.flags (message_flag_name). */
enum message_flag {
	MESSAGE_BARE_CR = 1 << 0, /* CR not followed by LF in the message */
	MESSAGE_BARE_LF = 1 << 1, /* LF not preceded by CR */
	MESSAGE_NUL = 1 << 2,
	MESSAGE_8BIT = 1 << 3,
	MESSAGE_DOT_AMBIGUOUS =
		1 << 4, /* an ending that a lenient server takes: LF.LF, LF.CRLF, CR.CR, ... */
	MESSAGE_OVERLAP =
		1 << 5, /* differing second copies of octets were seen in the connection */
	MESSAGE_HOLE = 1 << 6, /* octets are missing inside */
	MESSAGE_NO_START = 1 << 7, /* capture began inside it */
	MESSAGE_NO_END = 1 << 8, /* connection or capture ended inside it */
	MESSAGE_TOO_LARGE =
		1 << 9, /* over limits.message_size: only header and running hash were kept */
	MESSAGE_HEADER_TOO_LARGE =
		1 << 10, /* header section over MESSAGE_HEADER_MAX; the rest counts as body */
	MESSAGE_NO_MEMORY = 1 << 11, /* pools were empty: octets behind `intact` were not kept */
	MESSAGE_RCPT_OVERFLOW =
		1 << 12, /* more recipients than are kept; rcpt_seen has their number */
	MESSAGE_LONG_LINE = 1 << 13, /* a line over 998 octets before its CRLF (RFC 5322 2.1.1) */
	MESSAGE_LONG_COMMAND = 1 << 14, /* a command of the transaction, or a name in it, was over
					   its limit and cut */
	MESSAGE_STARTTLS_INJECTION =
		1 << 15, /* octets were glued behind STARTTLS in this connection */
	MESSAGE_NO_REPLIES = 1 << 16, /* the server's side was not seen: acceptance is assumed */
	MESSAGE_PIPELINED_EARLY =
		1 << 17, /* octets were sent before the reply they had to wait for */
	MESSAGE_BDAT_MIXED = 1 << 18, /* DATA and BDAT in one transaction (RFC 3030 section 3) */
	MESSAGE_TEXT = 1 << 19, /* a bare file with LF line ends; LF became CRLF */
	MESSAGE_ENVELOPE_NUL = 1 << 20, /* NUL or bare CR or LF in a command of the transaction */
	MESSAGE_UNVERIFIED =
		1 << 21, /* verification was not possible in time or space: see the counters */
	MESSAGE_FLAG_N = 22,
};

enum {
	MESSAGE_HEADER_MAX = 256 * 1024, /* contiguous header section */
	MESSAGE_RCPT_MAX = 1000, /* recipients kept; RFC 5321 4.5.3.1.8 asks for 100 */
	MESSAGE_NAME_MAX = 1024, /* octets kept of a HELO name, address or user name */
};

struct address { /* IPv4 as ::ffff:a.b.c.d */
	uint8_t ip[16];
};

struct message_rcpt {
	struct message_rcpt *next;
	struct bytes address;
};

struct message_chunk {
	struct message_chunk *next;
	uint32_t len, cap;
	uint8_t data[];
};

struct message {
	/* where it was */
	uint64_t order; /* rank among all messages its receive worker ended, from 0 */
	uint64_t time_ns; /* capture time of the packet that completed it */
	uint64_t flow_id; /* 53 bits */
	uint32_t tx_id; /* messages before it in the connection */
	struct address client, server; /* all-zero with MESSAGE_FILE and no --client-ip */
	uint16_t client_port, server_port;
	uint16_t vlan[2];
	uint8_t n_vlan;
	uint8_t protocol; /* enum message_protocol */
	bool has_client; /* client (and server, unless MESSAGE_FILE) are known */

	/* envelope: has_x false means not seen. Strings are on the wire's octets, no brackets, no
	 * source route */
	bool has_helo, has_mail_from, has_user;
	bool authenticated; /* AUTH succeeded before it */
	bool tls; /* XCLIENT or later decryption said so */
	bool smtputf8, binarymime;
	struct bytes helo, mail_from, user, auth_user;
	struct message_rcpt *rcpt; /* accepted ones, in order */
	uint32_t n_rcpt; /* kept */
	uint32_t rcpt_seen; /* accepted in all */
	int reply; /* code that answered the whole message; 0: none seen */
	uint32_t number; /* POP3 message number */
	uint32_t mailbox_messages; /* POP3 count from STAT, LIST or UIDL; valid if has_mailbox */
	bool has_mailbox;

	/* octets */
	struct message_chunk *chunks; /* first has the whole header section */
	uint64_t size; /* octets of the message as a receiver would store it, as far as seen */
	uint32_t header_len; /* with the empty line; size when there is no body; 0: NO_START */
	uint64_t intact; /* octets from the start without a hole; == size when nothing is missing */
	uint64_t missing; /* octets lost in holes, as far as known */
	bool complete;
	uint32_t flags; /* enum message_flag */
	const char *source; /* file and place for MESSAGE_FILE, else NULL */

	/* MESSAGE_TOO_LARGE: the header chunk stays; body chunks before hashed_to are gone, those
	 * behind remain */
	uint64_t hashed_to; /* octets the running SHA-256 holds; 0: no running hash */
	void *running; /* SHA256_CTX of OpenSSL */

	/* by the verify worker, which also frees it when the message comes back */
	struct verdict *verdict;
	void *verify; /* its in-flight slot */
	uint8_t verify_worker; /* which one */

	/* by the receive worker */
	uint8_t rx_worker;
	struct message *next;
	void *home; /* its pool's handle */
};

/* The word of one flag bit, a static string; NULL for a bit without one. */
const char *message_flag_name(enum message_flag flag);
