/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hot path of the AF_XDP backend over rings in plain memory, with this
 * program in the kernel's place: it takes frames from the fill ring, writes
 * packets into them and descriptors into the RX ring, and knows at any time
 * who has which frame. The area lies between pages that nobody may touch.
 */
#include "backend/af_xdp.h"
#include "compat/kernel.h"
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAMES	    64u
#define FRAME	    2048u
#define AREA	    (FRAMES * FRAME)
#define GUARD	    65536u
#define BOUNCES	    8u
#define BOUNCE_SIZE 6000u
#define EPOCH	    5

struct rig {
	struct pcf_queue q;
	struct pcf_umem umem;
	struct pcf_ctl ctl;
	uint32_t rx_prod, rx_cons, rx_flags;
	uint32_t fill_prod, fill_cons, fill_flags;
	struct xdp_desc rx[FRAMES];
	uint64_t fill[FRAMES];
	uint8_t *map;
	/* the kernel's books */
	bool out[FRAMES]; /* shown to the reader, not given back */
	unsigned nout, refused;
	uint32_t next; /* number of the next packet */
	uint32_t snaplen;
	bool plain, filtered; /* said by the last rx */
};

/* --- the kernel ---------------------------------------------------------- */

/* Take over what is in the fill ring; like the kernel, go by the frame that an
 * address lies in, and skip what is no frame. A frame that was not out is given
 * back twice. */
static void kernel_collects(struct rig *r)
{
	for (; r->fill_cons != r->fill_prod; r->fill_cons++) {
		uint64_t addr = r->fill[r->fill_cons % FRAMES];

		if (addr >= AREA) {
			r->refused++;
			continue;
		}
		CU_ASSERT_TRUE(r->out[addr / FRAME]);
		r->out[addr / FRAME] = false;
		r->nout--;
	}
}

static uint64_t kernel_frame(struct rig *r)
{
	kernel_collects(r);
	for (unsigned i = 0; i < FRAMES; i++) {
		unsigned f = (r->next * 7 + i) % FRAMES;

		if (r->out[f])
			continue;
		r->out[f] = true;
		r->nout++;
		return (uint64_t)f * FRAME;
	}
	abort();
}

static void kernel_shows(struct rig *r, uint64_t addr, uint32_t len,
			 uint32_t options)
{
	r->rx[r->rx_prod++ % FRAMES] = (struct xdp_desc){ addr, len, options };
}

static uint8_t byte_of(uint32_t number, uint32_t at)
{
	return number * 31 + at * 7 + (at >> 8);
}

/* One part of packet `number`, from byte `at` on; metadata before the first. */
static void kernel_part(struct rig *r, uint32_t number, uint32_t at,
			uint32_t len, bool more)
{
	uint64_t addr = kernel_frame(r) + PCF_HEADROOM;
	uint8_t *data = r->q.area + addr;
	struct pcf_meta m = { .time = number * PCF_NSEC + 1000,
			      .epoch = EPOCH,
			      .keep = UINT32_MAX };

	if (!at)
		memcpy(data - sizeof(m), &m, sizeof(m));
	for (uint32_t i = 0; i < len; i++)
		data[i] = byte_of(number, at + i);
	kernel_shows(r, addr, len, more ? XDP_PKT_CONTD : 0);
}

static void kernel_packet(struct rig *r, uint32_t len)
{
	uint32_t number = r->next++, most = FRAME - PCF_HEADROOM, at = 0;

	for (; len - at > most; at += most)
		kernel_part(r, number, at, most, true);
	kernel_part(r, number, at, len - at, false);
}

static struct pcf_meta *last_meta(struct rig *r)
{
	return (void *)(r->q.area + r->rx[(r->rx_prod - 1) % FRAMES].addr -
			sizeof(struct pcf_meta));
}

/* --- set-up -------------------------------------------------------------- */

