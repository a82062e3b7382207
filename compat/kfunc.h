/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernel functions that XDP programs may call, by their BTF ids. */
#ifndef PCF_KFUNC_H
#define PCF_KFUNC_H

#include <stdbool.h>
#include <stdint.h>

/* The ids of those that tell a packet's time and hash, 0 where not wanted.
 * Linux 6.3. 0, or negative errno: -ENOENT the kernel has none, or shows no
 * BTF. Reads megabytes, so once per capture that wants one. */
int pcf_kfunc_hints(bool want_time, bool want_hash, int32_t *time,
		    int32_t *hash);

#endif
