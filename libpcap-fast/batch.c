/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap_next_batch(), pcap_hold_batch(), pcap_release_batch(): the read path
 * with the caller's array in place of a callback.
 *
 * On a capture of ours the packets stay where they are: what a call returns is
 * given back when its lane is filled again, by the next read, unless held. On
 * any other handle, and for what the shadow saw, they are copies.
 */
#include "libpcap-fast/batch.h"

#include "libpcap-fast/error.h"
#include "libpcap-fast/inject.h"
#include "libpcap-fast/read.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct pcap_batch_pkt) == sizeof(struct pcf_pkt) &&
		       offsetof(struct pcap_batch_pkt, data) ==
			       offsetof(struct pcf_pkt, data) &&
		       offsetof(struct pcap_batch_pkt, frame) ==
			       offsetof(struct pcf_pkt, frame) &&
		       offsetof(struct pcap_batch_pkt, queue) ==
			       offsetof(struct pcf_pkt, queue) &&
		       offsetof(struct pcap_batch_pkt, flags) ==
			       offsetof(struct pcf_pkt, flags),
	       "one layout inside and outside");
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct pcap_batch_pkt) == 48, "part of the ABI");
#endif

_Static_assert(PCF_BATCH * PCF_PKT_PLACE <= PCF_LANE_PLACE(1), "place in lane");
_Static_assert((int)PCF_BATCH_COPY == PCF_PKT_SOCKET, "a copy in any case");

_Static_assert(PCF_PKT_OUTGOING == PCAP_BATCH_OUTBOUND &&
		       PCF_PKT_ADAPTER_TIME == PCAP_BATCH_ADAPTER_TIME &&
		       PCF_PKT_HASH == PCAP_BATCH_HASH,
	       "one meaning inside and outside");

/* Copies of packets outside any ring, and those that are held, in a list so
 * that closing the handle frees them. */
struct held_copy {
	struct held_copy *next, **link;
	uint8_t data[];
};

struct pcf_batch {
	struct held_copy *copies;
	/* packets of one call on a handle without rings */
	uint8_t *arena;
	size_t used, size;
	struct pcap_batch_pkt *pkts;
	int n;
	int status;		/* for the next call: error or break */
	bool no_memory;
};

void pcf_batch_free(struct pcf_batch *b)
{
	if (!b)
		return;
	while (b->copies) {
		struct held_copy *c = b->copies;

		b->copies = c->next;
		free(c);
	}
	free(b->arena);
	free(b);
}

static struct pcf_batch *batch_state(struct pcf_handle *h)
{
	if (!h->batch)
		h->batch = calloc(1, sizeof(*h->batch));
	return h->batch;
}

static int no_memory(pcap_t *p)
{
	return pcf_fail(p, PCAP_ERROR, "malloc: %s", strerror(ENOMEM));
}

/* --- on a capture of ours ------------------------------------------------ */

/* What lies in the lanes, as far as no lane must be filled: that would give
 * back what this call has already put into the array. */
static int take_shown(struct pcf_handle *h, struct pcap_batch_pkt *pkts,
		      int max)
{
	int n = 0;

	while (n < max) {
		struct pcf_lane *l = pcf_next_lane(h);
		struct pcf_pkt *pkt;

		if (!l)
			break;
		pkt = &l->pkts[l->head++];
		if (pcf_admit(h, pkt))
			memcpy(&pkts[n++], pkt, sizeof(*pkts));
	}
	return n;
}

/* Nothing waits, and when the lanes were filled last, the first one alone had
 * packets, which passed as they were. */
static bool only_first(const struct pcf_handle *h)
{
	for (unsigned i = 1; i < h->nlanes; i++)
		if (h->lanes[i].count)
			return false;
	return pcf_lane_empty(h->lanes) && pcf_lane_passes(h, h->lanes);
}

/* The first lane's packets are older than any of the other lanes: these have
 * none, and were asked later (see pcf_lanes_pick()). */
