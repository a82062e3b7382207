/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two ways to list the packet sockets of an interface, apart so that each
 * can be tested. Everyone else calls pcf_link_packet_sockets().
 */
#ifndef PCF_PACKET_SOCKETS_H
#define PCF_PACKET_SOCKETS_H

#include <stdbool.h>

/* Owners are looked for among the first so many; the rest is only counted. */
#define PCF_PACKET_SOCKETS_MAX 64

struct pcf_packet_sockets {
	unsigned ifindex; /* asked for */
	unsigned count;
	unsigned long inode[PCF_PACKET_SOCKETS_MAX];
	bool everywhere[PCF_PACKET_SOCKETS_MAX]; /* on all interfaces */
};

/* Add to `count` and the lists. 0 or negative errno; -ENOENT or -EOPNOTSUPP:
 * the kernel has no packet_diag. */
int pcf_packet_sockets_diag(struct pcf_packet_sockets *sockets);
int pcf_packet_sockets_proc(struct pcf_packet_sockets *sockets);

#endif
