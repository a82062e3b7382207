/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * First pass of the compiler: classic instructions become nodes. What cannot
 * be expressed at the XDP hook is refused here, with the reason; after this
 * pass everything compiles.
 */
#include <errno.h>

#include "libpcap-fast/filter/insn.h"

/* Opcodes by what they become; anything else is nothing the kernel knows. */
static const struct {
	uint16_t code;
	uint8_t op, size;
} plain[] = {
	{ BPF_LD | BPF_W | BPF_ABS, PCF_LOAD, 4 },
	{ BPF_LD | BPF_H | BPF_ABS, PCF_LOAD, 2 },
	{ BPF_LD | BPF_B | BPF_ABS, PCF_LOAD, 1 },
	{ BPF_LD | BPF_W | BPF_IND, PCF_LOAD_IND, 4 },
	{ BPF_LD | BPF_H | BPF_IND, PCF_LOAD_IND, 2 },
	{ BPF_LD | BPF_B | BPF_IND, PCF_LOAD_IND, 1 },
	{ BPF_LDX | BPF_B | BPF_MSH, PCF_LOAD_MSH, 1 },
	{ BPF_LD | BPF_IMM, PCF_IMM, 0 },
	{ BPF_LDX | BPF_IMM, PCF_IMMX, 0 },
	{ BPF_LD | BPF_MEM, PCF_MEM, 0 },
	{ BPF_LDX | BPF_MEM, PCF_MEMX, 0 },
	{ BPF_LD | BPF_LEN, PCF_LEN, 0 },
	{ BPF_LDX | BPF_LEN, PCF_LENX, 0 },
	{ BPF_ST, PCF_STORE, 0 },
	{ BPF_STX, PCF_STOREX, 0 },
	{ BPF_MISC | BPF_TAX, PCF_TAX, 0 },
	{ BPF_MISC | BPF_TXA, PCF_TXA, 0 },
	{ BPF_JMP | BPF_JA, PCF_JUMP, 0 },
	{ BPF_RET | BPF_K, PCF_RET, 0 },
	{ BPF_RET | BPF_A, PCF_RETA, 0 },
};

static bool decode_plain(struct pcf_node *node, uint16_t code)
{
	for (unsigned i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
		if (plain[i].code != code)
			continue;
		node->op = plain[i].op;
		node->size = plain[i].size;
		return true;
	}
	return false;
}

/* Arithmetic and branches: any combination of operation and operand that
 * pcf_filter_check() let through, and no other bits set. */
static bool decode_computed(struct pcf_node *node, uint16_t code)
{
	if (code & ~0xff)
		return false;
	node->sub = BPF_OP(code);
	node->use_x = BPF_SRC(code) == BPF_X;
	if (BPF_CLASS(code) == BPF_ALU)
		node->op = PCF_ALU;
	else if (BPF_CLASS(code) == BPF_JMP && node->sub != BPF_JA)
		node->op = PCF_BRANCH;
	else
		return false;
	return node->sub != BPF_NEG || node->op != PCF_ALU || !node->use_x;
}

static void reject(struct pcf_node *node)
{
	node->op = PCF_RET;
	node->k = 0;
}

/* Loads from the frame: a plain offset, or no such byte. */
static void place(struct pcf_node *node)
{
	const int64_t off = pcf_view_offset(node->k);

	if (off < 0 || off + node->size > PCF_FRAME_END)
		reject(node);
	else
		node->k = off;
}

static int ancillary(struct pcf_node *node, uint32_t ifindex)
{
	const int op = pcf_view_ancillary(node->k, ifindex, &node->k);

	if (op < 0)
		return op;
	node->op = op;
	if (op == PCF_ALU) {
		node->sub = BPF_XOR;
		node->use_x = true;
	}
	return 0;
}

static const char *view(struct pcf_node *node, uint32_t ifindex)
{
	if (node->op == PCF_LOAD && node->k >= (uint32_t)SKF_AD_OFF) {
		if (ancillary(node, ifindex))
			return "ancillary load without a meaning in XDP";
	} else if (node->op == PCF_LOAD || node->op == PCF_LOAD_MSH) {
		place(node);
	} else if (node->op == PCF_ALU && !node->use_x && node->k >= 32 &&
		   (node->sub == BPF_LSH || node->sub == BPF_RSH)) {
		return "constant shift by 32 or more";
	}
	return NULL;
}

static const char *decode_one(struct pcf_node *node,
			      const struct sock_filter *f, unsigned i,
			      uint32_t ifindex)
{
	node->k = f->k;
	if (!decode_plain(node, f->code) && !decode_computed(node, f->code))
		return "opcode that no kernel knows";
	node->jt = node->jf = i + 1;
	if (node->op == PCF_JUMP) {
		node->jt = node->jf = i + 1 + f->k;
	} else if (node->op == PCF_BRANCH) {
		node->jt = i + 1 + f->jt;
		node->jf = i + 1 + f->jf;
	}
	if (node->jt <= i)
		return "backward jump";
	return view(node, ifindex);
}

int pcf_decode(struct pcf_program *p, const struct sock_filter *insns,
	       uint32_t ifindex, const struct pcf_why *why)
{
	const char *reason;

	for (unsigned i = 0; i < p->n; i++) {
		reason = decode_one(&p->node[i], &insns[i], i, ifindex);
		if (reason)
			return pcf_why(why, -EOPNOTSUPP, i, reason);
	}
	return 0;
}
