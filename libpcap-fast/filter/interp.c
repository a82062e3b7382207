/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program that interprets a filter; see interp.h. Knows the code's layout
 * and the registers of gen.h, not where the code comes from.
 *
 *	next: pc within the map? -> fetch -> a tree of comparisons -> one of the
 *	operations below -> next
 *
 * The verifier goes round the loop until it sees nothing new. So at `next` all
 * is as little known as it can be: A, X and what is on the stack come from the
 * map, packet pointers have no proven range, scratch registers are 0, and no
 * number is stored where the verifier would remember it (at a multiple of 8).
 *
 * Registers as in gen.h, but R5 = pc. Stack, from env->stack up:
 *   0   M[0] .. M[15]
 *   64  bytes just loaded
 *   76  the tag's length	84  pc while a helper runs
 *   92  A while X is loaded	100 epoch (PCF_INTERP_EPOCH)
 */
#include "libpcap-fast/filter/interp.h"

#include "libpcap-fast/filter/gen.h"

#define R_PC BPF_REG_5

#define AT_BYTES   64
#define AT_SHIFT   76
#define AT_PC	   84
#define AT_A	   92
#define STACK_USED 128

#define FIELD(name) offsetof(struct pcf_code, name)
#define AREA(name)  offsetof(struct pcf_code_area, name)

/* In <linux/bpf.h> since 6.9. */
#ifndef BPF_JCOND
#define BPF_JCOND 0xe0
#endif

struct interp {
	struct pcf_gen g; /* what the shared pieces want */
	struct pcf_ebpf *e;
	int map, next, match, nomatch;
	int compare; /* R_A is loaded, the rest is a JEQ */
	int op[PCF_CODE_OPS];
};

static int slot(const struct interp *t, int at)
{
	return t->g.env->stack + at;
}

static void next(struct interp *t)
{
	pcf_ja(t->e, t->next);
}

/* R1 = the instruction at R0, an index that need not be one. */
static void locate(struct interp *t)
{
	pcf_jump_imm(t->e, BPF_JGE, BPF_REG_0, PCF_CODE_TOTAL, t->nomatch);
	pcf_alu64_imm(t->e, BPF_LSH, BPF_REG_0, 4);
	pcf_load_map_value(t->e, BPF_REG_1, t->map, AREA(code));
	pcf_alu64_reg(t->e, BPF_ADD, BPF_REG_1, BPF_REG_0);
}

static void field(struct interp *t, int dst, int size, int off)
{
	pcf_load(t->e, size, dst, BPF_REG_1, off);
}

/* After a helper, and at first. */
static void reload(struct interp *t)
{
	pcf_gen_load_ctx(&t->g);
	pcf_load(t->e, BPF_W, BPF_REG_1, BPF_REG_10, slot(t, AT_SHIFT));
	pcf_alu64_imm(t->e, BPF_AND, BPF_REG_1, PCF_TAG_LEN);
	pcf_mov64_reg(t->e, R_TYPE, R_DATA);
	pcf_alu64_reg(t->e, BPF_ADD, R_TYPE, BPF_REG_1);
	pcf_load(t->e, BPF_W, R_PC, BPF_REG_10, slot(t, AT_PC));
}

/* --- loads ---------------------------------------------------------------- */

/* `size` bytes at inline offset R2 to the bytes on the stack; R0 = 0 if they
 * are there. R2 to R5 are lost. */
static void copy(struct interp *t, unsigned at, unsigned size)
{
	pcf_mov64_reg(t->e, BPF_REG_1, R_CTX);
	pcf_mov64_reg(t->e, BPF_REG_3, BPF_REG_10);
	pcf_alu64_imm(t->e, BPF_ADD, BPF_REG_3, slot(t, AT_BYTES + at));
	pcf_mov32_imm(t->e, BPF_REG_4, size);
	pcf_call(t->e, BPF_FUNC_xdp_load_bytes);
}

/* Byte by byte: on both sides of the tag, or in another piece of the frame. A
 * is about to be overwritten, so it can keep the offset. */
