/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hot path of the AF_XDP backend: rx, taken, done and nothing else.
 *
 *	kernel --RX ring--> rx ... taken ... done --fill ring--> kernel
 *
 * The RX ring's consumer index moves with `taken`, so the socket stays
 * readable for what was shown but not delivered; the frame goes back to the
 * kernel with `done`. The barriers are in libxdp's ring functions: peek pairs
 * with the kernel's publishing of descriptors, submit with its reading of the
 * fill ring.
 */
#include "backend/af_xdp.h"

#include "compat/kernel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* pkt.frame: the descriptor's address in the low 48 bits (no UMEM is larger);
 * above, for a packet put together from several descriptors, their number, and
 * then the low bits are its bounce buffer. */
#define FRAME_BITS 48
#define FRAME_ADDR ((1ull << FRAME_BITS) - 1)

/* In front of a packet lie metadata and perhaps hints (prog.h). */
#define FRONT (PCF_META_SIZE + PCF_HINTS_SIZE)

#define likely(x)     __builtin_expect(!!(x), 1)
#define unlikely(x)   __builtin_expect(!!(x), 0)
#define always_inline inline __attribute__((always_inline))

/* Descriptors are read from memory that this process can write, too: what
 * points outside the area, or leaves no room for metadata in front, is not
 * followed. */
static inline bool in_area(const struct pcf_queue *q, uint64_t addr,
			   uint32_t len)
{
	return addr - FRONT < q->area_size - FRONT &&
	       len <= q->area_size - addr;
}

static inline const struct pcf_meta *meta_of(const uint8_t *data)
{
	return (const void *)(data - PCF_META_SIZE);
}

static inline const struct pcf_hints *hints_of(const uint8_t *data)
{
	return (const void *)(data - FRONT);
}

/* Time and decision from the metadata; without it, `now` and no decision. */
static void set_time(struct pcf_queue *q, struct pcf_pkt *p,
		     const struct pcf_meta *m, uint64_t now)
{
	p->ts = pcf_clock_stamp(&q->clock, m ? m->time : now);
	p->flags = 0;
	if (!m || m->epoch != q->epoch)
		return;
	q->verdict = (struct pcf_verdict){ m->epoch, m->keep };
	if (m->epoch)
		p->flags = PCF_PKT_FILTERED;
}

/* A descriptor that cannot be is shown as well, so that the ring moves on. Its
 * frame goes back if it can be told; else a number that is no frame does, which
 * the kernel skips: never one that the kernel has already. */
static void set_bad(struct pcf_queue *q, struct pcf_pkt *p, uint64_t addr)
{
	*p = (struct pcf_pkt){ .data = q->area,
			       .frame = addr < q->area_size ?
						addr :
						FRAME_ADDR,
			       .queue = q->id,
			       .flags = PCF_PKT_BAD };
	p->ts = pcf_clock_stamp(&q->clock, pcf_clock_now());
}

static void show(struct pcf_queue *q, struct pcf_pkt *p,
		 const struct xdp_desc *d, bool meta, uint64_t now)
{
	p->frame = d->addr;
	p->data = q->area + d->addr;
	p->caplen = p->len = d->len;
	p->queue = q->id;
	set_time(q, p, meta ? meta_of(p->data) : NULL, now);
	if (meta)
		pcf_pkt_keep(p, meta_of(p->data)->keep);
}

/* It is the rx's i-th. */
static void shown(struct pcf_show *rx, unsigned i)
{
	struct pcf_pkt *p = &rx->pkts[i];

	rx->frames[i] = p->frame;
	rx->plain &= !(p->flags & PCF_PKT_BAD) && p->caplen <= rx->snaplen;
	rx->filtered &= (p->flags & PCF_PKT_FILTERED) != 0;
	p->flags |= rx->flags + i * PCF_PKT_PLACE;
}

static void begin(const struct pcf_queue *q, struct pcf_show *rx)
{
	rx->plain = true;
	rx->filtered = q->epoch != 0;
}

