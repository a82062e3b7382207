/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the device knows of a received packet and the frame does not show: the
 * time by its own clock, the hash over the flow. The kernel has it from the
 * driver, by functions (kfuncs) that only a program loaded for one device may
 * call. No prog_array takes such a program, hence no root tail-calls it: its
 * capture is alone on the interface (alone.h).
 *
 * The program writes them in front of what it writes for any capture:
 *
 *	| time 8 | hash 4 | has_hash 4 | metadata or record ...
 */
#ifndef PCF_HINTS_H
#define PCF_HINTS_H

#include <stddef.h>
#include <stdint.h>

#define PCF_HINTS_SIZE 16

struct pcf_hints {
	uint64_t time; /* the device's clock, ns; 0 none */
	uint32_t hash;
	uint32_t has_hash; /* 0 or 1 */
};

/* What a program with hints is made for. */
struct pcf_hints_env {
	int ifindex;	    /* 0: no hints, and not alone */
	int owners;	    /* map by which others find who is alone */
	int32_t time, hash; /* BTF ids of the kfuncs, 0 not wanted */
};

struct pcf_ebpf;

/* Ask the driver, R6 being the context; R0 to R5 are lost, and the stack from
 * R10 - 64 to R10 - 40. Then store the answers, a struct pcf_hints, at base +
 * off; R1 is lost. */
void pcf_hints_ask(struct pcf_ebpf *e, const struct pcf_hints_env *env);
void pcf_hints_store(struct pcf_ebpf *e, int base, int off);

#endif
