/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many frames a second does a bare AF_XDP sending loop get rid of? What an
 * expert would write by hand with libxdp for this one purpose: one socket a
 * queue, in copy mode, frames built once, batches of 64, a kick each. The
 * measure for how much the library adds. Knows nothing of libpcap.
 *
 *   bench_xsk_tx [-q QUEUES] INTERFACE SIZE
 *	-q	so many queues in turn, from 0 on, 1 to 8 (1)
 */
#include "bench/frame.h"
#include "compat/kernel.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>

#define FRAMES	    2048u
#define FRAME_SIZE  2048u
#define BATCH	    64u
#define MOST_QUEUES 8

/* libxdp's ring structs must start out zeroed. */
static struct queue {
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons completion;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	uint8_t *area;
	uint32_t next; /* frame; they come back in the order they went */
} queues[MOST_QUEUES];
static unsigned nqueues = 1;
static int size;

static void make_umem(struct queue *q, const char *wanted)
{
	const struct xsk_umem_config config = { .fill_size = 64,
						.comp_size = FRAMES,
						.frame_size = FRAME_SIZE };
	int r;

	q->area = mmap(NULL, FRAMES * FRAME_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (q->area == MAP_FAILED)
		err(2, "memory");
	for (uint32_t i = 0; i < FRAMES; i++)
		size = bench_frame(q->area + i * FRAME_SIZE, wanted);
	r = xsk_umem__create(&q->umem, q->area, FRAMES * FRAME_SIZE, &q->fill,
			     &q->completion, &config);
	if (r)
		errx(2, "UMEM: %s", strerror(-r));
}

/* As much may be under way as with the library. */
static void make_socket(struct queue *q, const char *device)
{
	const struct xsk_socket_config config = {
		.tx_size = FRAMES,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
	};
	int r = xsk_socket__create(&q->xsk, device, q - queues, q->umem, NULL,
				   &q->tx, &config);
	int budget = BATCH, buffer = 8 << 20;

	if (r)
		errx(2, "%s: %s", device, strerror(-r));
	setsockopt(xsk_socket__fd(q->xsk), SOL_XDP, XDP_MAX_TX_SKB_BUDGET,
		   &budget, sizeof(budget));
	setsockopt(xsk_socket__fd(q->xsk), SOL_SOCKET, SO_SNDBUFFORCE, &buffer,
		   sizeof(buffer));
}

static void reclaim(struct queue *q)
{
	uint32_t at, n;

	while ((n = xsk_ring_cons__peek(&q->completion, BATCH, &at)))
		xsk_ring_cons__release(&q->completion, n);
}

static void kick(struct queue *q)
{
	if (sendto(xsk_socket__fd(q->xsk), NULL, 0, MSG_DONTWAIT, NULL, 0) <
		    0 &&
	    errno != EAGAIN && errno != EBUSY && errno != ENOBUFS)
		err(2, "sendto");
}

static unsigned send_batch(struct queue *q)
{
	uint32_t at, n = xsk_ring_prod__reserve(&q->tx, BATCH, &at);

	for (uint32_t i = 0; i < n; i++)
		*xsk_ring_prod__tx_desc(&q->tx, at + i) = (struct xdp_desc){
			.addr = (uint64_t)(q->next++ % FRAMES) * FRAME_SIZE,
			.len = size,
		};
	xsk_ring_prod__submit(&q->tx, n);
	kick(q);
	reclaim(q);
	return n;
}

/* The index of the first argument that is no option. */
static int parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+q:")) != -1)
		nqueues = c == 'q' ? atoi(optarg) : 0;
	if (!nqueues || nqueues > MOST_QUEUES || argc != optind + 2)
		errx(2, "usage: bench_xsk_tx [-q QUEUES] INTERFACE SIZE");
	return optind;
}

int main(int argc, char **argv)
{
	int first = parse(argc, argv);
	uint64_t sent = 0;

	for (unsigned i = 0; i < nqueues; i++) {
		make_umem(&queues[i], argv[first + 1]);
		make_socket(&queues[i], argv[first]);
	}
	bench_until_stopped();
	while (!bench_stopped)
		for (unsigned i = 0; i < nqueues; i++)
			sent += send_batch(&queues[i]);
	printf("accepted %" PRIu64 " refused 0\n", sent);
	for (unsigned i = 0; i < nqueues; i++) {
		xsk_socket__delete(queues[i].xsk);
		xsk_umem__delete(queues[i].umem);
	}
	return 0;
}