/* Zero-copy drivers that ran out of frames sleep until told that there are
 * new ones. */
static void wake(struct pcf_queue *q)
{
	if (unlikely(xsk_ring_prod__needs_wakeup(&q->fill)))
		recvfrom(q->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

/* The ring is empty. The driver may have run out of frames just before it got
 * new ones; poll() would wake it, but not all who read here call that. */
static enum pcf_stop nothing(struct pcf_queue *q)
{
	wake(q);
	pcf_clock_sync(&q->clock);
	return pcf_coming(&q->coming, q->ctl->matched, q->fd) ?
		       PCF_STOP_COMING :
		       PCF_STOP_EMPTY;
}

__attribute__((noinline)) static void
show_single(struct pcf_queue *q, struct pcf_show *rx, unsigned i,
	    struct xdp_desc d, bool meta, uint64_t now)
{
	if (in_area(q, d.addr, d.len))
		show(q, &rx->pkts[i], &d, meta, now);
	else
		set_bad(q, &rx->pkts[i], d.addr);
	shown(rx, i);
}

/* Descriptors are in shared memory: looked at once, then judged. */
static inline struct xdp_desc load(const struct xdp_desc *d)
{
	return (struct xdp_desc){
		.addr = __atomic_load_n(&d->addr, __ATOMIC_RELAXED),
		.len = __atomic_load_n(&d->len, __ATOMIC_RELAXED),
	};
}

/* The longest packet that needs no look at snaplen, area and `keep`: so much
 * room is left from any address below area_size - longest. */
static uint32_t longest_usual(const struct pcf_queue *q,
			      const struct pcf_show *rx,
			      struct pcf_verdict usual)
{
	uint32_t most = -q->frame_mask; /* a frame's size */

	if (most > rx->snaplen)
		most = rx->snaplen;
	return most < usual.keep ? most : usual.keep;
}

/*
 * As show_single() for each of n descriptors side by side, from the `at`-th
 * packet on. What nearly all packets have in common is asked in one
 * comparison each, here; the rest goes the long way.
 */
static always_inline void show_run(struct pcf_queue *q, struct pcf_show *rx,
				   const struct xdp_desc *desc, unsigned at,
				   unsigned n, bool nanoseconds)
{
	const struct pcf_verdict usual =
		pcf_verdict_usual(&q->verdict, q->epoch);
	const uint64_t verdict = pcf_verdict_word(&usual);
	const uint32_t longest = longest_usual(q, rx, usual);
	const uint64_t room = q->area_size - FRONT - longest;
	uint8_t *const area = q->area;
	struct pcf_pkt *p = &rx->pkts[at];
	uint64_t *frame = &rx->frames[at];
	const uint64_t next_place = pcf_pkt_marks(0, PCF_PKT_PLACE);
	uint64_t marks =
		pcf_pkt_marks(q->id, rx->flags + at * PCF_PKT_PLACE +
					     (usual.epoch ? PCF_PKT_FILTERED :
							    0));
	uint64_t second = q->clock.second;
	time_t sec = q->clock.sec;

	for (const struct xdp_desc *end = desc + n; desc < end;
	     desc++, p++, frame++, marks += next_place) {
		const struct xdp_desc d = load(desc);
		const struct pcf_meta *m;
		uint64_t ns;

		if (unlikely(d.addr - FRONT > room ||
			     d.len > longest)) {
			show_single(q, rx, p - rx->pkts, d, true, 0);
			continue;
		}
		m = meta_of(area + d.addr);
		ns = m->time - second;
		if (unlikely(pcf_verdict_word(&m->epoch) != verdict ||
			     ns >= PCF_NSEC)) {
			show_single(q, rx, p - rx->pkts, d, true, 0);
			second = q->clock.second;
			sec = q->clock.sec;
			continue;
		}
		p->ts.tv_sec = sec;
		p->ts.tv_usec = pcf_clock_unit(ns, nanoseconds);
		p->caplen = p->len = d.len;
		p->data = area + d.addr;
		p->frame = *frame = d.addr;
		pcf_pkt_mark(p, marks);
	}
}

static void show_usual(struct pcf_queue *q, struct pcf_show *rx,
		       const struct xdp_desc *desc, unsigned at, unsigned n)
{
	if (q->clock.nanoseconds)
		show_run(q, rx, desc, at, n, true);
	else
		show_run(q, rx, desc, at, n, false);
}

static void show_untimed(struct pcf_queue *q, struct pcf_show *rx, uint32_t idx,
			 unsigned n)
{
	uint64_t now = pcf_clock_now();

	for (unsigned i = 0; i < n; i++)
		show_single(q, rx, i,
			    load(xsk_ring_cons__rx_desc(&q->rx, idx + i)),
			    false, now);
}

/* Entries from there on that lie side by side. */
static inline unsigned straight(uint32_t idx, uint32_t mask, unsigned n)
{
	unsigned to_end = mask + 1 - (idx & mask);

	return n < to_end ? n : to_end;
}

static unsigned rx_single(struct pcf_queue *q, struct pcf_show *rx,
			  unsigned max)
{
	uint32_t idx = 0;
	unsigned n = xsk_ring_cons__peek(&q->rx, max, &idx);
	unsigned first = straight(idx, q->rx.mask, n);

	begin(q, rx);
	rx->why = n == max ? PCF_STOP_FULL : PCF_STOP_EMPTY;
	if (!n)
		rx->why = nothing(q);
	pcf_coming_shown(&q->coming, n);
	if (unlikely(q->ctl->no_meta)) {
		show_untimed(q, rx, idx, n);
		return n;
	}
	show_usual(q, rx, xsk_ring_cons__rx_desc(&q->rx, idx), 0, first);
	if (unlikely(first < n))
		show_usual(q, rx, xsk_ring_cons__rx_desc(&q->rx, idx + first),
			   first, n - first);
	return n;
}

static const struct pcf_hints *single_hints(struct pcf_queue *q,
					    const struct pcf_pkt *pkt)
{
	return hints_of(q->area + (pkt->frame & FRAME_ADDR));
}

static void add_hints(struct pcf_queue *q, struct pcf_show *rx, unsigned i,
		      const struct pcf_hints *(*hints)(struct pcf_queue *,
						       const struct pcf_pkt *))
{
	struct pcf_pkt *p = &rx->pkts[i];

	if (!(p->flags & PCF_PKT_BAD) && !q->ctl->no_meta)
		pcf_show_hints(rx, p, hints(q, p));
}

static unsigned rx_single_hints(struct pcf_queue *q, struct pcf_show *rx,
				unsigned max)
{
	unsigned n = rx_single(q, rx, max);

	for (unsigned i = 0; i < n; i++)
		add_hints(q, rx, i, single_hints);
	return n;
}

static void taken_single(struct pcf_queue *q, const uint64_t *frames,
			 unsigned n)
{
	(void)frames;
	xsk_ring_cons__release(&q->rx, n);
}

/* The fill ring has room for every frame there is, so reserve cannot fail
 * unless the ring was tampered with; then the frames are lost, not the
 * process. Of addresses in this ring the kernel takes the frame's part. */
static void done_single(struct pcf_queue *q, const uint64_t *frames, unsigned n)
{
	unsigned first;
	uint32_t idx;

	if (!n || xsk_ring_prod__reserve(&q->fill, n, &idx) != n)
		return;
	first = straight(idx, q->fill.mask, n);
	memcpy(xsk_ring_prod__fill_addr(&q->fill, idx), frames,
	       first * sizeof(*frames));
	if (unlikely(first < n))
		memcpy(q->fill.ring, frames + first,
		       (n - first) * sizeof(*frames));
	xsk_ring_prod__submit(&q->fill, n);
	wake(q);
}

int pcf_xdp_fill_all(struct pcf_queue *q)
{
	uint32_t idx, n = q->umem->frames;

	if (xsk_ring_prod__reserve(&q->fill, n, &idx) != n)
		return -ENOSPC;
	for (uint32_t i = 0; i < n; i++)
		*xsk_ring_prod__fill_addr(&q->fill, idx + i) =
			pcf_xdp_home(q) + (uint64_t)i * q->umem->frame_size;
	xsk_ring_prod__submit(&q->fill, n);
	wake(q); /* it was bound with an empty ring */
	return 0;
}

/* How many descriptors from `idx` on make one packet; 0 while its end is not
 * there yet. */
static unsigned packet_span(const struct pcf_queue *q, uint32_t idx,
			    unsigned avail)
{
	for (unsigned i = 0; i < avail; i++)
		if (!(xsk_ring_cons__rx_desc(&q->rx, idx + i)->options &
		      XDP_PKT_CONTD))
			return i + 1;
	return 0;
}

void pcf_xdp_give_back(struct pcf_queue *q, uint64_t addr)
{
	uint32_t idx;

	if (xsk_ring_prod__reserve(&q->fill, 1, &idx) != 1)
		return;
	*xsk_ring_prod__fill_addr(&q->fill, idx) = addr & q->frame_mask;
	xsk_ring_prod__submit(&q->fill, 1);
}

static bool span_in_area(const struct pcf_queue *q, uint32_t idx, unsigned span)
{
	for (unsigned i = 0; i < span; i++) {
		const struct xdp_desc *d =
			xsk_ring_cons__rx_desc(&q->rx, idx + i);

		if (!in_area(q, d->addr, d->len))
			return false;
	}
	return true;
}

/* Copy the parts together; `taken` gives their frames back. A packet larger
 * than a bounce buffer is cut, its length stays true. */
static void gather(struct pcf_queue *q, struct pcf_pkt *p, uint8_t *to,
		   uint32_t idx, unsigned span)
{
	uint32_t filled = 0, len = 0;

	for (unsigned i = 0; i < span; i++) {
		const struct xdp_desc *d =
			xsk_ring_cons__rx_desc(&q->rx, idx + i);
		uint32_t room = q->bounce.size - filled;
		uint32_t part = d->len < room ? d->len : room;

		memcpy(to + filled, q->area + d->addr, part);
		filled += part;
		len += d->len;
	}
	p->data = to;
	p->len = len;
	p->caplen = filled;
}

/* A packet with a part that cannot be is none. It has a bounce buffer all the
 * same: that, and the number of its parts, are how it is given back. */
static void show_gathered(struct pcf_queue *q, struct pcf_pkt *p, uint32_t idx,
			  unsigned span, bool meta)
{
	const struct xdp_desc *d = xsk_ring_cons__rx_desc(&q->rx, idx);
	uint32_t slot = q->bounce.free[--q->bounce.nfree];
	uint32_t keep;

	if (span_in_area(q, idx, span)) {
		show(q, p, d, meta, meta ? 0 : pcf_clock_now());
		if (q->bounce.hints)
			q->bounce.hints[slot] = *hints_of(p->data);
		keep = meta ? meta_of(p->data)->keep : UINT32_MAX;
		gather(q, p, q->bounce.area + (size_t)slot * q->bounce.size,
		       idx, span);
		pcf_pkt_keep(p, keep);
	} else {
		set_bad(q, p, d->addr);
	}
	p->frame = slot | (uint64_t)span << FRAME_BITS;
}

static void show_span(struct pcf_queue *q, struct pcf_pkt *p, uint32_t idx,
		      unsigned span, bool meta)
{
	const struct xdp_desc *d = xsk_ring_cons__rx_desc(&q->rx, idx);

	if (span > 1)
		show_gathered(q, p, idx, span, meta);
	else if (in_area(q, d->addr, d->len))
		show(q, p, d, meta, meta ? 0 : pcf_clock_now());
	else
		set_bad(q, p, d->addr);
}

/* Peek looks at the kernel's index only when no descriptor that it knows of is
 * left; with the first part of a packet left, it would never see the end. */
static unsigned peek_fresh(struct pcf_queue *q, unsigned max, uint32_t *idx)
{
	q->rx.cached_prod = __atomic_load_n(q->rx.producer, __ATOMIC_ACQUIRE);
	return xsk_ring_cons__peek(&q->rx, max, idx);
}

static unsigned rx_frags(struct pcf_queue *q, struct pcf_show *rx, unsigned max)
{
	uint32_t idx = 0;
	unsigned avail = peek_fresh(q, max, &idx);
	unsigned used = 0, n = 0;
	bool meta = !q->ctl->no_meta;

	begin(q, rx);
	while (used < avail) {
		unsigned span = packet_span(q, idx + used, avail - used);

		if (!span || (span > 1 && !q->bounce.nfree))
			break;
		show_span(q, &rx->pkts[n], idx + used, span, meta);
		shown(rx, n++);
		used += span;
	}
	xsk_ring_cons__cancel(&q->rx, avail - used);
	/* Nothing to be shown, whatever waits, is not "more": the reader would
	 * ask again at once. */
	rx->why = n && avail == max ? PCF_STOP_FULL : PCF_STOP_EMPTY;
	if (!avail)
		rx->why = nothing(q);
	pcf_coming_shown(&q->coming, n);
	return n;
}

static inline unsigned span_of(uint64_t frame)
{
	unsigned span = frame >> FRAME_BITS;

	return span ? span : 1;
}

static const struct pcf_hints *frags_hints(struct pcf_queue *q,
					   const struct pcf_pkt *pkt)
{
	return span_of(pkt->frame) > 1 ?
		       &q->bounce.hints[pkt->frame & FRAME_ADDR] :
		       single_hints(q, pkt);
}

static unsigned rx_frags_hints(struct pcf_queue *q, struct pcf_show *rx,
			       unsigned max)
{
	unsigned n = rx_frags(q, rx, max);

	for (unsigned i = 0; i < n; i++)
		add_hints(q, rx, i, frags_hints);
	return n;
}

/* The parts of a gathered packet go back to the kernel here: their
 * descriptors are read once more before the ring moves on. */
static void taken_frags(struct pcf_queue *q, const uint64_t *frames, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned span = span_of(frames[i]);
		uint32_t idx = *q->rx.consumer;

		for (unsigned d = 0; span > 1 && d < span; d++)
			pcf_xdp_give_back(
				q,
				xsk_ring_cons__rx_desc(&q->rx, idx + d)->addr);
		xsk_ring_cons__release(&q->rx, span);
	}
	wake(q);
}

static void done_frags(struct pcf_queue *q, const uint64_t *frames, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (span_of(frames[i]) > 1)
			q->bounce.free[q->bounce.nfree++] =
				frames[i] & FRAME_ADDR;
		else
			pcf_xdp_give_back(q, frames[i]);
	}
	wake(q);
}

/* A packet that was put together has left its metadata behind. */
static uint64_t time_of(struct pcf_queue *q, const struct pcf_pkt *pkt)
{
	bool meta = !q->ctl->no_meta && !(pkt->flags & PCF_PKT_BAD) &&
		    span_of(pkt->frame) == 1;

	return meta ? meta_of(pkt->data)->time : 0;
}

const struct pcf_rx_ops pcf_xdp_rx_single = { rx_single, taken_single,
					      done_single, time_of, NULL };
const struct pcf_rx_ops pcf_xdp_rx_frags = { rx_frags, taken_frags,
					     done_frags, time_of, NULL };
const struct pcf_rx_ops pcf_xdp_rx_single_hints = { rx_single_hints,
						    taken_single, done_single,
						    time_of, single_hints };
const struct pcf_rx_ops pcf_xdp_rx_frags_hints = { rx_frags_hints, taken_frags,
						   done_frags, time_of,
						   frags_hints };
