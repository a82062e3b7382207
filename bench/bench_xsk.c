/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many packets a second does a bare AF_XDP receive loop take? What an
 * expert would write by hand with libxdp for this one purpose: everything is
 * redirected to one socket on queue 0, in copy mode, with need_wakeup, a deep
 * fill ring, batches of 64, poll() when idle. The measure for how much the
 * library adds. Knows nothing of libpcap.
 *
 *   bench_xsk INTERFACE SECONDS
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
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <xdp/xsk.h>

#define FRAMES	   32768
#define FRAME_SIZE 2048
#define FILL_SIZE  FRAMES /* with 4,096 a reader off its core loses a lot */
#define RX_SIZE	   8192
#define BATCH	   64

/* libxdp's ring structs must start out zeroed. */
static struct xsk_ring_prod fill;
static struct xsk_ring_cons completion, rx;
static struct xsk_umem *umem;
static struct xsk_socket *xsk;
static uint8_t *area;
static uint64_t touched; /* keeps the compiler from dropping the reads */

static void fail(const char *what, int r)
{
	errx(2, "%s: %s", what, strerror(-r));
}

static void make_umem(void)
{
	const struct xsk_umem_config config = {
		.fill_size = FILL_SIZE,
		.comp_size = 64,
		.frame_size = FRAME_SIZE,
		.frame_headroom = XSK_UMEM__DEFAULT_FRAME_HEADROOM,
	};
	uint64_t size = (uint64_t)FRAMES * FRAME_SIZE;
	int r;

	area = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (area == MAP_FAILED)
		err(2, "memory");
	r = xsk_umem__create(&umem, area, size, &fill, &completion, &config);
	if (r)
		fail("UMEM", r);
}

static void fill_all(void)
{
	uint32_t at;

	if (xsk_ring_prod__reserve(&fill, FRAMES, &at) != FRAMES)
		errx(2, "fill ring");
	for (uint32_t i = 0; i < FRAMES; i++)
		*xsk_ring_prod__fill_addr(&fill, at + i) = i * FRAME_SIZE;
	xsk_ring_prod__submit(&fill, FRAMES);
}

static void make_socket(const char *device)
{
	const struct xsk_socket_config config = {
		.rx_size = RX_SIZE,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
	};
	int r = xsk_socket__create(&xsk, device, 0, umem, &rx, NULL, &config);

	if (r)
		fail(device, r);
}

/* return bpf_redirect_map(map, ctx->rx_queue_index, XDP_PASS); */
static void redirect_all(const char *device)
{
	int map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "bench", 4, 4, 1, NULL);
	struct pcf_ebpf e;
	int r = map;

	if (map >= 0)
		r = xsk_socket__update_xskmap(xsk, map);
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
	struct pollfd p = { .fd = xsk_socket__fd(xsk), .events = POLLIN };

	if (poll(&p, 1, 100) < 0 && errno != EINTR)
		err(2, "poll");
}

static void take(uint32_t at, uint32_t n)
{
	uint32_t back;

	/* The ring has room for all frames there are. */
	if (xsk_ring_prod__reserve(&fill, n, &back) != n)
		errx(2, "fill ring");
	for (uint32_t i = 0; i < n; i++) {
		const struct xdp_desc *d = xsk_ring_cons__rx_desc(&rx, at + i);
		const uint8_t *packet = xsk_umem__get_data(area, d->addr);

		touched += packet[0] + packet[d->len > 12 ? 12 : 0];
		*xsk_ring_prod__fill_addr(&fill, back + i) =
			d->addr & ~(uint64_t)(FRAME_SIZE - 1);
	}
	xsk_ring_prod__submit(&fill, n);
	xsk_ring_cons__release(&rx, n);
}

static uint64_t receive(struct bench_window *w)
{
	uint64_t packets = 0;
	uint32_t at, n;

	while (!bench_over(w, packets)) {
		n = xsk_ring_cons__peek(&rx, BATCH, &at);
		if (n)
			take(at, n);
		else
			idle();
		packets += n;
	}
	return packets;
}

static void report_losses(void)
{
	struct xdp_statistics s = { 0 };
	socklen_t len = sizeof(s);

	if (getsockopt(xsk_socket__fd(xsk), SOL_XDP, XDP_STATISTICS, &s, &len))
		err(2, "XDP_STATISTICS");
	printf(" rx_ring_full %" PRIu64 " fill_ring_empty %" PRIu64
	       " rx_dropped %" PRIu64 "\n",
	       (uint64_t)s.rx_ring_full, (uint64_t)s.rx_fill_ring_empty_descs,
	       (uint64_t)s.rx_dropped);
}

int main(int argc, char **argv)
{
	struct bench_window w;

	bench_arguments(&w, argc, argv);
	make_umem();
	fill_all();
	make_socket(w.device);
	redirect_all(w.device);
	bench_ready(&w);
	receive(&w);
	bench_report(&w);
	report_losses();
	xsk_socket__delete(xsk);
	xsk_umem__delete(umem);
	return touched == 0;
}
