/* SPDX-License-Identifier: BSD-3-Clause */
/* Processes of a test's own, which are killed or told what to do. None of them
 * outlives it. */
#ifndef PCF_CHILD_H
#define PCF_CHILD_H

#include "compat/public.h"

#include <stdbool.h>
#include <sys/types.h>

/* A process that does `body` and ends. Returns when it is ready. */
pid_t child_start(void (*body)(void *arg), void *arg);
/* In the process: it is; ... and does nothing more until it is killed. */
void child_ready(void);
void child_waits(void);
void child_kill(pid_t child);

/* A test in a process of its own, which fails if it does. */
void child_runs(void (*test)(void));

/* A process that opens and closes a capture. */
struct opener {
	pid_t pid;
	int to, from;
};

/* `open` returns NULL when it cannot. */
struct opener opener_start(pcap_t *(*open)(const char *device),
			   const char *device);
/* Told to open and told to close, in turn, it says 'y' that it is open or 'n'
 * that it could not, and 'c' that it is closed. */
bool opener_tell(const struct opener *o);
char opener_says(const struct opener *o);
void opener_stop(struct opener *o);

#endif
