/* SPDX-License-Identifier: BSD-3-Clause */
/* Counting frames; see frames.h. */
#include "tests/netns/frames.h"

#include "backend/af_xdp.h"

#include <stdlib.h>

unsigned frames_of(const struct pcf_queue *q)
{
	return q->umem->frames + q->umem->tx_frames;
}

/* 1: of this queue, and not seen before. */
static unsigned mark(const struct pcf_queue *q, bool *seen, uint64_t addr)
{
	uint64_t f = (addr - pcf_xdp_home(q)) / q->umem->frame_size;

	if (addr < pcf_xdp_home(q) || f >= frames_of(q) || seen[f])
		return 0;
	return seen[f] = true;
}

unsigned frames_at_home(const struct pcf_queue *q)
{
	bool *seen = calloc(frames_of(q), sizeof(*seen));
	const uint64_t *ring = q->fill.ring;
	unsigned n = 0;

	if (!seen)
		abort();
	for (uint32_t i = *q->fill.consumer; i != *q->fill.producer; i++)
		n += mark(q, seen, ring[i & q->fill.mask]);
	for (unsigned i = 0; i < q->tx.nfree; i++)
		n += mark(q, seen, q->tx.free[i]);
	free(seen);
	return n;
}
