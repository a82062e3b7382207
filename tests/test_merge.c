/* SPDX-License-Identifier: BSD-3-Clause */
/* Lanes: filling, settling, giving back around held packets, and the choice
 * of the next packet among several. */
#include "libpcap-fast/lane.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#define MOST 2000

/* A source that shows what it has in steps of its own choosing, and notes the
 * calls. */
struct source {
	unsigned total, shown;
	unsigned us[MOST];
	unsigned most;		/* packets that one rx() shows at most */
	unsigned rx, taken, done;
	char calls[64];
};

static struct source *from(struct pcf_queue *q)
{
	return (struct source *)q;
}

static void note(struct source *s, char what, unsigned first, unsigned n)
{
	size_t used = strlen(s->calls);

	snprintf(s->calls + used, sizeof(s->calls) - used, "%c%u+%u ", what,
		 first, n);
}

static unsigned source_rx(struct pcf_queue *q, struct pcf_show *rx,
			  unsigned max)
{
	struct source *s = from(q);
	unsigned n = s->total - s->shown;

	s->rx++;
	max = max < s->most ? max : s->most;
	rx->why = n >= max ? PCF_STOP_FULL : PCF_STOP_EMPTY;
	n = n < max ? n : max;
	for (unsigned i = 0; i < n; i++, s->shown++) {
		rx->pkts[i] = (struct pcf_pkt){
			.ts = { s->us[s->shown] / 1000000,
				s->us[s->shown] % 1000000 },
			.frame = s->shown,
		};
		rx->frames[i] = s->shown;
	}
	return n;
}

static void source_taken(struct pcf_queue *q, const uint64_t *frames,
			 unsigned n)
{
	note(from(q), 't', *frames, n);
	from(q)->taken += n;
}

static void source_done(struct pcf_queue *q, const uint64_t *frames, unsigned n)
{
	if (n)
		note(from(q), 'd', *frames, n);
	from(q)->done += n;
}

static void open_lane(struct pcf_lane *l, struct source *s)
{
	memset(l, 0, sizeof(*l));
	l->ops = (struct pcf_rx_ops){ source_rx, source_taken, source_done,
					NULL, NULL };
	l->queue = (struct pcf_queue *)s;
	l->stop = PCF_STOP_EMPTY;
}

/* A lane of one packet of that time; 0: an empty one, which may have had some
 * that are delivered. */
static void set_lane(struct pcf_lane *l, unsigned us, bool had)
{
	memset(l, 0, sizeof(*l));
	l->count = us || had;
	l->head = !us && had;
	l->pkts[0].ts = (struct timeval){ us / 1000000, us % 1000000 };
}

static const struct {
	unsigned us[3];
	bool had[3];
	int pick;	/* -1: none */
} picks[] = {
	{ { 0, 0, 0 }, { 0, 0, 0 }, -1 },
	{ { 5, 0, 0 }, { 0, 0, 0 }, 0 },
	{ { 0, 0, 5 }, { 0, 0, 0 }, 2 },
	{ { 7, 5, 6 }, { 0, 0, 0 }, 1 },
	{ { 7, 6, 5 }, { 1, 1, 1 }, 2 },
	/* seconds count before microseconds */
	{ { 1000001, 999999, 2000000 }, { 0, 0, 0 }, 1 },
	{ { 2000000, 1999999, 1000000 }, { 0, 0, 0 }, 2 },
	/* of equal ones the first, so that one lane cannot starve another */
	{ { 5, 5, 5 }, { 0, 0, 0 }, 0 },
	{ { 6, 5, 5 }, { 0, 0, 0 }, 1 },
	/* an empty one that had some may have older ones */
	{ { 5, 0, 6 }, { 0, 1, 0 }, -1 },
	{ { 0, 5, 6 }, { 1, 0, 0 }, -1 },
	{ { 5, 6, 0 }, { 0, 0, 1 }, -1 },
};

