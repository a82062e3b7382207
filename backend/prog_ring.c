/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program of direct rings: copies what matches into the ring. A mirror's
 * goes on to the next slot, and at last to the host, with every packet; one
 * that takes lets what matches go no further, but what the host keeps goes on
 * when it is copied.
 *
 * Registers: R6 context and R8 place of the ring, both kept by the filter; R7
 * the bytes to keep, from the filter, and then the bytes to copy; R9 the
 * queue's struct pcf_ring_ctl.
 */
#include "backend/prog.h"
#include "backend/ring.h"
#include "backend/root.h"
#include "backend/wake.h"
#include "compat/ebpf.h"
#include "compat/kernel.h"

#include <stddef.h>

_Static_assert(sizeof(struct pcf_ring_ctl) == 128, "two cache lines");
#define CTL_SHIFT 7

#define CTL(field) offsetof(struct pcf_ring_ctl, field)
#define RECORD(field) offsetof(struct pcf_ring_record, field)

/* On the stack, once the filter is done with it. */
#define KEY (-4)
#define LEN (-8)
#define KEEP (-12)
#define WHERE (-24)
#define PRODUCED (-32)
/* ... and below the filter's part: the host keeps this packet. */
#define KEPT (-264)

/* match, nomatch: of the filter; full: no room; done: with a packet that was
 * meant for this handle; next: with one that goes on. */
struct labels {
	int match, nomatch, full, done, next;
};

static int emit_keep(struct pcf_ebpf *e, const struct pcf_ring_env *env,
		     char *why, size_t size)
{
	int kept = pcf_ebpf_label(e), go_on = pcf_ebpf_label(e), err;

	if (!env->keep)
		return 0;
	pcf_store_imm(e, BPF_DW, BPF_REG_10, KEPT, 0);
	err = env->keep(env->keep_arg, e, kept, go_on, why, size);
	pcf_ebpf_bind(e, kept);
	pcf_store_imm(e, BPF_DW, BPF_REG_10, KEPT, 1);
	pcf_ebpf_bind(e, go_on);
	return err;
}

static void emit_if_kept(struct pcf_ebpf *e, const struct pcf_ring_env *env,
			 int label)
{
	if (!env->keep)
		return;
	pcf_load(e, BPF_DW, BPF_REG_1, BPF_REG_10, KEPT);
	pcf_jump_imm(e, BPF_JNE, BPF_REG_1, 0, label);
}

static void emit_add(struct pcf_ebpf *e, int offset)
{
	pcf_load(e, BPF_DW, BPF_REG_1, BPF_REG_9, offset);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_1, 1);
	pcf_store(e, BPF_DW, BPF_REG_9, offset, BPF_REG_1);
}

/* R9 = this queue's control block; one more matched. */
static void emit_ctl(struct pcf_ebpf *e, const struct pcf_ring_env *env)
{
	pcf_load_map_value(e, BPF_REG_9, env->ctl_map, 0);
	pcf_mov64_reg(e, BPF_REG_1, BPF_REG_8);
	pcf_alu64_imm(e, BPF_LSH, BPF_REG_1, CTL_SHIFT);
	pcf_alu64_reg(e, BPF_ADD, BPF_REG_9, BPF_REG_1);
}

/* Bytes in front of each record. */
static unsigned extra_of(const struct pcf_ring_env *env)
{
	return env->hints ? PCF_HINTS_SIZE : 0;
}

static void emit_at_most(struct pcf_ebpf *e, int reg, int limit_reg)
{
	int fits = pcf_ebpf_label(e);

	pcf_jump_reg(e, BPF_JLE, reg, limit_reg, fits);
	pcf_mov64_reg(e, reg, limit_reg);
	pcf_ebpf_bind(e, fits);
}

/* R7 = how much to copy: the packet, but no more than the filter keeps (which
 * counts without a VLAN tag) and one call copies. */
static void emit_length(struct pcf_ebpf *e, const struct labels *l)
{
	pcf_store(e, BPF_W, BPF_REG_10, KEEP, BPF_REG_7);
	pcf_mov64_reg(e, BPF_REG_1, BPF_REG_6);
	pcf_call(e, BPF_FUNC_xdp_get_buff_len);
	pcf_store(e, BPF_W, BPF_REG_10, LEN, BPF_REG_0);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_7, 4);
	emit_at_most(e, BPF_REG_7, BPF_REG_0);
	pcf_mov64_imm(e, BPF_REG_1, PCF_RING_DATA_MAX);
	emit_at_most(e, BPF_REG_7, BPF_REG_1);
	pcf_jump_imm(e, BPF_JLT, BPF_REG_7, 1, l->full);
}

