/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is alive, as XDP programs see it: a process has an AF_XDP socket, bound
 * to nothing, in an XSKMAP. The kernel takes it out when its last descriptor
 * closes, however the process ended. Nothing is received by it.
 */
#ifndef PCF_LIVING_H
#define PCF_LIVING_H

#include <stdint.h>

/* Put a new socket into `map`. Returns its descriptor, or negative errno and
 * nothing is left. */
int pcf_living_socket(int map, uint32_t key);

#endif
