/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frames that the virtual machine's tests send to each other, and the
 * shared page by which a receiver tells the sender how far it is. A frame is
 * wholly given by its number and a shape, so a receiver can build what it must
 * have got and compare every byte. Knows no pcap and no AF_XDP.
 */
#ifndef VM_FRAME_H
#define VM_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define VM_FRAME_MIN 60
#define VM_FRAME_MAX 9018
#define VM_PORT	     7777

/* What the frames of one run have in common. */
struct vm_shape {
	unsigned max;	/* longest frame in bytes, at least VM_FRAME_MIN */
	unsigned flows; /* source addresses taken in turn, 1 to 250 */
	int tci;	/* VLAN tag, or -1 for none */
	uint16_t port;	/* UDP destination port */
	uint8_t dst[6]; /* destination MAC */
};

/* Written by the receiver; one page of a file that both map. */
struct vm_window {
	uint64_t ready; /* 1 as soon as sending may begin */
	uint64_t got;	/* frames received so far */
	uint64_t done;	/* 1 when the receiver wants no more */
};

extern const struct vm_shape vm_shape_default;

/*
 * Take one option as getopt() gives it: 'm' longest frame, 'F' flows, 'v' VLAN
 * TCI, 'p' port, 'd' destination MAC. Returns 0, or -1 when it is none of them.
 */
int vm_shape_option(struct vm_shape *shape, int option, const char *value);
#define VM_SHAPE_OPTIONS "m:F:v:p:d:"

/* Write frame number `seq` to `out` (VM_FRAME_MAX bytes). Returns its size. */
size_t vm_frame_build(const struct vm_shape *shape, uint32_t seq, uint8_t *out);

/*
 * Compare a received frame with what it must be. Returns 0 and its number, or
 * -1 when a byte or the length differs; `what` then points to a static text.
 */
int vm_frame_check(const struct vm_shape *shape, const uint8_t *data,
		   size_t len, uint32_t *seq, const char **what);

/* Map a window file, made when it is not there. NULL on failure. */
struct vm_window *vm_window_open(const char *path);

/* Seconds of CLOCK_MONOTONIC. */
double vm_now(void);

#endif
