/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hot path of the direct ring over plain memory, with this program in the
 * XDP program's place: in good order, and with contents that no program of
 * ours writes. Behind the tail lies a page that nobody may touch.
 */
#include "backend/ring.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SIZE  262144u
#define GUARD 65536u
#define EPOCH 9
#define BATCH 64

struct rig {
	struct pcf_ring r;
	struct pcf_ring_ctl ctl;
	uint16_t units[SIZE / PCF_RING_UNIT];
	uint8_t *map;
	uint32_t sent, seen; /* numbers of packets */
	uint32_t snaplen;
	bool plain, filtered; /* said by the last rx */
};

static unsigned taken_calls;

/* Waking is ring.c's. */
void pcf_ring_taken(struct pcf_ring *r)
{
	(void)r;
	taken_calls++;
}

/* Positions begin just before they wrap, in the ring's middle. */
static void set_up(struct rig *x)
{
	size_t all = SIZE + PCF_RING_TAIL;
	uint64_t start = (uint64_t)-3 * SIZE + SIZE / 2;

	memset(x, 0, sizeof(*x));
	x->map = mmap(NULL, all + GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	if (x->map == MAP_FAILED ||
	    mprotect(x->map, all, PROT_READ | PROT_WRITE))
		abort();
	x->r = (struct pcf_ring){ .bytes = x->map,
				  .ctl = &x->ctl,
				  .size = SIZE,
				  .epoch = EPOCH,
				  .id = 5,
				  .shown = start,
				  .taken = start,
				  .freed = start,
				  .units = x->units };
	x->ctl.produced = x->ctl.consumed = start;
	x->snaplen = PCF_RING_DATA_MAX;
}

static void tear_down(struct rig *x)
{
	munmap(x->map, SIZE + PCF_RING_TAIL + GUARD);
}

static struct pcf_ring_record *next_record(struct rig *x)
{
	return (void *)(x->map + (x->ctl.produced & (SIZE - 1)));
}

static uint32_t room_of(uint32_t caplen)
{
	return (PCF_RING_HEADER + caplen + PCF_RING_UNIT - 1) &
	       ~(PCF_RING_UNIT - 1);
}

/* What the XDP program does. False: no room. */
static bool produce(struct rig *x, uint32_t len)
{
	struct pcf_ring_record *rec = next_record(x);

	x->ctl.matched++;
	if (x->ctl.produced + room_of(len) - x->ctl.consumed > SIZE) {
		x->ctl.dropped++;
		return false;
	}
	*rec = (struct pcf_ring_record){ .time = PCF_NSEC + x->sent,
					 .len = len,
					 .caplen = len,
					 .epoch = EPOCH,
					 .keep = UINT32_MAX };
	memset(rec->data, x->sent, len);
	x->ctl.produced += room_of(len);
	x->sent++;
	return true;
}

static unsigned rx(struct rig *x, struct pcf_pkt *pkts, unsigned max)
{
	uint64_t frames[BATCH];
	struct pcf_show to = { .pkts = pkts,
			     .frames = frames,
			     .snaplen = x->snaplen };
	unsigned n = pcf_ring_rx.rx((struct pcf_queue *)&x->r, &to, max);

	x->plain = to.plain;
	x->filtered = to.filtered;
	for (unsigned i = 0; i < n; i++) {
		CU_ASSERT_EQUAL(frames[i], pkts[i].frame);
		CU_ASSERT_EQUAL(pkts[i].flags / PCF_PKT_PLACE, i);
		pkts[i].flags %= PCF_PKT_PLACE;
	}
	return n;
}

static const uint64_t *frames_of(const struct pcf_pkt *pkts, unsigned n)
{
	static uint64_t frames[BATCH];

	for (unsigned i = 0; i < n; i++)
		frames[i] = pkts[i].frame;
	return frames;
}

static void take(struct rig *x, struct pcf_pkt *pkts, unsigned n)
{
	if (n)
		pcf_ring_rx.taken((struct pcf_queue *)&x->r, frames_of(pkts, n),
				  n);
}

static void done(struct rig *x, struct pcf_pkt *pkts, unsigned n)
{
	pcf_ring_rx.done((struct pcf_queue *)&x->r, frames_of(pkts, n), n);
}

static uint32_t size_of(uint32_t number)
{
	return number % 7 == 6 ? 9000 : 14 + number * 37 % 1500;
}

static bool intact(const struct pcf_pkt *p, uint32_t number)
{
	for (uint32_t i = 0; i < p->caplen; i++)
		if (p->data[i] != (uint8_t)number)
			return false;
	return p->caplen == size_of(number) && p->len == p->caplen &&
	       p->queue == 5 && p->flags == PCF_PKT_FILTERED;
}

/* Packets of all sizes, the ring full again and again, positions that wrap. */
static void order_and_bytes(void)
{
	static struct rig x;
	struct pcf_pkt pkts[BATCH];
	unsigned wrong = 0;

	set_up(&x);
	for (unsigned turn = 0; turn < 300; turn++) {
		unsigned n;

		while (produce(&x, size_of(x.sent)))
			;
		n = rx(&x, pkts, 1 + turn % BATCH);
		wrong += !n;
		for (unsigned i = 0; i < n; i++)
			wrong += !intact(&pkts[i], x.seen++);
		take(&x, pkts, n);
		done(&x, pkts, n);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_TRUE(x.ctl.produced < (uint64_t)1 << 32);
	tear_down(&x);
}

/* What lies behind the last record, from a former lap, looks as good as new. */
static void former_records(void)
{
	static struct rig x;
	struct pcf_pkt pkts[BATCH];
	uint64_t ends[10];

	set_up(&x);
	for (unsigned i = 0; i < 10; i++) {
		produce(&x, size_of(i));
		ends[i] = x.ctl.produced;
	}
	x.ctl.produced = ends[2];
	CU_ASSERT_EQUAL(rx(&x, pkts, BATCH), 3);
	CU_ASSERT_EQUAL(rx(&x, pkts, BATCH), 0);
	x.ctl.produced = ends[6] - PCF_RING_UNIT;
	CU_ASSERT_EQUAL(rx(&x, pkts, BATCH), 3);
	CU_ASSERT_EQUAL(rx(&x, pkts, BATCH), 0);
	x.ctl.produced = ends[9];
	CU_ASSERT_EQUAL(rx(&x, pkts, 2), 2);
	CU_ASSERT_TRUE(intact(&pkts[1], 7));
	CU_ASSERT_EQUAL(rx(&x, pkts, BATCH), 2);
	tear_down(&x);
}

/* Room goes back in order, and no sooner than the oldest is done. */
static void held_back(void)
{
	static struct rig x;
	struct pcf_pkt pkts[3];
	uint64_t start;

	set_up(&x);
	start = x.ctl.consumed;
	for (int i = 0; i < 3; i++)
		produce(&x, 60);
	CU_ASSERT_EQUAL_FATAL(rx(&x, pkts, 3), 3);
	take(&x, pkts, 3);
	done(&x, &pkts[2], 1);
	done(&x, &pkts[1], 1);
	CU_ASSERT_EQUAL(x.ctl.consumed, start);
	done(&x, &pkts[0], 1);
	CU_ASSERT_EQUAL(x.ctl.consumed, x.ctl.produced);
	tear_down(&x);
}

/* The filter has changed; the filter keeps less than the packet. */
static void marks(void)
{
	static struct rig x;
	struct pcf_pkt pkts[3];

	set_up(&x);
	next_record(&x);
	for (int i = 0; i < 3; i++) {
		struct pcf_ring_record *rec = next_record(&x);

		produce(&x, 100);
		rec->epoch = i == 0 ? EPOCH : i == 1 ? EPOCH - 1 : 0;
		rec->keep = 40 + i;
	}
	CU_ASSERT_EQUAL_FATAL(rx(&x, pkts, 3), 3);
	CU_ASSERT_EQUAL(pkts[0].flags, PCF_PKT_FILTERED);
	CU_ASSERT_EQUAL(pkts[1].flags, 0);
	CU_ASSERT_EQUAL(pkts[2].flags, 0);
	CU_ASSERT_EQUAL(pkts[2].caplen, 42);
	CU_ASSERT_EQUAL(pkts[2].len, 100);
	CU_ASSERT_TRUE(x.plain);
	CU_ASSERT_FALSE(x.filtered);
	tear_down(&x);
}

/* The usual mark is the former filter's from one packet to the next. */
static void filter_changes(void)
{
	static struct rig x;
	struct pcf_pkt pkts[3];

	set_up(&x);
	for (int i = 0; i < 9; i++)
		produce(&x, 100);
	CU_ASSERT_EQUAL(rx(&x, pkts, 3), 3);
	CU_ASSERT_TRUE(x.filtered);
	x.r.epoch = 0;
	CU_ASSERT_EQUAL(rx(&x, pkts, 3), 3);
	CU_ASSERT_FALSE(x.filtered);
	CU_ASSERT_EQUAL(pkts[1].flags, 0);
	x.r.epoch = EPOCH + 1;
	CU_ASSERT_EQUAL(rx(&x, pkts, 3), 3);
	CU_ASSERT_FALSE(x.filtered);
	CU_ASSERT_EQUAL(pkts[2].flags, 0);
	tear_down(&x);
}

/* One among many that are alike: longer than the snaplen, kept in part, let
 * through by a former filter, of the next second. */
static void one_is_odd(void)
{
	static struct rig x;
	struct pcf_pkt pkts[8];

	for (unsigned odd = 0; odd < 16; odd++) {
		unsigned at = odd / 4 * 2, kind = odd % 4;

		set_up(&x);
		x.snaplen = 100;
		for (unsigned i = 0; i < 16; i++) {
			struct pcf_ring_record *rec = next_record(&x);
			bool is = i == 8 + at;

			produce(&x, is && kind == 0 ? 101 : 100);
			rec->keep = is && kind == 1 ? 90 : 100;
			rec->epoch = EPOCH - (is && kind == 2);
			rec->time = (is && kind == 3 ? 3 : 2) * PCF_NSEC;
		}
		CU_ASSERT_EQUAL(rx(&x, pkts, 8), 8);
		CU_ASSERT_TRUE(x.plain && x.filtered);
		CU_ASSERT_EQUAL(rx(&x, pkts, 8), 8);
		for (unsigned i = 0; i < 8; i++) {
			CU_ASSERT_EQUAL(pkts[i].caplen,
					i == at && kind == 1 ? 90 : 100);
			CU_ASSERT_EQUAL(pkts[i].len,
					i == at && kind == 0 ? 101 : 100);
			CU_ASSERT_EQUAL(pkts[i].flags != 0,
					i != at || kind != 2);
			CU_ASSERT_EQUAL(pkts[i].ts.tv_sec,
					i == at && kind == 3 ? 3 : 2);
		}
		CU_ASSERT_EQUAL(x.plain, true);
		CU_ASSERT_EQUAL(x.filtered, kind != 2);
		tear_down(&x);
	}
}

/* --- what no program of ours writes -------------------------------------- */

/* More than the ring holds, or less than nothing: nothing is shown. */
static void producer_jumps(void)
{
	static struct rig x;
	static const int64_t jumps[] = { SIZE + 1,	 2 * SIZE,  -(int64_t)1,
					 -(int64_t)SIZE, INT64_MAX, INT64_MIN };
	struct pcf_pkt pkts[BATCH];

	set_up(&x);
	for (unsigned i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		uint64_t good = x.ctl.produced;

		x.ctl.produced += jumps[i];
		CU_ASSERT_EQUAL(rx(&x, pkts, BATCH), 0);
		x.ctl.produced = good;
	}
	produce(&x, size_of(0));
	CU_ASSERT_EQUAL(rx(&x, pkts, BATCH), 1);
	CU_ASSERT_TRUE(intact(&pkts[0], 0));
	tear_down(&x);
}

/* A producer within bounds over records that were never written. */
static void nothing_but_zeroes(void)
{
	static struct rig x;
	struct pcf_pkt pkts[BATCH];
	unsigned n;

	set_up(&x);
	x.ctl.produced += SIZE;
	while ((n = rx(&x, pkts, BATCH))) {
		for (unsigned i = 0; i < n; i++)
			CU_ASSERT_EQUAL(pkts[i].caplen, 0);
		take(&x, pkts, n);
		done(&x, pkts, n);
	}
	CU_ASSERT_EQUAL(x.ctl.consumed, x.ctl.produced);
	tear_down(&x);
}

static void not_shown(uint32_t caplen, uint32_t produced)
{
	static struct rig x;
	struct pcf_pkt pkts[BATCH];
	struct pcf_ring_record *rec;

	set_up(&x);
	rec = next_record(&x);
	produce(&x, 30);
	rec->caplen = caplen;
	x.ctl.produced = x.r.shown + produced;
	CU_ASSERT_EQUAL(rx(&x, pkts, BATCH), 0);
	tear_down(&x);
}

/* Lengths beyond what was produced, beyond any record, and the ring. */
static void long_records(void)
{
	not_shown(65, PCF_RING_UNIT);
	not_shown(PCF_RING_DATA_MAX, PCF_RING_DATA_MAX);
	not_shown(PCF_RING_DATA_MAX + 1, SIZE);
	not_shown(SIZE, SIZE);
	not_shown(UINT32_MAX - 100, SIZE);
	not_shown(UINT32_MAX, SIZE);
}

/* The longest one, begun in the ring's last unit, ends in the tail. */
static void longest_at_the_end(void)
{
	static struct rig x;
	struct pcf_pkt pkt;

	set_up(&x);
	x.r.shown = x.r.taken = x.r.freed = SIZE - PCF_RING_UNIT;
	x.ctl.produced = x.ctl.consumed = SIZE - PCF_RING_UNIT;
	CU_ASSERT_TRUE_FATAL(produce(&x, PCF_RING_DATA_MAX));
	CU_ASSERT_EQUAL_FATAL(rx(&x, &pkt, 1), 1);
	CU_ASSERT_EQUAL(pkt.caplen, PCF_RING_DATA_MAX);
	CU_ASSERT_EQUAL(pkt.data[pkt.caplen - 1], 0);
	tear_down(&x);
}

/* What is in a record changes after it was shown: giving it back goes by the
 * reader's own books. */
static void torn_afterwards(void)
{
	static struct rig x;
	struct pcf_pkt pkts[2];
	struct pcf_ring_record *rec;

	set_up(&x);
	rec = next_record(&x);
	produce(&x, 60);
	produce(&x, 60);
	CU_ASSERT_EQUAL_FATAL(rx(&x, pkts, 2), 2);
	rec->caplen = UINT32_MAX;
	take(&x, pkts, 2);
	done(&x, pkts, 2);
	CU_ASSERT_EQUAL(x.ctl.consumed, x.ctl.produced);
	CU_ASSERT_EQUAL(pkts[0].caplen, 60);
	tear_down(&x);
}

/* Anything at all: within the memory, and it ends. */
static void noise(void)
{
	static struct rig x;
	struct pcf_pkt pkts[BATCH];

	srand(1);
	for (unsigned turn = 0; turn < 2000; turn++) {
		unsigned n, sum = 0;

		if (turn % 100 == 0)
			set_up(&x);
		for (unsigned i = 0; i < 4096; i++)
			x.map[rand() % (SIZE + PCF_RING_TAIL)] =
				turn % 3 ? rand() % 4 : rand();
		x.ctl.produced = x.r.shown + rand() % (SIZE + 2);
		n = rx(&x, pkts, BATCH);
		for (unsigned i = 0; i < n; i++)
			for (unsigned j = 0; j < pkts[i].caplen; j++)
				sum += pkts[i].data[j];
		x.sent += sum & 1;
		take(&x, pkts, n);
		done(&x, pkts, n);
		CU_ASSERT_EQUAL(x.ctl.consumed, x.r.shown);
		if (turn % 100 == 99)
			tear_down(&x);
	}
}

static CU_TestInfo tests[] = {
	PCF_TEST(order_and_bytes),
	PCF_TEST(former_records),
	PCF_TEST(held_back),
	PCF_TEST(marks),
	PCF_TEST(filter_changes),
	PCF_TEST(one_is_odd),
	PCF_TEST(producer_jumps),
	PCF_TEST(nothing_but_zeroes),
	PCF_TEST(long_records),
	PCF_TEST(longest_at_the_end),
	PCF_TEST(torn_afterwards),
	PCF_TEST(noise),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("ring_io", tests);
}
