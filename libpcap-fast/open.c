/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A handle's life: pcap_create, pcap_activate, pcap_open_live, pcap_close.
 *
 * Activation, in this order, so that any failure leaves the real handle able
 * to do the capture with the caller's own options:
 *	1. choose the mode
 *	2. open the backend: all that needs privilege, but no packet taken yet
 *	3. activate the real handle as the shadow
 *	4. lanes and waiting
 *	5. arm: packets come from here on
 */
#include "backend/queues.h"
#include "backend/quiet.h"
#include "compat/netdev.h"
#include "backend/flow.h"
#include "libpcap-fast/batch.h"
#include "libpcap-fast/busy.h"
#include "libpcap-fast/channels.h"
#include "libpcap-fast/error.h"
#include "libpcap-fast/handle.h"
#include "libpcap-fast/inject.h"
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

/* --- create -------------------------------------------------------------- */

/* Without a prefix the name is the system library's to judge, whatever it is. */
static int parse_device(struct pcf_handle *h, const char *name, char *errbuf)
{
	char why[PCAP_ERRBUF_SIZE];

	h->options.any_device = !name;
	if (!name || !pcf_device_parse(name, &h->options.device, why,
				       sizeof(why)))
		return 0;
	if (!h->options.device.prefixed)
		return 0;
	snprintf(errbuf, PCAP_ERRBUF_SIZE, "%s", why);
	return PCAP_ERROR;
}

static pcap_t *create(const char *name, char *errbuf)
{
	pcap_t *p;

	PCF_STOCK_ENTER();
	p = pcf_stock()->pcap_create(name, errbuf);
	PCF_STOCK_LEAVE();
	return p;
}

static pcap_t *no_memory(char *errbuf, struct pcf_handle *h, pcap_t *p)
{
	snprintf(errbuf, PCAP_ERRBUF_SIZE, "malloc: %s", strerror(ENOMEM));
	if (p)
		pcf_stock()->pcap_close(p);
	free(h);
	return NULL;
}

pcap_t *pcap_create(const char *name, char *errbuf)
{
	struct pcf_handle *h;
	pcap_t *p;

	if (!pcf_stock()->pcap_create) {
		snprintf(errbuf, PCAP_ERRBUF_SIZE, "%s", pcf_stock_error());
		return NULL;
	}
	if (pcf_inside_stock())
		return pcf_stock()->pcap_create(name, errbuf);
	h = calloc(1, sizeof(*h));
	if (!h)
		return no_memory(errbuf, h, NULL);
	if (parse_device(h, name, errbuf)) {
		free(h);
		return NULL;
	}
	p = create(h->options.device.prefixed ? h->options.device.name : name,
		   errbuf);
	if (!p) {
		free(h);
		return NULL;
	}
	h->p = p;
	h->mode = PCAP_FAST_MODE_SYSTEM;
	pthread_mutex_init(&h->tx_lock, NULL);
	if (pcf_table_add(p, h))
		return no_memory(errbuf, h, p);
	return p;
}

/* --- the choice ---------------------------------------------------------- */

/* What was set and does nothing must not look as if it did. */
static void log_env(const struct pcf_env *env)
{
	if (*env->error)
		pcf_log(PCF_LOG_INFO, "%s", env->error);
}

/* Without memory for it, it is as if it had not been set; that is said by the
 * one who finds the default in force. */
static void apply_env(struct pcf_handle *h, const struct pcf_env *env)
{
	struct pcf_options *o = &h->options;

	h->honest_timeout = env->timeout == PCF_TIMEOUT_HONEST;
	o->mode = pcf_asked_mode(h, env);
	if (!o->zerocopy_set)
		o->zerocopy = env->zerocopy;
	if (!o->busy_poll_set)
		o->busy_poll = env->busy_poll;
	if (!o->rest_set)
		o->rest = env->rest;
	if (!o->rx_hash_set)
		o->rx_hash = env->rx_hash;
	o->qdisc_bypass = env->qdisc_bypass;
	o->rx = env->rx;
	if (!o->keep && env->keep_set)
		o->keep = strdup(env->keep);
	if (!*o->queues)
		snprintf(o->queues, sizeof(o->queues), "%s",
			 *o->device.queues ? o->device.queues : env->queues);
}