static bool first_alone(const struct pcf_handle *h)
{
	const struct pcf_lane *l = h->lanes;

	for (unsigned i = 1; i < h->nlanes; i++)
		if (!pcf_lane_empty(&l[i]) || l[i].asked < l->asked)
			return false;
	return true;
}

/* Fill the lanes, and where the first one's packets pass as they are, show them
 * in the caller's array at once. How many; 0: what there is is in the lanes. */
static int fill_and_show(struct pcf_handle *h, struct pcf_pkt *pkts)
{
	struct pcf_lane *l = h->lanes;
	bool any = pcf_fill_lanes(h, pkts);

	if (!any || pcf_lane_empty(l))
		return any ? 0 : -EAGAIN;
	if (!pcf_lane_passes(h, l) || !first_alone(h)) {
		memcpy(l->pkts, pkts, l->count * sizeof(*pkts));
		return 0;
	}
	l->head = l->count;
	h->delivered += l->count;
	return l->count;
}

/* How many there are; 0: none so far, lanes were filled; -EAGAIN: none. */
static int take(struct pcf_handle *h, struct pcap_batch_pkt *pkts, int max)
{
	int n;

	if (max >= PCF_BATCH && only_first(h))
		return fill_and_show(h, (struct pcf_pkt *)pkts);
	n = take_shown(h, pkts, max);
	return n ? n : pcf_fill_lanes(h, NULL) ? 0 : -EAGAIN;
}

static uint64_t frames_held(const struct pcf_handle *h)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < h->nlanes; i++)
		n += h->lanes[i].held;
	return n;
}

static int next_batch(struct pcf_handle *h, struct pcap_batch_pkt *pkts,
		      int max)
{
	int n, rc;

	if (!pcf_begin_read(h))
		return PCAP_ERROR_BREAK;
	for (;;) {
		n = take(h, pkts, max);
		if (n > 0)
			break;
		if (!n)
			continue;
		if (h->opened.frames && frames_held(h) >= h->opened.frames)
			return pcf_fail(
				h->p, PCAP_ERROR,
				"pcap_next_batch: all %llu frames are held; release some",
				(unsigned long long)h->opened.frames);
		rc = pcf_wait_for_packets(h);
		if (rc != PCF_AGAIN)
			return rc;
	}
	pcf_settle_lanes(h);
	return n;
}

static struct pcf_lane *lane_of(struct pcf_handle *h,
				const struct pcap_batch_pkt *pkt)
{
	uint32_t i = pkt->flags >> PCF_LANE_SHIFT;

	return i < h->nlanes ? &h->lanes[i] : NULL;
}

/* The packet's own place in its lane as a bit of `kept`, 0 once the lane was
 * filled again. */
static uint64_t place_of(const struct pcf_lane *l,
			 const struct pcap_batch_pkt *pkt)
{
	uint32_t i = pkt->flags / PCF_PKT_PLACE % PCF_BATCH;

	return i < l->head && l->frames[i] == pkt->frame ? 1ull << i : 0;
}

static int hold_frame(struct pcf_lane *l, struct pcap_batch_pkt *pkt)
{
	uint64_t place = place_of(l, pkt);

	if (!place || !pkt->data)
		return -EINVAL;
	l->kept |= place;
	l->held++;
	pkt->flags |= PCF_BATCH_HELD;
	return 0;
}

/* Released before its lane was filled again, it goes back with the others. */
static void release_frame(struct pcf_lane *l, struct pcap_batch_pkt *pkt)
{
	uint64_t place = place_of(l, pkt);

	if (place)
		l->kept &= ~place;
	else
		l->ops.done(l->queue, &pkt->frame, 1);
	l->held--;
}

struct pcf_lane *pcf_batch_lane(struct pcf_handle *h,
				const struct pcap_batch_pkt *pkt)
{
	struct pcf_lane *l = lane_of(h, pkt);
	bool copy = pkt->flags & (PCF_BATCH_COPY | PCF_BATCH_RESERVED |
				  PCF_PKT_OUTGOING);

	if (copy || !l || !pkt->data)
		return NULL;
	return pkt->flags & PCF_BATCH_HELD || place_of(l, pkt) ? l : NULL;
}