static void map_area(struct rig *r)
{
	r->map = mmap(NULL, AREA + 2 * GUARD, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (r->map == MAP_FAILED ||
	    mprotect(r->map + GUARD, AREA, PROT_READ | PROT_WRITE))
		abort();
	r->q.area = r->map + GUARD;
	r->q.area_size = AREA;
}

static void make_bounce(struct pcf_bounce *b)
{
	b->size = BOUNCE_SIZE;
	b->nfree = b->count = BOUNCES;
	b->area = malloc((size_t)BOUNCES * BOUNCE_SIZE);
	b->free = calloc(BOUNCES, sizeof(*b->free));
	for (unsigned i = 0; i < BOUNCES; i++)
		b->free[i] = i;
}

/* The indices begin just before they wrap. All frames are with the kernel. */
static void set_up(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	r->rx_prod = r->rx_cons = r->fill_prod = r->fill_cons = -20u;
	r->q.rx = (struct xsk_ring_cons){
		.cached_prod = r->rx_prod,
		.cached_cons = r->rx_cons,
		.mask = FRAMES - 1,
		.size = FRAMES,
		.producer = &r->rx_prod,
		.consumer = &r->rx_cons,
		.ring = r->rx,
		.flags = &r->rx_flags,
	};
	r->q.fill = (struct xsk_ring_prod){
		.cached_prod = r->fill_prod,
		.cached_cons = r->fill_cons + FRAMES,
		.mask = FRAMES - 1,
		.size = FRAMES,
		.producer = &r->fill_prod,
		.consumer = &r->fill_cons,
		.ring = r->fill,
		.flags = &r->fill_flags,
	};
	map_area(r);
	make_bounce(&r->q.bounce);
	r->q.frame_mask = ~((uint64_t)FRAME - 1);
	r->q.ctl = &r->ctl;
	r->q.epoch = EPOCH;
	r->q.id = 3;
	r->q.fd = -1;
	r->q.umem = &r->umem;
	r->umem.frames = FRAMES;
	r->umem.frame_size = FRAME;
	r->snaplen = 65535;
}

static void tear_down(struct rig *r)
{
	munmap(r->map, AREA + 2 * GUARD);
	free(r->q.bounce.area);
	free(r->q.bounce.free);
}

static bool intact(const struct pcf_pkt *p, uint32_t number, uint32_t len)
{
	for (uint32_t i = 0; i < p->caplen; i++)
		if (p->data[i] != byte_of(number, i))
			return false;
	return p->len == len && p->queue == 3;
}

/* --- the reader ---------------------------------------------------------- */

/* One rx(), whose packets carry their places. */
static unsigned show(struct rig *r, const struct pcf_rx_ops *ops,
		     struct pcf_pkt *pkts, unsigned max, enum pcf_stop *why)
{
	uint64_t frames[FRAMES];
	struct pcf_show rx = { .pkts = pkts,
			     .frames = frames,
			     .flags = 7 * PCF_PKT_PLACE,
			     .snaplen = r->snaplen };
	unsigned n = ops->rx(&r->q, &rx, max);

	*why = rx.why;
	r->plain = rx.plain;
	r->filtered = rx.filtered;
	for (unsigned i = 0; i < n; i++) {
		CU_ASSERT_EQUAL(frames[i], pkts[i].frame);
		CU_ASSERT_EQUAL(pkts[i].flags / PCF_PKT_PLACE, 7 + i);
		pkts[i].flags %= PCF_PKT_PLACE;
	}
	return n;
}

static const uint64_t *frames_of(const struct pcf_pkt *pkts, unsigned n)
{
	static uint64_t frames[FRAMES];

	for (unsigned i = 0; i < n; i++)
		frames[i] = pkts[i].frame;
	return frames;
}

static void take(struct rig *r, const struct pcf_rx_ops *ops,
		 const struct pcf_pkt *pkts, unsigned n)
{
	ops->taken(&r->q, frames_of(pkts, n), n);
}

static void give(struct rig *r, const struct pcf_rx_ops *ops,
		 const struct pcf_pkt *pkts, unsigned n)
{
	ops->done(&r->q, frames_of(pkts, n), n);
}

/* Everything there is, taken and done at once. */
static unsigned drain(struct rig *r, const struct pcf_rx_ops *ops)
{
	struct pcf_pkt pkts[FRAMES];
	enum pcf_stop why;
	unsigned n = show(r, ops, pkts, FRAMES, &why);

	take(r, ops, pkts, n);
	give(r, ops, pkts, n);
	return n;
}

/* Nothing is under way and the kernel has all frames but `lost`. */
static void settled(struct rig *r, unsigned lost)
{
	kernel_collects(r);
	CU_ASSERT_EQUAL(r->rx_cons, r->rx_prod);
	CU_ASSERT_EQUAL(r->q.rx.cached_cons, r->rx_cons);
	CU_ASSERT_EQUAL(r->nout, lost);
	CU_ASSERT_EQUAL(r->q.bounce.nfree, BOUNCES);
}

/* --- one descriptor a packet --------------------------------------------- */

static void single(void)
{
	const struct pcf_rx_ops *ops = &pcf_xdp_rx_single;
	struct pcf_pkt pkts[4];
	enum pcf_stop why;
	struct rig r;

	set_up(&r);
	CU_ASSERT_EQUAL(show(&r, ops, pkts, 4, &why), 0);
	CU_ASSERT_EQUAL(why, PCF_STOP_EMPTY);
	for (uint32_t len = 60; len < 66; len++)
		kernel_packet(&r, len);
	CU_ASSERT_EQUAL(show(&r, ops, pkts, 4, &why), 4);
	CU_ASSERT_EQUAL(why, PCF_STOP_FULL);
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_TRUE(intact(&pkts[i], i, 60 + i));
		CU_ASSERT_EQUAL(pkts[i].caplen, 60 + i);
		CU_ASSERT_EQUAL(pkts[i].flags, PCF_PKT_FILTERED);
	}
	/* The socket stays readable until they are taken. */
	CU_ASSERT_EQUAL(r.rx_prod - r.rx_cons, 6);
	take(&r, ops, pkts, 3);
	CU_ASSERT_EQUAL(r.rx_prod - r.rx_cons, 3);
	CU_ASSERT_EQUAL(r.fill_prod, r.fill_cons);
	give(&r, ops, pkts, 2);
	kernel_collects(&r);
	CU_ASSERT_EQUAL(r.nout, 4);
	take(&r, ops, pkts + 3, 1);
	give(&r, ops, pkts + 2, 2);
	CU_ASSERT_EQUAL(show(&r, ops, pkts, 4, &why), 2);
	CU_ASSERT_EQUAL(why, PCF_STOP_EMPTY);
	take(&r, ops, pkts, 2);
	give(&r, ops, pkts, 2);
	settled(&r, 0);
	tear_down(&r);
}

