/* SPDX-License-Identifier: BSD-3-Clause */
/* The hot path of the direct ring: rx, taken, done and nothing else. */
#include "backend/ring.h"

static struct pcf_ring *ring_of(struct pcf_queue *q)
{
	return (struct pcf_ring *)q;
}

static inline struct pcf_ring_slot *slot_at(const struct pcf_ring *r,
					    uint64_t i)
{
	return (void *)(r->slots + (i & (r->nslots - 1)) * (uint64_t)r->slot_size);
}

/* Pairs with the program's exchange of `produced`: slots below it are whole. */
static inline uint64_t produced(const struct pcf_ring *r)
{
	return __atomic_load_n(&r->ctl->produced, __ATOMIC_ACQUIRE);
}

static inline void show(struct pcf_ring *r, struct pcf_pkt *p, uint64_t i)
{
	struct pcf_ring_slot *s = slot_at(r, i);
	uint32_t room = r->slot_size - sizeof(*s);

	p->ts = pcf_clock_stamp(&r->clock, s->time);
	p->len = s->len;
	p->caplen = s->caplen < room ? s->caplen : room;
	p->data = s->data;
	p->frame = i;
	p->queue = r->id;
	p->flags = s->epoch && s->epoch == r->epoch ? PCF_PKT_FILTERED : 0;
	pcf_pkt_keep(p, s->keep);
}

static unsigned ring_rx(struct pcf_queue *q, struct pcf_pkt *pkts, unsigned max,
			enum pcf_stop *why)
{
	struct pcf_ring *r = ring_of(q);
	uint64_t there = produced(r) - r->shown;
	unsigned n = there < max ? there : max;

	/* More than the ring holds: the counter was tampered with. */
	if (there > r->nslots)
		n = 0;
	if (!n)
		pcf_clock_sync(&r->clock);
	for (unsigned i = 0; i < n; i++)
		show(r, &pkts[i], r->shown + i);
	r->shown += n;
	*why = n == max ? PCF_STOP_FULL : PCF_STOP_EMPTY;
	return n;
}

static void ring_taken(struct pcf_queue *q, const struct pcf_pkt *pkts,
		       unsigned n)
{
	struct pcf_ring *r = ring_of(q);

	(void)pkts;
	r->taken += n;
	pcf_ring_taken(r);
}

/* Slots go back in order: one that is held keeps those behind it. */
static void ring_done(struct pcf_queue *q, const struct pcf_pkt *pkts,
		      unsigned n)
{
	struct pcf_ring *r = ring_of(q);
	uint32_t mask = r->nslots - 1;

	for (unsigned i = 0; i < n; i++)
		r->returned[pkts[i].frame & mask] = 1;
	while (r->freed < r->taken && r->returned[r->freed & mask])
		r->returned[r->freed++ & mask] = 0;
	/* Pairs with the program's load: the reads of the slots come first. */
	__atomic_store_n(&r->ctl->consumed, r->freed, __ATOMIC_RELEASE);
}

const struct pcf_rx_ops pcf_ring_rx = { ring_rx, ring_taken, ring_done };
