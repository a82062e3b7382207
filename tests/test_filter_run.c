/* SPDX-License-Identifier: BSD-3-Clause */
/* The interpreter: each instruction, and the virtual untagged frame. */
#include <linux/if_packet.h>
#include <string.h>

#include "libpcap-fast/filter/filter.h"
#include "tests/unit.h"

#define MAX 8

static const uint8_t plain[] = {
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x08, 0x00,
	0x45, 15, 16, 17, 18, 19, 20, 21, 22, 23,
};
static const uint8_t tagged[] = {
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x81, 0x00, 0xf0, 0x07,
	0x08, 0x00, 0x45, 15, 16, 17, 18, 19, 20, 21, 22, 23,
};

static uint32_t run(const uint8_t *data, uint32_t len, uint32_t wire,
		    const struct sock_filter *insns)
{
	const struct pcf_frame f = { data, len, wire, 77,
				     3,	   PACKET_OUTGOING, 1 };

	return pcf_filter_run(insns, &f);
}

/* Each case leaves its result in A. */
static const struct {
	uint32_t want;		/* also for the tagged frame */
	struct sock_filter insns[MAX];
} cases[] = {
#define A_IS(k) BPF_STMT(BPF_LD | BPF_IMM, k)
#define X_IS(k) BPF_STMT(BPF_LDX | BPF_IMM, k)
#define DONE	BPF_STMT(BPF_RET | BPF_A, 0)
#define ALU(op, k) BPF_STMT(BPF_ALU | op | BPF_K, k)
#define ALUX(op) BPF_STMT(BPF_ALU | op | BPF_X, 0)
#define ABS(size, k) BPF_STMT(BPF_LD | BPF_ABS | size, k)
#define IND(size, k) BPF_STMT(BPF_LD | BPF_IND | size, k)
#define AD(what) ABS(BPF_W, (uint32_t)SKF_AD_OFF + (what))
	{ 7, { A_IS(5), ALU(BPF_ADD, 2), DONE } },
	{ 0xfffffffe, { A_IS(5), ALU(BPF_SUB, 7), DONE } },
	{ 0x80000000, { A_IS(0x40000000), ALU(BPF_MUL, 6), DONE } },
	{ 3, { A_IS(17), ALU(BPF_DIV, 5), DONE } },
	{ 2, { A_IS(17), ALU(BPF_MOD, 5), DONE } },
	{ 0x7fffffff, { A_IS(0xffffffff), ALU(BPF_DIV, 2), DONE } },
	{ 0x11, { A_IS(0x31), ALU(BPF_AND, 0x1f), DONE } },
	{ 0x3f, { A_IS(0x31), ALU(BPF_OR, 0x1f), DONE } },
	{ 0x2e, { A_IS(0x31), ALU(BPF_XOR, 0x1f), DONE } },
	{ 0x310, { A_IS(0x31), ALU(BPF_LSH, 4), DONE } },
	{ 0x3, { A_IS(0x31), ALU(BPF_RSH, 4), DONE } },
	{ 0xffffffcf, { A_IS(0x31), ALU(BPF_NEG, 0), DONE } },
	{ 2, { A_IS(1), X_IS(33), ALUX(BPF_LSH), DONE } },
	{ 0x40000000, { A_IS(0x80000000), X_IS(33), ALUX(BPF_RSH), DONE } },
	{ 1, { A_IS(1), X_IS(32), ALUX(BPF_LSH), DONE } },
	{ 2, { A_IS(1), ALU(BPF_LSH, 33), DONE } },
	{ 0, { A_IS(1), ALUX(BPF_DIV), DONE } },
	{ 0, { A_IS(1), ALUX(BPF_MOD), BPF_STMT(BPF_RET, 9) } },
	{ 4, { A_IS(20), X_IS(5), ALUX(BPF_DIV), DONE } },
	{ 9, { X_IS(9), BPF_STMT(BPF_MISC | BPF_TXA, 0), DONE } },
	{ 8, { A_IS(4), BPF_STMT(BPF_MISC | BPF_TAX, 0), ALUX(BPF_ADD),
	       DONE } },
	{ 5, { A_IS(5), BPF_STMT(BPF_ST, 3), A_IS(6),
	       BPF_STMT(BPF_LD | BPF_MEM, 3), DONE } },
	{ 6, { X_IS(6), BPF_STMT(BPF_STX, 15),
	       BPF_STMT(BPF_LD | BPF_MEM, 15), DONE } },
	{ 1, { BPF_STMT(BPF_LDX | BPF_MEM, 2), ALUX(BPF_ADD), ALU(BPF_ADD, 1),
	       DONE } },
	/* branches */
	{ 1, { A_IS(5), BPF_JUMP(BPF_JMP | BPF_JEQ, 5, 0, 1),
	       BPF_STMT(BPF_RET, 1), BPF_STMT(BPF_RET, 2) } },
	{ 2, { A_IS(5), BPF_JUMP(BPF_JMP | BPF_JGT, 5, 0, 1),
	       BPF_STMT(BPF_RET, 1), BPF_STMT(BPF_RET, 2) } },
	{ 1, { A_IS(0x80000005), BPF_JUMP(BPF_JMP | BPF_JGE, 5, 0, 1),
	       BPF_STMT(BPF_RET, 1), BPF_STMT(BPF_RET, 2) } },
	{ 2, { A_IS(5), BPF_JUMP(BPF_JMP | BPF_JSET, 10, 0, 1),
	       BPF_STMT(BPF_RET, 1), BPF_STMT(BPF_RET, 2) } },
	{ 1, { A_IS(5), X_IS(5), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1),
	       BPF_STMT(BPF_RET, 1), BPF_STMT(BPF_RET, 2) } },
	{ 2, { BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_RET, 1),
	       BPF_STMT(BPF_RET, 2) } },
	/* bytes; the tag is not there */
	{ 1, { ABS(BPF_B, 0), DONE } },
	{ 0x0b0c0800, { ABS(BPF_W, 10), DONE } },
	{ 0x0c08, { ABS(BPF_H, 11), DONE } },
	{ 0x0c080045, { ABS(BPF_W, 11), DONE } },
	{ 0x0800, { ABS(BPF_H, 12), DONE } },
	{ 23, { ABS(BPF_B, 23), DONE } },
	{ 0, { ABS(BPF_B, 24), BPF_STMT(BPF_RET, 1) } },
	{ 0, { ABS(BPF_H, 23), BPF_STMT(BPF_RET, 1) } },
	{ 0, { ABS(BPF_W, 21), BPF_STMT(BPF_RET, 1) } },
	{ 0x14151617, { ABS(BPF_W, 20), DONE } },
	{ 0, { ABS(BPF_W, 0x7fffffff), BPF_STMT(BPF_RET, 1) } },
	{ 20, { BPF_STMT(BPF_LDX | BPF_MSH | BPF_B, 14),
		BPF_STMT(BPF_MISC | BPF_TXA, 0), DONE } },
	{ 22, { X_IS(2), IND(BPF_B, 20), DONE } },
	{ 18, { X_IS(20), IND(BPF_B, 0xfffffffe), DONE } },
	{ 0, { X_IS(1), IND(BPF_B, 0xfffffffe), BPF_STMT(BPF_RET, 1) } },
	{ 0, { X_IS(0x80000000), IND(BPF_B, 0), BPF_STMT(BPF_RET, 1) } },
	/* offsets from the network and the link header */
	{ 0x45, { ABS(BPF_B, (uint32_t)SKF_NET_OFF), DONE } },
	{ 3, { ABS(BPF_B, (uint32_t)SKF_LL_OFF + 2), DONE } },
	{ 15, { X_IS((uint32_t)SKF_NET_OFF), IND(BPF_B, 1), DONE } },
	{ 0x0c0800, { X_IS((uint32_t)SKF_LL_OFF), IND(BPF_W, 11),
		      ALU(BPF_RSH, 8), DONE } },
	{ 20, { BPF_STMT(BPF_LDX | BPF_MSH | BPF_B, (uint32_t)SKF_NET_OFF),
		BPF_STMT(BPF_MISC | BPF_TXA, 0), DONE } },
	/* about the frame */
	{ 1000, { BPF_STMT(BPF_LD | BPF_LEN, 0), DONE } },
	{ 1000, { BPF_STMT(BPF_LDX | BPF_LEN, 0),
		  BPF_STMT(BPF_MISC | BPF_TXA, 0), DONE } },
	{ 0x0800, { AD(SKF_AD_PROTOCOL), DONE } },
	{ PACKET_OUTGOING, { AD(SKF_AD_PKTTYPE), DONE } },
	{ 77, { AD(SKF_AD_IFINDEX), DONE } },
	{ 4, { AD(SKF_AD_QUEUE), DONE } },
	{ 1, { AD(SKF_AD_HATYPE), DONE } },
	{ 5, { AD(SKF_AD_MARK), ALU(BPF_ADD, 5), DONE } },
	{ 6, { A_IS(5), X_IS(3), AD(SKF_AD_ALU_XOR_X), DONE } },
	{ 0, { AD(SKF_AD_CPU), BPF_STMT(BPF_RET, 1) } },
	{ 1, { AD(SKF_AD_RANDOM), BPF_STMT(BPF_RET, 1) } },
	{ 0, { AD(SKF_AD_RXHASH), BPF_STMT(BPF_RET, 1) } },
	{ 0, { AD(SKF_AD_PAY_OFFSET), BPF_STMT(BPF_RET, 1) } },
	{ 0, { AD(SKF_AD_NLATTR), BPF_STMT(BPF_RET, 1) } },
	{ 0, { AD(1), BPF_STMT(BPF_RET, 1) } },
	/* nobody's opcodes */
	{ 0, { BPF_STMT(BPF_LDX | BPF_ABS, 0), BPF_STMT(BPF_RET, 1) } },
	{ 0, { BPF_STMT(BPF_MISC | 0x40, 0), BPF_STMT(BPF_RET, 1) } },
	{ 0, { ALUX(BPF_NEG), BPF_STMT(BPF_RET, 1) } },
	{ 0, { BPF_STMT(BPF_JMP | BPF_JA | BPF_X, 0), BPF_STMT(BPF_RET, 1) } },
	{ 0, { X_IS(1), BPF_STMT(BPF_RET | BPF_X, 1) } },
	{ 0, { BPF_STMT(0x100 | BPF_ALU | BPF_ADD, 1), BPF_STMT(BPF_RET, 1) } },
	/* A loop without an end */
	{ 0, { BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff), BPF_STMT(BPF_RET, 1) } },
};

