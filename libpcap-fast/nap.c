/* SPDX-License-Identifier: BSD-3-Clause */
/* A reader that is not in a hurry; see nap.h. */
#include "libpcap-fast/nap.h"

#include "libpcap-fast/wait.h"

#include <time.h>

/* What the kernel takes where a program leaves libpcap's time-out at 0. */
#define UNSAID_MS 8
/* Nobody waits longer than that for a packet that is there. */
#define LONGEST_MS 100

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t pcf_nap_end(const struct pcf_handle *h)
{
	int ms = h->options.timeout_ms > 0 ? h->options.timeout_ms : UNSAID_MS;

	if (h->options.immediate || h->options.busy_poll ||
	    !h->backend->ops->nap)
		return 0;
	return now_ms() + (ms < LONGEST_MS ? ms : LONGEST_MS);
}

int pcf_nap(struct pcf_handle *h, int64_t end)
{
	int64_t left = end ? end - now_ms() : 0;
	int rc = 1;

	if (left <= 0)
		return rc;
	if (h->backend->ops->nap(h->backend, true))
		rc = pcf_waiter_wait(h->waiter, left);
	h->backend->ops->nap(h->backend, false);
	return rc < 0 ? rc : 1;
}
