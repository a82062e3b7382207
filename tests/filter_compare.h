/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One program, one frame, every way to execute: they must agree. What the
 * single tests, the expression table and the fuzzers share.
 */
#ifndef FILTER_COMPARE_H
#define FILTER_COMPARE_H

#include <stdbool.h>

#include "tests/filter_ebpf.h"
#include "tests/filter_interp.h"
#include "tests/filter_wire.h"

struct filter_case {
	const struct sock_filter *insns;
	unsigned n;
	struct pcf_ebpf code[2];	/* without and with frags */
	int compiled;			/* what the compiler returned */
	int loaded[2];			/* in the kernel, or < 0 */
	struct pcf_code *interp;	/* the interpreter's, or NULL */
	int encoded;			/* its length, or a negative errno */
	struct filter_wire *wire;	/* takes the program, or NULL */
	uint32_t ifindex;
	bool by_chance;			/* has a random number: only this
					 * library's own ways agree */
	bool by_cpu;			/* answers in the kernel only */
	char why[128];
};

/* Compile both ways; `wire`, if not NULL: also put it on the wire's socket. */
void filter_case_init(struct filter_case *c, const struct sock_filter *insns,
		      unsigned n, struct filter_wire *wire);
/* Load both; negative errno of the first that is refused. `log` as in
 * filter_kernel_load(). */
int filter_case_load(struct filter_case *c, char *log, size_t size);
void filter_case_free(struct filter_case *c);

/* 0, or 1 after printing who disagrees, the program and the frame. */
int filter_case_run(struct filter_case *c, const uint8_t *data, uint32_t len);
/* What pcf_filter_run() says of it. */
uint32_t filter_case_expect(const struct filter_case *c, const uint8_t *data,
			    uint32_t len);

#endif
