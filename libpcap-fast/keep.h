/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keep filter: packets that the host keeps although a capture is exclusive.
 *
 *	matches keep and filter    copied, and on to the host
 *	matches only the filter    taken
 *	matches only keep          to the host
 *	neither                    the rest: to the host, or dropped
 */
#ifndef PCF_KEEP_H
#define PCF_KEEP_H

#include "libpcap-fast/handle.h"

/* Whether the expression is one. 0, or PCAP_ERROR with the text in `p`. */
int pcf_keep_check(pcap_t *p, const char *expression);

/* Set up the capture's backend, and open the mirror if it takes one, both not
 * yet armed. The real handle is active. 0 or negative errno with the reason in
 * `why`. */
int pcf_keep_open(struct pcf_handle *h, const struct pcf_open *how,
		  const char *expression, char *why, size_t size);
void pcf_keep_close(struct pcf_handle *h);

/* The mirror, one more source of packets; NULL: none. */
struct pcf_backend *pcf_keep_mirror(const struct pcf_handle *h);

/* The capture has a new filter at the hook. 0 or negative errno. */
int pcf_keep_filter(struct pcf_handle *h, struct pcf_filter *f);

/* The same for filters set late (late.h). */
int pcf_keep_interpreter(struct pcf_handle *h, struct pcf_code_map *map,
			 pcf_emit_filter emit, void *arg, int epoch_at);
int pcf_keep_code(struct pcf_handle *h, const struct pcf_code *code,
		  unsigned n);

/* It has none there: until it has one again, copy all and take nothing. */
void pcf_keep_all(struct pcf_handle *h);
bool pcf_keep_is_all(const struct pcf_handle *h);

int pcf_keep_arm(struct pcf_handle *h, bool on);

#endif
