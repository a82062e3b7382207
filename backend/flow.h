/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flow hash of a cluster: one number for both directions of a connection,
 * the same whether the XDP program or user space computes it.
 *
 *	IPv4, IPv6	both addresses; with TCP, UDP or SCTP the ports and the
 *			protocol, too, unless the packet is a fragment
 *	anything else	both MAC addresses
 *
 * Up to two VLAN tags are passed over, and up to five extension headers. What
 * is inside of tunnels, MPLS and PPPoE is not looked at.
 */
#ifndef PCF_FLOW_H
#define PCF_FLOW_H

#include <stdint.h>

struct pcf_ebpf;

/* `len` bytes at `data` are a frame, or the beginning of one. */
uint64_t pcf_flow_hash(const uint8_t *data, uint32_t len, uint64_t seed);

/* Append code that computes it of the packet of the context in R6, with the
 * seed in R7: the hash in R0. Needs R1 to R5, R8 and R9. */
void pcf_flow_emit(struct pcf_ebpf *e);

/* Headers lie within so many bytes, in all packets that are seen. */
#define PCF_FLOW_BYTES 256

#endif