static void metadata(void)
{
	struct pcf_pkt pkts[4];
	int64_t offset;
	enum pcf_stop why;
	struct rig r;

	set_up(&r);
	r.next = 1000000;
	pcf_clock_sync(&r.q.clock);
	offset = r.q.clock.offset / (int64_t)PCF_NSEC;
	kernel_packet(&r, 100);
	last_meta(&r)->keep = 70;
	kernel_packet(&r, 100);
	last_meta(&r)->epoch = EPOCH - 1;
	kernel_packet(&r, 100);
	last_meta(&r)->epoch = 0;
	CU_ASSERT_EQUAL(show(&r, &pcf_xdp_rx_single, pkts, 4, &why), 3);
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
	tear_down(&r);
}

/* Many packets that are alike, and one that is not, wherever it comes: it alone
 * is shown as it is, and what is said of all of them counts it. */
enum odd { NONE, LONGER, KEEPS, KEEPS_ALL, FORMER, BAD, LATER, EARLIER, ODDS };

static void make_odd(struct rig *r, enum odd odd)
{
	struct pcf_meta *m = last_meta(r);

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

	set_up(&r);
	pcf_clock_sync(&r.q.clock);
	offset = r.q.clock.offset / (int64_t)PCF_NSEC;
	r.snaplen = 90;
	for (unsigned turn = 0; turn < 2; turn++) {
		for (unsigned i = 0; i < 6; i++) {
			enum odd o = turn && i == at ? odd : NONE;

			kernel_packet(&r, o == LONGER ? 91 : 80);
			make_odd(&r, o);
		}
		CU_ASSERT_EQUAL(show(&r, &pcf_xdp_rx_single, pkts, 6, &why), 6);
	}
	for (unsigned i = 0; i < 6; i++)
		check_odd(&pkts[i], i == at ? odd : NONE, offset);
	CU_ASSERT_EQUAL(r.plain, odd != BAD && odd != LONGER);
	CU_ASSERT_EQUAL(r.filtered, odd != BAD && odd != FORMER);
	tear_down(&r);
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

	set_up(&r);
	for (unsigned turn = 0; turn < 3; turn++) {
		for (unsigned i = 0; i < 3; i++) {
			kernel_packet(&r, 50 + 11 * i);
			last_meta(&r)->keep = 60;
		}
		CU_ASSERT_EQUAL(show(&r, &pcf_xdp_rx_single, pkts, 3, &why), 3);
		CU_ASSERT_EQUAL(pkts[0].caplen, 50);
		CU_ASSERT_EQUAL(pkts[1].caplen, 60);
		CU_ASSERT_EQUAL(pkts[2].caplen, 60);
		CU_ASSERT_EQUAL(pkts[2].len, 72);
	}
	tear_down(&r);
}

