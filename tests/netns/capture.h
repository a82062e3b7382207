/* SPDX-License-Identifier: BSD-3-Clause */
/* What the programs that capture on the test network share: opening, reading,
 * and looking at what came. */
#ifndef PCF_CAPTURE_H
#define PCF_CAPTURE_H

#include "tests/netns/common.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/time.h>

static struct pcap_fast_info info;

PCF_SHARED pcap_t *create(const char *device, int promisc)
{
	pcap_t *p = fresh(device);

	pcap_set_snaplen(p, 65535);
	pcap_set_promisc(p, promisc);
	return p;
}

/* Active and non-blocking, in the mode expected. */
PCF_SHARED pcap_t *capture(const char *device, int promisc, int mode)
{
	pcap_t *p = create(device, promisc);

	go_live(p);
	pcap_setnonblock(p, 1, errbuf);
	CU_ASSERT_EQUAL(pcap_fast_get_info(p, &info, sizeof(info)), 0);
	CU_ASSERT_EQUAL(info.mode, mode);
	if (info.mode != mode)
		printf("    %s\n", info.reason);
	return p;
}

PCF_SHARED pcap_t *exclusive(void)
{
	return capture("vA", 1, PCAP_FAST_MODE_EXCLUSIVE);
}

PCF_SHARED pcap_t *mirror(void)
{
	return capture("mirror:vA", 1, PCAP_FAST_MODE_MIRROR);
}

struct reading {
	uint32_t next, step; /* expected number, and the one after it */
	unsigned n, wrong, back, far;
	struct timeval last;
	unsigned (*size)(uint32_t);
};

PCF_SHARED void check(u_char *user, const struct pcap_pkthdr *h,
		      const u_char *data)
{
	struct reading *r = (struct reading *)user;
	struct timeval now;

	gettimeofday(&now, NULL);
	r->wrong += h->len != r->size(r->next) || h->caplen != h->len ||
		    !net_same(data, h->len, r->next);
	r->back += timercmp(&h->ts, &r->last, <);
	r->far += labs(now.tv_sec - h->ts.tv_sec) > 5;
	r->last = h->ts;
	r->next += r->step;
	r->n++;
}

PCF_SHARED void read_all(pcap_t *p, struct reading *r)
{
	while (pcap_dispatch(p, -1, check, (u_char *)r) > 0)
		;
}

/* The system's libpcap shows packets when its time-out is over. */
PCF_SHARED void read_until(pcap_t *p, struct reading *r, unsigned n)
{
	struct pollfd fd = { .fd = pcap_get_selectable_fd(p),
			     .events = POLLIN };

	while (r->n < n && poll(&fd, 1, 2000) > 0)
		read_all(p, r);
}

PCF_SHARED void expect(const struct reading *r, unsigned n)
{
	CU_ASSERT_EQUAL(r->n, n);
	CU_ASSERT_EQUAL(r->wrong, 0);
	CU_ASSERT_EQUAL(r->back, 0);
	CU_ASSERT_EQUAL(r->far, 0);
}

/* The identity that pcap-fast.h promises, with nothing left in the rings. */
PCF_SHARED void counters_add_up(pcap_t *p)
{
	CU_ASSERT_EQUAL(pcap_fast_get_info(p, &info, sizeof(info)), 0);
	CU_ASSERT_EQUAL(info.matched + info.outgoing,
			info.delivered + info.filtered + info.dropped_ring +
				info.dropped_fill);
}

PCF_SHARED void see_queue(u_char *user, const struct pcap_pkthdr *h,
			  const u_char *data)
{
	unsigned *n = (unsigned *)user;

	(void)h;
	(void)data;
	(*n)++;
}

#endif
