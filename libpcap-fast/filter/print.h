/* SPDX-License-Identifier: BSD-3-Clause */
/* eBPF instructions as text, for people. */
#ifndef PCF_FILTER_PRINT_H
#define PCF_FILTER_PRINT_H

#include <stdio.h>

struct bpf_insn; /* eBPF's, <linux/bpf.h> */

/* One line an instruction, "  12: if w7 != 0x800 goto 40". 0, or -EIO. */
int pcf_ebpf_print(FILE *out, const struct bpf_insn *insns, unsigned n);

#endif
