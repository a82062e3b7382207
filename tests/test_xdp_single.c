/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receiving from an AF_XDP socket where each packet has one descriptor: what
 * is shown, what its metadata says of it, and when it is taken.
 */
#include "tests/rx_rig.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <time.h>

static void single(void)
{
	const struct pcf_rx_ops *ops = &pcf_xdp_rx_single;
	struct pcf_pkt pkts[4];
	enum pcf_stop why;
	struct rig r;

	rig_open(&r);
	CU_ASSERT_EQUAL(rig_show(&r, ops, pkts, 4, &why), 0);
	CU_ASSERT_EQUAL(why, PCF_STOP_EMPTY);
	for (uint32_t len = 60; len < 66; len++)
		kernel_packet(&r, len);
	CU_ASSERT_EQUAL(rig_show(&r, ops, pkts, 4, &why), 4);
	CU_ASSERT_EQUAL(why, PCF_STOP_FULL);
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_TRUE(rig_intact(&pkts[i], i, 60 + i));
		CU_ASSERT_EQUAL(pkts[i].caplen, 60 + i);
		CU_ASSERT_EQUAL(pkts[i].flags, PCF_PKT_FILTERED);
	}
	/* The socket stays readable until they are taken. */
	CU_ASSERT_EQUAL(r.rx_prod - r.rx_cons, 6);
	rig_take(&r, ops, pkts, 3);
	CU_ASSERT_EQUAL(r.rx_prod - r.rx_cons, 3);
	CU_ASSERT_EQUAL(r.fill_prod, r.fill_cons);
	rig_give(&r, ops, pkts, 2);
	kernel_collects(&r);
	CU_ASSERT_EQUAL(r.nout, 4);
	rig_take(&r, ops, pkts + 3, 1);
	rig_give(&r, ops, pkts + 2, 2);
	CU_ASSERT_EQUAL(rig_show(&r, ops, pkts, 4, &why), 2);
	CU_ASSERT_EQUAL(why, PCF_STOP_EMPTY);
	rig_take(&r, ops, pkts, 2);
	rig_give(&r, ops, pkts, 2);
	rig_settled(&r, 0);
	rig_close(&r);
}

static void metadata(void)
{
	struct pcf_pkt pkts[4];
	int64_t offset;
	enum pcf_stop why;
	struct rig r;

	rig_open(&r);
	r.next = 1000000;
	pcf_clock_sync(&r.q.clock);
	offset = r.q.clock.offset / (int64_t)PCF_NSEC;
	kernel_packet(&r, 100);
	kernel_meta(&r)->keep = 70;
	kernel_packet(&r, 100);
	kernel_meta(&r)->epoch = EPOCH - 1;
	kernel_packet(&r, 100);
	kernel_meta(&r)->epoch = 0;
	CU_ASSERT_EQUAL(rig_show(&r, &pcf_xdp_rx_single, pkts, 4, &why), 3);
	CU_ASSERT_EQUAL(pkts[0].caplen, 70);
	CU_ASSERT_EQUAL(pkts[0].len, 100);
	CU_ASSERT_EQUAL(pkts[0].ts.tv_sec, 1000000 - offset);
	CU_ASSERT_EQUAL(pkts[0].ts.tv_usec, 1);
	CU_ASSERT_EQUAL(pkts[1].ts.tv_sec, 1000001 - offset);
	CU_ASSERT_EQUAL(pkts[1].caplen, 100);
	CU_ASSERT_EQUAL(pkts[1].flags, 0);
	CU_ASSERT_EQUAL(pkts[2].flags, 0);
	CU_ASSERT_TRUE(r.plain);
	CU_ASSERT_FALSE(r.filtered);
	rig_close(&r);
}

/* Many packets that are alike, and one that is not, wherever it comes: it alone
 * is shown as it is, and what is said of all of them counts it. */
enum odd { NONE, LONGER, KEEPS, KEEPS_ALL, FORMER, BAD, LATER, EARLIER, ODDS };

static void make_odd(struct rig *r, enum odd odd)
{
	struct pcf_meta *m = kernel_meta(r);

	m->time = 5 * PCF_NSEC + 999999999;
	m->keep = odd == KEEPS ? 60 : odd == KEEPS_ALL ? UINT32_MAX : 96;
	m->epoch = EPOCH - (odd == FORMER);
	if (odd == LATER)
		m->time++;
	if (odd == EARLIER)
		m->time -= PCF_NSEC;
	if (odd == BAD)
		r->rx[(r->rx_prod - 1) % FRAMES].addr = AREA + 256;
}

static void check_odd(const struct pcf_pkt *p, enum odd odd, int64_t offset)
{
	uint32_t len = odd == LONGER ? 91 : 80;

	if (odd == BAD) {
		CU_ASSERT_EQUAL(p->flags, PCF_PKT_BAD);
		return;
	}
	CU_ASSERT_EQUAL(p->len, len);
	CU_ASSERT_EQUAL(p->caplen, odd == KEEPS ? 60 : len);
	CU_ASSERT_EQUAL(p->flags, odd == FORMER ? 0 : PCF_PKT_FILTERED);
	CU_ASSERT_EQUAL(p->ts.tv_sec,
			5 - offset + (odd == LATER) - (odd == EARLIER));
	CU_ASSERT_EQUAL(p->ts.tv_usec, odd == LATER ? 0 : 999999);
}

