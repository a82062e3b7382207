/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One AF_XDP socket and its packet memory, made and undone by libxdp, whose
 * mistakes on the way are mended here. Knows nothing of programs and maps.
 */
#include "backend/af_xdp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A queue that was just closed is released late, so a new bind gets EBUSY for
 * some tens of milliseconds: waits of 1, 2, 4, ... ms, about a second in all. */
#define BIND_TRIES 10
/* The kernel wants a fill ring, even of one who only sends. */
#define SPARE_FILL 64

/* Without any socket on it. libxdp 1.3 counts one that it could not make for
 * want of descriptors, and would keep the memory for its sake. */
static void delete_umem(struct xsk_umem *u)
{
	int fd = xsk_umem__fd(u);

	if (xsk_umem__delete(u) != -EBUSY)
		return;
	close(fd);
	free(u);
}

void pcf_xdp_leave_umem(struct pcf_queue *q)
{
	struct pcf_umem *u = q->umem;

	q->umem = NULL;
	if (!u)
		return;
	for (unsigned i = 0; i < 2; i++)
		if (u->homes[i] == q)
			u->homes[i] = NULL;
	if (--u->users)
		return;
	if (u->xsk)
		delete_umem(u->xsk);
	pcf_umem_unmap(u);
	free(u);
}

void pcf_xdp_close_socket(struct pcf_queue *q)
{
	if (q->xsk)
		xsk_socket__delete(q->xsk);
	q->xsk = NULL;
	memset(&q->rx, 0, sizeof(q->rx));
	memset(&q->fill, 0, sizeof(q->fill));
	memset(&q->comp, 0, sizeof(q->comp));
	memset(&q->tx.ring, 0, sizeof(q->tx.ring));
	q->fd = -1;
}

/* libxdp 1.3 forgets the fill ring when it cannot map the completion ring. The
 * mapping would keep socket and packet memory; it begins on the page where the
 * producer's index is. */
static void unmap_fill(struct pcf_queue *q)
{
	uintptr_t page = sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)q->fill.producer & ~(page - 1);
	uintptr_t end = (uintptr_t)q->fill.ring +
			q->fill.size * sizeof(uint64_t);

	if (q->fill.ring && !q->comp.ring)
		munmap((void *)start, end - start);
}

static int register_umem(struct pcf_queue *q)
{
	struct pcf_umem *u = q->umem;
	struct xsk_umem_config cfg = {
		.fill_size = u->frames ? u->frames : SPARE_FILL,
		.comp_size = 2 * PCF_TX_FRAMES,
		.frame_size = u->frame_size,
	};
	int err = xsk_umem__create(&u->xsk, u->area, u->size, &q->fill,
				   &q->comp, &cfg);

	if (err)
		u->xsk = NULL;
	return err;
}

static int create_socket(struct pcf_queue *q, const char *ifname,
			 uint16_t flags)
{
	struct xsk_ring_prod *tx = q->umem->tx_frames ? &q->tx.ring : NULL;
	struct xsk_ring_cons *rx = q->umem->frames ? &q->rx : NULL;
	struct xsk_socket_config cfg = {
		.rx_size = q->umem->frames,
		.tx_size = tx ? PCF_TX_FRAMES : 0,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = flags,
	};
	int err;

	if (q->umem->users == 1)
		err = xsk_socket__create(&q->xsk, ifname, q->id, q->umem->xsk,
					 rx, tx, &cfg);
	else
		err = xsk_socket__create_shared(&q->xsk, ifname, q->id,
						q->umem->xsk, rx, tx,
						&q->fill, &q->comp, &cfg);
	/* libxdp leaves the pointer undefined when it fails. */
	if (err)
		q->xsk = NULL;
	return err;
}

/* After a failure a registered memory cannot be used again: its rings belong
 * to the socket that could not be bound. */
static int try_socket(struct pcf_queue *q, const char *ifname, uint16_t flags)
{
	int err = q->umem->xsk ? 0 : register_umem(q);

	if (!err)
		err = create_socket(q, ifname, flags);
	if (!err)
		return 0;
	unmap_fill(q);
	/* libxdp finds the mappings of the rings in the queue's structures */
	if (q->umem->users == 1 && q->umem->xsk) {
		xsk_umem__delete(q->umem->xsk);
		q->umem->xsk = NULL;
	}
	pcf_xdp_close_socket(q);
	return err;
}

int pcf_xdp_bind(struct pcf_queue *q, const char *ifname, uint16_t flags)
{
	int err = -EBUSY;

	for (int i = 0; i < BIND_TRIES && err == -EBUSY; i++) {
		if (i)
			usleep(1000u << (i - 1));
		err = try_socket(q, ifname, flags);
	}
	return err;
}
