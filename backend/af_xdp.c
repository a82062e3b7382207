/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The AF_XDP backend: setting up and taking down. One socket and one UMEM for
 * each RX queue, a program in the exclusive slot of the interface's root. How a
 * socket comes about is in af_xdp_socket.c, what happens per packet in
 * af_xdp_io.c.
 */
#include "backend/af_xdp.h"

#include "backend/exclusive.h"
#include "backend/slot.h"
#include "backend/wake.h"
#include "compat/kernel.h"
#include "compat/peer_socket.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Ethernet header, two VLAN tags and the checksum: what Linux 7.2 wants a frame
 * of zero-copy to hold besides the MTU. */
#define LINK_OVERHEAD 26
/* In zero-copy the device writes into the frames, and some round what is left
 * of a small one down: igb splits packets above 1 KiB over frames of 2,048. */
#define ZEROCOPY_FRAME 4096
/* What a packet socket's send buffer is for: how much the kernel may have
 * taken and not yet sent. The default stops it at some 250 packets. */
#define SEND_BUFFER (8 << 20)
/* Packets that one system call sends at most, in copy mode (6.17). */
#define TX_BUDGET 1024
/* Gathered packets that may be shown and not yet done at one time. */
#define BOUNCE_BUFFERS 256
/* A napping reader is woken when so large a part of a queue's frames is used, or
 * by so many packets, which are still in the processor's cache. */
#define NAP_PART    4
#define NAP_PACKETS 512

struct xdp_backend {
	struct pcf_backend base;
	struct pcf_slot slot;
	int xsk_map, ctl_map;
	struct pcf_wake wake;
	struct pcf_ctl *ctl;
	size_t ctl_size;
	unsigned rx_queues;
	uint32_t frame_size;	/* in copy mode */
	bool generic, frags, drop_rest;
	struct pcf_hints_env hints; /* of one that is alone */
	struct pcf_queue *queues;
};

static struct xdp_backend *xdp(struct pcf_backend *b)
{
	return (struct xdp_backend *)b;
}

__attribute__((format(printf, 4, 5))) static int
fail(int err, char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return err;
}

/* --- maps ---------------------------------------------------------------- */

static int make_wake(struct xdp_backend *x, char *why, size_t size)
{
	int err = pcf_wake_open(&x->wake);

	for (unsigned i = 0; i < x->rx_queues; i++)
		x->ctl[i].wake_at = PCF_WAKE_NEVER;
	return err ? fail(err, why, size, "cannot make the wake-up map: %s",
			  strerror(-err))
		   : 0;
}

static int make_maps(struct xdp_backend *x, char *why, size_t size)
{
	LIBBPF_OPTS(bpf_map_create_opts, shared, .map_flags = BPF_F_MMAPABLE);
	long page = sysconf(_SC_PAGESIZE);

	x->xsk_map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "pcf_xsks", 4, 4,
				    x->rx_queues, NULL);
	if (x->xsk_map < 0)
		return fail(x->xsk_map, why, size,
			    "cannot make the socket map: %s",
			    strerror(-x->xsk_map));
	x->ctl_map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "pcf_ctl", 4,
				    x->rx_queues * sizeof(struct pcf_ctl), 1,
				    &shared);
	if (x->ctl_map < 0)
		return fail(x->ctl_map, why, size,
			    "cannot make the control map: %s",
			    strerror(-x->ctl_map));
	x->ctl_size = (x->rx_queues * sizeof(struct pcf_ctl) + page - 1) /
		      page * page;
	x->ctl = mmap(NULL, x->ctl_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      x->ctl_map, 0);
	if (x->ctl == MAP_FAILED) {
		x->ctl = NULL;
		return fail(-errno, why, size,
			    "cannot map the control map: %s", strerror(errno));
	}
	return make_wake(x, why, size);
}

