/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is known on entry to each node: bytes of the frame proven to be there,
 * upper bounds of A and X, registers never written. Decides nothing about
 * instructions; the emitter reads off which checks and zeroes it can save.
 *
 * The bounds are no better than those that the verifier finds by itself (it
 * forgets a bound at a byte swap or in memory): code that leaves out a check
 * because of them must still pass.
 */
#include "libpcap-fast/filter/insn.h"

#define NO_BOUND UINT32_MAX

/* Registers that a node reads and writes, as bits. */
static uint32_t reads(const struct pcf_node *node)
{
	switch (node->op) {
	case PCF_LOAD_IND:
	case PCF_STOREX:
	case PCF_TXA:
		return PCF_BIT_X;
	case PCF_MEM:
	case PCF_MEMX:
		return 1u << node->k;
	case PCF_STORE:
	case PCF_TAX:
	case PCF_RETA:
		return PCF_BIT_A;
	case PCF_ALU:
	case PCF_BRANCH:
		return PCF_BIT_A | (node->use_x ? PCF_BIT_X : 0);
	}
	return 0;
}

static uint32_t writes(const struct pcf_node *node)
{
	switch (node->op) {
	case PCF_STORE:
	case PCF_STOREX:
		return 1u << node->k;
	case PCF_LOAD_MSH:
	case PCF_IMMX:
	case PCF_MEMX:
	case PCF_LENX:
	case PCF_TAX:
		return PCF_BIT_X;
	case PCF_JUMP:
	case PCF_BRANCH:
	case PCF_RET:
	case PCF_RETA:
		return 0;
	}
	return PCF_BIT_A;
}

static uint32_t bound_alu(const struct pcf_node *node)
{
	const uint64_t a = node->a_max;

	if (node->use_x)
		return NO_BOUND;
	switch (node->sub) {
	case BPF_AND:
		return node->k < a ? node->k : a;
	case BPF_RSH:
		return a >> node->k;
	case BPF_LSH:
		return a << node->k < NO_BOUND ? a << node->k : NO_BOUND;
	case BPF_ADD:
		return a + node->k < NO_BOUND ? a + node->k : NO_BOUND;
	}
	return NO_BOUND;
}

static uint32_t bound_a(const struct pcf_node *node)
{
	switch (node->op) {
	case PCF_LOAD:
	case PCF_LOAD_IND:
		return node->size == 1 ? 255 : NO_BOUND;
	case PCF_IMM:
		return node->k;
	case PCF_ALU:
		return bound_alu(node);
	case PCF_TXA:
		return node->x_max;
	}
	return writes(node) & PCF_BIT_A ? NO_BOUND : node->a_max;
}

static uint32_t bound_x(const struct pcf_node *node)
{
	switch (node->op) {
	case PCF_LOAD_MSH:
		return 60;
	case PCF_IMMX:
		return node->k;
	case PCF_TAX:
		return node->a_max;
	}
	return writes(node) & PCF_BIT_X ? NO_BOUND : node->x_max;
}

/* Join what `from` leaves behind into what `to` may rely on. */
static void join(struct pcf_node *to, const struct pcf_node *from)
{
	const uint32_t a = bound_a(from), x = bound_x(from);

	if (from->avail < to->avail)
		to->avail = from->avail;
	if (a > to->a_max)
		to->a_max = a;
	if (x > to->x_max)
		to->x_max = x;
	to->unset |= from->unset & ~writes(from);
}

static void enter(struct pcf_program *p)
{
	for (unsigned i = 1; i < p->n; i++)
		p->node[i].avail = UINT32_MAX;
	/* The entry code checks what the whole program needs. */
	p->node[0].avail =
		p->node[0].need > PCF_ETH_HLEN ? p->node[0].need : PCF_ETH_HLEN;
	p->node[0].unset = PCF_BIT_ALL;
}

/* Does it depend on where the bytes behind the tag lie, or on the tag? */
static bool uses_tag(const struct pcf_node *node)
{
	switch (node->op) {
	case PCF_LOAD:
	case PCF_LOAD_MSH:
		return node->k + node->size > PCF_TYPE_OFF;
	case PCF_LOAD_IND:
	case PCF_PROTOCOL:
		return true;
	}
	return false;
}

static bool uses_shift(const struct pcf_node *node)
{
	return node->op == PCF_TAG || node->op == PCF_TAGGED ||
	       node->op == PCF_TPID || node->op == PCF_LEN ||
	       node->op == PCF_LENX;
}

static bool uses_call(const struct pcf_node *node)
{
	return node->op == PCF_RANDOM || node->op == PCF_CPU;
}

/*
 * One sweep forward. Where a node's need exceeds what is proven, the emitter
 * checks (this can only be at the begin of a block, as need does not grow
 * inside), and from there on it is proven: avail = need.
 */
void pcf_guard(struct pcf_program *p)
{
	enter(p);
	for (unsigned i = 0; i < p->n; i++) {
		struct pcf_node *node = &p->node[i];
		struct pcf_node after;

		if (!node->reachable)
			continue;
		p->zero |= reads(node) & node->unset;
		p->uses_shift |= uses_shift(node);
		p->uses_tag |= uses_tag(node) || uses_shift(node);
		p->uses_call |= uses_call(node);
		p->uses_len |= node->op == PCF_LEN || node->op == PCF_LENX;
		if (pcf_is_ret(node))
			continue;
		after = *node;
		if (after.need > after.avail)
			after.avail = after.need;
		join(&p->node[node->jt], &after);
		join(&p->node[node->jf], &after);
	}
}
