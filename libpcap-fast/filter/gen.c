/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pieces of code that both kinds of packet access emit. See gen.h for the
 * registers and the stack.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <string.h>

#include "libpcap-fast/filter/gen.h"

int pcf_gen_size(unsigned bytes)
{
	return bytes == 1 ? BPF_B : bytes == 2 ? BPF_H : BPF_W;
}

void pcf_gen_to_host(struct pcf_gen *g, int dst, unsigned size)
{
	if (size > 1)
		pcf_to_be(g->e, dst, size * 8);
}

void pcf_gen_load_ctx(struct pcf_gen *g)
{
	pcf_load(g->e, BPF_W, R_DATA, R_CTX, offsetof(struct xdp_md, data));
	pcf_load(g->e, BPF_W, R_END, R_CTX, offsetof(struct xdp_md, data_end));
}

void pcf_gen_zero(struct pcf_gen *g)
{
	if (g->p->zero & PCF_BIT_A)
		pcf_mov32_imm(g->e, R_A, 0);
	if (g->p->zero & PCF_BIT_X)
		pcf_mov32_imm(g->e, R_X, 0);
	for (unsigned i = 0; i < BPF_MEMWORDS; i++)
		if (g->p->zero & 1u << i)
			pcf_store_imm(g->e, BPF_W, BPF_REG_10,
				      g->env->stack + 4 * i, 0);
}

void pcf_gen_tag_test(struct pcf_gen *g)
{
	pcf_load(g->e, BPF_H, BPF_REG_0, R_DATA, PCF_TYPE_OFF);
	pcf_jump32_imm(g->e, BPF_JEQ, BPF_REG_0, htons(0x8100), g->tagged);
	pcf_jump32_imm(g->e, BPF_JEQ, BPF_REG_0, htons(0x88a8), g->tagged);
}

void pcf_gen_negative(struct pcf_gen *g, int reg)
{
	const int net = pcf_ebpf_label(g->e), done = pcf_ebpf_label(g->e);

	pcf_jump32_imm(g->e, BPF_JGE, reg, SKF_NET_OFF, net);
	pcf_jump32_imm(g->e, BPF_JLT, reg, SKF_LL_OFF, g->nomatch);
	pcf_alu32_imm(g->e, BPF_SUB, reg, SKF_LL_OFF);
	pcf_ja(g->e, done);
	pcf_ebpf_bind(g->e, net);
	pcf_alu32_imm(g->e, BPF_SUB, reg, SKF_NET_OFF - (int)PCF_ETH_HLEN);
	pcf_ebpf_bind(g->e, done);
}

/* Does the node's load at `off` have bytes on both sides of the tag? Then it
 * is one of size - 1 constant offsets, each with code of its own. */
void pcf_gen_straddle(struct pcf_gen *g, int reg, const struct pcf_node *node,
		      int done)
{
	for (uint32_t off = PCF_TYPE_OFF - node->size + 1; off < PCF_TYPE_OFF;
	     off++) {
		const struct pcf_node at = { .need = off + node->size };
		const int other = pcf_ebpf_label(g->e);

		if (off + 1 < PCF_TYPE_OFF)
			pcf_jump32_imm(g->e, BPF_JNE, reg, off, other);
		g->access->ensure(g, &at);
		g->access->fixed(g, R_A, off, node->size);
		pcf_ja(g->e, done);
		pcf_ebpf_bind(g->e, other);
	}
}

/* Compare the destination, in R1 (4 bytes) and R0 (2), with an address; if it
 * is equal, A = type and done. */
static void is_address(struct pcf_gen *g, const uint8_t mac[6], int type,
		       int done)
{
	const int other = pcf_ebpf_label(g->e);
	uint32_t head;
	uint16_t tail;

	memcpy(&head, mac, 4);
	memcpy(&tail, mac + 4, 2);
	pcf_mov32_imm(g->e, R_A, type);
	pcf_jump32_imm(g->e, BPF_JNE, BPF_REG_1, head, other);
	pcf_jump32_imm(g->e, BPF_JEQ, BPF_REG_0, tail, done);
	pcf_ebpf_bind(g->e, other);
}

/* A = the packet type; R_DATA and 14 bytes must be valid. */
void pcf_gen_pkttype(struct pcf_gen *g)
{
	static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };
	static const uint8_t group[4] = { 1 };
	const int done = pcf_ebpf_label(g->e);
	uint32_t group_bit;

	memcpy(&group_bit, group, 4);
	pcf_load(g->e, BPF_W, BPF_REG_1, R_DATA, 0);
	pcf_load(g->e, BPF_H, BPF_REG_0, R_DATA, 4);
	is_address(g, g->env->mac, PACKET_HOST, done);
	is_address(g, broadcast, PACKET_BROADCAST, done);
	pcf_mov32_imm(g->e, R_A, PACKET_MULTICAST);
	pcf_jump32_imm(g->e, BPF_JSET, BPF_REG_1, group_bit, done);
	pcf_mov32_imm(g->e, R_A, PACKET_OTHERHOST);
	pcf_ebpf_bind(g->e, done);
}
