/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The read calls on a handle of ours, results as the libpcap calls of the same
 * name have them; and the steps they are made of, which batch.c uses too.
 */
#ifndef PCF_READ_H
#define PCF_READ_H

#include "libpcap-fast/handle.h"

#define pcf_unlikely(x) __builtin_expect(!!(x), 0)

int pcf_dispatch(struct pcf_handle *h, int count, pcap_handler callback,
		 u_char *user);
int pcf_loop(struct pcf_handle *h, int count, pcap_handler callback,
	     u_char *user);
int pcf_next_ex(struct pcf_handle *h, struct pcap_pkthdr **header,
		const u_char **data);
void pcf_breakloop(struct pcf_handle *h);

/* At the beginning of each read. Whether it goes on: not if the break flag was
 * set before and counts for it; it is cleared then. */
bool pcf_begin_read(struct pcf_handle *h);

/* Choose the lane that has the next packet anew. */
struct pcf_lane *pcf_begin_run(struct pcf_handle *h);

/* Whoever reads on has to look at something first. Also called by signal
 * handlers and other threads, once the break flag is set. */
static inline void pcf_stop_run(struct pcf_handle *h, memory_order order)
{
	atomic_store_explicit(&h->plain_end, 0, order);
	atomic_store_explicit(&h->deliver_end, 0, order);
}

/* Something that the choice or the look at each packet depends on is another
 * now. */
static inline void pcf_end_run(struct pcf_handle *h)
{
	h->run = &pcf_no_lane;
	h->run_end = 0;
	h->run_plain = false;
	pcf_stop_run(h, memory_order_relaxed);
}

/* The lane that has the next packet, or NULL: none, or lanes must be filled
 * first. */
static inline struct pcf_lane *pcf_next_lane(struct pcf_handle *h)
{
	struct pcf_lane *l = h->run;

	if (l->head < h->run_end)
		return l;
	/* So says pcf_lanes_pick() of a lane that has run empty. */
	return h->run_end && pcf_lane_empty(l) ? NULL : pcf_begin_run(h);
}

static inline int pcf_lend(struct pcf_handle *h, const struct pcf_pkt *pkt,
			   struct pcap_pkthdr **header, const u_char **data)
{
	h->header = *(const struct pcap_pkthdr *)pkt;
	*header = &h->header;
	*data = pkt->data;
	return 1;
}

/* pcf_next_ex() amid a run that passes as it is: there is nothing to choose, to
 * look at and, with one more packet after this, to tell anybody. False: it is
 * to be asked itself. */
static inline bool pcf_next_of_run(struct pcf_handle *h,
				   struct pcap_pkthdr **header,
				   const u_char **data)
{
	struct pcf_lane *l = h->run;
	unsigned head = l->head;

	if (head >= atomic_load_explicit(&h->plain_end, memory_order_relaxed))
		return false;
	l->head = head + 1;
	h->delivered++;
	pcf_lend(h, &l->pkts[head], header, data);
	return true;
}

/* Fill the lanes that ran empty, the first one into `into` unless that is NULL.
 * Whether anything waits in any. */
bool pcf_fill_lanes(struct pcf_handle *h, struct pcf_pkt *into);

/* May the lane's packets be delivered as they are, without a look at each? */
static inline bool pcf_lane_passes(const struct pcf_handle *h,
				   const struct pcf_lane *l)
{
	return l->plain && !h->check_direction &&
	       (l->filtered || !h->filter.insns);
}

/* Tell the sources what was delivered, before a read returns: those that have
 * more stay readable anyhow. */
void pcf_settle_lanes(struct pcf_handle *h);

/* Nothing is there: PCF_AGAIN after waiting, or the read call's result. */
#define PCF_AGAIN 1
int pcf_wait_for_packets(struct pcf_handle *h);

/* Whether the caller gets the packet, cut as filter and snaplen say. Counts. */
bool pcf_admit_slow(struct pcf_handle *h, struct pcf_pkt *pkt);

static inline bool pcf_admit(struct pcf_handle *h, struct pcf_pkt *pkt)
{
	bool slow = h->check_direction ||
		    pkt->flags & (PCF_PKT_BAD | PCF_PKT_OUTGOING |
				  PCF_PKT_ADAPTER_TIME) ||
		    (h->filter.insns && !(pkt->flags & PCF_PKT_FILTERED)) ||
		    (h->spread && pkt->flags & PCF_PKT_SOCKET);

	if (pcf_unlikely(slow) && !pcf_admit_slow(h, pkt))
		return false;
	if (pkt->caplen > h->snaplen)
		pkt->caplen = h->snaplen;
	h->delivered++;
	return true;
}

#endif
