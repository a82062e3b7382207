/* SPDX-License-Identifier: BSD-3-Clause */
/* A reader that polls for a while before it sleeps; see busy.h. */
#include "libpcap-fast/busy.h"

#include "libpcap-fast/wait.h"

#include <stdio.h>
#include <time.h>

/* The other descriptors (the shadow's, the wake-up, events) are looked at
 * that often: a system call that costs as much as some ten rounds. */
#define OTHERS_NS 20000

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* Others than the hook's lanes are dear to ask. */
static bool look(struct pcf_handle *h)
{
	if (h->backend->drive)
		h->backend->drive(h->backend);
	pcf_lanes_fill(h->lanes, h->nhooked, &h->turn, NULL);
	for (unsigned i = 0; i < h->nhooked; i++)
		if (!pcf_lane_empty(&h->lanes[i]))
			return true;
	return false;
}

static bool broken(struct pcf_handle *h)
{
	return atomic_load_explicit(&h->break_flag, memory_order_relaxed);
}

/* Never longer than a time-out that ends the read. */
static uint64_t time_to_poll(const struct pcf_handle *h)
{
	uint64_t us = h->options.busy_poll;

	if (pcf_honest_timeout(h) &&
	    us / 1000 >= (unsigned)h->options.timeout_ms)
		us = h->options.timeout_ms * 1000ull;
	return us * 1000;
}

bool pcf_busy_wait(struct pcf_handle *h)
{
	uint64_t now, end, others;

	if (!h->options.busy_poll)
		return false;
	now = now_ns();
	end = now + time_to_poll(h);
	others = now + OTHERS_NS;
	for (; now < end; now = now_ns()) {
		if (look(h) || broken(h))
			return true;
		if (now < others)
			continue;
		if (pcf_waiter_wait(h->waiter, 0))
			return true;
		others = now + OTHERS_NS;
	}
	return false;
}

bool pcf_busy_look(struct pcf_handle *h)
{
	return h->options.busy_poll && look(h);
}

void pcf_busy_describe(struct pcf_handle *h)
{
	const char *what = h->backend->drive ? "the device" : "the rings";
	const char *note = h->opened.busy_note;

	if (!h->options.busy_poll)
		return;
	snprintf(h->busy_reason, sizeof(h->busy_reason), "%s%s%s", what,
		 *note ? ": " : "", note);
	pcf_log(PCF_LOG_INFO, "%s: reads poll %s, up to %d us",
		h->options.device.name, h->busy_reason, h->options.busy_poll);
}