/* The usual mark is the former filter's from one packet to the next. */
static void filter_changes(void)
{
	struct pcf_pkt pkts[3];
	enum pcf_stop why;
	struct rig r;

	set_up(&r);
	for (unsigned i = 0; i < 9; i++)
		kernel_packet(&r, 80);
	CU_ASSERT_EQUAL(show(&r, &pcf_xdp_rx_single, pkts, 3, &why), 3);
	CU_ASSERT_TRUE(r.filtered);
	r.q.epoch = 0;
	CU_ASSERT_EQUAL(show(&r, &pcf_xdp_rx_single, pkts, 3, &why), 3);
	CU_ASSERT_TRUE(r.plain);
	CU_ASSERT_FALSE(r.filtered);
	CU_ASSERT_EQUAL(pkts[1].flags, 0);
	r.q.epoch = EPOCH + 1;
	CU_ASSERT_EQUAL(show(&r, &pcf_xdp_rx_single, pkts, 3, &why), 3);
	CU_ASSERT_FALSE(r.filtered);
	CU_ASSERT_EQUAL(pkts[2].flags, 0);
	tear_down(&r);
}

/* The filter's count is that of the untagged frame. */
static void keep_tagged(void)
{
	struct pcf_pkt pkt;
	enum pcf_stop why;
	struct rig r;
	uint8_t *data;

	set_up(&r);
	kernel_packet(&r, 100);
	data = r.q.area + r.rx[(r.rx_prod - 1) % FRAMES].addr;
	data[12] = 0x81;
	data[13] = 0;
	last_meta(&r)->keep = 34;
	CU_ASSERT_EQUAL(show(&r, &pcf_xdp_rx_single, &pkt, 1, &why), 1);
	CU_ASSERT_EQUAL(pkt.caplen, 38);
	tear_down(&r);
}

/* A filter that was never in force: 0 is no epoch. */
static void no_epoch(void)
{
	struct pcf_pkt pkt;
	enum pcf_stop why;
	struct rig r;

	set_up(&r);
	r.q.epoch = 0;
	kernel_packet(&r, 100);
	last_meta(&r)->epoch = 0;
	CU_ASSERT_EQUAL(show(&r, &pcf_xdp_rx_single, &pkt, 1, &why), 1);
	CU_ASSERT_EQUAL(pkt.flags, 0);
	tear_down(&r);
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

		set_up(&r);
		r.ctl.no_meta = 1;
		kernel_packet(&r, 100);
		last_meta(&r)->keep = 10;
		CU_ASSERT_EQUAL(show(&r, both[i], &pkt, 1, &why), 1);
		CU_ASSERT_EQUAL(pkt.caplen, 100);
		CU_ASSERT_EQUAL(pkt.flags, 0);
		CU_ASSERT_TRUE(labs(pkt.ts.tv_sec - time(NULL)) < 100);
		tear_down(&r);
	}
}

/* --- every frame exactly once -------------------------------------------- */

