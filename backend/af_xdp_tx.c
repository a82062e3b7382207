/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sending half of the AF_XDP backend. Where a frame can be:
 *
 *	free --reserve--> caller --submit--> ring --kick--> kernel --+
 *	  ^                                                          |
 *	  +---- home: free stack, or a fill ring <--completion ring--+
 *
 * In copy mode the kernel sends only while it is kicked, so what it did not
 * take then can be recalled; a zero-copy driver takes frames at any time.
 */
#include "backend/af_xdp.h"
#include "compat/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECLAIM_BATCH 64
/* How long the first packets sent while polling may take. */
#define PROOF_US      20000
#define PROOF_STEP_US 100

static inline unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

int pcf_xdp_tx_init(struct pcf_queue *q)
{
	struct pcf_tx *tx = &q->tx;
	uint64_t first = pcf_xdp_home(q) +
			 (uint64_t)q->umem->frames * q->umem->frame_size;

	tx->free = calloc(q->umem->tx_frames, sizeof(*tx->free));
	if (!tx->free)
		return -ENOMEM;
	tx->count = tx->nfree = q->umem->tx_frames;
	for (unsigned i = 0; i < tx->count; i++)
		tx->free[i] = first + (uint64_t)i * q->umem->frame_size;
	return 0;
}

/* --- frames that come back ----------------------------------------------- */

/* The completion ring is memory that others can write, too: an address that
 * is no frame, or one too many, goes nowhere. */
static void send_home(struct pcf_queue *q, uint64_t addr)
{
	struct pcf_umem *u = q->umem;
	uint64_t half = pcf_umem_half(u);
	bool second = addr >= half;
	uint64_t at = second ? addr - half : addr;
	struct pcf_queue *home = at < half ? u->homes[second] : NULL;

	addr &= q->frame_mask;
	if (!home)
		return;
	if (at < (uint64_t)u->frames * u->frame_size)
		pcf_xdp_give_back(home, addr);
	else if (home->tx.nfree < home->tx.count)
		home->tx.free[home->tx.nfree++] = addr;
}

static void reclaim(struct pcf_queue *q)
{
	uint32_t idx;
	unsigned n;

	do {
		n = xsk_ring_cons__peek(&q->comp, RECLAIM_BATCH, &idx);
		for (unsigned i = 0; i < n; i++)
			send_home(q,
				  *xsk_ring_cons__comp_addr(&q->comp, idx + i));
		if (n)
			xsk_ring_cons__release(&q->comp, n);
		q->tx.pending -= smaller(n, q->tx.pending);
	} while (n == RECLAIM_BATCH);
}

/* --- frames for the caller ----------------------------------------------- */

static unsigned tx_reserve(struct pcf_queue *q, struct pcf_pkt *pkts,
			   unsigned n)
{
	struct pcf_tx *tx = &q->tx;

	if (tx->nfree < n)
		reclaim(q);
	n = smaller(n, tx->nfree);
	for (unsigned i = 0; i < n; i++) {
		uint64_t addr = tx->free[--tx->nfree];

		pkts[i] = (struct pcf_pkt){ .caplen = q->umem->frame_size,
					    .data = q->area + addr,
					    .frame = addr,
					    .queue = q->id };
	}
	return n;
}

static void tx_cancel(struct pcf_queue *q, const struct pcf_pkt *pkts,
		      unsigned n)
{
	struct pcf_tx *tx = &q->tx;

	for (unsigned i = 0; i < n && tx->nfree < tx->count; i++)
		tx->free[tx->nfree++] = pkts[i].frame;
}

/* --- into the ring ------------------------------------------------------- */

/* Within one frame of this memory, and that of the frame it says it has. */
static bool tx_sendable(struct pcf_queue *q, const struct pcf_pkt *pkt)
{
	uint64_t at = pkt->data - q->area;

	return pkt->data >= q->area && at < q->area_size &&
	       (at & q->frame_mask) == (pkt->frame & q->frame_mask) &&
	       (at & ~q->frame_mask) + pkt->caplen <= q->umem->frame_size;
}

static void put(struct pcf_queue *q, uint32_t idx, uint64_t addr, uint32_t len,
		bool more)
{
	struct xdp_desc *d = xsk_ring_prod__tx_desc(&q->tx.ring, idx);

	*d = (struct xdp_desc){ .addr = addr,
				.len = len,
				.options = more ? XDP_PKT_CONTD : 0 };
}

