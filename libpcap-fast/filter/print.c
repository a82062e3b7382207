/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Disassembly of eBPF, in the kernel verifier's notation, with absolute jump
 * targets. Knows what pcf_ebpf emits; other opcodes are shown as numbers.
 */
#include "libpcap-fast/filter/print.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>

static const char *alu_sign(int code)
{
	static const char *const sign[] = { "+=", "-=",	 "*=",	"/=", "|=",
					    "&=", "<<=", ">>=", NULL, "%=",
					    "^=", "=",	 "s>>=" };
	const unsigned op = BPF_OP(code) >> 4;

	return op < sizeof(sign) / sizeof(*sign) ? sign[op] : NULL;
}

static const char *jump_sign(int code)
{
	static const char *const sign[] = { NULL, "==", ">",   ">=", "&",
					    "!=", "s>", "s>=", NULL, NULL,
					    "<",  "<=", "s<",  "s<=" };
	const unsigned op = BPF_OP(code) >> 4;

	return op < sizeof(sign) / sizeof(*sign) ? sign[op] : NULL;
}

static int size_bits(int code)
{
	static const int bits[] = { 32, 16, 8, 64 };

	return bits[BPF_SIZE(code) >> 3];
}

static void operand(FILE *out, const struct bpf_insn *f, char width)
{
	if (BPF_SRC(f->code) == BPF_X)
		fprintf(out, "%c%d", width, f->src_reg);
	else if (f->imm > -10 && f->imm < 10)
		fprintf(out, "%d", f->imm);
	else
		fprintf(out, "0x%x", (unsigned)f->imm);
}

static bool print_alu(FILE *out, const struct bpf_insn *f)
{
	const char width = BPF_CLASS(f->code) == BPF_ALU64 ? 'r' : 'w';

	if (BPF_OP(f->code) == BPF_END) {
		fprintf(out, "r%d = be%d r%d", f->dst_reg, f->imm, f->dst_reg);
		return BPF_SRC(f->code) == BPF_TO_BE;
	}
	if (BPF_OP(f->code) == BPF_NEG) {
		fprintf(out, "%c%d = -%c%d", width, f->dst_reg, width,
			f->dst_reg);
		return true;
	}
	if (!alu_sign(f->code))
		return false;
	fprintf(out, "%c%d %s ", width, f->dst_reg, alu_sign(f->code));
	operand(out, f, width);
	return true;
}

static bool print_jump(FILE *out, const struct bpf_insn *f, unsigned i)
{
	const char width = BPF_CLASS(f->code) == BPF_JMP ? 'r' : 'w';
	const int to = (int)i + 1 + f->off;

	switch (f->code) {
	case BPF_JMP | BPF_EXIT:
		fprintf(out, "exit");
		return true;
	case BPF_JMP | BPF_CALL:
		fprintf(out, "call #%d", f->imm);
		return true;
	case BPF_JMP | BPF_JA:
		fprintf(out, "goto %d", to);
		return true;
	}
	if (!jump_sign(f->code))
		return false;
	fprintf(out, "if %c%d %s ", width, f->dst_reg, jump_sign(f->code));
	operand(out, f, width);
	fprintf(out, " goto %d", to);
	return true;
}

static bool print_memory(FILE *out, const struct bpf_insn *f)
{
	const int bits = size_bits(f->code);

	switch (f->code & ~BPF_SIZE(0xff)) {
	case BPF_LDX | BPF_MEM:
		fprintf(out, "r%d = *(u%d *)(r%d %+d)", f->dst_reg, bits,
			f->src_reg, f->off);
		return true;
	case BPF_STX | BPF_MEM:
		fprintf(out, "*(u%d *)(r%d %+d) = r%d", bits, f->dst_reg,
			f->off, f->src_reg);
		return true;
	case BPF_ST | BPF_MEM:
		fprintf(out, "*(u%d *)(r%d %+d) = %d", bits, f->dst_reg, f->off,
			f->imm);
		return true;
	case BPF_STX | BPF_ATOMIC:
		fprintf(out, "lock *(u%d *)(r%d %+d) += r%d", bits, f->dst_reg,
			f->off, f->src_reg);
		return f->imm == BPF_ADD;
	}
	return false;
}

/* The first half of a 64-bit load; what it means is in src_reg. */
static void print_load64(FILE *out, const struct bpf_insn *f)
{
	switch (f->src_reg) {
	case BPF_PSEUDO_MAP_FD:
		fprintf(out, "r%d = map fd %d", f->dst_reg, f->imm);
		break;
	case BPF_PSEUDO_MAP_VALUE:
		fprintf(out, "r%d = map fd %d value + %d", f->dst_reg, f->imm,
			f[1].imm);
		break;
	default:
		fprintf(out, "r%d = 0x%08x%08x", f->dst_reg, (unsigned)f[1].imm,
			(unsigned)f->imm);
	}
}

static bool print_one(FILE *out, const struct bpf_insn *f, unsigned i)
{
	switch (BPF_CLASS(f->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return print_alu(out, f);
	case BPF_JMP:
	case BPF_JMP32:
		return print_jump(out, f, i);
	}
	return print_memory(out, f);
}

int pcf_ebpf_print(FILE *out, const struct bpf_insn *insns, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct bpf_insn *f = &insns[i];

		fprintf(out, "%4u: ", i);
		if (f->code == (BPF_LD | BPF_DW | BPF_IMM) && i + 1 < n) {
			print_load64(out, f);
			i++;
		} else if (!print_one(out, f, i)) {
			fprintf(out, "(%02x)", f->code);
		}
		fprintf(out, "\n");
	}
	return ferror(out) ? -EIO : 0;
}
