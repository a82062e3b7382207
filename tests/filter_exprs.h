/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filter expressions for the tests: every primitive of pcap-filter(7) that has
 * a meaning on Ethernet. Not among them: "gateway", which needs a host that is
 * in /etc/ethers and stands for "ether host E and not host H"; and what libpcap
 * refuses on Ethernet (ATM, wireless, pf's own).
 */
#ifndef FILTER_EXPRS_H
#define FILTER_EXPRS_H

extern const char *const filter_exprs[];
extern const unsigned filter_nexprs;

/* What libpcap knows from 1.11 on. */
extern const char *const filter_exprs_newer[];
extern const unsigned filter_nexprs_newer;

#endif
