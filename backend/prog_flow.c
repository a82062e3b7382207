/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flow hash as eBPF; see flow.c, which computes the same.
 *
 * Registers: R6 context, R7 seed; R9 where we are in the packet, R8 its end,
 * R5 the factor; R2 source side, R3 destination side, R4 protocol (0: none that
 * has ports); R0 and R1 for a moment.
 */
#include "backend/flow.h"

#include "backend/flow_defs.h"
#include "compat/ebpf.h"

#include <arpa/inet.h>
#include <stddef.h>

struct labels {
	int mac, ports, none, sides, done;
};

/* Go to `label` unless `n` more bytes are there. */
static void emit_has(struct pcf_ebpf *e, int n, int label)
{
	pcf_mov64_reg(e, BPF_REG_1, BPF_REG_9);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_1, n);
	pcf_jump_reg(e, BPF_JGT, BPF_REG_1, BPF_REG_8, label);
}

static void emit_mix(struct pcf_ebpf *e, int reg)
{
	pcf_alu64_reg(e, BPF_MUL, reg, BPF_REG_5);
	pcf_mov64_reg(e, BPF_REG_0, reg);
	pcf_alu64_imm(e, BPF_RSH, BPF_REG_0, 32);
	pcf_alu64_reg(e, BPF_XOR, reg, BPF_REG_0);
}

static void emit_begin(struct pcf_ebpf *e, const struct labels *l)
{
	pcf_mov64_imm(e, BPF_REG_0, 0);
	pcf_mov64_imm(e, BPF_REG_4, 0);
	pcf_load_imm64(e, BPF_REG_5, PCF_FLOW_FACTOR);
	pcf_load(e, BPF_W, BPF_REG_9, BPF_REG_6, offsetof(struct xdp_md, data));
	pcf_load(e, BPF_W, BPF_REG_8, BPF_REG_6,
		 offsetof(struct xdp_md, data_end));
	emit_has(e, 14, l->done);
}

/* R3 = the type behind the VLAN tags, R9 behind it. */
static void emit_type(struct pcf_ebpf *e, const struct labels *l)
{
	int untagged = pcf_ebpf_label(e);

	pcf_load(e, BPF_H, BPF_REG_3, BPF_REG_9, 12);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_9, 14);
	for (int i = 0; i < PCF_FLOW_TAGS; i++) {
		int tagged = pcf_ebpf_label(e);

		pcf_jump_imm(e, BPF_JEQ, BPF_REG_3, htons(0x8100), tagged);
		pcf_jump_imm(e, BPF_JNE, BPF_REG_3, htons(0x88a8), untagged);
		pcf_ebpf_bind(e, tagged);
		emit_has(e, 4, l->mac);
		pcf_load(e, BPF_H, BPF_REG_3, BPF_REG_9, 2);
		pcf_alu64_imm(e, BPF_ADD, BPF_REG_9, 4);
	}
	pcf_ebpf_bind(e, untagged);
}

static void emit_ipv4(struct pcf_ebpf *e, const struct labels *l)
{
	int fragment = pcf_ebpf_label(e);

	emit_has(e, 20, l->mac);
	pcf_load(e, BPF_B, BPF_REG_1, BPF_REG_9, 0);
	pcf_alu64_imm(e, BPF_SUB, BPF_REG_1, 0x45);
	pcf_jump_imm(e, BPF_JGT, BPF_REG_1, 10, l->mac);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_1, 5);
	pcf_alu64_imm(e, BPF_LSH, BPF_REG_1, 2);
	pcf_load(e, BPF_W, BPF_REG_2, BPF_REG_9, 12);
	pcf_load(e, BPF_W, BPF_REG_3, BPF_REG_9, 16);
	pcf_alu64_reg(e, BPF_XOR, BPF_REG_2, BPF_REG_7);
	pcf_alu64_reg(e, BPF_XOR, BPF_REG_3, BPF_REG_7);
	pcf_load(e, BPF_H, BPF_REG_0, BPF_REG_9, 6);
	pcf_alu64_imm(e, BPF_AND, BPF_REG_0, htons(0x3fff));
	pcf_jump_imm(e, BPF_JNE, BPF_REG_0, 0, fragment);
	pcf_load(e, BPF_B, BPF_REG_4, BPF_REG_9, 9);
	pcf_ebpf_bind(e, fragment);
	pcf_alu64_reg(e, BPF_ADD, BPF_REG_9, BPF_REG_1);
	pcf_ja(e, l->ports);
}

static void emit_address(struct pcf_ebpf *e, int reg, int at)
{
	pcf_load(e, BPF_DW, reg, BPF_REG_9, at);
	pcf_alu64_reg(e, BPF_XOR, reg, BPF_REG_7);
	emit_mix(e, reg);
	pcf_load(e, BPF_DW, BPF_REG_0, BPF_REG_9, at + 8);
	pcf_alu64_reg(e, BPF_ADD, reg, BPF_REG_0);
}

