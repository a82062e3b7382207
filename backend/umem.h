/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet memory of one AF_XDP socket: frames of one size in one area,
 * shared with the kernel and, after fork(), with the child.
 *
 *	area   | frame 0 | frame 1 | ... | frame n-1 |
 *	frame  | headroom 256 (metadata at its end) | packet ... |
 */
#ifndef PCF_UMEM_H
#define PCF_UMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the kernel keeps free in front of a packet (XDP_PACKET_HEADROOM). */
#define PCF_HEADROOM 256

struct pcf_umem {
	uint8_t *area;
	size_t size;		/* bytes */
	uint32_t frame_size;	/* bytes, 2048 or 4096 */
	uint32_t frames;	/* a power of two */
	bool huge;		/* in huge pages */
};

/* How many frames make good of `buffer_size` bytes (0: the default) for one
 * of `queues` sockets. */
uint32_t pcf_umem_frames(size_t buffer_size, uint32_t frame_size,
			 unsigned queues);

/* Map the area. 0 or negative errno. */
int pcf_umem_map(struct pcf_umem *u, uint32_t frames, uint32_t frame_size);
void pcf_umem_unmap(struct pcf_umem *u);

#endif
