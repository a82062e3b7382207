/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the host keeps, and what becomes of the rest, on a real interface in a
 * namespace of its own, as root. Frames with even numbers go to UDP port 7000,
 * odd ones to 7001.
 */
#include "tests/netns/child.h"
#include "tests/netns/common.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAMES 1000

static struct pcap_fast_info info;

static pcap_t *create(const char *device, const char *keep, int rest)
{
	pcap_t *p = fresh(device);

	CU_ASSERT_EQUAL(pcap_fast_set_keep(p, keep), 0);
	CU_ASSERT_EQUAL(pcap_fast_set_rest(p, rest), 0);
	return p;
}

static void activate(pcap_t *p)
{
	go_live(p);
	pcap_setnonblock(p, 1, errbuf);
	pcap_fast_get_info(p, &info, sizeof(info));
}

/* Frames that come, by their numbers in order and whole: the sum of the two
 * parities' counts, even in the low half. */
static unsigned read_all(pcap_t *p)
{
	struct pcap_batch_pkt pkts[64];
	unsigned even = 0, odd = 0;
	int64_t last = -1;

	for (int idle = 0; idle < 30;) {
		int n = pcap_next_batch(p, pkts, 64);

		if (n <= 0) {
			usleep(1000);
			idle++;
		}
		for (int i = 0; i < n; i++) {
			uint32_t number;

			memcpy(&number, pkts[i].data + 42, 4);
			CU_ASSERT_TRUE(net_same(pkts[i].data, 60, number));
			CU_ASSERT_TRUE(number > last);
			last = number;
			even += number % 2 == 0;
			odd += number % 2;
		}
	}
	return even | odd << 16;
}

#define SEEN(even, odd) ((even) | (odd) << 16)

/* Send, and compare what the reader and the host get. */
static void exchange(pcap_t *p, unsigned seen, unsigned hosts)
{
	int host = net_host();
	unsigned got;

	net_send(0, FRAMES, size_60);
	got = read_all(p);
	if (got != seen)
		printf("    reader %u even, %u odd\n", got & 0xffff, got >> 16);
	CU_ASSERT_EQUAL(got, seen);
	CU_ASSERT_TRUE(net_host_got(host, hosts));
	close(host);
}

static void adds_up(pcap_t *p)
{
	nothing_lost(p);
	pcap_close(p);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

static void kept(void)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	net_do("ip addr add 10.9.9.1/24 dev vA");
	p = create("exclusive:vA", "udp port 7000", PCAP_FAST_REST_PASS);
	activate(p);
	exchange(p, SEEN(500, 500), 500);
	set_filter(p, "udp port 7001");
	exchange(p, SEEN(0, 500), 500);
	set_filter(p, "udp port 7000");
	exchange(p, SEEN(500, 0), 1000);
	set_filter(p, "tcp");
	exchange(p, SEEN(0, 0), 1000);
	set_filter(p, "");
	exchange(p, SEEN(500, 500), 500);
	adds_up(p);
}

static void rest_dropped(void)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = create("exclusive:vA", "udp port 7000", PCAP_FAST_REST_DROP);
	activate(p);
	set_filter(p, "tcp");
	exchange(p, SEEN(0, 0), 500);
	set_filter(p, "udp port 7000");
	exchange(p, SEEN(500, 0), 500);
	set_filter(p, "");
	exchange(p, SEEN(500, 500), 500);
	pcap_fast_get_info(p, &info, sizeof(info));
	CU_ASSERT_EQUAL(info.rest_dropped, 1000);
	adds_up(p);
	p = create("vA", NULL, PCAP_FAST_REST_DROP);
	activate(p);
	CU_ASSERT_EQUAL(info.mode, PCAP_FAST_MODE_EXCLUSIVE);
	set_filter(p, "udp port 7001");
	exchange(p, SEEN(0, 500), 0);
	adds_up(p);
}

/* A filter that cannot run in the driver, since it jumps backwards: what it
 * rejects is the host's, which loses nothing. */
static void in_user_space_keeping(const char *keep)
{
	pcap_t *p;

	net_link(1, 1500);
	net_do("ip addr add 10.9.9.1/24 dev vA");
	p = create("exclusive:vA", keep, PCAP_FAST_REST_DROP);
	activate(p);
	exchange(p, SEEN(500, 500), 0);
	set_filter(p, "ip protochain 17 and udp port 7001");
	pcap_fast_get_info(p, &info, sizeof(info));
	CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_USER);
	net_send(0, FRAMES, size_60);
	read_all(p);
	exchange(p, SEEN(0, 500), 1000);
	set_filter(p, "udp port 7001");
	exchange(p, SEEN(0, 500), 0);
	adds_up(p);
}

