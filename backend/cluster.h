/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A cluster: exclusive captures that share an interface, each packet to one of
 * them. Its program, in a slot of its own, hashes the packet and calls that of
 * the member to which the table gives it.
 *
 *	hash --upper bits--> bucket | member | 1st heir | 2nd | .. 7th |
 *
 * A member is alive as long as its socket is in the map of the living, from
 * which the kernel takes it when its last descriptor is closed, however the
 * process ended. The program passes over the dead: their heirs move up.
 *
 * Who joins or leaves writes the whole table, one at a time: a record of the
 * owners map is the lock, given up like a slot by a process that dies.
 */
#ifndef PCF_CLUSTER_H
#define PCF_CLUSTER_H

#include "backend/root.h"

#define PCF_CLUSTER_BITS 10
#define PCF_BUCKETS	 (1 << PCF_CLUSTER_BITS)
#define PCF_NOBODY	 0xff

/* Shared by all members and the program. */
struct pcf_cluster_table {
	uint64_t seed; /* of the hash */
	uint64_t gone; /* bit per member that was found dead */
	uint64_t pad[6];
	uint64_t bucket[PCF_BUCKETS]; /* eight members, the lowest byte's
				       * turn first; PCF_NOBODY none */
};

struct pcf_cluster {
	struct pcf_root *root;
	struct pcf_owner self; /* our record's text, for the lock */
	struct pcf_cluster_table *table;
	int table_map, living_map;
	int lifeline;	 /* the cluster's, held by every member */
	int socket;	 /* in the map of the living */
	unsigned member; /* our number */
	bool shares;	 /* the table has us */
	uint64_t looked; /* ms, when the others were last looked at */
};

#define PCF_CLUSTER_INIT                                                       \
	{                                                                      \
		.table_map = -1, .living_map = -1, .lifeline = -1,             \
		.socket = -1                                                   \
	}

/* Join the cluster of this name, or begin it, and claim a member's slot of
 * `root`, with `me` as its record. No packet comes before pcf_cluster_enter().
 * -EBUSY: somebody else captures exclusively, or there are too many members. */
int pcf_cluster_join(struct pcf_cluster *c, struct pcf_root *root,
		     const char *name, bool dedicated, struct pcf_owner *me,
		     char *why, size_t size);

/* Take our share; our slot has its program. */
int pcf_cluster_enter(struct pcf_cluster *c, char *why, size_t size);

/* Give the share to the others, and our slot up. Takes a half-joined one. */
void pcf_cluster_leave(struct pcf_cluster *c);

/* How many members have a share. */
unsigned pcf_cluster_members(const struct pcf_cluster *c);

/* Is a packet of these bytes, which the host sent, ours to deliver? Looks after
 * the other members, now and then. */
bool pcf_cluster_mine(struct pcf_cluster *c, const uint8_t *data, uint32_t len);

/* Fill the table for a set of members (a bit each): the shares differ by
 * little, and two sets that differ by one member have most of the table in
 * common. */
void pcf_cluster_spread(uint32_t members, uint64_t bucket[PCF_BUCKETS]);

/* Load the cluster's program: its descriptor or negative errno. */
int pcf_prog_cluster(const struct pcf_cluster *c, char *why, size_t size);

#endif
