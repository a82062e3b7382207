/* SPDX-License-Identifier: BSD-3-Clause */
/* What is between the hook and the ring, by two counters; see coming.h. There
 * is no socket (-1), so no losses are counted but by giving up. */
#include "backend/af_xdp.h"
#include "tests/unit.h"

static void nothing_counted(void)
{
	struct pcf_coming c = { 0 };

	CU_ASSERT_FALSE(pcf_coming(&c, 0, -1));
}

static void counted_and_shown(void)
{
	struct pcf_coming c = { 0 };

	CU_ASSERT_TRUE(pcf_coming(&c, 3, -1));
	pcf_coming_shown(&c, 2);
	CU_ASSERT_TRUE(pcf_coming(&c, 3, -1));
	pcf_coming_shown(&c, 1);
	CU_ASSERT_FALSE(pcf_coming(&c, 3, -1));
	CU_ASSERT_TRUE(pcf_coming(&c, 4, -1));
}

static void passes_the_bound(struct pcf_coming *c)
{
	c->since -= PCF_COMING_NS;
}

/* A packet that was lost and that nobody counts is waited for once. */
static void given_up(void)
{
	struct pcf_coming c = { 0 };

	CU_ASSERT_TRUE(pcf_coming(&c, 1, -1));
	passes_the_bound(&c);
	CU_ASSERT_FALSE(pcf_coming(&c, 1, -1));
	CU_ASSERT_FALSE(pcf_coming(&c, 1, -1));
	CU_ASSERT_TRUE(pcf_coming(&c, 2, -1));
	pcf_coming_shown(&c, 1);
	CU_ASSERT_FALSE(pcf_coming(&c, 2, -1));
}

/* ... and if it comes after all, the next one is waited for all the same. */
static void late_after_all(void)
{
	struct pcf_coming c = { 0 };

	CU_ASSERT_TRUE(pcf_coming(&c, 1, -1));
	passes_the_bound(&c);
	CU_ASSERT_FALSE(pcf_coming(&c, 1, -1));
	pcf_coming_shown(&c, 1);
	CU_ASSERT_FALSE(pcf_coming(&c, 1, -1));
	CU_ASSERT_TRUE(pcf_coming(&c, 2, -1));
}

/* What was shown in between shows that packets do come: time begins anew. */
static void bound_begins_anew(void)
{
	struct pcf_coming c = { 0 };

	CU_ASSERT_TRUE(pcf_coming(&c, 2, -1));
	passes_the_bound(&c);
	pcf_coming_shown(&c, 1);
	CU_ASSERT_TRUE(pcf_coming(&c, 2, -1));
	passes_the_bound(&c);
	CU_ASSERT_FALSE(pcf_coming(&c, 2, -1));
}

/* A clock that is set back or forth never makes it wait for long. */
static void clock_jumps(void)
{
	struct pcf_coming c = { 0 };

	CU_ASSERT_TRUE(pcf_coming(&c, 1, -1));
	c.since = pcf_clock_now() + 3600 * PCF_NSEC;
	CU_ASSERT_FALSE(pcf_coming(&c, 1, -1));
}

/* Both kinds of receiving tell the reader, and count what they show. */
static void said_by(const struct pcf_rx_ops *ops)
{
	static _Alignas(8) uint8_t area[4096];
	struct xdp_desc ring[2] = { { .addr = 256, .len = 60 } };
	struct pcf_ctl ctl = { .matched = 2 };
	uint32_t prod = 0, cons = 0, flags = 0;
	struct pcf_queue q = {
		.fill.flags = &flags,
		.rx = { .mask = 1,
			.size = 2,
			.producer = &prod,
			.consumer = &cons,
			.ring = ring },
		.area = area,
		.area_size = sizeof(area),
		.ctl = &ctl,
		.fd = -1,
	};
	struct pcf_pkt pkts[2];
	uint64_t frames[2];
	struct pcf_show rx = { .pkts = pkts, .frames = frames };

	CU_ASSERT_EQUAL(ops->rx(&q, &rx, 2), 0);
	CU_ASSERT_EQUAL(rx.why, PCF_STOP_COMING);
	prod = 1;
	CU_ASSERT_EQUAL(ops->rx(&q, &rx, 2), 1);
	CU_ASSERT_EQUAL(rx.why, PCF_STOP_EMPTY);
	CU_ASSERT_EQUAL(ops->rx(&q, &rx, 2), 0);
	CU_ASSERT_EQUAL(rx.why, PCF_STOP_COMING);
	ctl.matched = 1;
	CU_ASSERT_EQUAL(ops->rx(&q, &rx, 2), 0);
	CU_ASSERT_EQUAL(rx.why, PCF_STOP_EMPTY);
}

static void said_by_both(void)
{
	said_by(&pcf_xdp_rx_single);
	said_by(&pcf_xdp_rx_frags);
}

static CU_TestInfo tests[] = {
	PCF_TEST(said_by_both),	     PCF_TEST(nothing_counted),
	PCF_TEST(counted_and_shown), PCF_TEST(given_up),
	PCF_TEST(late_after_all),    PCF_TEST(bound_begins_anew),
	PCF_TEST(clock_jumps),	     CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("coming", tests);
}