static void instructions(void)
{
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const uint32_t a = run(plain, sizeof(plain), 1000,
				       cases[i].insns);
		const uint32_t b = run(tagged, sizeof(tagged), 1004,
				       cases[i].insns);

		if (a != cases[i].want || b != cases[i].want)
			printf("case %u: %#x %#x, not %#x\n", i, a, b,
			       cases[i].want);
		CU_ASSERT_EQUAL(a, cases[i].want);
		CU_ASSERT_EQUAL(b, cases[i].want);
	}
}

/* Two random numbers of a packet differ, and half of them have any bit set. */
static void random_numbers(void)
{
	static const struct sock_filter two[] = {
		AD(SKF_AD_RANDOM),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		AD(SKF_AD_RANDOM),
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	unsigned set[32] = { 0 };

	for (uint32_t i = 0; i < 4000; i++) {
		struct pcf_frame f = { plain, sizeof(plain), sizeof(plain), 77,
				       3,     PACKET_HOST,   i * 0x6c8e9cf5 };
		const uint32_t got = pcf_filter_run(two, &f);

		for (unsigned bit = 0; bit < 32; bit++)
			set[bit] += got >> bit & 1;
	}
	for (unsigned bit = 0; bit < 32; bit++)
		CU_ASSERT(set[bit] > 1840 && set[bit] < 2160);
}

static void needs_socket(void)
{
	static const struct {
		bool needs;
		uint32_t what;
	} loads[] = {
		{ false, SKF_AD_PROTOCOL }, { false, SKF_AD_PKTTYPE },
		{ false, SKF_AD_IFINDEX },  { true, SKF_AD_NLATTR },
		{ true, SKF_AD_NLATTR_NEST }, { false, SKF_AD_MARK },
		{ false, SKF_AD_QUEUE },    { false, SKF_AD_HATYPE },
		{ true, SKF_AD_RXHASH },    { true, SKF_AD_CPU },
		{ false, SKF_AD_ALU_XOR_X }, { false, SKF_AD_VLAN_TAG },
		{ false, SKF_AD_VLAN_TAG_PRESENT }, { true, SKF_AD_PAY_OFFSET },
		{ false, SKF_AD_RANDOM },   { false, SKF_AD_VLAN_TPID },
		{ true, 13 },		    { false, 0x1000 + 14 },
	};

	for (unsigned i = 0; i < sizeof(loads) / sizeof(*loads); i++) {
		struct sock_filter f[] = { AD(loads[i].what), DONE };

		CU_ASSERT_EQUAL(pcf_filter_needs_socket(f, 2), loads[i].needs);
		f[0].code = BPF_LD | BPF_IND | BPF_B;
		CU_ASSERT_FALSE(pcf_filter_needs_socket(f, 2));
	}
}

static void ends_loops(void)
{
	/* A = 1000; do A -= 1 while A; return 7 */
	static const struct sock_filter down[] = {
		A_IS(1000), ALU(BPF_SUB, 1),
		BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 1, 0),
		BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)-3),
		BPF_STMT(BPF_RET, 7),
	};

	CU_ASSERT_EQUAL(run(plain, sizeof(plain), 24, down), 7);
}

