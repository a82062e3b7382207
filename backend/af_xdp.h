/* SPDX-License-Identifier: BSD-3-Clause */
/* What set-up (af_xdp.c, af_xdp_socket.c), receiving (af_xdp_io.c) and sending
 * (af_xdp_tx.c) of the AF_XDP backend share: one queue and its rings. */
#ifndef PCF_AF_XDP_H
#define PCF_AF_XDP_H

#include "backend/backend.h"
#include "backend/busy.h"
#include "backend/clock.h"
#include "backend/coming.h"
#include "backend/prog.h"
#include "backend/umem.h"

#include <xdp/xsk.h>

/* Packets of several descriptors are put together in buffers of their own. */
struct pcf_bounce {
	uint8_t *area;
	uint32_t size;		/* bytes of one buffer */
	uint32_t *free;		/* stack of free buffers */
	struct pcf_hints *hints; /* of the packet in each buffer */
	unsigned nfree, count;
};

/* The sending half of a queue; count 0: it has none. */
struct pcf_tx {
	struct xsk_ring_prod ring;
	uint64_t *free;		/* stack of frames that nobody has */
	unsigned nfree, count;
	uint32_t pending;	/* descriptors not yet completed */
	uint64_t sent;		/* packets that the kernel has taken */
	uint64_t dropped;	/* of these, those that it could not send */
};

struct pcf_queue {
	/* the rings; libxdp wants them zeroed first */
	struct xsk_ring_cons rx;
	struct xsk_ring_prod fill;
	uint8_t *area;
	uint64_t area_size;
	uint64_t frame_mask;	/* address of a frame's first byte */
	struct pcf_clock clock;
	struct pcf_coming coming;
	const volatile struct pcf_ctl *ctl;
	uint32_t epoch;		/* of the filter in force, 0 none */
	struct pcf_verdict verdict; /* seen last, of that filter */
	uint32_t id;
	int fd;
	struct pcf_bounce bounce;
	struct pcf_tx tx;
	struct pcf_busy busy;
	struct xsk_ring_cons comp;
	struct pcf_umem *umem;
	/* set-up only */
	struct xsk_socket *xsk;
	bool zerocopy;
	bool first;		/* of its backend */
};

/* Frames and descriptors for sending, on a queue that sends. */
#define PCF_TX_FRAMES 2048

/* Bind a socket to the queue, in its packet memory; waits while a former one is
 * being released. 0 or negative errno, with no socket left. */
int pcf_xdp_bind(struct pcf_queue *q, const char *ifname, uint16_t flags);
/* Takes a half-made one, and leaves it ready for another try. */
void pcf_xdp_close_socket(struct pcf_queue *q);
/* The packet memory goes with the last queue that has it. */
void pcf_xdp_leave_umem(struct pcf_queue *q);

/* For frames that are one descriptor each, and for those that may be more. */
extern const struct pcf_rx_ops pcf_xdp_rx_single;
extern const struct pcf_rx_ops pcf_xdp_rx_frags;
/* ... with hints. */
extern const struct pcf_rx_ops pcf_xdp_rx_single_hints;
extern const struct pcf_rx_ops pcf_xdp_rx_frags_hints;

extern const struct pcf_tx_ops pcf_xdp_tx;

/* Put the queue's frames for receiving into the fill ring. */
int pcf_xdp_fill_all(struct pcf_queue *q);

/* Give one frame back to the fill ring. */
void pcf_xdp_give_back(struct pcf_queue *q, uint64_t addr);

/* Make the stack of frames for sending. 0 or -ENOMEM. */
int pcf_xdp_tx_init(struct pcf_queue *q);

/* The first byte of what belongs to this queue in its packet memory. */
static inline uint64_t pcf_xdp_home(const struct pcf_queue *q)
{
	return q->umem->homes[1] == q ? pcf_umem_half(q->umem) : 0;
}

#endif
