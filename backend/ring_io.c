/* SPDX-License-Identifier: BSD-3-Clause */
/* The hot path of the direct ring: rx, taken, done and nothing else. */
#include "backend/ring.h"

#define unlikely(x)   __builtin_expect(!!(x), 0)
#define always_inline inline __attribute__((always_inline))

static struct pcf_ring *ring_of(struct pcf_queue *q)
{
	return (struct pcf_ring *)q;
}

static inline uint8_t *at(const struct pcf_ring *r, uint64_t position)
{
	return r->bytes + (position & (r->size - 1));
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

static void show_hints(struct pcf_show *rx, struct pcf_pkt *p,
		       const struct pcf_ring_record *rec)
{
	pcf_show_hints(rx, p, (const void *)((const uint8_t *)rec -
					     PCF_HINTS_SIZE));
}

static inline uint64_t room_of(uint64_t caplen)
{
	return (PCF_RING_HEADER + caplen + PCF_RING_UNIT - 1) &
	       ~(uint64_t)(PCF_RING_UNIT - 1);
}

/* The longest packet that needs no look at snaplen and `keep`. */
static uint32_t longest_usual(const struct pcf_show *rx,
			      struct pcf_verdict usual)
{
	uint32_t most = PCF_RING_DATA_MAX;

	if (most > rx->snaplen)
		most = rx->snaplen;
	return most < usual.keep ? most : usual.keep;
}

/*
 * Show what lies below `end`, each behind `extra` bytes of hints, as the rx's
 * first, first + 1, ..., up to a record that is unusual: also one that does not
 * end there, and so whatever lies at `end`. How many packets the rx has then.
 * What nearly all have in common is asked in one comparison each.
 */
static always_inline unsigned show_usual(struct pcf_ring *r,
					 struct pcf_show *rx, unsigned first,
					 unsigned max, uint64_t end,
					 bool nanoseconds, const unsigned extra)
{
	const struct pcf_verdict usual =
		pcf_verdict_usual(&r->verdict, r->epoch);
	const uint64_t verdict = pcf_verdict_word(&usual);
	const uint32_t longest = longest_usual(rx, usual);
	const uint64_t next_place = pcf_pkt_marks(0, PCF_PKT_PLACE);
	uint64_t marks =
		pcf_pkt_marks(r->id, rx->flags + first * PCF_PKT_PLACE +
					     (usual.epoch ? PCF_PKT_FILTERED :
							    0));
	const time_t sec = r->clock.sec;
	uint8_t *const bytes = r->bytes;
	uint16_t *const units = r->units;
	const uint64_t mask = r->size - 1;
	struct pcf_pkt *p = &rx->pkts[first], *const last = &rx->pkts[max];
	uint64_t *frame = &rx->frames[first];
	uint64_t shown = r->shown, left = end - shown;
	uint64_t place = shown & mask;

	for (; p < last; p++, frame++, marks += next_place) {
		struct pcf_ring_record *rec =
			(void *)(bytes + place + extra);
		const uint32_t caplen =
			__atomic_load_n(&rec->caplen, __ATOMIC_RELAXED);
		const uint64_t room = room_of((uint64_t)caplen + extra);
		const uint64_t ns = rec->time - r->clock.second;

		if (unlikely(caplen > longest || room > left))
			break;
		if (unlikely(pcf_verdict_word(&rec->epoch) != verdict ||
			     ns >= PCF_NSEC))
			break;
		units[place / PCF_RING_UNIT] = room / PCF_RING_UNIT;
		p->ts.tv_sec = sec;
		p->ts.tv_usec = pcf_clock_unit(ns, nanoseconds);
		p->caplen = caplen;
		p->len = rec->len;
		p->data = rec->data;
		p->frame = *frame = shown;
		pcf_pkt_mark(p, marks);
		if (extra)
			show_hints(rx, p, rec);
		shown += room;
		left -= room;
		place = shown & mask;
		__builtin_prefetch(bytes + place);
	}
	r->shown = shown;
	return p - rx->pkts;
}

static void set_time(struct pcf_ring *r, struct pcf_pkt *p,
		     const struct pcf_ring_record *rec)
{
	p->ts = pcf_clock_stamp(&r->clock, rec->time);
	p->flags = 0;
	if (rec->epoch == r->epoch) {
		r->verdict = (struct pcf_verdict){ rec->epoch, rec->keep };
		p->flags = r->epoch ? PCF_PKT_FILTERED : 0;
	}
}

/* Any record, as the rx's i-th; false: it makes no sense. */
__attribute__((noinline)) static bool show_single(struct pcf_ring *r,
						  struct pcf_show *rx,
						  unsigned i, uint64_t end,
						  unsigned extra)
{
	struct pcf_ring_record *rec = (void *)(at(r, r->shown) + extra);
	const uint32_t caplen =
		__atomic_load_n(&rec->caplen, __ATOMIC_RELAXED);
	const uint64_t room = room_of((uint64_t)caplen + extra);
	struct pcf_pkt *p = &rx->pkts[i];

	if (caplen > PCF_RING_DATA_MAX || end - r->shown < room)
		return false;
	*units_at(r, r->shown) = room / PCF_RING_UNIT;
	p->caplen = caplen;
	p->len = rec->len;
	p->data = rec->data;
	p->queue = r->id;
	p->frame = rx->frames[i] = r->shown;
	r->shown += room;
	set_time(r, p, rec);
	pcf_pkt_keep(p, rec->keep);
	rx->plain &= p->caplen <= rx->snaplen;
	rx->filtered &= (p->flags & PCF_PKT_FILTERED) != 0;
	p->flags |= rx->flags + i * PCF_PKT_PLACE;
	if (extra)
		show_hints(rx, p, rec);
	return true;
}

/* All that lies below `end`, up to a record that makes no sense. */
static always_inline unsigned show_records(struct pcf_ring *r,
					   struct pcf_show *rx, unsigned max,
					   uint64_t end, bool nanoseconds,
					   const unsigned extra)
{
	unsigned n = 0;

	for (;; n++) {
		n = show_usual(r, rx, n, max, end, nanoseconds, extra);
		if (n == max || r->shown == end ||
		    !show_single(r, rx, n, end, extra))
			return n;
	}
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

static always_inline unsigned rx_behind(struct pcf_queue *q,
					struct pcf_show *rx, unsigned max,
					const unsigned extra)
{
	struct pcf_ring *r = ring_of(q);
	uint64_t end = produced(r);
	unsigned n;

	/* More than the ring holds: the counter was tampered with. */
	if (end - r->shown > r->size)
		end = r->shown;
	rx->plain = true;
	rx->filtered = r->epoch != 0;
	n = r->clock.nanoseconds ?
		    show_records(r, rx, max, end, true, extra) :
		    show_records(r, rx, max, end, false, extra);
	rx->why = n == max ? PCF_STOP_FULL : PCF_STOP_EMPTY;
	if (!n)
		rx->why = nothing(r);
	pcf_coming_shown(&r->coming, n);
	return n;
}

static unsigned ring_rx(struct pcf_queue *q, struct pcf_show *rx, unsigned max)
{
	return rx_behind(q, rx, max, 0);
}

static unsigned ring_rx_hints(struct pcf_queue *q, struct pcf_show *rx,
			      unsigned max)
{
	return rx_behind(q, rx, max, PCF_HINTS_SIZE);
}

static inline uint64_t end_of(const struct pcf_ring *r, uint64_t frame)
{
	return frame + (*units_at(r, frame) & ~PCF_RING_DONE) * PCF_RING_UNIT;
}

static void ring_taken(struct pcf_queue *q, const uint64_t *frames, unsigned n)
{
	struct pcf_ring *r = ring_of(q);

	r->taken = end_of(r, frames[n - 1]);
	pcf_ring_taken(r);
}

/* Room goes back in order: a record that is held keeps what is behind it. */
static void ring_done(struct pcf_queue *q, const uint64_t *frames, unsigned n)
{
	struct pcf_ring *r = ring_of(q);

	if (n && frames[0] == r->freed)
		r->freed = end_of(r, frames[n - 1]);
	else
		for (unsigned i = 0; i < n; i++)
			*units_at(r, frames[i]) |= PCF_RING_DONE;
	while (r->freed != r->taken && *units_at(r, r->freed) & PCF_RING_DONE)
		r->freed = end_of(r, r->freed);
	/* Pairs with the program's load: the reads of the records come first. */
	__atomic_store_n(&r->ctl->consumed, r->freed, __ATOMIC_RELEASE);
}

static uint64_t ring_time(struct pcf_queue *q, const struct pcf_pkt *pkt)
{
	const struct pcf_ring_record *rec = (void *)at(ring_of(q), pkt->frame);

	return rec->time;
}

static const struct pcf_hints *ring_hints(struct pcf_queue *q,
					  const struct pcf_pkt *pkt)
{
	return (void *)at(ring_of(q), pkt->frame);
}

static uint64_t ring_time_behind(struct pcf_queue *q, const struct pcf_pkt *pkt)
{
	const struct pcf_ring_record *rec =
		(const void *)(ring_hints(q, pkt) + 1);

	return rec->time;
}

const struct pcf_rx_ops pcf_ring_rx = { ring_rx, ring_taken, ring_done,
					ring_time, NULL };
const struct pcf_rx_ops pcf_ring_rx_hints = { ring_rx_hints, ring_taken,
					      ring_done, ring_time_behind,
					      ring_hints };
