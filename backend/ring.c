/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The direct ring backend: setting up and taking down the direct rings of all RX
 * queues, and waking the reader. What happens per packet is in ring_io.c and
 * prog_ring.c.
 */
#include "backend/ring.h"

#include "backend/cluster.h"
#include "backend/exclusive.h"
#include "backend/living.h"
#include "backend/slot.h"
#include "backend/wake.h"
#include "compat/kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of one queue's ring, without its tail. */
#define DEFAULT_SIZE (32u << 20)
#define MIN_SIZE (1u << 20)
#define MAX_SIZE (1u << 28)
/* All queues together, unless the caller asks for more. */
#define DEFAULT_TOTAL (8 * DEFAULT_SIZE)

/* A napping reader is woken when a ring has so much: thousands of small
 * packets, still in the processor's cache, and a small part of the room. */
#define NAP_SIZE (256u << 10)
#define NAP_PART 8

/*
 * Waking. The program writes a record when the reader sleeps. A packet that
 * came just before the reader went to sleep is told by an eventfd instead. Both
 * are behind one epoll descriptor.
 */
struct pcf_ring_wake {
	struct pcf_wake records;
	int event, epoll;
	bool raised;		/* the eventfd is readable */
	struct pcf_ring *rings;	/* all queues' */
	unsigned nrings;
};

struct ring_backend {
	struct pcf_backend base;
	struct pcf_slot slot;
	int ring_map, ctl_map;
	int living_map, socket;	/* of one that takes, alone */
	uint8_t *bytes;
	struct pcf_ring_ctl *ctl;
	size_t bytes_size, ctl_size;
	uint32_t ring_size;
	bool take, drop_rest;
	struct pcf_ring_wake wake;
	unsigned nrings;	/* one for each RX queue wanted */
	struct pcf_ring *rings;
	struct pcf_cluster cluster; /* a member's */
	struct pcf_hints_env hints; /* of one that is alone */
};

static struct ring_backend *ring(struct pcf_backend *b)
{
	return (struct ring_backend *)b;
}

static int failed(int err, const char *what, char *why, size_t size)
{
	snprintf(why, size, "%s: %s", what, strerror(-err));
	return err;
}

/* --- waking -------------------------------------------------------------- */

static void raise_event(struct pcf_ring_wake *w, bool on)
{
	uint64_t one = 1;
	ssize_t n;

	if (w->raised == on)
		return;
	n = on ? write(w->event, &one, sizeof(one)) :
		 read(w->event, &one, sizeof(one));
	if (n == sizeof(one))
		w->raised = on;
}

/* Does any ring have that many bytes which were not taken? */
static bool has(const struct pcf_ring_wake *w, uint64_t bytes)
{
	for (unsigned i = 0; i < w->nrings; i++)
		if (__atomic_load_n(&w->rings[i].ctl->produced,
				    __ATOMIC_SEQ_CST) -
			    w->rings[i].taken >= bytes)
			return true;
	return false;
}

/* Sleep until any ring has that many bytes: false if one has already. Pairs
 * with the program's exchange: we set `wake_at` and then look at `produced`, it
 * the other way round. A record that is forgotten here was written after its
 * packet, so that packet is seen by the look. */
static bool sleep_until(struct pcf_ring_wake *w, uint64_t bytes)
{
	raise_event(w, false);
	pcf_wake_forget(&w->records);
	for (unsigned i = 0; i < w->nrings; i++)
		__atomic_store_n(&w->rings[i].ctl->wake_at,
				 w->rings[i].taken + bytes, __ATOMIC_SEQ_CST);
	return !has(w, bytes);
}

/* Something is there: the descriptor must be readable, by a record that is not
 * yet dropped or else by the eventfd. */
static void stir(struct pcf_ring_wake *w)
{
	if (!w->raised && !pcf_wake_told(&w->records))
		raise_event(w, true);
}

void pcf_ring_taken(struct pcf_ring *r)
{
	struct pcf_ring_wake *w = r->wake;

	if (has(w, 1) || !sleep_until(w, 1))
		stir(w);
}

