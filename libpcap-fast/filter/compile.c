/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The compiler: one pass after the other (insn.h), then the code, once or
 * twice (gen.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "libpcap-fast/filter/gen.h"

/* What the kernel's verifier looks at before it gives up. */
#define MAX_EBPF 1000000

static int analyse(struct pcf_program *p, const struct sock_filter *insns,
		   uint32_t ifindex, const struct pcf_why *why)
{
	const int err = pcf_decode(p, insns, ifindex, why);

	if (err)
		return err;
	pcf_thread_jumps(p);
	pcf_find_need(p);
	pcf_find_reachable(p);
	pcf_guard(p);
	return 0;
}

/* Never a match. A jump that is not taken keeps the caller's code at `match`
 * reachable, as the verifier wants it. */
static void generate_reject(struct pcf_gen *g)
{
	pcf_mov32_imm(g->e, R_A, 0);
	pcf_jump32_imm(g->e, BPF_JNE, R_A, 0, g->match);
	pcf_ja(g->e, g->nomatch);
}

static void generate(struct pcf_gen *g)
{
	if (pcf_is_reject(&g->p->node[0])) {
		generate_reject(g);
		return;
	}
	if (!g->p->uses_call) {
		g->access = &pcf_access_direct;
		g->give_up = g->env->frags ? pcf_ebpf_label(g->e) : g->nomatch;
		pcf_gen_program(g);
		if (!g->env->frags)
			return;
		pcf_ebpf_bind(g->e, g->give_up);
	}
	g->access = &pcf_access_frags;
	pcf_gen_program(g);
}

static int compile(struct pcf_gen *g, struct pcf_program *p,
		   const struct sock_filter *insns, const struct pcf_why *why)
{
	const int err = analyse(p, insns, g->env->ifindex, why);

	if (err)
		return err;
	generate(g);
	if (g->e->len > MAX_EBPF)
		return -E2BIG;
	return g->e->error;
}

int pcf_filter_compile(const struct sock_filter *insns, unsigned n,
		       const struct pcf_filter_env *env, struct pcf_ebpf *e,
		       int match, int nomatch, char *text, size_t size)
{
	const struct pcf_why why = { text, size };
	struct pcf_program p = { .n = n };
	struct pcf_gen g = {
		.e = e, .env = env, .p = &p, .match = match, .nomatch = nomatch
	};
	int err = pcf_filter_check(insns, n, text, size);

	if (err)
		return err;
	p.node = calloc(n, sizeof(*p.node));
	g.label = calloc(n, sizeof(*g.label));
	err = p.node && g.label ? compile(&g, &p, insns, &why) : -ENOMEM;
	if (err == -E2BIG)
		snprintf(text, size, "too long: %u eBPF instructions", e->len);
	else if (err == -ENOMEM)
		snprintf(text, size, "out of memory");
	free(g.cold);
	free(g.label);
	free(p.node);
	return err;
}
