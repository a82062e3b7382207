/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters. No locks and no allocation: callable from signal handlers. */
#ifndef PCF_STATS_H
#define PCF_STATS_H

#include "libpcap-fast/handle.h"

/* All queues of the backend together. */
void pcf_counters_sum(const struct pcf_handle *h, struct pcf_counters *sum);

/* pcap_stats() on a handle of ours. */
int pcf_stats(struct pcf_handle *h, struct pcap_stat *stats);

#endif
