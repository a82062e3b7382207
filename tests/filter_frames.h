/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frames that filters are tried on: many protocols, each plain and behind
 * every kind of tag or shim, as a receiver with the address FILTER_MAC may see
 * them on an Ethernet.
 */
#ifndef FILTER_FRAMES_H
#define FILTER_FRAMES_H

#include <stdint.h>

extern const uint8_t filter_mac[6]; /* 02:00:00:00:00:01 */

struct filter_sample {
	const char *shim, *name; /* "802.1Q vid 7", "tcp syn" */
	uint8_t *data;
	uint32_t len;
};

struct filter_corpus {
	struct filter_sample *frame;
	unsigned n;
};

/* 0 or -ENOMEM. */
int filter_corpus_init(struct filter_corpus *c);
void filter_corpus_free(struct filter_corpus *c);

#endif
