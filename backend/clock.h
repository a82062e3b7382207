/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel arrival times (CLOCK_TAI, ns, 64 bit) as the time stamps of packets
 * (CLOCK_REALTIME, seconds and us or ns). The two clocks differ by a whole
 * number of seconds that only the time service changes.
 */
#ifndef PCF_CLOCK_H
#define PCF_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

#define PCF_NSEC 1000000000ull

struct pcf_clock {
	int64_t offset;		/* TAI - REALTIME, ns */
	uint64_t second;	/* TAI time at which `sec` began */
	time_t sec;		/* CLOCK_REALTIME */
	bool nanoseconds;
};

/* Read the offset; now and then, since the time service may change it. */
void pcf_clock_sync(struct pcf_clock *c);

/* CLOCK_TAI now, for packets without an arrival time of their own. */
uint64_t pcf_clock_now(void);

/* Enter another second: the division is done once a second, not per packet. */
void pcf_clock_turn(struct pcf_clock *c, uint64_t tai);

/* Nanoseconds of a second in the unit of the time stamps. A thousandth of less
 * than 2^30 is a multiplication and a shift, exactly (tests/test_clock.c); for
 * any 64 bits, which is what the compiler knows, it is some more. */
static inline int64_t pcf_clock_unit(uint64_t ns, bool nanoseconds)
{
	return nanoseconds ? ns : ns * 274877907 >> 38;
}

static inline struct timeval pcf_clock_stamp(struct pcf_clock *c, uint64_t tai)
{
	if (__builtin_expect(tai - c->second >= PCF_NSEC, 0))
		pcf_clock_turn(c, tai);
	return (struct timeval){ .tv_sec = c->sec,
				 .tv_usec = pcf_clock_unit(tai - c->second,
							   c->nanoseconds) };
}

#endif
