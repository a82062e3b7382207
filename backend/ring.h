/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The direct ring: packets copied at the XDP hook into memory that the reader
 * has mapped. One ring for each RX queue, one producer (the queue's program),
 * one consumer.
 *
 *	slots   | queue 0: 0 .. n-1 | queue 1: 0 .. n-1 | ...     n a power of two
 *	slot    | time 8 | len 4 | caplen 4 | epoch 4 | keep 4 | packet ...
 *
 * The program owns slots [produced, consumed + n), the reader the others.
 */
#ifndef PCF_RING_H
#define PCF_RING_H

#include "backend/backend.h"
#include "backend/clock.h"

struct pcf_ring_slot {
	uint64_t time;		/* CLOCK_TAI, ns */
	uint32_t len;		/* on the wire */
	uint32_t caplen;	/* bytes copied */
	uint32_t epoch;		/* of the filter that decided */
	uint32_t keep;		/* bytes that the filter says to keep */
	uint8_t data[];
};

/* One per RX queue, shared with the program. What one side writes is on a
 * cache line that the other only reads. */
struct pcf_ring_ctl {
	/* the program's */
	uint64_t produced;
	uint64_t matched;
	uint64_t dropped;	/* ring full */
	uint64_t pad[5];
	/* the reader's */
	uint64_t consumed;
	uint64_t sleeping;	/* wants to be woken; the program clears it */
	uint64_t pad2[6];
};

/* What a ring's program is made of. */
struct pcf_ring_env {
	int slots_map, ctl_map, wake_map;
	int root_slots;		/* the root's prog_array */
	unsigned own_slot;	/* in there; the later ones come next */
	unsigned rx_queues, nslots;
	const uint64_t *queue_mask; /* bit per RX queue wanted */
	uint32_t data_size;	/* bytes of a slot's packet part */
	uint32_t epoch;
};

/* Load the program of a mirror: its descriptor or negative errno. */
int pcf_prog_mirror(const struct pcf_ring_env *env, pcf_emit_filter emit,
		    void *arg, char *why, size_t size);

struct pcf_ring_wake;

/* One queue as the reader sees it. */
struct pcf_ring {
	uint8_t *slots;		/* this queue's first */
	volatile struct pcf_ring_ctl *ctl;
	uint32_t nslots, slot_size;
	uint32_t epoch;		/* of the filter in force, 0 none */
	uint32_t id;
	struct pcf_clock clock;
	uint64_t shown, taken, freed;
	uint8_t *returned;	/* per slot: done, but an older one is not */
	struct pcf_ring_wake *wake;
};

/* Packets were taken: make the descriptor say whether any ring has more, and
 * ask to be woken if none has (ring.c). */
void pcf_ring_taken(struct pcf_ring *r);

extern const struct pcf_rx_ops pcf_ring_rx;

#endif
