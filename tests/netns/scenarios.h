/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a capture's life can be, for test_fault.c: each scenario opens, uses and
 * closes, while calls fail under it.
 */
#ifndef PCF_SCENARIOS_H
#define PCF_SCENARIOS_H

/* What is wrong with a run, NULL nothing. */
typedef const char *complaint;

struct scenario {
	complaint (*run)(void);
	const char *name;
	unsigned kinds, queues; /* kinds: 1 << enum fault_kind */
	const char *rx;
	const char *zerocopy; /* tried in vain, or not at all */
	const char *hash;
};

#define SCENARIOS 11
extern const struct scenario scenarios[SCENARIOS];

#endif
