/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A reader that is not in a hurry: after its first packet it sleeps on, so that
 * a thousand packets cost one wake-up and not a thousand. With libpcap it is
 * the kernel that wakes the reader for a block of packets; here it is our
 * program. Knows no kernel.
 */
#ifndef PCF_FAST_NAP_H
#define PCF_FAST_NAP_H

#include "libpcap-fast/handle.h"

#include <stdint.h>

/* Before each wait. When it should end, if there are packets: CLOCK_MONOTONIC
 * in us. 0: with the first one. */
int64_t pcf_nap_end(struct pcf_handle *h);

/* After a wait that found nothing but packets from the hook: sleep on until
 * then. As pcf_waiter_wait(). */
int pcf_nap(struct pcf_handle *h, int64_t end);

#endif
