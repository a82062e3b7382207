/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of a program that asks the driver about a packet; see hints.h. */
#include "backend/hints.h"

#include "compat/ebpf.h"

_Static_assert(sizeof(struct pcf_hints) == PCF_HINTS_SIZE, "hints layout");

#define HINT(field) (int)offsetof(struct pcf_hints, field)

/* On the stack. */
#define HINTS (-56)
#define TYPE  (-64)

static void emit_address(struct pcf_ebpf *e, int dst, int at)
{
	pcf_mov64_reg(e, dst, BPF_REG_10);
	pcf_alu64_imm(e, BPF_ADD, dst, at);
}

/* What a driver may have written before it gave up does not count. */
static void emit_time(struct pcf_ebpf *e, int32_t kfunc)
{
	int there = pcf_ebpf_label(e);

	pcf_mov64_reg(e, BPF_REG_1, BPF_REG_6);
	emit_address(e, BPF_REG_2, HINTS + HINT(time));
	pcf_call_kfunc(e, kfunc);
	pcf_jump32_imm(e, BPF_JEQ, BPF_REG_0, 0, there);
	pcf_store_imm(e, BPF_DW, BPF_REG_10, HINTS + HINT(time), 0);
	pcf_ebpf_bind(e, there);
}

/* A hash of no type is none: virtio_net says so of a device that steers by hash
 * but reports none, and puts other bytes in its place. */
static void emit_hash(struct pcf_ebpf *e, int32_t kfunc)
{
	int none = pcf_ebpf_label(e);

	pcf_mov64_reg(e, BPF_REG_1, BPF_REG_6);
	emit_address(e, BPF_REG_2, HINTS + HINT(hash));
	emit_address(e, BPF_REG_3, TYPE);
	pcf_call_kfunc(e, kfunc);
	pcf_jump32_imm(e, BPF_JNE, BPF_REG_0, 0, none);
	pcf_load(e, BPF_W, BPF_REG_1, BPF_REG_10, TYPE);
	pcf_jump32_imm(e, BPF_JEQ, BPF_REG_1, 0, none);
	pcf_store_imm(e, BPF_W, BPF_REG_10, HINTS + HINT(has_hash), 1);
	pcf_ebpf_bind(e, none);
}

void pcf_hints_ask(struct pcf_ebpf *e, const struct pcf_hints_env *env)
{
	pcf_store_imm(e, BPF_DW, BPF_REG_10, TYPE, 0);
	pcf_store_imm(e, BPF_DW, BPF_REG_10, HINTS, 0);
	pcf_store_imm(e, BPF_DW, BPF_REG_10, HINTS + 8, 0);
	if (env->time)
		emit_time(e, env->time);
	if (env->hash)
		emit_hash(e, env->hash);
}

void pcf_hints_store(struct pcf_ebpf *e, int base, int off)
{
	for (int i = 0; i < PCF_HINTS_SIZE; i += 8) {
		pcf_load(e, BPF_DW, BPF_REG_1, BPF_REG_10, HINTS + i);
		pcf_store(e, BPF_DW, base, off + i, BPF_REG_1);
	}
}