static void load_slowly(struct interp *t, unsigned size)
{
	pcf_store(t->e, BPF_W, BPF_REG_10, slot(t, AT_PC), R_PC);
	pcf_mov64_reg(t->e, R_A, BPF_REG_1);
	for (unsigned i = 0; i < size; i++) {
		const int low = pcf_ebpf_label(t->e);

		pcf_mov64_reg(t->e, BPF_REG_2, R_A);
		pcf_alu64_imm(t->e, BPF_ADD, BPF_REG_2, i);
		pcf_jump_imm(t->e, BPF_JLT, BPF_REG_2, PCF_TYPE_OFF, low);
		pcf_load(t->e, BPF_W, BPF_REG_1, BPF_REG_10, slot(t, AT_SHIFT));
		pcf_alu64_reg(t->e, BPF_ADD, BPF_REG_2, BPF_REG_1);
		pcf_ebpf_bind(t->e, low);
		copy(t, i, 1);
		pcf_jump_imm(t->e, BPF_JNE, BPF_REG_0, 0, t->nomatch);
	}
	reload(t);
	pcf_load(t->e, pcf_gen_size(size), R_A, BPF_REG_10, slot(t, AT_BYTES));
}

/* R1 = a virtual offset, 32 bits; R_A = what is there, and on to `then`. */
static void load_at(struct interp *t, unsigned size, int then)
{
	const int far = pcf_ebpf_label(t->e), low = pcf_ebpf_label(t->e);
	const int usual = pcf_ebpf_label(t->e), go = pcf_ebpf_label(t->e);
	const int slow = pcf_ebpf_label(t->e), got = pcf_ebpf_label(t->e);

	pcf_jump_imm(t->e, BPF_JGT, BPF_REG_1, PCF_FRAME_END - size, far);
	pcf_ebpf_bind(t->e, usual);
	pcf_jump_imm(t->e, BPF_JLT, BPF_REG_1, PCF_TYPE_OFF, low);
	pcf_mov64_reg(t->e, BPF_REG_0, R_TYPE);
	pcf_ebpf_bind(t->e, go);
	pcf_alu64_reg(t->e, BPF_ADD, BPF_REG_0, BPF_REG_1);
	pcf_mov64_reg(t->e, R_A, BPF_REG_0);
	pcf_alu64_imm(t->e, BPF_ADD, R_A, size);
	pcf_jump_reg(t->e, BPF_JGT, R_A, R_END, slow);
	pcf_load(t->e, pcf_gen_size(size), R_A, BPF_REG_0, 0);
	pcf_ebpf_bind(t->e, got);
	pcf_gen_to_host(&t->g, R_A, size);
	pcf_ja(t->e, then);

	pcf_ebpf_bind(t->e, low);
	pcf_mov64_reg(t->e, BPF_REG_0, R_DATA);
	pcf_jump_imm(t->e, BPF_JLE, BPF_REG_1, PCF_TYPE_OFF - size, go);
	pcf_ebpf_bind(t->e, slow);
	load_slowly(t, size);
	pcf_ja(t->e, got);

	pcf_ebpf_bind(t->e, far);
	pcf_jump32_imm(t->e, BPF_JSGE, BPF_REG_1, 0, t->nomatch);
	pcf_gen_negative(&t->g, BPF_REG_1);
	pcf_jump_imm(t->e, BPF_JGT, BPF_REG_1, PCF_FRAME_END - size,
		     t->nomatch);
	pcf_ja(t->e, usual);
}

static void load_fixed(struct interp *t, int size)
{
	field(t, BPF_REG_1, BPF_W, FIELD(k));
	load_at(t, size, t->next);
}

static void load_compare(struct interp *t, int size)
{
	field(t, BPF_REG_1, BPF_H, FIELD(off));
	load_at(t, size, t->compare);
}

static void load_indexed(struct interp *t, int size)
{
	field(t, BPF_REG_1, BPF_W, FIELD(k));
	pcf_alu32_reg(t->e, BPF_ADD, BPF_REG_1, R_X);
	load_at(t, size, t->next);
}

static void load_msh(struct interp *t, int unused)
{
	const int got = pcf_ebpf_label(t->e);

	(void)unused;
	pcf_store(t->e, BPF_W, BPF_REG_10, slot(t, AT_A), R_A);
	field(t, BPF_REG_1, BPF_W, FIELD(k));
	load_at(t, 1, got);
	pcf_ebpf_bind(t->e, got);
	pcf_mov32_reg(t->e, R_X, R_A);
	pcf_alu32_imm(t->e, BPF_AND, R_X, 15);
	pcf_alu32_imm(t->e, BPF_LSH, R_X, 2);
	pcf_load(t->e, BPF_W, R_A, BPF_REG_10, slot(t, AT_A));
	next(t);
}

