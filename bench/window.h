/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the benchmark programs share: their two arguments, the window of time
 * in which packets count, and the line that the runner reads. Knows nothing
 * of how packets are received.
 *
 *   first packet        begin                        end
 *   |------ 0.5 s ------|--------- seconds ----------|
 */
#ifndef PCF_BENCH_WINDOW_H
#define PCF_BENCH_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

struct bench_window {
	const char *device;
	uint64_t length;	/* nanoseconds */
	uint64_t started;	/* when the program was ready */
	uint64_t first, begin;	/* times, 0: not yet */
	uint64_t at_begin, got; /* packets before the window, and in it */
	uint64_t took;		/* nanoseconds, when it is over */
};

/* From the arguments INTERFACE SECONDS, which begin at argv[first]; exits with
 * 2 when they are wrong. */
void bench_arguments(struct bench_window *w, int argc, char **argv, int first);
/* Tell the runner, on stderr, that the traffic may start. */
void bench_ready(struct bench_window *w);
/* Take note of the packets seen so far. True: the window has ended. Exits
 * with 2 when for 10 s there was no packet at all. */
bool bench_over(struct bench_window *w, uint64_t packets);
/* Print "packets N seconds S"; the caller adds losses and the end of line. */
void bench_report(const struct bench_window *w);

#endif
