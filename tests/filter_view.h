/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the Linux kernel makes of a frame before a packet socket's filter runs,
 * written down a second time, for the tests: the bytes without the tag, the
 * ancillary values, and a program in which loads of those are constants, so
 * that any plain interpreter can run it.
 */
#ifndef FILTER_VIEW_H
#define FILTER_VIEW_H

#include <linux/filter.h>
#include <stdint.h>

struct filter_view {
	uint8_t *data;		/* free() it */
	uint32_t len;
	uint32_t dropped;	/* no socket ever sees the frame */
	uint32_t value[64];	/* by SKF_AD_ number */
};

/* 0 or -ENOMEM. */
int filter_view_init(struct filter_view *v, const uint8_t *data, uint32_t len,
		     uint32_t ifindex);
void filter_view_program(const struct filter_view *v,
			 const struct sock_filter *in, unsigned n,
			 struct sock_filter *out);

#endif
