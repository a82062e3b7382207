/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The compiler: refusals with reasons, what must be in the code and what not,
 * long programs, and every frame length around the edges. All that runs does
 * so on the small machine and, as root, in the kernel.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/filter_compare.h"
#include "tests/filter_frames.h"
#include "tests/filter_kernel.h"
#include "tests/filter_random.h"
#include "tests/unit.h"

#define RET	BPF_STMT(BPF_RET | BPF_K, 0xffff)
#define ABS(k)	BPF_STMT(BPF_LD | BPF_ABS | BPF_B, k)
#define IND(k)	BPF_STMT(BPF_LD | BPF_IND | BPF_W, k)
#define AD(n)	ABS((uint32_t)SKF_AD_OFF + (n))
#define NEXT(k) BPF_JUMP(BPF_JMP | BPF_JEQ, k, 0, 0)

static bool is_root(void)
{
	return !geteuid();
}

static const struct {
	int err;
	const char *why;
	unsigned n;
	struct sock_filter insns[3];
} refusals[] = {
	{ -EINVAL,
	  "instruction 0: the program does not end by returning",
	  1,
	  { BPF_STMT(BPF_LD, 0) } },
	{ -EOPNOTSUPP,
	  "instruction 1: backward jump",
	  3,
	  { ABS(0), BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)-2), RET } },
	{ -EOPNOTSUPP,
	  "instruction 0: ancillary load without a meaning in XDP",
	  2,
	  { AD(SKF_AD_RXHASH), RET } },
	{ -EOPNOTSUPP,
	  "instruction 0: ancillary load without a meaning in XDP",
	  2,
	  { AD(SKF_AD_PAY_OFFSET), RET } },
	{ -EOPNOTSUPP,
	  "instruction 0: ancillary load without a meaning in XDP",
	  2,
	  { AD(SKF_AD_NLATTR), RET } },
	{ -EOPNOTSUPP,
	  "instruction 0: ancillary load without a meaning in XDP",
	  2,
	  { AD(99), RET } },
	{ -EOPNOTSUPP,
	  "instruction 0: constant shift by 32 or more",
	  2,
	  { BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), RET } },
	{ -EOPNOTSUPP,
	  "instruction 0: opcode that no kernel knows",
	  2,
	  { BPF_STMT(BPF_LDX | BPF_IND, 0), RET } },
	{ -EOPNOTSUPP,
	  "instruction 0: opcode that no kernel knows",
	  2,
	  { BPF_STMT(BPF_ALU | BPF_NEG | BPF_X, 0), RET } },
	{ -EOPNOTSUPP,
	  "instruction 0: opcode that no kernel knows",
	  2,
	  { BPF_STMT(BPF_JMP | BPF_JA | BPF_X, 0), RET } },
	{ -EOPNOTSUPP,
	  "instruction 1: opcode that no kernel knows",
	  2,
	  { ABS(0), BPF_STMT(BPF_RET | BPF_X, 0) } },
	{ -EOPNOTSUPP,
	  "instruction 0: opcode that no kernel knows",
	  2,
	  { BPF_STMT(0x1000 | BPF_ALU, 0), RET } },
};

static void refuses(void)
{
	for (unsigned i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		struct filter_case c;

		filter_case_init(&c, refusals[i].insns, refusals[i].n, NULL);
		CU_ASSERT_EQUAL(c.compiled, refusals[i].err);
		CU_ASSERT_STRING_EQUAL(c.why, refusals[i].why);
		filter_case_free(&c);
	}
}

/* Compile, load where allowed, and try a frame at every length. */
static void agrees(const struct sock_filter *insns, unsigned n,
		   const uint8_t *data, uint32_t max)
{
	struct filter_case c;
	uint8_t *cut;

	filter_case_init(&c, insns, n, NULL);
	CU_ASSERT_EQUAL(c.compiled, 0);
	if (is_root())
		CU_ASSERT_EQUAL(filter_case_load(&c, NULL, 0), 0);
	for (uint32_t len = 14; len <= max; len++) {
		cut = malloc(len); /* so that a sanitizer sees the end */
		memcpy(cut, data, len);
		CU_ASSERT_EQUAL(filter_case_run(&c, cut, len), 0);
		free(cut);
	}
	filter_case_free(&c);
}

static const uint8_t ipv4[48] = {
	2,  0, 0,  0, 0, 1, 2, 0,  0,  0,  0, 2,  8, 0,	 0x46,
	0,  0, 34, 0, 1, 0, 0, 64, 17, 0,  0, 10, 0, 0,	 1,
	10, 0, 0,  2, 1, 1, 1, 0,  0,  53, 0, 53, 0, 10,
};

