/* SPDX-License-Identifier: BSD-3-Clause */
/* pcap_fast_get_info(): what a handle does, and why. */
#include "libpcap-fast/error.h"
#include "libpcap-fast/handle.h"
#include "libpcap-fast/stats.h"

#include <stdio.h>
#include <string.h>

/* Only the first packet shows this, so it is no part of the choice. */
static void add_reason(struct pcap_fast_info *info, const char *text)
{
	size_t used = strlen(info->reason);

	snprintf(info->reason + used, sizeof(info->reason) - used, "%s", text);
}

static void fill_counters(const struct pcf_handle *h,
			  struct pcap_fast_info *info)
{
	struct pcf_counters c;

	pcf_counters_sum(h, &c);
	info->matched = c.matched;
	info->dropped_ring = c.dropped_ring;
	info->dropped_fill = c.dropped_fill;
	info->rest_dropped = c.rest;
	info->delivered = h->delivered;
	info->filtered = h->filtered + h->misdirected + h->bad;
	info->outgoing = h->outgoing;
	info->adapter_times = h->adapter_times;
	if (c.no_metadata)
		add_reason(info,
			   "; the driver leaves no room for metadata: packets are timed and filtered when they are read");
}

static void fill_sending(const struct pcf_handle *h, struct pcap_fast_info *info)
{
	struct pcf_backend *b = h->sender;

	for (unsigned i = 0; b && i < b->nqueues; i++) {
		struct pcf_tx_counters c;

		b->tx->counters(b->ops->queue(b, i), &c);
		info->sent += c.sent;
		info->send_dropped += c.dropped;
		info->send_pending += c.pending;
	}
}

static void fill_cluster(const struct pcf_handle *h,
			 struct pcap_fast_info *info)
{
	if (!h->backend->ops->members)
		return;
	snprintf(info->cluster, sizeof(info->cluster), "%s",
		 h->options.device.cluster);
	info->cluster_members = h->backend->ops->members(h->backend);
}

static bool yielded(const struct pcf_handle *h)
{
	const struct pcf_backend *b = h->backend;
	bool any = false;

	for (unsigned i = 0; b->tx && i < b->nqueues; i++) {
		struct pcf_tx_counters c;

		b->tx->counters(b->ops->queue(h->backend, i), &c);
		any |= c.yielded;
	}
	return any;
}

static void fill_busy(const struct pcf_handle *h, struct pcap_fast_info *info)
{
	if (!h->options.busy_poll)
		return;
	info->busy_poll = h->backend->drive ? 2 : 1;
	info->busy_poll_us = h->options.busy_poll;
	snprintf(info->busy_poll_reason, sizeof(info->busy_poll_reason),
		 "%s%s", h->busy_reason,
		 yielded(h) ? "; not any more: what was sent did not leave" :
			      "");
}

static void fill_fast(const struct pcf_handle *h, struct pcap_fast_info *info)
{
	/* one that receives by the direct ring may have a socket to send by */
	if (h->backend->ops == &pcf_af_xdp || h->sender)
		info->zerocopy = h->opened.zerocopy;
	info->queues = h->opened.queues;
	info->frame_size = h->opened.frame_size;
	info->frames = h->opened.frames;
	info->memory = h->opened.memory;
	fill_busy(h, info);
	fill_counters(h, info);
	fill_cluster(h, info);
	fill_sending(h, info);
	info->shares_memory = h->opened.shared ||
			      (h->partner && h->partner->opened.shared);
}

static void fill(const struct pcf_handle *h, struct pcap_fast_info *info)
{
	info->asked = h->options.mode;
	info->mode = h->mode;
	snprintf(info->reason, sizeof(info->reason), "%s", h->choice.reason);
	info->filter_place = h->filter.place;
	snprintf(info->filter_reason, sizeof(info->filter_reason), "%s",
		 h->filter.reason);
	if (h->backend)
		fill_fast(h, info);
}

int pcap_fast_get_info(pcap_t *p, struct pcap_fast_info *info, size_t size)
{
	struct pcap_fast_info full = { .mode = PCAP_FAST_MODE_SYSTEM,
				       .zerocopy = -1 };
	const struct pcf_handle *h = pcf_find(p);

	if (!info || !size)
		return pcf_fail(p, PCAP_ERROR,
				"pcap_fast_get_info: nowhere to put it");
	if (h)
		fill(h, &full);
	else
		snprintf(full.reason, sizeof(full.reason),
			 "not a live capture made by pcap_create()");
	memcpy(info, &full, size < sizeof(full) ? size : sizeof(full));
	return 0;
}
