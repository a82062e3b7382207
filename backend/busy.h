/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Busy polling: a socket that drives its queue's NAPI from the reader's own
 * system calls, while the device's interrupts wait. What is set outside the
 * process (the NAPI instance's two timers) is put back at close, and what a
 * killed process left is put back by the next one that opens the interface.
 *
 * No file remembers it: the values themselves do. Only an instance whose
 * timers were both off gets them, and the timeout is one that nobody writes.
 */
#ifndef PCF_BUSY_H
#define PCF_BUSY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Empty polls until interrupts are on again, and the time between them. */
#define PCF_BUSY_DEFER	 2
#define PCF_BUSY_TIMEOUT 200003

struct pcf_busy {
	bool on;	/* the socket drives its NAPI */
	bool prefer;	/* ... and the device's interrupts wait */
	bool tx_proven; /* what is sent leaves nevertheless */
	uint32_t napi;	/* whose timers were set here, 0 none */
};

/* Have this bound socket drive its NAPI: true, or the reason why not. What
 * came of the timers is told, too. */
bool pcf_busy_begin(struct pcf_busy *b, int fd, int ifindex, char *why,
		    size_t size);
/* Give the timers back. */
void pcf_busy_end(struct pcf_busy *b);

/* Put back what a killed process left on an interface that nobody else of
 * this library polls. How many instances. */
unsigned pcf_busy_clean(int ifindex);

/* Let the NAPI run for one budget. Never sleeps. */
void pcf_busy_drive(const struct pcf_busy *b, int fd);

/* The device does not send what is in the ring, as where receiving and sending
 * have interrupts of their own: interrupts as usual from now on. */
void pcf_busy_yield(struct pcf_busy *b, int fd);

#endif
