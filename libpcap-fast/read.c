/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The read calls, once over all backends: pcap_dispatch, pcap_loop, pcap_next,
 * pcap_next_ex, pcap_breakloop. Counts, time-outs, the break flag, direction,
 * user-space filter and snaplen are dealt with here and nowhere else.
 *
 * A packet's way:
 *	queue --rx--> lane --by time--> admit --> clip --> caller --> done
 */
#include "libpcap-fast/read.h"

#include "libpcap-fast/busy.h"
#include "libpcap-fast/channels.h"
#include "libpcap-fast/error.h"
#include "libpcap-fast/filter/filter.h"
#include "libpcap-fast/handle.h"
#include "libpcap-fast/nap.h"
#include "libpcap-fast/shadow.h"
#include "libpcap-fast/wait.h"

#include <limits.h>
#include <linux/if_packet.h>
#include <stddef.h>
#include <string.h>

#define likely(x) __builtin_expect(!!(x), 1)

/* "All that is there" ends somewhere, also when packets come faster than they
 * are read: after as many as a large ring holds. */
#define ALL_THAT_IS_THERE (1 << 20)

#define FILLS_PER_LOOK 1024

_Static_assert(offsetof(struct pcf_pkt, ts) == 0 &&
		       offsetof(struct pcf_pkt, caplen) ==
			       offsetof(struct pcap_pkthdr, caplen) &&
		       offsetof(struct pcf_pkt, len) ==
			       offsetof(struct pcap_pkthdr, len),
	       "a packet begins with its pcap_pkthdr");

/* --- one packet ---------------------------------------------------------- */

/* A packet socket's packets of both directions carry no sign of theirs; the
 * question comes up for those that waited while filter or direction changed. */
static bool is_outgoing(const struct pcf_handle *h, const struct pcf_pkt *pkt)
{
	if (pkt->flags & PCF_PKT_SOCKET)
		return pkt->caplen >= 12 && !memcmp(pkt->data + 6, h->mac, 6);
	return pkt->flags & PCF_PKT_OUTGOING;
}

/* The bytes that the filter keeps, over the frame as delivered: the filter
 * counts without the outer VLAN tag. */
static uint32_t run_filter(struct pcf_handle *h, const struct pcf_pkt *pkt)
{
	struct pcf_frame f = { .data = pkt->data,
			       .caplen = pkt->caplen,
			       .len = pkt->len,
			       .ifindex = h->ifindex,
			       .queue = pkt->queue,
			       .pkttype = PACKET_OUTGOING,
			       .random = h->random += 0x6c8e9cf5 };
	uint32_t keep;

	if (!is_outgoing(h, pkt) && pkt->caplen >= 6)
		f.pkttype = pcf_filter_pkttype(pkt->data, h->mac);
	keep = pcf_filter_run(h->filter.insns, &f);
	if (keep && keep < UINT32_MAX - 4 &&
	    pcf_frame_tagged(pkt->data, pkt->caplen))
		keep += 4;
	return keep;
}

static bool wrong_direction(const struct pcf_handle *h,
			    const struct pcf_pkt *pkt)
{
	const uint32_t decided = PCF_PKT_SOCKET | PCF_PKT_FILTERED;

	if ((pkt->flags & decided) == decided)
		return false;
	return h->direction ==
	       (is_outgoing(h, pkt) ? PCAP_D_IN : PCAP_D_OUT);
}

/* Every member of a cluster has a shadow that sees all that is sent; a stand-in
 * sees what others have left to the host. */
static bool anothers(const struct pcf_handle *h, const struct pcf_pkt *pkt)
{
	return h->spread && pkt->flags & (PCF_PKT_OUTGOING | PCF_PKT_SOCKET) &&
	       !h->backend->ops->mine(h->backend, pkt);
}

/* Up to here the packet had the host's time, by which lanes are merged: that of
 * the adapter's clock has no order with that of others. */
static void stamp_by_adapter(struct pcf_handle *h, struct pcf_pkt *pkt)
{
	const struct pcf_lane *l = &h->lanes[pkt->flags >> PCF_LANE_SHIFT];

	pkt->ts = pcf_clock_stamp(&h->adapter_clock,
				  l->ops.hints(l->queue, pkt)->time);
	h->adapter_times++;
}