/* One extension header: R4 = the type of what follows it. */
static void emit_extension(struct pcf_ebpf *e, const struct labels *l)
{
	int options = pcf_ebpf_label(e), fragment = pcf_ebpf_label(e);
	int auth = pcf_ebpf_label(e), next = pcf_ebpf_label(e);

	pcf_jump_imm(e, BPF_JEQ, BPF_REG_4, IP6_FRAGMENT, fragment);
	pcf_jump_imm(e, BPF_JEQ, BPF_REG_4, IP6_AUTH, auth);
	pcf_jump_imm(e, BPF_JEQ, BPF_REG_4, IP6_HOPS, options);
	pcf_jump_imm(e, BPF_JEQ, BPF_REG_4, IP6_ROUTING, options);
	pcf_jump_imm(e, BPF_JNE, BPF_REG_4, IP6_OPTIONS, l->ports);
	pcf_ebpf_bind(e, options);
	emit_has(e, 8, l->none);
	pcf_load(e, BPF_B, BPF_REG_0, BPF_REG_9, 1);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_0, 1);
	pcf_alu64_imm(e, BPF_LSH, BPF_REG_0, 3);
	pcf_ja(e, next);
	pcf_ebpf_bind(e, auth);
	emit_has(e, 8, l->none);
	pcf_load(e, BPF_B, BPF_REG_0, BPF_REG_9, 1);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_0, 2);
	pcf_alu64_imm(e, BPF_LSH, BPF_REG_0, 2);
	pcf_ja(e, next);
	pcf_ebpf_bind(e, fragment);
	emit_has(e, 8, l->none);
	pcf_load(e, BPF_H, BPF_REG_0, BPF_REG_9, 2);
	pcf_alu64_imm(e, BPF_AND, BPF_REG_0, htons(0xfff9));
	pcf_jump_imm(e, BPF_JNE, BPF_REG_0, 0, l->none);
	pcf_mov64_imm(e, BPF_REG_0, 8);
	pcf_ebpf_bind(e, next);
	pcf_load(e, BPF_B, BPF_REG_4, BPF_REG_9, 0);
	pcf_alu64_reg(e, BPF_ADD, BPF_REG_9, BPF_REG_0);
}

static void emit_ipv6(struct pcf_ebpf *e, const struct labels *l)
{
	emit_has(e, 40, l->mac);
	emit_address(e, BPF_REG_2, 8);
	emit_address(e, BPF_REG_3, 24);
	pcf_load(e, BPF_B, BPF_REG_4, BPF_REG_9, 6);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_9, 40);
	for (int i = 0; i < PCF_FLOW_EXTENSIONS; i++)
		emit_extension(e, l);
	pcf_ja(e, l->none);
}

static void emit_port(struct pcf_ebpf *e, int reg, int at)
{
	pcf_load(e, BPF_H, BPF_REG_0, BPF_REG_9, at);
	pcf_alu64_imm(e, BPF_LSH, BPF_REG_0, 32);
	pcf_alu64_reg(e, BPF_XOR, reg, BPF_REG_0);
}

static void emit_ports(struct pcf_ebpf *e, const struct labels *l)
{
	int have = pcf_ebpf_label(e);

	pcf_ebpf_bind(e, l->ports);
	pcf_jump_imm(e, BPF_JEQ, BPF_REG_4, IP_TCP, have);
	pcf_jump_imm(e, BPF_JEQ, BPF_REG_4, IP_UDP, have);
	pcf_jump_imm(e, BPF_JNE, BPF_REG_4, IP_SCTP, l->none);
	pcf_ebpf_bind(e, have);
	emit_has(e, 4, l->none);
	emit_port(e, BPF_REG_2, 0);
	emit_port(e, BPF_REG_3, 2);
	pcf_ja(e, l->sides);
	pcf_ebpf_bind(e, l->none);
	pcf_mov64_imm(e, BPF_REG_4, 0);
	pcf_ja(e, l->sides);
}

static void emit_mac(struct pcf_ebpf *e, int reg, int at)
{
	pcf_load(e, BPF_W, reg, BPF_REG_9, at);
	pcf_load(e, BPF_H, BPF_REG_0, BPF_REG_9, at + 4);
	pcf_alu64_imm(e, BPF_LSH, BPF_REG_0, 32);
	pcf_alu64_reg(e, BPF_XOR, reg, BPF_REG_0);
	pcf_alu64_reg(e, BPF_XOR, reg, BPF_REG_7);
}

static void emit_macs(struct pcf_ebpf *e, const struct labels *l)
{
	pcf_ebpf_bind(e, l->mac);
	pcf_mov64_imm(e, BPF_REG_0, 0);
	pcf_mov64_imm(e, BPF_REG_4, 0);
	pcf_load(e, BPF_W, BPF_REG_9, BPF_REG_6, offsetof(struct xdp_md, data));
	emit_has(e, 14, l->done);
	emit_mac(e, BPF_REG_2, 6);
	emit_mac(e, BPF_REG_3, 0);
}

void pcf_flow_emit(struct pcf_ebpf *e)
{
	struct labels l = { pcf_ebpf_label(e), pcf_ebpf_label(e),
			    pcf_ebpf_label(e), pcf_ebpf_label(e),
			    pcf_ebpf_label(e) };
	int ipv4 = pcf_ebpf_label(e), ipv6 = pcf_ebpf_label(e);

	emit_begin(e, &l);
	emit_type(e, &l);
	pcf_jump_imm(e, BPF_JEQ, BPF_REG_3, htons(0x0800), ipv4);
	pcf_jump_imm(e, BPF_JEQ, BPF_REG_3, htons(0x86dd), ipv6);
	emit_macs(e, &l);
	pcf_ebpf_bind(e, l.sides);
	emit_mix(e, BPF_REG_2);
	emit_mix(e, BPF_REG_3);
	pcf_alu64_reg(e, BPF_ADD, BPF_REG_2, BPF_REG_3);
	pcf_alu64_reg(e, BPF_ADD, BPF_REG_2, BPF_REG_4);
	pcf_alu64_reg(e, BPF_MUL, BPF_REG_2, BPF_REG_5);
	pcf_mov64_reg(e, BPF_REG_0, BPF_REG_2);
	pcf_ja(e, l.done);
	pcf_ebpf_bind(e, ipv4);
	emit_ipv4(e, &l);
	pcf_ebpf_bind(e, ipv6);
	emit_ipv6(e, &l);
	emit_ports(e, &l);
	pcf_ebpf_bind(e, l.done);
}
