/* SPDX-License-Identifier: BSD-3-Clause */
/* Activation, once the mode is chosen; see activate.h. */
#include "libpcap-fast/activate.h"

#include "backend/flow.h"
#include "backend/queues.h"
#include "compat/netdev.h"
#include "libpcap-fast/busy.h"
#include "libpcap-fast/channels.h"
#include "libpcap-fast/error.h"
#include "libpcap-fast/keep.h"
#include "libpcap-fast/late.h"
#include "libpcap-fast/setfilter.h"
#include "libpcap-fast/shadow.h"
#include "libpcap-fast/standin.h"
#include "libpcap-fast/transmit.h"
#include "libpcap-fast/tstamp.h"
#include "libpcap-fast/wait.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_QUEUES PCF_QUEUES
/* How long pcap_close() waits for frames that are being sent. */
#define CLOSE_MS 100
/* ... and pcap_activate() for a link that the driver has reset. */
#define LINK_MS 5000

/* --- activation on the system's library ---------------------------------- */

int pcf_activate_real(struct pcf_handle *h)
{
	int rc;

	h->refused = false;
	PCF_STOCK_ENTER();
	rc = pcf_stock()->pcap_activate(h->p);
	PCF_STOCK_LEAVE();
	return rc;
}

static void log_choice(const struct pcf_handle *h)
{
	const struct pcf_opened *o = &h->opened;

	if (!h->backend) {
		pcf_log(PCF_LOG_INFO, "%s: %s: %s",
			h->options.any_device ? "any" : h->options.device.name,
			pcf_mode_name(h->mode), h->choice.reason);
		return;
	}
	pcf_log(PCF_LOG_INFO,
		"%s: %s on %s, %s, %u queue%s of %llu frames of %u bytes: %s",
		h->options.device.name, pcf_mode_name(h->mode),
		h->backend->ops->name, o->zerocopy ? "zero-copy" : "copy",
		o->queues, o->queues == 1 ? "" : "s",
		(unsigned long long)(o->frames / o->queues), o->frame_size,
		h->choice.reason);
}

static void log_put_back(const struct pcf_handle *h)
{
	if (h->opened.put_back)
		pcf_log(PCF_LOG_INFO,
			"%s: put back the timers that a killed capture had left on %u of its queues",
			h->options.device.name, h->opened.put_back);
}

int pcf_activate_system(struct pcf_handle *h)
{
	int rc = pcf_activate_real(h);

	h->mode = PCAP_FAST_MODE_SYSTEM;
	h->active = rc >= 0;
	if (h->active)
		log_choice(h);
	return rc ? rc : pcf_tstamp_warning(&h->options);
}

/* --- activation on a backend --------------------------------------------- */

/* What the host keeps of an interface that it uses itself: name resolution,
 * addresses and the way in. */
#define DEFAULT_KEEP \
	"arp or icmp6 or (udp port 53 or 67 or 68 or 546 or 547) or tcp port 22"

/* Matches nothing. Where the host uses the interface, the keep filter's copying
 * is needed even so: for filters that must run in user space. */
#define KEEP_NOTHING "less 0"

/* The keep filter's expression, or NULL: there is none. */
static const char *keep_expression(const struct pcf_handle *h)
{
	if (h->choice.mode != PCAP_FAST_MODE_EXCLUSIVE)
		return NULL;
	if (h->options.keep && *h->options.keep)
		return h->options.keep;
	if (h->choice.dedicated)
		return NULL;
	return h->options.keep ? KEEP_NOTHING : DEFAULT_KEEP;
}

/* What happened on the way is part of the reason. */
__attribute__((format(printf, 2, 3))) static void
add_note(struct pcf_handle *h, const char *fmt, ...)
{
	size_t used = strlen(h->choice.reason);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(h->choice.reason + used, sizeof(h->choice.reason) - used, fmt,
		  ap);
	va_end(ap);
}

/*
 * An exclusive capture receives through AF_XDP sockets where they may be
 * zero-copy. In copy mode the direct ring is faster (bench/README.md): its
 * packets lie closer together and the hook is done with them at once. That
 * holds for bridging, too: copying out of the ring costs less than one memory
 * for two sockets that copy. Who is alone has no mirror for what the host keeps.
 */
static bool receives_by_ring(const struct pcf_handle *h,
			     const struct pcf_facts *facts)
{
	if (h->choice.mode == PCAP_FAST_MODE_MIRROR ||
	    *h->options.device.cluster)
		return true;
	if (h->options.zerocopy == PCAP_FAST_ZEROCOPY_REQUIRE)
		return false;
	if (pcf_wants_alone(&h->options) && keep_expression(h))
		return true;
	if (h->options.rx != PCF_RX_AUTO)
		return h->options.rx == PCF_RX_RING;
	return facts->xdp_known && !(facts->xdp_features & PCF_XDP_ACT_XSK_ZEROCOPY);
}

