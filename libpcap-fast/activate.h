/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What it takes to capture in the mode chosen (h->choice), and to stop.
 *
 * On a backend in this order, so that any failure leaves the real handle able
 * to do the capture with the caller's own options:
 *	1. open the backend: all that needs privilege, but no packet taken yet
 *	2. activate the real handle as the shadow
 *	3. lanes and waiting
 *	4. arm: packets come from here on
 *
 * Returns what pcap_activate() returns. Chooses nothing, but in `auto` goes
 * down to the system's library where the backend cannot be had.
 */
#ifndef PCF_ACTIVATE_H
#define PCF_ACTIVATE_H

#include "libpcap-fast/handle.h"

int pcf_activate_fast(struct pcf_handle *h, const struct pcf_facts *facts);
int pcf_activate_system(struct pcf_handle *h);
/* The system's library's handle alone. */
int pcf_activate_real(struct pcf_handle *h);

/* Give all of it back, the real handle excepted. */
void pcf_close_fast(struct pcf_handle *h);

#endif
