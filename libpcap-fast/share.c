/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding: pcap_fast_share() makes two handles' queues use the same packet
 * memory, pair by pair, so that pcap_forward_batch() can hand a received frame
 * to the other's ring as it is. Where that cannot be, it copies.
 */
#include "libpcap-fast/batch.h"
#include "libpcap-fast/error.h"
#include "libpcap-fast/transmit.h"

#include <errno.h>
#include <string.h>

int pcap_fast_share(pcap_t *out, pcap_t *in)
{
	struct pcf_handle *a = pcf_find(out), *b = pcf_find(in);

	if (!a || !b || a == b)
		return pcf_fail(
			out, PCAP_ERROR,
			"pcap_fast_share: two handles of pcap_create() are needed");
	if (a->active || b->active)
		return pcf_fail(out, PCAP_ERROR_ACTIVATED,
				"can't perform operation on activated capture");
	if ((a->partner && a->partner != b) || (b->partner && b->partner != a))
		return pcf_fail(
			out, PCAP_ERROR,
			"pcap_fast_share: it shares with another handle already");
	a->partner = b;
	b->partner = a;
	return 0;
}

/* The queue of `out` that can send this packet where it lies, or NULL. A
 * backend that cannot send (the direct ring) has memory of its own. */
static struct pcf_queue *same_memory(struct pcf_handle *in,
				     struct pcf_handle *out,
				     const struct pcap_batch_pkt *pkt)
{
	struct pcf_lane *l;
	struct pcf_queue *q;
	unsigned i;

	if (!out->sender || !in->backend || !in->backend->tx)
		return NULL;
	l = pcf_batch_lane(in, pkt);
	if (!l)
		return NULL;
	i = l - in->lanes;
	if (i >= out->sender->nqueues)
		return NULL;
	q = out->sender->ops->queue(out->sender, i);
	return out->sender->tx->sendable(q, (const struct pcf_pkt *)pkt)
		       ? q
		       : NULL;
}

static int forward_frames(struct pcf_handle *in, struct pcf_handle *out,
			  struct pcf_queue *q, struct pcap_batch_pkt *pkts,
			  int n)
{
	int rc =
		pcf_transmit(out, q, (struct pcf_pkt *)pkts, n, PCF_FRAMES_OWN);

	for (int i = 0; i < rc; i++)
		pcf_batch_give_away(in, &pkts[i]);
	if (rc == -EAGAIN)
		return 0;
	return rc < 0 ? pcf_fail(out->p, PCAP_ERROR, "send: %s", strerror(-rc))
		      : rc;
}

/* What is not held goes back with the rest of its batch. */
static int forward_copies(pcap_t *in, pcap_t *out, struct pcap_batch_pkt *pkts,
			  int n)
{
	int rc = pcap_inject_batch(out, pkts, n);

	if (rc > 0)
		pcap_release_batch(in, pkts, rc);
	for (int i = 0; i < rc; i++)
		pkts[i].data = NULL;
	return rc;
}

/* How many packets from the first on go the same way as it. */
static int same_way(struct pcf_handle *in, struct pcf_handle *out,
		    const struct pcap_batch_pkt *pkts, int n,
		    const struct pcf_queue *q)
{
	int i = 1;

	while (i < n && pkts[i].data && same_memory(in, out, &pkts[i]) == q)
		i++;
	return i;
}

static int forward_run(struct pcf_handle *in, struct pcf_handle *out,
		       pcap_t *to, struct pcap_batch_pkt *pkts, int n)
{
	struct pcf_queue *q = out ? same_memory(in, out, pkts) : NULL;

	if (!pkts->data)
		return pcf_fail(
			to, PCAP_ERROR,
			"pcap_forward_batch: a packet that was given back");
	if (!out)
		return forward_copies(in->p, to, pkts, n);
	n = same_way(in, out, pkts, n, q);
	return q ? forward_frames(in, out, q, pkts, n)
		 : forward_copies(in->p, to, pkts, n);
}

int pcap_forward_batch(pcap_t *in, pcap_t *out, struct pcap_batch_pkt *pkts,
		       int n)
{
	struct pcf_handle *from = pcf_find(in), *to = pcf_find_fast(out);
	int done = 0;

	if (!from)
		return pcf_fail(out, PCAP_ERROR,
				"pcap_forward_batch: no batch was read there");
	while (done < n) {
		int rc = forward_run(from, to, out, pkts + done, n - done);

		if (rc <= 0)
			return done ? done : rc;
		done += rc;
	}
	return done;
}
