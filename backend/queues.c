/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of RX queues; see queues.h. */
#include "backend/queues.h"

#include <stdio.h>
#include <string.h>

void pcf_queues_below(const uint64_t *mask, unsigned end,
		      uint64_t set[PCF_QUEUE_WORDS])
{
	memset(set, 0, PCF_QUEUE_WORDS * sizeof(*set));
	for (unsigned q = 0; q < end && q < PCF_QUEUES; q++)
		if (pcf_queues_have(mask, q))
			set[q / 64] |= UINT64_C(1) << q % 64;
}

unsigned pcf_queues_count(const uint64_t set[PCF_QUEUE_WORDS])
{
	unsigned n = 0;

	for (unsigned i = 0; i < PCF_QUEUE_WORDS; i++)
		n += __builtin_popcountll(set[i]);
	return n;
}

bool pcf_queues_common(const uint64_t a[PCF_QUEUE_WORDS],
		       const uint64_t b[PCF_QUEUE_WORDS],
		       uint64_t common[PCF_QUEUE_WORDS])
{
	uint64_t any = 0;

	for (unsigned i = 0; i < PCF_QUEUE_WORDS; i++)
		any |= common[i] = a[i] & b[i];
	return any;
}

/* The first queue after a run that begins at `from`. */
static unsigned end_of_run(const uint64_t *set, unsigned from)
{
	while (from < PCF_QUEUES && pcf_queues_have(set, from))
		from++;
	return from;
}

void pcf_queues_text(const uint64_t set[PCF_QUEUE_WORDS], char *text,
		     size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (unsigned q = 0; q < PCF_QUEUES; q++) {
		unsigned end = end_of_run(set, q);

		if (end == q)
			continue;
		used += snprintf(text + used, size - used,
				 end - q == 1 ? "%s%u" : "%s%u-%u",
				 used ? "," : "", q, end - 1);
		if (used >= size)
			return;
		q = end;
	}
}
