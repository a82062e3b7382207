/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where control goes: passes that shorten the way and find out what is left of
 * the program. Jumps go forward only, so the successors of a node are done
 * when a sweep from the end comes to it.
 */
#include "libpcap-fast/filter/insn.h"

static uint32_t through(const struct pcf_program *p, uint32_t i)
{
	return p->node[i].op == PCF_JUMP ? p->node[i].jt : i;
}

/* Branches and jumps go to where the jump they hit would take them. A branch
 * with one destination is a jump. */
void pcf_thread_jumps(struct pcf_program *p)
{
	for (unsigned i = p->n; i-- > 0;) {
		struct pcf_node *node = &p->node[i];

		if (node->op != PCF_JUMP && node->op != PCF_BRANCH)
			continue;
		node->jt = through(p, node->jt);
		node->jf = through(p, node->jf);
		if (node->jt == node->jf)
			node->op = PCF_JUMP;
	}
}

static uint32_t max(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Bytes of the frame without which this very node rejects. */
static uint32_t own_need(const struct pcf_node *node)
{
	switch (node->op) {
	case PCF_LOAD:
	case PCF_LOAD_MSH:
		return node->k + node->size;
	case PCF_RET:
		return node->k ? 0 : PCF_NEVER;
	}
	return 0;
}

/*
 * A frame shorter than `need` is rejected on every path from the node. So one
 * check of that length on entry to a block stands for all checks behind it,
 * and a failed check rejects, without ever rejecting a short frame that some
 * path would have accepted. Rejecting has no side effect, so it may come early.
 *
 * A node from which no frame at all is accepted becomes a rejecting return.
 */
void pcf_find_need(struct pcf_program *p)
{
	for (unsigned i = p->n; i-- > 0;) {
		struct pcf_node *node = &p->node[i];
		uint32_t after = 0;

		if (!pcf_is_ret(node))
			after = min(p->node[node->jt].need,
				    p->node[node->jf].need);
		node->need = max(own_need(node), after);
		if (node->need == PCF_NEVER) {
			node->op = PCF_RET;
			node->k = 0;
		}
	}
}

/* Branches to a rejecting return go straight to the caller's label, so they do
 * not make that node reachable: the verifier refuses dead code. */
static void arrive(struct pcf_node *node, bool jumping)
{
	if (jumping && pcf_is_reject(node))
		return;
	node->reachable = true;
	node->leader |= jumping;
}

void pcf_find_reachable(struct pcf_program *p)
{
	uint32_t next = p->n;

	p->node[0].reachable = p->node[0].leader = true;
	for (unsigned i = 0; i < p->n; i++) {
		struct pcf_node *node = &p->node[i];
		const bool jumps =
			node->op == PCF_JUMP || node->op == PCF_BRANCH;

		if (!node->reachable || pcf_is_ret(node))
			continue;
		arrive(&p->node[node->jt], jumps);
		arrive(&p->node[node->jf], jumps);
	}
	for (unsigned i = p->n; i-- > 0;) {
		p->node[i].next = next;
		if (p->node[i].reachable)
			next = i;
	}
}
