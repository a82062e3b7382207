/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of a classic program at the hook, for pcap-fast filter. */
#ifndef PCF_TOOL_FILTER_H
#define PCF_TOOL_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdio.h>

struct tool_verdict {
	bool system;		/* no capture of ours can have it */
	bool driver;		/* it runs there */
	bool socket;		/* ... else on a packet socket; else in user
				 * space */
	bool tried;		/* the kernel was asked */
	unsigned len;		/* eBPF instructions, 0 none */
	double compile_ms, load_ms;
	char reason[512];
};

/* Compile a checked program, load it if this process may, and write the eBPF
 * instructions to `out` (NULL: not). */
void tool_filter_judge(const struct sock_filter *insns, unsigned n, FILE *out,
		       struct tool_verdict *v);

#endif
