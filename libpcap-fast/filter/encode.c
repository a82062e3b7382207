/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes become code for the interpreter; see interp.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libpcap-fast/filter/insn.h"
#include "libpcap-fast/filter/interp.h"

struct encoder {
	const struct pcf_program *p;
	struct pcf_code *code;
	uint32_t *at; /* where a node's code is */
	unsigned n;   /* instructions, a rejecting return the last of them */
};

/* By size in bytes; the enum has them in the order 4, 2, 1. */
static unsigned sized(unsigned op, unsigned size)
{
	return op + (size == 4 ? 0 : size == 2 ? 1 : 2);
}

static unsigned compare(const struct pcf_node *node)
{
	switch (node->sub) {
	case BPF_JGT:
		return node->use_x ? PCF_CODE_JGT_X : PCF_CODE_JGT;
	case BPF_JGE:
		return node->use_x ? PCF_CODE_JGE_X : PCF_CODE_JGE;
	case BPF_JSET:
		return node->use_x ? PCF_CODE_JSET_X : PCF_CODE_JSET;
	}
	return node->use_x ? PCF_CODE_JEQ_X : PCF_CODE_JEQ;
}

static unsigned opcode(const struct pcf_node *node)
{
	static const uint8_t plain[] = {
		[PCF_LOAD_MSH] = PCF_CODE_MSH,
		[PCF_IMM] = PCF_CODE_IMM,
		[PCF_IMMX] = PCF_CODE_IMMX,
		[PCF_MEM] = PCF_CODE_MEM,
		[PCF_MEMX] = PCF_CODE_MEMX,
		[PCF_LEN] = PCF_CODE_LEN,
		[PCF_LENX] = PCF_CODE_LENX,
		[PCF_PROTOCOL] = PCF_CODE_PROTOCOL,
		[PCF_PKTTYPE] = PCF_CODE_PKTTYPE,
		[PCF_QUEUE] = PCF_CODE_QUEUE,
		[PCF_RANDOM] = PCF_CODE_RANDOM,
		[PCF_CPU] = PCF_CODE_CPU,
		[PCF_TAG] = PCF_CODE_TAG,
		[PCF_TAGGED] = PCF_CODE_TAGGED,
		[PCF_TPID] = PCF_CODE_TPID,
		[PCF_STORE] = PCF_CODE_STORE,
		[PCF_STOREX] = PCF_CODE_STOREX,
		[PCF_TAX] = PCF_CODE_TAX,
		[PCF_TXA] = PCF_CODE_TXA,
		[PCF_JUMP] = PCF_CODE_JUMP,
		[PCF_RET] = PCF_CODE_RET,
		[PCF_RETA] = PCF_CODE_RETA,
	};

	switch (node->op) {
	case PCF_LOAD:
		return sized(PCF_CODE_LOAD_4, node->size);
	case PCF_LOAD_IND:
		return sized(PCF_CODE_IND_4, node->size);
	case PCF_ALU:
		return (node->use_x ? PCF_CODE_ALU_X : PCF_CODE_ALU) +
		       (node->sub >> 4);
	case PCF_BRANCH:
		return compare(node);
	}
	return plain[node->op];
}

/* Is the node compared at once, and by nobody else? */
static bool fuses(const struct encoder *c, uint32_t i)
{
	const struct pcf_node *node = &c->p->node[i], *then = node + 1;

	return i + 1 < c->p->n && node->op == PCF_LOAD &&
	       then->op == PCF_BRANCH && then->sub == BPF_JEQ && !then->use_x &&
	       !then->leader;
}

/* Where each node's code will be. */
static void lay_out(struct encoder *c)
{
	for (uint32_t i = 0; i < c->p->n; i++) {
		if (!c->p->node[i].reachable)
			continue;
		c->at[i] = c->n++;
		if (fuses(c, i))
			i++;
	}
	c->n++;
}

static uint16_t skip(const struct encoder *c, uint32_t from, uint32_t to)
{
	const uint32_t at =
		pcf_is_reject(&c->p->node[to]) ? c->n - 1 : c->at[to];

	return at - c->at[from] - 1;
}

static void encode_node(struct encoder *c, uint32_t i)
{
	const struct pcf_node *node = &c->p->node[i], *then = node;
	struct pcf_code *f = &c->code[c->at[i]];

	f->op = opcode(node);
	if (fuses(c, i)) {
		then = node + 1;
		f->op = sized(PCF_CODE_EQ_4, node->size);
		f->off = node->k;
	}
	f->k = then->k;
	if (then->op == PCF_BRANCH || then->op == PCF_JUMP) {
		f->jt = skip(c, i, then->jt);
		f->jf = skip(c, i, then->jf);
	}
}

static void encode_nodes(struct encoder *c)
{
	memset(c->code, 0, c->n * sizeof(*c->code));
	for (uint32_t i = 0; i < c->p->n; i++) {
		if (!c->p->node[i].reachable)
			continue;
		encode_node(c, i);
		if (fuses(c, i))
			i++;
	}
	c->code[c->n - 1].op = PCF_CODE_RET;
}

static int encode(struct encoder *c, struct pcf_program *p,
		  const struct sock_filter *insns, uint32_t ifindex,
		  unsigned max, const struct pcf_why *why)
{
	const int err = pcf_decode(p, insns, ifindex, why);

	if (err)
		return err;
	pcf_thread_jumps(p);
	pcf_find_need(p);
	pcf_find_reachable(p);
	lay_out(c);
	if (c->n > max)
		return -E2BIG;
	encode_nodes(c);
	return c->n;
}

int pcf_interp_encode(const struct sock_filter *insns, unsigned n,
		      uint32_t ifindex, struct pcf_code *code, unsigned max,
		      char *text, size_t size)
{
	const struct pcf_why why = { text, size };
	struct pcf_program p = { .n = n };
	struct encoder c = { .p = &p, .code = code };
	int r = pcf_filter_check(insns, n, text, size);

	if (r)
		return r;
	p.node = calloc(n, sizeof(*p.node));
	c.at = calloc(n, sizeof(*c.at));
	r = p.node && c.at ? encode(&c, &p, insns, ifindex, max, &why)
			   : -ENOMEM;
	if (r == -E2BIG)
		snprintf(text, size, "too long: %u instructions", c.n);
	else if (r == -ENOMEM)
		snprintf(text, size, "out of memory");
	free(c.at);
	free(p.node);
	return r;
}
