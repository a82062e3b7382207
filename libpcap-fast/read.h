/* SPDX-License-Identifier: BSD-3-Clause */
/* The read calls on a handle of ours; results as the libpcap calls of the
 * same name have them. */
#ifndef PCF_READ_H
#define PCF_READ_H

#include "compat/public.h"

struct pcf_handle;

int pcf_dispatch(struct pcf_handle *h, int count, pcap_handler callback,
		 u_char *user);
int pcf_loop(struct pcf_handle *h, int count, pcap_handler callback,
	     u_char *user);
int pcf_next_ex(struct pcf_handle *h, struct pcap_pkthdr **header,
		const u_char **data);
void pcf_breakloop(struct pcf_handle *h);

#endif
