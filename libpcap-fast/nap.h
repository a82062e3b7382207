/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A reader that is not in a hurry: between its first packet and its time-out it
 * sleeps on, unless there is much to read. Then a thousand packets cost one
 * wake-up and not a thousand, as with libpcap, whose kernel side wakes the
 * reader for a block of packets. Knows no kernel.
 */
#ifndef PCF_FAST_NAP_H
#define PCF_FAST_NAP_H

#include "libpcap-fast/handle.h"

#include <stdint.h>

/* When a wait that begins now should end, if there are packets: CLOCK_MONOTONIC
 * in ms. 0: with the first one. */
int64_t pcf_nap_end(const struct pcf_handle *h);

/* After a wait that found nothing but packets from the hook: sleep on until
 * then. As pcf_waiter_wait(). */
int pcf_nap(struct pcf_handle *h, int64_t end);

#endif
