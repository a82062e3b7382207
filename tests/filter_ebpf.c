/* SPDX-License-Identifier: BSD-3-Clause */
/* The eBPF machine of the filter tests; see filter_ebpf.h. */
#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "tests/filter_ebpf.h"

#define STACK	 512
#define MAX_RUN	 10000000u
#define SENTINEL 0x5eed5eed5eed5eedull

struct machine {
	uint64_t reg[11];
	bool set[11];
	uint8_t stack[STACK];
	bool written[STACK];
	const struct filter_xdp *xdp;
	uint32_t random;
	struct xdp_md ctx; /* only its address and the u32s count */
	const char *fault;
};

static void fault(struct machine *m, const char *what)
{
	if (!m->fault)
		m->fault = what;
}

static uint64_t ptr(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static bool within(uint64_t addr, unsigned size, const void *start, size_t len)
{
	return addr >= ptr(start) && addr + size <= ptr(start) + len;
}

/* Index into the stack of a permitted access, or -1. */
static int on_stack(const struct machine *m, uint64_t addr, unsigned size)
{
	const int lowest = STACK + m->xdp->stack;

	if (!within(addr, size, m->stack + lowest, STACK - lowest))
		return -1;
	return addr - ptr(m->stack);
}

static uint64_t read_reg(struct machine *m, int r)
{
	if (!m->set[r])
		fault(m, "register read before written");
	return m->reg[r];
}

static void write_reg(struct machine *m, int r, uint64_t v)
{
	if (r == 10) {
		fault(m, "R10 written");
		return;
	}
	m->reg[r] = v;
	m->set[r] = true;
}

/* The context's fields are 32 bits wide but the first two are pointers. */
static uint64_t load_ctx(struct machine *m, uint64_t off, unsigned size)
{
	if (size != 4)
		fault(m, "context access of odd size");
	switch (off) {
	case offsetof(struct xdp_md, data):
		return ptr(m->xdp->data);
	case offsetof(struct xdp_md, data_end):
		return ptr(m->xdp->data) + m->xdp->linear;
	case offsetof(struct xdp_md, ingress_ifindex):
		return m->xdp->ifindex;
	case offsetof(struct xdp_md, rx_queue_index):
		return m->xdp->queue;
	}
	fault(m, "context access");
	return 0;
}

static uint64_t load(struct machine *m, uint64_t addr, unsigned size)
{
	uint64_t v = 0;
	int at;

	if (within(addr, size, &m->ctx, sizeof(m->ctx)))
		return load_ctx(m, addr - ptr(&m->ctx), size);
	at = on_stack(m, addr, size);
	for (unsigned i = 0; at >= 0 && i < size; i++)
		if (!m->written[at + i])
			fault(m, "stack read before written");
	if (at < 0 && !within(addr, size, m->xdp->data, m->xdp->linear)) {
		fault(m, "load out of bounds");
		return 0;
	}
	memcpy(&v, (const void *)(uintptr_t)addr, size); /* little endian */
	return htole64(v);
}

static void store(struct machine *m, uint64_t addr, unsigned size, uint64_t v)
{
	const int at = on_stack(m, addr, size);

	if (at < 0) {
		fault(m, "store out of bounds");
		return;
	}
	v = htole64(v);
	memcpy(m->stack + at, &v, size);
	memset(m->written + at, true, size);
}

static uint64_t load_bytes(struct machine *m)
{
	const uint64_t off = (uint32_t)m->reg[2], len = (uint32_t)m->reg[4];
	const int at = on_stack(m, m->reg[3], len);

	if (m->reg[1] != ptr(&m->ctx) || at < 0 || !len || len > 8) {
		fault(m, "bad call of bpf_xdp_load_bytes");
		return 0;
	}
	memset(m->written + at, true, len);
	if (off > 0xffff || off + len > m->xdp->len) {
		memset(m->stack + at, 0, len);
		return -14;
	}
	memcpy(m->stack + at, m->xdp->data + off, len);
	return 0;
}

static void call(struct machine *m, int helper)
{
	uint64_t r0 = 0;

	switch (helper) {
	case BPF_FUNC_xdp_get_buff_len:
		if (m->reg[1] != ptr(&m->ctx))
			fault(m, "bad call of bpf_xdp_get_buff_len");
		r0 = m->xdp->len;
		break;
	case BPF_FUNC_xdp_load_bytes:
		r0 = load_bytes(m);
		break;
	case BPF_FUNC_get_prandom_u32:
		r0 = pcf_filter_random(&m->random);
		break;
	case BPF_FUNC_get_smp_processor_id:
		r0 = m->xdp->cpu;
		break;
	default:
		fault(m, "unknown helper");
	}
	memset(m->set, 0, 6 * sizeof(*m->set));
	write_reg(m, 0, r0);
}

static uint64_t alu(struct machine *m, int op, uint64_t a, uint64_t b,
		    bool is64)
{
	const unsigned mask = is64 ? 63 : 31;

	switch (op) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
	case BPF_MOD:
		if (!b) {
			fault(m, "division by zero");
			return 0;
		}
		return op == BPF_DIV ? a / b : a % b;
	case BPF_OR:
		return a | b;
	case BPF_AND:
		return a & b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b & mask);
	case BPF_RSH:
		return a >> (b & mask);
	case BPF_NEG:
		return -a;
	case BPF_MOV:
		return b;
	}
	fault(m, "unknown arithmetic");
	return 0;
}

