/* SPDX-License-Identifier: BSD-3-Clause */
/* The eBPF instruction buffer; see ebpf.h. */
#include "compat/ebpf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct pcf_fixup {
	unsigned insn;
	int label;
};

void pcf_ebpf_init(struct pcf_ebpf *e)
{
	*e = (struct pcf_ebpf){ 0 };
}

void pcf_ebpf_free(struct pcf_ebpf *e)
{
	free(e->insns);
	free(e->fixups);
	free(e->labels);
	pcf_ebpf_init(e);
}

static void fail(struct pcf_ebpf *e, int err)
{
	if (!e->error)
		e->error = err;
}

void pcf_ebpf_no_memory(struct pcf_ebpf *e)
{
	fail(e, -ENOMEM);
}

/* Room for one more element; doubles. NULL (and a sticky error) on failure. */
static void *grow(struct pcf_ebpf *e, void *array, unsigned *cap, unsigned len,
		  size_t size)
{
	unsigned want = *cap ? *cap * 2 : 64;
	void *p;

	if (len < *cap)
		return array;
	p = reallocarray(array, want, size);
	if (!p) {
		fail(e, -ENOMEM);
		return NULL;
	}
	*cap = want;
	return p;
}

void pcf_ebpf_emit(struct pcf_ebpf *e, struct bpf_insn insn)
{
	struct bpf_insn *p;

	if (e->error)
		return;
	p = grow(e, e->insns, &e->cap, e->len, sizeof(*p));
	if (!p)
		return;
	e->insns = p;
	p[e->len++] = insn;
}

int pcf_ebpf_label(struct pcf_ebpf *e)
{
	int *p;

	if (e->error)
		return 0;
	p = grow(e, e->labels, &e->cap_labels, e->nlabels, sizeof(*p));
	if (!p)
		return 0;
	e->labels = p;
	p[e->nlabels] = -1;
	return e->nlabels++;
}

void pcf_ebpf_bind(struct pcf_ebpf *e, int label)
{
	if (!e->error)
		e->labels[label] = e->len;
}

void pcf_ebpf_jump(struct pcf_ebpf *e, struct bpf_insn insn, int label)
{
	struct pcf_fixup *p;

	if (e->error)
		return;
	p = grow(e, e->fixups, &e->cap_fixups, e->nfixups, sizeof(*p));
	if (!p)
		return;
	e->fixups = p;
	p[e->nfixups++] = (struct pcf_fixup){ e->len, label };
	pcf_ebpf_emit(e, insn);
}

/*
 * Islands: a jump farther than 16 bits reach goes to an island on its way,
 * where another jump takes it on. There is one place for an island every
 * ISLAND instructions; each round of insertion brings every jump that is still
 * too long one island further.
 *
 *   ... | ja over | ja L1 | ja L2 | over: ...
 */
#define ISLAND	   8192
#define MAX_ROUNDS 256 /* more than any loadable program needs */

static int distance(const struct pcf_ebpf *e, const struct pcf_fixup *f)
{
	return e->labels[f->label] - (int)f->insn - 1;
}

static bool too_long(int off)
{
	return off < INT16_MIN || off > INT16_MAX;
}

/* The island that takes a jump on: the last place that is surely in reach. */
static unsigned island_of(const struct pcf_ebpf *e, const struct pcf_fixup *f)
{
	const unsigned at = f->insn / ISLAND;

	if (distance(e, f) > 0)
		return at + 2;
	return at ? at - 1 : 0;
}

/* Two halves of a 64-bit load stay together. */
static unsigned place_of(const struct pcf_ebpf *e, unsigned island)
{
	const unsigned at = island * ISLAND;

	if (at && e->insns[at - 1].code == (BPF_LD | BPF_DW | BPF_IMM))
		return at + 1;
	return at;
}

/* The label on island `first` and above that goes on to `to`. */
static int stepping_stone(struct pcf_ebpf *e, unsigned first, int to)
{
	int label;

	for (unsigned i = first; i < e->nfixups; i++)
		if (e->fixups[i].label == to)
			return e->insns[e->fixups[i].insn].imm;
	label = pcf_ebpf_label(e);
	/* until the island is in its place the label hides in `imm` */
	pcf_ebpf_jump(
		e, (struct bpf_insn){ .code = BPF_JMP | BPF_JA, .imm = label },
		to);
	return label;
}

/* Send the long ones among the first `n` jumps to island `k`, which grows at
 * the end of the buffer. */
