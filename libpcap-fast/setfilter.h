/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a filter runs, and that a new one is in force when the call returns. */
#ifndef PCF_SETFILTER_H
#define PCF_SETFILTER_H

#include "libpcap-fast/handle.h"

int pcf_setfilter(struct pcf_handle *h, const struct bpf_program *program);
/* On any other handle: the system library's, and noted where it runs. */
int pcf_setfilter_stock(pcap_t *p, struct bpf_program *program);
int pcf_setdirection(struct pcf_handle *h, pcap_direction_t direction);
void pcf_filter_free(struct pcf_filter *f);

/* To emit a filter: the argument of pcf_emit(). */
struct pcf_emit_arg {
	const struct pcf_handle *h;
	const struct pcf_filter *filter;
};

/* A pcf_emit_filter. */
int pcf_emit(void *arg, struct pcf_ebpf *e, int match, int nomatch, char *why,
	     size_t size);

/* Let the shadow capture what filter and direction ask for. */
void pcf_shadow_update(struct pcf_handle *h);

#endif