/* PRODUCED = where the record ends, if there is room; R1 = where it begins. */
static void emit_room(struct pcf_ebpf *e, const struct pcf_ring_env *env,
		      const struct labels *l)
{
	pcf_load(e, BPF_DW, BPF_REG_1, BPF_REG_9, CTL(produced));
	pcf_load(e, BPF_DW, BPF_REG_2, BPF_REG_9, CTL(consumed));
	pcf_mov64_reg(e, BPF_REG_3, BPF_REG_7);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_3,
		      extra_of(env) + PCF_RING_HEADER + PCF_RING_UNIT - 1);
	pcf_alu64_imm(e, BPF_AND, BPF_REG_3, -(int32_t)PCF_RING_UNIT);
	pcf_alu64_reg(e, BPF_ADD, BPF_REG_3, BPF_REG_1);
	pcf_store(e, BPF_DW, BPF_REG_10, PRODUCED, BPF_REG_3);
	pcf_alu64_reg(e, BPF_SUB, BPF_REG_3, BPF_REG_2);
	pcf_jump_imm(e, BPF_JGT, BPF_REG_3, env->size, l->full);
}

/* R3 = WHERE = the record. */
static void emit_where(struct pcf_ebpf *e, const struct pcf_ring_env *env,
		       const struct labels *l)
{
	pcf_store(e, BPF_DW, BPF_REG_10, WHERE, BPF_REG_1);
	pcf_store(e, BPF_W, BPF_REG_10, KEY, BPF_REG_8);
	pcf_load_map_fd(e, BPF_REG_1, env->ring_map);
	pcf_mov64_reg(e, BPF_REG_2, BPF_REG_10);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_2, KEY);
	pcf_call(e, BPF_FUNC_map_lookup_elem);
	pcf_jump_imm(e, BPF_JEQ, BPF_REG_0, 0, l->full);
	pcf_load(e, BPF_DW, BPF_REG_3, BPF_REG_10, WHERE);
	pcf_alu64_imm(e, BPF_AND, BPF_REG_3, env->size - 1);
	pcf_alu64_reg(e, BPF_ADD, BPF_REG_3, BPF_REG_0);
	if (env->hints)
		pcf_alu64_imm(e, BPF_ADD, BPF_REG_3, PCF_HINTS_SIZE);
	pcf_store(e, BPF_DW, BPF_REG_10, WHERE, BPF_REG_3);
}

static void emit_hints(struct pcf_ebpf *e, const struct pcf_ring_env *env)
{
	if (!env->hints)
		return;
	pcf_hints_ask(e, env->hints);
	pcf_load(e, BPF_DW, BPF_REG_3, BPF_REG_10, WHERE);
	pcf_hints_store(e, BPF_REG_3, -PCF_HINTS_SIZE);
}

static void emit_record(struct pcf_ebpf *e, const struct pcf_ring_env *env,
			const struct labels *l)
{
	pcf_prog_epoch(e, env->epoch, env->epoch_at, BPF_REG_3, RECORD(epoch));
	pcf_store(e, BPF_W, BPF_REG_3, RECORD(caplen), BPF_REG_7);
	pcf_load(e, BPF_W, BPF_REG_1, BPF_REG_10, KEEP);
	pcf_store(e, BPF_W, BPF_REG_3, RECORD(keep), BPF_REG_1);
	pcf_load(e, BPF_W, BPF_REG_1, BPF_REG_10, LEN);
	pcf_store(e, BPF_W, BPF_REG_3, RECORD(len), BPF_REG_1);
	emit_hints(e, env);
	pcf_call(e, BPF_FUNC_ktime_get_tai_ns);
	pcf_load(e, BPF_DW, BPF_REG_3, BPF_REG_10, WHERE);
	pcf_store(e, BPF_DW, BPF_REG_3, RECORD(time), BPF_REG_0);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_3, RECORD(data));
	pcf_mov64_reg(e, BPF_REG_1, BPF_REG_6);
	pcf_mov64_imm(e, BPF_REG_2, 0);
	pcf_mov64_reg(e, BPF_REG_4, BPF_REG_7);
	pcf_call(e, BPF_FUNC_xdp_load_bytes);
	pcf_jump_imm(e, BPF_JNE, BPF_REG_0, 0, l->full);
}

/*
 * The exchange is a full barrier: the record is whole before it is published,
 * and published before `wake_at` is looked at. The reader sets `wake_at` and
 * then looks at `produced`, so one of the two sees the other.
 */
static void emit_publish(struct pcf_ebpf *e, const struct pcf_ring_env *env,
			 const struct labels *l)
{
	pcf_load(e, BPF_DW, BPF_REG_1, BPF_REG_10, PRODUCED);
	pcf_ebpf_emit(e, (struct bpf_insn){
				 .code = BPF_STX | BPF_ATOMIC | BPF_DW,
				 .dst_reg = BPF_REG_9,
				 .src_reg = BPF_REG_1,
				 .off = CTL(produced),
				 .imm = BPF_XCHG });
	pcf_load(e, BPF_DW, BPF_REG_1, BPF_REG_9, CTL(wake_at));
	pcf_load(e, BPF_DW, BPF_REG_2, BPF_REG_10, PRODUCED);
	pcf_jump_reg(e, BPF_JGT, BPF_REG_1, BPF_REG_2, l->done);
	pcf_store_imm(e, BPF_DW, BPF_REG_9, CTL(wake_at), -1);
	pcf_wake_emit(e, env->wake_map, PRODUCED);
	pcf_ja(e, l->done);
}

