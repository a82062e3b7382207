/* SPDX-License-Identifier: BSD-3-Clause */
/* Members of a cluster; see members.h. */
#include "tests/netns/members.h"

#include <CUnit/Basic.h>
#include <string.h>
#include <unistd.h>

static char errbuf[PCAP_ERRBUF_SIZE];
struct flows *flows;
struct pcap_fast_info info;

void begin(unsigned queues)
{
	net_link(queues, 1500);
	flows = flows_new();
}

/* Nothing stays behind: programs, maps, promiscuous mode. */
void end(void)
{
	CU_ASSERT_EQUAL(net_left_over(), 0);
	CU_ASSERT_EQUAL(net_xdp(), 0);
	CU_ASSERT_EQUAL(net_do("ip -d link show vA | grep -q 'promiscuity 0'"),
			0);
	flows_free(flows);
}

pcap_t *create(const char *device)
{
	pcap_t *p = pcap_create(device, errbuf);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	pcap_set_snaplen(p, 200); /* room for many in the shadow */
	pcap_set_promisc(p, 1);
	pcap_set_timeout(p, 10);
	pcap_set_buffer_size(p, 32 << 20);
	return p;
}

pcap_t *activate(pcap_t *p)
{
	int rc = pcap_activate(p);

	if (rc < 0)
		printf("    activate: %d %s\n", rc, pcap_geterr(p));
	CU_ASSERT_TRUE_FATAL(rc >= 0);
	pcap_setnonblock(p, 1, errbuf);
	pcap_fast_get_info(p, &info, sizeof(info));
	return p;
}

pcap_t *member(void)
{
	pcap_t *p = activate(create(NAME));

	CU_ASSERT_EQUAL(info.mode, PCAP_FAST_MODE_EXCLUSIVE);
	return p;
}

void filter(pcap_t *p, const char *expression)
{
	struct bpf_program program;

	CU_ASSERT_EQUAL_FATAL(pcap_compile(p, &program, expression, 1, 0), 0);
	CU_ASSERT_EQUAL(pcap_setfilter(p, &program), 0);
	pcap_freecode(&program);
}

unsigned take(pcap_t *p, unsigned me)
{
	struct pcap_batch_pkt pkts[64];
	unsigned total = 0;
	int n;

	while ((n = pcap_next_batch(p, pkts, 64)) > 0) {
		for (int i = 0; i < n; i++) {
			int64_t number =
				flows_number(pkts[i].data, pkts[i].hdr.caplen);

			CU_ASSERT_TRUE(number >= 0);
			if (number >= 0)
				flows->seen[me][number]++;
		}
		total += n;
	}
	return total;
}

void take_all(pcap_t **p, unsigned n)
{
	for (int idle = 0; idle < 20; idle++) {
		for (unsigned i = 0; i < n; i++)
			if (take(p[i], i))
				idle = 0;
		usleep(1000);
	}
}

unsigned seen_by(unsigned me, uint32_t from)
{
	unsigned n = 0;

	for (uint32_t i = from; i < flows->sent; i++)
		n += flows->seen[me][i];
	return n;
}

void exactly_once(uint32_t from)
{
	static int8_t owner[FLOWS_KINDS * 64];
	unsigned lost = 0, doubled = 0, torn = 0;

	memset(owner, -1, sizeof(owner));
	for (uint32_t i = from; i < flows->sent; i++) {
		uint32_t key = flows_key(i);

		lost += flows_times(flows, i) == 0;
		doubled += flows_times(flows, i) > 1;
		for (int m = 0; m < FLOWS_MEMBERS; m++) {
			if (!flows->seen[m][i])
				continue;
			torn += owner[key] >= 0 && owner[key] != m;
			owner[key] = m;
		}
	}
	if (lost || doubled || torn)
		printf("    of %u: %u lost, %u doubled, %u torn flows\n",
		       flows->sent - from, lost, doubled, torn);
	CU_ASSERT_EQUAL(lost, 0);
	CU_ASSERT_EQUAL(doubled, 0);
	CU_ASSERT_EQUAL(torn, 0);
}