/* To its lane, if that is not filled again yet, it looks held. */
void pcf_batch_give_away(struct pcf_handle *h, struct pcap_batch_pkt *pkt)
{
	struct pcf_lane *l = lane_of(h, pkt);

	l->kept |= place_of(l, pkt);
	if (pkt->flags & PCF_BATCH_HELD)
		l->held--;
	pkt->flags &= PCF_BATCH_CALLERS;
	pkt->data = NULL;
}

/* --- copies -------------------------------------------------------------- */

int pcf_batch_own(struct pcf_handle *h, struct pcap_batch_pkt *pkt,
		  uint32_t size)
{
	struct pcf_batch *b = batch_state(h);
	struct held_copy *c = b ? malloc(sizeof(*c) + size) : NULL;

	if (!c)
		return -ENOMEM;
	c->next = b->copies;
	c->link = &b->copies;
	if (c->next)
		c->next->link = &c->next;
	b->copies = c;
	pkt->data = c->data;
	pkt->frame = (uintptr_t)c;
	pkt->flags |= PCF_BATCH_HELD | PCF_BATCH_COPY;
	return 0;
}

static int hold_copy(struct pcf_handle *h, struct pcap_batch_pkt *pkt)
{
	const u_char *data = pkt->data;
	int err = pcf_batch_own(h, pkt, pkt->hdr.caplen);

	if (!err)
		memcpy((u_char *)pkt->data, data, pkt->hdr.caplen);
	return err;
}

static void release_copy(struct pcap_batch_pkt *pkt)
{
	struct held_copy *c = (struct held_copy *)(uintptr_t)pkt->frame;

	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	free(c);
}

static bool arena_room(struct pcf_batch *b, size_t n)
{
	size_t want = b->size ? b->size : 1 << 16;
	uint8_t *p;

	while (want - b->used < n)
		want *= 2;
	if (want == b->size)
		return true;
	p = realloc(b->arena, want);
	if (!p)
		return false;
	b->arena = p;
	b->size = want;
	return true;
}

/* The arena may move while it grows: `frame` holds the place until the end. */
static void collect(u_char *user, const struct pcap_pkthdr *hdr,
		    const u_char *data)
{
	struct pcf_batch *b = (struct pcf_batch *)user;

	if (!arena_room(b, hdr->caplen)) {
		b->no_memory = true;
		return;
	}
	memcpy(b->arena + b->used, data, hdr->caplen);
	b->pkts[b->n++] = (struct pcap_batch_pkt){ .hdr = *hdr,
						   .frame = b->used,
						   .flags = PCF_BATCH_COPY };
	b->used += (hdr->caplen + 15) & ~(size_t)15;
}

static int take_status(struct pcf_batch *b)
{
	int status = b->status;

	b->status = 0;
	return status;
}

/* The result of the system's pcap_dispatch() as that of a batch: packets that
 * it delivered before a break or an error come first; the end of a savefile
 * is what pcap_next_ex() makes of it. */
static int copied_result(struct pcf_handle *h, struct pcf_batch *b, int rc)
{
	for (int i = 0; i < b->n; i++)
		b->pkts[i].data = b->arena + b->pkts[i].frame;
	if (rc < 0)
		b->status = rc;
	else if (!rc && pcf_stock()->pcap_file(h->p))
		b->status = PCAP_ERROR_BREAK;
	if (b->no_memory)
		b->status = no_memory(h->p);
	return b->n ? b->n : take_status(b);
}

static int next_batch_copied(struct pcf_handle *h, struct pcap_batch_pkt *pkts,
			     int max)
{
	struct pcf_batch *b = batch_state(h);
	int rc;

	if (!b)
		return no_memory(h->p);
	if (b->status)
		return take_status(b);
	b->used = 0;
	b->n = 0;
	b->pkts = pkts;
	b->no_memory = false;
	rc = pcf_stock()->pcap_dispatch(h->p, max < PCF_BATCH ? max : PCF_BATCH,
					collect, (u_char *)b);
	return copied_result(h, b, rc);
}

