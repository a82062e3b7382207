/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet memory of one AF_XDP socket: frames of one size in one area,
 * shared with the kernel and, after fork(), with the child.
 *
 *	area   | for receiving: frames | for sending: tx_frames | the other's |
 *	frame  | headroom 256 (metadata at its end) | packet ... |
 *
 * Two handles that forward to each other have one such memory for each pair of
 * queues; each frame has a home, the queue that gets it back after sending.
 */
#ifndef PCF_UMEM_H
#define PCF_UMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the kernel keeps free in front of a packet (XDP_PACKET_HEADROOM). */
#define PCF_HEADROOM 256

struct pcf_queue;
struct xsk_umem;

struct pcf_umem {
	uint8_t *area;
	size_t size;		/* bytes */
	uint32_t frame_size;	/* bytes, 2048 or 4096 */
	uint32_t frames;	/* for receiving, a power of two */
	uint32_t tx_frames;	/* for sending */
	bool huge;		/* in huge pages */
	unsigned users;		/* queues that have it */
	struct pcf_queue *homes[2]; /* of the first and the second half; the
				     * second only where it is shared */
	struct xsk_umem *xsk;	/* as registered with the kernel */
};

/* How many frames make good of `buffer_size` bytes (0: the default) for one
 * of `queues` sockets. */
uint32_t pcf_umem_frames(size_t buffer_size, uint32_t frame_size,
			 unsigned queues);

/* Map the area, for two queues if `shared`. 0 or negative errno. */
int pcf_umem_map(struct pcf_umem *u, uint32_t frames, uint32_t tx_frames,
		 uint32_t frame_size, bool shared);
void pcf_umem_unmap(struct pcf_umem *u);

/* Bytes of what belongs to one queue. */
static inline uint64_t pcf_umem_half(const struct pcf_umem *u)
{
	return (uint64_t)(u->frames + u->tx_frames) * u->frame_size;
}

#endif
