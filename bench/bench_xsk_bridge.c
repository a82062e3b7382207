/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many packets a second does a bare AF_XDP loop forward from one interface
 * to another? What an expert would write by hand with libxdp for this one
 * purpose: one packet memory for both, copy mode, batches of 64, a kick each,
 * no look at the packets. The measure for how much the library adds. Knows
 * nothing of libpcap.
 *
 *   bench_xsk_bridge IN OUT
 */
#include "bench/attach.h"
#include "bench/frame.h"
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

#define FRAMES	   4096u
#define FRAME_SIZE 2048u
#define BATCH	   64u

/* libxdp's ring structs must start out zeroed. The second fill ring is there
 * because the kernel wants one. */
static struct xsk_ring_prod fill, unused_fill, tx;
static struct xsk_ring_cons unused_completion, completion, rx;
static struct xsk_umem *umem;
static struct xsk_socket *in, *out;

static void fail(const char *what, int r)
{
	errx(2, "%s: %s", what, strerror(-r));
}

static void make_umem(void)
{
	const struct xsk_umem_config config = { .fill_size = FRAMES,
						.comp_size = FRAMES,
						.frame_size = FRAME_SIZE };
	uint64_t size = (uint64_t)FRAMES * FRAME_SIZE;
	void *area = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	uint32_t at;
	int r;

	if (area == MAP_FAILED)
		err(2, "memory");
	r = xsk_umem__create(&umem, area, size, &fill, &unused_completion,
			     &config);
	if (r)
		fail("UMEM", r);
	if (xsk_ring_prod__reserve(&fill, FRAMES, &at) != FRAMES)
		errx(2, "fill ring");
	for (uint32_t i = 0; i < FRAMES; i++)
		*xsk_ring_prod__fill_addr(&fill, at + i) = i * FRAME_SIZE;
	xsk_ring_prod__submit(&fill, FRAMES);
}

static void make_sockets(const char *from, const char *to)
{
	const struct xsk_socket_config config = {
		.rx_size = FRAMES,
		.tx_size = FRAMES,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
	};
	int budget = BATCH, buffer = 8 << 20;
	int r = xsk_socket__create(&in, from, 0, umem, &rx, NULL, &config);

	if (r)
		fail(from, r);
	r = xsk_socket__create_shared(&out, to, 0, umem, NULL, &tx,
				      &unused_fill, &completion, &config);
	if (r)
		fail(to, r);
	setsockopt(xsk_socket__fd(out), SOL_XDP, XDP_MAX_TX_SKB_BUDGET, &budget,
		   sizeof(budget));
	setsockopt(xsk_socket__fd(out), SOL_SOCKET, SO_SNDBUFFORCE, &buffer,
		   sizeof(buffer));
}

/* return bpf_redirect_map(map, ctx->rx_queue_index, XDP_PASS); */
static void redirect_all(const char *device)
{
	int map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "bench", 4, 4, 1, NULL);
	struct pcf_ebpf e;
	int r = map;

	if (map >= 0)
		r = xsk_socket__update_xskmap(in, map);
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

/* Frames that were sent take packets again. */
static void reclaim(void)
{
	uint32_t from, to, n = xsk_ring_cons__peek(&completion, BATCH, &from);

	if (!n)
		return;
	/* the ring has room for all frames there are */
	if (xsk_ring_prod__reserve(&fill, n, &to) != n)
		errx(2, "fill ring");
	for (uint32_t i = 0; i < n; i++)
		*xsk_ring_prod__fill_addr(&fill, to + i) =
			*xsk_ring_cons__comp_addr(&completion, from + i) &
			~(uint64_t)(FRAME_SIZE - 1);
	xsk_ring_prod__submit(&fill, n);
	xsk_ring_cons__release(&completion, n);
}

static void kick(void)
{
	if (sendto(xsk_socket__fd(out), NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 &&
	    errno != EAGAIN && errno != EBUSY && errno != ENOBUFS)
		err(2, "sendto");
}

static void idle(void)
{
	struct pollfd p = { .fd = xsk_socket__fd(in), .events = POLLIN };

	if (poll(&p, 1, 100) < 0 && errno != EINTR)
		err(2, "poll");
}

static uint32_t forward_batch(void)
{
	uint32_t from, to, n = xsk_ring_cons__peek(&rx, BATCH, &from);

	if (!n)
		return 0;
	/* so has this one */
	if (xsk_ring_prod__reserve(&tx, n, &to) != n)
		errx(2, "TX ring");
	for (uint32_t i = 0; i < n; i++) {
		const struct xdp_desc *d =
			xsk_ring_cons__rx_desc(&rx, from + i);

		*xsk_ring_prod__tx_desc(&tx, to + i) =
			(struct xdp_desc){ .addr = d->addr, .len = d->len };
	}
	xsk_ring_cons__release(&rx, n);
	xsk_ring_prod__submit(&tx, n);
	kick();
	return n;
}

int main(int argc, char **argv)
{
	uint64_t sent = 0;

	if (argc != 3)
		errx(2, "usage: bench_xsk_bridge IN OUT");
	make_umem();
	make_sockets(argv[1], argv[2]);
	redirect_all(argv[1]);
	bench_until_stopped();
	while (!bench_stopped) {
		uint32_t n = forward_batch();

		reclaim();
		if (!n)
			idle();
		sent += n;
	}
	printf("accepted %" PRIu64 " refused 0\n", sent);
	xsk_socket__delete(in);
	xsk_socket__delete(out);
	xsk_umem__delete(umem);
	return 0;
}
