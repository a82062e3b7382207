/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The public headers, with their functions visible outside the library
 * (everything else is hidden), and what newer libpcap headers declare and
 * older ones do not.
 */
#ifndef PCF_PUBLIC_H
#define PCF_PUBLIC_H

#pragma GCC visibility push(default)
#include <pcap/pcap.h>
#include <pcap/namedb.h>
#include "pcap-fast.h"

/* libpcap 1.11 exports these on every platform; 1.10's header declares them
 * only where remote capture is built in. */
int pcap_createsrcstr(char *, int, const char *, const char *, const char *,
		      char *);
int pcap_parsesrcstr(const char *, int *, char *, char *, char *, char *);
struct pcap_rmtauth;
int pcap_findalldevs_ex(const char *, struct pcap_rmtauth *, pcap_if_t **,
			char *);
pcap_t *pcap_open(const char *, int, int, int, struct pcap_rmtauth *, char *);
struct pcap_samp;
struct pcap_samp *pcap_setsampling(pcap_t *);
#pragma GCC visibility pop

#endif
