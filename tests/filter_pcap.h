/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libpcap's own compiler, checker and interpreter for the filter tests, behind
 * functions that do not need <pcap.h>, which cannot be where <linux/bpf.h> is.
 */
#ifndef FILTER_PCAP_H
#define FILTER_PCAP_H

#include <stddef.h>
#include <stdint.h>

struct sock_filter;

/* Compile as for a live capture on this device (the code differs from that of
 * a dead handle where tags and directions are concerned). 0 or -1. */
int filter_pcap_open(const char *device, char *err, size_t size);
void filter_pcap_close(void);
/* *insns is the caller's to free(). 0 or -1. */
int filter_pcap_compile(const char *expr, int optimize,
			struct sock_filter **insns, unsigned *n, char *err,
			size_t size);
int filter_pcap_validate(const struct sock_filter *insns, unsigned n);
uint32_t filter_pcap_run(const struct sock_filter *insns, const uint8_t *data,
			 uint32_t len);

#endif
