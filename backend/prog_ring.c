/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program of a mirror: copies what matches into the ring and goes on to
 * the next slot, and at last to the host, with every packet.
 *
 * Registers: R6 context and R8 RX queue, both kept by the filter; R7 the bytes
 * to keep, from the filter; R9 the queue's struct pcf_ring_ctl.
 */
#include "backend/prog.h"
#include "backend/ring.h"
#include "backend/root.h"
#include "compat/ebpf.h"
#include "compat/kernel.h"

#include <stddef.h>

_Static_assert(sizeof(struct pcf_ring_ctl) == 128, "two cache lines");
#define CTL_SHIFT 7

#define CTL(field) offsetof(struct pcf_ring_ctl, field)
#define SLOT(field) offsetof(struct pcf_ring_slot, field)

/* On the stack, once the filter is done with it. */
#define KEY (-4)
#define SLOT_POINTER (-16)
#define PRODUCED (-24)

struct labels {
	int match, full, next, no_cut;
};

static void emit_add(struct pcf_ebpf *e, int offset)
{
	pcf_load(e, BPF_DW, BPF_REG_1, BPF_REG_9, offset);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_1, 1);
	pcf_store(e, BPF_DW, BPF_REG_9, offset, BPF_REG_1);
}

/* R9 = this queue's control block; one more matched; is there room? */
static void emit_room(struct pcf_ebpf *e, const struct pcf_ring_env *env,
		      const struct labels *l)
{
	pcf_load_map_value(e, BPF_REG_9, env->ctl_map, 0);
	pcf_mov64_reg(e, BPF_REG_1, BPF_REG_8);
	pcf_alu64_imm(e, BPF_LSH, BPF_REG_1, CTL_SHIFT);
	pcf_alu64_reg(e, BPF_ADD, BPF_REG_9, BPF_REG_1);
	emit_add(e, CTL(matched));
	pcf_load(e, BPF_DW, BPF_REG_1, BPF_REG_9, CTL(produced));
	pcf_store(e, BPF_DW, BPF_REG_10, PRODUCED, BPF_REG_1);
	pcf_load(e, BPF_DW, BPF_REG_2, BPF_REG_9, CTL(consumed));
	pcf_mov64_reg(e, BPF_REG_3, BPF_REG_1);
	pcf_alu64_reg(e, BPF_SUB, BPF_REG_3, BPF_REG_2);
	pcf_jump_imm(e, BPF_JGE, BPF_REG_3, env->nslots, l->full);
}

/* The slot of the packet: queue * nslots + produced % nslots. */
static void emit_slot(struct pcf_ebpf *e, const struct pcf_ring_env *env,
		      const struct labels *l)
{
	pcf_alu64_imm(e, BPF_AND, BPF_REG_1, env->nslots - 1);
	pcf_mov64_reg(e, BPF_REG_2, BPF_REG_8);
	pcf_alu64_imm(e, BPF_MUL, BPF_REG_2, env->nslots);
	pcf_alu64_reg(e, BPF_ADD, BPF_REG_1, BPF_REG_2);
	pcf_store(e, BPF_W, BPF_REG_10, KEY, BPF_REG_1);
	pcf_load_map_fd(e, BPF_REG_1, env->slots_map);
	pcf_mov64_reg(e, BPF_REG_2, BPF_REG_10);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_2, KEY);
	pcf_call(e, BPF_FUNC_map_lookup_elem);
	pcf_jump_imm(e, BPF_JEQ, BPF_REG_0, 0, l->full);
	pcf_store(e, BPF_DW, BPF_REG_10, SLOT_POINTER, BPF_REG_0);
	pcf_store_imm(e, BPF_W, BPF_REG_0, SLOT(epoch), env->epoch);
	pcf_store(e, BPF_W, BPF_REG_0, SLOT(keep), BPF_REG_7);
	pcf_call(e, BPF_FUNC_ktime_get_tai_ns);
	pcf_load(e, BPF_DW, BPF_REG_1, BPF_REG_10, SLOT_POINTER);
	pcf_store(e, BPF_DW, BPF_REG_1, SLOT(time), BPF_REG_0);
}

/* R4 = how much to copy: the packet, but no more than the filter keeps (which
 * counts without a VLAN tag) and the slot holds. */
