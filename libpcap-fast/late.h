/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filters that are set late, when the process may no longer load a program. So
 * one is loaded at activation that interprets whatever filter comes.
 */
#ifndef PCF_LATE_H
#define PCF_LATE_H

#include "libpcap-fast/handle.h"

/* Load it, beside the backends that are open and not yet armed. Without it, as
 * on kernels before 6.9, late filters run in user space. */
void pcf_late_open(struct pcf_handle *h);
/* After the backends. */
void pcf_late_close(struct pcf_handle *h);

/* Let it decide by this filter. 0 or negative errno. */
int pcf_late_filter(struct pcf_handle *h, const struct pcf_filter *f);

#endif
