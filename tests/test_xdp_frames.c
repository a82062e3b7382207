/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever the reader's steps, the kernel gets each frame of an AF_XDP socket
 * back exactly once, and is woken for it when it asks.
 */
#include "tests/rx_rig.h"
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A reader that shows, takes and gives back in steps of any size. */
static void any_steps(const struct pcf_rx_ops *ops, unsigned parts)
{
	static struct pcf_pkt pkts[FRAMES];
	unsigned shown = 0, taken = 0, done = 0;
	uint32_t expect = 0, sizes[FRAMES];
	enum pcf_stop why;
	struct rig r;

	rig_open(&r);
	for (unsigned step = 0; step < 30000; step++) {
		unsigned n = rand() % 8;

		kernel_collects(&r);
		switch (rand() % 4) {
		case 0:
			for (; n && r.nout + parts < FRAMES; n--) {
				sizes[r.next % FRAMES] =
					60 + rand() % (1700 * parts);
				kernel_packet(&r, sizes[r.next % FRAMES]);
			}
			break;
		case 1:
			if (shown == done)
				shown = taken = done = 0;
			if (shown + n > FRAMES)
				break;
			n = rig_show(&r, ops, pkts + shown, n, &why);
			for (; n; n--, shown++, expect++)
				CU_ASSERT_TRUE(
					rig_intact(&pkts[shown], expect,
						   sizes[expect % FRAMES]));
			break;
		case 2:
			n = n < shown - taken ? n : shown - taken;
			rig_take(&r, ops, pkts + taken, n);
			taken += n;
			break;
		case 3:
			n = n < taken - done ? n : taken - done;
			rig_give(&r, ops, pkts + done, n);
			done += n;
			break;
		}
	}
	rig_take(&r, ops, pkts + taken, shown - taken);
	rig_give(&r, ops, pkts + done, shown - done);
	while (rig_drain(&r, ops))
		;
	CU_ASSERT_TRUE(expect > 1000);
	rig_settled(&r, 0);
	rig_close(&r);
}

static void single_any_steps(void)
{
	srand(1);
	any_steps(&pcf_xdp_rx_single, 1);
}

static void frags_any_steps(void)
{
	srand(2);
	any_steps(&pcf_xdp_rx_frags, 3);
}

/* Held packets come back in any order. */
static void done_in_any_order(void)
{
	const struct pcf_rx_ops *ops = &pcf_xdp_rx_frags;
	struct pcf_pkt pkts[FRAMES];
	enum pcf_stop why;
	struct rig r;

	rig_open(&r);
	for (unsigned i = 0; i < 5; i++)
		kernel_packet(&r, i % 2 ? 3000 : 100);
	CU_ASSERT_EQUAL(rig_show(&r, ops, pkts, FRAMES, &why), 5);
	rig_take(&r, ops, pkts, 5);
	for (unsigned i = 0; i < 5; i++)
		rig_give(&r, ops, &pkts[i * 3 % 5], 1);
	rig_settled(&r, 0);
	rig_close(&r);
}

static void fill_all(void)
{
	bool seen[FRAMES] = { false };
	struct rig r;

	rig_open(&r);
	CU_ASSERT_EQUAL(pcf_xdp_fill_all(&r.q), 0);
	CU_ASSERT_EQUAL(r.fill_prod - r.fill_cons, FRAMES);
	for (unsigned i = 0; i < FRAMES; i++) {
		uint64_t addr = r.fill[i];

		CU_ASSERT_TRUE(addr < AREA && addr % FRAME == 0);
		CU_ASSERT_FALSE(seen[addr / FRAME]);
		seen[addr / FRAME] = true;
	}
	CU_ASSERT_EQUAL(pcf_xdp_fill_all(&r.q), -ENOSPC);
	CU_ASSERT_EQUAL(r.fill_prod - r.fill_cons, FRAMES);
	rig_close(&r);
}

/* A fill ring that claims to be full loses frames, nothing else. */
static void fill_ring_full(void)
{
	const struct pcf_rx_ops *both[] = { &pcf_xdp_rx_single,
					    &pcf_xdp_rx_frags };

	for (unsigned i = 0; i < 2; i++) {
		uint32_t prod;
		struct rig r;

		rig_open(&r);
		for (unsigned n = 0; n < 4; n++)
			kernel_packet(&r, 60);
		prod = r.fill_prod = r.q.fill.cached_prod =
			r.fill_cons + FRAMES;
		CU_ASSERT_EQUAL(rig_drain(&r, both[i]), 4);
		CU_ASSERT_EQUAL(r.fill_prod, prod);
		CU_ASSERT_EQUAL(r.rx_cons, r.rx_prod);
		rig_close(&r);
	}
}

/* One datagram waits on the descriptor: who wakes the driver takes it. */
static void wakes_when_asked(void)
{
	const struct pcf_rx_ops *both[] = { &pcf_xdp_rx_single,
					    &pcf_xdp_rx_frags };
	char c = 'x';

	for (unsigned i = 0; i < 4; i++) {
		bool asked = i % 2;
		int pair[2];
		struct rig r;

		rig_open(&r);
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
			abort();
		CU_ASSERT_EQUAL(send(pair[1], &c, 1, 0), 1);
		r.q.fd = pair[0];
		r.fill_flags = asked ? XDP_RING_NEED_WAKEUP : 0;
		kernel_packet(&r, 60);
		CU_ASSERT_EQUAL(rig_drain(&r, both[i / 2]), 1);
		CU_ASSERT_EQUAL(recv(pair[0], &c, 1, MSG_DONTWAIT),
				asked ? -1 : 1);
		close(pair[0]);
		close(pair[1]);
		rig_close(&r);
	}
}

static CU_TestInfo tests[] = {
	PCF_TEST(single_any_steps),  PCF_TEST(frags_any_steps),
	PCF_TEST(done_in_any_order), PCF_TEST(fill_all),
	PCF_TEST(fill_ring_full),    PCF_TEST(wakes_when_asked),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("xdp_frames", tests);
}
