/* SPDX-License-Identifier: BSD-3-Clause */
/* State of the batch calls beside a handle; the calls are in pcap-fast.h. */
#ifndef PCF_BATCH_H
#define PCF_BATCH_H

#include "libpcap-fast/handle.h"

/*
 * Where a packet of a batch came from, in the flags that are not the caller's:
 *
 *	| lane 18 | place in the lane 6 | filtered 1 | reserved 1 | held 1 |
 *	| copy 1 | caller's 4 |
 */
#define PCF_BATCH_COPY 0x10u
#define PCF_BATCH_HELD 0x20u
#define PCF_BATCH_RESERVED 0x40u	/* to be sent: pcap_tx_reserve() */
#define PCF_BATCH_CALLERS 0xfu

/* Frees held copies, too. Takes NULL. */
void pcf_batch_free(struct pcf_batch *b);

/* The handle's state; a handle that the side table does not know yet gets its
 * entry. NULL: no memory, or p is NULL. */
struct pcf_handle *pcf_find_or_add(pcap_t *p);

/* An entry with `size` bytes of its own, held until it is released or the
 * handle is closed. 0 or -ENOMEM. */
int pcf_batch_own(struct pcf_handle *h, struct pcap_batch_pkt *pkt,
		  uint32_t size);

/* The lane whose frame the entry still has; NULL: a copy, or given back. */
struct pcf_lane *pcf_batch_lane(struct pcf_handle *h,
				const struct pcap_batch_pkt *pkt);

/* The entry's frame is somebody else's from here on. */
void pcf_batch_give_away(struct pcf_handle *h, struct pcap_batch_pkt *pkt);

#endif
