/* SPDX-License-Identifier: BSD-3-Clause */
/* Time stamps; see clock.h. */
#include "backend/clock.h"

static uint64_t now(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * PCF_NSEC + t.tv_nsec;
}

uint64_t pcf_clock_now(void)
{
	return now(CLOCK_TAI);
}

/* The clocks are read one after the other; rounding to whole seconds removes
 * the time in between. */
void pcf_clock_sync(struct pcf_clock *c)
{
	int64_t d = (int64_t)(now(CLOCK_TAI) - now(CLOCK_REALTIME));
	int64_t half = d < 0 ? -(int64_t)PCF_NSEC / 2 : (int64_t)PCF_NSEC / 2;
	int64_t offset = (d + half) / (int64_t)PCF_NSEC * (int64_t)PCF_NSEC;

	if (offset == c->offset)
		return;
	c->offset = offset;
	c->second = 0;
}

void pcf_clock_turn(struct pcf_clock *c, uint64_t tai)
{
	uint64_t real = tai - c->offset;

	c->sec = real / PCF_NSEC;
	c->second = tai - real % PCF_NSEC;
}
