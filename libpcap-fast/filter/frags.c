/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packet access by helper calls, for frames in several pieces. The helpers
 * check the length themselves; what they refuse is no match.
 *
 * The Ethernet header and a tag always lie in the first piece: only a driver
 * that splits headers at less than 20 bytes could make this wrong, and there
 * is none.
 */
#include "libpcap-fast/filter/gen.h"

static int slot(const struct pcf_gen *g, int offset)
{
	return g->env->stack + offset;
}

/* Only frames that really have pieces get past here: for others the verdict of
 * the direct version, which gave up, stands. */
static void want_frags(struct pcf_gen *g, int go)
{
	pcf_jump_imm(g->e, BPF_JGT, BPF_REG_0, PCF_FRAME_END, go);
	pcf_mov64_reg(g->e, BPF_REG_1, R_DATA);
	pcf_alu64_reg(g->e, BPF_ADD, BPF_REG_1, BPF_REG_0);
	pcf_jump_reg(g->e, BPF_JLE, BPF_REG_1, R_END, g->nomatch);
}

/* R_DATA with a whole Ethernet header behind it. */
static void header(struct pcf_gen *g)
{
	pcf_gen_load_ctx(g);
	pcf_mov64_reg(g->e, BPF_REG_1, R_DATA);
	pcf_alu64_imm(g->e, BPF_ADD, BPF_REG_1, PCF_ETH_HLEN);
	pcf_jump_reg(g->e, BPF_JGT, BPF_REG_1, R_END, g->nomatch);
}

static void frags_enter(struct pcf_gen *g)
{
	const int go = pcf_ebpf_label(g->e);

	pcf_mov64_reg(g->e, BPF_REG_1, R_CTX);
	pcf_call(g->e, BPF_FUNC_xdp_get_buff_len);
	pcf_store(g->e, BPF_W, BPF_REG_10, slot(g, STACK_LEN), BPF_REG_0);
	header(g);
	if (!g->p->uses_call)
		want_frags(g, go);
	pcf_ebpf_bind(g->e, go);
	pcf_store_imm(g->e, BPF_DW, BPF_REG_10, slot(g, STACK_SHIFT), 0);
	pcf_gen_zero(g);
	pcf_gen_tag_test(g);
	pcf_ebpf_bind(g->e, g->main);
}

static void frags_leave(struct pcf_gen *g)
{
	pcf_ebpf_bind(g->e, g->tagged);
	pcf_load(g->e, BPF_W, BPF_REG_0, BPF_REG_10, slot(g, STACK_LEN));
	pcf_jump_imm(g->e, BPF_JLT, BPF_REG_0, PCF_TAGGED_MIN, g->nomatch);
	pcf_store_imm(g->e, BPF_DW, BPF_REG_10, slot(g, STACK_SHIFT),
		      PCF_TAG_LEN);
	pcf_ja(g->e, g->main);
}

static void frags_ensure(struct pcf_gen *g, const struct pcf_node *node)
{
	(void)g;
	(void)node;
}

/* Copy `size` bytes at inline offset R2 to the bytes on the stack. */
static void copy(struct pcf_gen *g, unsigned at, unsigned size, int missing)
{
	pcf_mov64_reg(g->e, BPF_REG_1, R_CTX);
	pcf_mov64_reg(g->e, BPF_REG_3, BPF_REG_10);
	pcf_alu64_imm(g->e, BPF_ADD, BPF_REG_3, slot(g, STACK_BYTES + at));
	pcf_mov32_imm(g->e, BPF_REG_4, size);
	pcf_call(g->e, BPF_FUNC_xdp_load_bytes);
	pcf_jump_imm(g->e, BPF_JNE, BPF_REG_0, 0, missing);
}

/* R2 = inline offset of a virtual one. */
static void offset(struct pcf_gen *g, uint32_t off)
{
	if (off < PCF_TYPE_OFF) {
		pcf_mov32_imm(g->e, BPF_REG_2, off);
		return;
	}
	pcf_load(g->e, BPF_DW, BPF_REG_2, BPF_REG_10, slot(g, STACK_SHIFT));
	pcf_alu64_imm(g->e, BPF_ADD, BPF_REG_2, off);
}

static void take(struct pcf_gen *g, int dst, unsigned size)
{
	pcf_load(g->e, pcf_gen_size(size), dst, BPF_REG_10,
		 slot(g, STACK_BYTES));
	pcf_gen_to_host(g, dst, size);
}