static void load_len(struct interp *t, int dst)
{
	pcf_store(t->e, BPF_W, BPF_REG_10, slot(t, AT_PC), R_PC);
	pcf_mov64_reg(t->e, BPF_REG_1, R_CTX);
	pcf_call(t->e, BPF_FUNC_xdp_get_buff_len);
	pcf_mov64_reg(t->e, dst, BPF_REG_0);
	reload(t);
	pcf_alu32_reg(t->e, BPF_SUB, dst, BPF_REG_1);
	next(t);
}

/* See direct.c. The bytes behind a length may be in another piece. */
static void load_protocol(struct interp *t, int unused)
{
	const int llc = pcf_ebpf_label(t->e), done = pcf_ebpf_label(t->e);

	(void)unused;
	pcf_mov64_reg(t->e, BPF_REG_1, R_TYPE);
	pcf_alu64_imm(t->e, BPF_ADD, BPF_REG_1, PCF_ETH_HLEN);
	pcf_jump_reg(t->e, BPF_JGT, BPF_REG_1, R_END, t->nomatch);
	pcf_load(t->e, BPF_H, R_A, R_TYPE, PCF_TYPE_OFF);
	pcf_to_be(t->e, R_A, 16);
	pcf_jump32_imm(t->e, BPF_JGE, R_A, 0x600, t->next);
	pcf_store(t->e, BPF_W, BPF_REG_10, slot(t, AT_PC), R_PC);
	pcf_load(t->e, BPF_W, BPF_REG_2, BPF_REG_10, slot(t, AT_SHIFT));
	pcf_alu64_imm(t->e, BPF_ADD, BPF_REG_2, PCF_ETH_HLEN);
	copy(t, 0, 2);
	pcf_mov32_imm(t->e, R_A, 4);
	pcf_jump_imm(t->e, BPF_JEQ, BPF_REG_0, 0, llc);
	pcf_ja(t->e, done);
	pcf_ebpf_bind(t->e, llc);
	pcf_load(t->e, BPF_H, BPF_REG_0, BPF_REG_10, slot(t, AT_BYTES));
	pcf_jump32_imm(t->e, BPF_JNE, BPF_REG_0, 0xffff, done);
	pcf_mov32_imm(t->e, R_A, 1);
	pcf_ebpf_bind(t->e, done);
	reload(t);
	next(t);
}

/* Show the verifier that a frame has its first bytes: it has, or it would not
 * have come this far. */
static void show(struct interp *t, uint32_t bytes)
{
	pcf_mov64_reg(t->e, BPF_REG_1, R_DATA);
	pcf_alu64_imm(t->e, BPF_ADD, BPF_REG_1, bytes);
	pcf_jump_reg(t->e, BPF_JGT, BPF_REG_1, R_END, t->nomatch);
}

static void load_pkttype(struct interp *t, int unused)
{
	(void)unused;
	show(t, PCF_ETH_HLEN);
	pcf_gen_pkttype(&t->g);
	next(t);
}

static void load_queue(struct interp *t, int unused)
{
	(void)unused;
	pcf_load(t->e, BPF_W, R_A, R_CTX,
		 offsetof(struct xdp_md, rx_queue_index));
	pcf_alu32_imm(t->e, BPF_ADD, R_A, 1);
	pcf_alu32_imm(t->e, BPF_AND, R_A, 0xffff);
	next(t);
}

/* What a helper without arguments gives. */
static void load_helper(struct interp *t, int helper)
{
	pcf_store(t->e, BPF_W, BPF_REG_10, slot(t, AT_PC), R_PC);
	pcf_call(t->e, helper);
	pcf_mov32_reg(t->e, R_A, BPF_REG_0);
	reload(t);
	next(t);
}

static void load_tagged(struct interp *t, int unused)
{
	(void)unused;
	pcf_load(t->e, BPF_W, R_A, BPF_REG_10, slot(t, AT_SHIFT));
	pcf_alu32_imm(t->e, BPF_RSH, R_A, 2);
	next(t);
}

/* `off`: where the tag's half is in the inline frame. */
static void load_tag(struct interp *t, int off)
{
	pcf_load(t->e, BPF_W, R_A, BPF_REG_10, slot(t, AT_SHIFT));
	pcf_jump32_imm(t->e, BPF_JEQ, R_A, 0, t->next);
	show(t, PCF_TAGGED_MIN);
	pcf_load(t->e, BPF_H, R_A, R_DATA, off);
	pcf_to_be(t->e, R_A, 16);
	next(t);
}