static int open_backend(struct pcf_handle *h, const struct pcf_facts *facts,
			uint64_t *mask, struct pcf_open *out, char *why,
			size_t size)
{
	struct pcf_open how = {
		.ifname = h->options.device.name,
		.driver = facts->driver,
		.ifindex = facts->link.ifindex,
		.mtu = facts->link.mtu,
		.rx_queues = facts->link.rx_queues,
		.queue_mask = mask,
		.buffer_size = h->options.buffer_size > 0 ?
				       h->options.buffer_size : 0,
		.zerocopy_only = h->options.zerocopy ==
				 PCAP_FAST_ZEROCOPY_REQUIRE,
		.copy_only = h->options.zerocopy == PCAP_FAST_ZEROCOPY_OFF,
		.drop_rest = h->options.rest == PCAP_FAST_REST_DROP,
		.dedicated = h->choice.dedicated,
		.busy_poll = h->options.busy_poll > 0,
		.shared = h->partner != NULL,
		.share = h->partner ? h->partner->backend : NULL,
		.nanoseconds = pcf_stock()->pcap_get_tstamp_precision(h->p) ==
			       PCAP_TSTAMP_PRECISION_NANO,
		.want_time = pcf_wants_adapter_time(&h->options),
		.want_hash = h->options.rx_hash,
	};
	int n;

	if (how.rx_queues > MAX_QUEUES)
		how.rx_queues = MAX_QUEUES;
	if (pcf_open_alone(&how) && keep_expression(h) && how.zerocopy_only) {
		snprintf(why, size,
			 "zero-copy is required, but a capture that is alone on an interface receives by copies where the host keeps packets");
		return -EOPNOTSUPP;
	}
	n = pcf_queue_list(h->options.queues, mask, how.rx_queues, why, size);
	if (n < 0)
		return n;
	if (how.share && how.share->ops != &pcf_af_xdp)
		how.share = NULL;
	how.take = receives_by_ring(h, facts) &&
		   h->choice.mode == PCAP_FAST_MODE_EXCLUSIVE;
	*out = how;
	if (*h->options.device.cluster) {
		how.cluster = h->options.device.cluster;
		return pcf_member.open(&how, &h->backend, &h->opened, why,
				       size);
	}
	if (!receives_by_ring(h, facts))
		return pcf_af_xdp.open(&how, &h->backend, &h->opened, why,
				       size);
	return pcf_direct_ring.open(&how, &h->backend, &h->opened, why, size);
}

/* A capture by AF_XDP sockets sends through them, too. One by the direct ring
 * has a socket of its own for that, on its first queue, if it is to send by
 * rings at all (inject.c). */
static void open_sender(struct pcf_handle *h, const struct pcf_open *how)
{
	uint64_t first[MAX_QUEUES / 64] = { 0 };
	struct pcf_open sender = *how;
	struct pcf_opened opened;
	char why[PCAP_ERRBUF_SIZE];
	unsigned i = 0;

	if (h->backend->tx)
		h->sender = h->backend;
	/* several members cannot have one queue's socket */
	if (h->sender || h->options.mode != PCAP_FAST_MODE_EXCLUSIVE ||
	    *h->options.device.cluster)
		return;
	while (!(how->queue_mask[i / 64] >> i % 64 & 1))
		i++;
	first[i / 64] = 1ull << i % 64;
	sender.queue_mask = first;
	sender.send_only = sender.copy_only = true;
	sender.busy_poll = false;
	sender.shared = false;
	sender.share = NULL;
	if (pcf_af_xdp.open(&sender, &h->sender, &opened, why, sizeof(why)))
		add_note(h, "; sends by the packet socket: %.100s", why);
	else
		h->opened.memory += opened.memory;
}

/* Frames on their way get a moment; then they are lost, and it is said. */
static void finish_sending(struct pcf_handle *h)
{
	unsigned n = h->sender ? pcf_transmit_flush(h, CLOSE_MS) : 0;

	if (n)
		pcf_log(PCF_LOG_INFO,
			"%s: closed with %u frames that the device has not sent",
			h->options.device.name, n);
}

void pcf_close_fast(struct pcf_handle *h)
{
	pcf_standin_close(h);
	pcf_keep_close(h);
	if (h->backend) {
		finish_sending(h);
		h->backend->ops->close(h->backend);
	}
	if (h->sender != h->backend)
		pcf_af_xdp.close(h->sender);
	pcf_late_close(h);
	pcf_unwatch_channels(h);
	pcf_waiter_close(h->waiter);
	pcf_shadow_close(h->shadow);
	free(h->lanes);
	h->backend = h->sender = NULL;
	h->waiter = NULL;
	h->shadow = NULL;
	h->lanes = NULL;
	h->nlanes = h->nhooked = 0;
}

