/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the kernel's own classic filter says: frames are sent into one end of a
 * veth pair, in a network namespace of the process's own, and read with a
 * filtering packet socket at the other.
 */
#ifndef FILTER_WIRE_H
#define FILTER_WIRE_H

#include <linux/filter.h>
#include <stdint.h>

#define FILTER_WIRE_DEVICE "pcfv1" /* its address is filter_mac */

struct filter_wire {
	int tx, rx;
	uint32_t ifindex;	/* of the receiving end */
	uint32_t peer;		/* of the sending one */
};

/* 0 or negative errno. Moves the calling process into a namespace. */
int filter_wire_open(struct filter_wire *w);
void filter_wire_close(struct filter_wire *w);
/* 0, or negative errno if the kernel does not take the program. */
int filter_wire_attach(struct filter_wire *w, const struct sock_filter *insns,
		       unsigned n);
/* Bytes of the (untagged) frame that get through, 0 for none; negative errno
 * if it could not be sent. */
int filter_wire_run(struct filter_wire *w, const uint8_t *data, uint32_t len);

#endif
