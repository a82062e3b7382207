/* SPDX-License-Identifier: BSD-3-Clause */
/* The window of time in which a benchmark counts; see window.h. */
#include "bench/window.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NSEC	1000000000ull
#define WARM_UP (NSEC / 2)
#define GIVE_UP (10 * NSEC)

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC + t.tv_nsec;
}

void bench_arguments(struct bench_window *w, int argc, char **argv, int first)
{
	double seconds = argc == first + 2 ? atof(argv[first + 1]) : 0;

	if (!(seconds > 0 && seconds < 3600)) {
		fprintf(stderr, "usage: %s [OPTION...] INTERFACE SECONDS\n", argv[0]);
		exit(2);
	}
	*w = (struct bench_window){ .device = argv[first],
				    .length = (uint64_t)(seconds * NSEC) };
}

void bench_ready(struct bench_window *w)
{
	w->started = now();
	fprintf(stderr, "ready\n");
}

static void wait_for_first(struct bench_window *w, uint64_t t, uint64_t packets)
{
	if (packets)
		w->first = t;
	else if (t - w->started > GIVE_UP)
		errx(2, "%s: no packets", w->device);
}

bool bench_over(struct bench_window *w, uint64_t packets)
{
	uint64_t t = now();

	if (!w->first) {
		wait_for_first(w, t, packets);
	} else if (!w->begin && t - w->first >= WARM_UP) {
		w->begin = t;
		w->at_begin = packets;
	} else if (w->begin && t - w->begin >= w->length) {
		w->took = t - w->begin;
		w->got = packets - w->at_begin;
	}
	return w->took;
}

void bench_report(const struct bench_window *w)
{
	printf("packets %" PRIu64 " seconds %.6f", w->got,
	       (double)w->took / NSEC);
}
