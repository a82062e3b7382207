/* SPDX-License-Identifier: BSD-3-Clause */
/* A reader that is not in a hurry; see nap.h. */
#include "libpcap-fast/nap.h"

#include "libpcap-fast/wait.h"

#include <time.h>

/* What the kernel takes where a program leaves libpcap's time-out at 0. */
#define UNSAID_US 8000
/* Nobody waits longer than that for a packet that is there. */
#define LONGEST_US 100000

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static int64_t timeout_us(const struct pcf_handle *h)
{
	int64_t us = h->options.timeout_ms * INT64_C(1000);

	return us <= 0 ? UNSAID_US : us < LONGEST_US ? us : LONGEST_US;
}

int64_t pcf_nap_end(struct pcf_handle *h)
{
	bool hurry = h->options.immediate || h->options.busy_poll ||
		     !h->backend->ops->nap;

	return hurry ? 0 : now_us() + timeout_us(h);
}

int pcf_nap(struct pcf_handle *h, int64_t end)
{
	int64_t left = end ? end - now_us() : 0;
	int fd, rc = 1;

	if (left <= 0)
		return 1;
	fd = h->backend->ops->nap(h->backend, true);
	if (fd >= 0)
		rc = pcf_waiter_pause(h->waiter, h->hooked_fds, fd, left);
	h->backend->ops->nap(h->backend, false);
	return rc < 0 ? rc : 1;
}
