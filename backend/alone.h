/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An interface for one capture alone, whose program is attached itself: that of
 * one that wants hints (hints.h), which no root program could tail-call.
 *
 *	driver --> the capture's program --> its packets, or XDP_PASS
 *
 * All else is as with a root (root.h): nothing is pinned, and others find the
 * one record of its `owners` through the attached program. A change of the
 * program is one step, by an update of the link, and needs no privilege.
 */
#ifndef PCF_ALONE_H
#define PCF_ALONE_H

#include "backend/hints.h"
#include "backend/root.h"

/* Each program that may be attached has this name. */
#define PCF_ALONE_NAME "pcf_alone"
/* So many maps of a program are looked at; none has more. */
#define PCF_ALONE_MAPS 16

/* As pcf_root_open(), but -EBUSY also when a root of ours is there. */
int pcf_alone_open(struct pcf_root *r, int ifindex, char *why, size_t size);

/* What the programs are to be made for, once it is open. 0 or negative errno
 * with the reason in `why`. */
int pcf_alone_hints(const struct pcf_root *r, bool want_time, bool want_hash,
		    struct pcf_hints_env *env, char *why, size_t size);

struct bpf_prog_info;

/* The record map of a program with such a name; its descriptor or negative
 * errno. The ids in `info` are of its maps. */
int pcf_alone_owners(const struct bpf_prog_info *info);

#endif
