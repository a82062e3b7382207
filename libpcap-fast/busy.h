/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A reader that polls for a while before it sleeps (PCAP_FAST_BUSY_POLL): it
 * spares the wake-up, for a processor's time. Knows no kernel.
 */
#ifndef PCF_FAST_BUSY_H
#define PCF_FAST_BUSY_H

#include "libpcap-fast/handle.h"

/* Poll for as long as the handle's owner wants it, at most. Whether there is
 * something to look at: packets, the break flag, an event. Without busy
 * polling never. */
bool pcf_busy_wait(struct pcf_handle *h);

/* One look, for a non-blocking read. Whether there are packets. */
bool pcf_busy_look(struct pcf_handle *h);

/* What a handle that was just opened does, for the log and for
 * pcap_fast_get_info(). */
void pcf_busy_describe(struct pcf_handle *h);

#endif
