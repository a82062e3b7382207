/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a filter runs, and that a new one is in force when the call returns. */
#ifndef PCF_SETFILTER_H
#define PCF_SETFILTER_H

#include "libpcap-fast/handle.h"

int pcf_setfilter(struct pcf_handle *h, const struct bpf_program *program);
int pcf_setdirection(struct pcf_handle *h, pcap_direction_t direction);
void pcf_filter_free(struct pcf_filter *f);

/* Let the shadow capture what filter and direction ask for. */
void pcf_shadow_update(struct pcf_handle *h);

#endif
