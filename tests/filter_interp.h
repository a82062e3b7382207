/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interpreter of filters in the kernel (libpcap-fast/filter/interp.h), run
 * by BPF_PROG_TEST_RUN: one program for all filters, loaded when first asked
 * for (root only, Linux 6.9).
 */
#ifndef FILTER_INTERP_H
#define FILTER_INTERP_H

#include "compat/ebpf.h"
#include "libpcap-fast/filter/interp.h"

/* The program's descriptor, or negative errno. */
int filter_interp_open(void);
/* From now on it runs this code. */
int filter_interp_use(const struct pcf_code *code, unsigned n);
/* Run it over a frame (at least 14 bytes): 0 or negative errno. */
int filter_interp_run(const uint8_t *data, uint32_t len, uint32_t *result);

#endif
