#include "dataplane/worker.h"

#include <stdlib.h>
#include <time.h>

#include "dataplane/decode.h"
#include "dataplane/frag.h"
#include "dataplane/timeline.h"
#include "dataplane/track.h"

struct worker {
	const struct config *cfg;
	struct stats *stats;
	struct capture *capture;
	struct frag *frag;
	struct track *track;
	struct timeline time; /* of a file; a port's is the clock's */
	uint64_t order;
	bool finishing; /* no more packets: connections are being ended */
	bool waits; /* the first pending message was counted as waiting */
	enum worker_state end; /* what to return when drained */
	struct message *pending, *pending_last; /* finished, no room in the rings yet */
	uint8_t id;
	unsigned n_verify, next_verify;
	struct ring *out[WORKER_VERIFY_MAX], *home[WORKER_VERIFY_MAX];
	struct mailport ports;
	struct sum_ops sum;
	/* one burst */
	struct packet pkt[CAPTURE_BURST];
	struct decode_fragment fragment[CAPTURE_BURST];
	struct track_place place[CAPTURE_BURST];
	uint8_t outcome[CAPTURE_BURST]; /* enum decode_outcome */
};

static const uint8_t outcome_stat[] = {
	[DECODE_OTHER_LINK] = STAT_FRAME_LINK, [DECODE_SHORT] = STAT_FRAME_SHORT,
	[DECODE_BAD_IP] = STAT_FRAME_BAD_IP,   [DECODE_BAD_TCP] = STAT_FRAME_BAD_TCP,
	[DECODE_NOT_TCP] = STAT_FRAME_NOT_TCP, [DECODE_NESTED] = STAT_FRAME_NESTED,
};
_Static_assert(STAT_N <= 256, "outcome_stat holds octets");

/* ---- messages ---- */

static void message_queue(struct worker *w)
{
	struct message *m;
	while ((m = track_next(w->track))) {
		m->order = w->order++;
		m->rx_worker = w->id;
		m->next = NULL;
		if (w->pending)
			w->pending_last->next = m;
		else
			w->pending = m;
		w->pending_last = m;
	}
}

/* Hands pending messages to the verify workers in turn, as far as the rings have room. */
static unsigned message_send(struct worker *w)
{
	unsigned sent = 0;
	while (w->pending) {
		struct message *m = w->pending, *after = m->next;
		bool gone = false;
		if (w->n_verify == 0) {
			track_release(w->track, m);
			gone = true;
		}
		for (unsigned i = 0; !gone && i < w->n_verify; i++) {
			gone = ring_push(w->out[w->next_verify], (void *const *)&m, 1) == 1;
			w->next_verify = (w->next_verify + 1) % w->n_verify;
		}
		if (!gone && !w->waits)
			stats_add(w->stats, STAT_MESSAGE_RING_FULL, 1);
		w->waits = !gone;
		if (!gone)
			break;
		stats_add(w->stats, STAT_MESSAGE_QUEUED, 1);
		w->pending = after;
		sent++;
	}
	return sent;
}

static unsigned message_home(struct worker *w)
{
	void *m[CAPTURE_BURST];
	unsigned got = 0;
	for (unsigned i = 0; i < w->n_verify; i++) {
		unsigned n = ring_pop(w->home[i], m, CAPTURE_BURST);
		for (unsigned k = 0; k < n; k++)
			track_release(w->track, m[k]);
		got += n;
	}
	return got;
}

/* ---- the burst ---- */

static bool is_mail(const struct worker *w, const struct packet *pkt)
{
	return mailport_has(&w->ports, pkt->sport) || mailport_has(&w->ports, pkt->dport);
}

/* NULL: no checksums. */
static sum_fn *sum_wanted(const struct worker *w)
{
	return w->cfg->checksum != CHECKSUM_NEVER ? w->sum.octets : NULL;
}

static void fragment_push(struct worker *w, unsigned i)
{
	struct packet *pkt = &w->pkt[i];
	struct decode_fragment *frag = &w->fragment[i];
	enum decode_outcome o = DECODE_FRAGMENT;
	sum_fn *sum = sum_wanted(w);
	while (o == DECODE_FRAGMENT) {
		struct bytes whole;
		uint8_t protocol, layers = frag->layers;
		if (frag->csum_wrong && sum) {
			stats_add(w->stats, STAT_FRAME_BAD_CHECKSUM, 1);
			return;
		}
		if (!frag_push(w->frag, frag, w->time.sure_ns, &whole, &protocol))
			return; /* frag counted the frame */
		o = decode_datagram(pkt, whole, protocol, layers, sum, frag);
	}
	if (o != DECODE_TCP) {
		stats_add(w->stats, outcome_stat[o], 1);
	} else if (!is_mail(w, pkt)) {
		stats_add(w->stats, STAT_FRAME_NOT_MAIL, 1);
	} else {
		track_key(w->track, &w->place[i], pkt);
		track_look_up(w->track, &w->place[i]);
		track_push(w->track, &w->place[i], pkt);
	}
}

static void octets_prefetch(const struct packet *pkt)
{
	enum { PREFETCH_MAX = 2048 };
	for (uint32_t off = 0; off < pkt->len && off < PREFETCH_MAX; off += 64)
		__builtin_prefetch(pkt->data + off);
}

