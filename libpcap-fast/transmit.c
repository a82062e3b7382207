/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending through a backend's rings: see transmit.h. Knows no kernel. */
#include "libpcap-fast/transmit.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h> /* glibc 2.32 */
#else
#define __libc_single_threaded false
#endif

#define ETHERNET_HEADER 14
#define VLAN_TAG	4
/* Pauses while the kernel takes nothing, in microseconds. */
#define PAUSE_FIRST   20
#define PAUSE_LONGEST 1000

/* The lengths that a packet socket takes, 0 or negative errno: only an 802.1Q
 * tag may make a packet longer than the MTU allows. */
static int check_size(const struct pcf_handle *h, const struct pcf_pkt *pkt)
{
	uint32_t most = h->mtu + ETHERNET_HEADER;

	if (pkt->caplen < ETHERNET_HEADER)
		return -EINVAL;
	if (pkt->data[12] == 0x81 && pkt->data[13] == 0x00)
		most += VLAN_TAG;
	return pkt->caplen > most ? -EMSGSIZE : 0;
}

static unsigned sendable_run(const struct pcf_handle *h,
			     const struct pcf_pkt *pkts, unsigned n, int *err)
{
	unsigned i;

	*err = 0;
	for (i = 0; i < n && !*err; i++)
		*err = check_size(h, &pkts[i]);
	return *err ? i - 1 : i;
}

static bool give_up(struct pcf_handle *h, int *err)
{
	if (h->nonblock)
		*err = -EAGAIN;
	else if (atomic_load_explicit(&h->break_flag, memory_order_relaxed))
		*err = -EINTR;
	else
		return false;
	return true;
}

static void pause_for(unsigned *us)
{
	usleep(*us);
	*us = *us * 2 < PAUSE_LONGEST ? *us * 2 : PAUSE_LONGEST;
}

/* Have the kernel take what is in the ring. */
static int push(struct pcf_handle *h, struct pcf_queue *q)
{
	const struct pcf_tx_ops *tx = h->sender->tx;
	unsigned us = PAUSE_FIRST;

	for (;;) {
		bool progress;
		int err = tx->kick(q, &progress);

		if (err != -EAGAIN)
			return err;
		if (progress)
			us = PAUSE_FIRST;
		else if (give_up(h, &err))
			return err;
		else
			pause_for(&us);
	}
}

static int transmit(struct pcf_handle *h, struct pcf_queue *q,
		    const struct pcf_pkt *pkts, unsigned n,
		    enum pcf_frames whose, unsigned *done)
{
	const struct pcf_tx_ops *tx = h->sender->tx;
	bool copies = whose == PCF_FRAMES_COPY;
	unsigned us = PAUSE_FIRST;
	int err = 0;

	while (*done < n && !err) {
		unsigned put = (copies ? tx->copy : tx->submit)(q, pkts + *done,
								n - *done);

		err = push(h, q);
		*done += put;
		if (err && put)
			*done -= tx->recall(q, put, copies);
		else if (!put && !err && !give_up(h, &err))
			pause_for(&us);
	}
	return err;
}

/* A call of little more than the system call, so it does without the lock while
 * the process has one thread. */
static bool sent_at_once(struct pcf_handle *h, struct pcf_queue *q,
			 const struct pcf_pkt *pkt)
{
	const bool alone = __libc_single_threaded;
	bool sent;

	if (check_size(h, pkt))
		return false;
	if (!alone)
		pthread_mutex_lock(&h->tx_lock);
	sent = h->sender->tx->one(q, pkt);
	if (!alone)
		pthread_mutex_unlock(&h->tx_lock);
	return sent;
}

static __attribute__((noinline)) int
send_all(struct pcf_handle *h, struct pcf_queue *q, const struct pcf_pkt *pkts,
	 unsigned n, enum pcf_frames whose)
{
	unsigned done = 0;
	int bad, err;

	n = sendable_run(h, pkts, n, &bad);
	pthread_mutex_lock(&h->tx_lock);
	/* an interface that is down is the first thing to be said */
	err = n ? transmit(h, q, pkts, n, whose, &done) : push(h, q);
	pthread_mutex_unlock(&h->tx_lock);
	if (done)
		return done;
	return err ? err : bad;
}

int pcf_transmit(struct pcf_handle *h, struct pcf_queue *q,
		 const struct pcf_pkt *pkts, unsigned n, enum pcf_frames whose)
{
	if (n == 1 && whose == PCF_FRAMES_COPY && sent_at_once(h, q, pkts))
		return 1;
	return send_all(h, q, pkts, n, whose);
}

static unsigned pending(struct pcf_handle *h, bool kick)
{
	struct pcf_backend *b = h->sender;
	unsigned n = 0;

	for (unsigned i = 0; i < b->nqueues; i++) {
		struct pcf_queue *q = b->ops->queue(b, i);
		struct pcf_tx_counters c;
		bool progress;

		b->tx->counters(q, &c);
		if (c.pending && kick)
			b->tx->kick(q, &progress);
		b->tx->counters(q, &c);
		n += c.pending;
	}
	return n;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

unsigned pcf_transmit_flush(struct pcf_handle *h, int timeout_ms)
{
	int64_t end = now_ms() + timeout_ms;
	unsigned us = PAUSE_FIRST, n;

	for (;;) {
		pthread_mutex_lock(&h->tx_lock);
		n = pending(h, true);
		pthread_mutex_unlock(&h->tx_lock);
		if (!n || (timeout_ms >= 0 && now_ms() >= end) ||
		    atomic_load_explicit(&h->break_flag, memory_order_relaxed))
			return n;
		pause_for(&us);
	}
}
