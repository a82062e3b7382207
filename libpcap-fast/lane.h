/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A lane: the packets that one source has shown and that wait for delivery.
 *
 *	pkts  | done | taken | delivered | waiting |
 *	      0     done   taken       head      count
 *
 * delivered: the caller has or had them in this call
 * taken:     ... in an earlier call; the source's descriptor moved past them
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
	unsigned held;		/* held by the caller, here or from before */
	unsigned gone;		/* here, but not the source's any more */
	/* when it was filled last, as a number that grows from one filling of
	 * any lane to the next; 0: what comes next may be older than what
	 * others have shown */
	uint64_t asked;
	enum pcf_stop stop;
	struct pcf_pkt pkts[PCF_BATCH];
};

static inline bool pcf_lane_empty(const struct pcf_lane *l)
{
	return l->head == l->count;
}

/* Tell the source what was delivered: its descriptor stays readable only for
 * the rest. Their bytes stay until the lane is filled again. */
static inline void pcf_lane_settle(struct pcf_lane *l)
{
	if (l->head != l->taken)
		l->ops.taken(l->queue, &l->pkts[l->taken], l->head - l->taken);
	l->taken = l->head;
}

/* Give back all but what the caller holds or has sent on. */
void pcf_lane_done_unheld(struct pcf_lane *l);

/* Give back what was delivered and take what is there. Only when empty. */
static inline void pcf_lane_fill(struct pcf_lane *l)
{
	pcf_lane_settle(l);
	if (__builtin_expect(l->held | l->gone, 0))
		pcf_lane_done_unheld(l);
	else
		l->ops.done(l->queue, l->pkts, l->count);
	l->head = l->taken = 0;
	l->count = l->ops.rx(l->queue, l->pkts, PCF_BATCH, &l->stop);
}

/* The lane whose first packet is the oldest, or NULL: none has one, or one
 * that may have older ones must be filled first. */
struct pcf_lane *pcf_lanes_pick(struct pcf_lane *lanes, unsigned n);

/* How many packets of the lane that was picked, at least one, come before any
 * of the others', as long as no lane is filled. */
unsigned pcf_lanes_run(const struct pcf_lane *lanes, unsigned n,
		       const struct pcf_lane *picked);

/* Fill the lanes that are empty, but while others have packets only those that
 * must be asked before these may be delivered. `turn` counts the fillings.
 * The first lane whose source failed, or NULL. */
struct pcf_lane *pcf_lanes_fill(struct pcf_lane *lanes, unsigned n,
				uint64_t *turn);

#endif
