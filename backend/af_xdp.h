/* SPDX-License-Identifier: BSD-3-Clause */
/* What set-up (af_xdp.c) and the hot path (af_xdp_io.c) of the AF_XDP backend
 * share: one queue and its rings. */
#ifndef PCF_AF_XDP_H
#define PCF_AF_XDP_H

#include "backend/backend.h"
#include "backend/clock.h"
#include "backend/prog.h"
#include "backend/umem.h"

#include <xdp/xsk.h>

/* Packets of several descriptors are put together in buffers of their own. */
struct pcf_bounce {
	uint8_t *area;
	uint32_t size;		/* bytes of one buffer */
	uint32_t *free;		/* stack of free buffers */
	unsigned nfree, count;
};

struct pcf_queue {
	/* the rings; libxdp wants them zeroed first */
	struct xsk_ring_cons rx;
	struct xsk_ring_prod fill;
	uint8_t *area;
	uint64_t area_size;
	uint64_t frame_mask;	/* address of a frame's first byte */
	struct pcf_clock clock;
	const volatile struct pcf_ctl *ctl;
	uint32_t epoch;		/* of the filter in force, 0 none */
	uint32_t id;
	int fd;
	struct pcf_bounce bounce;
	/* set-up only */
	struct xsk_ring_cons comp;
	struct pcf_umem umem;
	struct xsk_umem *xsk_umem;
	struct xsk_socket *xsk;
	bool zerocopy;
};

/* For frames that are one descriptor each, and for those that may be more. */
extern const struct pcf_rx_ops pcf_xdp_rx_single;
extern const struct pcf_rx_ops pcf_xdp_rx_frags;

/* Put all frames of the UMEM into the fill ring. */
int pcf_xdp_fill_all(struct pcf_queue *q);

#endif
