/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Questions to the kernel about network interfaces, over netlink (libmnl) and
 * ethtool. In the caller's network namespace. Each call opens and closes its
 * own socket (O_CLOEXEC), keeps no state, and returns 0 or negative errno.
 * A kernel without the interface in question gives -EOPNOTSUPP.
 */
#ifndef PCF_NETLINK_H
#define PCF_NETLINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pcf_link {
	int ifindex;
	char name[IFNAMSIZ];
	char kind[24];	/* "veth", "vlan", "bridge", ... or "" */
	unsigned flags; /* IFF_UP, IFF_RUNNING, ... */
	bool carrier;	/* now; IFF_RUNNING follows up to a second later */
	uint16_t type;	/* ARPHRD_ETHER, ... */
	uint8_t mac[6];
	uint32_t mtu;
	int master;	      /* ifindex of bridge or bond, 0 none */
	uint32_t rx_queues;   /* in use now, at least 1 */
	uint32_t xdp_prog_id; /* attached XDP program, 0 none */
	bool xdp_generic;     /* attached in skb mode */
	bool wireless;
};

/* -ENODEV: no such interface. */
int pcf_link_get(const char *name, struct pcf_link *link);

/* Global-scope (not link-local) IPv4 and IPv6 addresses on the interface. */
int pcf_link_addresses(int ifindex, unsigned *count);

/* The first interface stacked on this one (VLAN, macvlan, ipvlan, ...): its
 * name, or "" when there is none. A veth's peer is not stacked on it. */
int pcf_link_upper(int ifindex, char name[IFNAMSIZ]);

/* Packet sockets bound to this interface, or to all of them with ETH_P_ALL.
 * `owner` gets "name (pid N)" of one of them where that can be found, or "". */
int pcf_link_packet_sockets(int ifindex, unsigned *count, char *owner,
			    size_t size);

/* A PPPoE session runs over the interface. */
int pcf_link_pppoe(const char *name, bool *found);

/* What netdev-genl says of the driver's XDP: PCF_XDP_ACT_* bits
 * (compat/netdev.h) and the most frags of a zero-copy packet. Kernel 6.3. */
int pcf_link_xdp_features(int ifindex, uint64_t *features,
			  uint32_t *zc_max_segs);

/* What the driver tells XDP programs of received packets: PCF_XDP_RX_* bits
 * (compat/netdev.h), 0 where the kernel does not say. Kernel 6.8. */
int pcf_link_rx_metadata(int ifindex, uint64_t *bits);

/* The driver's name as ethtool gives it, "" where it has none. */
int pcf_link_driver(const char *name, char *driver, size_t size);

/* Whether the device strips VLAN tags from received frames. */
int pcf_link_rx_vlan_offload(const char *name, bool *on);

/* Whether the device could hash received packets and is set not to. */
int pcf_link_rx_hash_off(const char *name, bool *off);

#endif
