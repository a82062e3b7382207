/* SPDX-License-Identifier: BSD-3-Clause */
/* A reader that is not in a hurry; see nap.h. */
#include "libpcap-fast/nap.h"

#include "libpcap-fast/wait.h"

#include <time.h>

/* What the kernel takes where a program leaves libpcap's time-out at 0. */
#define UNSAID_US 8000
/* Nobody waits longer than that for a packet that is there. */
#define LONGEST_US 100000
/* A nap that is ended by the clock takes a wake-up more. */
#define WORTH_IT 2

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

/* In which a queue gets at most a quarter of the frames that are not held:
 * 10 Gbit/s are 14.88 packets a us. */
static int64_t blind_us(const struct pcf_handle *h)
{
	uint64_t held = 0, frames;

	if (!h->opened.queues)
		return 0;
	frames = h->opened.frames / h->opened.queues;
	for (unsigned i = 0; i < h->nhooked; i++)
		if (h->lanes[i].held > held)
			held = h->lanes[i].held;
	return held < frames ? (frames - held) * 100 / (4 * 1488) : 0;
}

/* As many packets as since the last wait would be enough. */
static bool worth_it(struct pcf_handle *h, int64_t now)
{
	uint64_t packets = h->delivered - h->waited.delivered;
	int64_t took = now - h->waited.at;

	h->waited.delivered = h->delivered;
	h->waited.at = now;
	return packets * blind_us(h) >= (uint64_t)took * WORTH_IT;
}

int64_t pcf_nap_end(struct pcf_handle *h)
{
	int64_t now;

	if (h->options.immediate || h->options.busy_poll)
		return 0;
	now = now_us();
	if (!h->backend->ops->nap && !worth_it(h, now))
		return 0;
	return now + timeout_us(h);
}

static int until_much(struct pcf_handle *h, int64_t us)
{
	int rc = 1;

	if (h->backend->ops->nap(h->backend, true))
		rc = pcf_waiter_pause(h->waiter, 0, us);
	h->backend->ops->nap(h->backend, false);
	return rc;
}

static int blindly(struct pcf_handle *h, int64_t us)
{
	int64_t most = blind_us(h);

	return pcf_waiter_pause(h->waiter, h->hooked_fds,
				us < most ? us : most);
}

int pcf_nap(struct pcf_handle *h, int64_t end)
{
	int64_t left = end ? end - now_us() : 0;
	int rc;

	if (left <= 0)
		return 1;
	rc = h->backend->ops->nap ? until_much(h, left) : blindly(h, left);
	return rc < 0 ? rc : 1;
}
