/* SPDX-License-Identifier: BSD-3-Clause */
/* What the sending benchmarks share: the frame, and how they are ended. Knows
 * nothing of how frames are sent. */
#ifndef PCF_BENCH_FRAME_H
#define PCF_BENCH_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#define BENCH_LARGEST 1514

extern volatile bool bench_stopped; /* SIGTERM or SIGINT came */

/* Say "ready" on stderr; from here on these signals end the loop. */
void bench_until_stopped(void);
/* Fill a UDP frame of so many bytes, given as a word. The number; exits with 2
 * when it is none. */
int bench_frame(uint8_t *frame, const char *size);

#endif