/* The tests that most handles need for no packet. */
bool pcf_admit_slow(struct pcf_handle *h, struct pcf_pkt *pkt)
{
	uint32_t keep;

	if (pkt->flags & PCF_PKT_BAD) {
		h->bad++;
		return false;
	}
	if (h->check_direction && wrong_direction(h, pkt)) {
		h->misdirected++;
		return false;
	}
	if (anothers(h, pkt)) {
		h->not_received++;
		return false;
	}
	if (h->filter.insns && !(pkt->flags & PCF_PKT_FILTERED)) {
		keep = run_filter(h, pkt);
		if (!keep) {
			h->filtered++;
			h->not_received += h->filter.place ==
					   PCAP_FAST_FILTER_USER;
			return false;
		}
		if (keep < pkt->caplen)
			pkt->caplen = keep;
	}
	if (pkt->flags & PCF_PKT_ADAPTER_TIME)
		stamp_by_adapter(h, pkt);
	h->outgoing += pkt->flags & PCF_PKT_OUTGOING;
	return true;
}

/* --- many packets -------------------------------------------------------- */

/* A reader that never has to wait looks for events now and then. */
static bool event_waits(struct pcf_handle *h)
{
	if (pcf_unlikely(++h->fills % FILLS_PER_LOOK == 0))
		h->event = pcf_channels_differ(h);
	return h->event;
}

/* Pairs with pcf_breakloop(), which sets the flag first and then the ends to 0:
 * a break that comes meanwhile is seen here, or stops the run. */
static void go_on_to(struct pcf_handle *h, atomic_uint *end, unsigned n)
{
	atomic_store(end, n);
	if (atomic_load(&h->break_flag))
		atomic_store(end, 0);
}

struct pcf_lane *pcf_begin_run(struct pcf_handle *h)
{
	struct pcf_lane *l = pcf_lanes_pick(h->lanes, h->nlanes);

	pcf_end_run(h);
	if (!l)
		return NULL;
	h->run = l;
	h->run_end = l->head + pcf_lanes_run(h->lanes, h->nlanes, l);
	h->run_plain = pcf_lane_passes(h, l);
	return l;
}

static unsigned packets_of_hook(const struct pcf_handle *h)
{
	unsigned n = 0;

	for (unsigned i = 0; i < h->nhooked; i++)
		n += h->lanes[i].count - h->lanes[i].head;
	return n;
}

/*
 * After a wait that found packets from the hook and the others (the shadow,
 * the stand-in) without any. To ask these takes a system call; but if there
 * is one packet, it is the one that was seen, and they had none when the wait
 * looked at them, which it did after that: they have answered. With more
 * packets the later ones may have come since, so they must be asked.
 */
static bool others_have_answered(struct pcf_handle *h, struct pcf_pkt *into)
{
	if (!h->others_quiet)
		return false;
	h->others_quiet = false;
	pcf_lanes_fill(h->lanes, h->nhooked, &h->turn, into);
	if (packets_of_hook(h) != 1)
		return false;
	for (unsigned i = h->nhooked; i < h->nlanes; i++)
		h->lanes[i].asked = ++h->turn;
	return true;
}

/* The shadow and the stand-in had shown all, when they were asked last. */
static bool others_done(const struct pcf_handle *h)
{
	for (unsigned i = h->nhooked; i < h->nlanes; i++)
		if (!pcf_lane_empty(&h->lanes[i]) ||
		    h->lanes[i].stop != PCF_STOP_EMPTY)
			return false;
	return true;
}

/* Fill the lanes that ran empty; the shadow, which is the dearest to ask, is
 * the last of them, so that one round is mostly enough. When the hook has
 * nothing, the others are asked only if nobody else will: the wait that follows
 * looks at them, too, and a read that has packets to return leaves them to the
 * next one. Whether anything is there. */
