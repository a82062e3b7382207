/* SPDX-License-Identifier: BSD-3-Clause */
/* Members of a cluster "ids" on vA, and who of them has seen which frame. */
#ifndef PCF_MEMBERS_H
#define PCF_MEMBERS_H

#include "compat/public.h"
#include "tests/netns/flows.h"
#include "tests/netns/net.h"

#define NAME "exclusive:vA%ids"
/* All kinds of frames, flows and directions twice; the rings hold it. */
#define BURST 2684u

extern struct flows *flows;
extern struct pcap_fast_info info; /* of the last one activated */

/* A new network and account; check that nothing stays behind. */
void begin(unsigned queues);
void end(void);

pcap_t *create(const char *device);
/* Active and non-blocking. */
pcap_t *activate(pcap_t *p);
pcap_t *member(void);
void filter(pcap_t *p, const char *expression);

/* Put down for member `me` what is there; how many. */
unsigned take(pcap_t *p, unsigned me);
/* ... for all, until nothing comes any more. */
void take_all(pcap_t **p, unsigned n);

/* What a member has seen of the frames from `from` on. */
unsigned seen_by(unsigned me, uint32_t from);
/* From `from` on, each frame once, and each flow at one member only. */
void exactly_once(uint32_t from);

#endif