/* Stamps count microseconds; where they are equal, the arrival times decide, if
 * both are known. */
static uint64_t arrival(struct pcf_queue *q, const struct pcf_pkt *pkt)
{
	(void)q;
	return pkt->frame;
}

static void pick_of_equal(void)
{
	static const struct {
		uint64_t arrival[2];
		int pick;
	} cases[] = {
		{ { 5001, 5002 }, 0 }, { { 5002, 5001 }, 1 },
		{ { 5001, 5001 }, 0 }, { { 0, 5001 }, 0 },
		{ { 5001, 0 }, 0 },
	};
	struct pcf_lane l[2];

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned j = 0; j < 2; j++) {
			set_lane(&l[j], 5, false);
			l[j].ops.time = cases[i].arrival[j] ? arrival : NULL;
			l[j].pkts[0].frame = cases[i].arrival[j];
		}
		CU_ASSERT_PTR_EQUAL(pcf_lanes_pick(l, 2), &l[cases[i].pick]);
	}
}

static void pick(void)
{
	struct pcf_lane *lanes = calloc(3, sizeof(*lanes));

	for (unsigned i = 0; i < sizeof(picks) / sizeof(picks[0]); i++) {
		struct pcf_lane *got;

		for (unsigned j = 0; j < 3; j++)
			set_lane(&lanes[j], picks[i].us[j], picks[i].had[j]);
		got = pcf_lanes_pick(lanes, 3);
		if (picks[i].pick < 0)
			CU_ASSERT_PTR_NULL(got);
		if (picks[i].pick >= 0)
			CU_ASSERT_PTR_EQUAL(got, &lanes[picks[i].pick]);
	}
	free(lanes);
}

/* The packet that counts is the first that was not delivered. */
static void pick_at_head(void)
{
	struct pcf_lane *lanes = calloc(2, sizeof(*lanes));

	set_lane(&lanes[0], 1, false);
	lanes[0].count = 2;
	lanes[0].head = 1;
	lanes[0].pkts[1].ts.tv_usec = 9;
	set_lane(&lanes[1], 5, false);
	CU_ASSERT_PTR_EQUAL(pcf_lanes_pick(lanes, 2), &lanes[1]);
	free(lanes);
}

static void calls_in_order(void)
{
	struct pcf_lane *l = calloc(1, sizeof(*l));
	struct source s = { .total = 6, .most = 4 };

	open_lane(l, &s);
	pcf_lane_fill(l);
	CU_ASSERT_EQUAL(l->count, 4);
	CU_ASSERT_EQUAL(l->stop, PCF_STOP_FULL);
	pcf_lane_settle(l);
	CU_ASSERT_STRING_EQUAL(s.calls, "");
	l->head = 1;
	pcf_lane_settle(l);
	pcf_lane_settle(l);
	CU_ASSERT_STRING_EQUAL(s.calls, "t0+1 ");
	l->head = 4;
	CU_ASSERT_TRUE(pcf_lane_empty(l));
	pcf_lane_fill(l);
	CU_ASSERT_STRING_EQUAL(s.calls, "t0+1 t1+3 d0+4 ");
	CU_ASSERT_EQUAL(l->count, 2);
	CU_ASSERT_EQUAL(l->stop, PCF_STOP_EMPTY);
	l->head = 2;
	pcf_lane_fill(l);
	CU_ASSERT_STRING_EQUAL(s.calls, "t0+1 t1+3 d0+4 t4+2 d4+2 ");
	CU_ASSERT_TRUE(pcf_lane_empty(l));
	free(l);
}

static const struct {
	const char *held;	/* one character a packet */
	const char *calls;
} runs[] = {
	{ "....", "d0+4 " },	  { "hhhh", "" },
	{ "h...", "d1+3 " },	  { "...h", "d0+3 " },
	{ ".h.h", "d0+1 d2+1 " }, { "h..h", "d1+2 " },
	{ ".hh.", "d0+1 d3+1 " }, { "", "" },
};

