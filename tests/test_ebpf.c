/* SPDX-License-Identifier: BSD-3-Clause */
/* The eBPF buffer: labels, jumps of any length, errors that stick. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "libpcap-fast/filter/print.h"
#include "tests/filter_ebpf.h"
#include "tests/unit.h"

static uint64_t run(const struct pcf_ebpf *e)
{
	const struct filter_xdp xdp = { .data = (const uint8_t *)"",
					.stack = PCF_FILTER_STACK };
	const char *fault;
	const uint64_t r0 = filter_ebpf_run(e->insns, e->len, &xdp, &fault);

	CU_ASSERT_PTR_NULL(fault);
	return r0;
}

static void begin(struct pcf_ebpf *e)
{
	pcf_ebpf_init(e);
	pcf_mov64_reg(e, BPF_REG_6, BPF_REG_1);
	pcf_mov32_imm(e, BPF_REG_0, 1);
}

static void fill(struct pcf_ebpf *e, unsigned n)
{
	while (n--)
		pcf_alu32_imm(e, BPF_ADD, BPF_REG_0, 1);
}

static void jumps_both_ways(void)
{
	struct pcf_ebpf e;
	int ahead, back;

	begin(&e);
	ahead = pcf_ebpf_label(&e);
	back = pcf_ebpf_label(&e);
	pcf_ja(&e, ahead);
	pcf_ebpf_bind(&e, back);
	pcf_alu32_imm(&e, BPF_ADD, BPF_REG_0, 10);
	pcf_exit(&e);
	pcf_ebpf_bind(&e, ahead);
	pcf_jump32_imm(&e, BPF_JEQ, BPF_REG_0, 1, back);
	pcf_exit(&e);
	CU_ASSERT_EQUAL(pcf_ebpf_finish(&e), 0);
	CU_ASSERT_EQUAL(e.len, 7);
	CU_ASSERT_EQUAL(run(&e), 11);
	pcf_ebpf_free(&e);
}

static void label_never_bound(void)
{
	struct pcf_ebpf e;

	begin(&e);
	pcf_ja(&e, pcf_ebpf_label(&e));
	CU_ASSERT_EQUAL(pcf_ebpf_finish(&e), -EINVAL);
	CU_ASSERT_EQUAL(pcf_ebpf_finish(&e), -EINVAL);
	pcf_ebpf_free(&e);
}

static void errors_stick(void)
{
	struct pcf_ebpf e;
	unsigned len;

	begin(&e);
	len = e.len;
	pcf_ebpf_no_memory(&e);
	pcf_exit(&e);
	pcf_ebpf_bind(&e, pcf_ebpf_label(&e));
	CU_ASSERT_EQUAL(e.len, len);
	CU_ASSERT_EQUAL(pcf_ebpf_finish(&e), -ENOMEM);
	pcf_ebpf_free(&e);
}

/* Over `n` instructions and back again, from several places. */
static void jump_over(unsigned n)
{
	struct pcf_ebpf e;
	int ahead, back, wrong;

	begin(&e);
	ahead = pcf_ebpf_label(&e);
	back = pcf_ebpf_label(&e);
	wrong = pcf_ebpf_label(&e);
	pcf_jump32_imm(&e, BPF_JNE, BPF_REG_0, 1, wrong);
	pcf_jump32_imm(&e, BPF_JEQ, BPF_REG_0, 1, ahead);
	pcf_ja(&e, wrong);
	pcf_ebpf_bind(&e, back);
	pcf_jump32_imm(&e, BPF_JNE, BPF_REG_0, 3, wrong);
	fill(&e, n);
	pcf_exit(&e);
	pcf_ebpf_bind(&e, wrong);
	pcf_mov32_imm(&e, BPF_REG_0, 0);
	pcf_exit(&e);
	pcf_ebpf_bind(&e, ahead);
	pcf_mov32_imm(&e, BPF_REG_0, 3);
	pcf_ja(&e, back);
	CU_ASSERT_EQUAL(pcf_ebpf_finish(&e), 0);
	CU_ASSERT_EQUAL(run(&e), n + 3);
	pcf_ebpf_free(&e);
}