static void odd_among_many(enum odd odd, unsigned at)
{
	struct pcf_pkt pkts[6];
	enum pcf_stop why;
	int64_t offset;
	struct rig r;

	rig_open(&r);
	pcf_clock_sync(&r.q.clock);
	offset = r.q.clock.offset / (int64_t)PCF_NSEC;
	r.snaplen = 90;
	for (unsigned turn = 0; turn < 2; turn++) {
		for (unsigned i = 0; i < 6; i++) {
			enum odd o = turn && i == at ? odd : NONE;

			kernel_packet(&r, o == LONGER ? 91 : 80);
			make_odd(&r, o);
		}
		CU_ASSERT_EQUAL(rig_show(&r, &pcf_xdp_rx_single, pkts, 6, &why),
				6);
	}
	for (unsigned i = 0; i < 6; i++)
		check_odd(&pkts[i], i == at ? odd : NONE, offset);
	CU_ASSERT_EQUAL(r.plain, odd != BAD && odd != LONGER);
	CU_ASSERT_EQUAL(r.filtered, odd != BAD && odd != FORMER);
	rig_close(&r);
}

static void one_is_odd(void)
{
	for (enum odd odd = NONE; odd < ODDS; odd++)
		for (unsigned at = 0; at < 6; at++)
			odd_among_many(odd, at);
}

/* A filter that usually keeps less than a packet. */
static void keeps_usually(void)
{
	struct pcf_pkt pkts[3];
	enum pcf_stop why;
	struct rig r;

	rig_open(&r);
	for (unsigned turn = 0; turn < 3; turn++) {
		for (unsigned i = 0; i < 3; i++) {
			kernel_packet(&r, 50 + 11 * i);
			kernel_meta(&r)->keep = 60;
		}
		CU_ASSERT_EQUAL(rig_show(&r, &pcf_xdp_rx_single, pkts, 3, &why),
				3);
		CU_ASSERT_EQUAL(pkts[0].caplen, 50);
		CU_ASSERT_EQUAL(pkts[1].caplen, 60);
		CU_ASSERT_EQUAL(pkts[2].caplen, 60);
		CU_ASSERT_EQUAL(pkts[2].len, 72);
	}
	rig_close(&r);
}

/* The usual mark is the former filter's from one packet to the next. */
static void filter_changes(void)
{
	struct pcf_pkt pkts[3];
	enum pcf_stop why;
	struct rig r;

	rig_open(&r);
	for (unsigned i = 0; i < 9; i++)
		kernel_packet(&r, 80);
	CU_ASSERT_EQUAL(rig_show(&r, &pcf_xdp_rx_single, pkts, 3, &why), 3);
	CU_ASSERT_TRUE(r.filtered);
	r.q.epoch = 0;
	CU_ASSERT_EQUAL(rig_show(&r, &pcf_xdp_rx_single, pkts, 3, &why), 3);
	CU_ASSERT_TRUE(r.plain);
	CU_ASSERT_FALSE(r.filtered);
	CU_ASSERT_EQUAL(pkts[1].flags, 0);
	r.q.epoch = EPOCH + 1;
	CU_ASSERT_EQUAL(rig_show(&r, &pcf_xdp_rx_single, pkts, 3, &why), 3);
	CU_ASSERT_FALSE(r.filtered);
	CU_ASSERT_EQUAL(pkts[2].flags, 0);
	rig_close(&r);
}

/* The filter's count is that of the untagged frame. */
static void keep_tagged(void)
{
	struct pcf_pkt pkt;
	enum pcf_stop why;
	struct rig r;
	uint8_t *data;

	rig_open(&r);
	kernel_packet(&r, 100);
	data = r.q.area + r.rx[(r.rx_prod - 1) % FRAMES].addr;
	data[12] = 0x81;
	data[13] = 0;
	kernel_meta(&r)->keep = 34;
	CU_ASSERT_EQUAL(rig_show(&r, &pcf_xdp_rx_single, &pkt, 1, &why), 1);
	CU_ASSERT_EQUAL(pkt.caplen, 38);
	rig_close(&r);
}

/* A filter that was never in force: 0 is no epoch. */
static void no_epoch(void)
{
	struct pcf_pkt pkt;
	enum pcf_stop why;
	struct rig r;

	rig_open(&r);
	r.q.epoch = 0;
	kernel_packet(&r, 100);
	kernel_meta(&r)->epoch = 0;
	CU_ASSERT_EQUAL(rig_show(&r, &pcf_xdp_rx_single, &pkt, 1, &why), 1);
	CU_ASSERT_EQUAL(pkt.flags, 0);
	rig_close(&r);
}

/* What lies before the packet says nothing then. */
static void without_metadata(void)
{
	const struct pcf_rx_ops *both[] = { &pcf_xdp_rx_single,
					    &pcf_xdp_rx_frags };

	for (unsigned i = 0; i < 2; i++) {
		struct pcf_pkt pkt;
		enum pcf_stop why;
		struct rig r;

		rig_open(&r);
		r.ctl.no_meta = 1;
		kernel_packet(&r, 100);
		kernel_meta(&r)->keep = 10;
		CU_ASSERT_EQUAL(rig_show(&r, both[i], &pkt, 1, &why), 1);
		CU_ASSERT_EQUAL(pkt.caplen, 100);
		CU_ASSERT_EQUAL(pkt.flags, 0);
		CU_ASSERT_TRUE(labs(pkt.ts.tv_sec - time(NULL)) < 100);
		rig_close(&r);
	}
}

static CU_TestInfo tests[] = {
	PCF_TEST(single),	 PCF_TEST(metadata),
	PCF_TEST(one_is_odd),	 PCF_TEST(filter_changes),
	PCF_TEST(keeps_usually), PCF_TEST(keep_tagged),
	PCF_TEST(no_epoch),	 PCF_TEST(without_metadata),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("xdp_single", tests);
}