static void burst_decode(struct worker *w, unsigned n)
{
	sum_fn *sum = sum_wanted(w);
	uint64_t octets = 0, cut = 0;
	for (unsigned i = 0; i < n; i++) {
		struct packet *pkt = &w->pkt[i];
		if (i + 2 <
		    n) /* whole, as its checksum reads it: one packet's time is not enough */
			octets_prefetch(&w->pkt[i + 2]);
		octets += pkt->wire_len;
		cut += pkt->wire_len > pkt->len;
		w->outcome[i] = decode_frame(pkt, sum, &w->fragment[i]);
		if (w->outcome[i] == DECODE_FRAGMENT)
			continue; /* frag counts it */
		if (w->outcome[i] != DECODE_TCP) {
			stats_add(w->stats, outcome_stat[w->outcome[i]], 1);
		} else if (!is_mail(w, pkt)) {
			stats_add(w->stats, STAT_FRAME_NOT_MAIL, 1);
			w->outcome[i] = DECODE_NOT_TCP; /* counted: goes no further */
		} else {
			track_key(w->track, &w->place[i], pkt);
		}
	}
	stats_add(w->stats, STAT_FRAMES, n);
	stats_add(w->stats, STAT_OCTETS, octets);
	if (cut)
		stats_add(w->stats, STAT_FRAMES_CUT, cut);
}

static void burst_look_up(struct worker *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (w->outcome[i] == DECODE_TCP)
			track_fetch(w->track, &w->place[i]);
	for (unsigned i = 0; i < n; i++)
		if (w->outcome[i] == DECODE_TCP)
			track_look_up(w->track, &w->place[i]);
}

/*
 * In a file time goes on with each packet, and what was due by then is done before it: however the
 * file is cut into bursts, the same comes out.
 */
static void burst_push(struct worker *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct packet *pkt = &w->pkt[i];
		if (!w->capture->live)
			timeline_at(&w->time, pkt->time_ns);
		track_time(w->track, w->time.sure_ns, w->time.now_ns, pkt->time_ns);
		pkt->time_ns = w->time.now_ns;
		if (w->outcome[i] == DECODE_FRAGMENT)
			fragment_push(w, i);
		else if (w->outcome[i] == DECODE_TCP)
			track_push(w->track, &w->place[i], pkt);
	}
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now); /* no system call: the kernel's shared page */
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void finish_begin(struct worker *w, enum worker_state end)
{
	if (w->finishing)
		return;
	w->finishing = true;
	w->end = end;
	frag_end(w->frag);
}

static enum worker_state finish_poll(struct worker *w, unsigned did)
{
	if (w->pending)
		return did ? WORKER_MORE : WORKER_IDLE;
	if (track_count(w->track) == 0)
		return w->end;
	track_finish(w->track, CAPTURE_BURST);
	message_queue(w);
	message_send(w);
	return WORKER_MORE;
}

enum worker_state worker_poll(struct worker *w)
{
	unsigned did = message_home(w);
	did += message_send(w);
	if (w->finishing)
		return finish_poll(w, did);
	/* a file waits for verification, a port does not */
	if (w->pending && !w->capture->live)
		return did ? WORKER_MORE : WORKER_IDLE;
	unsigned n = 0;
	enum capture_state state = w->capture->ops->next(w->capture, w->pkt, CAPTURE_BURST, &n);
	if (w->capture->live)
		w->time.sure_ns = w->time.now_ns = clock_ns(CLOCK_MONOTONIC); /* nobody sets it */
	if (n) {
		burst_decode(w, n);
		burst_look_up(w, n);
		burst_push(w, n);
		w->capture->ops->release(w->capture, w->pkt, n);
	} else if (w->capture->live) {
		track_time(w->track, w->time.sure_ns, w->time.now_ns, clock_ns(CLOCK_REALTIME));
	}
	message_queue(w);
	did += message_send(w);
	if (state != CAPTURE_MORE) {
		finish_begin(w, state == CAPTURE_BROKEN ? WORKER_BROKEN : WORKER_END);
		return WORKER_MORE;
	}
	return n || did ? WORKER_MORE : WORKER_IDLE;
}

/* ---- life ---- */

struct worker *worker_new(const struct worker_setup *setup)
{
	struct worker *w = aligned_alloc(64, (sizeof *w + 63) / 64 * 64);
	if (!w)
		return NULL;
	memset(w, 0, sizeof *w);
	w->id = setup->id;
	w->cfg = setup->cfg;
	w->stats = setup->stats;
	w->capture = setup->capture;
	w->n_verify = setup->n_verify;
	memcpy(w->out, setup->out, sizeof w->out);
	memcpy(w->home, setup->home, sizeof w->home);
	mailport_set(&w->ports, w->cfg);
	sum_ops_init(&w->sum, cpu_level());
	w->frag = frag_new(w->cfg, w->stats);
	w->track = track_new(w->cfg, &w->ports, w->stats, w->id, w->capture && w->capture->live);
	if (!w->frag || !w->track) {
		worker_free(w);
		return NULL;
	}
	return w;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	frag_free(w->frag);
	track_free(w->track);
	free(w);
}

void worker_capture(struct worker *w, struct capture *capture)
{
	w->capture = capture;
	w->finishing = false;
	if (track_restart(w->track))
		w->time = (struct timeline){ 0 };
	else
		timeline_begin(&w->time);
}

void worker_config(struct worker *w, const struct config *cfg)
{
	w->cfg = cfg;
	mailport_set(&w->ports, cfg);
	track_config(w->track, cfg);
}

void worker_finish(struct worker *w)
{
	finish_begin(w, WORKER_END);
}

uint32_t worker_out(const struct worker *w)
{
	return track_out(w->track);
}

bool worker_whole(const struct worker *w)
{
	return !w->pending && track_whole(w->track);
}

uint32_t worker_flows(const struct worker *w)
{
	return track_count(w->track);
}
