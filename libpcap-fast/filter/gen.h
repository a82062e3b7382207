/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Code generation: what the emitting files share.
 *
 * A program is emitted once with direct access to the packet's linear part
 * (direct.c). With frags support it is emitted a second time with helper calls
 * (frags.c): whenever a frame's linear part turns out too short, the first
 * version gives up and the second starts afresh, which is fine as filters have
 * no side effects.
 *
 * A program that itself calls helpers (random number, processor) is emitted in
 * the second version only: the first one's pointers do not survive a call.
 *
 * Registers (direct version; helper calls clobber R0 - R5):
 *   R0 R1  scratch
 *   R2     data_end
 *   R3     data                 for virtual offsets below 12
 *   R4     data, behind the tag for those from 12 on
 *   R5     the tag's length: 0 or 4 (only if the program asks)
 *   R6     struct xdp_md        the caller's
 *   R7     A; bytes to keep
 *   R8     -                    the caller's
 *   R9     X
 *
 * Stack, from env->stack up:
 *   0   M[0] .. M[15]
 *   64  u32 length of the frame on the wire
 *   72  u64 the tag's length    (frags version)
 *   80  u64 bytes just loaded   (frags version)
 */
#ifndef PCF_GEN_H
#define PCF_GEN_H

#include "compat/ebpf.h"
#include "libpcap-fast/filter/filter.h"
#include "libpcap-fast/filter/insn.h"

#define R_END	BPF_REG_2
#define R_DATA	BPF_REG_3
#define R_TYPE	BPF_REG_4
#define R_SHIFT BPF_REG_5
#define R_CTX	BPF_REG_6
#define R_A	BPF_REG_7
#define R_X	BPF_REG_9

#define STACK_LEN   64
#define STACK_SHIFT 72
#define STACK_BYTES 80

struct pcf_gen {
	struct pcf_ebpf *e;
	const struct pcf_filter_env *env;
	const struct pcf_program *p;
	const struct pcf_access *access;
	int match, nomatch;
	int give_up;		/* the linear part is too short */
	int main, tagged;	/* where the two kinds of frame go from entry */
	int *label;		/* of each leader */
	struct pcf_cold *cold;	/* odd indexed loads, emitted last */
	unsigned ncold, cap_cold;
};

/* An indexed load's rare cases. */
struct pcf_cold {
	const struct pcf_node *node;
	int far;	/* R1 = offset: too large or negative */
	int low;	/* R1 = offset: before the type field */
	int usual;	/* R1 = offset, not too large */
	int done;
};

/* How a version of the code gets at the frame. `dst` is R_A or R_X. */
struct pcf_access {
	void (*enter)(struct pcf_gen *g);
	/* Prove that the node's need is there. */
	void (*ensure)(struct pcf_gen *g, const struct pcf_node *node);
	/* Big endian value at a constant offset, proven to be there. */
	void (*fixed)(struct pcf_gen *g, int dst, uint32_t off, unsigned size);
	void (*indexed)(struct pcf_gen *g, const struct pcf_node *node);
	void (*len)(struct pcf_gen *g, int dst);
	void (*tag)(struct pcf_gen *g, int op);
	void (*protocol)(struct pcf_gen *g);
	void (*pkttype)(struct pcf_gen *g);
	/* What was put aside. */
	void (*leave)(struct pcf_gen *g);
};

extern const struct pcf_access pcf_access_direct, pcf_access_frags;

/* Emit the whole program, through to the jumps to match and nomatch. */
void pcf_gen_program(struct pcf_gen *g);
void pcf_gen_zero(struct pcf_gen *g);

/* Shared by both kinds of access. */
void pcf_gen_to_host(struct pcf_gen *g, int dst, unsigned size);
void pcf_gen_pkttype(struct pcf_gen *g);
/* R0 = the two bytes at 12; jumps to g->tagged if they are a tag's. */
void pcf_gen_tag_test(struct pcf_gen *g);
/* `reg`, a negative 32-bit offset, becomes a virtual one; or no match. */
void pcf_gen_negative(struct pcf_gen *g, int reg);
/* The last `straddles` offsets before the type field: reg == one of them. */
void pcf_gen_straddle(struct pcf_gen *g, int reg, const struct pcf_node *node,
		      int done);
/* Bytes: the kernel's size code. */
int pcf_gen_size(unsigned bytes);
void pcf_gen_load_ctx(struct pcf_gen *g);

#endif