static void long_jumps(void)
{
	static const unsigned lengths[] = { 0,	   8190,  32700, 32764,
					    32765, 32766, 32767, 32770,
					    40000, 70000, 300000 };

	for (unsigned i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		jump_over(lengths[i]);
}

/* Is every instruction jumped to or come to from the one before? */
static bool no_dead_code(const struct pcf_ebpf *e)
{
	bool *reached = calloc(e->len + 1, sizeof(*reached));
	bool all = true;

	reached[0] = true;
	for (unsigned i = 0; i < e->len; i++) {
		const int code = e->insns[i].code;
		const bool jump = BPF_CLASS(code) == BPF_JMP ||
				  BPF_CLASS(code) == BPF_JMP32;

		if (jump && BPF_OP(code) != BPF_EXIT)
			reached[i + 1 + e->insns[i].off] = true;
		if (code != (BPF_JMP | BPF_JA) && code != (BPF_JMP | BPF_EXIT))
			reached[i + 1] = true;
	}
	for (unsigned i = 0; i < e->len; i++)
		all = all && reached[i];
	free(reached);
	return all;
}

/* An island where control never falls through needs no jump over it. */
static void islands_behind_jumps(void)
{
	enum { N = 30000 };
	struct pcf_ebpf e;
	int last, next;

	begin(&e);
	last = pcf_ebpf_label(&e);
	for (int i = 0; i < N; i++) { /* test, jump to the next test */
		next = pcf_ebpf_label(&e);
		pcf_jump32_imm(&e, BPF_JEQ, BPF_REG_0, i ? 0 : 2, last);
		pcf_ja(&e, next);
		pcf_ebpf_bind(&e, next);
	}
	pcf_mov32_imm(&e, BPF_REG_0, 5);
	pcf_ebpf_bind(&e, last);
	pcf_exit(&e);
	CU_ASSERT_EQUAL(pcf_ebpf_finish(&e), 0);
	CU_ASSERT_EQUAL(run(&e), 5);
	CU_ASSERT(no_dead_code(&e));
	pcf_ebpf_free(&e);
}

/* Nothing but far jumps with a label each; 64-bit loads where islands would
 * like to be. Walks all of them: sum of 0 .. n-1. */
static void many_long_jumps(void)
{
	enum { N = 2000, GAP = 24 };
	struct pcf_ebpf e;
	int label[2 * N];

	begin(&e);
	pcf_mov32_imm(&e, BPF_REG_0, 0);
	for (int i = 0; i < 2 * N; i++)
		label[i] = pcf_ebpf_label(&e);
	for (int i = 0; i < N; i++) { /* i jumps to N + i, that to i + 1 */
		pcf_ebpf_bind(&e, label[i]);
		pcf_ja(&e, label[N + i]);
		for (int j = 0; j < GAP; j++)
			pcf_load_imm64(&e, BPF_REG_0, 99);
	}
	for (int i = 0; i < N; i++) {
		pcf_ebpf_bind(&e, label[N + i]);
		pcf_alu32_imm(&e, BPF_ADD, BPF_REG_0, i);
		if (i < N - 1)
			pcf_ja(&e, label[i + 1]);
		else
			pcf_exit(&e);
		for (int j = 0; j < GAP; j++)
			pcf_load_imm64(&e, BPF_REG_0, 99);
	}
	CU_ASSERT_EQUAL(pcf_ebpf_finish(&e), 0);
	CU_ASSERT_EQUAL(run(&e), N * (N - 1) / 2);
	for (unsigned i = 0; i < e.len; i++)
		if (e.insns[i].code == (BPF_LD | BPF_DW | BPF_IMM))
			CU_ASSERT_EQUAL_FATAL(e.insns[++i].code, 0);
	pcf_ebpf_free(&e);
}

static void emit_some(struct pcf_ebpf *e)
{
	const int end = pcf_ebpf_label(e);

	pcf_mov64_reg(e, 6, 1);
	pcf_mov32_imm(e, 7, 0x800);
	pcf_alu64_reg(e, BPF_ADD, 6, 7);
	pcf_alu32_imm(e, BPF_NEG, 7, 0);
	pcf_to_be(e, 7, 16);
	pcf_load(e, BPF_H, 7, 3, 12);
	pcf_store(e, BPF_W, 10, -8, 7);
	pcf_store_imm(e, BPF_DW, 10, -16, -1);
	pcf_atomic_add64(e, 1, 8, 2);
	pcf_jump32_imm(e, BPF_JNE, 7, 0x86dd, end);
	pcf_jump_reg(e, BPF_JGT, 1, 2, end);
	pcf_load_imm64(e, 1, 0x123456789abcdef0);
	pcf_load_map_fd(e, 1, 5);
	pcf_load_map_value(e, 1, 5, 64);
	pcf_call(e, 12);
	pcf_ja(e, end);
	pcf_ebpf_bind(e, end);
	pcf_exit(e);
	pcf_ebpf_emit(e, (struct bpf_insn){ .code = 0xff });
}

static void prints(void)
{
	static const char want[] = "   0: r6 = r1\n"
				   "   1: w7 = 0x800\n"
				   "   2: r6 += r7\n"
				   "   3: w7 = -w7\n"
				   "   4: r7 = be16 r7\n"
				   "   5: r7 = *(u16 *)(r3 +12)\n"
				   "   6: *(u32 *)(r10 -8) = r7\n"
				   "   7: *(u64 *)(r10 -16) = -1\n"
				   "   8: lock *(u64 *)(r1 +8) += r2\n"
				   "   9: if w7 != 0x86dd goto 19\n"
				   "  10: if r1 > r2 goto 19\n"
				   "  11: r1 = 0x123456789abcdef0\n"
				   "  13: r1 = map fd 5\n"
				   "  15: r1 = map fd 5 value + 64\n"
				   "  17: call #12\n"
				   "  18: goto 19\n"
				   "  19: exit\n"
				   "  20: (ff)\n";
	struct pcf_ebpf e;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	pcf_ebpf_init(&e);
	emit_some(&e);
	CU_ASSERT_EQUAL(pcf_ebpf_finish(&e), 0);
	CU_ASSERT_EQUAL(pcf_ebpf_print(out, e.insns, e.len), 0);
	fclose(out);
	CU_ASSERT_STRING_EQUAL(text, want);
	free(text);
	pcf_ebpf_free(&e);
}

static CU_TestInfo tests[] = { PCF_TEST(jumps_both_ways),
			       PCF_TEST(label_never_bound),
			       PCF_TEST(errors_stick),
			       PCF_TEST(long_jumps),
			       PCF_TEST(islands_behind_jumps),
			       PCF_TEST(many_long_jumps),
			       PCF_TEST(prints),
			       CU_TEST_INFO_NULL };

int main(void)
{
	return pcf_run_tests("ebpf", tests);
}
