/* SPDX-License-Identifier: BSD-3-Clause */
/* Several lanes as one stream, by time; and lanes with held packets. */
#include "libpcap-fast/lane.h"

struct pcf_lane pcf_no_lane;

static uint64_t exact_time(const struct pcf_lane *l)
{
	return l->ops.time ? l->ops.time(l->queue, &l->pkts[l->head]) : 0;
}

/* Time stamps may count microseconds, in which two packets may well come. */
static bool before_at_same(const struct pcf_lane *a, const struct pcf_lane *b)
{
	uint64_t t = exact_time(a);

	return t && t < exact_time(b);
}

static inline bool before(const struct pcf_lane *a, const struct pcf_lane *b)
{
	const struct timeval *x = &a->pkts[a->head].ts;
	const struct timeval *y = &b->pkts[b->head].ts;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec;
	if (x->tv_usec != y->tv_usec)
		return x->tv_usec < y->tv_usec;
	return before_at_same(a, b);
}

/*
 * A lane whose packets are all delivered may have older ones than the others'
 * first: it must be asked. One that had none when it was asked has none older
 * than what was shown before that, if nothing was on the way to it: packets
 * get their time in the driver, one by one, and are seen by readers only at
 * the end of the driver's turn. So a packet waits until every empty lane was
 * asked after it was shown, and had nothing; never for a time.
 */
struct pcf_lane *pcf_lanes_pick(struct pcf_lane *lanes, unsigned n)
{
	struct pcf_lane *best = NULL;
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < n; i++) {
		struct pcf_lane *l = &lanes[i];

		if (pcf_lane_empty(l)) {
			if (l->count)
				return NULL;
			if (l->asked < least)
				least = l->asked;
			continue;
		}
		if (!best || before(l, best))
			best = l;
	}
	return best && best->asked <= least ? best : NULL;
}

static inline bool earlier(const struct timeval *a, const struct timeval *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec :
					a->tv_usec < b->tv_usec;
}

/* At equal stamps the run ends: pcf_lanes_pick() has more to go by. */
unsigned pcf_lanes_run(const struct pcf_lane *lanes, unsigned n,
		       const struct pcf_lane *picked)
{
	const struct timeval *next = NULL;
	unsigned i;

	for (i = 0; i < n; i++) {
		const struct pcf_lane *l = &lanes[i];

		if (l != picked && !pcf_lane_empty(l) &&
		    (!next || earlier(&l->pkts[l->head].ts, next)))
			next = &l->pkts[l->head].ts;
	}
	if (!next)
		return picked->count - picked->head;
	for (i = picked->head + 1; i < picked->count; i++)
		if (!earlier(&picked->pkts[i].ts, next))
			break;
	return i - picked->head;
}

/* 0: no lane has packets. */
static uint64_t last_shown(const struct pcf_lane *lanes, unsigned n)
{
	uint64_t last = 0;

	for (unsigned i = 0; i < n; i++)
		if (!pcf_lane_empty(&lanes[i]) && lanes[i].asked > last)
			last = lanes[i].asked;
	return last;
}

struct pcf_lane *pcf_lanes_fill(struct pcf_lane *lanes, unsigned n,
				uint64_t *turn, struct pcf_pkt *into)
{
	uint64_t shown = last_shown(lanes, n);
	struct pcf_lane *failed = NULL;

	for (unsigned i = 0; i < n; i++) {
		struct pcf_lane *l = &lanes[i];

		if (!pcf_lane_empty(l) ||
		    (shown && !l->count && l->asked > shown))
			continue;
		pcf_lane_fill_into(l, into && !i ? into : l->pkts);
		l->asked = l->stop == PCF_STOP_COMING ? 0 : ++*turn;
		if (l->stop == PCF_STOP_ERROR && !failed)
			failed = l;
	}
	return failed;
}

/* In runs between the held ones, so that each is one call. */
void pcf_lane_done_unheld(struct pcf_lane *l)
{
	unsigned start = 0;

	for (unsigned i = 0; i <= l->count; i++) {
		if (i < l->count && !(l->kept >> i & 1))
			continue;
		l->ops.done(l->queue, &l->frames[start], i - start);
		start = i + 1;
	}
	l->kept = 0;
}
