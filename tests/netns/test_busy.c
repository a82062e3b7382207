/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Busy polling on a real interface, and the timers of its NAPI instances. A
 * veth has such instances, but the kernel names none for its sockets: so the
 * rings are polled, and nothing is set. As root.
 */
#include "backend/busy.h"
#include "compat/napi.h"
#include "tests/netns/common.h"

#include <net/if.h>
#include <string.h>
#include <unistd.h>

static struct pcap_fast_info info;

static pcap_t *capture(const char *device, int usec)
{
	pcap_t *p = pcap_create(device, errbuf);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	pcap_set_promisc(p, 1);
	CU_ASSERT_EQUAL(pcap_fast_set_busy_poll(p, usec), 0);
	CU_ASSERT_EQUAL_FATAL(pcap_activate(p), 0);
	CU_ASSERT_EQUAL(pcap_fast_get_info(p, &info, sizeof(info)), 0);
	return p;
}

static void read_numbers(pcap_t *p, uint32_t n)
{
	struct pcap_pkthdr *hdr;
	const u_char *data;

	for (uint32_t i = 0; i < n; i++) {
		CU_ASSERT_EQUAL_FATAL(pcap_next_ex(p, &hdr, &data), 1);
		CU_ASSERT_TRUE(net_same(data, hdr->caplen, i));
	}
}

static void polls_rings_of(const char *device, const char *reason)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = capture(device, 1000000);
	CU_ASSERT_EQUAL(info.busy_poll, 1);
	CU_ASSERT_EQUAL(info.busy_poll_us, 1000000);
	CU_ASSERT_PTR_NOT_NULL(strstr(info.busy_poll_reason, reason));
	net_send(0, 500, size_60);
	read_numbers(p, 500);
	pcap_close(p);
}

static void polls_rings(void)
{
	polls_rings_of("exclusive:vA", "the rings");
}

static void polls_a_mirrors_rings(void)
{
	polls_rings_of("mirror:vA", "the rings");
}

/* What the host sends comes by another way than the rings. */
static void outgoing_while_polling(void)
{
	struct pcap_pkthdr *hdr;
	const u_char *data;
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = capture("exclusive:vA", 1000000);
	net_do("ip addr add 192.0.2.1/24 dev vA && ip neigh add 192.0.2.2 lladdr 02:00:00:00:77:09 dev vA && (sleep 0.2; ping -c 1 -W 1 192.0.2.2 >/dev/null) &");
	CU_ASSERT_EQUAL(pcap_next_ex(p, &hdr, &data), 1);
	CU_ASSERT_EQUAL(memcmp(data, "\2\0\0\0\x77\x09", 6), 0);
	pcap_close(p);
}

static void without(void)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = capture("exclusive:vA", 0);
	CU_ASSERT_EQUAL(info.busy_poll, 0);
	CU_ASSERT_STRING_EQUAL(info.busy_poll_reason, "");
	pcap_close(p);
}

/* --- timers -------------------------------------------------------------- */

/* GRO gives a veth its NAPI instances; false: no settings in this kernel. */
static bool instance(struct pcf_napi *napi)
{
	int n;

	if (skip())
		return false;
	net_link(1, 1500);
	CU_ASSERT_EQUAL_FATAL(net_do("ethtool -K vA gro on"), 0);
	n = pcf_napi_list(if_nametoindex("vA"), napi, 1);
	if (n < 0)
		pcf_skip("no settings of NAPI instances (6.13)");
	else
		CU_ASSERT_EQUAL_FATAL(n, 1);
	return n == 1;
}

static struct pcf_napi set_and_clean(struct pcf_napi napi, unsigned cleaned)
{
	int ifindex = if_nametoindex("vA");

	CU_ASSERT_EQUAL(pcf_napi_set(&napi), 0);
	CU_ASSERT_EQUAL(pcf_busy_clean(ifindex), cleaned);
	CU_ASSERT_EQUAL(pcf_napi_list(ifindex, &napi, 1), 1);
	return napi;
}

static void left_over_is_cleaned(void)
{
	struct pcf_napi napi;

	if (!instance(&napi))
		return;
	napi.defer_hard_irqs = PCF_BUSY_DEFER;
	napi.gro_flush_timeout = PCF_BUSY_TIMEOUT;
	napi = set_and_clean(napi, 1);
	CU_ASSERT_EQUAL(napi.defer_hard_irqs, 0);
	CU_ASSERT_EQUAL(napi.gro_flush_timeout, 0);
}

static void others_are_not(void)
{
	struct pcf_napi napi;

	if (!instance(&napi))
		return;
	napi.defer_hard_irqs = PCF_BUSY_DEFER;
	napi.gro_flush_timeout = 200000;
	napi = set_and_clean(napi, 0);
	CU_ASSERT_EQUAL(napi.defer_hard_irqs, PCF_BUSY_DEFER);
	CU_ASSERT_EQUAL(napi.gro_flush_timeout, 200000);
}

/* Any exclusive capture cleans, with busy polling or without. */
static void opening_cleans(void)
{
	struct pcf_napi napi;
	pcap_t *p;

	if (!instance(&napi))
		return;
	napi.defer_hard_irqs = PCF_BUSY_DEFER;
	napi.gro_flush_timeout = PCF_BUSY_TIMEOUT;
	CU_ASSERT_EQUAL(pcf_napi_set(&napi), 0);
	p = capture("exclusive:vA", 0);
	pcap_close(p);
	CU_ASSERT_EQUAL(pcf_napi_list(if_nametoindex("vA"), &napi, 1), 1);
	CU_ASSERT_EQUAL(napi.gro_flush_timeout, 0);
}

/* ... but not while another one, on other queues, may have set them. */
static void neighbours_keep_theirs(void)
{
	struct pcf_napi napis[2];
	pcap_t *p;

	if (!instance(napis))
		return;
	net_link(2, 1500);
	CU_ASSERT_EQUAL_FATAL(net_do("ethtool -K vA gro on"), 0);
	p = capture("exclusive:vA@0", 0);
	CU_ASSERT_EQUAL_FATAL(
		pcf_napi_list(if_nametoindex("vA"), napis, 2), 2);
	for (int i = 0; i < 2; i++) {
		napis[i].defer_hard_irqs = PCF_BUSY_DEFER;
		napis[i].gro_flush_timeout = PCF_BUSY_TIMEOUT;
		CU_ASSERT_EQUAL(pcf_napi_set(&napis[i]), 0);
	}
	pcap_close(capture("exclusive:vA@1", 0));
	pcf_napi_list(if_nametoindex("vA"), napis, 2);
	CU_ASSERT_EQUAL(napis[0].gro_flush_timeout, PCF_BUSY_TIMEOUT);
	CU_ASSERT_EQUAL(napis[1].gro_flush_timeout, PCF_BUSY_TIMEOUT);
	pcap_close(p);
	pcap_close(capture("exclusive:vA@1", 0));
	pcf_napi_list(if_nametoindex("vA"), napis, 2);
	CU_ASSERT_EQUAL(napis[0].gro_flush_timeout, 0);
}

static CU_TestInfo tests[] = {
	PCF_TEST(polls_rings),
	PCF_TEST(polls_a_mirrors_rings),
	PCF_TEST(outgoing_while_polling),
	PCF_TEST(without),
	PCF_TEST(left_over_is_cleaned),
	PCF_TEST(others_are_not),
	PCF_TEST(opening_cleans),
	PCF_TEST(neighbours_keep_theirs),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("busy", tests);
}
