/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending by rings in plain memory, with this program in the kernel's place:
 * sendto() is wrapped, takes so many descriptors a call as the test says, and
 * completes them when the test says. After each test every frame must be in
 * one place, and in one only. Both the rings (af_xdp_tx.c) and the waiting
 * above them (transmit.c) are under test.
 */
#include "backend/af_xdp.h"
#include "compat/kernel.h"
#include "tests/sending.h"
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FRAME 2048u
#define RX    64u /* frames for receiving, which lie in front */
#define TX    32u /* ... and for sending */
#define RING  16u /* fewer than frames: it can be full */
#define COMP  128u /* more than are taken at a time */
#define MTU   1500
#define HALF  ((RX + TX) * FRAME)

static struct rig {
	struct pcf_queue q;
	struct pcf_umem umem;
	uint32_t tx_prod, tx_cons, comp_prod, comp_cons;
	uint32_t fill_prod, fill_cons, flags;
	struct xdp_desc tx[RING];
	uint64_t comp[COMP], fill[RX];
	uint8_t area[HALF];
	/* the kernel's part */
	int budget; /* descriptors a call, */
	int total;  /* ... and in all, -1: any number */
	int error;  /* what sendto() says when it has taken those */
	bool keeps; /* what was taken is not completed */
	uint64_t kept[TX];
	unsigned nkept, calls, ndone;
	struct xdp_desc done[4096];
	uint8_t first[4096]; /* of each packet's bytes */
} r;

ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags,
		      const struct sockaddr *to, socklen_t size);

static void complete(uint64_t addr)
{
	r.comp[r.comp_prod++ % COMP] = addr;
}

static void completes_all(void)
{
	while (r.nkept)
		complete(r.kept[--r.nkept]);
}

static void take(const struct xdp_desc *d)
{
	CU_ASSERT_TRUE_FATAL(d->addr + d->len <= HALF && r.ndone < 4096);
	r.first[r.ndone] = r.area[d->addr];
	r.done[r.ndone++] = *d;
	if (r.keeps)
		r.kept[r.nkept++] = d->addr;
	else
		complete(d->addr);
}

ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags,
		      const struct sockaddr *to, socklen_t size)
{
	int n = 0;

	CU_ASSERT_EQUAL(fd, 77);
	CU_ASSERT_TRUE(!data && !len && flags == MSG_DONTWAIT && !to && !size);
	r.calls++;
	for (; r.tx_cons != r.tx_prod && n < r.budget && r.total; n++) {
		take(&r.tx[r.tx_cons++ % RING]);
		r.total -= r.total > 0;
	}
	if (r.error && (r.tx_cons != r.tx_prod || r.error == EBUSY)) {
		errno = r.error;
		return -1;
	}
	return 0;
}

/* --- the rig ------------------------------------------------------------- */

static struct xsk_ring_prod producer(uint32_t *prod, uint32_t *cons, void *ring,
				     uint32_t size)
{
	return (struct xsk_ring_prod){ .cached_cons = size,
				       .mask = size - 1,
				       .size = size,
				       .producer = prod,
				       .consumer = cons,
				       .ring = ring,
				       .flags = &r.flags };
}

static void set_up(void)
{
	memset(&r, 0, sizeof(r));
	r.umem = (struct pcf_umem){ .area = r.area,
				    .size = HALF,
				    .frame_size = FRAME,
				    .frames = RX,
				    .tx_frames = TX,
				    .homes = { &r.q } };
	r.q.umem = &r.umem;
	r.q.area = r.area;
	r.q.area_size = HALF;
	r.q.frame_mask = ~(uint64_t)(FRAME - 1);
	r.q.fd = 77;
	r.q.tx.ring = producer(&r.tx_prod, &r.tx_cons, r.tx, RING);
	r.q.fill = producer(&r.fill_prod, &r.fill_cons, r.fill, RX);
	r.q.comp = (struct xsk_ring_cons){ .mask = COMP - 1,
					   .size = COMP,
					   .producer = &r.comp_prod,
					   .consumer = &r.comp_cons,
					   .ring = r.comp,
					   .flags = &r.flags };
	r.budget = RING;
	r.total = -1;
	CU_ASSERT_EQUAL_FATAL(pcf_xdp_tx_init(&r.q), 0);
	sending_open(&r.q, &pcf_xdp_tx, MTU);
}

