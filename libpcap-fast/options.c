/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap_set_*(): passed on to the real handle, which judges them, and noted
 * here, since the system's library does not tell them back.
 */
#include "libpcap-fast/error.h"
#include "libpcap-fast/handle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Set an option of the real handle; note it if that worked. */
#define OPTION(function, type, field) \
	int function(pcap_t *p, type value) \
	{ \
		const struct pcf_stock *stock = pcf_stock(); \
		struct pcf_handle *h = pcf_find(p); \
		int rc = stock->function ? stock->function(p, value) : \
					   PCAP_ERROR; \
\
		if (rc >= 0 && h && !pcf_inside_stock()) \
			h->options.field = value; \
		return rc; \
	}

OPTION(pcap_set_snaplen, int, snaplen)
OPTION(pcap_set_promisc, int, promisc)
OPTION(pcap_set_rfmon, int, rfmon)
OPTION(pcap_set_timeout, int, timeout_ms)
OPTION(pcap_set_immediate_mode, int, immediate)
OPTION(pcap_set_buffer_size, int, buffer_size)
OPTION(pcap_set_protocol_linux, int, protocol)

/* The handle if an option of ours may be set on it; else *rc is the result. */
static struct pcf_handle *settable(pcap_t *p, const char *what, int *rc)
{
	struct pcf_handle *h = pcf_find(p);

	if (!h) {
		*rc = pcf_fail(p, PCAP_ERROR,
			       "%s: not a handle made by pcap_create()", what);
		return NULL;
	}
	if (h->active) {
		*rc = pcf_fail(
			p, PCAP_ERROR_ACTIVATED,
			"can't perform  operation on activated capture");
		return NULL;
	}
	*rc = 0;
	return h;
}

int pcap_fast_set_mode(pcap_t *p, int mode)
{
	int rc;
	struct pcf_handle *h = settable(p, __func__, &rc);

	if (!h)
		return rc;
	if (mode < PCAP_FAST_MODE_AUTO || mode > PCAP_FAST_MODE_MIRROR)
		return pcf_fail(p, PCAP_ERROR, "%s: no mode %d", __func__, mode);
	h->options.mode = mode;
	h->options.mode_set = true;
	return 0;
}

int pcap_fast_set_queues(pcap_t *p, const char *list)
{
	/* More queues than any device has; the real number is known later. */
	uint64_t mask[1024];
	char why[256];
	int rc;
	struct pcf_handle *h = settable(p, __func__, &rc);

	if (!h)
		return rc;
	if (!list)
		list = "";
	if (pcf_queue_list(list, mask, 64 * 1024, why, sizeof(why)) < 0)
		return pcf_fail(p, PCAP_ERROR, "%s: %s", __func__, why);
	if (strlen(list) >= sizeof(h->options.queues))
		return pcf_fail(p, PCAP_ERROR, "%s: list too long", __func__);
	snprintf(h->options.queues, sizeof(h->options.queues), "%s", list);
	return 0;
}

int pcap_fast_set_zerocopy(pcap_t *p, int how)
{
	int rc;
	struct pcf_handle *h = settable(p, __func__, &rc);

	if (!h)
		return rc;
	if (how < PCAP_FAST_ZEROCOPY_AUTO || how > PCAP_FAST_ZEROCOPY_OFF)
		return pcf_fail(p, PCAP_ERROR, "%s: no such value %d", __func__,
				how);
	h->options.zerocopy = how;
	h->options.zerocopy_set = true;
	return 0;
}

int pcap_fast_set_keep(pcap_t *p, const char *expr)
{
	int rc;
	struct pcf_handle *h = settable(p, __func__, &rc);
	char *copy = expr ? strdup(expr) : NULL;

	if (!h || (expr && !copy)) {
		free(copy);
		return h ? pcf_fail_errno(p, -ENOMEM, "malloc") : rc;
	}
	free(h->options.keep);
	h->options.keep = copy;
	return 0;
}

int pcap_fast_set_rest(pcap_t *p, int verdict)
{
	int rc;
	struct pcf_handle *h = settable(p, __func__, &rc);

	if (!h)
		return rc;
	if (verdict != PCAP_FAST_REST_PASS && verdict != PCAP_FAST_REST_DROP)
		return pcf_fail(p, PCAP_ERROR, "%s: no such value %d", __func__,
				verdict);
	h->options.rest = verdict;
	h->options.rest_set = true;
	return 0;
}

int pcap_fast_set_busy_poll(pcap_t *p, int usec)
{
	int rc;
	struct pcf_handle *h = settable(p, __func__, &rc);

	if (!h)
		return rc;
	if (usec < 0 || usec > PCF_BUSY_POLL_MAX)
		return pcf_fail(p, PCAP_ERROR, "%s: not from 0 to %d: %d",
				__func__, PCF_BUSY_POLL_MAX, usec);
	h->options.busy_poll = usec;
	h->options.busy_poll_set = true;
	return 0;
}

int pcap_fast_set_rx_hash(pcap_t *p, int on)
{
	int rc;
	struct pcf_handle *h = settable(p, __func__, &rc);

	if (!h)
		return rc;
	if (on != 0 && on != 1)
		return pcf_fail(p, PCAP_ERROR, "%s: not 0 or 1: %d", __func__,
				on);
	h->options.rx_hash = on;
	h->options.rx_hash_set = true;
	return 0;
}
