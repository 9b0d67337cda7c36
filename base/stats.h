/*
 * stats - counters: one cache-aligned block per worker, written by its owner, read by anybody.
 *
 * A row is (symbol, "group.name", help). Names are stable once landed; JSON nests them at the dot.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#define STATS_ROWS(ROW) \
	/* capture */ \
	ROW(FRAMES, "capture.frames", "frames taken from the port or file") \
	ROW(OCTETS, "capture.octets", "octets of those frames on the wire") \
	ROW(FRAMES_CUT, "capture.cut", "frames the capture did not keep whole") \
	ROW(PORT_MISSED, "capture.missed", "frames the port dropped for want of descriptors") \
	ROW(PORT_ERRORS, "capture.errors", "frames the port received with errors") \
	ROW(PORT_NO_MBUF, "capture.no_buffer", "frames dropped for want of packet buffers") \
	/* one outcome a frame */ \
	ROW(FRAME_TAKEN, "frame.taken", "TCP segments given to a flow") \
	ROW(FRAME_FRAGMENT, "frame.fragment", "IP fragments kept for reassembly") \
	ROW(FRAME_LINK, "frame.other_link", "link type or EtherType not known here") \
	ROW(FRAME_SHORT, "frame.short", "headers cut short") \
	ROW(FRAME_BAD_IP, "frame.bad_ip", "IP header with impossible lengths or version") \
	ROW(FRAME_BAD_TCP, "frame.bad_tcp", "TCP header with impossible lengths") \
	ROW(FRAME_NOT_TCP, "frame.not_tcp", "other transport protocols") \
	ROW(FRAME_NOT_MAIL, "frame.not_mail", "TCP on other ports") \
	ROW(FRAME_NESTED, "frame.nested", "tunnels or extension headers nested too deep") \
	ROW(FRAME_BAD_CHECKSUM, "frame.bad_checksum", "IP or TCP checksum wrong, segment ignored") \
	ROW(FRAME_NO_FLOW, "frame.no_flow", "flow table full, nothing could be evicted") \
	ROW(FRAME_WINDOW, "frame.out_of_window", \
	    "segments far out of window, or RST or SYN not believed") \
	ROW(FRAME_FRAG_DROPPED, "frame.fragment_dropped", \
	    "fragments that were malformed or over a bound") \
	/* fragments */ \
	ROW(FRAG_DONE, "fragment.reassembled", "datagrams put together") \
	ROW(FRAG_TIMEOUT, "fragment.timeout", "datagrams given up by time") \
	ROW(FRAG_EVICTED, "fragment.evicted", "datagrams given up by table size") \
	ROW(FRAG_OVERLAP, "fragment.overlap", "datagrams with differing overlapping fragments") \
	/* flows */ \
	ROW(FLOW_NEW, "flow.new", "connections begun") \
	ROW(FLOW_ENDED, "flow.ended", "connections closed or given up") \
	ROW(FLOW_IDLE, "flow.idle", "of these, by idle time") \
	ROW(FLOW_EVICTED, "flow.evicted", "of these, to make room, while idle") \
	ROW(FLOW_EVICTED_BUSY, "flow.evicted_busy", \
	    "of these, to make room, in the middle of a message") \
	ROW(FLOW_REUSED, "flow.reused", "ports used again by a new connection") \
	ROW(FLOW_MIDSTREAM, "flow.midstream", "connections picked up after their start") \
	/* streams */ \
	ROW(STREAM_OCTETS, "stream.octets", "octets given out in order") \
	ROW(STREAM_HELD, "stream.held", "segments held behind a hole") \
	ROW(STREAM_RETRANSMIT, "stream.retransmitted", "segments with nothing new") \
	ROW(STREAM_OVERLAP, "stream.overlap", \
	    "segments whose second copy differed from the first") \
	ROW(STREAM_HOLE, "stream.holes", "holes given up") \
	ROW(STREAM_HOLE_OCTETS, "stream.hole_octets", "octets lost in them") \
	ROW(STREAM_HELD_FULL, "stream.held_full", "holes given up for want of space to hold") \
	ROW(STREAM_WAIT_FULL, "stream.wait_full", \
	    "waits for the other direction given up for want of space") \
	ROW(STREAM_WAIT_LATE, "stream.wait_late", \
	    "waits for the other direction given up by packets or time") \
	/* sessions */ \
	ROW(SESSION_SMTP, "session.smtp", "SMTP sessions") \
	ROW(SESSION_POP3, "session.pop3", "POP3 sessions") \
	ROW(SESSION_OTHER, "session.other", "sessions on these ports that are neither") \
	ROW(SESSION_OPAQUE, "session.opaque", "sessions that went on in TLS") \
	ROW(SESSION_AUTH, "session.authenticated", "sessions with a successful AUTH or login") \
	ROW(SESSION_INJECTION, "session.starttls_injection", "octets glued behind STARTTLS") \
	ROW(SESSION_LONG_LINE, "session.long_command", "commands or replies over the limit") \
	ROW(SESSION_STRAY_REPLY, "session.stray_reply", "replies without a command") \
	ROW(SESSION_BAD_REPLY, "session.bad_reply", "lines from the server that are no reply") \
	/* messages */ \
	ROW(MESSAGE_SMTP_N, "message.smtp", "messages sent over SMTP") \
	ROW(MESSAGE_POP3_N, "message.pop3", "messages fetched over POP3") \
	ROW(MESSAGE_FILE_N, "message.file", "messages from files") \
	ROW(MESSAGE_OCTETS, "message.octets", "octets of them") \
	ROW(MESSAGE_INCOMPLETE, "message.incomplete", "messages with octets or their end missing") \
	ROW(MESSAGE_TOO_LARGE_N, "message.too_large", "messages over limits.message_size") \
	ROW(MESSAGE_NO_MEMORY_N, "message.no_memory", "messages cut for want of memory") \
	ROW(MESSAGE_LOST, "message.lost", "messages for which not even a record could be kept") \
	ROW(MESSAGE_REFUSED, "message.refused", \
	    "transactions the server refused before the message") \
	ROW(MESSAGE_QUEUED, "message.queued", "messages given to verification") \
	ROW(MESSAGE_RING_FULL, "message.ring_full", "times a full ring made a message wait") \
	/* verification */ \
	ROW(VERIFY_DONE, "verify.done", "messages judged") \
	ROW(VERIFY_PARKED_FULL, "verify.parked_full", \
	    "messages judged without DNS for want of a place to wait") \
	ROW(VERIFY_LATE, "verify.late", "messages whose deadline for DNS passed") \
	ROW(DKIM_NONE, "dkim.none", "messages without a signature") \
	ROW(DKIM_PASS, "dkim.pass", "signatures, by result") \
	ROW(DKIM_FAIL, "dkim.fail", "") \
	ROW(DKIM_POLICY, "dkim.policy", "") \
	ROW(DKIM_NEUTRAL, "dkim.neutral", "") \
	ROW(DKIM_PERMERROR, "dkim.permerror", "") \
	ROW(DKIM_TEMPERROR, "dkim.temperror", "") \
	ROW(DKIM_UNVERIFIABLE, "dkim.unverifiable", "") \
	ROW(DKIM_OVER_CAP, "dkim.over_cap", "signatures skipped by dkim.signatures_max") \
	ROW(KEY_HIT, "dkim.key_hit", "keys found in the worker's cache") \
	ROW(KEY_MISS, "dkim.key_miss", "keys asked for") \
	ROW(ARC_NONE, "arc.none", "messages without a chain") \
	ROW(ARC_PASS, "arc.pass", "chains, by result") \
	ROW(ARC_FAIL, "arc.fail", "") \
	ROW(ARC_TEMPERROR, "arc.temperror", "") \
	ROW(ARC_UNVERIFIABLE, "arc.unverifiable", "") \
	ROW(ARC_TRUSTED, "arc.trusted", "chains that passed, whose newest sealer is on the list") \
	ROW(ARC_OCTETS, "arc.octets", "header octets that their signatures cover") \
	ROW(ARC_OLDER_SKIPPED, "arc.older_skipped", \
	    "older message signatures that cover too much to be looked at") \
	/* verdicts, one a message */ \
	ROW(SPF_NONE, "spf.none", "checks of MAIL FROM, by result") \
	ROW(SPF_PASS, "spf.pass", "") \
	ROW(SPF_FAIL, "spf.fail", "") \
	ROW(SPF_SOFTFAIL, "spf.softfail", "") \
	ROW(SPF_NEUTRAL, "spf.neutral", "") \
	ROW(SPF_TEMPERROR, "spf.temperror", "") \
	ROW(SPF_PERMERROR, "spf.permerror", "") \
	ROW(SPF_UNVERIFIABLE, "spf.unverifiable", "") \
	ROW(SPF_LIMIT, "spf.limit", "of these, checks that a limit ended") \
	ROW(DMARC_NONE, "dmarc.none", "messages by what DMARC says") \
	ROW(DMARC_PASS, "dmarc.pass", "") \
	ROW(DMARC_FAIL, "dmarc.fail", "") \
	ROW(DMARC_TEMPERROR, "dmarc.temperror", "") \
	ROW(DMARC_PERMERROR, "dmarc.permerror", "") \
	ROW(DMARC_UNVERIFIABLE, "dmarc.unverifiable", "") \
	ROW(NAMES_FORGED, "names.forged", "messages whose From: shows a protected name") \
	ROW(NAMES_CUT, "names.cut", "display names and local parts compared by their beginning") \
	ROW(VERDICT_ACCEPTED, "verdict.accept", "messages by what the profiles ask for: nothing") \
	ROW(VERDICT_FLAGGED, "verdict.flag", "to be told of") \
	ROW(VERDICT_TAGGED, "verdict.tag", "a tag on the subject") \
	ROW(VERDICT_QUARANTINED, "verdict.quarantine", "quarantine") \
	ROW(VERDICT_REJECTED, "verdict.reject", "a refusal") \
	ROW(OVERRIDE_ARC, "verdict.arc", "DMARC failures lifted by a trusted ARC chain") \
	ROW(OVERRIDE_BYPASS, "verdict.bypass", "DMARC failures lifted by a bypass") \
	ROW(EVIDENCE_CUT, "verdict.evidence_cut", \
	    "messages whose evidence had no room for every answer") \
	/* dns */ \
	ROW(DNS_ASKED, "dns.asked", "questions given to the resolver") \
	ROW(DNS_ANSWERED, "dns.answered", "answers with data") \
	ROW(DNS_NEGATIVE, "dns.negative", "answers NXDOMAIN or NODATA") \
	ROW(DNS_FAILED, "dns.failed", "SERVFAIL, bogus, too large, refused") \
	ROW(DNS_TIMEOUT, "dns.timeout", "questions without an answer in time") \
	ROW(DNS_LEFT_ALONE, "dns.left_alone", \
	    "questions not asked, or ended, because their domain failed too often") \
	ROW(DNS_OVER_BUDGET, "dns.over_budget", \
	    "names not asked for because their message had asked for too many") \
	ROW(DNS_RING_FULL, "dns.ring_full", "questions refused by a full ring") \
	/* output */ \
	ROW(RECORD_WRITTEN, "record.written", "records written") \
	ROW(RECORD_FAILED, "record.failed", "records the output file would not take")

#define STATS_ENUM(symbol, name, help) STAT_##symbol,
enum stats_row { STATS_ROWS(STATS_ENUM) STAT_N };
#undef STATS_ENUM

struct stats {
	_Alignas(64) _Atomic uint64_t n[STAT_N];
};

/* By the owner only. */
static inline void stats_add(struct stats *s, enum stats_row i, uint64_t n)
{
	/* relaxed: the reader (stats_sum) wants a recent number, no order */
	atomic_store_explicit(&s->n[i], atomic_load_explicit(&s->n[i], memory_order_relaxed) + n,
			      memory_order_relaxed);
}

/* By the owner only: for counters that are read elsewhere, such as a port's. */
static inline void stats_set(struct stats *s, enum stats_row i, uint64_t n)
{
	atomic_store_explicit(&s->n[i], n, memory_order_relaxed);
}

static inline uint64_t stats_get(const struct stats *s, enum stats_row i)
{
	return atomic_load_explicit(&s->n[i], memory_order_relaxed);
}

/* "group.name" and help text, static strings. */
const char *stats_name(enum stats_row i);
const char *stats_help(enum stats_row i);

/* Adds every counter of s to sum[STAT_N]. */
void stats_sum(uint64_t sum[STAT_N], const struct stats *s);
