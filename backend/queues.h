/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of RX queues, a bit each. Pure. */
#ifndef PCF_QUEUES_H
#define PCF_QUEUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than any interface has that is captured on. */
#define PCF_QUEUES	1024
#define PCF_QUEUE_WORDS (PCF_QUEUES / 64)

static inline bool pcf_queues_have(const uint64_t *set, unsigned queue)
{
	return set[queue / 64] >> queue % 64 & 1;
}

/* A set for itself of those of `mask` that are below `end`, which has at least
 * as many bits. */
void pcf_queues_below(const uint64_t *mask, unsigned end,
		      uint64_t set[PCF_QUEUE_WORDS]);

unsigned pcf_queues_count(const uint64_t set[PCF_QUEUE_WORDS]);

/* What two sets have in common; false: nothing. */
bool pcf_queues_common(const uint64_t a[PCF_QUEUE_WORDS],
		       const uint64_t b[PCF_QUEUE_WORDS],
		       uint64_t common[PCF_QUEUE_WORDS]);

/* "0,2-3", as a device name lists them; cut to `size`. */
void pcf_queues_text(const uint64_t set[PCF_QUEUE_WORDS], char *text,
		     size_t size);

#endif