bool pcf_fill_lanes(struct pcf_handle *h, struct pcf_pkt *into)
{
	pcf_end_run(h);
	if (pcf_unlikely(event_waits(h)))
		return false;
	if (others_have_answered(h, into))
		return true;
	if (!h->must_ask && others_done(h)) {
		pcf_lanes_fill(h->lanes, h->nhooked, &h->turn, into);
		if (!packets_of_hook(h))
			return false;
	}
	if (pcf_unlikely(pcf_lanes_fill(h->lanes, h->nlanes, &h->turn, into)))
		h->pending_error = pcf_shadow_error(h->shadow);
	for (unsigned i = 0; i < h->nlanes; i++)
		if (!pcf_lane_empty(&h->lanes[i]))
			return true;
	return false;
}

void pcf_settle_lanes(struct pcf_handle *h)
{
	for (unsigned i = 0; i < h->nlanes; i++)
		if (pcf_lane_empty(&h->lanes[i]))
			pcf_lane_settle(&h->lanes[i]);
}

/* The next packet for the caller, who has had n in this read, or NULL: nothing
 * is there. */
static inline struct pcf_pkt *next_packet(struct pcf_handle *h, int n)
{
	for (;;) {
		struct pcf_lane *l = pcf_next_lane(h);
		struct pcf_pkt *pkt;

		if (!l) {
			h->must_ask &= !n;
			if (!pcf_fill_lanes(h, NULL))
				return NULL;
			continue;
		}
		pkt = &l->pkts[l->head++];
		if (pcf_admit(h, pkt))
			return pkt;
	}
}

static bool take_break(struct pcf_handle *h)
{
	return pcf_unlikely(atomic_load_explicit(&h->break_flag,
					     memory_order_relaxed)) &&
	       atomic_exchange(&h->break_flag, 0);
}

static bool anything_waits(struct pcf_handle *h)
{
	return pcf_next_lane(h) || pcf_fill_lanes(h, NULL);
}

/* Up to `max` of a run that pass as they are. Callbacks may do anything to the
 * handle: what matters here ends the delivery. The run is not theirs to go on
 * with. */
static int deliver_plain(struct pcf_handle *h, unsigned max,
			 pcap_handler callback, u_char *user)
{
	struct pcf_lane *l = h->run;
	unsigned i = l->head, first = i, run_end = h->run_end;
	struct pcf_pkt *pkt = &l->pkts[i];

	pcf_end_run(h);
	go_on_to(h, &h->deliver_end, max < run_end - i ? i + max : run_end);
	for (; i < atomic_load_explicit(&h->deliver_end, memory_order_relaxed);
	     pkt++) {
		l->head = ++i;
		h->delivered++;
		callback(user, (struct pcap_pkthdr *)pkt, pkt->data);
	}
	if (atomic_load_explicit(&h->deliver_end, memory_order_relaxed)) {
		pcf_end_run(h);
		h->run = l;
		h->run_end = run_end;
		h->run_plain = true;
	}
	return i - first;
}

/* Up to `max` of the packets that are there; PCAP_ERROR_BREAK as soon as the
 * flag is seen after one. */
static int deliver(struct pcf_handle *h, int max, pcap_handler callback,
		   u_char *user)
{
	int n = 0;
	bool broken = false;

	while (n < max && !broken) {
		struct pcf_pkt *pkt;

		/* One alone is not worth the barrier. */
		if (max - n > 1 && h->run_plain &&
		    h->run->head < h->run_end) {
			n += deliver_plain(h, max - n, callback, user);
			broken = take_break(h);
			continue;
		}
		pkt = next_packet(h, n);
		if (!pkt)
			break;
		n++;
		callback(user, (struct pcap_pkthdr *)pkt, pkt->data);
		broken = take_break(h);
	}
	pcf_settle_lanes(h);
	return broken ? PCAP_ERROR_BREAK : n;
}

/* --- waiting ------------------------------------------------------------- */

static int report_error(struct pcf_handle *h)
{
	int err = h->pending_error;

	h->pending_error = 0;
	return err;
}

static int report_event(struct pcf_handle *h)
{
	h->event = false;
	return pcf_channels_error(h);
}

/* An interface that is down gives no event when it comes up again: the system
 * library then asks to be called every millisecond. */
static bool interface_down(struct pcf_handle *h)
{
	return pcf_stock()->pcap_get_required_select_timeout(h->p) != NULL;
}

