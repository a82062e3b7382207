/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A growing buffer of eBPF instructions with labels.
 *
 * Owns: the instruction array, label resolution, jump offsets. Knows nothing
 * of XDP, maps or classic BPF: those that emit (the filter compiler, the
 * prologue and epilogue around it) call in here.
 *
 * Errors stick: after a failed emit (memory, label limit) every further call
 * is a no-op and pcf_ebpf_finish() returns the first error. So emitters need
 * no test after each instruction.
 *
 * No file may include both <linux/bpf.h> (as this one does) and <pcap/bpf.h>:
 * each defines struct bpf_insn. Classic programs travel as struct sock_filter,
 * which has the same layout as libpcap's struct bpf_insn.
 */
#ifndef PCF_EBPF_H
#define PCF_EBPF_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

struct pcf_ebpf {
	struct bpf_insn *insns;
	unsigned len, cap;
	struct pcf_fixup *fixups;	/* jumps that wait for their label */
	unsigned nfixups, cap_fixups;
	int *labels;			/* label -> instruction index, -1 unbound */
	unsigned nlabels, cap_labels;
	int error;			/* 0 or the first negative errno */
};

void pcf_ebpf_init(struct pcf_ebpf *e);
void pcf_ebpf_free(struct pcf_ebpf *e);

/* Resolve all labels. Where a jump is too long for its 16 bits, jumps on the
 * way (islands) are put in, so instructions may move. 0 or negative errno;
 * -EINVAL: a label was never bound; -E2BIG: no way to make a jump fit. Nothing
 * may be emitted afterwards. */
int pcf_ebpf_finish(struct pcf_ebpf *e);

/* Labels: make one, bind it to the next instruction to be emitted. */
int pcf_ebpf_label(struct pcf_ebpf *e);
void pcf_ebpf_bind(struct pcf_ebpf *e, int label);

/* For an emitter that ran out of memory by itself. */
void pcf_ebpf_no_memory(struct pcf_ebpf *e);

void pcf_ebpf_emit(struct pcf_ebpf *e, struct bpf_insn insn);
/* A jump instruction (conditional or BPF_JA) whose offset is the label's. */
void pcf_ebpf_jump(struct pcf_ebpf *e, struct bpf_insn insn, int label);

/* The instructions by their usual names; `op` is BPF_ADD, BPF_JEQ, ... */
void pcf_mov64_reg(struct pcf_ebpf *e, int dst, int src);
void pcf_mov32_reg(struct pcf_ebpf *e, int dst, int src);
void pcf_mov64_imm(struct pcf_ebpf *e, int dst, int32_t imm);
void pcf_mov32_imm(struct pcf_ebpf *e, int dst, int32_t imm);
void pcf_alu64_imm(struct pcf_ebpf *e, int op, int dst, int32_t imm);
void pcf_alu64_reg(struct pcf_ebpf *e, int op, int dst, int src);
void pcf_alu32_imm(struct pcf_ebpf *e, int op, int dst, int32_t imm);
void pcf_alu32_reg(struct pcf_ebpf *e, int op, int dst, int src);
/* Byte swap of the low 16, 32 or 64 bits to big endian (and back). */
void pcf_to_be(struct pcf_ebpf *e, int dst, int bits);
/* size: BPF_B, BPF_H, BPF_W or BPF_DW. */
void pcf_load(struct pcf_ebpf *e, int size, int dst, int src, int off);
void pcf_store(struct pcf_ebpf *e, int size, int dst, int off, int src);
void pcf_store_imm(struct pcf_ebpf *e, int size, int dst, int off, int32_t imm);
/* lock *(u64 *)(dst + off) += src */
void pcf_atomic_add64(struct pcf_ebpf *e, int dst, int off, int src);
void pcf_call(struct pcf_ebpf *e, int helper);
/* A kernel function, by its id in the BTF of vmlinux. */
void pcf_call_kfunc(struct pcf_ebpf *e, int32_t btf_id);
void pcf_exit(struct pcf_ebpf *e);
void pcf_ja(struct pcf_ebpf *e, int label);
void pcf_jump_imm(struct pcf_ebpf *e, int op, int dst, int32_t imm, int label);
void pcf_jump_reg(struct pcf_ebpf *e, int op, int dst, int src, int label);
void pcf_jump32_imm(struct pcf_ebpf *e, int op, int dst, int32_t imm,
		    int label);
void pcf_jump32_reg(struct pcf_ebpf *e, int op, int dst, int src, int label);
void pcf_load_imm64(struct pcf_ebpf *e, int dst, uint64_t imm);
void pcf_load_map_fd(struct pcf_ebpf *e, int dst, int map_fd);
/* Address of byte `off` of the first value of an array map. */
void pcf_load_map_value(struct pcf_ebpf *e, int dst, int map_fd, uint32_t off);

#endif
