/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Gathering the facts. Asks compat/ and the root program's owner table, and
 * puts the cautious value wherever there is no answer: an interface that
 * cannot be asked counts as used by the host. Judges nothing.
 */
#include "backend/facts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/root.h"
#include "compat/features.h"
#include "compat/netdev.h"

static void gather_users(struct pcf_facts *facts)
{
	const struct pcf_link *link = &facts->link;

	if (pcf_link_addresses(link->ifindex, &facts->addresses))
		facts->addresses = 1;
	if (pcf_link_upper(link->ifindex, facts->upper))
		snprintf(facts->upper, sizeof(facts->upper), "?");
	if (pcf_link_pppoe(link->name, &facts->pppoe))
		facts->pppoe = true;
	if (pcf_link_packet_sockets(link->ifindex, &facts->packet_sockets,
				    facts->packet_owner,
				    sizeof(facts->packet_owner)))
		facts->packet_sockets = 1;
}

static void gather_driver(struct pcf_facts *facts)
{
	const struct pcf_link *link = &facts->link;

	if (pcf_link_driver(link->name, facts->driver, sizeof(facts->driver)))
		facts->driver[0] = '\0';
	facts->xdp_known = !pcf_link_xdp_features(
		link->ifindex, &facts->xdp_features, &facts->zc_max_segs);
	if (pcf_link_rx_metadata(link->ifindex, &facts->rx_metadata))
		facts->rx_metadata = 0;
	if (facts->rx_metadata & PCF_XDP_RX_HASH &&
	    pcf_link_rx_hash_off(link->name, &facts->rx_hash_off))
		facts->rx_hash_off = false;
	if (pcf_link_rx_vlan_offload(link->name, &facts->rx_vlan_offload))
		facts->rx_vlan_offload = true;
}

/* A program is attached. Whoever may not look at it cannot tell that it is
 * ours, so it counts as foreign. */
static void gather_program(struct pcf_facts *facts, const uint64_t *wanted)
{
	struct pcf_root_users users;

	/* asked again, after the packet sockets: whose are ours is seen here */
	if (pcf_root_probe(facts->link.ifindex, wanted, &users)) {
		if (!facts->link.xdp_prog_id)
			return;
		snprintf(facts->foreign_xdp, sizeof(facts->foreign_xdp),
			 "name unknown (id %u)", facts->link.xdp_prog_id);
		return;
	}
	facts->ours = users.ours;
	facts->was_dedicated = users.dedicated;
	facts->beside = users.beside;
	memcpy(facts->exclusive_owner, users.exclusive,
	       sizeof(facts->exclusive_owner));
	memcpy(facts->exclusive_queues, users.queues,
	       sizeof(facts->exclusive_queues));
	memcpy(facts->mirror_owner, users.mirror, sizeof(facts->mirror_owner));
	memcpy(facts->alone_owner, users.alone, sizeof(facts->alone_owner));
	memcpy(facts->cluster, users.cluster, sizeof(facts->cluster));
	memcpy(facts->foreign_xdp, users.foreign, sizeof(facts->foreign_xdp));
}

/* Capabilities of a user namespace are worth nothing to bpf(), and a seccomp
 * filter may forbid it: what was refused counts as not held. */
static void gather_process(struct pcf_facts *facts)
{
	struct pcf_caps caps;
	bool refused;

	pcf_caps_get(&caps);
	refused = pcf_features_missing(facts->missing,
				       sizeof(facts->missing)) == -EPERM;
	if (refused && caps.net_admin && caps.net_raw)
		caps.bpf = caps.sys_admin = false;
	facts->cap_bpf = caps.bpf;
	facts->cap_net_admin = caps.net_admin;
	facts->cap_net_raw = caps.net_raw;
	facts->cap_sys_admin = caps.sys_admin;
}

int pcf_facts_gather(const char *ifname, const uint64_t *wanted,
		     struct pcf_facts *facts)
{
	int error;

	memset(facts, 0, sizeof(*facts));
	error = pcf_link_get(ifname, &facts->link);
	if (error && error != -ENODEV)
		return error;
	gather_process(facts);
	facts->exists = !error;
	if (error) {
		memset(&facts->link, 0, sizeof(facts->link));
		return 0;
	}
	gather_users(facts);
	gather_driver(facts);
	gather_program(facts, wanted);
	return 0;
}

unsigned pcf_facts_wait_carrier(const char *ifname, unsigned most_ms,
				bool *back)
{
	const unsigned step = 10;
	struct pcf_link link;
	unsigned ms = 0;

	for (;; ms += step) {
		memset(&link, 0, sizeof(link));
		*back = !pcf_link_get(ifname, &link) && link.carrier;
		if (*back || ms >= most_ms)
			return ms;
		usleep(step * 1000);
	}
}
