/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets between the hook and the reader: counted by the program, not yet in
 * the ring. A driver shows what one NAPI poll brought (at most 64 packets) at
 * its end, so packets wait there for as long as the poll takes. Who merges
 * several queues by time must know of them.
 *
 * The program counts a packet before it gives it its time. So when all that is
 * counted is there or lost, whatever comes later has a later time.
 */
#ifndef PCF_COMING_H
#define PCF_COMING_H

#include <stdbool.h>
#include <stdint.h>

/* A poll takes some microseconds a packet at worst, unless a hypervisor stops
 * the processor in the middle. What is not there by then is taken for lost:
 * not every loss is counted by the kernel. */
#define PCF_COMING_NS 2000000

struct pcf_coming {
	uint64_t known; /* packets shown or lost */
	uint64_t lost;	/* ... of these, as the socket counts them */
	uint64_t since; /* CLOCK_TAI; 0: nothing is on the way */
};

static inline void pcf_coming_shown(struct pcf_coming *c, unsigned n)
{
	c->known += n;
	if (n)
		c->since = 0;
}

/* Is anything on the way? `counted` by the program; `fd` is the socket, asked
 * for its losses, or -1. When the ring was seen empty; not per packet. */
bool pcf_coming(struct pcf_coming *c, uint64_t counted, int fd);

#endif