/* --- the rest ------------------------------------------------------------- */

/* pc += jt if the comparison holds, else jf. */
static void branch(struct interp *t, int op, bool use_x)
{
	const int yes = pcf_ebpf_label(t->e);

	if (use_x) {
		pcf_jump32_reg(t->e, op, R_A, R_X, yes);
	} else {
		field(t, BPF_REG_0, BPF_W, FIELD(k));
		pcf_jump32_reg(t->e, op, R_A, BPF_REG_0, yes);
	}
	field(t, BPF_REG_0, BPF_H, FIELD(jf));
	pcf_alu64_reg(t->e, BPF_ADD, R_PC, BPF_REG_0);
	next(t);
	pcf_ebpf_bind(t->e, yes);
	field(t, BPF_REG_0, BPF_H, FIELD(jt));
	pcf_alu64_reg(t->e, BPF_ADD, R_PC, BPF_REG_0);
	next(t);
}

static void branch_k(struct interp *t, int op)
{
	branch(t, op, false);
}

static void branch_x(struct interp *t, int op)
{
	branch(t, op, true);
}

static void jump(struct interp *t, int unused)
{
	(void)unused;
	field(t, BPF_REG_0, BPF_H, FIELD(jt));
	pcf_alu64_reg(t->e, BPF_ADD, R_PC, BPF_REG_0);
	next(t);
}

static void ret(struct interp *t, int use_a)
{
	if (!use_a)
		field(t, R_A, BPF_W, FIELD(k));
	pcf_mov32_reg(t->e, R_A, R_A); /* a load may have left more */
	pcf_jump32_imm(t->e, BPF_JEQ, R_A, 0, t->nomatch);
	pcf_ja(t->e, t->match);
}

static void immediate(struct interp *t, int dst)
{
	field(t, dst, BPF_W, FIELD(k));
	next(t);
}

/* R1 = M[k] */
static void scratch(struct interp *t)
{
	field(t, BPF_REG_0, BPF_W, FIELD(k));
	pcf_alu64_imm(t->e, BPF_AND, BPF_REG_0, BPF_MEMWORDS - 1);
	pcf_alu64_imm(t->e, BPF_LSH, BPF_REG_0, 2);
	pcf_mov64_reg(t->e, BPF_REG_1, BPF_REG_10);
	pcf_alu64_reg(t->e, BPF_ADD, BPF_REG_1, BPF_REG_0);
}

static void load_scratch(struct interp *t, int dst)
{
	scratch(t);
	pcf_load(t->e, BPF_W, dst, BPF_REG_1, slot(t, 0));
	next(t);
}

static void store_scratch(struct interp *t, int src)
{
	scratch(t);
	pcf_store(t->e, BPF_W, BPF_REG_1, slot(t, 0), src);
	next(t);
}

static void to_x(struct interp *t, int unused)
{
	(void)unused;
	pcf_mov32_reg(t->e, R_X, R_A);
	next(t);
}

static void to_a(struct interp *t, int unused)
{
	(void)unused;
	pcf_mov32_reg(t->e, R_A, R_X);
	next(t);
}

static void compute(struct interp *t, int op, int operand)
{
	if (op == BPF_DIV || op == BPF_MOD)
		pcf_jump32_imm(t->e, BPF_JEQ, operand, 0, t->nomatch);
	if (op == BPF_NEG)
		pcf_alu32_imm(t->e, BPF_NEG, R_A, 0);
	else
		pcf_alu32_reg(t->e, op, R_A, operand);
	next(t);
}

static void compute_k(struct interp *t, int op)
{
	field(t, BPF_REG_0, BPF_W, FIELD(k));
	compute(t, op, BPF_REG_0);
}

static void compute_x(struct interp *t, int op)
{
	compute(t, op, R_X);
}