static int open_waiter(struct pcf_handle *h)
{
	int fds[2 * MAX_QUEUES + 4];
	unsigned n = 0;

	for (; n < h->backend->nqueues; n++)
		fds[n] = h->backend->ops->fd(h->lanes[n].queue);
	/* all rings of a mirror wake one descriptor */
	if (pcf_keep_mirror(h))
		fds[n] = pcf_direct_ring.fd(h->lanes[n].queue), n++;
	h->hooked_fds = n;
	fds[n++] = pcf_shadow_fd(h->shadow);
	fds[n++] = pcf_shadow_kept_fd(h->shadow);
	fds[n++] = PCF_WAIT_FREE; /* for the stand-in */
	fds[n++] = PCF_WAIT_FREE;
	return pcf_waiter_open(&h->waiter, fds, n);
}

static void add_lane(struct pcf_handle *h, const struct pcf_rx_ops *ops,
		     struct pcf_queue *queue)
{
	h->lanes[h->nlanes] =
		(struct pcf_lane){ .ops = *ops,
				   .queue = queue,
				   .stop = PCF_STOP_EMPTY,
				   .place = PCF_LANE_PLACE(h->nlanes),
				   .snaplen = h->snaplen };
	h->nlanes++;
}

static void add_backend(struct pcf_handle *h, struct pcf_backend *b)
{
	for (unsigned i = 0; i < b->nqueues; i++)
		add_lane(h, &b->rx, b->ops->queue(b, i));
}

static int open_lanes(struct pcf_handle *h)
{
	struct pcf_backend *mirror = pcf_keep_mirror(h);
	unsigned n = h->backend->nqueues + (mirror ? mirror->nqueues : 0);

	n += 2; /* the shadow, the stand-in */
	h->lanes = calloc(n, sizeof(*h->lanes));
	if (!h->lanes)
		return -ENOMEM;
	add_backend(h, h->backend);
	if (mirror)
		add_backend(h, mirror);
	h->nhooked = h->nlanes;
	add_lane(h, &pcf_shadow_rx, pcf_shadow_queue(h->shadow));
	return 0;
}

static int arm(struct pcf_handle *h)
{
	int err = h->keep ? pcf_keep_arm(h, true) : 0;

	return err ? err : h->backend->ops->arm(h->backend, true);
}

/* Less of a packet than it takes to tell whose it is. */
static bool wants_less(const struct pcf_handle *h)
{
	return h->options.snaplen > 0 && h->options.snaplen < PCF_FLOW_BYTES;
}

static void prepare_shadow(struct pcf_handle *h)
{
	pcf_shadow_prepare(h->p);
	h->spread = h->backend->ops->mine;
	if (h->spread && wants_less(h))
		pcf_stock()->pcap_set_snaplen(h->p, PCF_FLOW_BYTES);
}

static void unprepare_shadow(struct pcf_handle *h)
{
	pcf_shadow_unprepare(h->p, h->options.buffer_size,
			     h->options.immediate);
	if (h->options.snaplen)
		pcf_stock()->pcap_set_snaplen(h->p, h->options.snaplen);
	h->spread = false;
}

/* The real handle is active; make it the shadow and begin. */
static int begin(struct pcf_handle *h, const struct pcf_open *how, char *why,
		 size_t size)
{
	int err;

	/* the system's library asks for it when it compiles the keep filter */
	h->snaplen = pcf_stock()->pcap_snapshot(h->p);
	if (h->spread && wants_less(h))
		h->snaplen = h->options.snaplen;
	err = pcf_shadow_open(h->p, PCF_PKT_OUTGOING, &h->shadow);
	if (!err && keep_expression(h))
		err = pcf_keep_open(h, how, keep_expression(h), why, size);
	if (!err)
		err = open_lanes(h);
	if (!err)
		err = open_waiter(h);
	if (err)
		return err;
	pcf_late_open(h);
	pcf_watch_channels(h, how->rx_queues);
	if (h->spread)
		pcf_shadow_least(h->shadow, PCF_FLOW_BYTES);
	h->direction = PCAP_D_INOUT;
	pcf_shadow_update(h);
	return arm(h);
}

/* A caller that sends at once, or counts from now on, shall not lose what the
 * driver's reset costs. */
static void wait_for_link(struct pcf_handle *h, const struct pcf_facts *facts)
{
	unsigned ms;
	bool back;

	if (!facts->link.carrier)
		return;
	ms = pcf_facts_wait_carrier(facts->link.name, LINK_MS, &back);
	if (ms || !back)
		add_note(h, "; the driver reset the link: %s after %u ms",
			 back ? "up again" : "still down", ms);
}