static unsigned ring_room(struct pcf_queue *q, unsigned n)
{
	return smaller(n, xsk_prod_nb_free(&q->tx.ring, n));
}

static unsigned tx_submit(struct pcf_queue *q, const struct pcf_pkt *pkts,
			  unsigned n)
{
	uint32_t idx;

	reclaim(q);
	n = ring_room(q, n);
	if (!n || xsk_ring_prod__reserve(&q->tx.ring, n, &idx) != n)
		return 0;
	for (unsigned i = 0; i < n; i++)
		put(q, idx + i, pkts[i].data - q->area, pkts[i].caplen, false);
	xsk_ring_prod__submit(&q->tx.ring, n);
	q->tx.pending += n;
	q->tx.sent += n;
	return n;
}

static void copy_part(struct pcf_queue *q, const uint8_t *data, uint32_t len,
		      uint32_t idx, bool more)
{
	uint64_t addr = q->tx.free[--q->tx.nfree];

	memcpy(q->area + addr, data, len);
	put(q, idx, addr, len, more);
}

static void copy_long(struct pcf_queue *q, const struct pcf_pkt *pkt,
		      uint32_t idx, unsigned span)
{
	uint32_t size = q->umem->frame_size, at = 0;

	for (; span > 1; span--, idx++, at += size)
		copy_part(q, pkt->data + at, size, idx, true);
	copy_part(q, pkt->data + at, pkt->caplen - at, idx, false);
}

/* Asked for the whole ring, libxdp looks how far the kernel is: a packet may
 * take more descriptors than the room that it knows of. */
static unsigned tx_copy(struct pcf_queue *q, const struct pcf_pkt *pkts,
			unsigned n)
{
	struct pcf_tx *tx = &q->tx;
	uint32_t size = q->umem->frame_size, idx;
	unsigned i, room, used = 0;

	if (tx->nfree < n)
		reclaim(q);
	room = smaller(ring_room(q, tx->ring.size), tx->nfree);
	idx = tx->ring.cached_prod;
	for (i = 0; i < n; i++) {
		uint32_t len = pkts[i].caplen;
		unsigned span = len <= size ? 1 : (len + size - 1) / size;

		if (span > room - used)
			break;
		if (span == 1)
			copy_part(q, pkts[i].data, len, idx + used, false);
		else
			copy_long(q, &pkts[i], idx + used, span);
		used += span;
	}
	tx->ring.cached_prod = idx + used;
	xsk_ring_prod__submit(&tx->ring, used);
	tx->pending += used;
	tx->sent += i;
	return i;
}

/* --- to the kernel ------------------------------------------------------- */

static uint32_t consumed(const struct pcf_queue *q)
{
	return __atomic_load_n(q->tx.ring.consumer, __ATOMIC_ACQUIRE);
}

static bool all_taken(const struct pcf_queue *q)
{
	return consumed(q) == *q->tx.ring.producer;
}

/* EBUSY: one frame was taken and dropped, since the device has no carrier or
 * no room, as a packet socket would drop it without a word. */
