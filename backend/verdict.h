/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the filter at the hook said of a packet: two numbers, one behind the
 * other in front of the packet, which nearly all packets have in common. So
 * each is compared as one word with the one seen last, and taken apart only
 * if it differs.
 */
#ifndef PCF_VERDICT_H
#define PCF_VERDICT_H

#include <stdint.h>
#include <string.h>

struct pcf_verdict {
	uint32_t epoch;	/* of the filter in force, 0 none */
	uint32_t keep;	/* bytes */
};

/* To be compared only. */
static inline uint64_t pcf_verdict_word(const void *verdict)
{
	uint64_t word;

	memcpy(&word, verdict, sizeof(word));
	return word;
}

/* The usual one; after the filter has changed one that no packet fits. */
static inline struct pcf_verdict pcf_verdict_usual(struct pcf_verdict *seen,
						   uint32_t epoch)
{
	if (seen->epoch != epoch)
		*seen = (struct pcf_verdict){ .epoch = epoch };
	return *seen;
}

#endif
