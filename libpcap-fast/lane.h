/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A lane: the packets that one source has shown and that wait for delivery.
 *
 *	pkts  | done | taken | delivered | waiting |
 *	      0     done   taken       head      count
 *
 * delivered: the caller has or had them
 * taken:     ... and the source was told: its descriptor moved past them. That
 *            is done when no more wait here, since till then it stays readable
 * done:      their bytes are the source's again
 */
#ifndef PCF_LANE_H
#define PCF_LANE_H

#include "backend/backend.h"

/* One NAPI poll delivers at most 64 packets. */
#define PCF_BATCH 64

struct pcf_lane {
	struct pcf_rx_ops ops;
	struct pcf_queue *queue;
	unsigned head, count, taken;
	bool plain, filtered;	/* all of these, see struct pcf_show */
	unsigned held;		/* held by the caller, here or from before */
	/* one bit for each packet here that does not go back with the others:
	 * held, or not the source's any more */
	uint64_t kept;
	/* when it was filled last, as a number that grows from one filling of
	 * any lane to the next; 0: what comes next may be older than what
	 * others have shown */
	uint64_t asked;
	enum pcf_stop stop;
	uint32_t place;		/* PCF_LANE_PLACE */
	uint32_t snaplen;	/* of the handle */
	uint64_t frames[PCF_BATCH];
	struct pcf_pkt pkts[PCF_BATCH];
};

/* Of the first packet in the i-th lane, as flags. */
#define PCF_LANE_SHIFT 14
#define PCF_LANE_PLACE(i) ((uint32_t)(i) << PCF_LANE_SHIFT)

/* A lane that never has a packet. */
extern struct pcf_lane pcf_no_lane __attribute__((visibility("hidden")));

static inline bool pcf_lane_empty(const struct pcf_lane *l)
{
	return l->head == l->count;
}

/* Tell the source what was delivered: its descriptor stays readable only for
 * the rest. Their bytes stay until the lane is filled again. */
static inline void pcf_lane_settle(struct pcf_lane *l)
{
	if (l->head != l->taken)
		l->ops.taken(l->queue, &l->frames[l->taken],
			     l->head - l->taken);
	l->taken = l->head;
}

/* Give back all but what the caller holds or has sent on. */
void pcf_lane_done_unheld(struct pcf_lane *l);

/* Give back what was delivered and take what is there, into `pkts`: the lane's
 * own, or what the caller copies there or says to be delivered before anything
 * else is done with the lane. Only when empty. */
static inline void pcf_lane_fill_into(struct pcf_lane *l, struct pcf_pkt *pkts)
{
	struct pcf_show rx = { .pkts = pkts,
			     .frames = l->frames,
			     .flags = l->place,
			     .snaplen = l->snaplen };

	pcf_lane_settle(l);
	if (__builtin_expect(l->kept != 0, 0))
		pcf_lane_done_unheld(l);
	else if (l->count)
		l->ops.done(l->queue, l->frames, l->count);
	l->head = l->taken = 0;
	l->count = l->ops.rx(l->queue, &rx, PCF_BATCH);
	l->stop = rx.why;
	l->plain = rx.plain;
	l->filtered = rx.filtered;
}

static inline void pcf_lane_fill(struct pcf_lane *l)
{
	pcf_lane_fill_into(l, l->pkts);
}

/* The lane whose first packet is the oldest, or NULL: none has one, or one
 * that may have older ones must be filled first. */
struct pcf_lane *pcf_lanes_pick(struct pcf_lane *lanes, unsigned n);

/* How many packets of the lane that was picked, at least one, come before any
 * of the others', as long as no lane is filled. */
unsigned pcf_lanes_run(const struct pcf_lane *lanes, unsigned n,
		       const struct pcf_lane *picked);

/* Fill the lanes that are empty, but while others have packets only those that
 * must be asked before these may be delivered. `turn` counts the fillings. The
 * packets of the first lane, if it is filled, go to `into` unless that is NULL.
 * The first lane whose source failed, or NULL. */
struct pcf_lane *pcf_lanes_fill(struct pcf_lane *lanes, unsigned n,
				uint64_t *turn, struct pcf_pkt *into);

#endif