static int kick_copy(struct pcf_queue *q, bool *progress)
{
	uint32_t before = consumed(q);
	int err = sendto(q->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 ? errno : 0;

	*progress = consumed(q) != before;
	if (err == EBUSY && *progress)
		q->tx.dropped++;
	if (err == ENETDOWN || err == ENXIO)
		return -err;
	if (all_taken(q))
		return 0;
	return !err || err == EBUSY || err == EAGAIN || err == ENOBUFS ||
			       err == EINTR
		       ? -EAGAIN
		       : -err;
}

/* While interrupts wait, the kernel does not wake the driver for sending
 * either: polling for packets is to do that as well. Where sending has an
 * interrupt of its own, it does not, and nothing leaves. The first packets
 * show which it is. */
static void prove(struct pcf_queue *q)
{
	uint32_t before = q->tx.pending;

	for (unsigned us = 0; us < PROOF_US; us += PROOF_STEP_US) {
		reclaim(q);
		if (q->tx.pending < before) {
			q->busy.tx_proven = true;
			return;
		}
		usleep(PROOF_STEP_US);
		sendto(q->fd, NULL, 0, MSG_DONTWAIT, NULL, 0);
	}
	pcf_busy_yield(&q->busy, q->fd);
	sendto(q->fd, NULL, 0, MSG_DONTWAIT, NULL, 0);
}

/* The driver has them as soon as they are in the ring; it may have to be
 * woken. */
static int kick_zerocopy(struct pcf_queue *q, bool *progress)
{
	int err = 0;

	*progress = true;
	if (xsk_ring_prod__needs_wakeup(&q->tx.ring) &&
	    sendto(q->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 &&
	    errno != EAGAIN && errno != EBUSY && errno != EINTR)
		err = -errno;
	if (q->busy.prefer && !q->busy.tx_proven && q->tx.pending && !err)
		prove(q);
	return err;
}

/* A completion that is there at once leaves the frame where it was, on top of
 * the stack: used for each packet, it stays in the processor's cache. */
static void completed(struct pcf_queue *q, uint64_t addr)
{
	uint32_t idx;

	if (xsk_ring_cons__peek(&q->comp, 1, &idx)) {
		if (*xsk_ring_cons__comp_addr(&q->comp, idx) == addr) {
			xsk_ring_cons__release(&q->comp, 1);
			return;
		}
		xsk_ring_cons__cancel(&q->comp, 1);
	}
	q->tx.nfree--;
	q->tx.pending++;
	reclaim(q);
}

/* What copy, kick and reclaim do, without what only many packets need. If the
 * kernel does not take it, it was never in the ring. */
static bool tx_one(struct pcf_queue *q, const struct pcf_pkt *pkt)
{
	struct pcf_tx *tx = &q->tx;
	uint32_t at = tx->ring.cached_prod;
	uint64_t addr;
	int rc;

	if (q->zerocopy || !tx->nfree || consumed(q) != at ||
	    pkt->caplen > q->umem->frame_size)
		return false;
	addr = tx->free[tx->nfree - 1];
	memcpy(q->area + addr, pkt->data, pkt->caplen);
	put(q, at, addr, pkt->caplen, false);
	__atomic_store_n(tx->ring.producer, at + 1, __ATOMIC_RELEASE);
	rc = sendto(q->fd, NULL, 0, MSG_DONTWAIT, NULL, 0);
	if (consumed(q) == at) {
		__atomic_store_n(tx->ring.producer, at, __ATOMIC_RELEASE);
		return false;
	}
	tx->ring.cached_prod = at + 1;
	tx->ring.cached_cons = at + 1 + tx->ring.size;
	tx->sent++;
	tx->dropped += rc < 0 && errno == EBUSY;
	completed(q, addr);
	return true;
}

static int tx_kick(struct pcf_queue *q, bool *progress)
{
	int err = q->zerocopy ? kick_zerocopy(q, progress)
			      : kick_copy(q, progress);

	reclaim(q);
	return err;
}

/* Where the last packet in the ring before `end` begins. */
static uint32_t packet_start(const struct pcf_queue *q, uint32_t end)
{
	const struct xdp_desc *ring = q->tx.ring.ring;

	do
		end--;
	while (ring[(end - 1) & q->tx.ring.mask].options & XDP_PKT_CONTD);
	return end;
}

/* Never into a packet of which the kernel has the first part, and never behind
 * a driver's back. */
static unsigned tx_recall(struct pcf_queue *q, unsigned n, bool copies)
{
	struct pcf_tx *tx = &q->tx;
	uint32_t cons = consumed(q), end = *tx->ring.producer;
	unsigned i;

	for (i = 0; i < n && !q->zerocopy && end != cons; i++) {
		uint32_t start = packet_start(q, end);

		if ((int32_t)(start - cons) < 0)
			break;
		for (; end != start; tx->pending--) {
			struct xdp_desc *d =
				xsk_ring_prod__tx_desc(&tx->ring, --end);

			if (copies && tx->nfree < tx->count)
				tx->free[tx->nfree++] = d->addr & q->frame_mask;
			d->options = 0;
		}
	}
	tx->ring.cached_prod = end;
	__atomic_store_n(tx->ring.producer, end, __ATOMIC_RELEASE);
	tx->sent -= i;
	return i;
}

static void tx_counters(struct pcf_queue *q, struct pcf_tx_counters *c)
{
	*c = (struct pcf_tx_counters){ .sent = q->tx.sent,
				       .dropped = q->tx.dropped,
				       .pending = q->tx.pending,
				       .yielded = q->busy.on &&
						  !q->busy.prefer };
}

const struct pcf_tx_ops pcf_xdp_tx = {
	.reserve = tx_reserve,
	.cancel = tx_cancel,
	.sendable = tx_sendable,
	.submit = tx_submit,
	.copy = tx_copy,
	.kick = tx_kick,
	.one = tx_one,
	.recall = tx_recall,
	.counters = tx_counters,
};
