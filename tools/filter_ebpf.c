/* SPDX-License-Identifier: BSD-3-Clause */
/* The eBPF side of pcap-fast filter: compiled as a capture would, in a program
 * that does nothing else, and loaded to see if the kernel takes it. */
#include "tools/filter.h"

#include "backend/prog.h"
#include "compat/ebpf.h"
#include "compat/kernel.h"
#include "libpcap-fast/filter/filter.h"
#include "libpcap-fast/filter/print.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* R6 = the context; the filter; 1 for a match (XDP_DROP), 2 for none. */
static int build(struct pcf_ebpf *e, const struct sock_filter *insns,
		 unsigned n, char *why, size_t size)
{
	const struct pcf_filter_env env = { .ifindex = 1,
					    .stack = PCF_FILTER_STACK,
					    .frags = 1 };
	int match = pcf_ebpf_label(e), nomatch = pcf_ebpf_label(e), err;

	pcf_mov64_reg(e, BPF_REG_6, BPF_REG_1);
	err = pcf_filter_compile(insns, n, &env, e, match, nomatch, why, size);
	pcf_ebpf_bind(e, match);
	pcf_mov64_imm(e, BPF_REG_0, XDP_DROP);
	pcf_exit(e);
	pcf_ebpf_bind(e, nomatch);
	pcf_mov64_imm(e, BPF_REG_0, XDP_PASS);
	pcf_exit(e);
	return err;
}

static void load(struct pcf_ebpf *e, struct tool_verdict *v)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	double start = now_ms();
	int fd = pcf_prog_load(e, "pcf_filter", v->reason, sizeof(v->reason));

	v->load_ms = now_ms() - start;
	libbpf_set_print(print);
	v->tried = fd != -EPERM;
	v->driver = fd >= 0 || !v->tried;
	if (fd >= 0) {
		close(fd);
		snprintf(v->reason, sizeof(v->reason),
			 "compiled, and accepted by the kernel");
	} else if (!v->tried) {
		snprintf(
			v->reason, sizeof(v->reason),
			"compiled; not tried on the kernel, for want of privilege");
	}
}

void tool_filter_judge(const struct sock_filter *insns, unsigned n, FILE *out,
		       struct tool_verdict *v)
{
	double start = now_ms();
	struct pcf_ebpf e;

	memset(v, 0, sizeof(*v));
	pcf_ebpf_init(&e);
	v->socket = pcf_filter_needs_socket(insns, n);
	if (!build(&e, insns, n, v->reason, sizeof(v->reason))) {
		v->compile_ms = now_ms() - start;
		load(&e, v);
		v->len = e.len;
		if (out)
			pcf_ebpf_print(out, e.insns, e.len);
	}
	pcf_ebpf_free(&e);
}
