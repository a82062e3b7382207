/* SPDX-License-Identifier: BSD-3-Clause */
/* The frame that is sent; see frame.h. */
#include "bench/frame.h"

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS 42

volatile bool bench_stopped;

static void stop(int sig)
{
	(void)sig;
	bench_stopped = true;
}

void bench_until_stopped(void)
{
	struct sigaction on_stop = { .sa_handler = stop };

	sigaction(SIGTERM, &on_stop, NULL);
	sigaction(SIGINT, &on_stop, NULL);
	fprintf(stderr, "ready\n");
}

/* From 10.0.0.1 port 9 to 10.0.0.2 port 9, without check sums. */
int bench_frame(uint8_t *frame, const char *size)
{
	static const uint8_t head[HEADERS] = {
		2, 0,  0, 0, 0,	   2,	      2,  0,	     0, 0,
		0, 1,  8, 0, 0x45, [22] = 64, 17, [26] = 10, 0, 0,
		1, 10, 0, 0, 2,	   0,	      9,  0,	     9
	};
	int n = atoi(size);

	if (n < HEADERS || n > BENCH_LARGEST)
		errx(2, "%s: no size from %d to %d", size, HEADERS,
		     BENCH_LARGEST);
	memset(frame, 0, n);
	memcpy(frame, head, sizeof(head));
	frame[16] = (n - 14) >> 8;
	frame[17] = n - 14;
	frame[38] = (n - 34) >> 8;
	frame[39] = n - 34;
	return n;
}
