/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stand-in: a second handle of the system's library, which captures while
 * a filter is set that only a packet socket can run (filter/filter.h,
 * pcf_filter_needs_socket()).
 *
 * Its packets are those of both directions, in order, with the caller's own
 * buffer size and time-out: the handle then works as on `system`. The programs
 * at the hook are disarmed meanwhile, so that packets reach the socket. It is
 * opened when it is first needed, and stays, taking nothing while another
 * filter is set: packets may still lie in it.
 */
#ifndef PCF_STANDIN_H
#define PCF_STANDIN_H

#include "libpcap-fast/handle.h"

/* Can this filter run there? Opens it if it can, but takes no packet. 0, or
 * negative errno with the reason in `f`: the kernel refuses the program, or the
 * socket. */
int pcf_standin_open(struct pcf_handle *h, struct pcf_filter *f);

/* Capture by this filter in this direction (pcap_direction_t), or nothing: f
 * NULL. */
void pcf_standin_take(struct pcf_handle *h, const struct pcf_filter *f,
		      int direction);

/* What it has counted, added up like a backend's. */
void pcf_standin_counters(const struct pcf_handle *h, struct pcf_counters *sum);

/* The system library's handle for sending, blocking or not as the caller wants
 * it: the one that captures, since a packet socket does not see what itself has
 * sent, but what others send. */
pcap_t *pcf_standin_sender(struct pcf_handle *h);

void pcf_standin_close(struct pcf_handle *h);

#endif
