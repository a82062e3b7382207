/* SPDX-License-Identifier: BSD-3-Clause */
/* The mode that a handle asks for, before pcap_activate() settles it. */
#ifndef PCF_TSTAMP_H
#define PCF_TSTAMP_H

struct pcf_env;
struct pcf_handle;

int pcf_asked_mode(const struct pcf_handle *h, const struct pcf_env *env);

#endif