/* The same behind a tag. */
static const uint8_t *tagged_ipv4(void)
{
	static uint8_t f[52];

	memcpy(f, ipv4, 12);
	memcpy(f + 12, "\x81\x00\x20\x07", 4);
	memcpy(f + 16, ipv4 + 12, 36);
	return f;
}

static void both(const struct sock_filter *insns, unsigned n)
{
	agrees(insns, n, ipv4, sizeof(ipv4));
	agrees(insns, n, tagged_ipv4(), 52);
}

/* Accepts short frames on one path and long ones on another: a check for the
 * long one must not come first. */
static void early_exit(void)
{
	static const struct sock_filter insns[] = {
		ABS(13), BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 0, 1), RET, ABS(40),
		RET,
	};
	static const struct sock_filter two[] = {
		ABS(20),
		BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 0, 1),
		ABS(30),
		ABS(25),
		BPF_JUMP(BPF_JMP | BPF_JGT, 9, 1, 0),
		RET,
		ABS(44),
		RET,
	};

	both(insns, 5);
	both(two, 8);
}

static void around_the_tag(void)
{
	static const uint16_t sizes[] = { BPF_B, BPF_H, BPF_W };

	for (unsigned s = 0; s < 3; s++) {
		for (uint32_t k = 6; k < 18; k++) {
			struct sock_filter f[] = {
				BPF_STMT(BPF_LD | BPF_ABS | sizes[s], k),
				BPF_STMT(BPF_RET | BPF_A, 0),
				BPF_STMT(BPF_RET | BPF_A, 0),
			};

			both(f, 2);
			f[0] = (struct sock_filter)BPF_STMT(BPF_LDX, k);
			f[1] = (struct sock_filter)BPF_STMT(
				BPF_LD | BPF_IND | sizes[s], 0);
			both(f, 3);
			f[0].k += (uint32_t)SKF_LL_OFF;
			both(f, 3);
		}
	}
}

static void ancillary(void)
{
	static const uint32_t what[] = {
		SKF_AD_PROTOCOL,  SKF_AD_PKTTYPE,   SKF_AD_MARK,
		SKF_AD_HATYPE,	  SKF_AD_VLAN_TAG,  SKF_AD_VLAN_TAG_PRESENT,
		SKF_AD_VLAN_TPID, SKF_AD_ALU_XOR_X, SKF_AD_RANDOM,
	};
	uint8_t llc[40] = { 255, 255, 255, 255, 255, 255, 2,   0,
			    0,	 0,   0,   2,	0,   20,  255, 255 };

	for (unsigned i = 0; i < sizeof(what) / sizeof(*what); i++) {
		const struct sock_filter f[] = {
			BPF_STMT(BPF_LDX | BPF_LEN, 0), AD(what[i]),
			BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
			BPF_STMT(BPF_RET | BPF_A, 0)
		};

		both(f, 4);
		agrees(f, 4, llc, sizeof(llc));
	}
}

/* A, X and M[] begin as zero. */
static void initial_values(void)
{
	static const struct sock_filter f[] = {
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
		BPF_STMT(BPF_ST, 1),
		NEXT(1),
		BPF_STMT(BPF_LD | BPF_MEM, 9),
		BPF_STMT(BPF_LDX | BPF_MEM, 1),
		BPF_STMT(BPF_ALU | BPF_OR | BPF_X, 0),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 3),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};

	both(f, 8);
}

static void never_and_always(void)
{
	static const struct sock_filter never[] = { BPF_STMT(BPF_RET, 0) };
	static const struct sock_filter beyond[] = { ABS(0x10000), RET };
	static const struct sock_filter always[] = { RET };
	static const struct sock_filter divides[] = {
		ABS(13), BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), RET
	};

	both(never, 1);
	both(beyond, 2);
	both(always, 1);
	both(divides, 3);
}

/* A frame of 9,000 bytes, in pieces where the machine has pieces. */
static void far_offsets(void)
{
	static const uint32_t at[] = { 100,  3000,  5000,  8990,  8996,
				       8997, 32767, 32768, 60000, 0xfff0 };
	static uint8_t jumbo[2][9000];

	for (unsigned i = 0; i < 9000; i++)
		jumbo[0][i] = jumbo[1][i] = i * 7;
	memcpy(jumbo[0] + 12, "\x08\x00", 2);
	memcpy(jumbo[1] + 12, "\x88\xa8", 2);
	for (unsigned i = 0; i < 2 * sizeof(at) / sizeof(*at); i++) {
		const struct sock_filter f[] = {
			BPF_STMT(BPF_LDX, i % 2 ? at[i / 2] : 0),
			IND(i % 2 ? 0 : at[i / 2]),
			BPF_STMT(BPF_LD | BPF_ABS | BPF_W, at[i / 2]),
			BPF_STMT(BPF_RET | BPF_A, 0),
		};
		struct filter_case c;

		filter_case_init(&c, f, 4, NULL);
		CU_ASSERT_EQUAL(c.compiled, 0);
		if (is_root())
			CU_ASSERT_EQUAL(filter_case_load(&c, NULL, 0), 0);
		CU_ASSERT_EQUAL(filter_case_run(&c, jumbo[0], 9000), 0);
		CU_ASSERT_EQUAL(filter_case_run(&c, jumbo[1], 9000), 0);
		filter_case_free(&c);
	}
}

