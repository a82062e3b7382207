/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames reserved for sending; the calls are in pcap-fast.h. */
#ifndef PCF_INJECT_H
#define PCF_INJECT_H

#include "libpcap-fast/handle.h"

/* Give a reserved frame of the rings back unsent. */
void pcf_tx_cancel(struct pcf_handle *h, struct pcap_batch_pkt *pkt);

#endif
