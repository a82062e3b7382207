/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Classic BPF filters: checked, run in user space, compiled to eBPF.
 *
 * Pure: instructions in, instructions out; no pcap_t, no system call, no
 * knowledge of XDP maps, verdicts or sockets.
 *
 * A filter always sees the frame as the filter of a Linux packet socket on an
 * Ethernet interface sees it: with the outer VLAN tag (TPID 0x8100 or 0x88a8)
 * taken out of the bytes and put into the ancillary data. In this library the
 * tag is always inline, so both executions work on this "virtual untagged
 * frame":
 *
 *   inline frame   | dst 6 | src 6 | TPID 2 | TCI 2 | type 2 | payload ...
 *   what is seen   | dst 6 | src 6 |                | type 2 | payload ...
 *                   loads at offset >= 12 read 4 bytes further; LEN is 4 less
 */
#ifndef PCF_FILTER_H
#define PCF_FILTER_H

#include <linux/filter.h> /* struct sock_filter: classic instructions */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compat/frame.h"

struct pcf_ebpf; /* compat/ebpf.h */

/* One frame and what the kernel knows about it besides its bytes. */
struct pcf_frame {
	const uint8_t *data;	/* outer tag, if any, inline */
	uint32_t caplen;	/* bytes at data */
	uint32_t len;		/* length on the wire */
	uint32_t ifindex;
	uint16_t queue;		/* RX queue */
	uint8_t pkttype;	/* PACKET_HOST, _BROADCAST, ..., _OUTGOING */
	uint32_t random;	/* where its random numbers begin */
};

/* The verdict of libpcap's bpf_validate(): 0, or -EINVAL with the reason and
 * the instruction's number in `why` (cut to `size`, always terminated). */
int pcf_filter_check(const struct sock_filter *insns, unsigned n, char *why,
		     size_t size);

/* Run a checked program over a frame in user space: the bytes to keep as the
 * program returns them, 0 for no match. Loads that the kernel's classic BPF
 * knows beyond the frame's bytes (ancillary, SKF_NET_OFF, SKF_LL_OFF) are
 * answered as the kernel would; those that only the kernel can answer reject
 * the packet.
 *
 * "Bytes to keep" counts the virtual untagged frame, here and in compiled
 * code. libpcap puts the tag back after the kernel has cut the frame, so of an
 * inline frame for which pcf_frame_tagged() holds, keep 4 bytes more. */
uint32_t pcf_filter_run(const struct sock_filter *insns,
			const struct pcf_frame *frame);

/* Has the program a load that nobody but the kernel can answer, where the
 * packet is (the processor, a hash, what the flow dissector finds), or that
 * nobody can at all? In user space it rejects the packet. */
bool pcf_filter_needs_socket(const struct sock_filter *insns, unsigned n);

/* What SKF_AD_RANDOM loads: 32 bits, by steps of a state. */
uint32_t pcf_filter_random(uint32_t *state);

/* PACKET_HOST, _BROADCAST, _MULTICAST or _OTHERHOST from the destination. */
uint8_t pcf_filter_pkttype(const uint8_t *dst, const uint8_t *device_mac);

/* What is fixed when a filter is compiled. */
struct pcf_filter_env {
	uint32_t ifindex;
	uint8_t mac[6];		/* the device's, for the packet type */
	int stack;		/* the filter may use [stack, 0) of R10; < 0,
				 * multiple of 8; PCF_FILTER_STACK is enough */
	uint8_t frags;		/* the program runs with frags support */
};

#define PCF_FILTER_STACK (-256)

/*
 * Append a filter to `e`.
 *
 * On entry R6 is the XDP context (struct xdp_md *). The code keeps R6 and R8,
 * may clobber every other register, and ends by jumping to
 *   `match`    with R7 = bytes to keep (1 .. 2^32-1, zero-extended), or
 *   `nomatch`.
 *
 * 0, or negative errno with the reason in `why`:
 *   -EINVAL      not a valid classic program
 *   -EOPNOTSUPP  valid, but cannot be expressed (backward jump, an ancillary
 *                load without a meaning at the XDP hook): run it in user space
 *   -E2BIG       too long; -ENOMEM
 */
int pcf_filter_compile(const struct sock_filter *insns, unsigned n,
		       const struct pcf_filter_env *env, struct pcf_ebpf *e,
		       int match, int nomatch, char *why, size_t size);

#endif
