/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A backend that plays a script, so that all of the read logic is tested
 * without root and without a network.
 *
 * A handle made here is a dead pcap_t of the system's library with lanes over
 * fake queues. What a queue shows is fed by the test; what the read path does
 * with it (taken, done: how often, in which order) is recorded and checked.
 */
#ifndef PCF_FAKE_BACKEND_H
#define PCF_FAKE_BACKEND_H

#include "libpcap-fast/handle.h"

#define FAKE_MAX 4096

struct fake_queue {
	int fd;			/* eventfd: readable while packets wait */
	unsigned fed, shown, taken, done;
	unsigned rx_calls;
	bool misused;		/* taken or done out of order */
	struct pcf_pkt pkts[FAKE_MAX];
	uint8_t bytes[FAKE_MAX][128];
	bool done_once[FAKE_MAX];
};

struct fake {
	pcap_t *p;
	struct pcf_handle *h;
	unsigned n;
	struct fake_queue *queues;
};

/* A handle with `n` queues; ended by pcap_close() through fake_close(). */
void fake_open(struct fake *f, unsigned n);
void fake_close(struct fake *f);

/* One more packet on queue `q`: time in us, bytes, flags PCF_PKT_*. */
void fake_feed(struct fake *f, unsigned q, unsigned us, const void *data,
	       unsigned len, unsigned flags);
/* ... of 60 bytes, the first of which is `mark`. */
void fake_mark(struct fake *f, unsigned q, unsigned us, uint8_t mark);

#endif
