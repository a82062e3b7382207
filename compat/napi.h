/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The settings of an interface's NAPI instances, by netdev-genl: what makes
 * its interrupts wait while somebody polls. 6.13. Keeps no state.
 */
#ifndef PCF_NAPI_H
#define PCF_NAPI_H

#include <stdint.h>

struct pcf_napi {
	uint32_t id;
	uint32_t defer_hard_irqs;   /* empty polls before interrupts are on */
	uint64_t gro_flush_timeout; /* ns from one of them to the next */
};

/* The first `most` instances: how many, or negative errno. -EOPNOTSUPP: the
 * kernel has no settings of single instances. */
int pcf_napi_list(int ifindex, struct pcf_napi *napis, unsigned most);

/* Needs CAP_NET_ADMIN. 0 or negative errno. */
int pcf_napi_set(const struct pcf_napi *napi);

#endif
