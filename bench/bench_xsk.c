/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many packets a second does a bare AF_XDP receive loop take? What an
 * expert would write by hand with libxdp for this one purpose: everything is
 * redirected to one socket a queue, in copy mode, with need_wakeup, a deep fill
 * ring, batches of 64 from each queue in turn, poll() when idle. The measure
 * for how much the library adds. Knows nothing of libpcap, nor of order over
 * queues.
 *
 *   bench_xsk [-q QUEUES] INTERFACE SECONDS
 *	-q	so many queues, from 0 on: 1, 2, 4 or 8 (1)
 */
#include "bench/attach.h"
#include "bench/window.h"
#include "compat/kernel.h"

#include <bpf/bpf.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>

#define MOST_QUEUES 8
#define FRAMES	    32768 /* of all queues; with 4,096 a reader loses a lot */
#define FRAME_SIZE  2048
#define RX_SIZE	    8192
#define BATCH	    64

/* libxdp's ring structs must start out zeroed. */
static struct queue {
	struct xsk_ring_prod fill;
	struct xsk_ring_cons completion, rx;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	uint8_t *area;
} queues[MOST_QUEUES];
static unsigned nqueues = 1, frames;
static struct pollfd polled[MOST_QUEUES];
static uint64_t touched; /* keeps the compiler from dropping the reads */

static void fail(const char *what, int r)
{
	errx(2, "%s: %s", what, strerror(-r));
}

static void make_umem(struct queue *q)
{
	const struct xsk_umem_config config = {
		.fill_size = frames,
		.comp_size = 64,
		.frame_size = FRAME_SIZE,
		.frame_headroom = XSK_UMEM__DEFAULT_FRAME_HEADROOM,
	};
	uint64_t size = (uint64_t)frames * FRAME_SIZE;
	int r;

	q->area = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (q->area == MAP_FAILED)
		err(2, "memory");
	r = xsk_umem__create(&q->umem, q->area, size, &q->fill, &q->completion,
			     &config);
	if (r)
		fail("UMEM", r);
}

static void fill_all(struct queue *q)
{
	uint32_t at;

	if (xsk_ring_prod__reserve(&q->fill, frames, &at) != frames)
		errx(2, "fill ring");
	for (uint32_t i = 0; i < frames; i++)
		*xsk_ring_prod__fill_addr(&q->fill, at + i) = i * FRAME_SIZE;
	xsk_ring_prod__submit(&q->fill, frames);
}

static void make_socket(struct queue *q, const char *device)
{
	const struct xsk_socket_config config = {
		.rx_size = RX_SIZE,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
	};
	int r = xsk_socket__create(&q->xsk, device, q - queues, q->umem, &q->rx,
				   NULL, &config);

	if (r)
		fail(device, r);
}

static void open_queues(const char *device)
{
	frames = FRAMES / nqueues;
	for (unsigned i = 0; i < nqueues; i++) {
		make_umem(&queues[i]);
		fill_all(&queues[i]);
		make_socket(&queues[i], device);
		polled[i].fd = xsk_socket__fd(queues[i].xsk);
		polled[i].events = POLLIN;
	}
}

static void close_queues(void)
{
	for (unsigned i = 0; i < nqueues; i++) {
		xsk_socket__delete(queues[i].xsk);
		xsk_umem__delete(queues[i].umem);
	}
}

/* return bpf_redirect_map(map, ctx->rx_queue_index, XDP_PASS); */
static void redirect_all(const char *device)
{
	int map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "bench", 4, 4,
				 MOST_QUEUES, NULL);
	struct pcf_ebpf e;
	int r = map;

	for (unsigned i = 0; i < nqueues && r >= 0; i++)
		r = xsk_socket__update_xskmap(queues[i].xsk, map);
	if (r < 0)
		fail("XSKMAP", r);
	pcf_ebpf_init(&e);
	pcf_load(&e, BPF_W, BPF_REG_2, BPF_REG_1,
		 offsetof(struct xdp_md, rx_queue_index));
	pcf_load_map_fd(&e, BPF_REG_1, map);
	pcf_mov64_imm(&e, BPF_REG_3, XDP_PASS);
	pcf_call(&e, BPF_FUNC_redirect_map);
	pcf_exit(&e);
	bench_attach(device, &e);
}

/* Nothing received: let the driver run, or sleep until there is something. */
static void idle(void)
{
	if (poll(polled, nqueues, 100) < 0 && errno != EINTR)
		err(2, "poll");
}

static void take(struct queue *q, uint32_t at, uint32_t n)
{
	uint32_t back;

	/* The ring has room for all frames there are. */
	if (xsk_ring_prod__reserve(&q->fill, n, &back) != n)
		errx(2, "fill ring");
	for (uint32_t i = 0; i < n; i++) {
		const struct xdp_desc *d =
			xsk_ring_cons__rx_desc(&q->rx, at + i);
		const uint8_t *packet = xsk_umem__get_data(q->area, d->addr);

		touched += packet[0] + packet[d->len > 12 ? 12 : 0];
		*xsk_ring_prod__fill_addr(&q->fill, back + i) =
			d->addr & ~(uint64_t)(FRAME_SIZE - 1);
	}
	xsk_ring_prod__submit(&q->fill, n);
	xsk_ring_cons__release(&q->rx, n);
}

/* What each queue has, 64 packets at the most. */
static uint32_t take_all(void)
{
	uint32_t at, n, all = 0;

	for (unsigned i = 0; i < nqueues; i++) {
		n = xsk_ring_cons__peek(&queues[i].rx, BATCH, &at);
		if (n)
			take(&queues[i], at, n);
		all += n;
	}
	return all;
}

static void receive(struct bench_window *w)
{
	uint64_t packets = 0;

	while (!bench_over(w, packets)) {
		uint32_t n = take_all();

		if (!n)
			idle();
		packets += n;
	}
}

static void report_losses(void)
{
	struct xdp_statistics all = { 0 };

	for (unsigned i = 0; i < nqueues; i++) {
		struct xdp_statistics s = { 0 };
		socklen_t len = sizeof(s);

		if (getsockopt(polled[i].fd, SOL_XDP, XDP_STATISTICS, &s, &len))
			err(2, "XDP_STATISTICS");
		all.rx_ring_full += s.rx_ring_full;
		all.rx_fill_ring_empty_descs += s.rx_fill_ring_empty_descs;
		all.rx_dropped += s.rx_dropped;
	}
	printf(" rx_ring_full %" PRIu64 " fill_ring_empty %" PRIu64
	       " rx_dropped %" PRIu64 "\n",
	       (uint64_t)all.rx_ring_full,
	       (uint64_t)all.rx_fill_ring_empty_descs,
	       (uint64_t)all.rx_dropped);
}

/* The index of the first argument that is no option. A power of two, as the
 * frames of each queue are all in its fill ring. */
static int parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+q:")) != -1)
		nqueues = c == 'q' ? atoi(optarg) : 0;
	if (!nqueues || nqueues > MOST_QUEUES || nqueues & (nqueues - 1))
		errx(2, "-q: 1, 2, 4 or 8");
	return optind;
}

int main(int argc, char **argv)
{
	struct bench_window w;

	bench_arguments(&w, argc, argv, parse(argc, argv));
	open_queues(w.device);
	redirect_all(w.device);
	bench_ready(&w);
	receive(&w);
	bench_report(&w);
	report_losses();
	close_queues();
	return touched == 0;
}
