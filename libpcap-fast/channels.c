/* SPDX-License-Identifier: BSD-3-Clause */
/* The interface gets other queues under a capture; see channels.h. */
#include "libpcap-fast/channels.h"

#include "libpcap-fast/error.h"
#include "libpcap-fast/wait.h"

#include <string.h>

void pcf_watch_channels(struct pcf_handle *h, uint32_t rx_queues)
{
	int err = pcf_channels_open(&h->channels, h->ifindex);

	h->rx_queues = rx_queues;
	if (!err) {
		pcf_waiter_watch(h->waiter, pcf_channels_fd(h->channels));
		return;
	}
	pcf_unwatch_channels(h);
	pcf_log(PCF_LOG_DEBUG, "%s: changes of its queues are not seen: %s",
		h->options.device.name, strerror(-err));
}

void pcf_unwatch_channels(struct pcf_handle *h)
{
	pcf_channels_close(h->channels);
	h->channels = NULL;
}

/* A caller who named queues is not concerned by others. */
bool pcf_channels_differ(struct pcf_handle *h)
{
	uint32_t now;

	if (!h->channels)
		return false;
	now = pcf_channels_changed(h->channels);
	if (now)
		h->rx_queues_now = *h->options.queues ? h->rx_queues : now;
	return h->rx_queues_now > h->rx_queues;
}

int pcf_channels_error(struct pcf_handle *h)
{
	uint32_t now = h->rx_queues_now, then = h->rx_queues;

	h->rx_queues = now;
	return pcf_fail(
		h->p, PCAP_ERROR,
		"%s has %u receive queues now (ethtool -L) and had %u when the capture was opened: what comes on the new ones is not captured; open it again",
		h->options.device.name, now, then);
}
