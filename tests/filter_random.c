/* SPDX-License-Identifier: BSD-3-Clause */
/* Random programs and frames; see filter_random.h. */
#include <string.h>

#include "tests/filter_random.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* splitmix64 */
uint32_t filter_random(struct filter_rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (z ^ z >> 31) >> 16;
}

uint32_t filter_random_below(struct filter_rng *r, uint32_t n)
{
	return filter_random(r) % n;
}

/* Mostly an offset into a frame's headers. */
static uint32_t random_offset(struct filter_rng *r)
{
	static const uint32_t edges[] = {
		8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 60, 100,
		(uint32_t)SKF_NET_OFF, (uint32_t)SKF_NET_OFF - 1,
		(uint32_t)SKF_NET_OFF + 9, (uint32_t)SKF_LL_OFF,
		(uint32_t)SKF_LL_OFF - 1, (uint32_t)SKF_LL_OFF + 10,
		(uint32_t)SKF_LL_OFF + 11, (uint32_t)SKF_LL_OFF + 20,
		(uint32_t)SKF_AD_OFF - 1, 0x7fff, 0x8000, 0xfff0, 0xffff,
		0x10000, 0x7fffffff, 0x80000000,
	};

	switch (filter_random_below(r, 8)) {
	case 0:
		return edges[filter_random_below(r, COUNT(edges))];
	case 1:
		return filter_random_below(r, 200);
	}
	return filter_random_below(r, 40);
}

static uint32_t random_constant(struct filter_rng *r)
{
	static const uint32_t edges[] = {
		0, 1, 2, 4, 6, 17, 31, 32, 33, 255, 256, 0x600, 0x800, 0x86dd,
		0x8100, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff0,
		0xffffffff, (uint32_t)SKF_NET_OFF, (uint32_t)SKF_LL_OFF,
	};

	switch (filter_random_below(r, 4)) {
	case 0:
		return filter_random(r);
	case 1:
		return filter_random_below(r, 64);
	}
	return edges[filter_random_below(r, COUNT(edges))];
}

static uint16_t random_size(struct filter_rng *r)
{
	static const uint16_t sizes[] = { BPF_B, BPF_H, BPF_W };

	return sizes[filter_random_below(r, COUNT(sizes))];
}

static struct sock_filter stmt(uint16_t code, uint32_t k)
{
	return (struct sock_filter)BPF_STMT(code, k);
}

static struct sock_filter random_ancillary(struct filter_rng *r)
{
	static const uint8_t known[] = {
		SKF_AD_PROTOCOL, SKF_AD_PKTTYPE,  SKF_AD_IFINDEX,
		SKF_AD_MARK,	 SKF_AD_HATYPE,	  SKF_AD_ALU_XOR_X,
		SKF_AD_VLAN_TAG, SKF_AD_VLAN_TAG_PRESENT, SKF_AD_VLAN_TPID,
		SKF_AD_RANDOM,
	};

	return stmt(BPF_LD | BPF_ABS | random_size(r),
		    SKF_AD_OFF + known[filter_random_below(r, COUNT(known))]);
}

static struct sock_filter random_load(struct filter_rng *r)
{
	switch (filter_random_below(r, 10)) {
	case 0:
		return random_ancillary(r);
	case 1:
		return stmt(BPF_LD | BPF_W | BPF_LEN, 0);
	case 2:
		return stmt(BPF_LDX | BPF_W | BPF_LEN, 0);
	case 3:
		return stmt(BPF_LDX | BPF_B | BPF_MSH, random_offset(r));
	case 4:
	case 5:
		return stmt(BPF_LD | BPF_IND | random_size(r),
			    filter_random_below(r, 4) ? random_offset(r) :
							random_constant(r));
	case 6:
		return stmt(BPF_LD | BPF_IMM, random_constant(r));
	case 7:
		return stmt(BPF_LDX | BPF_IMM,
			    filter_random_below(r, 2) ? random_constant(r) :
							random_offset(r));
	}
	return stmt(BPF_LD | BPF_ABS | random_size(r), random_offset(r));
}

static struct sock_filter random_alu(struct filter_rng *r)
{
	static const uint16_t ops[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV,
					BPF_MOD, BPF_AND, BPF_OR,  BPF_XOR,
					BPF_LSH, BPF_RSH, BPF_NEG };
	const uint16_t op = ops[filter_random_below(r, COUNT(ops))];
	uint32_t k = random_constant(r);

	if (op == BPF_NEG)
		return stmt(BPF_ALU | BPF_NEG, 0);
	if (filter_random_below(r, 2))
		return stmt(BPF_ALU | op | BPF_X, 0);
	if (op == BPF_LSH || op == BPF_RSH)
		k &= 31;
	if ((op == BPF_DIV || op == BPF_MOD) && !k)
		k = 3;
	return stmt(BPF_ALU | op | BPF_K, k);
}

