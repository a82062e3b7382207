/* SPDX-License-Identifier: BSD-3-Clause */
/* The hot path of the direct ring: rx, taken, done and nothing else. */
#include "backend/ring.h"

static struct pcf_ring *ring_of(struct pcf_queue *q)
{
	return (struct pcf_ring *)q;
}

static inline struct pcf_ring_record *record_at(const struct pcf_ring *r,
						uint64_t position)
{
	return (void *)(r->bytes + (position & (r->size - 1)));
}

static inline uint16_t *units_at(const struct pcf_ring *r, uint64_t position)
{
	return &r->units[(position & (r->size - 1)) / PCF_RING_UNIT];
}

/* Pairs with the program's exchange of `produced`: what is below it is whole. */
static inline uint64_t produced(const struct pcf_ring *r)
{
	return __atomic_load_n(&r->ctl->produced, __ATOMIC_ACQUIRE);
}

static inline void show(struct pcf_ring *r, struct pcf_pkt *p,
			struct pcf_ring_record *rec, uint32_t caplen)
{
	p->ts = pcf_clock_stamp(&r->clock, rec->time);
	p->len = rec->len;
	p->caplen = caplen;
	p->data = rec->data;
	p->frame = r->shown;
	p->queue = r->id;
	p->flags = rec->epoch && rec->epoch == r->epoch ? PCF_PKT_FILTERED : 0;
	pcf_pkt_keep(p, rec->keep);
}

/* Shows the next record. False: there is none, or none that makes sense. */
static inline bool show_next(struct pcf_ring *r, struct pcf_pkt *p,
			     uint64_t end)
{
	struct pcf_ring_record *rec = record_at(r, r->shown);
	uint32_t caplen, units;

	if (r->shown == end)
		return false;
	caplen = __atomic_load_n(&rec->caplen, __ATOMIC_RELAXED);
	units = (PCF_RING_HEADER + (uint64_t)caplen + PCF_RING_UNIT - 1) /
		PCF_RING_UNIT;
	if (caplen > PCF_RING_DATA_MAX ||
	    (uint64_t)units * PCF_RING_UNIT > end - r->shown)
		return false;
	__builtin_prefetch(record_at(r, r->shown + units * PCF_RING_UNIT));
	show(r, p, rec, caplen);
	*units_at(r, r->shown) = units;
	r->shown += units * PCF_RING_UNIT;
	return true;
}

/* The ring is empty. What the program has counted and neither shown nor
 * dropped is being copied just now. */
static enum pcf_stop nothing(struct pcf_ring *r)
{
	pcf_clock_sync(&r->clock);
	return pcf_coming(&r->coming, r->ctl->matched - r->ctl->dropped, -1) ?
		       PCF_STOP_COMING :
		       PCF_STOP_EMPTY;
}

static unsigned ring_rx(struct pcf_queue *q, struct pcf_pkt *pkts, unsigned max,
			enum pcf_stop *why)
{
	struct pcf_ring *r = ring_of(q);
	uint64_t end = produced(r);
	unsigned n = 0;

	/* More than the ring holds: the counter was tampered with. */
	if (end - r->shown > r->size)
		end = r->shown;
	while (n < max && show_next(r, &pkts[n], end))
		n++;
	*why = n == max ? PCF_STOP_FULL : PCF_STOP_EMPTY;
	if (!n)
		*why = nothing(r);
	pcf_coming_shown(&r->coming, n);
	return n;
}

static void ring_taken(struct pcf_queue *q, const struct pcf_pkt *pkts,
		       unsigned n)
{
	struct pcf_ring *r = ring_of(q);
	uint64_t last = pkts[n - 1].frame;

	r->taken = last + *units_at(r, last) * PCF_RING_UNIT;
	pcf_ring_taken(r);
}

/* Room goes back in order: a record that is held keeps what is behind it. */
static void ring_done(struct pcf_queue *q, const struct pcf_pkt *pkts,
		      unsigned n)
{
	struct pcf_ring *r = ring_of(q);
	uint16_t units;

	for (unsigned i = 0; i < n; i++)
		*units_at(r, pkts[i].frame) |= PCF_RING_DONE;
	while (r->freed != r->taken &&
	       (units = *units_at(r, r->freed)) & PCF_RING_DONE)
		r->freed += (units & ~PCF_RING_DONE) * PCF_RING_UNIT;
	/* Pairs with the program's load: the reads of the records come first. */
	__atomic_store_n(&r->ctl->consumed, r->freed, __ATOMIC_RELEASE);
}

static uint64_t ring_time(struct pcf_queue *q, const struct pcf_pkt *pkt)
{
	return record_at(ring_of(q), pkt->frame)->time;
}

const struct pcf_rx_ops pcf_ring_rx = { ring_rx, ring_taken, ring_done,
					ring_time };
