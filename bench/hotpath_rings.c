/* SPDX-License-Identifier: BSD-3-Clause */
/* The rings of the AF_XDP and the direct ring backend in plain memory, and
 * what the kernel does with them; see hotpath_rings.h. */
#include "bench/hotpath_rings.h"

#include "backend/af_xdp.h"
#include "backend/ring.h"
#include "compat/kernel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FRAME  2048u
#define EPOCH  1
#define RECORD 128u /* header and packet, in whole units */

static struct {
	struct pcf_queue q;
	struct pcf_umem umem;
	struct pcf_ctl ctl;
	uint32_t rx_prod, rx_cons, fill_prod, fill_cons, flags;
	struct xdp_desc rx[HOTPATH_PACKETS];
	uint64_t fill[HOTPATH_PACKETS];
} xsk;

/* As many frames and descriptors as a queue that sends has. */
static struct {
	struct pcf_queue q;
	struct pcf_umem umem;
	uint32_t tx_prod, tx_cons, comp_prod, comp_cons, flags;
	struct xdp_desc tx[PCF_TX_FRAMES];
	uint64_t comp[PCF_TX_FRAMES];
} out;

static struct {
	struct pcf_ring r;
	struct pcf_ring_ctl ctl;
	uint16_t units[HOTPATH_PACKETS * RECORD / PCF_RING_UNIT];
} ring;

static struct pcf_queue *open_xsk(void)
{
	xsk.umem = (struct pcf_umem){ .frames = HOTPATH_PACKETS,
				      .frame_size = FRAME };
	xsk.q = (struct pcf_queue){
		.rx = { .mask = HOTPATH_PACKETS - 1,
			.size = HOTPATH_PACKETS,
			.producer = &xsk.rx_prod,
			.consumer = &xsk.rx_cons,
			.ring = xsk.rx,
			.flags = &xsk.flags },
		.fill = { .cached_cons = HOTPATH_PACKETS,
			  .mask = HOTPATH_PACKETS - 1,
			  .size = HOTPATH_PACKETS,
			  .producer = &xsk.fill_prod,
			  .consumer = &xsk.fill_cons,
			  .ring = xsk.fill,
			  .flags = &xsk.flags },
		.area = calloc(HOTPATH_PACKETS, FRAME),
		.area_size = (uint64_t)HOTPATH_PACKETS * FRAME,
		.frame_mask = ~((uint64_t)FRAME - 1),
		.ctl = &xsk.ctl,
		.epoch = EPOCH,
		.fd = -1,
		.umem = &xsk.umem,
	};
	if (!xsk.q.area)
		abort();
	return &xsk.q;
}

static void feed_xsk(unsigned round)
{
	xsk.fill_cons = xsk.fill_prod;
	for (unsigned i = 0; i < HOTPATH_PACKETS; i++) {
		uint64_t addr = (uint64_t)i * FRAME + PCF_HEADROOM;
		struct pcf_meta m = { .time = round * PCF_NSEC + i,
				      .epoch = EPOCH,
				      .keep = UINT32_MAX };

		memcpy(xsk.q.area + addr - sizeof(m), &m, sizeof(m));
		xsk.rx[i] = (struct xdp_desc){ .addr = addr,
					       .len = HOTPATH_LENGTH };
	}
	xsk.rx_prod += HOTPATH_PACKETS;
}

/* Waking the program is ring.c's, once a call and not per packet. */
void __wrap_pcf_ring_taken(struct pcf_ring *r);

void __wrap_pcf_ring_taken(struct pcf_ring *r)
{
	(void)r;
}

static struct pcf_queue *open_ring(void)
{
	ring.r = (struct pcf_ring){
		.bytes = calloc(1, HOTPATH_PACKETS * RECORD + PCF_RING_TAIL),
		.ctl = &ring.ctl,
		.size = HOTPATH_PACKETS * RECORD,
		.epoch = EPOCH,
		.units = ring.units
	};
	if (!ring.r.bytes)
		abort();
	return (struct pcf_queue *)&ring.r;
}

static void feed_ring(unsigned round)
{
	for (unsigned i = 0; i < HOTPATH_PACKETS; i++) {
		struct pcf_ring_record *rec =
			(void *)(ring.r.bytes + (size_t)i * RECORD);

		*rec = (struct pcf_ring_record){ .time = round * PCF_NSEC + i,
						 .len = HOTPATH_LENGTH,
						 .caplen = HOTPATH_LENGTH,
						 .epoch = EPOCH,
						 .keep = UINT32_MAX };
	}
	ring.ctl.produced += HOTPATH_PACKETS * RECORD;
	ring.ctl.matched += HOTPATH_PACKETS;
}

/* --- sending ------------------------------------------------------------- */

ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags,
		      const struct sockaddr *to, socklen_t size);

ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags,
		      const struct sockaddr *to, socklen_t size)
{
	(void)fd;
	(void)data;
	(void)len;
	(void)flags;
	(void)to;
	(void)size;
	while (out.tx_cons != out.tx_prod)
		out.comp[out.comp_prod++ % PCF_TX_FRAMES] =
			out.tx[out.tx_cons++ % PCF_TX_FRAMES].addr;
	return 0;
}

static struct pcf_queue *out_queue(struct pcf_backend *b, unsigned i)
{
	(void)b;
	(void)i;
	return &out.q;
}

struct pcf_backend *hotpath_sender(void)
{
	static const struct pcf_backend_ops ops = { .queue = out_queue };
	static struct pcf_backend sender = { .ops = &ops,
					     .tx = &pcf_xdp_tx,
					     .nqueues = 1 };

	out.umem = (struct pcf_umem){ .tx_frames = PCF_TX_FRAMES,
				      .frame_size = FRAME,
				      .homes = { &out.q } };
	out.q = (struct pcf_queue){
		.tx.ring = { .cached_cons = PCF_TX_FRAMES,
			     .mask = PCF_TX_FRAMES - 1,
			     .size = PCF_TX_FRAMES,
			     .producer = &out.tx_prod,
			     .consumer = &out.tx_cons,
			     .ring = out.tx,
			     .flags = &out.flags },
		.comp = { .mask = PCF_TX_FRAMES - 1,
			  .size = PCF_TX_FRAMES,
			  .producer = &out.comp_prod,
			  .consumer = &out.comp_cons,
			  .ring = out.comp,
			  .flags = &out.flags },
		.area = calloc(PCF_TX_FRAMES, FRAME),
		.area_size = (uint64_t)PCF_TX_FRAMES * FRAME,
		.frame_mask = ~((uint64_t)FRAME - 1),
		.fd = -1,
		.umem = &out.umem,
	};
	if (!out.q.area || pcf_xdp_tx_init(&out.q))
		abort();
	return &sender;
}

const struct hotpath_source hotpath_sources[2] = {
	{ "xsk", &pcf_xdp_rx_single, open_xsk, feed_xsk },
	{ "ring", &pcf_ring_rx, open_ring, feed_ring },
};