static uint32_t map_id(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

/* --- one queue ----------------------------------------------------------- */

static void free_bounce(struct pcf_bounce *b)
{
	free(b->area);
	free(b->free);
	free(b->hints);
	*b = (struct pcf_bounce){ 0 };
}

static int make_bounce(struct pcf_bounce *b, uint32_t size)
{
	b->size = size;
	b->count = b->nfree = BOUNCE_BUFFERS;
	b->area = malloc((size_t)b->count * size);
	b->free = malloc(b->count * sizeof(*b->free));
	b->hints = calloc(b->count, sizeof(*b->hints));
	if (!b->area || !b->free || !b->hints)
		return -ENOMEM;
	for (uint32_t i = 0; i < b->count; i++)
		b->free[i] = i;
	return 0;
}

static const char *bind_advice(int err, bool frags)
{
	if (frags && (err == -EINVAL || err == -EOPNOTSUPP))
		return " (packets of several buffers: an MTU of 3814 or less would do)";
	switch (err) {
	case -EBUSY:
		return " (another AF_XDP socket has this queue)";
	case -ENOBUFS:
		return " (the limit of locked memory is too small: ulimit -l)";
	case -EOPNOTSUPP:
		return " (the driver does not support it)";
	default:
		return "";
	}
}

/* The first queue sends; when forwarding, each for its counterpart. */
static uint32_t tx_frames(const struct pcf_queue *q, const struct pcf_open *how)
{
	return q->first || how->shared || how->share ? PCF_TX_FRAMES : 0;
}

/* One attempt: frames of this size, the socket, the fill ring. */
static int bind_with(struct pcf_queue *q, const struct pcf_open *how,
		     unsigned queues, uint32_t frame_size, uint16_t flags)
{
	uint32_t frames = how->send_only ?
				  0 :
				  pcf_umem_frames(how->buffer_size, frame_size,
						  queues);
	int err;

	q->umem = calloc(1, sizeof(*q->umem));
	if (!q->umem)
		return -ENOMEM;
	err = pcf_umem_map(q->umem, frames, tx_frames(q, how), frame_size,
			   how->shared);
	q->umem->users = 1;
	if (!err) {
		q->umem->homes[0] = q;
		err = pcf_xdp_bind(q, how->ifname, flags);
	}
	if (err)
		pcf_xdp_leave_umem(q);
	return err;
}

/* The memory of the queue with the same place in the other backend. It fits
 * if it was made for two, and its frames hold this interface's packets. */
static struct pcf_umem *partner_umem(const struct xdp_backend *x, unsigned i,
				     const struct pcf_open *how)
{
	const struct xdp_backend *other = xdp(how->share);
	struct pcf_umem *u = i < other->base.nqueues ? other->queues[i].umem :
						       NULL;

	return u && !u->homes[1] && u->size == 2 * pcf_umem_half(u) &&
			       u->frame_size >= x->frame_size &&
			       x->frags == other->frags ?
		       u : NULL;
}

/* Zero-copy or not is the first one's choice, and with it the flags. */
static int bind_shared(struct xdp_backend *x, struct pcf_queue *q,
		       const struct pcf_open *how)
{
	int err;

	q->umem = partner_umem(x, q - x->queues, how);
	if (!q->umem)
		return -EINVAL;
	q->umem->users++;
	q->umem->homes[1] = q;
	err = pcf_xdp_bind(q, how->ifname, 0);
	if (err)
		pcf_xdp_leave_umem(q);
	return err;
}

static const char *driver_name(const struct pcf_open *how)
{
	return how->driver && *how->driver ? how->driver : "the driver";
}

/* Zero-copy first, then copy, as far as allowed. The kernel would fall back
 * in silence without the flags, and libxdp without reading back. */
static int bind_best(struct xdp_backend *x, struct pcf_queue *q,
		     const struct pcf_open *how, uint16_t common,
		     struct pcf_opened *what, char *why, size_t size)
{
	unsigned n = x->base.nqueues;
	int err = -EOPNOTSUPP;

	if (!how->copy_only && !how->generic) {
		err = bind_with(q, how, n, ZEROCOPY_FRAME,
				common | XDP_ZEROCOPY);
		if (!err)
			return 0;
		snprintf(what->note, sizeof(what->note),
			 "zero-copy refused by %s: %s%s", driver_name(how),
			 strerror(-err), bind_advice(err, x->frags));
	}
	if (how->zerocopy_only)
		return fail(err, why, size,
			    "zero-copy is required, but %s refuses it on queue %u: %s%s",
			    driver_name(how), q->id, strerror(-err),
			    bind_advice(err, x->frags));
	err = bind_with(q, how, n, x->frame_size, common | XDP_COPY);
	if (err)
		return fail(err, why, size, "cannot bind queue %u: %s%s",
			    q->id, strerror(-err), bind_advice(err, false));
	return 0;
}

static bool is_zerocopy(int fd)
{
	struct xdp_options opts = { 0 };
	socklen_t len = sizeof(opts);

	return !getsockopt(fd, SOL_XDP, XDP_OPTIONS, &opts, &len) &&
	       opts.flags & XDP_OPTIONS_ZEROCOPY;
}

static void set_up_rings(struct pcf_queue *q, struct xdp_backend *x,
			 bool nanoseconds)
{
	q->fd = xsk_socket__fd(q->xsk);
	q->zerocopy = is_zerocopy(q->fd);
	q->area = q->umem->area;
	q->area_size = q->umem->size;
	q->frame_mask = ~((uint64_t)q->umem->frame_size - 1);
	if (x->ctl) {
		x->ctl[q->id].fd = q->fd;
		x->ctl[q->id].cookie = pcf_socket_cookie(q->fd);
		q->ctl = &x->ctl[q->id];
	}
	q->clock.nanoseconds = nanoseconds;
	pcf_clock_sync(&q->clock);
}

static void close_queue(struct pcf_queue *q)
{
	pcf_busy_end(&q->busy);
	pcf_xdp_close_socket(q);
	pcf_xdp_leave_umem(q);
	free_bounce(&q->bounce);
	free(q->tx.free);
}

/* Both are improvements; without them it goes on as the kernel likes. */
static int set_up_tx(struct pcf_queue *q)
{
	int budget = TX_BUDGET, size = SEND_BUFFER;

	if (!q->umem->tx_frames)
		return 0;
	setsockopt(q->fd, SOL_XDP, XDP_MAX_TX_SKB_BUDGET, &budget,
		   sizeof(budget));
	setsockopt(q->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	return pcf_xdp_tx_init(q);
}

static int bind_queue(struct xdp_backend *x, struct pcf_queue *q,
		      const struct pcf_open *how, struct pcf_opened *what,
		      char *why, size_t size)
{
	uint16_t flags = XDP_USE_NEED_WAKEUP | (x->frags ? XDP_USE_SG : 0);

	if (how->share) {
		what->shared = !bind_shared(x, q, how);
		if (what->shared)
			return 0;
	}
	return bind_best(x, q, how, flags, what, why, size);
}

static void xdp_drive(struct pcf_backend *b)
{
	struct xdp_backend *x = xdp(b);

	for (unsigned i = 0; i < b->nqueues; i++)
		pcf_busy_drive(&x->queues[i].busy, x->queues[i].fd);
}

static void set_up_busy(struct xdp_backend *x, struct pcf_queue *q,
			const struct pcf_open *how, struct pcf_opened *what)
{
	if (pcf_busy_begin(&q->busy, q->fd, how->ifindex, what->busy_note,
			   sizeof(what->busy_note)))
		x->base.drive = xdp_drive;
}

static int open_queue(struct xdp_backend *x, struct pcf_queue *q, uint32_t id,
		      const struct pcf_open *how, struct pcf_opened *what,
		      char *why, size_t size)
{
	int err;

	q->id = id;
	q->fd = -1;
	q->first = q == x->queues;
	err = x->frags ? make_bounce(&q->bounce, how->mtu + LINK_OVERHEAD) : 0;
	if (err)
		return fail(err, why, size, "no memory for packets of %u bytes",
			    how->mtu);
	err = bind_queue(x, q, how, what, why, size);
	if (err)
		return err;
	set_up_rings(q, x, how->nanoseconds);
	if (how->busy_poll)
		set_up_busy(x, q, how, what);
	err = set_up_tx(q);
	if (!err)
		err = pcf_xdp_fill_all(q);
	if (!err && x->xsk_map >= 0)
		err = bpf_map_update_elem(x->xsk_map, &id, &q->fd, BPF_ANY);
	if (err)
		return fail(err, why, size,
			    "cannot make queue %u ready: %s", id,
			    strerror(-err));
	return 0;
}

/* --- the whole ----------------------------------------------------------- */

/* A frame holds the headroom and, if that can be had, the largest packet. */
static int choose_frame(struct xdp_backend *x, const struct pcf_open *how,
			char *why, size_t size)
{
	uint32_t need = how->mtu + LINK_OVERHEAD + PCF_HEADROOM;

	x->frame_size = need <= 2048 ? 2048 : 4096;
	x->frags = need > 4096;
	if (x->frags && how->single_buffer_only)
		return fail(-EOPNOTSUPP, why, size,
			    "MTU %u needs packets of several buffers, which this kernel or driver cannot give to AF_XDP (MTU %d is the most)",
			    how->mtu, 4096 - PCF_HEADROOM - LINK_OVERHEAD);
	return 0;
}

static unsigned count_queues(const uint64_t *mask, unsigned rx_queues)
{
	unsigned n = 0;

	for (unsigned i = 0; i < rx_queues; i++)
		n += mask[i / 64] >> i % 64 & 1;
	return n;
}

static int open_queues(struct xdp_backend *x, const struct pcf_open *how,
		       struct pcf_opened *what, char *why, size_t size)
{
	unsigned n = 0;
	int err = choose_frame(x, how, why, size);

	if (err)
		return err;
	for (unsigned i = 0; i < x->rx_queues && !err; i++)
		if (how->queue_mask[i / 64] >> i % 64 & 1)
			err = open_queue(x, &x->queues[n++], i, how, what, why,
					 size);
	return err;
}

static int load(struct pcf_backend *b, const struct pcf_slot_want *want,
		char *why, size_t size)
{
	const struct xdp_backend *x = xdp(b);
	struct pcf_prog_env env = { .xsk_map = x->xsk_map,
				    .ctl_map = x->ctl_map,
				    .wake_map = x->wake.map,
				    .rx_queues = x->rx_queues,
				    .epoch = want->epoch,
				    .epoch_at = want->epoch_at,
				    .generic = x->generic,
				    .drop_rest = x->drop_rest,
				    .keep = x->slot.keep,
				    .keep_arg = x->slot.keep_arg,
				    .hints = x->hints.ifindex ? &x->hints
							      : NULL };

	return pcf_prog_exclusive(&env, want->emit, want->arg, why, size);
}

static int claim_slot(struct xdp_backend *x, const struct pcf_open *how,
		      struct pcf_opened *what, char *why, size_t size)
{
	struct pcf_owner me = { .mode = PCF_OWNER_EXCLUSIVE,
				.ctl_map = map_id(x->ctl_map),
				.xsk_map = map_id(x->xsk_map),
				.flags = how->dedicated ? PCF_OWNER_DEDICATED :
							  0 };

	pcf_queues_below(how->queue_mask, how->rx_queues, me.queues);
	return pcf_exclusive_claim(&x->slot.root, &me, &what->put_back, why,
				   size);
}

static int set_up(struct xdp_backend *x, const struct pcf_open *how,
		  struct pcf_opened *what, char *why, size_t size)
{
	int err;

	if (how->send_only)
		return open_queues(x, how, what, why, size);
	err = pcf_slot_open(&x->slot, how, &x->hints, why, size);
	if (!err)
		err = make_maps(x, why, size);
	if (!err)
		err = claim_slot(x, how, what, why, size);
	if (!err)
		err = open_queues(x, how, what, why, size);
	return err ? err : pcf_slot_prepare(&x->slot, why, size);
}

static void describe(const struct xdp_backend *x, struct pcf_opened *what)
{
	what->zerocopy = true;
	what->queues = x->base.nqueues;
	for (unsigned i = 0; i < x->base.nqueues; i++) {
		const struct pcf_queue *q = &x->queues[i];

		what->zerocopy &= q->zerocopy;
		what->frame_size = q->umem->frame_size;
		what->frames += q->umem->frames;
		what->memory += pcf_umem_half(q->umem) +
				q->umem->frames * (sizeof(uint64_t) +
						   sizeof(struct xdp_desc));
	}
}

static struct pcf_rx_ops rx_ops(const struct xdp_backend *x)
{
	if (x->hints.ifindex)
		return x->frags ? pcf_xdp_rx_frags_hints :
				  pcf_xdp_rx_single_hints;
	return x->frags ? pcf_xdp_rx_frags : pcf_xdp_rx_single;
}

static void xdp_close(struct pcf_backend *b);

static int xdp_open(const struct pcf_open *how, struct pcf_backend **b,
		    struct pcf_opened *what, char *why, size_t size)
{
	struct xdp_backend *x = calloc(1, sizeof(*x));
	int err;

	*what = (struct pcf_opened){ 0 };
	if (!x)
		return fail(-ENOMEM, why, size, "no memory");
	x->base.ops = &pcf_af_xdp;
	pcf_slot_init(&x->slot, &x->base, load);
	x->xsk_map = x->ctl_map = -1;
	x->wake = (struct pcf_wake)PCF_WAKE_INIT;
	x->rx_queues = how->rx_queues;
	x->generic = how->generic;
	x->drop_rest = how->drop_rest;
	x->base.nqueues = count_queues(how->queue_mask, how->rx_queues);
	x->queues = calloc(x->base.nqueues, sizeof(*x->queues));
	if (!x->queues || !x->base.nqueues)
		err = fail(-ENOMEM, why, size, "no memory");
	else
		err = set_up(x, how, what, why, size);
	if (err) {
		xdp_close(&x->base);
		return err;
	}
	x->base.tx = &pcf_xdp_tx;
	x->base.rx = rx_ops(x);
	describe(x, what);
	*b = &x->base;
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void xdp_close(struct pcf_backend *b)
{
	struct xdp_backend *x = xdp(b);

	if (!b)
		return;
	pcf_slot_close(&x->slot);
	close_fd(x->xsk_map);
	for (unsigned i = 0; x->queues && i < x->base.nqueues; i++)
		close_queue(&x->queues[i]);
	if (x->ctl)
		munmap(x->ctl, x->ctl_size);
	close_fd(x->ctl_map);
	pcf_wake_close(&x->wake);
	free(x->queues);
	free(x);
}

static int xdp_arm(struct pcf_backend *b, bool on)
{
	return pcf_slot_arm(&xdp(b)->slot, on);
}

/* What came of a change of the filter, and its epoch for the queues. */
static int changed(struct xdp_backend *x, int err)
{
	for (unsigned i = 0; i < x->base.nqueues; i++)
		x->queues[i].epoch = x->slot.epoch;
	return err;
}

static int xdp_set_filter(struct pcf_backend *b, pcf_emit_filter emit,
			  void *arg, char *why, size_t size)
{
	struct xdp_backend *x = xdp(b);

	return changed(x,
		       pcf_slot_set_filter(&x->slot, emit, arg, why, size));
}

static int xdp_set_interpreter(struct pcf_backend *b, struct pcf_code_map *map,
			       pcf_emit_filter emit, void *arg, int epoch_at)
{
	return pcf_slot_set_interpreter(&xdp(b)->slot, map, emit, arg,
					epoch_at);
}

static int xdp_set_code(struct pcf_backend *b, const struct pcf_code *code,
			unsigned n, char *why, size_t size)
{
	struct xdp_backend *x = xdp(b);

	return changed(x, pcf_slot_set_code(&x->slot, code, n, why, size));
}

static int xdp_set_keep(struct pcf_backend *b, pcf_emit_filter emit, void *arg,
			char *why, size_t size)
{
	return pcf_slot_set_keep(&xdp(b)->slot, emit, arg, false, why, size);
}

static void xdp_note(struct pcf_backend *b, const char *filter, unsigned len,
		     int place)
{
	pcf_root_note(&xdp(b)->slot.root, filter, len, place);
}

static struct pcf_queue *xdp_queue(struct pcf_backend *b, unsigned i)
{
	return &xdp(b)->queues[i];
}

static int xdp_fd(struct pcf_queue *q)
{
	return q->fd;
}

/* How many packets are much, of the frames that the kernel has for the queue: 0
 * for want of them. */
static uint32_t much(const struct pcf_queue *q)
{
	uint32_t frames = *q->fill.producer - *q->fill.consumer;
	uint32_t per_packet = 1 + q->bounce.size / (q->umem->frame_size / 2);
	uint32_t part = frames / NAP_PART / per_packet;

	if (frames > q->umem->frames || xsk_ring_prod__needs_wakeup(&q->fill))
		return 0;
	return part < NAP_PACKETS ? part : NAP_PACKETS;
}

static bool sleep_on(struct xdp_backend *x, const struct pcf_queue *q)
{
	uint32_t there = *q->rx.producer - *q->rx.consumer;
	uint32_t packets = much(q);

	if (there >= packets)
		return false;
	__atomic_store_n(&x->ctl[q->id].wake_at,
			 q->ctl->matched + packets - there, __ATOMIC_RELAXED);
	return true;
}

static int xdp_nap(struct pcf_backend *b, bool on)
{
	struct xdp_backend *x = xdp(b);

	if (!x->ctl)
		return -1;
	for (unsigned i = 0; i < b->nqueues; i++)
		__atomic_store_n(&x->ctl[x->queues[i].id].wake_at,
				 PCF_WAKE_NEVER, __ATOMIC_RELAXED);
	pcf_wake_forget(&x->wake);
	for (unsigned i = 0; on && i < b->nqueues; i++)
		if (!sleep_on(x, &x->queues[i]))
			return -1;
	return on ? x->wake.map : -1;
}

static void xdp_counters(struct pcf_queue *q, struct pcf_counters *c)
{
	struct xdp_statistics s = { 0 };
	socklen_t len = sizeof(s);

	if (getsockopt(q->fd, SOL_XDP, XDP_STATISTICS, &s, &len))
		memset(&s, 0, sizeof(s));
	c->matched = q->ctl->matched;
	c->rest = q->ctl->rest;
	c->no_metadata = q->ctl->no_meta;
	c->dropped_ring = s.rx_ring_full;
	c->dropped_fill = s.rx_dropped;
}

const struct pcf_backend_ops pcf_af_xdp = {
	.name = "af_xdp",
	.open = xdp_open,
	.arm = xdp_arm,
	.set_filter = xdp_set_filter,
	.set_interpreter = xdp_set_interpreter,
	.set_code = xdp_set_code,
	.set_keep = xdp_set_keep,
	.note = xdp_note,
	.close = xdp_close,
	.queue = xdp_queue,
	.fd = xdp_fd,
	.nap = xdp_nap,
	.counters = xdp_counters,
};
