/* SPDX-License-Identifier: BSD-3-Clause */
/* Several lanes as one stream, by time; and lanes with held packets. */
#include "libpcap-fast/lane.h"

static inline bool before(const struct timeval *a, const struct timeval *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec :
					a->tv_usec < b->tv_usec;
}

/* A lane that was filled to the brim and is empty now may hold back packets
 * older than the others' first ones; one that ran dry holds none that were
 * there when it was asked. */
struct pcf_lane *pcf_lanes_pick(struct pcf_lane *lanes, unsigned n)
{
	struct pcf_lane *best = NULL;

	for (unsigned i = 0; i < n; i++) {
		struct pcf_lane *l = &lanes[i];

		if (pcf_lane_empty(l)) {
			if (l->more)
				return NULL;
			continue;
		}
		if (!best || before(&l->pkts[l->head].ts,
				    &best->pkts[best->head].ts))
			best = l;
	}
	return best;
}

/* In runs between the held ones, so that each is one call. */
void pcf_lane_done_unheld(struct pcf_lane *l)
{
	unsigned start = 0;

	for (unsigned i = 0; i <= l->count; i++) {
		if (i < l->count && !(l->pkts[i].flags & PCF_PKT_HELD))
			continue;
		l->ops.done(l->queue, &l->pkts[start], i - start);
		start = i + 1;
	}
	l->gone = 0;
}
