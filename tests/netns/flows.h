/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of many flows in both directions, each with a number, and the account
 * of who has seen which. Shared memory: processes may fill it in together.
 */
#ifndef PCF_FLOWS_H
#define PCF_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

/* Kinds of frames; number % FLOWS_KINDS is one's kind. */
enum {
	FLOWS_TCP4,
	FLOWS_UDP4,
	FLOWS_TCP6,
	FLOWS_UDP6,
	FLOWS_SCTP4,
	FLOWS_TAGGED, /* TCP4 in a VLAN; the same flows */
	FLOWS_QINQ,   /* UDP6 in two; the same flows */
	FLOWS_FRAGMENT4,
	FLOWS_FRAGMENT6,
	FLOWS_ARP,
	FLOWS_OTHER,
	FLOWS_KINDS
};

#define FLOWS_MEMBERS 8
#define FLOWS_MOST    400000

struct flows {
	volatile uint32_t sent; /* the next number */
	volatile bool stop;
	uint64_t when[FLOWS_MOST];		 /* ns, of sending */
	uint8_t seen[FLOWS_MEMBERS][FLOWS_MOST]; /* times */
};

struct flows *flows_new(void);
void flows_free(struct flows *f);

/* Make a frame; its length. Always the same for a number. */
unsigned flows_frame(uint8_t *frame, uint32_t number);
/* What all packets of a frame's flow, in both directions, have in common. */
uint32_t flows_key(uint32_t number);
/* The number of a captured frame; -1 is none of these. */
int64_t flows_number(const uint8_t *data, unsigned len);

/* Send the next n from `device`, no more than `pps` a second (0: any). */
void flows_send(struct flows *f, const char *device, unsigned n, unsigned pps);

/* Times that a frame was seen, by all members. */
unsigned flows_times(const struct flows *f, uint32_t number);

#endif