/* R8 = the place of the RX queue's ring; a queue that was not asked for is
 * nobody's. */
static void emit_queue(struct pcf_ebpf *e, const struct pcf_ring_env *env,
		       const struct labels *l)
{
	int found = pcf_ebpf_label(e);
	unsigned first = env->rings[0].id;

	pcf_mov64_reg(e, BPF_REG_6, BPF_REG_1);
	pcf_load(e, BPF_W, BPF_REG_1, BPF_REG_6,
		 offsetof(struct xdp_md, rx_queue_index));
	/* Neighbours in one step; the verifier would go through each. */
	if (env->rings[env->nrings - 1].id - first == env->nrings - 1) {
		pcf_mov64_reg(e, BPF_REG_8, BPF_REG_1);
		pcf_alu64_imm(e, BPF_SUB, BPF_REG_8, first);
		pcf_jump_imm(e, BPF_JGE, BPF_REG_8, env->nrings, l->next);
		pcf_ebpf_bind(e, found);
		return;
	}
	for (unsigned i = 0; i < env->nrings; i++) {
		pcf_mov64_imm(e, BPF_REG_8, i);
		pcf_jump_imm(e, BPF_JEQ, BPF_REG_1, env->rings[i].id, found);
	}
	pcf_ja(e, l->next);
	pcf_ebpf_bind(e, found);
}

/* While others are on the interface, the program stays when its reader was
 * killed: the packets are the host's then. */
static void emit_alive(struct pcf_ebpf *e, const struct pcf_ring_env *env,
		       const struct labels *l)
{
	if (env->living_map < 0)
		return;
	pcf_store_imm(e, BPF_W, BPF_REG_10, KEY, 0);
	pcf_load_map_fd(e, BPF_REG_1, env->living_map);
	pcf_mov64_reg(e, BPF_REG_2, BPF_REG_10);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_2, KEY);
	pcf_call(e, BPF_FUNC_map_lookup_elem);
	pcf_jump_imm(e, BPF_JEQ, BPF_REG_0, 0, l->next);
}

static void emit_drop(struct pcf_ebpf *e)
{
	pcf_mov64_imm(e, BPF_REG_0, XDP_DROP);
	pcf_exit(e);
}

static void emit_verdicts(struct pcf_ebpf *e, const struct pcf_ring_env *env,
			  const struct labels *l)
{
	pcf_ebpf_bind(e, l->full);
	emit_add(e, CTL(dropped));
	pcf_ebpf_bind(e, l->done);
	emit_if_kept(e, env, l->next);
	if (env->take && !env->leave)
		emit_drop(e);
	else
		pcf_ja(e, l->next);
	pcf_ebpf_bind(e, l->nomatch);
	if (env->drop_rest) {
		emit_if_kept(e, env, l->next);
		emit_ctl(e, env);
		emit_add(e, CTL(rest));
		emit_drop(e);
	}
	pcf_ebpf_bind(e, l->next);
	/* who is alone has nobody behind it */
	if (env->hints) {
		pcf_mov64_imm(e, BPF_REG_0, XDP_PASS);
		pcf_exit(e);
		return;
	}
	pcf_root_emit(e, env->root_slots, env->root_queues, env->own_slot + 1);
}

static int emit_program(struct pcf_ebpf *e, const struct pcf_ring_env *env,
			pcf_emit_filter emit, void *arg, char *why, size_t size)
{
	struct labels l = { pcf_ebpf_label(e), pcf_ebpf_label(e),
			    pcf_ebpf_label(e), pcf_ebpf_label(e),
			    pcf_ebpf_label(e) };
	int err;

	emit_queue(e, env, &l);
	emit_alive(e, env, &l);
	err = emit_keep(e, env, why, size);
	if (err)
		return err;
	pcf_prog_may_not_match(e, l.nomatch);
	if (emit)
		err = emit(arg, e, l.match, l.nomatch, why, size);
	else
		pcf_mov32_imm(e, BPF_REG_7, -1);
	pcf_ebpf_bind(e, l.match);
	emit_ctl(e, env);
	emit_add(e, CTL(matched));
	emit_length(e, &l);
	emit_room(e, env, &l);
	emit_where(e, env, &l);
	emit_record(e, env, &l);
	emit_publish(e, env, &l);
	emit_verdicts(e, env, &l);
	return err;
}

int pcf_prog_ring(const struct pcf_ring_env *env, pcf_emit_filter emit,
		  void *arg, char *why, size_t size)
{
	struct pcf_ebpf e;
	int err;

	pcf_ebpf_init(&e);
	err = emit_program(&e, env, emit, arg, why, size);
	if (!err)
		err = pcf_prog_load_for(&e,
					env->member ? "pcf_member" :
					env->take   ? "pcf_take" : "pcf_mirror",
					env->hints, why, size);
	pcf_ebpf_free(&e);
	return err;
}
