/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packet access by pointers into the linear part of the frame. Where a byte is
 * not in it, control goes to g->give_up.
 */
#include <stdlib.h>

#include "libpcap-fast/filter/gen.h"

/* Give up unless there are `bytes` bytes from `base` on. */
static void check(struct pcf_gen *g, int base, uint32_t bytes)
{
	pcf_mov64_reg(g->e, BPF_REG_1, base);
	pcf_alu64_imm(g->e, BPF_ADD, BPF_REG_1, bytes);
	pcf_jump_reg(g->e, BPF_JGT, BPF_REG_1, R_END, g->give_up);
}

static void direct_ensure(struct pcf_gen *g, const struct pcf_node *node)
{
	if (node->need > node->avail)
		check(g, R_TYPE, node->need);
}

/* A frame with a tag is dropped by the kernel if shorter than 20 bytes. A
 * program that does not care about tags needs a look only at such dwarfs. */
static void dwarf_test(struct pcf_gen *g)
{
	pcf_mov64_reg(g->e, BPF_REG_1, R_DATA);
	pcf_alu64_imm(g->e, BPF_ADD, BPF_REG_1, PCF_TAGGED_MIN);
	pcf_jump_reg(g->e, BPF_JLE, BPF_REG_1, R_END, g->main);
}

static void direct_enter(struct pcf_gen *g)
{
	if (g->p->uses_len) {
		pcf_mov64_reg(g->e, BPF_REG_1, R_CTX);
		pcf_call(g->e, BPF_FUNC_xdp_get_buff_len);
		pcf_store(g->e, BPF_W, BPF_REG_10, g->env->stack + STACK_LEN,
			  BPF_REG_0);
	}
	pcf_gen_zero(g);
	pcf_gen_load_ctx(g);
	check(g, R_DATA, g->p->node[0].avail);
	pcf_mov64_reg(g->e, R_TYPE, R_DATA);
	if (g->p->uses_shift)
		pcf_mov32_imm(g->e, R_SHIFT, 0);
	if (!g->p->uses_tag)
		dwarf_test(g);
	pcf_gen_tag_test(g);
	pcf_ebpf_bind(g->e, g->main);
}

/* Out of line: tagged frames join the others at g->main. */
static void enter_tagged(struct pcf_gen *g)
{
	uint32_t bytes = g->p->node[0].avail + PCF_TAG_LEN;

	if (bytes < PCF_TAGGED_MIN)
		bytes = PCF_TAGGED_MIN;
	pcf_ebpf_bind(g->e, g->tagged);
	check(g, R_DATA, bytes);
	pcf_alu64_imm(g->e, BPF_ADD, R_TYPE, PCF_TAG_LEN);
	if (g->p->uses_shift)
		pcf_mov32_imm(g->e, R_SHIFT, PCF_TAG_LEN);
	pcf_ja(g->e, g->main);
}

/* One byte of a value on both sides of the tag. */
static void straddling_byte(struct pcf_gen *g, int dst, uint32_t off,
			    bool first)
{
	const int base = off < PCF_TYPE_OFF ? R_DATA : R_TYPE;

	if (first) {
		pcf_load(g->e, BPF_B, dst, base, off);
		return;
	}
	pcf_load(g->e, BPF_B, BPF_REG_0, base, off);
	pcf_alu32_imm(g->e, BPF_LSH, dst, 8);
	pcf_alu32_reg(g->e, BPF_OR, dst, BPF_REG_0);
}

/* The offset field of a load has 15 bits. */
static void far(struct pcf_gen *g, int dst, uint32_t off, unsigned size)
{
	pcf_mov64_reg(g->e, BPF_REG_1, R_TYPE);
	pcf_alu64_imm(g->e, BPF_ADD, BPF_REG_1, off);
	pcf_load(g->e, pcf_gen_size(size), dst, BPF_REG_1, 0);
}

static void direct_fixed(struct pcf_gen *g, int dst, uint32_t off,
			 unsigned size)
{
	if (off < PCF_TYPE_OFF && off + size > PCF_TYPE_OFF) {
		for (unsigned i = 0; i < size; i++)
			straddling_byte(g, dst, off + i, !i);
		return;
	}
	if (off > INT16_MAX)
		far(g, dst, off, size);
	else
		pcf_load(g->e, pcf_gen_size(size), dst,
			 off < PCF_TYPE_OFF ? R_DATA : R_TYPE, off);
	pcf_gen_to_host(g, dst, size);
}

/* A = what lies at R1 + k, checked. */
static void load_at(struct pcf_gen *g, uint32_t k, unsigned size)
{
	pcf_mov64_reg(g->e, BPF_REG_0, BPF_REG_1);
	pcf_alu64_imm(g->e, BPF_ADD, BPF_REG_0, k + size);
	pcf_jump_reg(g->e, BPF_JGT, BPF_REG_0, R_END, g->give_up);
	pcf_load(g->e, pcf_gen_size(size), R_A, BPF_REG_1, k);
	pcf_gen_to_host(g, R_A, size);
}

/* X is bounded, and X + k surely behind the tag. */
static void indexed_bounded(struct pcf_gen *g, const struct pcf_node *node)
{
	pcf_mov64_reg(g->e, BPF_REG_1, R_TYPE);
	pcf_alu64_reg(g->e, BPF_ADD, BPF_REG_1, R_X);
	load_at(g, node->k, node->size);
}

static struct pcf_cold *new_cold(struct pcf_gen *g, const struct pcf_node *node)
{
	const unsigned cap = g->cap_cold ? g->cap_cold * 2 : 16;
	struct pcf_cold *p = g->cold;

