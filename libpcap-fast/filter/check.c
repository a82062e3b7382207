/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is a classic program valid? Gives the verdict of libpcap's bpf_validate(),
 * which is laxer than the kernel's: it takes opcodes that nobody executes and
 * jumps backwards. What to do with those is for the ones that run or compile.
 */
#include <errno.h>
#include <stdio.h>

#include "libpcap-fast/filter/filter.h"
#include "libpcap-fast/filter/insn.h"

int pcf_why(const struct pcf_why *why, int err, unsigned insn,
	    const char *reason)
{
	if (why->text && why->size)
		snprintf(why->text, why->size, "instruction %u: %s", insn,
			 reason);
	return err;
}

static const char *check_load(const struct sock_filter *f)
{
	switch (BPF_MODE(f->code)) {
	case BPF_IMM:
	case BPF_ABS:
	case BPF_IND:
	case BPF_MSH:
	case BPF_LEN:
		return NULL;
	case BPF_MEM:
		return f->k < BPF_MEMWORDS ? NULL : "no such scratch word";
	}
	return "unknown load";
}

static const char *check_alu(const struct sock_filter *f)
{
	switch (BPF_OP(f->code)) {
	case BPF_ADD:
	case BPF_SUB:
	case BPF_MUL:
	case BPF_OR:
	case BPF_AND:
	case BPF_XOR:
	case BPF_LSH:
	case BPF_RSH:
	case BPF_NEG:
		return NULL;
	case BPF_DIV:
	case BPF_MOD:
		if (BPF_SRC(f->code) == BPF_K && !f->k)
			return "division by zero";
		return NULL;
	}
	return "unknown arithmetic";
}

/* Offsets are taken modulo 2^32, so that BPF_JA may also go back. */
static const char *check_jump(const struct sock_filter *f, unsigned i,
			      unsigned n)
{
	const unsigned from = i + 1;
	bool inside;

	switch (BPF_OP(f->code)) {
	case BPF_JA:
		inside = from + f->k < n;
		break;
	case BPF_JEQ:
	case BPF_JGT:
	case BPF_JGE:
	case BPF_JSET:
		inside = from + f->jt < n && from + f->jf < n;
		break;
	default:
		return "unknown jump";
	}
	return inside ? NULL : "jump out of the program";
}

static const char *check_one(const struct sock_filter *f, unsigned i,
			     unsigned n)
{
	switch (BPF_CLASS(f->code)) {
	case BPF_LD:
	case BPF_LDX:
		return check_load(f);
	case BPF_ST:
	case BPF_STX:
		return f->k < BPF_MEMWORDS ? NULL : "no such scratch word";
	case BPF_ALU:
		return check_alu(f);
	case BPF_JMP:
		return check_jump(f, i, n);
	}
	return NULL; /* BPF_RET, BPF_MISC */
}

int pcf_filter_check(const struct sock_filter *insns, unsigned n, char *text,
		     size_t size)
{
	const struct pcf_why why = { text, size };
	const char *reason;

	if (text && size)
		*text = '\0';
	if (!insns || !n)
		return pcf_why(&why, -EINVAL, 0, "the program is empty");
	for (unsigned i = 0; i < n; i++) {
		reason = check_one(&insns[i], i, n);
		if (reason)
			return pcf_why(&why, -EINVAL, i, reason);
	}
	if (BPF_CLASS(insns[n - 1].code) != BPF_RET)
		return pcf_why(&why, -EINVAL, n - 1,
			       "the program does not end by returning");
	return 0;
}