static void frags_fixed(struct pcf_gen *g, int dst, uint32_t off, unsigned size)
{
	unsigned head = 0;

	if (off < PCF_TYPE_OFF && off + size > PCF_TYPE_OFF) {
		head = PCF_TYPE_OFF - off;
		offset(g, off);
		copy(g, 0, head, g->nomatch);
	}
	offset(g, off + head);
	copy(g, head, size - head, g->nomatch);
	take(g, dst, size);
}

static void frags_indexed(struct pcf_gen *g, const struct pcf_node *node)
{
	const int positive = pcf_ebpf_label(g->e);
	const int low = pcf_ebpf_label(g->e), call = pcf_ebpf_label(g->e);
	const int done = pcf_ebpf_label(g->e);

	pcf_mov32_imm(g->e, BPF_REG_2, node->k);
	pcf_alu32_reg(g->e, BPF_ADD, BPF_REG_2, R_X);
	pcf_jump32_imm(g->e, BPF_JSGE, BPF_REG_2, 0, positive);
	pcf_gen_negative(g, BPF_REG_2);
	pcf_ebpf_bind(g->e, positive);
	pcf_jump_imm(g->e, BPF_JLT, BPF_REG_2, PCF_TYPE_OFF, low);
	pcf_load(g->e, BPF_DW, BPF_REG_1, BPF_REG_10, slot(g, STACK_SHIFT));
	pcf_alu64_reg(g->e, BPF_ADD, BPF_REG_2, BPF_REG_1);
	pcf_ja(g->e, call);

	pcf_ebpf_bind(g->e, low);
	pcf_jump_imm(g->e, BPF_JLE, BPF_REG_2, PCF_TYPE_OFF - node->size, call);
	pcf_gen_straddle(g, BPF_REG_2, node, done);

	pcf_ebpf_bind(g->e, call);
	copy(g, 0, node->size, g->nomatch);
	take(g, R_A, node->size);
	pcf_ebpf_bind(g->e, done);
}

static void frags_len(struct pcf_gen *g, int dst)
{
	pcf_load(g->e, BPF_W, dst, BPF_REG_10, slot(g, STACK_LEN));
	pcf_load(g->e, BPF_DW, BPF_REG_1, BPF_REG_10, slot(g, STACK_SHIFT));
	pcf_alu32_reg(g->e, BPF_SUB, dst, BPF_REG_1);
}

static void frags_tag(struct pcf_gen *g, int op)
{
	const int done = pcf_ebpf_label(g->e);

	pcf_load(g->e, BPF_DW, R_A, BPF_REG_10, slot(g, STACK_SHIFT));
	if (op == PCF_TAGGED) {
		pcf_alu32_imm(g->e, BPF_RSH, R_A, 2);
	} else {
		pcf_jump32_imm(g->e, BPF_JEQ, R_A, 0, done);
		pcf_mov32_imm(g->e, BPF_REG_2, op == PCF_TPID ? 12 : 14);
		copy(g, 0, 2, g->nomatch);
		take(g, R_A, 2);
	}
	pcf_ebpf_bind(g->e, done);
}

static void frags_protocol(struct pcf_gen *g)
{
	const int done = pcf_ebpf_label(g->e), llc = pcf_ebpf_label(g->e);

	frags_fixed(g, R_A, PCF_TYPE_OFF, 2);
	pcf_jump32_imm(g->e, BPF_JGE, R_A, 0x600, done);
	offset(g, PCF_ETH_HLEN);
	copy(g, 0, 2, llc);
	take(g, BPF_REG_0, 2);
	pcf_mov32_imm(g->e, R_A, 1);
	pcf_jump32_imm(g->e, BPF_JEQ, BPF_REG_0, 0xffff, done);
	pcf_ebpf_bind(g->e, llc);
	pcf_mov32_imm(g->e, R_A, 4);
	pcf_ebpf_bind(g->e, done);
}

static void frags_pkttype(struct pcf_gen *g)
{
	header(g);
	pcf_gen_pkttype(g);
}

const struct pcf_access pcf_access_frags = {
	.enter = frags_enter,
	.ensure = frags_ensure,
	.fixed = frags_fixed,
	.indexed = frags_indexed,
	.len = frags_len,
	.tag = frags_tag,
	.protocol = frags_protocol,
	.pkttype = frags_pkttype,
	.leave = frags_leave,
};
