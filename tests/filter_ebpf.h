/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small eBPF machine for the filter tests: runs compiled filters without the
 * kernel and is strict where the verifier is (every access within the linear
 * part, the stack or the context; nothing written but the stack).
 */
#ifndef FILTER_EBPF_H
#define FILTER_EBPF_H

#include "compat/ebpf.h"
#include "libpcap-fast/filter/filter.h"

struct filter_xdp {
	const uint8_t *data;
	uint32_t linear;	/* bytes that pointers reach */
	uint32_t len;		/* all bytes; the rest is in frags */
	uint32_t ifindex, queue;
	int stack;		/* lowest usable offset of R10 */
	uint32_t random;	/* where its random numbers begin */
	uint32_t cpu;
};

/* R0 at exit. *fault: NULL, or what the program did wrong. */
uint64_t filter_ebpf_run(const struct bpf_insn *insns, unsigned n,
			 const struct filter_xdp *xdp, const char **fault);

/* What a wrapped filter returns that says "match" but keeps nothing. */
#define FILTER_BAD_MATCH 0x0bad0bad

/* A whole program around a compiled filter: returns the bytes to keep. The
 * caller frees the buffer; 0 or what pcf_filter_compile() said. */
int filter_wrap(const struct sock_filter *insns, unsigned n,
		const struct pcf_filter_env *env, struct pcf_ebpf *e, char *why,
		size_t size);

#endif
