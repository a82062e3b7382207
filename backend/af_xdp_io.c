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

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Descriptors are read from memory that this process can write, too: what
 * points outside the area, or leaves no room for metadata in front, is not
 * followed. */
static inline bool in_area(const struct pcf_queue *q, uint64_t addr,
			   uint32_t len)
{
	return addr - PCF_META_SIZE < q->area_size - PCF_META_SIZE &&
	       len <= q->area_size - addr;
}

static inline const struct pcf_meta *meta_of(const uint8_t *data)
{
	return (const void *)(data - PCF_META_SIZE);
}

/* Time and decision from the metadata; without it, `now` and no decision. */
static inline void set_time(struct pcf_queue *q, struct pcf_pkt *p,
			    const struct pcf_meta *m, uint64_t now)
{
	p->ts = pcf_clock_stamp(&q->clock, m ? m->time : now);
	p->flags = m && m->epoch && m->epoch == q->epoch ? PCF_PKT_FILTERED : 0;
}

/* A descriptor that cannot be is shown as well, so that the ring moves on. Its
 * frame goes back if it can be told; else a number that is no frame does, which
 * the kernel skips: never one that the kernel has already. */
static void set_bad(struct pcf_queue *q, struct pcf_pkt *p, uint64_t addr)
{
	*p = (struct pcf_pkt){ .data = q->area,
			       .frame = addr < q->area_size ? addr : FRAME_ADDR,
			       .queue = q->id,
			       .flags = PCF_PKT_BAD };
	p->ts = pcf_clock_stamp(&q->clock, pcf_clock_now());
}

static inline void show(struct pcf_queue *q, struct pcf_pkt *p,
			const struct xdp_desc *d, bool meta, uint64_t now)
{
	p->frame = d->addr & FRAME_ADDR;
	p->data = q->area + d->addr;
	p->caplen = p->len = d->len;
	p->queue = q->id;
	set_time(q, p, likely(meta) ? meta_of(p->data) : NULL, now);
	if (likely(meta))
		pcf_pkt_keep(p, meta_of(p->data)->keep);
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

static unsigned rx_single(struct pcf_queue *q, struct pcf_pkt *pkts,
			  unsigned max, enum pcf_stop *why)
{
	uint32_t idx = 0;
	unsigned n = xsk_ring_cons__peek(&q->rx, max, &idx);
	bool meta = !q->ctl->no_meta;
	uint64_t now = meta ? 0 : pcf_clock_now();

	*why = n == max ? PCF_STOP_FULL : PCF_STOP_EMPTY;
	if (!n)
		*why = nothing(q);
	pcf_coming_shown(&q->coming, n);
	for (unsigned i = 0; i < n; i++) {
		/* in shared memory: looked at once, then judged */
		const struct xdp_desc d =
			*xsk_ring_cons__rx_desc(&q->rx, idx + i);

		if (likely(in_area(q, d.addr, d.len)))
			show(q, &pkts[i], &d, meta, now);
		else
			set_bad(q, &pkts[i], d.addr);
	}
	return n;
}

static void taken_single(struct pcf_queue *q, const struct pcf_pkt *pkts,
			 unsigned n)
{
	(void)pkts;
	xsk_ring_cons__release(&q->rx, n);
}

/* The fill ring has room for every frame there is, so reserve cannot fail
 * unless the ring was tampered with; then the frames are lost, not the
 * process. */
static void done_single(struct pcf_queue *q, const struct pcf_pkt *pkts,
			unsigned n)
{
	uint32_t idx;

	if (!n || xsk_ring_prod__reserve(&q->fill, n, &idx) != n)
		return;
	for (unsigned i = 0; i < n; i++)
		*xsk_ring_prod__fill_addr(&q->fill, idx + i) =
			pkts[i].frame & q->frame_mask;
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

static unsigned rx_frags(struct pcf_queue *q, struct pcf_pkt *pkts,
			 unsigned max, enum pcf_stop *why)
{
	uint32_t idx = 0;
	unsigned avail = peek_fresh(q, max, &idx);
	unsigned used = 0, n = 0;
	bool meta = !q->ctl->no_meta;

	while (used < avail) {
		unsigned span = packet_span(q, idx + used, avail - used);

		if (!span || (span > 1 && !q->bounce.nfree))
			break;
		show_span(q, &pkts[n++], idx + used, span, meta);
		used += span;
	}
	xsk_ring_cons__cancel(&q->rx, avail - used);
	/* Nothing to be shown, whatever waits, is not "more": the reader would
	 * ask again at once. */
	*why = n && avail == max ? PCF_STOP_FULL : PCF_STOP_EMPTY;
	if (!avail)
		*why = nothing(q);
	pcf_coming_shown(&q->coming, n);
	return n;
}

static inline unsigned span_of(const struct pcf_pkt *p)
{
	unsigned span = p->frame >> FRAME_BITS;

	return span ? span : 1;
}

/* The parts of a gathered packet go back to the kernel here: their
 * descriptors are read once more before the ring moves on. */
static void taken_frags(struct pcf_queue *q, const struct pcf_pkt *pkts,
			unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned span = span_of(&pkts[i]);
		uint32_t idx = *q->rx.consumer;

		for (unsigned d = 0; span > 1 && d < span; d++)
			pcf_xdp_give_back(
				q,
				xsk_ring_cons__rx_desc(&q->rx, idx + d)->addr);
		xsk_ring_cons__release(&q->rx, span);
	}
	wake(q);
}

static void done_frags(struct pcf_queue *q, const struct pcf_pkt *pkts,
		       unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (span_of(&pkts[i]) > 1)
			q->bounce.free[q->bounce.nfree++] =
				pkts[i].frame & FRAME_ADDR;
		else
			pcf_xdp_give_back(q, pkts[i].frame);
	}
	wake(q);
}

/* A packet that was put together has left its metadata behind. */
static uint64_t time_of(struct pcf_queue *q, const struct pcf_pkt *pkt)
{
	bool meta = !q->ctl->no_meta && !(pkt->flags & PCF_PKT_BAD) &&
		    pkt->data == q->area + (pkt->frame & FRAME_ADDR);

	return meta ? meta_of(pkt->data)->time : 0;
}

const struct pcf_rx_ops pcf_xdp_rx_single = { rx_single, taken_single,
					      done_single, time_of };
const struct pcf_rx_ops pcf_xdp_rx_frags = { rx_frags, taken_frags,
					     done_frags, time_of };
