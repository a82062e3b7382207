/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Seeded random classic programs and frames. The programs are valid, mostly of
 * the kind the kernel takes, and hostile: every opcode, jumps anywhere ahead,
 * constants from the edges.
 */
#ifndef FILTER_RANDOM_H
#define FILTER_RANDOM_H

#include <linux/filter.h>
#include <stdint.h>

struct filter_rng {
	uint64_t state;
};

uint32_t filter_random(struct filter_rng *r);
uint32_t filter_random_below(struct filter_rng *r, uint32_t n);

/* Fill `insns` (room for `max`); the number of instructions. */
unsigned filter_random_program(struct filter_rng *r, struct sock_filter *insns,
			       unsigned max);
/* Any bytes whatever, with the last one a return: for the checker. */
unsigned filter_random_junk(struct filter_rng *r, struct sock_filter *insns,
			    unsigned max);
/* Fill `data`; the number of bytes, 14 .. max. Often tagged. */
uint32_t filter_random_frame(struct filter_rng *r, uint8_t *data, uint32_t max);

#endif
