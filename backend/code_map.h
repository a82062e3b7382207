/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The map from which an interpreting program reads its filter: memory that the
 * reader writes, so that a filter can be changed without any privilege. Knows
 * nothing of what the instructions mean.
 *
 *	| start 4 | zero ... 16 | bank 0: head, code | bank 1: head, code |
 *	     '--> index of the head that is in force; code begins behind it
 *
 * A new filter goes into the other bank and then `start` is moved, in one
 * store. The head has the epoch, so a packet always carries that of the code
 * that decided on it.
 */
#ifndef PCF_CODE_MAP_H
#define PCF_CODE_MAP_H

#include <stddef.h>
#include <stdint.h>

/* As long as a socket filter may be, and the head. */
#define PCF_CODE_BANK  4097
#define PCF_CODE_TOTAL (2 * PCF_CODE_BANK)

/* One instruction; the head of a bank has its epoch in k. */
struct pcf_code {
	uint16_t op, off;
	uint16_t jt, jf; /* instructions to skip */
	uint32_t k, pad;
};

struct pcf_code_area {
	uint32_t start;
	uint32_t pad;
	uint64_t zero; /* a value that the verifier does not know */
	struct pcf_code code[PCF_CODE_TOTAL];
};

/* All zero: not open. */
struct pcf_code_map {
	int fd;
	struct pcf_code_area *area;
	unsigned bank; /* in force */
	unsigned puts;
};

/* 0 or negative errno; needs privilege. */
int pcf_code_map_open(struct pcf_code_map *m);
/* Takes one that is not open. */
void pcf_code_map_close(struct pcf_code_map *m);

/* Let this code decide from now on. Needs no privilege; may sleep for some
 * milliseconds. 0 or negative errno: then the former stays in force. */
int pcf_code_map_put(struct pcf_code_map *m, const struct pcf_code *code,
		     unsigned n, uint32_t epoch);

#endif
