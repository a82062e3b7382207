/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writing and reading pcap files without libpcap, so that what tests expect
 * does not come out of the library under test. Ethernet, this machine's byte
 * order, microseconds or (reading) nanoseconds.
 */
#ifndef PCF_GEN_PCAPFILE_H
#define PCF_GEN_PCAPFILE_H

#include <stdint.h>
#include <stdio.h>

#define PCF_FILE_SNAPLEN 262144

struct pcf_file_pkt {
	uint32_t sec, frac; /* frac: microseconds or nanoseconds */
	uint32_t caplen, len;
	uint8_t data[PCF_FILE_SNAPLEN];
};

/* NULL and errno on failure. */
FILE *pcf_file_create(const char *path);
/* 0 or negative errno. */
int pcf_file_write(FILE *f, uint64_t usec, const void *data, uint32_t len);

/* NULL and errno; EPROTO: not a pcap file of this machine, or not Ethernet. */
FILE *pcf_file_open(const char *path);
/* 1: a packet; 0: end of file; -EPROTO: cut off or damaged. */
int pcf_file_read(FILE *f, struct pcf_file_pkt *pkt);

#endif
