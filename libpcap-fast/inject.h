/* SPDX-License-Identifier: BSD-3-Clause */
/* What other calls need of sending; the calls themselves are in pcap-fast.h. */
#ifndef PCF_INJECT_H
#define PCF_INJECT_H

#include "libpcap-fast/handle.h"

/* Give a reserved frame of the rings back unsent. */
void pcf_tx_cancel(struct pcf_handle *h, struct pcap_batch_pkt *pkt);

/* If the caller wants it: packets that leave by the packet socket of `by` pass
 * the queueing discipline by. Where there is no such socket, or the kernel
 * refuses, all stays as it is. */
void pcf_inject_bypass(const struct pcf_handle *h, pcap_t *by);

#endif