/* Nothing is known about the interface, not even that it is not there. */
static void choose_blindly(struct pcf_handle *h, int err)
{
	int asked = h->options.mode;
	bool by_name = asked != PCAP_FAST_MODE_AUTO;

	h->choice = (struct pcf_choice){
		.mode = by_name ? asked : PCAP_FAST_MODE_SYSTEM,
		.error = by_name ? PCAP_ERROR : 0,
	};
	snprintf(h->choice.reason, sizeof(h->choice.reason),
		 "the kernel does not say what %s is: %s",
		 h->options.device.name, strerror(-err));
}

/* The RX queues that others may not have. A cluster has all, and so has who is
 * to be alone. A list that is none is refused later, with its reason. */
static const uint64_t *wanted_queues(const struct pcf_options *o,
				     uint64_t mask[PCF_QUEUE_WORDS])
{
	char ignored[PCAP_ERRBUF_SIZE];

	if (*o->device.cluster || !*o->queues || pcf_wants_alone(o) ||
	    pcf_queue_list(o->queues, mask, PCF_QUEUES, ignored,
			   sizeof(ignored)) < 0)
		return NULL;
	return mask;
}

static void choose(struct pcf_handle *h, struct pcf_facts *facts)
{
	uint64_t mask[PCF_QUEUE_WORDS];
	const struct pcf_options *o = &h->options;
	struct pcf_request request = {
		.device = o->any_device ? NULL : o->device.name,
		.mode = o->mode,
		.zerocopy = o->zerocopy,
		.queues = o->queues,
		.cluster = o->device.cluster,
		.promisc = o->promisc,
		.rfmon = o->rfmon,
		.protocol_set = o->protocol != 0,
		.adapter_tstamp = o->tstamp_type == PCAP_TSTAMP_ADAPTER ||
				  o->tstamp_type == PCAP_TSTAMP_ADAPTER_UNSYNCED,
		.synced_tstamp = o->tstamp_type == PCAP_TSTAMP_ADAPTER,
		.rx_hash = o->rx_hash,
	};
	int err = 0;

	memset(facts, 0, sizeof(*facts));
	if (!o->any_device && o->mode != PCAP_FAST_MODE_SYSTEM)
		err = pcf_facts_gather(o->device.name, wanted_queues(o, mask),
				       facts);
	if (err)
		choose_blindly(h, err);
	else
		pcf_mode_choose(&request, facts, &h->choice);
}

/* --- activation on the system's library ---------------------------------- */

static int activate_real(struct pcf_handle *h)
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

