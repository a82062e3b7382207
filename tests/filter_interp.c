/* SPDX-License-Identifier: BSD-3-Clause */
/* The interpreting program in the kernel; see filter_interp.h. */
#include <string.h>

#include "tests/filter_frames.h"
#include "tests/filter_interp.h"
#include "tests/filter_kernel.h"

static struct pcf_code_map map;
static int prog; /* 0: not yet tried */

/* Returns the bytes to keep; 0 too if the epoch of the code is not there. */
static int build(struct pcf_ebpf *e)
{
	struct pcf_filter_env env = { .stack = PCF_FILTER_STACK };
	const int match = pcf_ebpf_label(e), nomatch = pcf_ebpf_label(e);

	memcpy(env.mac, filter_mac, 6);
	pcf_mov64_reg(e, BPF_REG_6, BPF_REG_1);
	pcf_interp_emit(&env, map.fd, e, match, nomatch);
	pcf_ebpf_bind(e, match);
	pcf_load(e, BPF_W, BPF_REG_1, BPF_REG_10,
		 PCF_INTERP_EPOCH(PCF_FILTER_STACK));
	pcf_mov64_reg(e, BPF_REG_0, BPF_REG_7);
	pcf_jump_imm(e, BPF_JNE, BPF_REG_1, 7, nomatch);
	pcf_exit(e);
	pcf_ebpf_bind(e, nomatch);
	pcf_mov32_imm(e, BPF_REG_0, 0);
	pcf_exit(e);
	return pcf_ebpf_finish(e);
}

static int load(void)
{
	struct pcf_ebpf e;
	int r = pcf_code_map_open(&map);

	if (r)
		return r;
	pcf_ebpf_init(&e);
	r = build(&e);
	if (!r)
		r = filter_kernel_load(e.insns, e.len, 1, NULL, 0);
	pcf_ebpf_free(&e);
	return r;
}

int filter_interp_open(void)
{
	if (!prog)
		prog = load();
	return prog;
}

/* It runs only when we run it: nothing has to be waited for. */
int filter_interp_use(const struct pcf_code *code, unsigned n)
{
	map.puts = 0;
	return pcf_code_map_put(&map, code, n, 7);
}

int filter_interp_run(const uint8_t *data, uint32_t len, uint32_t *result)
{
	return filter_kernel_run(prog, data, len, result);
}