/* Scratch words: the kernel wants them written before they are read, which
 * random programs seldom do; a few words make it likelier. */
static struct sock_filter random_move(struct filter_rng *r)
{
	static const uint16_t codes[] = { BPF_ST, BPF_STX, BPF_LD | BPF_MEM,
					  BPF_LDX | BPF_MEM, BPF_MISC | BPF_TAX,
					  BPF_MISC | BPF_TXA, BPF_MISC | BPF_TAX };
	const uint16_t code = codes[filter_random_below(r, COUNT(codes))];

	if (BPF_CLASS(code) == BPF_MISC)
		return stmt(code, 0);
	return stmt(code, filter_random_below(r, 3) ?
				  0 :
				  filter_random_below(r, BPF_MEMWORDS));
}

/* `left`: instructions behind this one. */
static struct sock_filter random_jump(struct filter_rng *r, unsigned left)
{
	static const uint16_t ops[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	const unsigned reach = left < 256 ? left : 256;
	const uint16_t src = filter_random_below(r, 3) ? BPF_K : BPF_X;
	struct sock_filter f;

	if (!filter_random_below(r, 8))
		return stmt(BPF_JMP | BPF_JA, filter_random_below(r, left));
	f.code = BPF_JMP | src | ops[filter_random_below(r, COUNT(ops))];
	f.k = random_constant(r);
	f.jt = filter_random_below(r, reach);
	f.jf = filter_random_below(r, 3) ? 0 : filter_random_below(r, reach);
	if (filter_random_below(r, 2)) {
		const uint8_t jt = f.jt;

		f.jt = f.jf;
		f.jf = jt;
	}
	return f;
}

static struct sock_filter random_ret(struct filter_rng *r)
{
	switch (filter_random_below(r, 5)) {
	case 0:
		return stmt(BPF_RET | BPF_A, 0);
	case 1:
		return stmt(BPF_RET | BPF_K, 0);
	case 2:
		return stmt(BPF_RET | BPF_K, random_constant(r));
	}
	return stmt(BPF_RET | BPF_K, 0xffffffff);
}

static struct sock_filter random_insn(struct filter_rng *r, unsigned left)
{
	switch (filter_random_below(r, 16)) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		return random_load(r);
	case 5:
	case 6:
	case 7:
		return random_alu(r);
	case 8:
	case 9:
		return random_move(r);
	case 10:
		return random_ret(r);
	}
	return random_jump(r, left);
}

unsigned filter_random_program(struct filter_rng *r, struct sock_filter *insns,
			       unsigned max)
{
	const unsigned n = 1 + filter_random_below(r, max);
	unsigned i = 0;

	/* half of them begin by making M[0] readable */
	if (n > 2 && filter_random_below(r, 2))
		insns[i++] = stmt(BPF_STX, 0);
	for (; i < n - 1; i++)
		insns[i] = random_insn(r, n - 1 - i);
	insns[i] = random_ret(r);
	return n;
}

unsigned filter_random_junk(struct filter_rng *r, struct sock_filter *insns,
			    unsigned max)
{
	const unsigned n = 1 + filter_random_below(r, max);

	for (unsigned i = 0; i < n; i++) {
		insns[i].code = filter_random_below(r, 4) ?
					filter_random_below(r, 256) :
					filter_random(r);
		insns[i].jt = filter_random_below(r, n);
		insns[i].jf = filter_random_below(r, n);
		insns[i].k = random_constant(r);
	}
	if (filter_random_below(r, 8))
		insns[n - 1].code = BPF_RET;
	return n;
}

uint32_t filter_random_frame(struct filter_rng *r, uint8_t *data, uint32_t max)
{
	static const uint8_t types[][2] = {
		{ 0x08, 0x00 }, { 0x86, 0xdd }, { 0x81, 0x00 }, { 0x81, 0x00 },
		{ 0x88, 0xa8 }, { 0x88, 0xa8 }, { 0x00, 0x30 }, { 0x05, 0xff },
	};
	uint32_t len = 14 + filter_random_below(r, max - 13);

	if (filter_random_below(r, 2) && len > 64)
		len = 14 + filter_random_below(r, 50);
	for (uint32_t i = 0; i < len; i++)
		data[i] = filter_random_below(r, 3) ?
				  filter_random(r) :
				  (filter_random_below(r, 2) ? 0 : 255);
	memcpy(data + 12, types[filter_random_below(r, COUNT(types))], 2);
	if (len >= 18 && filter_random_below(r, 2))
		memcpy(data + 16, types[filter_random_below(r, COUNT(types))],
		       2);
	if (!filter_random_below(r, 4))
		memcpy(data, "\2\0\0\0\0\1", 6);
	if (!filter_random_below(r, 8))
		memset(data, 255, 6);
	return len;
}
