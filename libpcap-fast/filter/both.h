/* SPDX-License-Identifier: BSD-3-Clause */
/* Two filters in one program: what matches both. */
#ifndef PCF_BOTH_H
#define PCF_BOTH_H

#include "backend/backend.h"

struct pcf_both {
	pcf_emit_filter first, second;	/* second NULL: everything matches */
	void *first_arg, *second_arg;
};

/* A pcf_emit_filter whose argument is a struct pcf_both. The bytes to keep are
 * the second's. */
int pcf_emit_both(void *arg, struct pcf_ebpf *e, int match, int nomatch,
		  char *why, size_t size);

#endif
