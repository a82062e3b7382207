/* SPDX-License-Identifier: BSD-3-Clause */
/* What a handle asks for, before pcap_activate() settles it. */
#ifndef PCF_TSTAMP_H
#define PCF_TSTAMP_H

#include "libpcap-fast/handle.h"

int pcf_asked_mode(const struct pcf_handle *h, const struct pcf_env *env);

static inline bool pcf_wants_adapter_time(const struct pcf_options *o)
{
	return o->tstamp_type == PCAP_TSTAMP_ADAPTER_UNSYNCED;
}

/* What only a capture alone on its interface can have. */
static inline bool pcf_wants_alone(const struct pcf_options *o)
{
	return pcf_wants_adapter_time(o) || o->rx_hash;
}

/* On the system's library: a type that only XDP could have given is not had. */
static inline int pcf_tstamp_warning(const struct pcf_options *o)
{
	return o->tstamp_ours ? PCAP_WARNING_TSTAMP_TYPE_NOTSUP : 0;
}

/* What it has so, in words. */
const char *pcf_alone_words(const struct pcf_options *o);

#endif