	if (g->ncold == g->cap_cold) {
		p = reallocarray(p, cap, sizeof(*p));
		if (!p) {
			pcf_ebpf_no_memory(g->e);
			return NULL;
		}
		g->cold = p;
		g->cap_cold = cap;
	}
	p += g->ncold++;
	*p = (struct pcf_cold){ node, pcf_ebpf_label(g->e),
				pcf_ebpf_label(g->e), pcf_ebpf_label(g->e),
				pcf_ebpf_label(g->e) };
	return p;
}

static void indexed_any(struct pcf_gen *g, const struct pcf_node *node)
{
	const struct pcf_cold *cold = new_cold(g, node);

	if (!cold)
		return;
	/* Not X, then plus k: Linux 6.10 and later remember that sum, and then
	 * refuse to add it to a pointer. */
	pcf_mov32_imm(g->e, BPF_REG_1, node->k);
	pcf_alu32_reg(g->e, BPF_ADD, BPF_REG_1, R_X);
	pcf_jump_imm(g->e, BPF_JGT, BPF_REG_1, PCF_FRAME_END - node->size,
		     cold->far);
	pcf_ebpf_bind(g->e, cold->usual);
	pcf_jump_imm(g->e, BPF_JLT, BPF_REG_1, PCF_TYPE_OFF, cold->low);
	pcf_alu64_reg(g->e, BPF_ADD, BPF_REG_1, R_TYPE);
	load_at(g, 0, node->size);
	pcf_ebpf_bind(g->e, cold->done);
}

static void direct_indexed(struct pcf_gen *g, const struct pcf_node *node)
{
	const uint64_t end = (uint64_t)node->k + node->x_max + node->size;

	if (node->k >= PCF_TYPE_OFF && node->k <= INT16_MAX &&
	    end <= PCF_FRAME_END)
		indexed_bounded(g, node);
	else
		indexed_any(g, node);
}

static void emit_cold(struct pcf_gen *g, const struct pcf_cold *cold)
{
	const struct pcf_node *node = cold->node;
	const int below = pcf_ebpf_label(g->e);

	pcf_ebpf_bind(g->e, cold->far);
	pcf_jump32_imm(g->e, BPF_JSGE, BPF_REG_1, 0, g->nomatch);
	pcf_gen_negative(g, BPF_REG_1);
	pcf_jump_imm(g->e, BPF_JGT, BPF_REG_1, PCF_FRAME_END - node->size,
		     g->nomatch);
	pcf_ja(g->e, cold->usual);

	pcf_ebpf_bind(g->e, cold->low);
	pcf_jump_imm(g->e, BPF_JLE, BPF_REG_1, PCF_TYPE_OFF - node->size,
		     below);
	pcf_gen_straddle(g, BPF_REG_1, node, cold->done);
	pcf_ebpf_bind(g->e, below);
	pcf_alu64_reg(g->e, BPF_ADD, BPF_REG_1, R_DATA);
	load_at(g, 0, node->size);
	pcf_ja(g->e, cold->done);
}

static void direct_len(struct pcf_gen *g, int dst)
{
	pcf_load(g->e, BPF_W, dst, BPF_REG_10, g->env->stack + STACK_LEN);
	pcf_alu32_reg(g->e, BPF_SUB, dst, R_SHIFT);
}

/* The entry code has seen 20 bytes of a tagged frame; the verifier follows. */
static void direct_tag(struct pcf_gen *g, int op)
{
	const int done = pcf_ebpf_label(g->e);

	if (op == PCF_TAGGED) {
		pcf_mov32_reg(g->e, R_A, R_SHIFT);
		pcf_alu32_imm(g->e, BPF_RSH, R_A, 2);
	} else {
		pcf_mov32_imm(g->e, R_A, 0);
		pcf_jump32_imm(g->e, BPF_JEQ, R_SHIFT, 0, done);
		pcf_load(g->e, BPF_H, R_A, R_DATA, op == PCF_TPID ? 12 : 14);
		pcf_to_be(g->e, R_A, 16);
	}
	pcf_ebpf_bind(g->e, done);
}

/* eth_type_trans(): below 0x600 it is a length, and the two bytes behind it
 * tell Novell's raw 802.3 (1) from 802.2 (4). */
static void direct_protocol(struct pcf_gen *g)
{
	const int done = pcf_ebpf_label(g->e), llc = pcf_ebpf_label(g->e);

	direct_fixed(g, R_A, PCF_TYPE_OFF, 2);
	pcf_jump32_imm(g->e, BPF_JGE, R_A, 0x600, done);
	pcf_mov64_reg(g->e, BPF_REG_1, R_TYPE);
	pcf_alu64_imm(g->e, BPF_ADD, BPF_REG_1, PCF_ETH_HLEN + 2);
	pcf_jump_reg(g->e, BPF_JGT, BPF_REG_1, R_END, llc);
	pcf_load(g->e, BPF_H, BPF_REG_0, R_TYPE, PCF_ETH_HLEN);
	pcf_mov32_imm(g->e, R_A, 1);
	pcf_jump32_imm(g->e, BPF_JEQ, BPF_REG_0, 0xffff, done);
	pcf_ebpf_bind(g->e, llc);
	pcf_mov32_imm(g->e, R_A, 4);
	pcf_ebpf_bind(g->e, done);
}

static void direct_leave(struct pcf_gen *g)
{
	enter_tagged(g);
	for (unsigned i = 0; i < g->ncold; i++)
		emit_cold(g, &g->cold[i]);
	g->ncold = 0;
}

const struct pcf_access pcf_access_direct = {
	.enter = direct_enter,
	.ensure = direct_ensure,
	.fixed = direct_fixed,
	.indexed = direct_indexed,
	.len = direct_len,
	.tag = direct_tag,
	.protocol = direct_protocol,
	.pkttype = pcf_gen_pkttype,
	.leave = direct_leave,
};