static void divert(struct pcf_ebpf *e, unsigned k, unsigned n)
{
	const unsigned first = e->nfixups;

	for (unsigned i = 0; i < n && !e->error; i++) {
		int label;

		if (!too_long(distance(e, &e->fixups[i])) ||
		    island_of(e, &e->fixups[i]) != k)
			continue;
		label = stepping_stone(e, first, e->fixups[i].label);
		if (!e->error)
			e->fixups[i].label = label;
	}
}

static void reverse(struct bpf_insn *p, unsigned n)
{
	for (unsigned i = 0; i < n / 2; i++) {
		const struct bpf_insn t = p[i];

		p[i] = p[n - 1 - i];
		p[n - 1 - i] = t;
	}
}

/* Where an instruction (or label) goes when [from, len) moves to `to`. */
static unsigned moved(unsigned i, unsigned to, unsigned from, unsigned len)
{
	if (i < to)
		return i;
	return i < from ? i + len - from : i - from + to;
}

/* Move the island from the end of the buffer to its place. */
static void put(struct pcf_ebpf *e, unsigned to, unsigned from)
{
	struct bpf_insn *p = e->insns + to;

	reverse(p, from - to);
	reverse(p + from - to, e->len - from);
	reverse(p, e->len - to);
	for (unsigned i = 0; i < e->nfixups; i++)
		e->fixups[i].insn = moved(e->fixups[i].insn, to, from, e->len);
	for (unsigned i = 0; i < e->nlabels; i++)
		if (e->labels[i] >= 0)
			e->labels[i] = moved(e->labels[i], to, from, e->len);
}

/* Does control come to `at` from the instruction before? */
static bool falls_into(const struct pcf_ebpf *e, unsigned at)
{
	return e->insns[at - 1].code != (BPF_JMP | BPF_JA) &&
	       e->insns[at - 1].code != (BPF_JMP | BPF_EXIT);
}

/* The jump over the island has a label, too: a later island may come to lie
 * inside this one. Where nothing would ever take it, it must not be there: the
 * verifier refuses dead code. */
static void build_island(struct pcf_ebpf *e, unsigned k)
{
	const unsigned from = e->len, n = e->nfixups, to = place_of(e, k);
	const int over = pcf_ebpf_label(e);
	unsigned first;

	if (falls_into(e, to))
		pcf_ja(e, over);
	first = e->nfixups;
	divert(e, k, n);
	if (e->error)
		return;
	if (e->nfixups == first) {
		e->len = from;
		e->nfixups = n;
		return;
	}
	put(e, to, from);
	e->labels[over] = to + e->len - from;
	for (unsigned i = first; i < e->nfixups; i++) {
		struct bpf_insn *f = &e->insns[e->fixups[i].insn];

		e->labels[f->imm] = e->fixups[i].insn;
		f->imm = 0;
	}
}

static void build_islands(struct pcf_ebpf *e)
{
	for (unsigned k = e->len / ISLAND; k > 0 && !e->error; k--)
		build_island(e, k);
}

static bool all_fit(const struct pcf_ebpf *e)
{
	for (unsigned i = 0; i < e->nfixups; i++)
		if (too_long(distance(e, &e->fixups[i])))
			return false;
	return true;
}

static void check_bound(struct pcf_ebpf *e)
{
	for (unsigned i = 0; i < e->nfixups && !e->error; i++)
		if (e->labels[e->fixups[i].label] < 0)
			fail(e, -EINVAL);
}

int pcf_ebpf_finish(struct pcf_ebpf *e)
{
	check_bound(e);
	for (int round = 0; !e->error && !all_fit(e); round++) {
		if (round == MAX_ROUNDS)
			fail(e, -E2BIG);
		build_islands(e);
	}
	for (unsigned i = 0; i < e->nfixups && !e->error; i++)
		e->insns[e->fixups[i].insn].off = distance(e, &e->fixups[i]);
	return e->error;
}

static void emit(struct pcf_ebpf *e, int code, int dst, int src, int off,
		 int32_t imm)
{
	pcf_ebpf_emit(e, (struct bpf_insn){ .code = code,
					    .dst_reg = dst,
					    .src_reg = src,
					    .off = off,
					    .imm = imm });
}

