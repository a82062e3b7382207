/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The virtual untagged frame against the real thing: each load that the view
 * decides about, as the filter of a packet socket, on frames of every kind and
 * of every length from a bare header up.
 */
#include <string.h>

#include "tests/filter_compare.h"
#include "tests/filter_frames.h"
#include "tests/unit.h"

#define ABS(size, k) BPF_STMT(BPF_LD | BPF_ABS | size, k)
#define AD(what)     ABS(BPF_W, (uint32_t)SKF_AD_OFF + (what))
#define NET	     ((uint32_t)SKF_NET_OFF)
#define LL	     ((uint32_t)SKF_LL_OFF)

/* A or X becomes the value; what gets through is its low bits, plus 1. */
static const struct {
	const char *name;
	struct sock_filter load[2]; /* one or two instructions */
} loads[] = {
	{ "len", { BPF_STMT(BPF_LD | BPF_LEN, 0) } },
	{ "type", { ABS(BPF_H, 12) } },
	{ "source and type", { ABS(BPF_W, 10) } },
	{ "behind the type", { ABS(BPF_H, 14) } },
	{ "byte 18", { ABS(BPF_B, 18) } },
	{ "protocol", { AD(SKF_AD_PROTOCOL) } },
	{ "packet type", { AD(SKF_AD_PKTTYPE) } },
	{ "ifindex", { AD(SKF_AD_IFINDEX) } },
	{ "mark", { AD(SKF_AD_MARK) } },
	{ "hardware type", { AD(SKF_AD_HATYPE) } },
	{ "tag", { AD(SKF_AD_VLAN_TAG) } },
	{ "tag present", { AD(SKF_AD_VLAN_TAG_PRESENT) } },
	{ "tag protocol", { AD(SKF_AD_VLAN_TPID) } },
	{ "tag, asked for a byte",
	  { ABS(BPF_B, (uint32_t)SKF_AD_OFF + SKF_AD_VLAN_TAG) } },
	{ "network header", { ABS(BPF_B, NET) } },
	{ "network header + 9", { ABS(BPF_H, NET + 9) } },
	{ "end of network range", { ABS(BPF_B, (uint32_t)SKF_AD_OFF - 1) } },
	{ "link header", { ABS(BPF_W, LL) } },
	{ "link header + 11", { ABS(BPF_W, LL + 11) } },
	{ "link header + 20", { ABS(BPF_B, LL + 20) } },
	{ "end of link range", { ABS(BPF_B, NET - 1) } },
	{ "below all ranges", { ABS(BPF_B, LL - 1) } },
	{ "network header by X",
	  { BPF_STMT(BPF_LDX, NET), BPF_STMT(BPF_LD | BPF_IND | BPF_H, 2) } },
	{ "link header by X",
	  { BPF_STMT(BPF_LDX, LL - 5),
	    BPF_STMT(BPF_LD | BPF_IND | BPF_H, 16) } },
	{ "wraps",
	  { BPF_STMT(BPF_LDX, 30),
	    BPF_STMT(BPF_LD | BPF_IND | BPF_H, 0xfffffff0) } },
	{ "header length",
	  { BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),
	    BPF_STMT(BPF_MISC | BPF_TXA, 0) } },
	{ "header length from the network header",
	  { BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, NET),
	    BPF_STMT(BPF_MISC | BPF_TXA, 0) } },
};

#define NLOADS (sizeof(loads) / sizeof(*loads))

static struct filter_wire wire;
static struct filter_corpus corpus;

/* Tell one value from another by how much of the frame gets through: bit by
 * bit, as a frame is too short for a whole value. */
static unsigned build(struct sock_filter *f, unsigned load, unsigned bit)
{
	unsigned n = 0;

	f[n++] = loads[load].load[0];
	if (loads[load].load[1].code)
		f[n++] = loads[load].load[1];
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET, 1u << bit, 0,
					      1);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET, 2);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET, 1);
	return n;
}

static int try_frames(struct filter_case *c, unsigned load)
{
	for (unsigned i = load % 3; i < corpus.n; i += 3) {
		const struct filter_sample *s = &corpus.frame[i];

		if (filter_case_run(c, s->data, s->len))
			return 1;
	}
	return 0;
}

static int try_lengths(struct filter_case *c)
{
	static uint8_t f[2][32];

	for (unsigned i = 0; i < sizeof(f[0]); i++)
		f[0][i] = f[1][i] = 3 * i + 1;
	memcpy(f[0] + 12, "\x81\x00\xb0\x07\x88\xa8", 6);
	memcpy(f[1] + 12, "\x00\x04\xff\xff", 4);
	for (uint32_t len = 14; len <= sizeof(f[0]); len++)
		if (filter_case_run(c, f[0], len) ||
		    filter_case_run(c, f[1], len))
			return 1;
	return 0;
}

static int try_load(unsigned load, unsigned bit)
{
	struct sock_filter f[5];
	struct filter_case c;
	int bad;

	filter_case_init(&c, f, build(f, load, bit), &wire);
	bad = !c.wire || c.compiled || try_lengths(&c) ||
	      (bit < 4 && try_frames(&c, load));
	if (bad)
		printf("  in: %s, bit %u\n", loads[load].name, bit);
	filter_case_free(&c);
	return bad;
}

static void sees_what_the_kernel_sees(void)
{
	if (filter_wire_open(&wire) || filter_corpus_init(&corpus)) {
		pcf_skip("needs root and network namespaces");
		return;
	}
	for (unsigned load = 0; load < NLOADS; load++)
		for (unsigned bit = 0; bit < 32; bit++)
			CU_ASSERT_EQUAL(try_load(load, bit), 0);
	filter_corpus_free(&corpus);
	filter_wire_close(&wire);
}

/* The kernel's shift by X, whatever X, and division by X = 0. */
static void computes_what_the_kernel_computes(void)
{
	static const uint16_t ops[] = { BPF_LSH, BPF_RSH, BPF_DIV, BPF_MOD };
	static const uint32_t by[] = { 0, 1, 31, 32, 33, 63, 64, 0x80000000 };
	static const uint8_t frame[64] = { 1 };
	struct filter_wire w;

	if (filter_wire_open(&w)) {
		pcf_skip("needs root and network namespaces");
		return;
	}
	for (unsigned i = 0; i < 32; i++) {
		const struct sock_filter f[] = {
			BPF_STMT(BPF_LD | BPF_IMM, 0x80000021),
			BPF_STMT(BPF_LDX | BPF_IMM, by[i / 4]),
			BPF_STMT(BPF_ALU | BPF_X | ops[i % 4], 0),
			BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 61),
			BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
			BPF_STMT(BPF_RET | BPF_A, 0),
		};
		struct filter_case c;

		filter_case_init(&c, f, 6, &w);
		CU_ASSERT(c.wire && !c.compiled);
		CU_ASSERT_EQUAL(filter_case_run(&c, frame, sizeof(frame)), 0);
		filter_case_free(&c);
	}
	filter_wire_close(&w);
}

static CU_TestInfo tests[] = { PCF_TEST(sees_what_the_kernel_sees),
			       PCF_TEST(computes_what_the_kernel_computes),
			       CU_TEST_INFO_NULL };

int main(void)
{
	return pcf_run_tests("filter and kernel", tests);
}
