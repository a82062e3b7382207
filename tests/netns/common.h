/* SPDX-License-Identifier: BSD-3-Clause */
/* What all programs on the test network share: skipping, sizes of frames, a
 * handle from its creation to its filter. */
#ifndef PCF_COMMON_H
#define PCF_COMMON_H

#include "compat/public.h"
#include "tests/netns/net.h"
#include "tests/unit.h"

#define PCF_SHARED __attribute__((unused)) static

PCF_SHARED char errbuf[PCAP_ERRBUF_SIZE];
static bool have_net;

PCF_SHARED bool skip(void)
{
	if (!have_net)
		pcf_skip("needs root and network namespaces");
	return !have_net;
}

PCF_SHARED unsigned size_60(uint32_t i)
{
	(void)i;
	return 60;
}

PCF_SHARED unsigned size_mixed(uint32_t i)
{
	return 60 + i * 37 % 1455;
}

PCF_SHARED unsigned size_jumbo(uint32_t i)
{
	return i % 3 ? 60 + i * 131 % 8955 : 60;
}

/* Promiscuous, not active yet. */
PCF_SHARED pcap_t *fresh(const char *device)
{
	pcap_t *p = pcap_create(device, errbuf);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	pcap_set_promisc(p, 1);
	pcap_set_timeout(p, 10);
	return p;
}

/* Activate it; what stands in the way is printed. */
PCF_SHARED void go_live(pcap_t *p)
{
	int rc = pcap_activate(p);

	if (rc < 0)
		printf("    activate: %d %s\n", rc, pcap_geterr(p));
	CU_ASSERT_TRUE_FATAL(rc >= 0);
}

PCF_SHARED void set_filter(pcap_t *p, const char *expression)
{
	struct bpf_program program;

	CU_ASSERT_EQUAL_FATAL(pcap_compile(p, &program, expression, 1, 0), 0);
	CU_ASSERT_EQUAL(pcap_setfilter(p, &program), 0);
	pcap_freecode(&program);
}

/* All that matched is accounted for, with nothing left in the rings, and
 * nothing was dropped. */
PCF_SHARED void nothing_lost(pcap_t *p)
{
	struct pcap_fast_info i;
	struct pcap_stat stats;

	CU_ASSERT_EQUAL(pcap_fast_get_info(p, &i, sizeof(i)), 0);
	CU_ASSERT_EQUAL(i.matched + i.outgoing,
			i.delivered + i.filtered + i.dropped_ring +
				i.dropped_fill);
	CU_ASSERT_EQUAL(pcap_stats(p, &stats), 0);
	CU_ASSERT_EQUAL(stats.ps_drop, 0);
}

#endif