/* libpcap's code for "udp port 53": the code of the common case is short. */
static void one_check_for_many_loads(void)
{
	static const struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ, 0x800, 0, 5),
		ABS(23),
		BPF_JUMP(BPF_JMP | BPF_JEQ, 17, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 26),
		BPF_JUMP(BPF_JMP | BPF_JEQ, 0x0a000001, 0, 1),
		RET,
		BPF_STMT(BPF_RET, 0),
	};
	unsigned checks = 0;
	struct filter_case c;

	filter_case_init(&c, f, 8, NULL);
	for (unsigned i = 0; i < c.code[0].len; i++)
		checks +=
			c.code[0].insns[i].code == (BPF_JMP | BPF_JGT | BPF_X);
	CU_ASSERT_EQUAL(checks, 2); /* one untagged, one tagged */
	CU_ASSERT(c.code[0].len <= 32);
	filter_case_free(&c);
	both(f, 8);
}

/* The longest program that the kernel takes as a socket filter. */
static void long_program(struct sock_filter *f, unsigned n)
{
	struct filter_case c;

	filter_case_init(&c, f, n, NULL);
	CU_ASSERT_EQUAL(c.compiled, 0);
	if (is_root())
		CU_ASSERT_EQUAL(filter_case_load(&c, NULL, 0), 0);
	CU_ASSERT_EQUAL(filter_case_run(&c, ipv4, sizeof(ipv4)), 0);
	CU_ASSERT_EQUAL(filter_case_run(&c, tagged_ipv4(), 52), 0);
	filter_case_free(&c);
}

/* Like "host a or host b or ...". */
static void long_or(void)
{
	enum { N = 4096 };
	struct sock_filter *f = calloc(N, sizeof(*f));

	f[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 26);
	for (unsigned i = 1; i < N - 2; i += 2) {
		f[i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ,
						    0x0a000002 + N - i, 0, 1);
		f[i + 1] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA,
							N - 3 - i);
	}
	f[N - 2] = (struct sock_filter)BPF_STMT(BPF_RET, 0);
	f[N - 1] = (struct sock_filter)RET;
	long_program(f, N);
	free(f);
}

/* Indexed loads take the most code: jumps of far more than 16 bits. */
static void long_indexed(void)
{
	enum { N = 4096 };
	struct sock_filter *f = calloc(N, sizeof(*f));

	for (unsigned i = 0; i < N - 2; i += 3) {
		f[i] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_ABS | BPF_B,
						    i % 40);
		f[i + 1] = (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TAX, 0);
		f[i + 2] = (struct sock_filter)IND(0xffffff00);
	}
	f[0] = (struct sock_filter)ABS(13); /* 0: runs to the end */
	f[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 0, 1);
	f[2] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, N - 4);
	f[N - 1] = (struct sock_filter)RET;
	long_program(f, N);
	free(f);
}

/* Labels and lengths of what goes to the machine stay right at any size. */
static void random_long_programs(void)
{
	struct sock_filter *f = calloc(4096, sizeof(*f));
	struct filter_rng r = { 11 };
	static uint8_t frame[200];

	for (int i = 0; i < 60; i++) {
		const unsigned n = filter_random_program(&r, f, 4096);
		struct filter_case c;

		filter_case_init(&c, f, n, NULL);
		CU_ASSERT_EQUAL(c.compiled, 0);
		for (int j = 0; j < 20; j++) {
			const uint32_t len =
				filter_random_frame(&r, frame, 200);

			CU_ASSERT_EQUAL(filter_case_run(&c, frame, len), 0);
		}
		filter_case_free(&c);
	}
	free(f);
}

static void too_long(void)
{
	const unsigned n = 65535;
	struct sock_filter *f = calloc(n, sizeof(*f));
	struct filter_case c;

	for (unsigned i = 0; i < n - 2; i += 2) {
		f[i] = (struct sock_filter)BPF_STMT(BPF_LDX | BPF_MEM, 0);
		f[i + 1] = (struct sock_filter)IND(0);
	}
	f[n - 1] = (struct sock_filter)RET;
	filter_case_init(&c, f, n, NULL);
	CU_ASSERT_EQUAL(c.compiled, -E2BIG);
	CU_ASSERT_EQUAL(strncmp(c.why, "too long: ", 10), 0);
	filter_case_free(&c);
	free(f);
}

