/* SPDX-License-Identifier: BSD-3-Clause */
/* A handle of one queue that sends, for tests that know the queue's rings and
 * hence not pcap.h. One at a time. */
#ifndef PCF_SENDING_H
#define PCF_SENDING_H

#include "backend/backend.h"

void sending_open(struct pcf_queue *q, const struct pcf_tx_ops *ops,
		  uint32_t mtu);
void sending_close(void);
void sending_nonblock(bool on);
void sending_mtu(uint32_t mtu);
/* As pcap_breakloop() does. */
void sending_break(void);

/* pcf_transmit() of copies and of packets in frames; pcf_transmit_flush(). */
int sending_copy(const struct pcf_pkt *pkts, unsigned n);
int sending_own(const struct pcf_pkt *pkts, unsigned n);
unsigned sending_flush(int timeout_ms);

#endif