static void held_are_left_out(void)
{
	struct pcf_lane *l = calloc(1, sizeof(*l));

	for (unsigned i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		struct source s = { .total = strlen(runs[i].held), .most = 64 };

		open_lane(l, &s);
		pcf_lane_fill(l);
		for (unsigned j = 0; j < s.total; j++)
			if (runs[i].held[j] == 'h')
				l->kept |= 1ull << j;
		pcf_lane_done_unheld(l);
		CU_ASSERT_STRING_EQUAL(s.calls, runs[i].calls);
	}
	free(l);
}

/* A full lane: 64 packets, the last one held or not. */
static void held_in_a_full_lane(void)
{
	struct pcf_lane *l = calloc(1, sizeof(*l));
	struct source s = { .total = 2 * PCF_BATCH, .most = PCF_BATCH };

	open_lane(l, &s);
	pcf_lane_fill(l);
	l->kept |= 1;
	l->kept |= 1ull << (PCF_BATCH - 1);
	l->held = 2;
	l->head = PCF_BATCH;
	pcf_lane_fill(l);
	CU_ASSERT_STRING_EQUAL(s.calls, "t0+64 d1+62 ");
	CU_ASSERT_EQUAL(l->count, PCF_BATCH);
	CU_ASSERT_EQUAL(l->kept, 0);
	free(l);
}

/* Sources of any number, density and step: one stream by time. */
static void merge(unsigned n)
{
	struct pcf_lane *lanes = calloc(n, sizeof(*lanes));
	struct source *s = calloc(n, sizeof(*s));
	unsigned total = 0, last = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned us = 0, density = 1 + rand() % 5000;

		s[i].total = rand() % MOST;
		s[i].most = 1 + rand() % 100;
		for (unsigned j = 0; j < s[i].total; j++)
			s[i].us[j] = us += rand() % density;
		total += s[i].total;
		open_lane(&lanes[i], &s[i]);
		pcf_lane_fill(&lanes[i]);
	}
	for (unsigned steps = 10 * total; total && steps; steps--) {
		struct pcf_lane *l = pcf_lanes_pick(lanes, n);
		unsigned us;

		for (unsigned i = 0; !l && i < n; i++)
			if (pcf_lane_empty(&lanes[i]))
				pcf_lane_fill(&lanes[i]);
		if (!l)
			continue;
		us = l->pkts[l->head].ts.tv_sec * 1000000 +
		     l->pkts[l->head].ts.tv_usec;
		CU_ASSERT_TRUE(us >= last);
		last = us;
		l->head++;
		total--;
	}
	CU_ASSERT_EQUAL(total, 0);
	CU_ASSERT_PTR_NULL(pcf_lanes_pick(lanes, n));
	for (unsigned i = 0; i < n; i++) {
		pcf_lane_fill(&lanes[i]);
		CU_ASSERT_EQUAL(s[i].taken, s[i].total);
		CU_ASSERT_EQUAL(s[i].done, s[i].total);
	}
	free(lanes);
	free(s);
}

static void merged_by_time(void)
{
	srand(4);
	for (unsigned i = 0; i < 200; i++)
		merge(1 + rand() % 9);
}

/* --- on the way ---------------------------------------------------------- */

/* A lane that is empty since its `asked`th filling. */
static const struct {
	unsigned us[3];
	unsigned asked[3];
	int pick;
} answers[] = {
	{ { 5, 0, 0 }, { 1, 2, 3 }, 0 },
	/* one that was asked before the packet was shown */
	{ { 0, 5, 0 }, { 1, 2, 3 }, -1 },
	{ { 0, 5, 0 }, { 4, 2, 3 }, 1 },
	/* ... and one with something on the way */
	{ { 5, 0, 0 }, { 1, 2, 0 }, -1 },
	/* only the packet that would be next counts */
	{ { 5, 0, 7 }, { 1, 2, 3 }, 0 },
	{ { 7, 0, 5 }, { 1, 2, 3 }, -1 },
};

