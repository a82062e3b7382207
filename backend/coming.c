/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets between the hook and the reader; see coming.h. */
#include "backend/coming.h"

#include "backend/clock.h"
#include "compat/kernel.h"

#include <sys/socket.h>

/* What the program gave to the socket and the socket did not take. */
static uint64_t count_lost(int fd)
{
	struct xdp_statistics s = { 0 };
	socklen_t len = sizeof(s);

	if (getsockopt(fd, SOL_XDP, XDP_STATISTICS, &s, &len))
		return 0;
	return s.rx_dropped + s.rx_ring_full;
}

static void add_lost(struct pcf_coming *c, int fd)
{
	uint64_t lost = count_lost(fd);

	if (lost > c->lost) {
		c->known += lost - c->lost;
		c->lost = lost;
	}
}

/* More than was counted: late packets that had been given up. */
static bool all_known(struct pcf_coming *c, uint64_t counted)
{
	if ((int64_t)(counted - c->known) > 0)
		return false;
	c->known = counted;
	c->since = 0;
	return true;
}

bool pcf_coming(struct pcf_coming *c, uint64_t counted, int fd)
{
	uint64_t now;

	if (__builtin_expect(all_known(c, counted), 1))
		return false;
	add_lost(c, fd);
	if (all_known(c, counted))
		return false;
	now = pcf_clock_now();
	if (!c->since)
		c->since = now;
	if (now - c->since < PCF_COMING_NS)
		return true;
	c->known = counted;
	c->since = 0;
	return false;
}