/* Each frame for sending is free, once; nothing is on its way. */
static void tear_down(void)
{
	bool seen[RX + TX] = { false };

	CU_ASSERT_EQUAL(r.q.tx.nfree, TX);
	CU_ASSERT_EQUAL(r.q.tx.pending, 0);
	for (unsigned i = 0; i < r.q.tx.nfree; i++) {
		uint64_t f = r.q.tx.free[i] / FRAME;

		CU_ASSERT_TRUE_FATAL(f >= RX && f < RX + TX);
		CU_ASSERT_EQUAL(r.q.tx.free[i] % FRAME, 0);
		CU_ASSERT_FALSE(seen[f]);
		seen[f] = true;
	}
	sending_close();
	free(r.q.tx.free);
}

static uint8_t bytes[256][MTU + 14];

/* Packets whose first byte is their number. */
static void make(struct pcf_pkt *pkts, unsigned n, uint32_t len)
{
	for (unsigned i = 0; i < n; i++) {
		bytes[i % 256][0] = i;
		pkts[i] = (struct pcf_pkt){ .data = bytes[i % 256],
					    .caplen = len };
	}
}

static void in_order(unsigned n)
{
	CU_ASSERT_EQUAL(r.ndone, n);
	for (unsigned i = 0; i < r.ndone; i++)
		CU_ASSERT_EQUAL(r.first[i], i % 256);
}

/* --- room ---------------------------------------------------------------- */

/* More packets than ring and frames; the kernel takes a few a call. */
static void more_than_the_ring(void)
{
	struct pcf_pkt pkts[200];

	for (int budget = 1; budget <= (int)RING + 1; budget++) {
		set_up();
		r.budget = budget;
		make(pkts, 200, 60);
		CU_ASSERT_EQUAL(sending_copy(pkts, 200), 200);
		in_order(200);
		CU_ASSERT_EQUAL(r.q.tx.sent, 200);
		tear_down();
	}
}

/* The kernel stops somewhere. What it has not taken is the caller's again, and
 * goes out in its turn the next time. */
static void full(int error)
{
	struct pcf_pkt pkts[100];

	for (int stop = 0; stop < 100; stop++) {
		set_up();
		sending_nonblock(true);
		r.total = stop;
		r.error = error;
		make(pkts, 100, 60);
		CU_ASSERT_EQUAL(sending_copy(pkts, 100), stop ? stop : -EAGAIN);
		CU_ASSERT_EQUAL(r.q.tx.sent, (uint64_t)stop);
		CU_ASSERT_EQUAL(r.tx_prod, r.tx_cons);
		r.total = -1;
		CU_ASSERT_EQUAL(sending_copy(pkts + stop, 100 - stop),
				100 - stop);
		in_order(100);
		tear_down();
	}
}

static void ring_full(void)
{
	full(EAGAIN);
	full(ENOBUFS);
}

/* A call that may wait does so until somebody makes it stop. */
static void ring_full_broken(void)
{
	struct pcf_pkt pkts[40];

	set_up();
	r.total = 20;
	r.error = EAGAIN;
	make(pkts, 40, 60);
	sending_break();
	CU_ASSERT_EQUAL(sending_copy(pkts, 40), 20);
	CU_ASSERT_EQUAL(sending_copy(pkts, 1), -EINTR);
	in_order(20);
	tear_down();
}

/* Interface down or gone after some: these count, the others come back. */
static void interface_lost(void)
{
	static const int errors[] = { ENETDOWN, ENXIO };
	struct pcf_pkt pkts[64];

	for (unsigned i = 0; i < 2; i++)
		for (int stop = 0; stop < 40; stop += 3) {
			set_up();
			r.total = stop;
			r.error = errors[i];
			make(pkts, 64, 60);
			CU_ASSERT_EQUAL(sending_copy(pkts, 64),
					stop ? stop : -errors[i]);
			CU_ASSERT_EQUAL(r.q.tx.sent, (uint64_t)stop);
			tear_down();
		}
}

/* Without carrier the kernel takes one, drops it and says busy. */
static void dropped(void)
{
	struct pcf_pkt pkts[30];

	set_up();
	r.budget = 1;
	r.error = EBUSY;
	make(pkts, 30, 60);
	CU_ASSERT_EQUAL(sending_copy(pkts, 30), 30);
	CU_ASSERT_EQUAL(r.q.tx.dropped, 30);
	tear_down();
}

/* --- frames of the caller ------------------------------------------------ */