static void pick_by_answers(void)
{
	struct pcf_lane *lanes = calloc(3, sizeof(*lanes));

	for (unsigned i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct pcf_lane *got;

		for (unsigned j = 0; j < 3; j++) {
			set_lane(&lanes[j], answers[i].us[j], false);
			lanes[j].asked = answers[i].asked[j];
		}
		got = pcf_lanes_pick(lanes, 3);
		if (answers[i].pick < 0)
			CU_ASSERT_PTR_NULL(got);
		if (answers[i].pick >= 0)
			CU_ASSERT_PTR_EQUAL(got, &lanes[answers[i].pick]);
	}
	free(lanes);
}

/* A driver in a time of our own: packet i has its time at us[i] and is seen at
 * the end of its poll, seen[i]. Each look at it takes time. */
struct driver {
	unsigned total, shown, asked;
	unsigned us[MOST], seen[MOST];
};

static unsigned time_now;

static struct driver *driver_of(struct pcf_queue *q)
{
	return (struct driver *)q;
}

static unsigned driver_rx(struct pcf_queue *q, struct pcf_show *rx,
			  unsigned max)
{
	struct driver *d = driver_of(q);
	unsigned n = 0;

	d->asked++;
	time_now += rand() % 7;
	for (; n < max && d->shown < d->total && d->seen[d->shown] <= time_now;
	     n++, d->shown++)
		rx->pkts[n] = (struct pcf_pkt){
			.ts = { d->us[d->shown] / 1000000,
				d->us[d->shown] % 1000000 },
		};
	rx->why = n == max ? PCF_STOP_FULL : PCF_STOP_EMPTY;
	if (!n && d->shown < d->total && d->us[d->shown] <= time_now)
		rx->why = PCF_STOP_COMING;
	return n;
}

static void driver_ignores(struct pcf_queue *q, const uint64_t *frames,
			   unsigned n)
{
	(void)q;
	(void)frames;
	(void)n;
}

static void open_driver(struct pcf_lane *l, struct driver *d)
{
	unsigned us = rand() % 300, gap = 1 + rand() % 100;

	d->total = 1 + rand() % (MOST - 1);
	for (unsigned i = 0; i < d->total;) {
		unsigned n = 1 + rand() % 64, first = i;

		for (; n && i < d->total; n--)
			d->us[i++] = us += rand() % 6;
		while (first < i)
			d->seen[first++] = us + 1;
		us += rand() % gap;
	}
	memset(l, 0, sizeof(*l));
	l->ops = (struct pcf_rx_ops){ driver_rx, driver_ignores,
					      driver_ignores, NULL, NULL };
	l->queue = (struct pcf_queue *)d;
}

static void merge_drivers(unsigned n)
{
	struct pcf_lane *lanes = calloc(n, sizeof(*lanes));
	struct driver *d = calloc(n, sizeof(*d));
	unsigned total = 0, last = 0;
	uint64_t turn = 0;

	time_now = 0;
	for (unsigned i = 0; i < n; i++) {
		open_driver(&lanes[i], &d[i]);
		total += d[i].total;
	}
	for (unsigned steps = 1000 * total; total && steps; steps--) {
		struct pcf_lane *l = pcf_lanes_pick(lanes, n);
		unsigned us;

		if (!l) {
			pcf_lanes_fill(lanes, n, &turn, NULL);
			continue;
		}
		us = l->pkts[l->head++].ts.tv_usec;
		CU_ASSERT_TRUE(us >= last);
		last = us;
		total--;
	}
	CU_ASSERT_EQUAL(total, 0);
	free(lanes);
	free(d);
}

