/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the frames of a queue's packet memory are, for tests that know pcap.h
 * and hence not the queue. */
#ifndef PCF_FRAMES_H
#define PCF_FRAMES_H

struct pcf_queue;

/* How many frames the queue's part of its memory has. */
unsigned frames_of(const struct pcf_queue *q);

/* How many of these are in the fill ring or free for sending, each counted
 * once. Nothing may be under way. */
unsigned frames_at_home(const struct pcf_queue *q);

#endif