/* What polling has left of the time-out, in ms; -1: for ever. */
static int time_to_sleep(const struct pcf_handle *h)
{
	int left = h->options.timeout_ms - h->options.busy_poll / 1000;

	return !pcf_honest_timeout(h) ? -1 : left > 0 ? left : 0;
}

static bool only_hook(const struct pcf_handle *h)
{
	return pcf_waiter_only_first(h->waiter, h->hooked_fds);
}

static int sleep_for_packets(struct pcf_handle *h, bool down)
{
	int64_t end = pcf_nap_end(h);
	int rc = pcf_waiter_wait(h->waiter, down ? 1 : time_to_sleep(h));

	return rc > 0 && only_hook(h) ? pcf_nap(h, end) : rc;
}

/* Nothing is there: PCF_AGAIN after waiting, or the read call's result. */
int pcf_wait_for_packets(struct pcf_handle *h)
{
	bool honest = pcf_honest_timeout(h);
	bool down, polled;
	int rc;

	if (h->pending_error)
		return report_error(h);
	if (h->event || (h->nonblock && pcf_channels_differ(h)))
		return report_event(h);
	if (h->nonblock)
		return pcf_busy_look(h) ? PCF_AGAIN : 0;
	down = interface_down(h);
	polled = !down && pcf_busy_wait(h);
	rc = polled ? 1 : sleep_for_packets(h, down);
	if (rc < 0)
		return pcf_fail_errno(h->p, rc, "poll");
	h->event = pcf_waiter_event(h->waiter) && pcf_channels_differ(h);
	h->others_quiet = !polled && !packets_of_hook(h) && only_hook(h);
	h->must_ask = true;
	if (take_break(h))
		return PCAP_ERROR_BREAK;
	return rc || down || !honest ? PCF_AGAIN : 0;
}

/* A flag that was set before the call counts at once where something would be
 * delivered or waited for; a non-blocking read with nothing to deliver leaves
 * it for the next one, as the system's library does. */
bool pcf_begin_read(struct pcf_handle *h)
{
	h->must_ask = h->nonblock;
	if (likely(!atomic_load_explicit(&h->break_flag, memory_order_relaxed)))
		return true;
	if (h->nonblock && !anything_waits(h))
		return true;
	return !take_break(h);
}

int pcf_dispatch(struct pcf_handle *h, int count, pcap_handler callback,
		 u_char *user)
{
	int max = count > 0 ? count : ALL_THAT_IS_THERE;
	int n;

	if (!pcf_begin_read(h))
		return PCAP_ERROR_BREAK;
	do {
		n = deliver(h, max, callback, user);
		if (n)
			return n;
		n = pcf_wait_for_packets(h);
	} while (n == PCF_AGAIN);
	return n;
}

/* Unlike pcap_dispatch() it returns for the count, an error or a break only. */
int pcf_loop(struct pcf_handle *h, int count, pcap_handler callback,
	     u_char *user)
{
	for (;;) {
		int n = pcf_dispatch(h, count, callback, user);

		if (n < 0)
			return n;
		if (count <= 0)
			continue;
		count -= n;
		if (count <= 0)
			return 0;
	}
}

/* The calls that come next need not come here. */
static void shorten_way(struct pcf_handle *h)
{
	if (h->run_plain && h->run->head + 1 < h->run_end)
		go_on_to(h, &h->plain_end, h->run_end - 1);
}

int pcf_next_ex(struct pcf_handle *h, struct pcap_pkthdr **header,
		const u_char **data)
{
	struct pcf_pkt *pkt;
	int rc;

	if (!pcf_begin_read(h))
		return PCAP_ERROR_BREAK;
	for (;;) {
		pkt = next_packet(h, 0);
		if (likely(pkt != NULL))
			break;
		pcf_settle_lanes(h);
		rc = pcf_wait_for_packets(h);
		if (rc != PCF_AGAIN)
			return rc;
	}
	pcf_settle_lanes(h);
	shorten_way(h);
	return pcf_lend(h, pkt, header, data);
}

void pcf_breakloop(struct pcf_handle *h)
{
	atomic_store(&h->break_flag, 1);
	pcf_stop_run(h, memory_order_seq_cst);
	pcf_waiter_wake(h->waiter);
}