static uint32_t load_ad(const uint8_t *data, uint32_t len, uint32_t what)
{
	const struct sock_filter insns[] = { AD(what), DONE };

	return run(data, len, len, insns);
}

static void tag_values(void)
{
	uint8_t ad[sizeof(tagged)];

	CU_ASSERT_EQUAL(load_ad(plain, 24, SKF_AD_VLAN_TAG), 0);
	CU_ASSERT_EQUAL(load_ad(plain, 24, SKF_AD_VLAN_TAG_PRESENT), 0);
	CU_ASSERT_EQUAL(load_ad(plain, 24, SKF_AD_VLAN_TPID), 0);
	CU_ASSERT_EQUAL(load_ad(tagged, 28, SKF_AD_VLAN_TAG), 0xf007);
	CU_ASSERT_EQUAL(load_ad(tagged, 28, SKF_AD_VLAN_TAG_PRESENT), 1);
	CU_ASSERT_EQUAL(load_ad(tagged, 28, SKF_AD_VLAN_TPID), 0x8100);
	memcpy(ad, tagged, sizeof(ad));
	memcpy(ad + 12, "\x88\xa8", 2);
	CU_ASSERT_EQUAL(load_ad(ad, 28, SKF_AD_VLAN_TPID), 0x88a8);
	memcpy(ad + 16, "\x81\x00", 2); /* only the outer one is taken out */
	CU_ASSERT_EQUAL(load_ad(ad, 28, SKF_AD_PROTOCOL), 0x8100);
	memcpy(ad + 12, "\x91\x00", 2);
	CU_ASSERT_EQUAL(load_ad(ad, 28, SKF_AD_VLAN_TAG_PRESENT), 0);
	CU_ASSERT_EQUAL(load_ad(ad, 28, SKF_AD_PROTOCOL), 0x9100);
}

