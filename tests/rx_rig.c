/* SPDX-License-Identifier: BSD-3-Clause */
/* The rings and their two ends; see rx_rig.h. */
#include "tests/rx_rig.h"

#include "compat/kernel.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define GUARD 65536u

/* --- the kernel ---------------------------------------------------------- */

/* Take over what is in the fill ring; like the kernel, go by the frame that an
 * address lies in, and skip what is no frame. A frame that was not out is given
 * back twice. */
void kernel_collects(struct rig *r)
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

uint64_t kernel_frame(struct rig *r)
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

void kernel_shows(struct rig *r, uint64_t addr, uint32_t len, uint32_t options)
{
	r->rx[r->rx_prod++ % FRAMES] = (struct xdp_desc){ addr, len, options };
}

static uint8_t byte_of(uint32_t number, uint32_t at)
{
	return number * 31 + at * 7 + (at >> 8);
}

/* One part of packet `number`, from byte `at` on; metadata before the first. */
void kernel_part(struct rig *r, uint32_t number, uint32_t at, uint32_t len,
		 bool more)
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

void kernel_packet(struct rig *r, uint32_t len)
{
	uint32_t number = r->next++, most = FRAME - PCF_HEADROOM, at = 0;

	for (; len - at > most; at += most)
		kernel_part(r, number, at, most, true);
	kernel_part(r, number, at, len - at, false);
}

struct pcf_meta *kernel_meta(struct rig *r)
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
void rig_open(struct rig *r)
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

void rig_close(struct rig *r)
{
	munmap(r->map, AREA + 2 * GUARD);
	free(r->q.bounce.area);
	free(r->q.bounce.free);
}

bool rig_intact(const struct pcf_pkt *p, uint32_t number, uint32_t len)
{
	for (uint32_t i = 0; i < p->caplen; i++)
		if (p->data[i] != byte_of(number, i))
			return false;
	return p->len == len && p->queue == 3;
}

/* --- the reader ---------------------------------------------------------- */

unsigned rig_show(struct rig *r, const struct pcf_rx_ops *ops,
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

void rig_take(struct rig *r, const struct pcf_rx_ops *ops,
	      const struct pcf_pkt *pkts, unsigned n)
{
	ops->taken(&r->q, frames_of(pkts, n), n);
}

void rig_give(struct rig *r, const struct pcf_rx_ops *ops,
	      const struct pcf_pkt *pkts, unsigned n)
{
	ops->done(&r->q, frames_of(pkts, n), n);
}

unsigned rig_drain(struct rig *r, const struct pcf_rx_ops *ops)
{
	struct pcf_pkt pkts[FRAMES];
	enum pcf_stop why;
	unsigned n = rig_show(r, ops, pkts, FRAMES, &why);

	rig_take(r, ops, pkts, n);
	rig_give(r, ops, pkts, n);
	return n;
}

void rig_settled(struct rig *r, unsigned lost)
{
	kernel_collects(r);
	CU_ASSERT_EQUAL(r->rx_cons, r->rx_prod);
	CU_ASSERT_EQUAL(r->q.rx.cached_cons, r->rx_cons);
	CU_ASSERT_EQUAL(r->nout, lost);
	CU_ASSERT_EQUAL(r->q.bounce.nfree, BOUNCES);
}
