/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Failure by number: the i-th allocation, or the i-th system call, of all that
 * this process makes from here on fails, in the library as in the libraries
 * below it. fault.c defines the functions themselves in the test program, so
 * every shared object finds them first.
 */
#ifndef PCF_FAULT_H
#define PCF_FAULT_H

#include <stdbool.h>

enum fault_kind {
	FAULT_MEMORY,	/* malloc and its kin, mmap */
	FAULT_CALLS,	/* sockets, descriptors, bpf() */
	FAULT_CALLS_2,	/* ... with each one's second errno */
	FAULT_KINDS
};

/* The `nth` call of a kind (from 1) fails, once. */
void fault_arm(enum fault_kind kind, unsigned nth);
/* No more; whether it did. */
bool fault_disarm(void);
/* Calls in between are neither counted nor failed. What it was before. */
bool fault_pause(bool on);
/* What failed last, in words. */
const char *fault_struck(void);
/* Blocks of memory allocated and not freed, in the whole process. */
long fault_live(void);

#endif
