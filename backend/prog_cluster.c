/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program of a cluster: finds the member whose packet it is and calls its
 * program; one that is not there leaves the packet to the host.
 *
 * Registers: R6 context, R7 the packet's bucket, R8 what is in it, R9 the
 * member whose turn it is.
 */
#include "backend/cluster.h"
#include "backend/flow.h"
#include "backend/prog.h"
#include "compat/ebpf.h"

#include <stddef.h>

#define TABLE(field) offsetof(struct pcf_cluster_table, field)
#define HEIRS	     8

/* On the stack. */
#define KEY (-4)

static void emit_atomic(struct pcf_ebpf *e, int op, int dst, int src)
{
	pcf_ebpf_emit(e,
		      (struct bpf_insn){ .code = BPF_STX | BPF_ATOMIC | BPF_DW,
					 .dst_reg = dst,
					 .src_reg = src,
					 .imm = op });
}

static void emit_bucket(struct pcf_ebpf *e, const struct pcf_cluster *c)
{
	pcf_load_map_value(e, BPF_REG_7, c->table_map, TABLE(seed));
	pcf_load(e, BPF_DW, BPF_REG_7, BPF_REG_7, 0);
	pcf_flow_emit(e);
	pcf_alu64_imm(e, BPF_RSH, BPF_REG_0, 64 - PCF_CLUSTER_BITS);
	pcf_alu64_imm(e, BPF_LSH, BPF_REG_0, 3);
	pcf_load_map_value(e, BPF_REG_7, c->table_map, TABLE(bucket));
	pcf_alu64_reg(e, BPF_ADD, BPF_REG_7, BPF_REG_0);
	pcf_load(e, BPF_DW, BPF_REG_8, BPF_REG_7, 0);
}

/* R9 = whose turn it is; to `alive` if it lives. */
static void emit_turn(struct pcf_ebpf *e, const struct pcf_cluster *c,
		      int alive, int pass)
{
	pcf_mov64_reg(e, BPF_REG_9, BPF_REG_8);
	pcf_alu64_imm(e, BPF_AND, BPF_REG_9, 0xff);
	pcf_jump_imm(e, BPF_JGE, BPF_REG_9, PCF_MEMBERS, pass);
	pcf_store(e, BPF_W, BPF_REG_10, KEY, BPF_REG_9);
	pcf_load_map_fd(e, BPF_REG_1, c->living_map);
	pcf_mov64_reg(e, BPF_REG_2, BPF_REG_10);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_2, KEY);
	pcf_call(e, BPF_FUNC_map_lookup_elem);
	pcf_jump_imm(e, BPF_JNE, BPF_REG_0, 0, alive);
}

/* R9 is dead: say so, and let its heirs move up. If somebody has changed the
 * bucket meanwhile, go by that. */
static void emit_inherit(struct pcf_ebpf *e, const struct pcf_cluster *c)
{
	int changed = pcf_ebpf_label(e);

	pcf_mov64_imm(e, BPF_REG_1, 1);
	pcf_alu64_reg(e, BPF_LSH, BPF_REG_1, BPF_REG_9);
	pcf_load_map_value(e, BPF_REG_2, c->table_map, TABLE(gone));
	emit_atomic(e, BPF_OR, BPF_REG_2, BPF_REG_1);
	pcf_load_imm64(e, BPF_REG_3, (uint64_t)PCF_NOBODY << 56);
	pcf_mov64_reg(e, BPF_REG_1, BPF_REG_8);
	pcf_alu64_imm(e, BPF_RSH, BPF_REG_1, 8);
	pcf_alu64_reg(e, BPF_OR, BPF_REG_3, BPF_REG_1);
	pcf_mov64_reg(e, BPF_REG_0, BPF_REG_8);
	emit_atomic(e, BPF_CMPXCHG, BPF_REG_7, BPF_REG_3);
	pcf_mov64_reg(e, BPF_REG_1, BPF_REG_8);
	pcf_mov64_reg(e, BPF_REG_8, BPF_REG_0);
	pcf_jump_reg(e, BPF_JNE, BPF_REG_0, BPF_REG_1, changed);
	pcf_mov64_reg(e, BPF_REG_8, BPF_REG_3);
	pcf_ebpf_bind(e, changed);
}

/* Behind a tail call that fails, the member takes nothing now. */
static void emit_call(struct pcf_ebpf *e, const struct pcf_cluster *c)
{
	pcf_mov64_reg(e, BPF_REG_1, BPF_REG_6);
	pcf_load_map_fd(e, BPF_REG_2, c->root->slots);
	pcf_mov64_reg(e, BPF_REG_3, BPF_REG_9);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_3, PCF_SLOT_MEMBER);
	pcf_call(e, BPF_FUNC_tail_call);
}

static void emit_program(struct pcf_ebpf *e, const struct pcf_cluster *c)
{
	int alive = pcf_ebpf_label(e), pass = pcf_ebpf_label(e);

	pcf_mov64_reg(e, BPF_REG_6, BPF_REG_1);
	emit_bucket(e, c);
	for (int i = 0; i < HEIRS; i++) {
		emit_turn(e, c, alive, pass);
		emit_inherit(e, c);
	}
	pcf_ja(e, pass);
	pcf_ebpf_bind(e, alive);
	emit_call(e, c);
	pcf_ebpf_bind(e, pass);
	pcf_mov64_imm(e, BPF_REG_0, XDP_PASS);
	pcf_exit(e);
}

int pcf_prog_cluster(const struct pcf_cluster *c, char *why, size_t size)
{
	struct pcf_ebpf e;
	int fd;

	pcf_ebpf_init(&e);
	emit_program(&e, c);
	fd = pcf_prog_load(&e, "pcf_cluster", why, size);
	pcf_ebpf_free(&e);
	return fd;
}