static int activate_system(struct pcf_handle *h)
{
	int rc = activate_real(h);

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

static void close_fast(struct pcf_handle *h)
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
		return activate_system(h);
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

	close_fast(h);
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

static int activate_fast(struct pcf_handle *h, const struct pcf_facts *facts)
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
	rc = activate_real(h);
	if (rc < 0) {
		close_fast(h);
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
	if (pcf_wants_alone(&h->options))
		add_note(h, "; alone on the interface, for %s of the adapter",
			 pcf_alone_words(&h->options));
	if (*h->opened.note)
		add_note(h, "; %s", h->opened.note);
	if (h->spread)
		add_note(h, "; member of the cluster %s, one of %u",
			 h->options.device.cluster,
			 h->backend->ops->members(h->backend));
	else if (how.take && h->options.rx == PCF_RX_AUTO)
		add_note(h, "; %s has no zero-copy, so packets come by the direct ring",
			 *facts->driver ? facts->driver : "the driver");
	if (h->keep)
		add_note(h, "; the host keeps: %.200s",
			 h->options.keep && !*h->options.keep ?
				 "nothing" : keep_expression(h));
	if (how.drop_rest && h->mode == PCAP_FAST_MODE_EXCLUSIVE)
		add_note(h, "; what does not match is dropped");
	else if (how.drop_rest)
		add_note(h, "; what does not match is not dropped, as only an exclusive capture may");
	wait_for_link(h, facts);
	log_choice(h);
	log_put_back(h);
	pcf_busy_describe(h);
	return rc;
}

/* Where no capture of any kind is possible, the system's library says so in
 * the words that programs know. */
static bool stock_fails_too(const struct pcf_handle *h)
{
	return h->choice.error == PCAP_ERROR_NO_SUCH_DEVICE ||
	       h->choice.error == PCAP_ERROR_IFACE_NOT_UP;
}

static int activate(struct pcf_handle *h)
{
	struct pcf_facts facts;

	choose(h, &facts);
	if (h->choice.mode == PCAP_FAST_MODE_SYSTEM || stock_fails_too(h))
		return activate_system(h);
	if (h->choice.error)
		return pcf_fail(h->p, h->choice.error, "%s", h->choice.reason);
	return activate_fast(h, &facts);
}

static int read_and_activate(struct pcf_handle *h)
{
	struct pcf_env env;
	int rc;

	pcf_env_read(&env);
	log_env(&env);
	apply_env(h, &env);
	if (*h->options.device.cluster &&
	    h->options.mode != PCAP_FAST_MODE_EXCLUSIVE)
		return pcf_fail(h->p, PCAP_ERROR,
				"a cluster is of exclusive captures only: exclusive:%s%%%s",
				h->options.device.name,
				h->options.device.cluster);
	rc = activate(h);
	if (rc >= 0)
		pcf_inject_bypass(h, h->p);
	return rc;
}

int pcap_activate(pcap_t *p)
{
	struct pcf_handle *h = pcf_find(p);
	int rc;

	if (!pcf_stock()->pcap_activate)
		return PCAP_ERROR;
	if (!h || h->active || pcf_inside_stock())
		return pcf_stock()->pcap_activate(p);
	h->refused = true;
	pcf_quiet(true);
	rc = read_and_activate(h);
	pcf_quiet(false);
	return rc;
}

/* The system's library, up to 1.10.4, forgets a descriptor of a handle that is
 * closed and never was activated. One that was refused here, before it came to
 * that, is therefore activated in the end, as what disturbs nobody. */
static void activate_to_close(struct pcf_handle *h)
{
	pcf_stock()->pcap_set_promisc(h->p, 0);
	pcf_stock()->pcap_set_rfmon(h->p, 0);
	activate_real(h);
}

/* --- open_live and close ------------------------------------------------- */

static int set_and_activate(pcap_t *p, int snaplen, int promisc, int to_ms)
{
	int rc = pcap_set_snaplen(p, snaplen);

	if (rc >= 0)
		rc = pcap_set_promisc(p, promisc);
	if (rc >= 0)
		rc = pcap_set_timeout(p, to_ms);
	return rc < 0 ? rc : pcap_activate(p);
}

/* The texts of libpcap's own pcap_open_live(). */
static void open_live_error(pcap_t *p, const char *device, int status,
			    char *errbuf)
{
	const char *text = pcap_geterr(p);

	if (!device)
		device = "any";
	if (status == PCAP_ERROR)
		snprintf(errbuf, PCAP_ERRBUF_SIZE, "%s: %s", device, text);
	else if (status == PCAP_ERROR_NO_SUCH_DEVICE ||
		 status == PCAP_ERROR_PERM_DENIED ||
		 status == PCAP_ERROR_PROMISC_PERM_DENIED)
		snprintf(errbuf, PCAP_ERRBUF_SIZE, "%s: %s (%s)", device,
			 pcap_statustostr(status), text);
	else
		snprintf(errbuf, PCAP_ERRBUF_SIZE, "%s: %s", device,
			 pcap_statustostr(status));
}

pcap_t *pcap_open_live(const char *device, int snaplen, int promisc, int to_ms,
		       char *errbuf)
{
	pcap_t *p = pcap_create(device, errbuf);
	int status;

	if (!p)
		return NULL;
	status = set_and_activate(p, snaplen, promisc, to_ms);
	if (status >= 0)
		return p;
	open_live_error(p, device, status, errbuf);
	pcap_close(p);
	return NULL;
}

static void free_handle(struct pcf_handle *h)
{
	if (!h)
		return;
	if (h->partner)
		h->partner->partner = NULL;
	close_fast(h);
	pcf_filter_free(&h->filter);
	pcf_batch_free(h->batch);
	free(h->options.keep);
	free(h);
}

/* The backend first: from then on the host gets its packets again. */
void pcap_close(pcap_t *p)
{
	struct pcf_handle *h;

	if (!pcf_stock()->pcap_close)
		return;
	h = pcf_inside_stock() ? NULL : pcf_table_remove(p);
	if (h && h->refused)
		activate_to_close(h);
	free_handle(h);
	PCF_STOCK_ENTER();
	pcf_stock()->pcap_close(p);
	PCF_STOCK_LEAVE();
}
