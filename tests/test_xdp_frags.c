/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receiving from an AF_XDP socket where a packet may have several descriptors:
 * it is copied together, into buffers of which there are only so many.
 */
#include "tests/rx_rig.h"
#include "tests/unit.h"

static void frags(void)
{
	static const uint32_t sizes[] = { 60, 1792, 1793, 3584, 5000, 60 };
	const struct pcf_rx_ops *ops = &pcf_xdp_rx_frags;
	struct pcf_pkt pkts[FRAMES];
	enum pcf_stop why;
	struct rig r;

	rig_open(&r);
	for (unsigned i = 0; i < 6; i++)
		kernel_packet(&r, sizes[i]);
	CU_ASSERT_EQUAL(rig_show(&r, ops, pkts, FRAMES, &why), 6);
	CU_ASSERT_EQUAL(why, PCF_STOP_EMPTY);
	for (unsigned i = 0; i < 6; i++) {
		CU_ASSERT_TRUE(rig_intact(&pkts[i], i, sizes[i]));
		CU_ASSERT_EQUAL(pkts[i].caplen, sizes[i]);
		CU_ASSERT_EQUAL(pkts[i].flags, PCF_PKT_FILTERED);
		CU_ASSERT_EQUAL(pkts[i].ts.tv_sec, pkts[0].ts.tv_sec + (int)i);
	}
	CU_ASSERT_EQUAL(r.rx_prod - r.rx_cons, 10);
	rig_take(&r, ops, pkts, 3);
	CU_ASSERT_EQUAL(r.rx_prod - r.rx_cons, 6);
	rig_take(&r, ops, pkts + 3, 3);
	rig_give(&r, ops, pkts, 6);
	rig_settled(&r, 0);
	rig_close(&r);
}

static void frags_keep(void)
{
	struct pcf_pkt pkt;
	enum pcf_stop why;
	struct rig r;

	rig_open(&r);
	kernel_part(&r, 9, 0, 1792, true);
	kernel_meta(&r)->keep = 2000;
	kernel_part(&r, 9, 1792, 1000, false);
	CU_ASSERT_EQUAL(rig_show(&r, &pcf_xdp_rx_frags, &pkt, 1, &why), 0);
	CU_ASSERT_EQUAL(rig_show(&r, &pcf_xdp_rx_frags, &pkt, 2, &why), 1);
	CU_ASSERT_EQUAL(pkt.caplen, 2000);
	CU_ASSERT_TRUE(rig_intact(&pkt, 9, 2792));
	rig_close(&r);
}

/* A packet whose end is not there yet is not there. */
static void partial(void)
{
	const struct pcf_rx_ops *ops = &pcf_xdp_rx_frags;
	struct pcf_pkt pkts[8];
	enum pcf_stop why;
	struct rig r;

	rig_open(&r);
	kernel_part(&r, 0, 0, 60, false);
	kernel_part(&r, 1, 0, 1792, true);
	CU_ASSERT_EQUAL(rig_show(&r, ops, pkts, 8, &why), 1);
	rig_take(&r, ops, pkts, 1);
	rig_give(&r, ops, pkts, 1);
	CU_ASSERT_EQUAL(rig_show(&r, ops, pkts, 8, &why), 0);
	CU_ASSERT_EQUAL(r.rx_prod - r.rx_cons, 1);
	CU_ASSERT_EQUAL(r.q.bounce.nfree, BOUNCES);
	kernel_part(&r, 1, 1792, 10, false);
	CU_ASSERT_EQUAL(rig_show(&r, ops, pkts, 8, &why), 1);
	CU_ASSERT_TRUE(rig_intact(&pkts[0], 1, 1802));
	rig_take(&r, ops, pkts, 1);
	rig_give(&r, ops, pkts, 1);
	rig_settled(&r, 0);
	rig_close(&r);
}

static void larger_than_bounce(void)
{
	const struct pcf_rx_ops *ops = &pcf_xdp_rx_frags;
	struct pcf_pkt pkts[FRAMES];
	enum pcf_stop why;
	struct rig r;

	rig_open(&r);
	kernel_packet(&r, BOUNCE_SIZE + 3000);
	kernel_packet(&r, BOUNCE_SIZE);
	CU_ASSERT_EQUAL(rig_show(&r, ops, pkts, FRAMES, &why), 2);
	CU_ASSERT_EQUAL(pkts[0].caplen, BOUNCE_SIZE);
	CU_ASSERT_TRUE(rig_intact(&pkts[0], 0, BOUNCE_SIZE + 3000));
	CU_ASSERT_TRUE(rig_intact(&pkts[1], 1, BOUNCE_SIZE));
	rig_take(&r, ops, pkts, 2);
	rig_give(&r, ops, pkts, 2);
	rig_settled(&r, 0);
	rig_close(&r);
}

static void bounce_exhausted(void)
{
	const struct pcf_rx_ops *ops = &pcf_xdp_rx_frags;
	struct pcf_pkt pkts[FRAMES], more[FRAMES];
	enum pcf_stop why;
	struct rig r;

	rig_open(&r);
	for (unsigned i = 0; i < BOUNCES + 3; i++)
		kernel_packet(&r, 2000);
	CU_ASSERT_EQUAL(rig_show(&r, ops, pkts, FRAMES, &why), BOUNCES);
	rig_take(&r, ops, pkts, BOUNCES);
	CU_ASSERT_EQUAL(rig_show(&r, ops, more, FRAMES, &why), 0);
	CU_ASSERT_EQUAL(r.rx_prod - r.rx_cons, 6);
	for (unsigned i = 0; i < BOUNCES; i++)
		CU_ASSERT_TRUE(rig_intact(&pkts[i], i, 2000));
	rig_give(&r, ops, pkts, 2);
	CU_ASSERT_EQUAL(rig_show(&r, ops, more, FRAMES, &why), 2);
	CU_ASSERT_TRUE(rig_intact(&more[0], BOUNCES, 2000));
	rig_take(&r, ops, more, 2);
	rig_give(&r, ops, more, 2);
	rig_give(&r, ops, pkts + 2, BOUNCES - 2);
	CU_ASSERT_EQUAL(rig_drain(&r, ops), 1);
	rig_settled(&r, 0);
	rig_close(&r);
}

/* With every buffer held and a full ring behind, there is nothing to show;
 * "more" would have the merging reader ask for ever. */
static void nothing_is_not_more(void)
{
	const struct pcf_rx_ops *ops = &pcf_xdp_rx_frags;
	struct pcf_pkt pkts[FRAMES];
	enum pcf_stop why;
	struct rig r;

	rig_open(&r);
	for (unsigned i = 0; i < 2 * BOUNCES; i++)
		kernel_packet(&r, 2000);
	CU_ASSERT_EQUAL(rig_show(&r, ops, pkts, 4, &why), 2);
	CU_ASSERT_EQUAL(why, PCF_STOP_FULL);
	r.q.bounce.nfree = 0;
	CU_ASSERT_EQUAL(rig_show(&r, ops, pkts, 4, &why), 0);
	CU_ASSERT_EQUAL(why, PCF_STOP_EMPTY);
	rig_close(&r);
}

static CU_TestInfo tests[] = {
	PCF_TEST(frags),
	PCF_TEST(frags_keep),
	PCF_TEST(partial),
	PCF_TEST(larger_than_bounce),
	PCF_TEST(bounce_exhausted),
	PCF_TEST(nothing_is_not_more),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("xdp_frags", tests);
}
