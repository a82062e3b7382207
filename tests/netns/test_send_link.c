/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending while the interface under it, or its peer, goes down, comes up or is
 * deleted. In a namespace of its own, as root.
 */
#include "tests/netns/send.h"

#include <pthread.h>

static struct pcap_fast_info info;

static void down_and_up(const char *mode)
{
	pcap_t *p = open_on(mode, "vA");
	uint8_t f[100];
	int fd;

	net_frame(f, 60, 0);
	net_do("ip link set vB down");
	/* no carrier: dropped without a word, as stock does */
	CU_ASSERT_EQUAL(pcap_inject(p, f, 60), 60);
	net_do("ip link set vB up");
	fd = net_listen("vB");
	CU_ASSERT_EQUAL(pcap_inject(p, f, 60), 60);
	CU_ASSERT_EQUAL(arrived(fd, 0, 1, size_60), 1);
	net_do("ip link set vA down");
	fails(pcap_inject(p, f, 60), p, "send: Network is down");
	net_do("ip link set vA up");
	/* libpcap's socket reports the past once */
	if (pcap_inject(p, f, 60) != 60)
		CU_ASSERT_EQUAL(pcap_inject(p, f, 60), 60);
	CU_ASSERT_EQUAL(arrived(fd, 0, 1, size_60), 1);
	net_do("ip link del vA");
	CU_ASSERT_EQUAL(pcap_inject(p, f, 60), PCAP_ERROR);
	close(fd);
	pcap_close(p);
}

static void link_events(void)
{
	in_each_mode(down_and_up, 1500);
}

static volatile bool stop;

/* The peer goes down and comes up again, while packets are sent. */
static void *flap(void *unused)
{
	for (int i = 0; i < 10; i++) {
		net_do("ip link set vB down");
		usleep(10000);
		net_do("ip link set vB up");
		usleep(10000);
	}
	stop = true;
	return unused;
}

/* A packet socket says so, when the link goes down under a packet. */
static void refused_as_stock(const char *mode, pcap_t *p)
{
	CU_ASSERT_STRING_NOT_EQUAL(mode, "exclusive");
	CU_ASSERT_STRING_EQUAL(pcap_geterr(p),
			       "send: No buffer space available");
}

/* Every packet of the rings arrives or is counted as dropped by the device. */
static void peer_flaps(const char *mode)
{
	struct pcap_batch_pkt pkts[64];
	uint64_t before, sent = 0;
	uint8_t area[64 * 100];
	pcap_t *p = open_on(mode, "vA");
	pthread_t thread;
	int fd;

	for (unsigned i = 0; i < 64; i++)
		build(&pkts[i], area + i * 100, i, 60);
	before = net_counters("vB").rx_packets + net_counters("vA").tx_dropped;
	stop = false;
	pthread_create(&thread, NULL, flap, NULL);
	while (!stop) {
		int rc = pcap_inject_batch(p, pkts, 64);

		if (rc != 64)
			refused_as_stock(mode, p);
		sent += rc;
	}
	pthread_join(thread, NULL);
	pcap_fast_get_info(p, &info, sizeof(info));
	if (info.mode == PCAP_FAST_MODE_EXCLUSIVE) {
		CU_ASSERT_EQUAL(net_counters("vB").rx_packets +
					net_counters("vA").tx_dropped - before,
				sent);
		CU_ASSERT_EQUAL(info.sent, sent);
		CU_ASSERT_TRUE(info.send_dropped > 0);
		CU_ASSERT_EQUAL(info.send_pending, 0);
	}
	fd = net_listen("vB");
	CU_ASSERT_EQUAL(pcap_inject_batch(p, pkts, 64), 64);
	CU_ASSERT_EQUAL(arrived(fd, 0, 64, size_60), 64);
	close(fd);
	pcap_close(p);
}

static void flapping(void)
{
	in_each_mode(peer_flaps, 1500);
}

static void *delete_soon(void *unused)
{
	usleep(50000);
	net_do("ip link del vA");
	return unused;
}

/* Deleted in the middle: an error soon, and no other before. */
static void gone(const char *mode)
{
	struct pcap_batch_pkt pkts[64];
	uint8_t area[64 * 100];
	pcap_t *p = open_on(mode, "vA");
	pthread_t thread;
	int rc = 64;

	for (unsigned i = 0; i < 64; i++)
		build(&pkts[i], area + i * 100, i, 60);
	pthread_create(&thread, NULL, delete_soon, NULL);
	while (rc > 0)
		rc = pcap_inject_batch(p, pkts, 64);
	fails(rc, p, "send: ");
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(pcap_inject_batch(p, pkts, 64), PCAP_ERROR);
	if (!strcmp(mode, "exclusive")) {
		CU_ASSERT_EQUAL(pcap_tx_reserve(p, pkts, 64), 64);
		fails(pcap_tx_submit(p, pkts, 64), p, "send: ");
		CU_ASSERT_EQUAL(pcap_release_batch(p, pkts, 64), 0);
	}
	pcap_close(p);
}

static void deleted(void)
{
	in_each_mode(gone, 1500);
}

static CU_TestInfo tests[] = {
	PCF_TEST(link_events),
	PCF_TEST(flapping),
	PCF_TEST(deleted),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("send_link", tests);
}