/* --- the calls ----------------------------------------------------------- */

/* A handle that the side table does not know yet (savefile, dead) gets its
 * entry with its first batch; pcap_close() takes it away like any other. */
struct pcf_handle *pcf_find_or_add(pcap_t *p)
{
	struct pcf_handle *h = pcf_find(p);

	if (h || !p)
		return h;
	h = pcf_handle_new();
	if (!h)
		return NULL;
	h->p = p;
	h->active = true;
	if (!pcf_table_add(p, h))
		return h;
	free(h);
	return NULL;
}

int pcap_next_batch(pcap_t *p, struct pcap_batch_pkt *pkts, int max)
{
	struct pcf_handle *h;

	if (!pkts || max <= 0)
		return pcf_fail(p, PCAP_ERROR,
				"pcap_next_batch: no room for packets");
	h = pcf_find_or_add(p);
	if (!h)
		return no_memory(p);
	return h->backend ? next_batch(h, pkts, max) :
			    next_batch_copied(h, pkts, max);
}

static int hold(struct pcf_handle *h, struct pcap_batch_pkt *pkt)
{
	struct pcf_lane *l = h->backend ? lane_of(h, pkt) : NULL;
	bool copy = !h->backend ||
		    pkt->flags & (PCF_PKT_OUTGOING | PCF_BATCH_COPY);

	if (pkt->flags & PCF_BATCH_HELD)
		return 0;
	if (copy)
		return hold_copy(h, pkt);
	return l ? hold_frame(l, pkt) : -EINVAL;
}

int pcap_hold_batch(pcap_t *p, struct pcap_batch_pkt *pkts, int n)
{
	struct pcf_handle *h = pcf_find(p);

	for (int i = 0; i < n; i++) {
		int err = h ? hold(h, &pkts[i]) : -EINVAL;

		if (err == -ENOMEM)
			return no_memory(p);
		if (err)
			return pcf_fail(
				p, PCAP_ERROR,
				"pcap_hold_batch: packet %d is not of the last batch",
				i);
	}
	return 0;
}

/* The number lies in front of the packet, where the program has put it. */
int pcap_batch_hash(pcap_t *p, const struct pcap_batch_pkt *pkt, uint32_t *hash)
{
	struct pcf_handle *h = pcf_find_fast(p);
	struct pcf_lane *l;

	if (!h || !(pkt->flags & PCAP_BATCH_HASH))
		return 0;
	l = pcf_batch_lane(h, pkt);
	if (!l || !l->ops.hints)
		return 0;
	*hash = l->ops.hints(l->queue, (const struct pcf_pkt *)pkt)->hash;
	return 1;
}

static void release(struct pcf_handle *h, struct pcap_batch_pkt *pkt)
{
	struct pcf_lane *l = h->backend ? lane_of(h, pkt) : NULL;

	if (!pkt->data || !(pkt->flags & (PCF_BATCH_HELD | PCF_BATCH_RESERVED)))
		return;
	if (pkt->flags & PCF_BATCH_COPY)
		release_copy(pkt);
	else if (pkt->flags & PCF_BATCH_RESERVED)
		pcf_tx_cancel(h, pkt);
	else if (l)
		release_frame(l, pkt);
	pkt->flags &= PCF_BATCH_CALLERS;
	pkt->data = NULL;
}

int pcap_release_batch(pcap_t *p, struct pcap_batch_pkt *pkts, int n)
{
	struct pcf_handle *h = pcf_find(p);

	if (!h)
		return pcf_fail(p, PCAP_ERROR,
				"pcap_release_batch: no batch was read here");
	for (int i = 0; i < n; i++)
		release(h, &pkts[i]);
	return 0;
}
