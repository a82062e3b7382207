/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting for any of a handle's sources, and being woken by pcap_breakloop(). */
#ifndef PCF_WAIT_H
#define PCF_WAIT_H

#include <stdbool.h>
#include <stdint.h>

struct pcf_waiter;

/* `fds`: the sources' descriptors; two times PCF_WAIT_FREE at the end keep the
 * places of two that are added later. 0 or negative errno. */
#define PCF_WAIT_FREE (-1)
int pcf_waiter_open(struct pcf_waiter **w, const int *fds, unsigned n);
void pcf_waiter_close(struct pcf_waiter *w);

/* One more descriptor, which tells of events rather than packets; did the
 * last wait see one? */
void pcf_waiter_watch(struct pcf_waiter *w, int fd);
bool pcf_waiter_event(const struct pcf_waiter *w);
/* Two more in the free places. On failure, negative errno, none of them. */
int pcf_waiter_add(struct pcf_waiter *w, int fd, int other);

/* Sleep until a source is readable or has an error (1), somebody woke us (1),
 * or the time is over (0; -1 ms: never). Signals do not end it. Negative errno
 * on failure. */
int pcf_waiter_wait(struct pcf_waiter *w, int timeout_ms);

/* The same, for so many microseconds, with `fd` (-1 none) in place of the first
 * `skip` sources: what was seen of them stands. */
int pcf_waiter_pause(struct pcf_waiter *w, unsigned skip, int fd, int64_t us);

/* As the last wait saw them: one of the first n sources readable, and nothing
 * of the others, at which it looked later; nor did anybody wake us. */
bool pcf_waiter_only_first(const struct pcf_waiter *w, unsigned n);

/* From a signal handler or another thread, too. */
void pcf_waiter_wake(struct pcf_waiter *w);

/* Readable while any source is; for the caller's own select(). -1: no memory
 * for it, or too many descriptors are watched. */
int pcf_waiter_fd(struct pcf_waiter *w);

#endif
