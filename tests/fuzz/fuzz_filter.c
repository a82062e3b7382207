/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libFuzzer target: the input is a classic program and a frame.
 *
 *   | n 1 | n instructions, 8 bytes each | frame |
 *
 * Whatever the checker lets through is run by the interpreter; what compiles
 * must say the same on the small eBPF machine.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/filter_compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const struct sock_filter *insns, unsigned n,
		const uint8_t *frame, uint32_t len)
{
	struct filter_case c;

	filter_case_init(&c, insns, n, NULL);
	if (filter_case_run(&c, frame, len))
		abort();
	filter_case_free(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sock_filter insns[255];
	const unsigned n = size ? data[0] : 0;
	const size_t used = 1 + n * sizeof(*insns);
	char why[64];

	if (!n || size < used + 14 || size - used > 9000)
		return 0;
	memcpy(insns, data + 1, used - 1);
	if (!pcf_filter_check(insns, n, why, sizeof(why)))
		run(insns, n, data + used, size - used);
	return 0;
}