/* Reserved frames that could not be sent are still the caller's. */
static void in_place_full(void)
{
	struct pcf_pkt pkts[TX];
	unsigned n = TX;

	for (int stop = 0; stop <= (int)TX; stop++) {
		set_up();
		sending_nonblock(true);
		CU_ASSERT_EQUAL(pcf_xdp_tx.reserve(&r.q, pkts, TX), n);
		CU_ASSERT_EQUAL(pcf_xdp_tx.reserve(&r.q, pkts, 1), 0);
		for (unsigned i = 0; i < TX; i++) {
			pkts[i].data[0] = i;
			pkts[i].caplen = 60;
		}
		r.total = stop;
		CU_ASSERT_EQUAL(sending_own(pkts, TX), stop ? stop : -EAGAIN);
		in_order(stop);
		pcf_xdp_tx.cancel(&r.q, pkts + stop, TX - stop);
		tear_down();
	}
}

/* A packet may begin anywhere in its frame; the frame comes back whole. */
static void in_place_offset(void)
{
	struct pcf_pkt pkts[TX];

	set_up();
	CU_ASSERT_EQUAL(pcf_xdp_tx.reserve(&r.q, pkts, TX), TX);
	for (unsigned i = 0; i < TX; i++) {
		pkts[i].data += 16 * (i + 1);
		pkts[i].data[0] = i;
		pkts[i].caplen = 60;
		CU_ASSERT_TRUE(pcf_xdp_tx.sendable(&r.q, &pkts[i]));
	}
	CU_ASSERT_EQUAL(sending_own(pkts, TX), TX);
	in_order(TX);
	tear_down();
}

/* What was received leaves and goes home, by whatever ring it was sent. */
static void received_frames(void)
{
	struct pcf_pkt pkts[RX];

	set_up();
	for (unsigned i = 0; i < RX; i++) {
		pkts[i] = (struct pcf_pkt){ .data = r.area + i * FRAME + 256,
					    .caplen = 60,
					    .frame = i * FRAME + 256 };
		pkts[i].data[0] = i;
	}
	CU_ASSERT_EQUAL(sending_own(pkts, RX), RX);
	in_order(RX);
	CU_ASSERT_EQUAL(r.fill_prod, RX);
	for (unsigned i = 0; i < RX; i++)
		CU_ASSERT_EQUAL(r.fill[i], i * FRAME);
	tear_down();
}

/* Addresses that are none, or come twice, in a ring that others can write. */
static void hostile_completions(void)
{
	static const uint64_t addrs[] = { HALF, HALF + FRAME, UINT64_MAX,
					  1ull << 48, RX * FRAME };
	struct pcf_pkt pkt;
	bool progress;

	set_up();
	for (unsigned i = 0; i < 100; i++)
		complete(addrs[i % 5]);
	CU_ASSERT_EQUAL(pcf_xdp_tx.kick(&r.q, &progress), 0);
	CU_ASSERT_EQUAL(r.comp_cons, r.comp_prod);
	make(&pkt, 1, 60);
	CU_ASSERT_EQUAL(sending_copy(&pkt, 1), 1);
	CU_ASSERT_EQUAL(r.fill_prod, 0);
	tear_down();
}

/* --- several frames a packet --------------------------------------------- */

/* Never half a packet, wherever the kernel stops. */
static void spans(void)
{
	static uint8_t jumbo[3 * FRAME];

	for (int stop = 0; stop < 16; stop++) {
		struct pcf_pkt pkts[10];
		int whole = stop / 3;

		set_up();
		sending_mtu(3 * FRAME);
		sending_nonblock(true);
		for (unsigned i = 0; i < 10; i++)
			pkts[i] = (struct pcf_pkt){ .data = jumbo,
						    .caplen = 3 * FRAME - 9 };
		r.total = stop - stop % 3;
		CU_ASSERT_EQUAL(sending_copy(pkts, 10),
				whole ? whole : -EAGAIN);
		CU_ASSERT_EQUAL(r.ndone, 3u * whole);
		for (unsigned i = 0; i < r.ndone; i++) {
			CU_ASSERT_EQUAL(r.done[i].options,
					i % 3 < 2 ? XDP_PKT_CONTD : 0);
			CU_ASSERT_EQUAL(r.done[i].len,
					i % 3 < 2 ? FRAME : FRAME - 9);
		}
		tear_down();
	}
}

/* The room that is known of may be less than there is by now. */
static void long_behind_short(void)
{
	static uint8_t jumbo[3 * FRAME];
	struct pcf_pkt pkts[RING - 2], pkt = { .data = jumbo,
					       .caplen = 3 * FRAME };

	set_up();
	sending_mtu(3 * FRAME);
	sending_nonblock(true);
	make(pkts, RING - 2, 60);
	CU_ASSERT_EQUAL(sending_copy(pkts, RING - 2), RING - 2);
	CU_ASSERT_EQUAL(sending_copy(&pkt, 1), 1);
	CU_ASSERT_EQUAL(r.ndone, RING + 1);
	tear_down();
}