static void emit_copy(struct pcf_ebpf *e, const struct pcf_ring_env *env,
		      const struct labels *l)
{
	int fits = pcf_ebpf_label(e);

	pcf_mov64_reg(e, BPF_REG_1, BPF_REG_6);
	pcf_call(e, BPF_FUNC_xdp_get_buff_len);
	pcf_mov64_reg(e, BPF_REG_4, BPF_REG_0);
	pcf_load(e, BPF_DW, BPF_REG_3, BPF_REG_10, SLOT_POINTER);
	pcf_store(e, BPF_W, BPF_REG_3, SLOT(len), BPF_REG_4);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_7, 4);
	pcf_jump_reg(e, BPF_JLE, BPF_REG_4, BPF_REG_7, l->no_cut);
	pcf_mov64_reg(e, BPF_REG_4, BPF_REG_7);
	pcf_ebpf_bind(e, l->no_cut);
	pcf_jump_imm(e, BPF_JLE, BPF_REG_4, env->data_size, fits);
	pcf_mov64_imm(e, BPF_REG_4, env->data_size);
	pcf_ebpf_bind(e, fits);
	pcf_jump_imm(e, BPF_JLT, BPF_REG_4, 1, l->full);
	pcf_store(e, BPF_W, BPF_REG_3, SLOT(caplen), BPF_REG_4);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_3, SLOT(data));
	pcf_mov64_reg(e, BPF_REG_1, BPF_REG_6);
	pcf_mov64_imm(e, BPF_REG_2, 0);
	pcf_call(e, BPF_FUNC_xdp_load_bytes);
	pcf_jump_imm(e, BPF_JNE, BPF_REG_0, 0, l->full);
}

/*
 * The exchange is a full barrier: the slot is whole before it is published,
 * and published before `sleeping` is looked at. The reader sets `sleeping` and
 * then looks at `produced`, so one of the two sees the other.
 */
static void emit_publish(struct pcf_ebpf *e, const struct pcf_ring_env *env,
			 const struct labels *l)
{
	pcf_load(e, BPF_DW, BPF_REG_1, BPF_REG_10, PRODUCED);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_1, 1);
	pcf_ebpf_emit(e, (struct bpf_insn){
				 .code = BPF_STX | BPF_ATOMIC | BPF_DW,
				 .dst_reg = BPF_REG_9,
				 .src_reg = BPF_REG_1,
				 .off = CTL(produced),
				 .imm = BPF_XCHG });
	pcf_load(e, BPF_DW, BPF_REG_1, BPF_REG_9, CTL(sleeping));
	pcf_jump_imm(e, BPF_JEQ, BPF_REG_1, 0, l->next);
	pcf_store_imm(e, BPF_DW, BPF_REG_9, CTL(sleeping), 0);
	pcf_load_map_fd(e, BPF_REG_1, env->wake_map);
	pcf_mov64_reg(e, BPF_REG_2, BPF_REG_10);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_2, PRODUCED);
	pcf_mov64_imm(e, BPF_REG_3, 8);
	pcf_mov64_imm(e, BPF_REG_4, BPF_RB_FORCE_WAKEUP);
	pcf_call(e, BPF_FUNC_ringbuf_output);
	pcf_ja(e, l->next);
}

static void emit_next(struct pcf_ebpf *e, const struct pcf_ring_env *env)
{
	for (unsigned i = env->own_slot + 1; i < PCF_SLOTS; i++) {
		pcf_mov64_reg(e, BPF_REG_1, BPF_REG_6);
		pcf_load_map_fd(e, BPF_REG_2, env->root_slots);
		pcf_mov64_imm(e, BPF_REG_3, i);
		pcf_call(e, BPF_FUNC_tail_call);
	}
	pcf_mov64_imm(e, BPF_REG_0, XDP_PASS);
	pcf_exit(e);
}

static int emit_program(struct pcf_ebpf *e, const struct pcf_ring_env *env,
			pcf_emit_filter emit, void *arg, char *why, size_t size)
{
	struct labels l = { pcf_ebpf_label(e), pcf_ebpf_label(e),
			    pcf_ebpf_label(e), pcf_ebpf_label(e) };
	int err = 0;

	pcf_mov64_reg(e, BPF_REG_6, BPF_REG_1);
	pcf_load(e, BPF_W, BPF_REG_8, BPF_REG_6,
		 offsetof(struct xdp_md, rx_queue_index));
	pcf_jump_imm(e, BPF_JGE, BPF_REG_8, env->rx_queues, l.next);
	for (unsigned i = 0; i < env->rx_queues; i++)
		if (!(env->queue_mask[i / 64] >> i % 64 & 1))
			pcf_jump_imm(e, BPF_JEQ, BPF_REG_8, i, l.next);
	if (emit)
		err = emit(arg, e, l.match, l.next, why, size);
	else
		pcf_mov32_imm(e, BPF_REG_7, -1);
	pcf_ebpf_bind(e, l.match);
	emit_room(e, env, &l);
	emit_slot(e, env, &l);
	emit_copy(e, env, &l);
	emit_publish(e, env, &l);
	pcf_ebpf_bind(e, l.full);
	emit_add(e, CTL(dropped));
	pcf_ebpf_bind(e, l.next);
	emit_next(e, env);
	return err;
}

int pcf_prog_mirror(const struct pcf_ring_env *env, pcf_emit_filter emit,
		    void *arg, char *why, size_t size)
{
	struct pcf_ebpf e;
	int err;

	pcf_ebpf_init(&e);
	err = emit_program(&e, env, emit, arg, why, size);
	if (!err)
		err = pcf_prog_load(&e, "pcf_mirror", why, size);
	pcf_ebpf_free(&e);
	return err;
}