void pcf_mov64_reg(struct pcf_ebpf *e, int dst, int src)
{
	emit(e, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

void pcf_mov32_reg(struct pcf_ebpf *e, int dst, int src)
{
	emit(e, BPF_ALU | BPF_MOV | BPF_X, dst, src, 0, 0);
}

void pcf_mov64_imm(struct pcf_ebpf *e, int dst, int32_t imm)
{
	emit(e, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

void pcf_mov32_imm(struct pcf_ebpf *e, int dst, int32_t imm)
{
	emit(e, BPF_ALU | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

void pcf_alu64_imm(struct pcf_ebpf *e, int op, int dst, int32_t imm)
{
	emit(e, BPF_ALU64 | op | BPF_K, dst, 0, 0, imm);
}

void pcf_alu64_reg(struct pcf_ebpf *e, int op, int dst, int src)
{
	emit(e, BPF_ALU64 | op | BPF_X, dst, src, 0, 0);
}

void pcf_alu32_imm(struct pcf_ebpf *e, int op, int dst, int32_t imm)
{
	emit(e, BPF_ALU | op | BPF_K, dst, 0, 0, imm);
}

void pcf_alu32_reg(struct pcf_ebpf *e, int op, int dst, int src)
{
	emit(e, BPF_ALU | op | BPF_X, dst, src, 0, 0);
}

void pcf_to_be(struct pcf_ebpf *e, int dst, int bits)
{
	emit(e, BPF_ALU | BPF_END | BPF_TO_BE, dst, 0, 0, bits);
}

void pcf_load(struct pcf_ebpf *e, int size, int dst, int src, int off)
{
	emit(e, BPF_LDX | BPF_MEM | size, dst, src, off, 0);
}

void pcf_store(struct pcf_ebpf *e, int size, int dst, int off, int src)
{
	emit(e, BPF_STX | BPF_MEM | size, dst, src, off, 0);
}

void pcf_store_imm(struct pcf_ebpf *e, int size, int dst, int off, int32_t imm)
{
	emit(e, BPF_ST | BPF_MEM | size, dst, 0, off, imm);
}

void pcf_atomic_add64(struct pcf_ebpf *e, int dst, int off, int src)
{
	emit(e, BPF_STX | BPF_ATOMIC | BPF_DW, dst, src, off, BPF_ADD);
}

void pcf_call(struct pcf_ebpf *e, int helper)
{
	emit(e, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

void pcf_call_kfunc(struct pcf_ebpf *e, int32_t btf_id)
{
	emit(e, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, btf_id);
}

void pcf_exit(struct pcf_ebpf *e)
{
	emit(e, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void jump(struct pcf_ebpf *e, int code, int dst, int src, int32_t imm,
		 int label)
{
	pcf_ebpf_jump(e,
		      (struct bpf_insn){ .code = code,
					 .dst_reg = dst,
					 .src_reg = src,
					 .imm = imm },
		      label);
}

void pcf_ja(struct pcf_ebpf *e, int label)
{
	jump(e, BPF_JMP | BPF_JA, 0, 0, 0, label);
}

void pcf_jump_imm(struct pcf_ebpf *e, int op, int dst, int32_t imm, int label)
{
	jump(e, BPF_JMP | op | BPF_K, dst, 0, imm, label);
}

void pcf_jump_reg(struct pcf_ebpf *e, int op, int dst, int src, int label)
{
	jump(e, BPF_JMP | op | BPF_X, dst, src, 0, label);
}

void pcf_jump32_imm(struct pcf_ebpf *e, int op, int dst, int32_t imm, int label)
{
	jump(e, BPF_JMP32 | op | BPF_K, dst, 0, imm, label);
}

void pcf_jump32_reg(struct pcf_ebpf *e, int op, int dst, int src, int label)
{
	jump(e, BPF_JMP32 | op | BPF_X, dst, src, 0, label);
}

/* The two-instruction 64-bit load; `kind` says what the immediate means. */
static void load64(struct pcf_ebpf *e, int dst, int kind, uint32_t lo,
		   uint32_t hi)
{
	emit(e, BPF_LD | BPF_DW | BPF_IMM, dst, kind, 0, (int32_t)lo);
	emit(e, 0, 0, 0, 0, (int32_t)hi);
}

void pcf_load_imm64(struct pcf_ebpf *e, int dst, uint64_t imm)
{
	load64(e, dst, 0, (uint32_t)imm, (uint32_t)(imm >> 32));
}

void pcf_load_map_fd(struct pcf_ebpf *e, int dst, int map_fd)
{
	load64(e, dst, BPF_PSEUDO_MAP_FD, (uint32_t)map_fd, 0);
}

void pcf_load_map_value(struct pcf_ebpf *e, int dst, int map_fd, uint32_t off)
{
	load64(e, dst, BPF_PSEUDO_MAP_VALUE, (uint32_t)map_fd, off);
}