static void lengths_as_protocol(void)
{
	uint8_t f[20] = { 0 };

	f[13] = 6;
	CU_ASSERT_EQUAL(load_ad(f, 20, SKF_AD_PROTOCOL), 4);
	f[14] = f[15] = 255;
	CU_ASSERT_EQUAL(load_ad(f, 20, SKF_AD_PROTOCOL), 1);
	CU_ASSERT_EQUAL(load_ad(f, 15, SKF_AD_PROTOCOL), 4);
	f[12] = 6;
	f[13] = 0;
	CU_ASSERT_EQUAL(load_ad(f, 14, SKF_AD_PROTOCOL), 0x600);
}

/* The kernel drops what ends within the tag or just behind it. */
static void cut_in_the_tag(void)
{
	static const struct sock_filter all[] = { BPF_STMT(BPF_RET, 5) };
	static const struct sock_filter tci[] = {
		AD(SKF_AD_VLAN_TAG), BPF_STMT(BPF_RET, 5)
	};

	for (uint32_t len = 14; len < 20; len++)
		CU_ASSERT_EQUAL(run(tagged, len, len, all), 0);
	CU_ASSERT_EQUAL(run(tagged, 20, 20, all), 5);
	CU_ASSERT_EQUAL(run(plain, 14, 14, all), 5);
	CU_ASSERT_EQUAL(run(plain, 13, 13, all), 0);
	/* long on the wire, cut by whoever captured it */
	CU_ASSERT_EQUAL(run(tagged, 15, 60, all), 5);
	CU_ASSERT_EQUAL(run(tagged, 15, 60, tci), 0);
	CU_ASSERT_EQUAL(run(tagged, 16, 60, tci), 5);
}

static void packet_types(void)
{
	static const uint8_t mac[6] = { 3, 0, 0, 0, 0, 9 };

	CU_ASSERT_EQUAL(pcf_filter_pkttype(mac, mac), PACKET_HOST);
	CU_ASSERT_EQUAL(pcf_filter_pkttype((const uint8_t *)"\377\377\377\377"
							    "\377\377", mac),
			PACKET_BROADCAST);
	CU_ASSERT_EQUAL(pcf_filter_pkttype((const uint8_t *)"\1\0\0\0\0\1",
					   mac), PACKET_MULTICAST);
	CU_ASSERT_EQUAL(pcf_filter_pkttype((const uint8_t *)"\2\0\0\0\0\1",
					   mac), PACKET_OTHERHOST);
}

static void tagged_or_not(void)
{
	CU_ASSERT(pcf_frame_tagged(tagged, 14));
	CU_ASSERT(!pcf_frame_tagged(tagged, 13));
	CU_ASSERT(!pcf_frame_tagged(plain, 24));
}

static CU_TestInfo tests[] = { PCF_TEST(instructions),
			       PCF_TEST(random_numbers),
			       PCF_TEST(needs_socket),
			       PCF_TEST(ends_loops),
			       PCF_TEST(tag_values),
			       PCF_TEST(lengths_as_protocol),
			       PCF_TEST(cut_in_the_tag),
			       PCF_TEST(packet_types),
			       PCF_TEST(tagged_or_not),
			       CU_TEST_INFO_NULL };

int main(void)
{
	return pcf_run_tests("filter run", tests);
}
