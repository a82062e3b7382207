/* SPDX-License-Identifier: BSD-3-Clause */
/* Who captures on this machine: read from the root programs' owners maps,
 * which any process with CAP_SYS_ADMIN can find. Changes nothing. */
#ifndef PCF_CENSUS_H
#define PCF_CENSUS_H

#include "backend/root.h"

struct pcf_capture {
	int ifindex;		/* in the interface's network namespace, ... */
	bool local;		/* ... which is this process's */
	unsigned slot;
	struct pcf_owner owner;	/* its strings end */
	bool counted;		/* its counters could be read */
	uint64_t matched;	/* packets meant for it */
	uint64_t rest;		/* dropped as asked for; exclusive only */
	bool drops_known;	/* ... and these, too: */
	uint64_t dropped_ring;	/* found the ring full */
	uint64_t dropped_fill;	/* ... or no frame to lie in */
};

/* Call `each` for every capture; the records of owners that are gone, or that
 * are not of this version, are left out. 0, or negative errno: -EPERM. */
int pcf_census(void (*each)(const struct pcf_capture *c, void *arg), void *arg);

#endif
