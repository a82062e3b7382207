/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors of an AF_XDP socket that do not lie in its memory: such a packet
 * is shown as bad, nothing outside is touched, and the rest goes on.
 */
#include "compat/kernel.h"
#include "tests/rx_rig.h"
#include "tests/unit.h"

static const struct {
	uint64_t addr;
	uint32_t len;
	bool whose; /* the frame can still be told */
} hostile[] = {
	{ AREA, 60, false },
	{ AREA, 0, false },
	{ AREA + 1, 60, false },
	{ AREA - 1, 2, true },
	{ AREA - 60, 61, true },
	{ AREA - FRAME, FRAME + 1, true },
	{ 256, UINT32_MAX, true },
	{ 0, 60, true },
	{ 15, 60, true },
	{ UINT64_MAX, 60, false },
	{ UINT64_MAX - 15, 60, false },
	{ 1ull << 32, 60, false },
	{ (1ull << 48) + FRAME, 60, false },
	{ (1ull << 63) + FRAME, 60, false },
	{ (3ull << 48) + FRAME, 60, false },
};
#define NHOSTILE (sizeof(hostile) / sizeof(hostile[0]))

/* The frame that such a descriptor stands for is out; unless it can be told
 * from the address it stays out for ever. */
static void kernel_hostile(struct rig *r, unsigned i, uint32_t options)
{
	unsigned f = hostile[i].addr / FRAME;

	kernel_collects(r);
	if (!hostile[i].whose) {
		kernel_frame(r);
	} else if (!r->out[f]) {
		r->out[f] = true;
		r->nout++;
	}
	kernel_shows(r, hostile[i].addr, hostile[i].len, options);
}

static void hostile_on(const struct pcf_rx_ops *ops)
{
	for (unsigned i = 0; i < NHOSTILE; i++) {
		unsigned lost = !hostile[i].whose;
		struct pcf_pkt pkts[FRAMES];
		enum pcf_stop why;
		struct rig r;

		rig_open(&r);
		kernel_hostile(&r, i, 0);
		kernel_packet(&r, 60);
		CU_ASSERT_EQUAL(rig_show(&r, ops, pkts, FRAMES, &why), 2);
		CU_ASSERT_EQUAL(pkts[0].flags, PCF_PKT_BAD);
		CU_ASSERT_EQUAL(pkts[0].caplen, 0);
		CU_ASSERT_TRUE(rig_intact(&pkts[1], 0, 60));
		rig_take(&r, ops, pkts, 2);
		rig_give(&r, ops, pkts, 2);
		rig_settled(&r, lost);
		CU_ASSERT_EQUAL(r.refused, lost);
		rig_close(&r);
	}
}

static void hostile_single(void)
{
	hostile_on(&pcf_xdp_rx_single);
}

static void hostile_frags(void)
{
	hostile_on(&pcf_xdp_rx_frags);
}

/* Whichever part it is, the packet is not one, and the ring moves past all of
 * its parts. */
static void hostile_part(unsigned which, unsigned i)
{
	const struct pcf_rx_ops *ops = &pcf_xdp_rx_frags;
	struct pcf_pkt pkts[FRAMES];
	enum pcf_stop why;
	struct rig r;

	rig_open(&r);
	r.next = 7;
	/* Its frame must not be one of the other parts'. */
	if (hostile[i].whose) {
		kernel_hostile(&r, i, 0);
		r.rx_prod--;
	}
	for (unsigned part = 0; part < 3; part++)
		if (part == which)
			kernel_hostile(&r, i, part < 2 ? XDP_PKT_CONTD : 0);
		else
			kernel_part(&r, 7, part * 500, 500, part < 2);
	r.next = 8;
	kernel_packet(&r, 100);
	CU_ASSERT_EQUAL(rig_show(&r, ops, pkts, FRAMES, &why), 2);
	CU_ASSERT_EQUAL(pkts[0].flags, PCF_PKT_BAD);
	CU_ASSERT_TRUE(rig_intact(&pkts[1], 8, 100));
	rig_take(&r, ops, pkts, 1);
	CU_ASSERT_EQUAL(r.rx_prod - r.rx_cons, 1);
	rig_take(&r, ops, pkts + 1, 1);
	rig_give(&r, ops, pkts, 2);
	rig_settled(&r, !hostile[i].whose);
	rig_close(&r);
}

static void hostile_parts(void)
{
	for (unsigned which = 0; which < 3; which++)
		for (unsigned i = 0; i < NHOSTILE; i++)
			hostile_part(which, i);
}

static CU_TestInfo tests[] = {
	PCF_TEST(hostile_single),
	PCF_TEST(hostile_frags),
	PCF_TEST(hostile_parts),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("xdp_hostile", tests);
}