/* A reader that shows, takes and gives back in steps of any size. */
static void any_steps(const struct pcf_rx_ops *ops, unsigned parts)
{
	static struct pcf_pkt pkts[FRAMES];
	unsigned shown = 0, taken = 0, done = 0;
	uint32_t expect = 0, sizes[FRAMES];
	enum pcf_stop why;
	struct rig r;

	set_up(&r);
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
			n = show(&r, ops, pkts + shown, n, &why);
			for (; n; n--, shown++, expect++)
				CU_ASSERT_TRUE(intact(&pkts[shown], expect,
						      sizes[expect % FRAMES]));
			break;
		case 2:
			n = n < shown - taken ? n : shown - taken;
			take(&r, ops, pkts + taken, n);
			taken += n;
			break;
		case 3:
			n = n < taken - done ? n : taken - done;
			give(&r, ops, pkts + done, n);
			done += n;
			break;
		}
	}
	take(&r, ops, pkts + taken, shown - taken);
	give(&r, ops, pkts + done, shown - done);
	while (drain(&r, ops))
		;
	CU_ASSERT_TRUE(expect > 1000);
	settled(&r, 0);
	tear_down(&r);
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

	set_up(&r);
	for (unsigned i = 0; i < 5; i++)
		kernel_packet(&r, i % 2 ? 3000 : 100);
	CU_ASSERT_EQUAL(show(&r, ops, pkts, FRAMES, &why), 5);
	take(&r, ops, pkts, 5);
	for (unsigned i = 0; i < 5; i++)
		give(&r, ops, &pkts[i * 3 % 5], 1);
	settled(&r, 0);
	tear_down(&r);
}

static void fill_all(void)
{
	bool seen[FRAMES] = { false };
	struct rig r;

	set_up(&r);
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
	tear_down(&r);
}

/* A fill ring that claims to be full loses frames, nothing else. */
static void fill_ring_full(void)
{
	const struct pcf_rx_ops *both[] = { &pcf_xdp_rx_single,
					    &pcf_xdp_rx_frags };

	for (unsigned i = 0; i < 2; i++) {
		uint32_t prod;
		struct rig r;

		set_up(&r);
		for (unsigned n = 0; n < 4; n++)
			kernel_packet(&r, 60);
		prod = r.fill_prod = r.q.fill.cached_prod =
			r.fill_cons + FRAMES;
		CU_ASSERT_EQUAL(drain(&r, both[i]), 4);
		CU_ASSERT_EQUAL(r.fill_prod, prod);
		CU_ASSERT_EQUAL(r.rx_cons, r.rx_prod);
		tear_down(&r);
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

		set_up(&r);
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
			abort();
		CU_ASSERT_EQUAL(send(pair[1], &c, 1, 0), 1);
		r.q.fd = pair[0];
		r.fill_flags = asked ? XDP_RING_NEED_WAKEUP : 0;
		kernel_packet(&r, 60);
		CU_ASSERT_EQUAL(drain(&r, both[i / 2]), 1);
		CU_ASSERT_EQUAL(recv(pair[0], &c, 1, MSG_DONTWAIT),
				asked ? -1 : 1);
		close(pair[0]);
		close(pair[1]);
		tear_down(&r);
	}
}

/* --- several descriptors a packet ---------------------------------------- */

static void frags(void)
{
	static const uint32_t sizes[] = { 60, 1792, 1793, 3584, 5000, 60 };
	const struct pcf_rx_ops *ops = &pcf_xdp_rx_frags;
	struct pcf_pkt pkts[FRAMES];
	enum pcf_stop why;
	struct rig r;

	set_up(&r);
	for (unsigned i = 0; i < 6; i++)
		kernel_packet(&r, sizes[i]);
	CU_ASSERT_EQUAL(show(&r, ops, pkts, FRAMES, &why), 6);
	CU_ASSERT_EQUAL(why, PCF_STOP_EMPTY);
	for (unsigned i = 0; i < 6; i++) {
		CU_ASSERT_TRUE(intact(&pkts[i], i, sizes[i]));
		CU_ASSERT_EQUAL(pkts[i].caplen, sizes[i]);
		CU_ASSERT_EQUAL(pkts[i].flags, PCF_PKT_FILTERED);
		CU_ASSERT_EQUAL(pkts[i].ts.tv_sec, pkts[0].ts.tv_sec + (int)i);
	}
	CU_ASSERT_EQUAL(r.rx_prod - r.rx_cons, 10);
	take(&r, ops, pkts, 3);
	CU_ASSERT_EQUAL(r.rx_prod - r.rx_cons, 6);
	take(&r, ops, pkts + 3, 3);
	give(&r, ops, pkts, 6);
	settled(&r, 0);
	tear_down(&r);
}

