/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program in a slot: what stands before and after the filter.
 *
 * In front of each packet it takes, the program writes PCF_META_SIZE bytes of
 * XDP metadata:
 *
 *	| time 8 | epoch 4 | keep 4 | frame ...
 *	^ data - 16                 ^ data
 *
 * and in front of that, where they are wanted, hints (hints.h).
 */
#ifndef PCF_PROG_H
#define PCF_PROG_H

#include "backend/backend.h"
#include "backend/hints.h"
#include "backend/verdict.h"

#define PCF_META_SIZE 16

struct pcf_meta {
	uint64_t time;	/* CLOCK_TAI, ns, when the driver had the frame */
	uint32_t epoch;	/* of the filter that decided */
	uint32_t keep;	/* bytes that the filter says to keep */
};

_Static_assert(offsetof(struct pcf_meta, keep) ==
		       offsetof(struct pcf_meta, epoch) + 4,
	       "a verdict: see verdict.h");

/* One per RX queue in the control map, which program and reader share by
 * memory. One cache line each: a queue's program runs on one CPU at a time. */
struct pcf_ctl {
	uint64_t matched;	/* packets meant for the handle */
	uint64_t rest;		/* packets that were dropped as not meant for it */
	uint32_t no_meta;	/* the driver has no room for metadata */
	int32_t fd;		/* its socket, in the process that opened it */
	uint64_t cookie;	/* ... which this is, 0 none; for the census */
	uint64_t wake_at;	/* the reader is to be woken as soon as
				 * `matched` is there; the program makes it
				 * PCF_WAKE_NEVER then */
	uint32_t pad[6];
};

struct pcf_prog_env {
	int xsk_map;		/* socket per RX queue */
	int ctl_map;		/* struct pcf_ctl per RX queue, one value */
	int wake_map;		/* of its reader's struct pcf_wake */
	unsigned rx_queues;
	uint32_t epoch;
	int epoch_at;		/* else it is on the stack, at R10 + this */
	bool generic;		/* skb mode: several CPUs may run one queue */
	bool drop_rest;		/* what does not match is dropped, not passed */
	/* what matches this goes to the host in any case; NULL nothing */
	pcf_emit_filter keep;
	void *keep_arg;
	const struct pcf_hints_env *hints; /* NULL: none */
};

/* Load the program of an exclusive handle: its descriptor or negative errno
 * with the reason in `why`. emit NULL: every packet matches. */
int pcf_prog_exclusive(const struct pcf_prog_env *env, pcf_emit_filter emit,
		       void *arg, char *why, size_t size);

/* A jump to `nomatch` that is never taken: it keeps the code there reachable, as
 * the verifier wants it, also for a filter that everything matches. R0 is
 * lost. */
void pcf_prog_may_not_match(struct pcf_ebpf *e, int nomatch);

/* Store the epoch, a constant or what the filter left on the stack, at dst +
 * off. R1 is lost. */
void pcf_prog_epoch(struct pcf_ebpf *e, uint32_t epoch, int epoch_at, int dst,
		    int off);

/* Finish and load a program: its descriptor or negative errno, with the
 * verifier's last words in `why`. Frees nothing. With hints (else NULL), for an
 * interface that the capture has alone. */
int pcf_prog_load(struct pcf_ebpf *e, const char *name, char *why, size_t size);
int pcf_prog_load_for(struct pcf_ebpf *e, const char *name,
		      const struct pcf_hints_env *hints, char *why,
		      size_t size);

#endif