/* Packets that are seen late, in any rhythm: still one stream by time. */
static void late_ones_are_waited_for(void)
{
	srand(7);
	for (unsigned i = 0; i < 100; i++)
		merge_drivers(1 + rand() % 6);
}

/* With one queue nothing is waited for: one look for each 64 packets, and one
 * at an idle second source beside it. */
static void one_queue_waits_for_nothing(void)
{
	struct pcf_lane *lanes = calloc(2, sizeof(*lanes));
	struct driver *d = calloc(2, sizeof(*d));
	uint64_t turn = 0;
	unsigned n = 0;

	open_driver(&lanes[0], &d[0]);
	open_driver(&lanes[1], &d[1]);
	d[0].total = 10 * PCF_BATCH;
	d[1].total = 0;
	memset(d[0].us, 0, sizeof(d[0].us));
	memset(d[0].seen, 0, sizeof(d[0].seen));
	while (n < d[0].total) {
		struct pcf_lane *l = pcf_lanes_pick(lanes, 2);

		if (!l)
			pcf_lanes_fill(lanes, 2, &turn, NULL);
		else
			l->head++, n++;
	}
	CU_ASSERT_EQUAL(d[0].asked, 10);
	CU_ASSERT_EQUAL(d[1].asked, 10);
	free(lanes);
	free(d);
}

/* A lane that waits keeps what it has shown: nothing is taken or given back,
 * so its descriptor stays readable. Those that have answered are left alone. */
static void waiting_keeps_the_packet(void)
{
	struct pcf_lane *lanes = calloc(3, sizeof(*lanes));
	struct source s = { .total = 1, .most = 64, .us = { 20 } };
	struct source idle = { .most = 64 };
	struct driver d = { .total = 1, .us = { 1 }, .seen = { 1000 } };
	uint64_t turn = 0;

	time_now = 10;
	open_lane(&lanes[0], &s);
	lanes[1].ops = (struct pcf_rx_ops){ driver_rx, driver_ignores,
					      driver_ignores, NULL, NULL };
	lanes[1].queue = (struct pcf_queue *)&d;
	open_lane(&lanes[2], &idle);
	for (unsigned i = 0; i < 5; i++) {
		CU_ASSERT_PTR_NULL(pcf_lanes_fill(lanes, 3, &turn, NULL));
		CU_ASSERT_PTR_NULL(pcf_lanes_pick(lanes, 3));
		pcf_lane_settle(&lanes[0]);
	}
	CU_ASSERT_STRING_EQUAL(s.calls, "");
	CU_ASSERT_EQUAL(idle.rx, 1);
	CU_ASSERT_EQUAL(d.asked, 5);
	time_now = 1000;
	pcf_lanes_fill(lanes, 3, &turn, NULL);
	CU_ASSERT_PTR_NULL(pcf_lanes_pick(lanes, 3));
	pcf_lanes_fill(lanes, 3, &turn, NULL);
	CU_ASSERT_EQUAL(idle.rx, 2);
	CU_ASSERT_PTR_EQUAL(pcf_lanes_pick(lanes, 3), &lanes[1]);
	lanes[1].head++;
	pcf_lanes_fill(lanes, 3, &turn, NULL);
	CU_ASSERT_PTR_EQUAL(pcf_lanes_pick(lanes, 3), &lanes[0]);
	free(lanes);
}

static CU_TestInfo tests[] = {
	PCF_TEST(pick), PCF_TEST(pick_of_equal),
	PCF_TEST(pick_at_head),
	PCF_TEST(calls_in_order),
	PCF_TEST(held_are_left_out),
	PCF_TEST(held_in_a_full_lane),
	PCF_TEST(merged_by_time),
	PCF_TEST(pick_by_answers),
	PCF_TEST(late_ones_are_waited_for),
	PCF_TEST(one_queue_waits_for_nothing),
	PCF_TEST(waiting_keeps_the_packet),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("merge", tests);
}
