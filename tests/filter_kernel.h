/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Compiled filters in the kernel: loaded as XDP programs, run by
 * BPF_PROG_TEST_RUN (root only).
 */
#ifndef FILTER_KERNEL_H
#define FILTER_KERNEL_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

/* Load as XDP: a descriptor or negative errno; the verifier's words in `log`
 * (may be NULL). */
int filter_kernel_load(const struct bpf_insn *insns, unsigned n, int frags,
		       char *log, size_t size);
/* Run once over a frame (at least 14 bytes): 0 or negative errno. */
int filter_kernel_run(int prog, const uint8_t *data, uint32_t len,
		      uint32_t *result);
/* Nanoseconds per run over `repeat` runs, or negative errno. */
int filter_kernel_time(int prog, const uint8_t *data, uint32_t len,
		       unsigned repeat);

#endif
