/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interface gets other queues under a capture (ethtool -L). Fewer queues do
 * no harm, and the kernel refuses to take away those with an AF_XDP socket; new
 * ones get their share of the packets, which nobody captures. So the reader is
 * told, once.
 */
#ifndef PCF_FAST_CHANNELS_H
#define PCF_FAST_CHANNELS_H

#include "libpcap-fast/handle.h"

/* Look out, on a handle with its waiter. Without it the capture goes on. */
void pcf_watch_channels(struct pcf_handle *h, uint32_t rx_queues);
void pcf_unwatch_channels(struct pcf_handle *h);

/* Has there been a change that the reader must know of? One system call. */
bool pcf_channels_differ(struct pcf_handle *h);

/* PCAP_ERROR and its text for such a change; it is told then. */
int pcf_channels_error(struct pcf_handle *h);

#endif
