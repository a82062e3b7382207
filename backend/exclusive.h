/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exclusive captures that share an interface by RX queue: each has queues that
 * no other has. Their records say which, and who takes one holds the lock of
 * the root while he looks at the others', so two never get the same queue. A
 * cluster (cluster.h) has all queues, so there is either it or these.
 */
#ifndef PCF_EXCLUSIVE_H
#define PCF_EXCLUSIVE_H

#include "backend/root.h"

/* One who has queues that are wanted. */
struct pcf_holder {
	bool found;
	struct pcf_owner owner;
	uint64_t queues[PCF_QUEUE_WORDS]; /* which of them */
};

/* How many capture exclusively, or negative errno; one of those who have
 * queues of `wanted` (NULL: any); whether all began with the interface to
 * themselves. */
int pcf_exclusive_look(int owners, const uint64_t *wanted,
		       struct pcf_holder *holder, bool *dedicated);

/* Claim a slot, and the queues of `me`. -EBUSY: somebody has one of them, whom
 * `why` names. What a killed capture left set on the interface is put back if
 * nobody else is there: `*put_back`. */
int pcf_exclusive_claim(struct pcf_root *r, struct pcf_owner *me,
			unsigned *put_back, char *why, size_t size);

/* Nobody has any of these queues (NULL: all): how many capture exclusively from
 * others. -EBUSY as above. Under the lock; those who are dead are cleared
 * away. */
int pcf_exclusive_free(struct pcf_root *r, const uint64_t *wanted, char *why,
		       size_t size);

#endif
