/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loading and attaching a benchmark's XDP program. Knows nothing of what the
 * program does.
 */
#ifndef PCF_BENCH_ATTACH_H
#define PCF_BENCH_ATTACH_H

#include "compat/ebpf.h"

/* Finish and load the program and attach it to the device in the driver
 * (native), by a link that goes when the process ends. Frees `e`. Exits with
 * 2 and a text on failure. */
void bench_attach(const char *device, struct pcf_ebpf *e);

#endif
