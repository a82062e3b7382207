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

static unsigned source_rx(struct pcf_queue *q, struct pcf_pkt *pkts,
			  unsigned max, enum pcf_stop *why)
{
	struct source *s = from(q);
	unsigned n = s->total - s->shown;

	s->rx++;
	max = max < s->most ? max : s->most;
	*why = n >= max ? PCF_STOP_FULL : PCF_STOP_EMPTY;
	n = n < max ? n : max;
	for (unsigned i = 0; i < n; i++, s->shown++)
		pkts[i] = (struct pcf_pkt){
			.ts = { s->us[s->shown] / 1000000,
				s->us[s->shown] % 1000000 },
			.frame = s->shown,
		};
	return n;
}

static void source_taken(struct pcf_queue *q, const struct pcf_pkt *pkts,
			 unsigned n)
{
	note(from(q), 't', pkts->frame, n);
	from(q)->taken += n;
}

static void source_done(struct pcf_queue *q, const struct pcf_pkt *pkts,
			unsigned n)
{
	if (n)
		note(from(q), 'd', pkts->frame, n);
	from(q)->done += n;
}

static void open_lane(struct pcf_lane *l, struct source *s)
{
	memset(l, 0, sizeof(*l));
	l->ops = (struct pcf_rx_ops){ source_rx, source_taken, source_done };
	l->queue = (struct pcf_queue *)s;
	l->stop = PCF_STOP_EMPTY;
}

/* A lane of one packet of that time; 0: an empty one. */
static void set_lane(struct pcf_lane *l, unsigned us, bool more)
{
	memset(l, 0, sizeof(*l));
	l->count = us != 0;
	l->more = more;
	l->pkts[0].ts = (struct timeval){ us / 1000000, us % 1000000 };
}

static const struct {
	unsigned us[3];
	bool more[3];
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
	/* an empty one that was full may have older ones */
	{ { 5, 0, 6 }, { 0, 1, 0 }, -1 },
	{ { 0, 5, 6 }, { 1, 0, 0 }, -1 },
	{ { 5, 6, 0 }, { 0, 0, 1 }, -1 },
};

static void pick(void)
{
	struct pcf_lane *lanes = calloc(3, sizeof(*lanes));

	for (unsigned i = 0; i < sizeof(picks) / sizeof(picks[0]); i++) {
		struct pcf_lane *got;

		for (unsigned j = 0; j < 3; j++)
			set_lane(&lanes[j], picks[i].us[j], picks[i].more[j]);
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
	CU_ASSERT_TRUE(l->more);
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
	CU_ASSERT_FALSE(l->more);
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
				l->pkts[j].flags |= PCF_PKT_HELD;
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
	l->pkts[0].flags |= PCF_PKT_HELD;
	l->pkts[PCF_BATCH - 1].flags |= PCF_PKT_HELD;
	l->held = 2;
	l->head = PCF_BATCH;
	pcf_lane_fill(l);
	CU_ASSERT_STRING_EQUAL(s.calls, "t0+64 d1+62 ");
	CU_ASSERT_EQUAL(l->count, PCF_BATCH);
	CU_ASSERT_EQUAL(l->pkts[0].flags, 0);
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

static CU_TestInfo tests[] = {
	PCF_TEST(pick),
	PCF_TEST(pick_at_head),
	PCF_TEST(calls_in_order),
	PCF_TEST(held_are_left_out),
	PCF_TEST(held_in_a_full_lane),
	PCF_TEST(merged_by_time),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("merge", tests);
}
