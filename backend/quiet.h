/* SPDX-License-Identifier: BSD-3-Clause */
/* libbpf and libxdp speak to stderr of their own accord; this library does
 * not. Between pcf_quiet(true) and pcf_quiet(false) they are silent, then the
 * program has its own functions back. Nests; any thread. */
#ifndef PCF_QUIET_H
#define PCF_QUIET_H

#include <stdbool.h>

void pcf_quiet(bool on);

#endif
