/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets through a backend's rings for sending: waiting, retrying, giving up.
 * What the kernel has not taken is the caller's again when a call returns. */
#ifndef PCF_TRANSMIT_H
#define PCF_TRANSMIT_H

#include "libpcap-fast/handle.h"

enum pcf_frames {
	PCF_FRAMES_COPY, /* anybody's packets: copies are sent */
	PCF_FRAMES_OWN	 /* packets in frames that the queue can send */
};

/*
 * Send packets in order through this queue of the handle's backend; with a
 * blocking handle until all are taken. How many were, less than n in
 * non-blocking mode, after pcap_breakloop() or before a packet that cannot be
 * sent; or, if that is the first, negative errno: -EAGAIN no room now,
 * -EINTR pcap_breakloop(), -EINVAL and -EMSGSIZE the packet's size, -ENETDOWN,
 * -ENXIO. Several threads may send at once.
 */
int pcf_transmit(struct pcf_handle *h, struct pcf_queue *q,
		 const struct pcf_pkt *pkts, unsigned n, enum pcf_frames whose);

/* Wait until the device has sent all, `timeout_ms` at most (negative: as long
 * as it takes). How many frames are still out. */
unsigned pcf_transmit_flush(struct pcf_handle *h, int timeout_ms);

#endif
