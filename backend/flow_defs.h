/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers that both forms of the flow hash have in common. */
#ifndef PCF_FLOW_DEFS_H
#define PCF_FLOW_DEFS_H

#include <stdint.h>

/* Odd, without a pattern in its bits: 2^64 divided by the golden ratio. */
#define PCF_FLOW_FACTOR UINT64_C(0x9e3779b97f4a7c15)

#define PCF_FLOW_TAGS	    2
#define PCF_FLOW_EXTENSIONS 5

enum {
	IP_TCP = 6,
	IP_UDP = 17,
	IP_SCTP = 132,
	IP6_HOPS = 0,
	IP6_ROUTING = 43,
	IP6_FRAGMENT = 44,
	IP6_AUTH = 51,
	IP6_OPTIONS = 60,
};

#endif
