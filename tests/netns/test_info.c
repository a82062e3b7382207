/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What pcap_fast_get_info() says in each mode, on a real interface in a
 * namespace of its own, as root.
 */
#include "tests/netns/common.h"

#include <string.h>

/* A jump backwards: neither the XDP hook nor a socket takes it. */
#define ONLY_IN_USER_SPACE "ip protochain 6"

static struct pcap_fast_info info;

static void look(pcap_t *p)
{
	memset(&info, 0x55, sizeof(info));
	CU_ASSERT_EQUAL(pcap_fast_get_info(p, &info, sizeof(info)), 0);
}

static pcap_t *capture(const char *device)
{
	pcap_t *p = pcap_create(device, errbuf);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_FATAL(pcap_activate(p) >= 0);
	look(p);
	return p;
}

static int place_of(pcap_t *p, const char *expression)
{
	struct bpf_program program;

	CU_ASSERT_EQUAL_FATAL(pcap_compile(p, &program, expression, 0, 0), 0);
	CU_ASSERT_EQUAL(pcap_setfilter(p, &program), 0);
	pcap_freecode(&program);
	look(p);
	CU_ASSERT_NOT_EQUAL(*info.filter_reason, '\0');
	return info.filter_place;
}

/* The last one as the first: what is told is always that of now. */
static void places(pcap_t *p)
{
	CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_NONE);
	CU_ASSERT_STRING_EQUAL(info.filter_reason, "");
	CU_ASSERT_EQUAL(place_of(p, "udp"), PCAP_FAST_FILTER_KERNEL);
	CU_ASSERT_EQUAL(place_of(p, ONLY_IN_USER_SPACE), PCAP_FAST_FILTER_USER);
	CU_ASSERT_EQUAL(place_of(p, "udp"), PCAP_FAST_FILTER_KERNEL);
}

static void in_mode(const char *device, int mode, int zerocopy, unsigned queues)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(2, 1500);
	p = capture(device);
	CU_ASSERT_EQUAL(info.mode, mode);
	CU_ASSERT_EQUAL(info.zerocopy, zerocopy);
	CU_ASSERT_EQUAL(info.queues, queues);
	CU_ASSERT_EQUAL(info.memory > 0, queues > 0);
	places(p);
	pcap_close(p);
}

static void exclusive(void)
{
	in_mode("exclusive:vA", PCAP_FAST_MODE_EXCLUSIVE, 0, 2);
}

static void mirror(void)
{
	in_mode("mirror:vA", PCAP_FAST_MODE_MIRROR, -1, 2);
}

static void stock(void)
{
	in_mode("system:vA", PCAP_FAST_MODE_SYSTEM, -1, 0);
}

/* A filter that is refused leaves what is told as it was. */
static void refused(void)
{
	struct bpf_insn bad = { .code = 0xffff };
	struct bpf_program program = { 1, &bad };
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = capture("system:vA");
	CU_ASSERT_EQUAL(pcap_setfilter(p, &program), PCAP_ERROR);
	look(p);
	CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_NONE);
	CU_ASSERT_EQUAL(pcap_setfilter(p, NULL), PCAP_ERROR);
	look(p);
	CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_NONE);
	pcap_close(p);
}

static CU_TestInfo tests[] = {
	PCF_TEST(exclusive), PCF_TEST(mirror),	PCF_TEST(stock),
	PCF_TEST(refused),   CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("info", tests);
}
