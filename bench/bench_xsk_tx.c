/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many frames a second does a bare AF_XDP sending loop get rid of? What an
 * expert would write by hand with libxdp for this one purpose: one socket on
 * queue 0, in copy mode, frames built once, batches of 64, a kick each. The
 * measure for how much the library adds. Knows nothing of libpcap.
 *
 *   bench_xsk_tx INTERFACE SIZE
 */
#include "bench/frame.h"
#include "compat/kernel.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <xdp/xsk.h>

#define FRAMES	   2048u
#define FRAME_SIZE 2048u
#define BATCH	   64u

/* libxdp's ring structs must start out zeroed. */
static struct xsk_ring_prod fill, tx;
static struct xsk_ring_cons completion;
static struct xsk_umem *umem;
static struct xsk_socket *xsk;
static uint8_t *area;
static int size;
static uint32_t next; /* frame; they come back in the order they went */

static void make_umem(const char *wanted)
{
	const struct xsk_umem_config config = { .fill_size = 64,
						.comp_size = FRAMES,
						.frame_size = FRAME_SIZE };
	int r;

	area = mmap(NULL, FRAMES * FRAME_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (area == MAP_FAILED)
		err(2, "memory");
	for (uint32_t i = 0; i < FRAMES; i++)
		size = bench_frame(area + i * FRAME_SIZE, wanted);
	r = xsk_umem__create(&umem, area, FRAMES * FRAME_SIZE, &fill,
			     &completion, &config);
	if (r)
		errx(2, "UMEM: %s", strerror(-r));
}

/* As much may be under way as with the library. */
static void make_socket(const char *device)
{
	const struct xsk_socket_config config = {
		.tx_size = FRAMES,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
	};
	int r = xsk_socket__create(&xsk, device, 0, umem, NULL, &tx, &config);
	int budget = BATCH, buffer = 8 << 20;

	if (r)
		errx(2, "%s: %s", device, strerror(-r));
	setsockopt(xsk_socket__fd(xsk), SOL_XDP, XDP_MAX_TX_SKB_BUDGET, &budget,
		   sizeof(budget));
	setsockopt(xsk_socket__fd(xsk), SOL_SOCKET, SO_SNDBUFFORCE, &buffer,
		   sizeof(buffer));
}

static void reclaim(void)
{
	uint32_t at, n;

	while ((n = xsk_ring_cons__peek(&completion, BATCH, &at)))
		xsk_ring_cons__release(&completion, n);
}

static void kick(void)
{
	if (sendto(xsk_socket__fd(xsk), NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 &&
	    errno != EAGAIN && errno != EBUSY && errno != ENOBUFS)
		err(2, "sendto");
}

static unsigned send_batch(void)
{
	uint32_t at, n = xsk_ring_prod__reserve(&tx, BATCH, &at);

	for (uint32_t i = 0; i < n; i++)
		*xsk_ring_prod__tx_desc(&tx, at + i) = (struct xdp_desc){
			.addr = (uint64_t)(next++ % FRAMES) * FRAME_SIZE,
			.len = size,
		};
	xsk_ring_prod__submit(&tx, n);
	kick();
	reclaim();
	return n;
}

int main(int argc, char **argv)
{
	uint64_t sent = 0;

	if (argc != 3)
		errx(2, "usage: bench_xsk_tx INTERFACE SIZE");
	make_umem(argv[2]);
	make_socket(argv[1]);
	bench_until_stopped();
	while (!bench_stopped)
		sent += send_batch();
	printf("accepted %" PRIu64 " refused 0\n", sent);
	xsk_socket__delete(xsk);
	xsk_umem__delete(umem);
	return 0;
}