/* --- one at a time ------------------------------------------------------- */

/* One call each, in order with batches, which may then fill the ring. */
static void one_at_a_time(void)
{
	struct pcf_pkt pkts[300];
	unsigned i = 0;

	set_up();
	make(pkts, 300, 60);
	for (; i < 3 * RING; i++)
		CU_ASSERT_EQUAL(sending_copy(pkts + i, 1), 1);
	CU_ASSERT_EQUAL(sending_copy(pkts + i, RING + 3), RING + 3);
	i += RING + 3;
	for (unsigned n = 1; i + n + 1 < 300; n++) {
		unsigned calls = r.calls;

		CU_ASSERT_EQUAL(sending_copy(pkts + i++, 1), 1);
		CU_ASSERT_EQUAL(r.calls, calls + 1);
		CU_ASSERT_EQUAL(sending_copy(pkts + i, n + 1), (int)n + 1);
		i += n + 1;
	}
	in_order(i);
	CU_ASSERT_EQUAL(r.q.tx.sent, i);
	tear_down();
}

/* More frames of the caller's than the ring takes, when single packets have
 * gone round it. */
static void one_then_in_place(void)
{
	struct pcf_pkt pkts[2 * RING], own[TX];

	set_up();
	make(pkts, 2 * RING, 60);
	for (unsigned i = 0; i < 2 * RING; i++)
		CU_ASSERT_EQUAL(sending_copy(pkts + i, 1), 1);
	CU_ASSERT_EQUAL_FATAL(pcf_xdp_tx.reserve(&r.q, own, TX), TX);
	for (unsigned i = 0; i < TX; i++) {
		own[i].data[0] = 2 * RING + i;
		own[i].caplen = 60;
	}
	CU_ASSERT_EQUAL(sending_own(own, TX), TX);
	in_order(2 * RING + TX);
	tear_down();
}

/* What the kernel does not take is not in the ring when it is said why. */
static void one_refused(void)
{
	static const int errors[] = { ENETDOWN, ENXIO, EAGAIN, ENOBUFS, EPERM };
	static const int said[] = { -ENETDOWN, -ENXIO, -EAGAIN, -EAGAIN,
				    -EPERM };
	struct pcf_pkt pkts[6];

	set_up();
	sending_nonblock(true);
	make(pkts, 6, 60);
	for (unsigned i = 0; i < 5; i++) {
		r.error = errors[i];
		r.total = 0;
		CU_ASSERT_EQUAL(sending_copy(pkts + i, 1), said[i]);
		CU_ASSERT_EQUAL(r.tx_prod, r.tx_cons);
		r.total = -1;
		CU_ASSERT_EQUAL(sending_copy(pkts + i, 1), 1);
	}
	r.error = EBUSY;
	CU_ASSERT_EQUAL(sending_copy(pkts + 5, 1), 1);
	CU_ASSERT_EQUAL(r.q.tx.dropped, 1);
	CU_ASSERT_EQUAL(r.q.tx.sent, 6);
	in_order(6);
	tear_down();
}

/* Frames that the device keeps are not used again, whichever comes back. */
static void one_kept(void)
{
	struct pcf_pkt pkts[TX + 1];
	bool seen[RX + TX] = { false };

	set_up();
	r.keeps = true;
	sending_nonblock(true);
	make(pkts, TX + 1, 60);
	for (unsigned i = 0; i < TX; i++) {
		CU_ASSERT_EQUAL(sending_copy(pkts + i, 1), 1);
		CU_ASSERT_FALSE(seen[r.done[i].addr / FRAME]);
		seen[r.done[i].addr / FRAME] = true;
	}
	CU_ASSERT_EQUAL(sending_copy(pkts + TX, 1), -EAGAIN);
	complete(r.kept[0]);
	r.kept[0] = r.kept[--r.nkept];
	CU_ASSERT_EQUAL(sending_copy(pkts + TX, 1), 1);
	CU_ASSERT_EQUAL(r.done[TX].addr, r.done[0].addr);
	completes_all();
	CU_ASSERT_EQUAL(sending_flush(20), 0);
	in_order(TX + 1);
	tear_down();
}

/* Another frame's completion, while its own is still to come. */
static void one_for_another(void)
{
	struct pcf_pkt pkts[2];

	set_up();
	make(pkts, 2, 60);
	r.keeps = true;
	CU_ASSERT_EQUAL(sending_copy(pkts, 1), 1);
	complete(r.kept[--r.nkept]);
	CU_ASSERT_EQUAL(sending_copy(pkts + 1, 1), 1);
	CU_ASSERT_EQUAL(r.q.tx.pending, 1);
	CU_ASSERT_EQUAL(r.q.tx.nfree, TX - 1);
	completes_all();
	CU_ASSERT_EQUAL(sending_flush(20), 0);
	tear_down();
}

