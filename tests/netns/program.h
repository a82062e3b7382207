/* SPDX-License-Identifier: BSD-3-Clause */
/* XDP programs and maps that are not the library's, or that it did not write:
 * what a test puts in its way. Separate from pcap.h. */
#ifndef PCF_TEST_PROGRAM_H
#define PCF_TEST_PROGRAM_H

#include <stdint.h>

/* The map of this name that was made last; its descriptor or negative. */
int program_map(const char *name);
int program_put(int map, uint32_t key, const void *value);

/* Attach to vA a program of this name, bound to so many maps of its own;
 * net_detach_foreign() takes it away. 0 or negative. */
int program_attach(const char *name, int maps);

#endif
