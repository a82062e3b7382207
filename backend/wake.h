/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a program wakes a reader: by a record in a small BPF ring buffer, whose
 * descriptor is readable while it has one that was not forgotten.
 */
#ifndef PCF_WAKE_H
#define PCF_WAKE_H

#include <stdbool.h>

struct pcf_ebpf;

/* In a control block's `wake_at`: for no packet. */
#define PCF_WAKE_NEVER (~0ull)

struct pcf_wake {
	int map; /* the descriptor */
	volatile unsigned long *consumer;
	const volatile unsigned long *producer;
};

#define PCF_WAKE_INIT                                                          \
	{                                                                      \
		.map = -1                                                      \
	}

/* 0 or negative errno; to be closed in either case. */
int pcf_wake_open(struct pcf_wake *w);
void pcf_wake_close(struct pcf_wake *w);

static inline bool pcf_wake_told(const struct pcf_wake *w)
{
	return __atomic_load_n(w->producer, __ATOMIC_ACQUIRE) != *w->consumer;
}

static inline void pcf_wake_forget(struct pcf_wake *w)
{
	__atomic_store_n(w->consumer,
			 __atomic_load_n(w->producer, __ATOMIC_ACQUIRE),
			 __ATOMIC_RELEASE);
}

/* Write a record: the eight bytes on the stack at R10 + `at`. R0 to R5 are
 * lost. */
void pcf_wake_emit(struct pcf_ebpf *e, int map, int at);

#endif
