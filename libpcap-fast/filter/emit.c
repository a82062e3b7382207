/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Last pass of the compiler: nodes become eBPF. How the frame is reached is
 * behind g->access; arithmetic, branches and returns are here.
 */
#include "libpcap-fast/filter/gen.h"

static int scratch(const struct pcf_gen *g, const struct pcf_node *node)
{
	return g->env->stack + 4 * (int)node->k;
}

static void alu(struct pcf_gen *g, const struct pcf_node *node)
{
	if (!node->use_x) {
		pcf_alu32_imm(g->e, node->sub, R_A,
			      node->sub == BPF_NEG ? 0 : node->k);
		return;
	}
	if (node->sub == BPF_DIV || node->sub == BPF_MOD)
		pcf_jump32_imm(g->e, BPF_JEQ, R_X, 0, g->nomatch);
	pcf_alu32_reg(g->e, node->sub, R_A, R_X);
}

/* Where a jump to node i goes. */
static int target(const struct pcf_gen *g, uint32_t i)
{
	if (pcf_is_reject(&g->p->node[i]))
		return g->nomatch;
	return g->label[i];
}

static void jump_if(struct pcf_gen *g, const struct pcf_node *node, int op,
		    int label)
{
	if (node->use_x)
		pcf_jump32_reg(g->e, op, R_A, R_X, label);
	else
		pcf_jump32_imm(g->e, op, R_A, node->k, label);
}

/* The opposite of a comparison; BPF_JSET has none: 0. */
static int opposite(int op)
{
	switch (op) {
	case BPF_JEQ:
		return BPF_JNE;
	case BPF_JGT:
		return BPF_JLE;
	case BPF_JGE:
		return BPF_JLT;
	}
	return 0;
}

static void branch(struct pcf_gen *g, const struct pcf_node *node)
{
	const int yes = target(g, node->jt), no = target(g, node->jf);

	if (node->jt == node->next && opposite(node->sub)) {
		jump_if(g, node, opposite(node->sub), no);
		return;
	}
	jump_if(g, node, node->sub, yes);
	if (node->jf != node->next)
		pcf_ja(g->e, no);
}

static void emit_ret(struct pcf_gen *g, const struct pcf_node *node)
{
	if (pcf_is_reject(node)) {
		pcf_ja(g->e, g->nomatch);
		return;
	}
	if (node->op == PCF_RETA)
		pcf_jump32_imm(g->e, BPF_JEQ, R_A, 0, g->nomatch);
	else
		pcf_mov32_imm(g->e, R_A, node->k);
	pcf_ja(g->e, g->match);
}

static void queue(struct pcf_gen *g)
{
	/* skb->queue_mapping of a received packet: 0 is "not recorded" */
	pcf_load(g->e, BPF_W, R_A, R_CTX,
		 offsetof(struct xdp_md, rx_queue_index));
	pcf_alu32_imm(g->e, BPF_ADD, R_A, 1);
	pcf_alu32_imm(g->e, BPF_AND, R_A, 0xffff);
}

static void call(struct pcf_gen *g, int helper)
{
	pcf_call(g->e, helper);
	pcf_mov32_reg(g->e, R_A, BPF_REG_0);
}

static void emit_msh(struct pcf_gen *g, const struct pcf_node *node)
{
	g->access->fixed(g, R_X, node->k, 1);
	pcf_alu32_imm(g->e, BPF_AND, R_X, 15);
	pcf_alu32_imm(g->e, BPF_LSH, R_X, 2);
}

/* Loads of what is in or about the frame; false: it is no such node. */
static bool emit_load(struct pcf_gen *g, const struct pcf_node *node)
{
	switch (node->op) {
	case PCF_LOAD:
		g->access->fixed(g, R_A, node->k, node->size);
		return true;
	case PCF_LOAD_IND:
		g->access->indexed(g, node);
		return true;
	case PCF_LOAD_MSH:
		emit_msh(g, node);
		return true;
	case PCF_LEN:
		g->access->len(g, R_A);
		return true;
	case PCF_LENX:
		g->access->len(g, R_X);
		return true;
	case PCF_PROTOCOL:
		g->access->protocol(g);
		return true;
	case PCF_PKTTYPE:
		g->access->pkttype(g);
		return true;
	case PCF_TAG:
	case PCF_TAGGED:
	case PCF_TPID:
		g->access->tag(g, node->op);
		return true;
	case PCF_QUEUE:
		queue(g);
		return true;
	case PCF_RANDOM:
		call(g, BPF_FUNC_get_prandom_u32);
		return true;
	case PCF_CPU:
		call(g, BPF_FUNC_get_smp_processor_id);
		return true;
	}
	return false;
}

/* A switch over the rest of the opcodes. */
static void emit_plain(struct pcf_gen *g, const struct pcf_node *node)
{
	switch (node->op) {
	case PCF_IMM:
		pcf_mov32_imm(g->e, R_A, node->k);
		break;
	case PCF_IMMX:
		pcf_mov32_imm(g->e, R_X, node->k);
		break;
	case PCF_MEM:
		pcf_load(g->e, BPF_W, R_A, BPF_REG_10, scratch(g, node));
		break;
	case PCF_MEMX:
		pcf_load(g->e, BPF_W, R_X, BPF_REG_10, scratch(g, node));
		break;
	case PCF_STORE:
		pcf_store(g->e, BPF_W, BPF_REG_10, scratch(g, node), R_A);
		break;
	case PCF_STOREX:
		pcf_store(g->e, BPF_W, BPF_REG_10, scratch(g, node), R_X);
		break;
	case PCF_ALU:
		alu(g, node);
		break;
	case PCF_TAX:
		pcf_mov32_reg(g->e, R_X, R_A);
		break;
	case PCF_TXA:
		pcf_mov32_reg(g->e, R_A, R_X);
		break;
	case PCF_JUMP:
		if (node->jt != node->next)
			pcf_ja(g->e, target(g, node->jt));
		break;
	case PCF_BRANCH:
		branch(g, node);
		break;
	case PCF_RET:
	case PCF_RETA:
		emit_ret(g, node);
		break;
	}
}

static void emit_node(struct pcf_gen *g, unsigned i)
{
	const struct pcf_node *node = &g->p->node[i];

	if (!node->reachable)
		return;
	if (node->leader)
		pcf_ebpf_bind(g->e, g->label[i]);
	if (!pcf_is_reject(node))
		g->access->ensure(g, node);
	if (!emit_load(g, node))
		emit_plain(g, node);
}

void pcf_gen_program(struct pcf_gen *g)
{
	g->main = pcf_ebpf_label(g->e);
	g->tagged = pcf_ebpf_label(g->e);
	for (unsigned i = 0; i < g->p->n; i++)
		if (g->p->node[i].leader)
			g->label[i] = pcf_ebpf_label(g->e);
	g->access->enter(g);
	for (unsigned i = 0; i < g->p->n; i++)
		emit_node(g, i);
	g->access->leave(g);
}
