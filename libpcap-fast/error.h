/* SPDX-License-Identifier: BSD-3-Clause */
/* The public edge: negative errno inside becomes PCAP_ERROR* plus text. */
#ifndef PCF_ERROR_H
#define PCF_ERROR_H

#include "compat/public.h"

/* Write the text that pcap_geterr() gives, and return `code`. */
int pcf_fail(pcap_t *p, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "what: strerror(err)" for a negative errno; PCAP_ERROR, or the code that
 * libpcap has for it. */
int pcf_fail_errno(pcap_t *p, int err, const char *what);

#endif