static void in_user_space(void)
{
	if (skip())
		return;
	in_user_space_keeping(NULL);
	in_user_space_keeping("");
}

/* A mirror of some queues: all frames here come by one of them. */
static void mirror_queues(void)
{
	unsigned total = 0;

	if (skip())
		return;
	net_link(4, 1500);
	for (unsigned q = 0; q < 4; q++) {
		char name[32];
		unsigned got;
		pcap_t *p;

		snprintf(name, sizeof(name), "mirror:vA@%u", q);
		p = create(name, NULL, PCAP_FAST_REST_PASS);
		activate(p);
		net_send(0, FRAMES, size_60);
		got = read_all(p);
		got = (got & 0xffff) + (got >> 16);
		total += got;
		adds_up(p);
	}
	CU_ASSERT_EQUAL(total, FRAMES);
}

static void defaults(void)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = create("exclusive:vA", NULL, PCAP_FAST_REST_PASS);
	activate(p);
	CU_ASSERT_PTR_NULL(strstr(info.reason, "the host keeps"));
	pcap_close(p);
	net_do("ip addr add 10.9.9.1/24 dev vA");
	p = create("exclusive:vA", NULL, PCAP_FAST_REST_PASS);
	activate(p);
	CU_ASSERT_PTR_NOT_NULL(strstr(info.reason, "the host keeps: arp or"));
	pcap_close(p);
	p = create("exclusive:vA", "", PCAP_FAST_REST_PASS);
	activate(p);
	CU_ASSERT_PTR_NOT_NULL(strstr(info.reason, "the host keeps: nothing"));
	exchange(p, SEEN(500, 500), 0);
	adds_up(p);
}

static void bad_input(void)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = create("exclusive:vA", "no such words", PCAP_FAST_REST_PASS);
	CU_ASSERT_EQUAL(pcap_fast_set_rest(p, 7), PCAP_ERROR);
	CU_ASSERT_EQUAL(pcap_activate(p), PCAP_ERROR);
	CU_ASSERT_PTR_NOT_NULL(strstr(pcap_geterr(p), "keep filter"));
	CU_ASSERT_EQUAL(net_left_over(), 0);
	/* the handle is as it was */
	CU_ASSERT_EQUAL(pcap_fast_set_keep(p, ""), 0);
	activate(p);
	CU_ASSERT_EQUAL(pcap_fast_set_keep(p, "arp"), PCAP_ERROR_ACTIVATED);
	CU_ASSERT_EQUAL(pcap_fast_set_rest(p, 0), PCAP_ERROR_ACTIVATED);
	exchange(p, SEEN(500, 500), 0);
	adds_up(p);
}

/* The handle's own way: the environment says what it should keep. */
static void by_environment(void)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	setenv("PCAP_FAST_KEEP", "udp port 7001", 1);
	setenv("PCAP_FAST_REST", "drop", 1);
	p = pcap_create("exclusive:vA", errbuf);
	pcap_set_promisc(p, 1);
	activate(p);
	unsetenv("PCAP_FAST_KEEP");
	unsetenv("PCAP_FAST_REST");
	set_filter(p, "udp port 7000");
	exchange(p, SEEN(500, 0), 500);
	adds_up(p);
}

static void keep_and_wait(void *arg)
{
	pcap_t *p = create("exclusive:vA", "udp port 7000", PCAP_FAST_REST_DROP);

	(void)arg;
	activate(p);
	set_filter(p, "udp port 7001");
	child_waits();
}

static unsigned host_gets(void)
{
	int host = net_host();
	unsigned n;

	net_send(0, FRAMES, size_60);
	usleep(100000);
	n = net_host_frames(host);
	close(host);
	return n;
}

/* Both backends go with the process: the host has all packets again. */
static void killed(void)
{
	if (skip())
		return;
	net_link(1, 1500);
	for (int i = 0; i < 5; i++) {
		pid_t child = child_start(keep_and_wait, NULL);

		CU_ASSERT_EQUAL(host_gets(), FRAMES / 2);
		child_kill(child);
		CU_ASSERT_EQUAL(net_left_over(), 0);
		CU_ASSERT_EQUAL(net_xdp(), 0);
		CU_ASSERT_EQUAL(host_gets(), FRAMES);
		CU_ASSERT_EQUAL(
			net_do("ip -d link show vA | grep -q 'promiscuity 0'"),
			0);
	}
}

static CU_TestInfo tests[] = {
	PCF_TEST(kept),	     PCF_TEST(rest_dropped),   PCF_TEST(in_user_space),
	PCF_TEST(mirror_queues),  PCF_TEST(defaults),
	PCF_TEST(bad_input), PCF_TEST(by_environment), PCF_TEST(killed),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("keep", tests);
}
