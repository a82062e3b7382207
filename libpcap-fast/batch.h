/* SPDX-License-Identifier: BSD-3-Clause */
/* State of the batch calls beside a handle; the calls are in pcap-fast.h. */
#ifndef PCF_BATCH_H
#define PCF_BATCH_H

#include "libpcap-fast/handle.h"

/* Frees held copies, too. Takes NULL. */
void pcf_batch_free(struct pcf_batch *b);

#endif