static const struct {
	void (*emit)(struct interp *t, int arg);
	int arg;
} operations[] = {
	[PCF_CODE_EQ_4] = { load_compare, 4 },
	[PCF_CODE_EQ_2] = { load_compare, 2 },
	[PCF_CODE_EQ_1] = { load_compare, 1 },
	[PCF_CODE_JEQ] = { branch_k, BPF_JEQ },
	[PCF_CODE_RET] = { ret, false },
	[PCF_CODE_LOAD_4] = { load_fixed, 4 },
	[PCF_CODE_LOAD_2] = { load_fixed, 2 },
	[PCF_CODE_LOAD_1] = { load_fixed, 1 },
	[PCF_CODE_IND_4] = { load_indexed, 4 },
	[PCF_CODE_IND_2] = { load_indexed, 2 },
	[PCF_CODE_IND_1] = { load_indexed, 1 },
	[PCF_CODE_MSH] = { load_msh, 0 },
	[PCF_CODE_JGT] = { branch_k, BPF_JGT },
	[PCF_CODE_JGE] = { branch_k, BPF_JGE },
	[PCF_CODE_JSET] = { branch_k, BPF_JSET },
	[PCF_CODE_JEQ_X] = { branch_x, BPF_JEQ },
	[PCF_CODE_JGT_X] = { branch_x, BPF_JGT },
	[PCF_CODE_JGE_X] = { branch_x, BPF_JGE },
	[PCF_CODE_JSET_X] = { branch_x, BPF_JSET },
	[PCF_CODE_JUMP] = { jump, 0 },
	[PCF_CODE_RETA] = { ret, true },
	[PCF_CODE_IMM] = { immediate, R_A },
	[PCF_CODE_IMMX] = { immediate, R_X },
	[PCF_CODE_MEM] = { load_scratch, R_A },
	[PCF_CODE_MEMX] = { load_scratch, R_X },
	[PCF_CODE_STORE] = { store_scratch, R_A },
	[PCF_CODE_STOREX] = { store_scratch, R_X },
	[PCF_CODE_TAX] = { to_x, 0 },
	[PCF_CODE_TXA] = { to_a, 0 },
	[PCF_CODE_LEN] = { load_len, R_A },
	[PCF_CODE_LENX] = { load_len, R_X },
	[PCF_CODE_PROTOCOL] = { load_protocol, 0 },
	[PCF_CODE_PKTTYPE] = { load_pkttype, 0 },
	[PCF_CODE_QUEUE] = { load_queue, 0 },
	[PCF_CODE_RANDOM] = { load_helper, BPF_FUNC_get_prandom_u32 },
	[PCF_CODE_CPU] = { load_helper, BPF_FUNC_get_smp_processor_id },
	[PCF_CODE_TAG] = { load_tag, 14 },
	[PCF_CODE_TAGGED] = { load_tagged, 0 },
	[PCF_CODE_TPID] = { load_tag, 12 },
};

static void emit_operation(struct interp *t, unsigned op)
{
	pcf_ebpf_bind(t->e, t->op[op]);
	if (op >= PCF_CODE_ALU_X)
		compute_x(t, (op - PCF_CODE_ALU_X) << 4);
	else if (op >= PCF_CODE_ALU)
		compute_k(t, (op - PCF_CODE_ALU) << 4);
	else
		operations[op].emit(t, operations[op].arg);
}

/* --- the loop ------------------------------------------------------------- */

/* To operation R0, one of lo .. hi - 1. */
static void dispatch(struct interp *t, int lo, int hi)
{
	const int middle = (lo + hi) / 2, upper = pcf_ebpf_label(t->e);

	if (hi - lo == 1) {
		pcf_ja(t->e, t->op[lo]);
		return;
	}
	pcf_jump_imm(t->e, BPF_JGE, BPF_REG_0, middle, upper);
	dispatch(t, lo, middle);
	pcf_ebpf_bind(t->e, upper);
	dispatch(t, middle, hi);
}

/* pc only grows, so the loop ends with the map; may_goto is for the verifier,
 * which does not see that. */
static void emit_fetch(struct interp *t)
{
	const int rare = pcf_ebpf_label(t->e);

	pcf_ebpf_bind(t->e, t->next);
	pcf_mov64_imm(t->e, BPF_REG_0, 0);
	pcf_mov64_imm(t->e, BPF_REG_1, 0);
	pcf_ebpf_jump(t->e, (struct bpf_insn){ .code = BPF_JMP | BPF_JCOND },
		      t->nomatch);
	pcf_mov64_reg(t->e, BPF_REG_0, R_PC);
	locate(t);
	pcf_alu64_imm(t->e, BPF_ADD, R_PC, 1);
	field(t, BPF_REG_0, BPF_H, FIELD(op));
	pcf_jump_imm(t->e, BPF_JGE, BPF_REG_0, PCF_CODE_IND_4, rare);
	dispatch(t, 0, PCF_CODE_IND_4);
	pcf_ebpf_bind(t->e, rare);
	pcf_jump_imm(t->e, BPF_JGE, BPF_REG_0, PCF_CODE_OPS, t->nomatch);
	dispatch(t, PCF_CODE_IND_4, PCF_CODE_OPS);
}