static void queue_counts_from_one(void)
{
	static const struct sock_filter f[] = { AD(SKF_AD_QUEUE),
						BPF_STMT(BPF_RET | BPF_A, 0) };
	const struct filter_xdp xdp = { .data = ipv4,
					.linear = 40,
					.len = 40,
					.ifindex = 1,
					.queue = 6,
					.stack = PCF_FILTER_STACK };
	struct filter_case c;
	const char *fault;

	filter_case_init(&c, f, 2, NULL);
	CU_ASSERT_EQUAL(
		filter_ebpf_run(c.code[0].insns, c.code[0].len, &xdp, &fault),
		7);
	CU_ASSERT_PTR_NULL(fault);
	filter_case_free(&c);
}

static uint64_t on_machine(const struct filter_case *c, int version,
			   struct filter_xdp *xdp)
{
	const char *fault;
	uint64_t got = filter_ebpf_run(c->code[version].insns,
				       c->code[version].len, xdp, &fault);

	CU_ASSERT_PTR_NULL(fault);
	return got;
}

/* The packet's bytes are at hand before and after the call of a helper, and A,
 * X and M keep their values over it. */
static void asks_for_the_processor(void)
{
	static const struct sock_filter f[] = {
		ABS(12),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_ST, 3),
		AD(SKF_AD_CPU),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
		BPF_STMT(BPF_ST, 4),
		ABS(14),
		BPF_STMT(BPF_LDX | BPF_MEM, 4),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
		BPF_STMT(BPF_RET | BPF_A, 0)
	};
	struct filter_xdp xdp = { .data = ipv4,
				  .linear = 40,
				  .len = 40,
				  .stack = PCF_FILTER_STACK,
				  .cpu = 5 };
	struct filter_case c;

	filter_case_init(&c, f, 10, NULL);
	CU_ASSERT_EQUAL(c.compiled, 0);
	for (int version = 0; version < 2; version++)
		CU_ASSERT_EQUAL(on_machine(&c, version, &xdp),
				ipv4[12] + 5 + ipv4[14]);
	if (is_root())
		CU_ASSERT_EQUAL(filter_case_load(&c, NULL, 0), 0);
	filter_case_free(&c);
}

/* How many of 4,000 packets a random number with this bit lets through. */
static unsigned by_chance(unsigned bit)
{
	const struct sock_filter f[] = {
		AD(SKF_AD_RANDOM),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1u << bit, 0, 1),
		BPF_STMT(BPF_RET, 1),
		BPF_STMT(BPF_RET, 0),
	};
	struct filter_case c;
	unsigned n = 0;
	uint32_t got;

	filter_case_init(&c, f, 4, NULL);
	CU_ASSERT_EQUAL_FATAL(filter_case_load(&c, NULL, 0), 0);
	for (int i = 0; i < 4000; i++) {
		CU_ASSERT_EQUAL_FATAL(
			filter_kernel_run(c.loaded[i % 2], ipv4, 40, &got), 0);
		n += got;
	}
	filter_case_free(&c);
	return n;
}

/* Half of them, give or take 5 standard deviations (32). */
static void random_in_the_kernel(void)
{
	if (!is_root()) {
		pcf_skip("loading programs needs root");
		return;
	}
	for (unsigned bit = 0; bit < 32; bit += 31) {
		const unsigned n = by_chance(bit);

		CU_ASSERT(n > 1840 && n < 2160);
	}
}

static void loads_if_root(void)
{
	if (!is_root())
		pcf_skip("loading programs needs root");
}

static CU_TestInfo tests[] = { PCF_TEST(refuses),
			       PCF_TEST(early_exit),
			       PCF_TEST(around_the_tag),
			       PCF_TEST(ancillary),
			       PCF_TEST(initial_values),
			       PCF_TEST(never_and_always),
			       PCF_TEST(far_offsets),
			       PCF_TEST(one_check_for_many_loads),
			       PCF_TEST(long_or),
			       PCF_TEST(long_indexed),
			       PCF_TEST(random_long_programs),
			       PCF_TEST(too_long),
			       PCF_TEST(queue_counts_from_one),
			       PCF_TEST(asks_for_the_processor),
			       PCF_TEST(random_in_the_kernel),
			       PCF_TEST(loads_if_root),
			       CU_TEST_INFO_NULL };

int main(void)
{
	return pcf_run_tests("filter compile", tests);
}
