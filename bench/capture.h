/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening a capture as all benchmark programs do. Knows nothing of what each
 * sets between the two calls. */
#ifndef PCF_BENCH_CAPTURE_H
#define PCF_BENCH_CAPTURE_H

#include <pcap/pcap.h>

/* A handle that will be promiscuous. Exits with 2 and a text on failure. */
pcap_t *bench_create(const char *device);
/* Exits with 2 and a text on failure; a warning is none. */
void bench_activate(pcap_t *p, const char *device);

#endif