/* The kernel stops within a long packet, twice: what comes next is not taken
 * for sent before it is. */
static void one_behind_a_part(void)
{
	static uint8_t jumbo[3 * FRAME];
	struct pcf_pkt pkt = { .data = jumbo, .caplen = 3 * FRAME }, next;

	set_up();
	sending_mtu(3 * FRAME);
	sending_nonblock(true);
	r.total = 1;
	CU_ASSERT_EQUAL(sending_copy(&pkt, 1), 1);
	make(&next, 1, 60);
	bytes[0][0] = 0xee;
	r.total = 1;
	CU_ASSERT_EQUAL(sending_copy(&next, 1), -EAGAIN);
	r.total = -1;
	CU_ASSERT_EQUAL(sending_copy(&next, 1), 1);
	CU_ASSERT_EQUAL(r.ndone, 4);
	CU_ASSERT_EQUAL(r.first[3], 0xee);
	tear_down();
}

/* --- waiting for completion ---------------------------------------------- */

/* What the device has not given back is counted, waited for, and not used
 * again before it has. */
static void waiting(void)
{
	struct pcf_pkt pkts[TX + 1];

	set_up();
	r.keeps = true;
	sending_nonblock(true);
	make(pkts, TX + 1, 60);
	CU_ASSERT_EQUAL(sending_copy(pkts, TX + 1), TX);
	CU_ASSERT_EQUAL(pcf_xdp_tx.reserve(&r.q, pkts, 1), 0);
	CU_ASSERT_EQUAL(sending_flush(20), TX);
	completes_all();
	CU_ASSERT_EQUAL(sending_flush(20), 0);
	in_order(TX);
	tear_down();
}

/* A zero-copy driver has what is in the ring: nothing is taken back. */
static void zerocopy(void)
{
	struct pcf_pkt pkts[RING];

	set_up();
	r.q.zerocopy = true;
	sending_nonblock(true);
	make(pkts, RING, 60);
	CU_ASSERT_EQUAL(sending_copy(pkts, 1), 1);
	CU_ASSERT_EQUAL(sending_copy(pkts + 1, RING - 1), RING - 1);
	CU_ASSERT_EQUAL(r.calls, 0); /* did not ask to be woken */
	CU_ASSERT_EQUAL(sending_copy(pkts, 1), -EAGAIN);
	CU_ASSERT_EQUAL(sending_flush(5), RING);
	r.flags = XDP_RING_NEED_WAKEUP;
	CU_ASSERT_EQUAL(sending_copy(pkts, 1), -EAGAIN);
	CU_ASSERT_EQUAL(r.calls, 1);
	CU_ASSERT_EQUAL(sending_copy(pkts, 1), 1);
	CU_ASSERT_EQUAL(sending_flush(5), 0);
	CU_ASSERT_EQUAL(r.ndone, RING + 1);
	tear_down();
}

/* ... not even when it cannot be woken. */
static void zerocopy_down(void)
{
	struct pcf_pkt pkts[4];

	set_up();
	r.q.zerocopy = true;
	r.flags = XDP_RING_NEED_WAKEUP;
	r.total = 0;
	r.error = ENETDOWN;
	make(pkts, 4, 60);
	CU_ASSERT_EQUAL(sending_copy(pkts, 4), 4);
	CU_ASSERT_EQUAL(r.tx_prod, 4);
	CU_ASSERT_EQUAL(sending_flush(5), 4);
	r.total = -1;
	CU_ASSERT_EQUAL(sending_flush(5), 0);
	tear_down();
}

static CU_TestInfo tests[] = {
	PCF_TEST(more_than_the_ring),
	PCF_TEST(ring_full),
	PCF_TEST(ring_full_broken),
	PCF_TEST(interface_lost),
	PCF_TEST(dropped),
	PCF_TEST(in_place_full),
	PCF_TEST(in_place_offset),
	PCF_TEST(received_frames),
	PCF_TEST(hostile_completions),
	PCF_TEST(spans),
	PCF_TEST(long_behind_short),
	PCF_TEST(one_at_a_time),
	PCF_TEST(one_then_in_place),
	PCF_TEST(one_refused),
	PCF_TEST(one_kept),
	PCF_TEST(one_for_another),
	PCF_TEST(one_behind_a_part),
	PCF_TEST(waiting),
	PCF_TEST(zerocopy),
	PCF_TEST(zerocopy_down),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("xdp_tx", tests);
}
