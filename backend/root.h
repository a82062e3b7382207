/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one root XDP program of an interface, shared by all who capture there.
 *
 *	driver --> pcf_root --tail calls--> slot 0 .. 7   mirrors
 *	                                    slot 8        the exclusive one
 *	                    `--> XDP_PASS   when none takes the packet
 *
 * Nothing is pinned: the link and the maps live as long as any opener has
 * them open, and the kernel takes the program off the interface when the last
 * one is gone, however it went.
 */
#ifndef PCF_ROOT_H
#define PCF_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCF_ROOT_NAME "pcf_root"
#define PCF_SLOT_MIRRORS 8
#define PCF_SLOT_EXCLUSIVE 8
#define PCF_SLOTS 9

/* Who holds a slot: the value of the `owners` hash map, keyed by slot. */
struct pcf_owner {
	uint32_t version;	/* PCF_OWNER_VERSION */
	uint32_t lifeline;	/* id of a map that lives as long as it */
	uint64_t pid_ns;	/* inode of its pid namespace */
	uint32_t pid;		/* in there */
	uint32_t mode;		/* PCF_OWNER_* */
	uint32_t queues;
	uint32_t ctl_map;	/* id of the map with its counters */
	uint32_t xsk_map;	/* id of its socket map, 0 none */
	char program[16];	/* name of the process */
	char cluster[32];	/* name of the cluster, "" none */
	char filter[160];	/* expression or "(program)", "" none */
};

#define PCF_OWNER_VERSION 1
/* As enum pcap_fast_mode has them. */
#define PCF_OWNER_EXCLUSIVE 2
#define PCF_OWNER_MIRROR 3

struct pcf_root {
	int ifindex;
	int link;
	int slots;		/* prog_array; its fd keeps the slots filled */
	int owners;
	int lifeline;
	unsigned slot;		/* claimed by this opener */
	bool claimed;
};

#define PCF_ROOT_INIT { .link = -1, .slots = -1, .owners = -1, .lifeline = -1 }

/* Attach the root program, or join the one that is there. -EBUSY: a program
 * that is not ours holds the hook. Any error: reason in `why`. */
int pcf_root_open(struct pcf_root *r, int ifindex, bool generic, char *why,
		  size_t size);

/* Claim a slot; who this process is gets filled into `me`. -EBUSY: a living
 * owner has it; `why` names it. */
int pcf_root_claim(struct pcf_root *r, unsigned slot, struct pcf_owner *me,
		   char *why, size_t size);

/* Put a program into the claimed slot (prog_fd >= 0) or take it out (-1). */
int pcf_root_set(struct pcf_root *r, int prog_fd);

/* Say in the owner's record what filter is in force, "" none. */
void pcf_root_note(struct pcf_root *r, const char *filter);

/* Give up slot and descriptors; takes a half-opened one. */
void pcf_root_close(struct pcf_root *r);

/* What holds the interface's XDP hook: a root program of ours and, if so, who
 * captures exclusively through it ("name (pid N)" or ""), or a foreign program
 * ("name (id N)" or ""). Negative errno when it cannot be told. */
int pcf_root_probe(int ifindex, bool *ours, char *exclusive_owner,
		   size_t owner_size, char *foreign, size_t foreign_size);

#endif