/* In `auto`, a backend that cannot be had is one more step down. A mode asked
 * for by name fails instead. */
static int backend_failed(struct pcf_handle *h, const char *driver, int err,
			  const char *why)
{
	int asked = h->options.mode;

	if (asked == PCAP_FAST_MODE_AUTO) {
		snprintf(h->choice.reason, sizeof(h->choice.reason),
			 "%s, driver %s: %s", h->options.device.name, driver,
			 why);
		return pcf_activate_system(h);
	}
	return pcf_fail(h->p,
			err == -EPERM ? PCAP_ERROR_PERM_DENIED : PCAP_ERROR,
			"%s mode on %s, driver %s: %s", pcf_mode_name(asked),
			h->options.device.name, driver, why);
}

/* Out of memory or descriptors after the real handle became active: in `auto`
 * it goes on alone, with the shadow's small buffer. */
static int begin_failed(struct pcf_handle *h, const char *driver, int err,
			const char *why, int rc)
{
	char errbuf[PCAP_ERRBUF_SIZE];

	pcf_close_fast(h);
	if (*h->options.device.cluster)
		return pcf_fail(h->p, PCAP_ERROR, "%s%%%s: cannot begin: %s",
				h->options.device.name,
				h->options.device.cluster,
				*why ? why : strerror(-err));
	if (h->options.mode != PCAP_FAST_MODE_AUTO)
		return backend_failed(h, driver, err,
				      *why ? why : strerror(-err));
	pcf_shadow_release(h->p);
	pcf_stock()->pcap_setnonblock(h->p, h->nonblock, errbuf);
	snprintf(h->choice.reason, sizeof(h->choice.reason),
		 "cannot begin: %s", *why ? why : strerror(-err));
	h->mode = PCAP_FAST_MODE_SYSTEM;
	h->active = true;
	log_choice(h);
	return rc;
}

/* What came of the choice. */
static void describe(struct pcf_handle *h, const struct pcf_facts *facts,
		     const struct pcf_open *how)
{
	if (pcf_wants_alone(&h->options))
		add_note(h, "; alone on the interface, for %s of the adapter",
			 pcf_alone_words(&h->options));
	if (*h->opened.note)
		add_note(h, "; %s", h->opened.note);
	if (h->spread)
		add_note(h, "; member of the cluster %s, one of %u",
			 h->options.device.cluster,
			 h->backend->ops->members(h->backend));
	else if (how->take && h->options.rx == PCF_RX_AUTO)
		add_note(h, "; %s has no zero-copy, so packets come by the direct ring",
			 *facts->driver ? facts->driver : "the driver");
	if (h->keep)
		add_note(h, "; the host keeps: %.200s",
			 h->options.keep && !*h->options.keep ?
				 "nothing" : keep_expression(h));
	if (how->drop_rest && h->mode == PCAP_FAST_MODE_EXCLUSIVE)
		add_note(h, "; what does not match is dropped");
	else if (how->drop_rest)
		add_note(h, "; what does not match is not dropped, as only an exclusive capture may");
}

int pcf_activate_fast(struct pcf_handle *h, const struct pcf_facts *facts)
{
	uint64_t mask[MAX_QUEUES / 64] = { 0 };
	const char *driver = *facts->driver ? facts->driver : "unknown";
	char why[PCAP_ERRBUF_SIZE] = "";
	struct pcf_open how = { 0 };
	int rc, err;

	if (keep_expression(h) && pcf_keep_check(h->p, keep_expression(h)))
		return PCAP_ERROR;
	err = open_backend(h, facts, mask, &how, why, sizeof(why));
	if (err)
		return backend_failed(h, driver, err, why);
	open_sender(h, &how);
	if (h->sender)
		h->tx_queue = h->sender->ops->queue(h->sender, 0);
	prepare_shadow(h);
	rc = pcf_activate_real(h);
	if (rc < 0) {
		pcf_close_fast(h);
		unprepare_shadow(h);
		return rc;
	}
	h->adapter_clock.nanoseconds = how.nanoseconds;
	h->ifindex = facts->link.ifindex;
	h->mtu = facts->link.mtu;
	memcpy(h->mac, facts->link.mac, sizeof(h->mac));
	err = begin(h, &how, why, sizeof(why));
	if (err)
		return begin_failed(h, driver, err, why, rc);
	h->mode = h->choice.mode;
	h->active = true;
	describe(h, facts, &how);
	wait_for_link(h, facts);
	log_choice(h);
	log_put_back(h);
	pcf_busy_describe(h);
	return rc;
}
