/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What expression a filter program was compiled from. pcap_setfilter() gets a
 * program only; pcap_compile() of this process has seen the text, and it is
 * remembered for a while by what the program says.
 */
#ifndef PCF_EXPRESSION_H
#define PCF_EXPRESSION_H

#include <stddef.h>

struct bpf_program;

/* The expression last compiled to the same program, cut to `size`; "" not
 * known. */
void pcf_expression_find(const struct bpf_program *program, char *text,
			 size_t size);

#endif
