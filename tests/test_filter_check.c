/* SPDX-License-Identifier: BSD-3-Clause */
/* The checker: libpcap's verdict on every program, and a reason. */
#include <errno.h>
#include <stdlib.h>

#include "libpcap-fast/filter/filter.h"
#include "tests/filter_pcap.h"
#include "tests/filter_random.h"
#include "tests/unit.h"

#define RET BPF_STMT(BPF_RET | BPF_K, 1)

static const struct {
	const char *why; /* NULL: valid */
	unsigned n;
	struct sock_filter insns[3];
} cases[] = {
	{ NULL, 1, { RET } },
	{ NULL, 1, { BPF_STMT(BPF_RET | BPF_A, 0) } },
	{ NULL, 2, { BPF_STMT(BPF_LD | BPF_MEM, 15), RET } },
	{ "instruction 0: no such scratch word",
	  2,
	  { BPF_STMT(BPF_LD | BPF_MEM, 16), RET } },
	{ "instruction 0: no such scratch word",
	  2,
	  { BPF_STMT(BPF_ST, 16), RET } },
	{ "instruction 1: no such scratch word",
	  3,
	  { RET, BPF_STMT(BPF_STX, 0xffffffff), RET } },
	{ "instruction 0: unknown load",
	  2,
	  { BPF_STMT(BPF_LD | 0xc0, 0), RET } },
	{ "instruction 0: division by zero",
	  2,
	  { BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RET } },
	{ "instruction 0: division by zero",
	  2,
	  { BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 0), RET } },
	{ NULL, 2, { BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), RET } },
	{ "instruction 0: unknown arithmetic",
	  2,
	  { BPF_STMT(BPF_ALU | 0xf0, 0), RET } },
	{ "instruction 0: unknown jump",
	  2,
	  { BPF_STMT(BPF_JMP | 0x50, 0), RET } },
	{ "instruction 0: jump out of the program",
	  2,
	  { BPF_STMT(BPF_JMP | BPF_JA, 1), RET } },
	{ NULL, 3, { RET, BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff), RET } },
	{ "instruction 0: jump out of the program",
	  2,
	  { BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 0, 1), RET } },
	{ "instruction 1: the program does not end by returning",
	  2,
	  { RET, BPF_STMT(BPF_LD | BPF_IMM, 0) } },
};

static void reasons(void)
{
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char why[80] = "untouched";
		const int r = pcf_filter_check(cases[i].insns, cases[i].n, why,
					       sizeof(why));

		CU_ASSERT_EQUAL(r, cases[i].why ? -EINVAL : 0);
		CU_ASSERT_STRING_EQUAL(why, cases[i].why ? cases[i].why : "");
		CU_ASSERT_EQUAL(
			!r, !!filter_pcap_validate(cases[i].insns, cases[i].n));
	}
}

static void empty(void)
{
	const struct sock_filter ret = RET;
	char why[80];

	CU_ASSERT_EQUAL(pcf_filter_check(NULL, 0, why, sizeof(why)), -EINVAL);
	CU_ASSERT_EQUAL(pcf_filter_check(&ret, 0, why, sizeof(why)), -EINVAL);
	CU_ASSERT_STRING_EQUAL(why, "instruction 0: the program is empty");
	CU_ASSERT_EQUAL(pcf_filter_check(&ret, 0, NULL, 0), -EINVAL);
}

static void reason_cut_to_size(void)
{
	const struct sock_filter bad = BPF_STMT(BPF_LD | BPF_IMM, 0);
	char why[10] = "xxxxxxxxx";

	CU_ASSERT_EQUAL(pcf_filter_check(&bad, 1, why, 6), -EINVAL);
	CU_ASSERT_STRING_EQUAL(why, "instr");
	CU_ASSERT_EQUAL(why[6], 'x');
}

static void longest_program(void)
{
	const unsigned n = 65535;
	struct sock_filter *insns = calloc(n, sizeof(*insns));
	char why[80];

	CU_ASSERT_EQUAL(pcf_filter_check(insns, n, why, sizeof(why)), -EINVAL);
	insns[n - 1].code = BPF_RET;
	CU_ASSERT_EQUAL(pcf_filter_check(insns, n, why, sizeof(why)), 0);
	free(insns);
}

static void same_as_libpcap(void)
{
	struct filter_rng r = { 42 };
	struct sock_filter insns[8];
	unsigned valid = 0;

	for (int i = 0; i < 300000; i++) {
		const unsigned n = filter_random_junk(&r, insns, 8);
		const int want = filter_pcap_validate(insns, n);

		CU_ASSERT_EQUAL_FATAL(!pcf_filter_check(insns, n, NULL, 0),
				      !!want);
		valid += want;
	}
	CU_ASSERT(valid > 1000);
}

static CU_TestInfo tests[] = { PCF_TEST(reasons),
			       PCF_TEST(empty),
			       PCF_TEST(reason_cut_to_size),
			       PCF_TEST(longest_program),
			       PCF_TEST(same_as_libpcap),
			       CU_TEST_INFO_NULL };

int main(void)
{
	return pcf_run_tests("filter check", tests);
}
