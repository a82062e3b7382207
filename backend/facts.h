/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is so about an interface, this process and this kernel, as far as the
 * choice of mode depends on it. Plain data: gathered here, judged in
 * libpcap-fast/mode.c, written down by hand in the tests.
 */
#ifndef PCF_FACTS_H
#define PCF_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "compat/netlink.h"

struct pcf_facts {
	bool exists;		/* there is an interface of that name */
	struct pcf_link link;	/* all zero when not */
	char driver[32];
	unsigned addresses;	/* global IPv4 and IPv6 */
	char upper[IFNAMSIZ];	/* stacked on it, "" none */
	bool pppoe;
	unsigned packet_sockets;
	char packet_owner[64];	/* of one of them, "" unknown */
	bool xdp_known;		/* netdev-genl answered */
	uint64_t xdp_features;	/* NETDEV_XDP_ACT_* */
	uint32_t zc_max_segs;
	uint64_t rx_metadata;	/* PCF_XDP_RX_*: told to XDP programs */
	bool rx_hash_off;	/* it could hash, but is set not to */
	bool rx_vlan_offload;
	/* an XDP program that is not ours, "" none: "name (id N)" */
	char foreign_xdp[64];
	/* a program of ours is attached */
	bool ours;
	/* who captures exclusively through it, from queues that are wanted:
	 * "name (pid N)", "" nobody; and which of them, "" all or unknown */
	char exclusive_owner[96];
	char exclusive_queues[64];
	/* one who mirrors, and who has the interface alone */
	char mirror_owner[96], alone_owner[96];
	/* if that is a cluster: its name */
	char cluster[32];
	/* others capture exclusively, but from other queues */
	bool beside;
	/* the interface was dedicated when those, or the cluster, began */
	bool was_dedicated;
	/* effective capabilities */
	bool cap_bpf, cap_net_admin, cap_net_raw, cap_sys_admin;
	/* a kernel feature that the fast modes need and this kernel lacks, in
	 * words, "" when all are there */
	char missing[96];
};

/* Gather the facts about the interface, for who wants these RX queues (a bit
 * each, of PCF_QUEUES; NULL all). Facts that cannot be found out stay
 * at the value that leads to the cautious choice. 0 or negative errno (only
 * for trouble that leaves nothing known, such as no memory). */
int pcf_facts_gather(const char *ifname, const uint64_t *wanted,
		     struct pcf_facts *facts);

/* Wait until the link has its carrier again, `most_ms` at most: some drivers
 * reset it when an XDP program is attached. Milliseconds that it took, `*back`
 * whether it came. */
unsigned pcf_facts_wait_carrier(const char *ifname, unsigned most_ms,
				bool *back);

#endif
