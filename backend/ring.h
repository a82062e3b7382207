/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The direct ring: packets copied at the XDP hook into memory that the reader
 * has mapped. One ring for each RX queue, one producer (the queue's program),
 * one consumer.
 *
 *	record	| time 8 | len 4 | caplen 4 | epoch 4 | keep 4 | - 2 | packet ...
 *	ring	| record | record | ...                 | tail
 *
 * Where hints are wanted, they stand in front of each record (hints.h).
 *
 * Records lie one behind the other, each from a multiple of PCF_RING_UNIT on,
 * so that a packet takes the room it needs, small or jumbo. One that begins
 * before the ring's end may reach into the tail: each is in one piece, and the
 * next begins where it would have ended had it been wrapped around.
 *
 * Positions are bytes since the beginning. The program owns [produced,
 * consumed + size), the reader the others.
 */
#ifndef PCF_RING_H
#define PCF_RING_H

#include "backend/backend.h"
#include "backend/clock.h"
#include "backend/coming.h"
#include "backend/verdict.h"

#include <stddef.h>

#define PCF_RING_UNIT 64u
/* As much as bpf_xdp_load_bytes() copies. */
#define PCF_RING_DATA_MAX 65535u

struct pcf_ring_record {
	uint64_t time;		/* CLOCK_TAI, ns */
	uint32_t len;		/* on the wire */
	uint32_t caplen;	/* bytes copied */
	uint32_t epoch;		/* of the filter that decided */
	uint32_t keep;		/* bytes that the filter says to keep */
	uint16_t unused;	/* aligns the network header */
	uint8_t data[];
};

_Static_assert(offsetof(struct pcf_ring_record, keep) ==
		       offsetof(struct pcf_ring_record, epoch) + 4,
	       "a verdict: see verdict.h");

#define PCF_RING_HEADER offsetof(struct pcf_ring_record, data)
#define PCF_RING_TAIL \
	((PCF_HINTS_SIZE + PCF_RING_HEADER + PCF_RING_DATA_MAX + \
	  PCF_RING_UNIT - 1) & ~(PCF_RING_UNIT - 1))

/* One per RX queue, shared with the program. What one side writes is on a
 * cache line that the other only reads. */
struct pcf_ring_ctl {
	/* the program's */
	uint64_t produced;
	uint64_t matched;
	uint64_t dropped;	/* ring full */
	uint64_t rest;		/* not meant for this handle, and dropped */
	uint64_t pad[4];
	/* the reader's */
	uint64_t consumed;
	uint64_t wake_at;	/* ... as soon as `produced` is there; the
				 * program sets PCF_RING_AWAKE when it does */
	uint64_t pad2[6];
};

#define PCF_RING_AWAKE UINT64_MAX

struct pcf_ring;

/* What a ring's program is made of. */
struct pcf_ring_env {
	int ring_map, ctl_map, wake_map;
	int living_map;		/* empty when the reader is dead; -1 not needed */
	int root_slots;		/* the root's prog_array, ... */
	int root_queues;	/* ... and whose an RX queue is */
	unsigned own_slot;	/* in there; the later ones come next */
	unsigned nrings;
	const struct pcf_ring *rings; /* their ids are the RX queues wanted */
	uint32_t size;		/* of a ring, without its tail; bytes */
	uint32_t epoch;
	int epoch_at;		/* else it is on the stack, at R10 + this */
	bool take;		/* matching packets go no further */
	bool drop_rest;		/* nor do the others; only with take */
	pcf_emit_filter keep;	/* ... but these go on, copied; NULL none */
	void *keep_arg;
	bool leave;		/* ... and, for now, all go on */
	bool member;		/* of a cluster */
	const struct pcf_hints_env *hints; /* NULL: none */
};

/* Load the program of a ring: its descriptor or negative errno. */
int pcf_prog_ring(const struct pcf_ring_env *env, pcf_emit_filter emit,
		  void *arg, char *why, size_t size);

struct pcf_ring_wake;

/* One queue as the reader sees it. */
struct pcf_ring {
	uint8_t *bytes;		/* `size` and the tail */
	volatile struct pcf_ring_ctl *ctl;
	uint32_t size;		/* a power of two */
	uint32_t epoch;		/* of the filter in force, 0 none */
	struct pcf_verdict verdict; /* seen last, of that filter */
	uint32_t id;		/* the RX queue */
	struct pcf_clock clock;
	struct pcf_coming coming;
	uint64_t shown, taken, freed;
	/* Where a shown record begins: its units, PCF_RING_DONE when given
	 * back. The reader's own, as what is in the ring might change. */
	uint16_t *units;
	struct pcf_ring_wake *wake;
};

/* Packets were taken: make the descriptor say whether any ring has more, and
 * ask to be woken if none has (ring.c). */
void pcf_ring_taken(struct pcf_ring *r);

#define PCF_RING_DONE 0x8000u

/* Without hints and with them. */
extern const struct pcf_rx_ops pcf_ring_rx;
extern const struct pcf_rx_ops pcf_ring_rx_hints;

#endif