static uint64_t swap(struct machine *m, const struct bpf_insn *f, uint64_t v)
{
	if (f->code != (BPF_ALU | BPF_END | BPF_TO_BE))
		fault(m, "unknown byte swap");
	switch (f->imm) {
	case 16:
		return htobe16(v);
	case 32:
		return htobe32(v);
	}
	return htobe64(v);
}

static void do_alu(struct machine *m, const struct bpf_insn *f)
{
	const bool is64 = BPF_CLASS(f->code) == BPF_ALU64;
	uint64_t a = 0, b = (uint64_t)(int64_t)f->imm;

	if (BPF_OP(f->code) != BPF_MOV)
		a = read_reg(m, f->dst_reg);
	if (BPF_OP(f->code) == BPF_END) {
		write_reg(m, f->dst_reg, swap(m, f, a));
		return;
	}
	if (BPF_SRC(f->code) == BPF_X)
		b = read_reg(m, f->src_reg);
	if (!is64) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	a = alu(m, BPF_OP(f->code), a, b, is64);
	write_reg(m, f->dst_reg, is64 ? a : (uint32_t)a);
}

static bool compare(struct machine *m, const struct bpf_insn *f)
{
	uint64_t a = read_reg(m, f->dst_reg), b = (uint64_t)(int64_t)f->imm;
	int64_t sa, sb;

	if (BPF_SRC(f->code) == BPF_X)
		b = read_reg(m, f->src_reg);
	sa = (int64_t)a;
	sb = (int64_t)b;
	if (BPF_CLASS(f->code) == BPF_JMP32) {
		a = (uint32_t)a;
		b = (uint32_t)b;
		sa = (int32_t)a;
		sb = (int32_t)b;
	}
	switch (BPF_OP(f->code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSET:
		return a & b;
	case BPF_JSGE:
		return sa >= sb;
	case BPF_JSLT:
		return sa < sb;
	}
	fault(m, "unknown jump");
	return false;
}

static unsigned width(int code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	}
	return 8;
}

static void memory(struct machine *m, const struct bpf_insn *f)
{
	const unsigned size = width(f->code);

	switch (BPF_CLASS(f->code)) {
	case BPF_LDX:
		write_reg(m, f->dst_reg,
			  load(m, read_reg(m, f->src_reg) + f->off, size));
		break;
	case BPF_STX:
		store(m, read_reg(m, f->dst_reg) + f->off, size,
		      read_reg(m, f->src_reg));
		break;
	case BPF_ST:
		store(m, read_reg(m, f->dst_reg) + f->off, size, f->imm);
		break;
	default:
		fault(m, "unknown class");
	}
}

/* The 64-bit load takes two instructions. */
static int load64(struct machine *m, const struct bpf_insn *f)
{
	write_reg(m, f->dst_reg,
		  (uint32_t)f[0].imm | (uint64_t)(uint32_t)f[1].imm << 32);
	return 2;
}

/* How far to go on; 0 at exit. */
static int step(struct machine *m, const struct bpf_insn *f)
{
	switch (BPF_CLASS(f->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		do_alu(m, f);
		return 1;
	case BPF_JMP:
	case BPF_JMP32:
		break;
	case BPF_LD:
		return load64(m, f);
	default:
		memory(m, f);
		return 1;
	}
	switch (BPF_OP(f->code)) {
	case BPF_EXIT:
		return 0;
	case BPF_CALL:
		call(m, f->imm);
		return 1;
	case BPF_JA:
		return 1 + f->off;
	}
	return compare(m, f) ? 1 + f->off : 1;
}

uint64_t filter_ebpf_run(const struct bpf_insn *insns, unsigned n,
			 const struct filter_xdp *xdp, const char **why)
{
	struct machine m = { .xdp = xdp, .random = xdp->random };
	unsigned pc = 0, ran = 0;
	int go = 1;

	write_reg(&m, 1, ptr(&m.ctx));
	write_reg(&m, 8, SENTINEL);
	m.reg[10] = ptr(m.stack + STACK);
	m.set[10] = true;
	while (go && !m.fault) {
		if (pc >= n || ran++ > MAX_RUN) {
			fault(&m, pc >= n ? "ran out of the program" : "hangs");
			break;
		}
		go = step(&m, &insns[pc]);
		pc += go;
	}
	if (m.reg[8] != SENTINEL)
		fault(&m, "R8 not kept");
	if (m.reg[6] != ptr(&m.ctx))
		fault(&m, "R6 not kept");
	*why = m.fault;
	return read_reg(&m, 0);
}

int filter_wrap(const struct sock_filter *insns, unsigned n,
		const struct pcf_filter_env *env, struct pcf_ebpf *e, char *why,
		size_t size)
{
	int match, nomatch, out, err;

	pcf_ebpf_init(e);
	match = pcf_ebpf_label(e);
	nomatch = pcf_ebpf_label(e);
	out = pcf_ebpf_label(e);
	pcf_mov64_reg(e, BPF_REG_6, BPF_REG_1);
	err = pcf_filter_compile(insns, n, env, e, match, nomatch, why, size);
	if (err)
		return err;
	pcf_ebpf_bind(e, match);
	pcf_mov64_reg(e, BPF_REG_0, BPF_REG_7);
	pcf_jump_imm(e, BPF_JNE, BPF_REG_0, 0, out);
	pcf_mov32_imm(e, BPF_REG_0, FILTER_BAD_MATCH);
	pcf_ebpf_bind(e, out);
	pcf_exit(e);
	pcf_ebpf_bind(e, nomatch);
	pcf_mov32_imm(e, BPF_REG_0, 0);
	pcf_exit(e);
	return pcf_ebpf_finish(e);
}
