/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many packets a second can this interface bring as far as an XDP program?
 * The program counts and drops, so this is the ceiling for any capture. Knows
 * nothing of sockets, rings or libpcap.
 *
 *   bench_drop INTERFACE SECONDS
 */
#include "bench/attach.h"
#include "bench/window.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct counter {
	int map, cpus;
	uint64_t *values; /* one a processor */
};

static void emit_program(struct pcf_ebpf *e, int map)
{
	int out = pcf_ebpf_label(e);

	pcf_store_imm(e, BPF_W, BPF_REG_10, -4, 0);
	pcf_mov64_reg(e, BPF_REG_2, BPF_REG_10);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_2, -4);
	pcf_load_map_fd(e, BPF_REG_1, map);
	pcf_call(e, BPF_FUNC_map_lookup_elem);
	pcf_jump_imm(e, BPF_JEQ, BPF_REG_0, 0, out);
	pcf_load(e, BPF_DW, BPF_REG_1, BPF_REG_0, 0);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_1, 1);
	pcf_store(e, BPF_DW, BPF_REG_0, 0, BPF_REG_1);
	pcf_ebpf_bind(e, out);
	pcf_mov64_imm(e, BPF_REG_0, XDP_DROP);
	pcf_exit(e);
}

static void open_counter(struct counter *c)
{
	c->cpus = libbpf_num_possible_cpus();
	if (c->cpus < 1)
		errx(2, "number of processors");
	c->values = calloc(c->cpus, sizeof(*c->values));
	c->map = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "bench", 4, 8, 1,
				NULL);
	if (!c->values || c->map < 0)
		err(2, "counter");
}

static uint64_t count(const struct counter *c)
{
	uint32_t zero = 0;
	uint64_t sum = 0;

	if (bpf_map_lookup_elem(c->map, &zero, c->values))
		err(2, "counter");
	for (int i = 0; i < c->cpus; i++)
		sum += c->values[i];
	return sum;
}

int main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	struct bench_window w;
	struct counter c;
	struct pcf_ebpf e;

	bench_arguments(&w, argc, argv, 1);
	open_counter(&c);
	pcf_ebpf_init(&e);
	emit_program(&e, c.map);
	bench_attach(w.device, &e);
	bench_ready(&w);
	while (!bench_over(&w, count(&c)))
		nanosleep(&pause, NULL);
	bench_report(&w);
	putchar('\n');
	free(c.values);
	return 0;
}