static int add_to_epoll(int epoll, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int open_wake(struct pcf_ring_wake *w)
{
	int err = pcf_wake_open(&w->records);

	if (err)
		return err;
	w->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->event < 0 || w->epoll < 0)
		return -errno;
	err = add_to_epoll(w->epoll, w->records.map);
	return err ? err : add_to_epoll(w->epoll, w->event);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void close_wake(struct pcf_ring_wake *w)
{
	close_fd(w->epoll);
	close_fd(w->event);
	pcf_wake_close(&w->records);
}

/* --- memory -------------------------------------------------------------- */

static uint32_t choose_size(size_t buffer_size, unsigned queues)
{
	size_t total = buffer_size ? buffer_size : DEFAULT_TOTAL;
	size_t want = total / queues;
	uint32_t n = MIN_SIZE;

	if (!buffer_size && want > DEFAULT_SIZE)
		want = DEFAULT_SIZE;

	while (n < want && n < MAX_SIZE)
		n *= 2;
	return n;
}

static int map_array(const char *name, uint32_t value, uint32_t entries,
		     int *fd, void **at, size_t *size)
{
	LIBBPF_OPTS(bpf_map_create_opts, shared, .map_flags = BPF_F_MMAPABLE);
	long page = sysconf(_SC_PAGESIZE);

	*fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, 4, value, entries,
			     &shared);
	if (*fd < 0)
		return *fd;
	*size = ((size_t)value * entries + page - 1) / page * page;
	*at = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (*at != MAP_FAILED)
		return 0;
	*at = NULL;
	return -errno;
}

/* Older kernels limit a value's size to what kmalloc() gives: -E2BIG. */
static int make_ring_map(struct ring_backend *b, void **at)
{
	int err;

	do
		err = map_array("pcf_ring", b->ring_size + PCF_RING_TAIL,
				b->nrings, &b->ring_map, at,
				&b->bytes_size);
	while (err == -E2BIG && (b->ring_size /= 2) >= MIN_SIZE);
	return err;
}

static int make_maps(struct ring_backend *b, const struct pcf_open *how)
{
	void *at;
	int err;

	b->ring_size = choose_size(how->buffer_size, b->nrings);
	err = make_ring_map(b, &at);
	if (err)
		return err;
	b->bytes = at;
	err = map_array("pcf_ring_ctl",
			b->nrings * sizeof(struct pcf_ring_ctl), 1,
			&b->ctl_map, &at, &b->ctl_size);
	if (!err)
		b->ctl = at;
	return err;
}

static int make_ring(struct ring_backend *b, struct pcf_ring *r,
		     bool nanoseconds)
{
	size_t i = r - b->rings;

	*r = (struct pcf_ring){
		.bytes = b->bytes + i * (b->ring_size + PCF_RING_TAIL),
		.ctl = &b->ctl[i],
		.size = b->ring_size,
		.id = r->id,
		.clock.nanoseconds = nanoseconds,
		.wake = &b->wake,
	};
	pcf_clock_sync(&r->clock);
	r->units = calloc(b->ring_size / PCF_RING_UNIT, sizeof(*r->units));
	if (!r->units)
		return -ENOMEM;
	r->ctl->wake_at = 0;
	return 0;
}

static int open_life(struct ring_backend *b)
{
	b->living_map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "pcf_alive", 4, 4,
				       1, NULL);
	if (b->living_map < 0)
		return b->living_map;
	b->socket = pcf_living_socket(b->living_map, 0);
	return b->socket < 0 ? b->socket : 0;
}

/* --- the whole ----------------------------------------------------------- */

static bool is_member(const struct ring_backend *b)
{
	return b->base.ops == &pcf_member;
}

static int load(struct pcf_backend *backend, const struct pcf_slot_want *want,
		char *why, size_t size)
{
	const struct ring_backend *b = ring(backend);
	struct pcf_ring_env env = {
		.ring_map = b->ring_map,
		.ctl_map = b->ctl_map,
		.wake_map = b->wake.records.map,
		.living_map = b->living_map,
		.root_slots = b->slot.root.slots,
		.root_queues = b->slot.root.queues,
		.own_slot = b->slot.root.slot,
		.nrings = b->nrings,
		.rings = b->rings,
		.size = b->ring_size,
		.epoch = want->epoch,
		.epoch_at = want->epoch_at,
		.take = b->take,
		.drop_rest = b->drop_rest,
		.keep = b->slot.keep,
		.keep_arg = b->slot.keep_arg,
		.member = is_member(b),
		.leave = want->leave,
		.hints = b->hints.ifindex ? &b->hints : NULL,
	};

	return pcf_prog_ring(&env, want->emit, want->arg, why, size);
}

