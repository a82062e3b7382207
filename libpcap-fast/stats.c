/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap_stats as stock libpcap means it: ps_recv counts what passed the filter,
 * dropped packets and those not yet read included; ps_drop is the part that
 * was dropped for want of room; ps_ifdrop is the device's. The shadow's own
 * counters give the outgoing part, and ps_ifdrop.
 *
 * A packet that a former filter let through at the hook was received, though
 * the new one rejects it when it is read; one that only a filter in user space
 * ever saw and rejected was not.
 */
#include "libpcap-fast/stats.h"

#include "libpcap-fast/keep.h"
#include "libpcap-fast/standin.h"

static void add(struct pcf_backend *b, struct pcf_counters *sum)
{
	for (unsigned i = 0; b && i < b->nqueues; i++) {
		struct pcf_counters c = { 0 };

		b->ops->counters(b->ops->queue(b, i), &c);
		sum->matched += c.matched;
		sum->dropped_ring += c.dropped_ring;
		sum->dropped_fill += c.dropped_fill;
		sum->rest += c.rest;
		sum->no_metadata |= c.no_metadata;
	}
}

void pcf_counters_sum(const struct pcf_handle *h, struct pcf_counters *sum)
{
	*sum = (struct pcf_counters){ 0 };
	add(h->backend, sum);
	add(pcf_keep_mirror(h), sum);
	pcf_standin_counters(h, sum);
}

int pcf_stats(struct pcf_handle *h, struct pcap_stat *stats)
{
	struct pcf_counters c;
	int rc = pcf_stock()->pcap_stats(h->p, stats);

	if (rc < 0)
		return rc;
	pcf_counters_sum(h, &c);
	stats->ps_recv += c.matched - h->not_received - h->bad;
	stats->ps_drop += c.dropped_ring + c.dropped_fill;
	return 0;
}
