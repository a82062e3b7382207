/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one root XDP program of an interface, shared by all who capture there.
 *
 *	driver --> pcf_root --tail calls--> slot 0 .. 7   mirrors
 *	                                    slot 41 + n   the exclusive capture
 *	                                                  that has the RX queue
 *	                                    slot 8        a cluster, whose members
 *	                                                  are in slots 9 .. 40
 *	                    `--> XDP_PASS   when none takes the packet
 *
 * Exclusive captures have RX queues of their own (exclusive.h); the queues map
 * says which slot is whose queue's. A cluster has all of them.
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

#include "backend/queues.h"

struct pcf_ebpf;

#define PCF_ROOT_NAME "pcf_root"
#define PCF_OWNERS_NAME "pcf_owners" /* of its map of them */
/* Slots, queues and, as the last one bound to the program, owners. */
#define PCF_ROOT_MAPS 3
#define PCF_SLOT_MIRRORS 8
#define PCF_SLOT_CLUSTER 8
/* Those of the members, reached only by way of their cluster. */
#define PCF_SLOT_MEMBER 9
#define PCF_MEMBERS 32
/* Those of exclusive captures, reached by the RX queue. */
#define PCF_SLOT_EXCLUSIVE (PCF_SLOT_MEMBER + PCF_MEMBERS)
#define PCF_EXCLUSIVES 128
#define PCF_SLOTS (PCF_SLOT_EXCLUSIVE + PCF_EXCLUSIVES)
/* Whoever changes the cluster, or who has which queue, owns this. */
#define PCF_SLOT_LOCK PCF_SLOTS
#define PCF_OWNERS (PCF_SLOTS + 1)
/* ... and what a look at them may find, while they come and go. */
#define PCF_RECORDS (4 * PCF_OWNERS)

/* Who holds a slot: the value of the `owners` hash map, keyed by slot. */
struct pcf_owner {
	uint32_t version;	/* PCF_OWNER_VERSION */
	uint32_t lifeline;	/* id of a map that lives as long as it */
	uint64_t pid_ns;	/* inode of its pid namespace */
	uint64_t queues[PCF_QUEUE_WORDS]; /* RX queues, a bit each */
	uint32_t pid;		/* in there */
	uint32_t mode;		/* PCF_OWNER_* */
	uint32_t ctl_map;	/* id of the map with its counters */
	uint32_t xsk_map;	/* id of its socket map, 0 none */
	uint32_t flags;		/* PCF_OWNER_SHARES, PCF_OWNER_DEDICATED */
	uint16_t filter_len;	/* instructions */
	uint16_t filter_place;	/* enum pcap_fast_filter_place */
	char program[16];	/* name of the process */
	char cluster[32];	/* name of the cluster, "" none */
	char filter[160];	/* expression, "" not known */
};

#define PCF_OWNER_VERSION 4
/* As enum pcap_fast_mode has them. */
#define PCF_OWNER_EXCLUSIVE 2
#define PCF_OWNER_MIRROR 3
/* A member that takes its share. */
#define PCF_OWNER_SHARES 0x1
/* The interface was nobody else's when the cluster, or capture, began. */
#define PCF_OWNER_DEDICATED 0x2

struct pcf_root {
	int ifindex;
	int link;
	int slots;		/* prog_array; its fd keeps the slots filled */
	int queues;		/* array: slot of an RX queue, 0 nobody's */
	int owners;
	int lifeline;
	int idle;		/* alone (alone.h): what passes all; else -1 */
	unsigned slot;		/* claimed by this opener */
	bool claimed;
};

#define PCF_ROOT_INIT                                                          \
	{                                                                      \
		.link = -1, .slots = -1, .queues = -1, .owners = -1,           \
		.lifeline = -1, .idle = -1                                     \
	}

/* Attach the root program, or join the one that is there. -EBUSY: a program
 * that is not ours holds the hook. Any error: reason in `why`. */
int pcf_root_open(struct pcf_root *r, int ifindex, bool generic, char *why,
		  size_t size);

/* Claim a slot; who this process is gets filled into `me`, which is the same in
 * all tries. -EBUSY: a living owner has it; `why` names it. */
int pcf_root_claim(struct pcf_root *r, unsigned slot, struct pcf_owner *me,
		   char *why, size_t size);

/* The steps of it, for who needs more than one record. Make the lifeline and
 * fill `me`; claim a record, whose lifeline is in `me`; the living owner of
 * one; clear a dead one away; set flags in one's own. */
int pcf_root_live(struct pcf_root *r, struct pcf_owner *me, char *why,
		  size_t size);
int pcf_root_record(struct pcf_root *r, uint32_t key,
		    const struct pcf_owner *me, char *why, size_t size);
bool pcf_root_owner(int owners, uint32_t key, struct pcf_owner *o);
void pcf_root_evict(struct pcf_root *r, uint32_t key);
int pcf_root_flag(struct pcf_root *r, uint32_t flags);

/* One at a time; `me` has our lifeline. Whoever dies in it stops nobody, and
 * one who does not finish stops others for two seconds: -EBUSY. */
int pcf_root_lock(struct pcf_root *r, const struct pcf_owner *me, char *why,
		  size_t size);
void pcf_root_unlock(struct pcf_root *r);

/* The records that there are, the dead ones' too; one may come twice. How many,
 * or negative errno. */
int pcf_root_records(int owners, uint32_t keys[PCF_RECORDS]);

/* "name (pid N)", or that it is of another version. */
void pcf_root_name(const struct pcf_owner *o, char *text, size_t size);

/* Go on to the slots that a packet meets from `from` on, and at last to the
 * host. R6 is the context; R10 - 4 is written. */
void pcf_root_emit(struct pcf_ebpf *e, int slots, int queues, unsigned from);

/* Put a program into the claimed slot (prog_fd >= 0) or take it out (-1). */
int pcf_root_set(struct pcf_root *r, int prog_fd);

/* Say in the owner's record what filter is in force: its expression ("" not
 * known), its instructions (0 none) and where it runs. */
void pcf_root_note(struct pcf_root *r, const char *filter, unsigned len,
		   int place);

/* Give up slot and descriptors; takes a half-opened one. */
void pcf_root_close(struct pcf_root *r);

/* What holds an interface's XDP hook. */
struct pcf_root_users {
	bool ours;		/* a program of this library */
	char exclusive[96];	/* who has queues that are wanted: "name (pid
				 * N)", "" nobody */
	char queues[64];	/* which of them, "0,2-3"; "" a cluster, or not
				 * known */
	char mirror[96];	/* one who mirrors, "" nobody */
	char alone[96];		/* who has it alone (alone.h), "" nobody */
	bool beside;		/* others capture other queues exclusively */
	char cluster[32];	/* ... if it is a cluster: its name, "" none */
	bool dedicated;		/* ... or they are beside, on an interface that
				 * was nobody else's when they began */
	char foreign[64];	/* a program not ours: "name (id N)", "" none */
};

/* For alone.c: make a map of owners, its descriptor or negative errno; whether
 * a map is one; what helps against an error of attaching, "" nothing. */
int pcf_root_make_owners(void);
bool pcf_root_is_owners(int fd);
const char *pcf_root_advice(int err);

/* `wanted` NULL: all queues. Negative errno when it cannot be told. */
int pcf_root_probe(int ifindex, const uint64_t *wanted,
		   struct pcf_root_users *users);

#endif