static void frags_keep(void)
{
	struct pcf_pkt pkt;
	enum pcf_stop why;
	struct rig r;

	set_up(&r);
	kernel_part(&r, 9, 0, 1792, true);
	last_meta(&r)->keep = 2000;
	kernel_part(&r, 9, 1792, 1000, false);
	CU_ASSERT_EQUAL(show(&r, &pcf_xdp_rx_frags, &pkt, 1, &why), 0);
	CU_ASSERT_EQUAL(show(&r, &pcf_xdp_rx_frags, &pkt, 2, &why), 1);
	CU_ASSERT_EQUAL(pkt.caplen, 2000);
	CU_ASSERT_TRUE(intact(&pkt, 9, 2792));
	tear_down(&r);
}

/* A packet whose end is not there yet is not there. */
static void partial(void)
{
	const struct pcf_rx_ops *ops = &pcf_xdp_rx_frags;
	struct pcf_pkt pkts[8];
	enum pcf_stop why;
	struct rig r;

	set_up(&r);
	kernel_part(&r, 0, 0, 60, false);
	kernel_part(&r, 1, 0, 1792, true);
	CU_ASSERT_EQUAL(show(&r, ops, pkts, 8, &why), 1);
	take(&r, ops, pkts, 1);
	give(&r, ops, pkts, 1);
	CU_ASSERT_EQUAL(show(&r, ops, pkts, 8, &why), 0);
	CU_ASSERT_EQUAL(r.rx_prod - r.rx_cons, 1);
	CU_ASSERT_EQUAL(r.q.bounce.nfree, BOUNCES);
	kernel_part(&r, 1, 1792, 10, false);
	CU_ASSERT_EQUAL(show(&r, ops, pkts, 8, &why), 1);
	CU_ASSERT_TRUE(intact(&pkts[0], 1, 1802));
	take(&r, ops, pkts, 1);
	give(&r, ops, pkts, 1);
	settled(&r, 0);
	tear_down(&r);
}

static void larger_than_bounce(void)
{
	const struct pcf_rx_ops *ops = &pcf_xdp_rx_frags;
	struct pcf_pkt pkts[FRAMES];
	enum pcf_stop why;
	struct rig r;

	set_up(&r);
	kernel_packet(&r, BOUNCE_SIZE + 3000);
	kernel_packet(&r, BOUNCE_SIZE);
	CU_ASSERT_EQUAL(show(&r, ops, pkts, FRAMES, &why), 2);
	CU_ASSERT_EQUAL(pkts[0].caplen, BOUNCE_SIZE);
	CU_ASSERT_TRUE(intact(&pkts[0], 0, BOUNCE_SIZE + 3000));
	CU_ASSERT_TRUE(intact(&pkts[1], 1, BOUNCE_SIZE));
	take(&r, ops, pkts, 2);
	give(&r, ops, pkts, 2);
	settled(&r, 0);
	tear_down(&r);
}

static void bounce_exhausted(void)
{
	const struct pcf_rx_ops *ops = &pcf_xdp_rx_frags;
	struct pcf_pkt pkts[FRAMES], more[FRAMES];
	enum pcf_stop why;
	struct rig r;

	set_up(&r);
	for (unsigned i = 0; i < BOUNCES + 3; i++)
		kernel_packet(&r, 2000);
	CU_ASSERT_EQUAL(show(&r, ops, pkts, FRAMES, &why), BOUNCES);
	take(&r, ops, pkts, BOUNCES);
	CU_ASSERT_EQUAL(show(&r, ops, more, FRAMES, &why), 0);
	CU_ASSERT_EQUAL(r.rx_prod - r.rx_cons, 6);
	for (unsigned i = 0; i < BOUNCES; i++)
		CU_ASSERT_TRUE(intact(&pkts[i], i, 2000));
	give(&r, ops, pkts, 2);
	CU_ASSERT_EQUAL(show(&r, ops, more, FRAMES, &why), 2);
	CU_ASSERT_TRUE(intact(&more[0], BOUNCES, 2000));
	take(&r, ops, more, 2);
	give(&r, ops, more, 2);
	give(&r, ops, pkts + 2, BOUNCES - 2);
	CU_ASSERT_EQUAL(drain(&r, ops), 1);
	settled(&r, 0);
	tear_down(&r);
}

