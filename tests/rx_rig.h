/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The receiving rings of an AF_XDP socket in plain memory, with this program in
 * the kernel's place: it takes frames from the fill ring, writes packets into
 * them and descriptors into the RX ring, and knows at any time who has which
 * frame. The area lies between pages that nobody may touch.
 */
#ifndef PCF_RX_RIG_H
#define PCF_RX_RIG_H

#include "backend/af_xdp.h"

#define FRAMES	    64u
#define FRAME	    2048u
#define AREA	    (FRAMES * FRAME)
#define BOUNCES	    8u
#define BOUNCE_SIZE 6000u
#define EPOCH	    5

struct rig {
	struct pcf_queue q;
	struct pcf_umem umem;
	struct pcf_ctl ctl;
	uint32_t rx_prod, rx_cons, rx_flags;
	uint32_t fill_prod, fill_cons, fill_flags;
	struct xdp_desc rx[FRAMES];
	uint64_t fill[FRAMES];
	uint8_t *map;
	/* the kernel's books */
	bool out[FRAMES]; /* shown to the reader, not given back */
	unsigned nout, refused;
	uint32_t next; /* number of the next packet */
	uint32_t snaplen;
	bool plain, filtered; /* said by the last rx */
};

void rig_open(struct rig *r);
void rig_close(struct rig *r);

/* --- the kernel's end --- */

/* Take over what is in the fill ring. */
void kernel_collects(struct rig *r);
/* A frame to write into. */
uint64_t kernel_frame(struct rig *r);
/* Any descriptor. */
void kernel_shows(struct rig *r, uint64_t addr, uint32_t len, uint32_t options);
/* One part of packet `number`, from byte `at` on. */
void kernel_part(struct rig *r, uint32_t number, uint32_t at, uint32_t len,
		 bool more);
/* The next packet, in as many parts as it needs. */
void kernel_packet(struct rig *r, uint32_t len);
/* What stands before the latest packet. */
struct pcf_meta *kernel_meta(struct rig *r);

/* --- the reader's end --- */

/* One rx(), whose packets carry their places. */
unsigned rig_show(struct rig *r, const struct pcf_rx_ops *ops,
		  struct pcf_pkt *pkts, unsigned max, enum pcf_stop *why);
void rig_take(struct rig *r, const struct pcf_rx_ops *ops,
	      const struct pcf_pkt *pkts, unsigned n);
void rig_give(struct rig *r, const struct pcf_rx_ops *ops,
	      const struct pcf_pkt *pkts, unsigned n);
/* Everything there is, taken and done at once. */
unsigned rig_drain(struct rig *r, const struct pcf_rx_ops *ops);

/* Does it have packet `number`'s bytes and this length? */
bool rig_intact(const struct pcf_pkt *p, uint32_t number, uint32_t len);
/* Nothing is under way and the kernel has all frames but `lost`. */
void rig_settled(struct rig *r, unsigned lost);

#endif
