/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Send queues as WinPcap and Npcap have them: packets with their times, one
 * behind the other in one buffer, sent at once or at the distances of their
 * times.
 *
 *	buffer	| struct pcap_pkthdr | caplen bytes | struct pcap_pkthdr | ...
 */
#include "libpcap-fast/handle.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NSEC 1000000000ll
/* Sleeping is only so exact; the rest is waited for on the processor. */
#define SPIN_NS 50000
#define BATCH	64

pcap_send_queue *pcap_sendqueue_alloc(u_int memsize)
{
	pcap_send_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->maxlen = memsize;
	q->buffer = malloc(memsize ? memsize : 1);
	if (q->buffer)
		return q;
	free(q);
	return NULL;
}

void pcap_sendqueue_destroy(pcap_send_queue *queue)
{
	if (!queue)
		return;
	free(queue->buffer);
	free(queue);
}

int pcap_sendqueue_queue(pcap_send_queue *queue, const struct pcap_pkthdr *hdr,
			 const u_char *data)
{
	u_int room = queue->maxlen - queue->len;

	if (room < sizeof(*hdr) || room - sizeof(*hdr) < hdr->caplen)
		return -1;
	memcpy(queue->buffer + queue->len, hdr, sizeof(*hdr));
	memcpy(queue->buffer + queue->len + sizeof(*hdr), data, hdr->caplen);
	queue->len += sizeof(*hdr) + hdr->caplen;
	return 0;
}

/* The packet at this place and the place behind it; 0: no whole one. */
static u_int packet_at(const pcap_send_queue *queue, u_int at,
		       struct pcap_batch_pkt *pkt)
{
	u_int left = queue->len - at;

	*pkt = (struct pcap_batch_pkt){ 0 };
	if (left < sizeof(pkt->hdr))
		return 0;
	memcpy(&pkt->hdr, queue->buffer + at, sizeof(pkt->hdr));
	if (left - sizeof(pkt->hdr) < pkt->hdr.caplen)
		return 0;
	pkt->data = (u_char *)queue->buffer + at + sizeof(pkt->hdr);
	return at + sizeof(pkt->hdr) + pkt->hdr.caplen;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC + t.tv_nsec;
}

/* The flag that reads look at is the system library's own on its handles, and
 * may be left over from a read; so calls are counted. */
static unsigned breaks(pcap_t *p)
{
	struct pcf_handle *h = pcf_find(p);

	return h ? atomic_load_explicit(&h->breaks, memory_order_relaxed) : 0;
}

/* In steps, so that pcap_breakloop() ends a long one. False: it was called. */
static bool wait_until(pcap_t *p, int64_t due, unsigned before)
{
	while (breaks(p) == before) {
		int64_t left = due - now_ns();
		struct timespec t = { .tv_nsec = left - SPIN_NS };

		if (left <= 0)
			return true;
		if (left <= SPIN_NS)
			continue;
		if (left - SPIN_NS > NSEC / 10)
			t.tv_nsec = NSEC / 10;
		nanosleep(&t, NULL);
	}
	return false;
}

static int64_t time_of(const struct pcap_pkthdr *hdr, int64_t unit)
{
	return hdr->ts.tv_sec * NSEC + hdr->ts.tv_usec * unit;
}

static u_int transmit_timed(pcap_t *p, const pcap_send_queue *queue,
			    unsigned before)
{
	int64_t unit =
		pcap_get_tstamp_precision(p) == PCAP_TSTAMP_PRECISION_NANO
			? 1
			: 1000;
	int64_t start = now_ns(), first = 0;
	struct pcap_batch_pkt pkt;
	u_int at = 0, next;

	while ((next = packet_at(queue, at, &pkt))) {
		if (!at)
			first = time_of(&pkt.hdr, unit);
		if (!wait_until(p, start + time_of(&pkt.hdr, unit) - first,
				before) ||
		    pcap_inject_batch(p, &pkt, 1) != 1)
			break;
		at = next;
	}
	return at;
}

/* The next packets, and where each one ends. */
static int gather(const pcap_send_queue *queue, u_int at,
		  struct pcap_batch_pkt *pkts, u_int *ends)
{
	int n = 0;

	while (n < BATCH && (at = packet_at(queue, at, &pkts[n])))
		ends[n++] = at;
	return n;
}

static u_int transmit_batches(pcap_t *p, const pcap_send_queue *queue,
			      unsigned before)
{
	struct pcap_batch_pkt pkts[BATCH];
	u_int ends[BATCH], at = 0;
	int n, sent;

	while (breaks(p) == before && (n = gather(queue, at, pkts, ends))) {
		sent = pcap_inject_batch(p, pkts, n);
		if (sent > 0)
			at = ends[sent - 1];
		if (sent < n)
			break;
	}
	return at;
}

u_int pcap_sendqueue_transmit(pcap_t *p, pcap_send_queue *queue, int sync)
{
	return (sync ? transmit_timed : transmit_batches)(p, queue, breaks(p));
}