/* With every buffer held and a full ring behind, there is nothing to show;
 * "more" would have the merging reader ask for ever. */
static void nothing_is_not_more(void)
{
	const struct pcf_rx_ops *ops = &pcf_xdp_rx_frags;
	struct pcf_pkt pkts[FRAMES];
	enum pcf_stop why;
	struct rig r;

	set_up(&r);
	for (unsigned i = 0; i < 2 * BOUNCES; i++)
		kernel_packet(&r, 2000);
	CU_ASSERT_EQUAL(show(&r, ops, pkts, 4, &why), 2);
	CU_ASSERT_EQUAL(why, PCF_STOP_FULL);
	r.q.bounce.nfree = 0;
	CU_ASSERT_EQUAL(show(&r, ops, pkts, 4, &why), 0);
	CU_ASSERT_EQUAL(why, PCF_STOP_EMPTY);
	tear_down(&r);
}

/* --- hostile descriptors ------------------------------------------------- */

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

		set_up(&r);
		kernel_hostile(&r, i, 0);
		kernel_packet(&r, 60);
		CU_ASSERT_EQUAL(show(&r, ops, pkts, FRAMES, &why), 2);
		CU_ASSERT_EQUAL(pkts[0].flags, PCF_PKT_BAD);
		CU_ASSERT_EQUAL(pkts[0].caplen, 0);
		CU_ASSERT_TRUE(intact(&pkts[1], 0, 60));
		take(&r, ops, pkts, 2);
		give(&r, ops, pkts, 2);
		settled(&r, lost);
		CU_ASSERT_EQUAL(r.refused, lost);
		tear_down(&r);
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

	set_up(&r);
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
	CU_ASSERT_EQUAL(show(&r, ops, pkts, FRAMES, &why), 2);
	CU_ASSERT_EQUAL(pkts[0].flags, PCF_PKT_BAD);
	CU_ASSERT_TRUE(intact(&pkts[1], 8, 100));
	take(&r, ops, pkts, 1);
	CU_ASSERT_EQUAL(r.rx_prod - r.rx_cons, 1);
	take(&r, ops, pkts + 1, 1);
	give(&r, ops, pkts, 2);
	settled(&r, !hostile[i].whose);
	tear_down(&r);
}

static void hostile_parts(void)
{
	for (unsigned which = 0; which < 3; which++)
		for (unsigned i = 0; i < NHOSTILE; i++)
			hostile_part(which, i);
}

static CU_TestInfo tests[] = {
	PCF_TEST(single),
	PCF_TEST(metadata),
	PCF_TEST(one_is_odd),
	PCF_TEST(filter_changes),
	PCF_TEST(keeps_usually),
	PCF_TEST(keep_tagged),
	PCF_TEST(no_epoch),
	PCF_TEST(without_metadata),
	PCF_TEST(single_any_steps),
	PCF_TEST(frags_any_steps),
	PCF_TEST(done_in_any_order),
	PCF_TEST(fill_all),
	PCF_TEST(fill_ring_full),
	PCF_TEST(wakes_when_asked),
	PCF_TEST(frags),
	PCF_TEST(frags_keep),
	PCF_TEST(partial),
	PCF_TEST(larger_than_bounce),
	PCF_TEST(bounce_exhausted),
	PCF_TEST(nothing_is_not_more),
	PCF_TEST(hostile_single),
	PCF_TEST(hostile_frags),
	PCF_TEST(hostile_parts),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("xdp_io", tests);
}