static uint32_t map_id(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

/* A mirror has the first slot that is free; -EBUSY from all of them is
 * final. */
static int claim_slot(struct ring_backend *b, const struct pcf_open *how,
		      struct pcf_opened *what, char *why, size_t size)
{
	struct pcf_owner me = { .mode = b->take ? PCF_OWNER_EXCLUSIVE :
						  PCF_OWNER_MIRROR,
				.ctl_map = map_id(b->ctl_map),
				.flags = how->dedicated ? PCF_OWNER_DEDICATED :
							  0 };
	int err = -EBUSY;

	pcf_queues_below(how->queue_mask, how->rx_queues, me.queues);
	if (is_member(b))
		return pcf_cluster_join(&b->cluster, &b->slot.root, how->cluster,
					how->dedicated, &me, why, size);
	if (b->take)
		return pcf_exclusive_claim(&b->slot.root, &me, &what->put_back,
					   why, size);
	for (unsigned i = 0; i < PCF_SLOT_MIRRORS && err == -EBUSY; i++)
		err = pcf_root_claim(&b->slot.root, i, &me, why, size);
	if (err == -EBUSY)
		snprintf(why, size, "all %d places for mirrors are taken",
			 PCF_SLOT_MIRRORS);
	return err;
}

static int set_up(struct ring_backend *b, const struct pcf_open *how,
		  struct pcf_opened *what, char *why, size_t size)
{
	int err = pcf_slot_open(&b->slot, how, &b->hints, why, size);

	if (err)
		return err;
	err = make_maps(b, how);
	if (!err)
		err = open_wake(&b->wake);
	for (unsigned i = 0; i < b->nrings && !err; i++)
		err = make_ring(b, &b->rings[i], how->nanoseconds);
	/* a cluster asks for all its members */
	if (!err && b->take && !is_member(b))
		err = open_life(b);
	if (err)
		return failed(err, "cannot make the rings", why, size);
	err = claim_slot(b, how, what, why, size);
	return err ? err : pcf_slot_prepare(&b->slot, why, size);
}

static void ring_close(struct pcf_backend *backend)
{
	struct ring_backend *b = ring(backend);

	if (!b)
		return;
	pcf_cluster_leave(&b->cluster);
	pcf_slot_close(&b->slot);
	for (unsigned i = 0; b->rings && i < b->nrings; i++)
		free(b->rings[i].units);
	close_wake(&b->wake);
	if (b->bytes)
		munmap(b->bytes, b->bytes_size);
	if (b->ctl)
		munmap(b->ctl, b->ctl_size);
	close_fd(b->ring_map);
	close_fd(b->ctl_map);
	close_fd(b->living_map);
	close_fd(b->socket);
	free(b->rings);
	free(b);
}

static void describe(const struct ring_backend *b, struct pcf_opened *what)
{
	what->queues = b->nrings;
	what->frame_size = PCF_RING_UNIT;
	what->frames = (uint64_t)b->ring_size / PCF_RING_UNIT * b->nrings;
	what->memory = b->bytes_size + b->ctl_size;
}

/* A ring for each RX queue that is wanted. */
static bool name_rings(struct ring_backend *b, const struct pcf_open *how)
{
	b->rings = calloc(how->rx_queues, sizeof(*b->rings));
	for (uint32_t i = 0; b->rings && i < how->rx_queues; i++)
		if (how->queue_mask[i / 64] >> i % 64 & 1)
			b->rings[b->nrings++].id = i;
	b->wake.rings = b->rings;
	b->wake.nrings = b->base.nqueues = b->nrings;
	return b->nrings > 0;
}

static void init(struct ring_backend *b, const struct pcf_open *how)
{
	b->base.ops = how->cluster ? &pcf_member : &pcf_direct_ring;
	b->base.rx = pcf_open_alone(how) ? pcf_ring_rx_hints : pcf_ring_rx;
	pcf_slot_init(&b->slot, &b->base, load);
	b->cluster = (struct pcf_cluster)PCF_CLUSTER_INIT;
	b->ring_map = b->ctl_map = b->living_map = b->socket = -1;
	b->wake.records = (struct pcf_wake)PCF_WAKE_INIT;
	b->wake.event = b->wake.epoll = -1;
	b->take = how->take;
	b->drop_rest = how->take && how->drop_rest;
}

static int ring_open(const struct pcf_open *how, struct pcf_backend **backend,
		     struct pcf_opened *what, char *why, size_t size)
{
	struct ring_backend *b = calloc(1, sizeof(*b));
	int err;

	*what = (struct pcf_opened){ 0 };
	if (!b)
		return failed(-ENOMEM, "direct ring", why, size);
	init(b, how);
	err = name_rings(b, how) ? set_up(b, how, what, why, size) :
			 failed(-ENOMEM, "direct ring", why, size);
	if (err) {
		ring_close(&b->base);
		return err;
	}
	describe(b, what);
	*backend = &b->base;
	return 0;
}

static int ring_arm(struct pcf_backend *b, bool on)
{
	return pcf_slot_arm(&ring(b)->slot, on);
}

/* What came of a change of the filter, and its epoch for the queues. */
static int changed(struct ring_backend *b, int err)
{
	for (unsigned i = 0; i < b->nrings; i++)
		b->rings[i].epoch = b->slot.epoch;
	return err;
}

static int ring_set_filter(struct pcf_backend *backend, pcf_emit_filter emit,
			   void *arg, char *why, size_t size)
{
	struct ring_backend *b = ring(backend);

	return changed(b,
		       pcf_slot_set_filter(&b->slot, emit, arg, why, size));
}

static int ring_set_interpreter(struct pcf_backend *b,
				struct pcf_code_map *map, pcf_emit_filter emit,
				void *arg, int epoch_at)
{
	return pcf_slot_set_interpreter(&ring(b)->slot, map, emit, arg,
					epoch_at);
}

static int ring_set_code(struct pcf_backend *backend,
			 const struct pcf_code *code, unsigned n, char *why,
			 size_t size)
{
	struct ring_backend *b = ring(backend);

	return changed(b, pcf_slot_set_code(&b->slot, code, n, why, size));
}

static int ring_set_keep(struct pcf_backend *b, pcf_emit_filter emit,
			 void *arg, char *why, size_t size)
{
	return pcf_slot_set_keep(&ring(b)->slot, emit, arg, true, why, size);
}

static void ring_leave(struct pcf_backend *b, bool on)
{
	ring(b)->slot.leaving = on;
}

static void ring_note(struct pcf_backend *b, const char *filter, unsigned len,
		      int place)
{
	pcf_root_note(&ring(b)->slot.root, filter, len, place);
}

static struct pcf_queue *ring_queue(struct pcf_backend *b, unsigned i)
{
	return (struct pcf_queue *)&ring(b)->rings[i];
}

static int ring_fd(struct pcf_queue *q)
{
	return ((struct pcf_ring *)q)->wake->epoll;
}

/* A part of the room that packets which are held have left, for the fullest. */
static uint64_t much(const struct pcf_ring_wake *w)
{
	uint64_t least = NAP_SIZE;

	for (unsigned i = 0; i < w->nrings; i++) {
		const struct pcf_ring *r = &w->rings[i];
		uint64_t part = (r->size - (r->taken - r->freed)) / NAP_PART;

		if (part < least)
			least = part;
	}
	return least ? least : 1;
}

static int ring_nap(struct pcf_backend *b, bool on)
{
	struct pcf_ring_wake *w = &ring(b)->wake;
	uint64_t bytes = much(w);

	if (on)
		return !has(w, bytes) && sleep_until(w, bytes) ? w->epoll : -1;
	pcf_ring_taken(w->rings);
	return -1;
}

static void ring_counters(struct pcf_queue *q, struct pcf_counters *c)
{
	const struct pcf_ring *r = (struct pcf_ring *)q;

	*c = (struct pcf_counters){ .matched = r->ctl->matched,
				    .dropped_ring = r->ctl->dropped,
				    .rest = r->ctl->rest };
}

const struct pcf_backend_ops pcf_direct_ring = {
	.name = "direct ring",
	.open = ring_open,
	.arm = ring_arm,
	.set_filter = ring_set_filter,
	.set_interpreter = ring_set_interpreter,
	.set_code = ring_set_code,
	.set_keep = ring_set_keep,
	.leave = ring_leave,
	.note = ring_note,
	.close = ring_close,
	.queue = ring_queue,
	.fd = ring_fd,
	.nap = ring_nap,
	.counters = ring_counters,
};

/* --- a member of a cluster ----------------------------------------------- */

/* The share comes when everything is ready for it; that of a member that takes
 * nothing for a while is left to the host. */
static int member_arm(struct pcf_backend *backend, bool on)
{
	char ignored[256];
	int err = ring_arm(backend, on);

	if (err || !on)
		return err;
	return pcf_cluster_enter(&ring(backend)->cluster, ignored,
				 sizeof(ignored));
}

static unsigned member_members(struct pcf_backend *b)
{
	return pcf_cluster_members(&ring(b)->cluster);
}

static bool member_mine(struct pcf_backend *b, const struct pcf_pkt *pkt)
{
	return pcf_cluster_mine(&ring(b)->cluster, pkt->data, pkt->caplen);
}

const struct pcf_backend_ops pcf_member = {
	.name = "direct ring",
	.open = ring_open,
	.arm = member_arm,
	.set_filter = ring_set_filter,
	.set_interpreter = ring_set_interpreter,
	.set_code = ring_set_code,
	.set_keep = ring_set_keep,
	.leave = ring_leave,
	.note = ring_note,
	.close = ring_close,
	.queue = ring_queue,
	.fd = ring_fd,
	.nap = ring_nap,
	.counters = ring_counters,
	.members = member_members,
	.mine = member_mine,
};
