/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two ways in which the generator brings frames onto an interface. Each
 * sends as fast as it is told to; how many and how fast is the caller's
 * affair (pcf-gen.c).
 */
#ifndef PCF_GEN_SEND_H
#define PCF_GEN_SEND_H

#include "tests/gen/frame.h"

#include <stdint.h>

struct pcf_sender {
	/* Send frames first ... first + n - 1. How many were sent, from the
	 * first on, or negative errno. */
	int (*send)(struct pcf_sender *s, uint64_t first, unsigned n);
	void (*close)(struct pcf_sender *s);
	unsigned burst; /* frames worth sending in one call */
};

/* Both: 0 and a sender to be closed, or negative errno. `frame` must live as
 * long as the sender. */

/* An AF_PACKET socket and sendmmsg(): any size, any kernel. */
int pcf_send_packet(const struct pcf_frame *frame, int ifindex,
		    struct pcf_sender **sender);

/* An XDP program that redirects into the interface, run by the kernel over
 * live frames (5.18): 1 to 3 Mpps on one core. At most `pps` of them a second,
 * evenly spaced (0: no limit). A frame must fit one page (about 3,400 bytes),
 * and a veth takes it only while its peer has an XDP program or GRO. Frames
 * that the device refuses, as a veth does with the 257th in its ring, are
 * not reported. */
int pcf_send_xdp(const struct pcf_frame *frame, int ifindex, uint64_t pps,
		 struct pcf_sender **sender);

#endif