static void emit_operations(struct interp *t)
{
	for (unsigned i = 0; i < PCF_CODE_OPS; i++)
		emit_operation(t, i);
	/* a load and a comparison in one: the instruction once more */
	pcf_ebpf_bind(t->e, t->compare);
	pcf_mov64_reg(t->e, BPF_REG_0, R_PC);
	pcf_alu64_imm(t->e, BPF_SUB, BPF_REG_0, 1);
	locate(t);
	branch_k(t, BPF_JEQ);
}

/* A = X = M[] = 0, and nobody knows: a store to an unknown place makes the
 * verifier forget the whole of the stack that is used. */
static void emit_zero(struct interp *t)
{
	for (int i = 0; i < STACK_USED; i += 8)
		pcf_store_imm(t->e, BPF_DW, BPF_REG_10, slot(t, i), 0);
	pcf_load_map_value(t->e, BPF_REG_1, t->map, 0);
	pcf_load(t->e, BPF_DW, R_A, BPF_REG_1, AREA(zero));
	pcf_mov64_reg(t->e, R_X, R_A);
	pcf_mov64_reg(t->e, BPF_REG_0, R_A);
	pcf_alu64_imm(t->e, BPF_AND, BPF_REG_0, STACK_USED - 4);
	pcf_mov64_reg(t->e, BPF_REG_2, BPF_REG_10);
	pcf_alu64_reg(t->e, BPF_ADD, BPF_REG_2, BPF_REG_0);
	pcf_store(t->e, BPF_W, BPF_REG_2, slot(t, 0), R_A);
}

/* R1 = the map. The head of the bank in force; code begins behind it. */
static void emit_start(struct interp *t)
{
	pcf_load(t->e, BPF_W, BPF_REG_0, BPF_REG_1, AREA(start));
	pcf_mov64_reg(t->e, R_PC, BPF_REG_0);
	pcf_alu64_imm(t->e, BPF_ADD, R_PC, 1);
	pcf_store(t->e, BPF_W, BPF_REG_10, slot(t, AT_PC), R_PC);
	locate(t);
	field(t, BPF_REG_0, BPF_W, FIELD(k));
	pcf_store(t->e, BPF_W, BPF_REG_10, PCF_INTERP_EPOCH(slot(t, 0)),
		  BPF_REG_0);
}

/* A header, and a tag with what the kernel wants behind it. */
static void emit_tag(struct interp *t)
{
	const int plain = pcf_ebpf_label(t->e);

	pcf_gen_load_ctx(&t->g);
	show(t, PCF_ETH_HLEN);
	pcf_gen_tag_test(&t->g);
	pcf_ja(t->e, plain);
	pcf_ebpf_bind(t->e, t->g.tagged);
	show(t, PCF_TAGGED_MIN);
	pcf_mov32_imm(t->e, BPF_REG_0, PCF_TAG_LEN);
	pcf_store(t->e, BPF_W, BPF_REG_10, slot(t, AT_SHIFT), BPF_REG_0);
	pcf_ebpf_bind(t->e, plain);
}

int pcf_interp_emit(const struct pcf_filter_env *env, int code_map,
		    struct pcf_ebpf *e, int match, int nomatch)
{
	struct interp t = {
		.e = e, .map = code_map, .match = match, .nomatch = nomatch
	};

	t.g = (struct pcf_gen){ .e = e, .env = env, .nomatch = nomatch };
	t.g.tagged = pcf_ebpf_label(e);
	t.next = pcf_ebpf_label(e);
	t.compare = pcf_ebpf_label(e);
	for (unsigned i = 0; i < PCF_CODE_OPS; i++)
		t.op[i] = pcf_ebpf_label(e);
	emit_zero(&t);
	emit_start(&t);
	emit_tag(&t);
	reload(&t);
	emit_fetch(&t);
	emit_operations(&t);
	return e->error;
}
