/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filters without loading a program: classic BPF becomes code in a map
 * (backend/code_map.h), which a program loaded earlier interprets at the hook.
 * Same semantics as compiled filters (filter.h). Needs a kernel with may_goto
 * (6.9).
 *
 * The code is the compiler's nodes (insn.h), one instruction each, but that a
 * load and the comparison behind it are one: that pair is what libpcap's
 * programs are made of.
 */
#ifndef PCF_FILTER_INTERP_H
#define PCF_FILTER_INTERP_H

#include "backend/code_map.h"
#include "libpcap-fast/filter/filter.h"

enum pcf_code_op {
	/* the common ones */
	PCF_CODE_EQ_4, /* PCF_LOAD of 4, 2, 1 bytes at `off`, JEQ k */
	PCF_CODE_EQ_2,
	PCF_CODE_EQ_1,
	PCF_CODE_JEQ,
	PCF_CODE_RET,
	PCF_CODE_LOAD_4,
	PCF_CODE_LOAD_2,
	PCF_CODE_LOAD_1,
	/* the others */
	PCF_CODE_IND_4,
	PCF_CODE_IND_2,
	PCF_CODE_IND_1,
	PCF_CODE_MSH,
	PCF_CODE_JGT,
	PCF_CODE_JGE,
	PCF_CODE_JSET,
	PCF_CODE_JEQ_X,
	PCF_CODE_JGT_X,
	PCF_CODE_JGE_X,
	PCF_CODE_JSET_X,
	PCF_CODE_JUMP, /* by jt */
	PCF_CODE_RETA,
	PCF_CODE_IMM,
	PCF_CODE_IMMX,
	PCF_CODE_MEM,
	PCF_CODE_MEMX,
	PCF_CODE_STORE,
	PCF_CODE_STOREX,
	PCF_CODE_TAX,
	PCF_CODE_TXA,
	PCF_CODE_LEN,
	PCF_CODE_LENX,
	PCF_CODE_PROTOCOL,
	PCF_CODE_PKTTYPE,
	PCF_CODE_QUEUE,
	PCF_CODE_RANDOM,
	PCF_CODE_CPU,
	PCF_CODE_TAG,
	PCF_CODE_TAGGED,
	PCF_CODE_TPID,
	PCF_CODE_ALU, /* plus BPF_OP() >> 4: eleven, with k */
	PCF_CODE_ALU_X = PCF_CODE_ALU + 11, /* with X */
	PCF_CODE_OPS = PCF_CODE_ALU_X + 11
};

/* The code, and how many instructions (at least 1), or negative errno with the
 * reason in `why`: as pcf_filter_compile(), or -E2BIG where `max` are too few.
 */
int pcf_interp_encode(const struct sock_filter *insns, unsigned n,
		      uint32_t ifindex, struct pcf_code *code, unsigned max,
		      char *why, size_t size);

/* Where on the stack the epoch of the code is found that has decided. */
#define PCF_INTERP_EPOCH(stack) ((stack) + 100)

/* Append the interpreter of the code in the map to `e`; registers, labels and
 * env as for pcf_filter_compile(), always with frags. */
int pcf_interp_emit(const struct pcf_filter_env *env, int code_map,
		    struct pcf_ebpf *e, int match, int nomatch);

#endif
