/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending on a real interface, in a namespace of its own: what the peer gets,
 * byte for byte and in order, and what is refused. As root.
 */
#include "tests/netns/send.h"

static void one_by_one(const char *mode)
{
	pcap_t *p = open_on(mode, "vA");
	int fd = net_listen("vB");
	uint8_t f[2000];

	for (uint32_t i = 0; i < 1501; i++) {
		net_frame(f, size_any(i), i);
		CU_ASSERT_EQUAL(pcap_inject(p, f, size_any(i)), size_any(i));
	}
	CU_ASSERT_EQUAL(arrived(fd, 0, 1501, size_any), 1501);
	net_frame(f, 60, 1501);
	CU_ASSERT_EQUAL(pcap_sendpacket(p, f, 60), 0);
	CU_ASSERT_EQUAL(arrived(fd, 1501, 1, size_60), 1);
	close(fd);
	pcap_close(p);
}

static void inject(void)
{
	in_each_mode(one_by_one, 1500);
}

static void every_batch(const char *mode)
{
	struct sender s = open_sender(mode);
	uint32_t number = 0;

	for (int n = 1; n <= MOST; n++) {
		build_all(&s, number, n, size_any);
		CU_ASSERT_EQUAL(pcap_inject_batch(s.p, s.pkts, n), n);
		CU_ASSERT_EQUAL(arrived(s.peer, number, n, size_any), n);
		number += n;
	}
	CU_ASSERT_EQUAL(pcap_inject_batch(s.p, s.pkts, 0), 0);
	close_sender(&s);
}

static void batches(void)
{
	in_each_mode(every_batch, 1500);
}

static void jumbo_frames(const char *mode)
{
	struct sender s = open_sender(mode);

	for (uint32_t number = 0; number < 8 * MOST; number += MOST) {
		build_all(&s, number, MOST, size_jumbo);
		CU_ASSERT_EQUAL(pcap_inject_batch(s.p, s.pkts, MOST), MOST);
		CU_ASSERT_EQUAL(arrived(s.peer, number, MOST, size_jumbo),
				MOST);
	}
	CU_ASSERT_EQUAL(pcap_inject(s.p, s.area, 9015), PCAP_ERROR);
	close_sender(&s);
}

static void jumbo(void)
{
	in_each_mode(jumbo_frames, 9000);
}

/* Build in reserved frames: all used, some given back unsent. */
static void built_in_place(const char *mode)
{
	struct pcap_batch_pkt pkts[100];
	pcap_t *p = open_on(mode, "vA");
	int fd = net_listen("vB");
	uint32_t number = 0;

	for (int round = 0; round < 300; round++) {
		int n = 1 + round % 100, keep = n / 3;

		CU_ASSERT_EQUAL_FATAL(pcap_tx_reserve(p, pkts, n), n);
		for (int i = 0; i < n - keep; i++) {
			unsigned len = size_any(number + i);

			CU_ASSERT_TRUE(pkts[i].hdr.caplen >= 1518);
			net_frame((uint8_t *)pkts[i].data, len, number + i);
			pkts[i].hdr.caplen = len;
		}
		CU_ASSERT_EQUAL(pcap_tx_submit(p, pkts, n - keep), n - keep);
		CU_ASSERT_PTR_NULL(pkts[0].data);
		CU_ASSERT_EQUAL(pcap_release_batch(p, pkts, n), 0);
		CU_ASSERT_EQUAL(arrived(fd, number, n - keep, size_any),
				n - keep);
		number += n - keep;
	}
	CU_ASSERT_EQUAL(pcap_tx_flush(p, 1000), 0);
	close(fd);
	pcap_close(p);
}

static void in_place(void)
{
	in_each_mode(built_in_place, 1500);
}

/* Packets leave in the order of the calls. */
static void by_turns(const char *mode)
{
	struct sender s = open_sender(mode);
	struct pcap_batch_pkt *pkts = s.pkts;
	uint32_t number = 0;

	for (int n = 1; n <= 40; n++) {
		uint32_t first = number;

		build_all(&s, number, n + 2, size_any);
		CU_ASSERT_TRUE(
			pcap_inject(s.p, pkts[0].data, pkts[0].hdr.caplen) > 0);
		CU_ASSERT_EQUAL(pcap_inject_batch(s.p, pkts + 1, n), n);
		CU_ASSERT_EQUAL(pcap_sendpacket(s.p, pkts[n + 1].data,
						pkts[n + 1].hdr.caplen),
				0);
		number += n + 2;
		CU_ASSERT_EQUAL_FATAL(pcap_tx_reserve(s.p, pkts, 1), 1);
		net_frame((uint8_t *)pkts[0].data, size_any(number), number);
		pkts[0].hdr.caplen = size_any(number);
		CU_ASSERT_EQUAL(pcap_tx_submit(s.p, pkts, 1), 1);
		number++;
		CU_ASSERT_EQUAL(arrived(s.peer, first, number - first,
					size_any),
				number - first);
	}
	close_sender(&s);
}

static void order(void)
{
	in_each_mode(by_turns, 1500);
	if (skip())
		return;
	net_link(2, 1500);
	by_turns("exclusive");
}

/* All frames of the pool can be had, once, and come back. */
static void reserve_all(void)
{
	struct pcap_batch_pkt *pkts;
	pcap_t *p;
	int n;

	if (skip())
		return;
	net_link(1, 1500);
	p = open_on("exclusive", "vA");
	pkts = calloc(10000, sizeof(*pkts));
	for (int round = 0; round < 3; round++) {
		n = pcap_tx_reserve(p, pkts, 10000);
		CU_ASSERT_EQUAL(n, 2048);
		CU_ASSERT_EQUAL(pcap_tx_reserve(p, pkts + n, 1), 0);
		for (int i = 0; i < n; i++) {
			net_frame((uint8_t *)pkts[i].data, 60, i);
			pkts[i].hdr.caplen = 60;
		}
		CU_ASSERT_EQUAL(pcap_tx_submit(p, pkts, n / 2), n / 2);
		CU_ASSERT_EQUAL(pcap_release_batch(p, pkts, n), 0);
		CU_ASSERT_EQUAL(pcap_tx_flush(p, 1000), 0);
	}
	pcap_close(p);
	free(pkts);
}

static void sizes_refused(const char *mode)
{
	pcap_t *p = open_on(mode, "vA");
	struct pcap_batch_pkt pkts[3];
	uint8_t f[3][9100];
	int fd = net_listen("vB");

	net_frame(f[0], 1600, 0);
	fails(pcap_inject(p, f[0], 0), p,
	      "The number of bytes to be injected must not be zero");
	fails(pcap_inject(p, f[0], 13), p, "send: Invalid argument");
	fails(pcap_inject(p, f[0], 1515), p, "send: Message too long");
	fails(pcap_sendpacket(p, f[0], 1600), p, "send: Message too long");
	f[0][12] = 0x81;
	f[0][13] = 0;
	CU_ASSERT_EQUAL(pcap_inject(p, f[0], 1518), 1518);
	fails(pcap_inject(p, f[0], 1519), p, "send: Message too long");
	while (recv(fd, f[0], sizeof(f[0]), 0) >= 0)
		;
	/* those before the bad one are sent */
	for (unsigned i = 0; i < 3; i++)
		build(&pkts[i], f[i], i, 60);
	pkts[2].hdr.caplen = 3;
	CU_ASSERT_EQUAL(pcap_inject_batch(p, pkts, 3), 2);
	CU_ASSERT_EQUAL(arrived(fd, 0, 2, size_60), 2);
	fails(pcap_inject_batch(p, pkts + 2, 1), p, "send: Invalid argument");
	pkts[2].hdr.caplen = 0;
	fails(pcap_inject_batch(p, pkts + 2, 1), p,
	      "The number of bytes to be injected must not be zero");
	fails(pcap_tx_submit(p, pkts, 1), p,
	      "pcap_tx_submit: packet 0 is not in a reserved frame");
	close(fd);
	pcap_close(p);
}

static void bad_sizes(void)
{
	in_each_mode(sizes_refused, 1500);
}

static void other_handles(void)
{
	uint8_t f[60];
	struct pcap_batch_pkt pkt;
	pcap_t *p = pcap_open_dead(DLT_EN10MB, 100);

	build(&pkt, f, 0, 60);
	fails(pcap_inject_batch(p, &pkt, 1), p,
	      "Packets can't be sent on a pcap_open_dead pcap_t");
	CU_ASSERT_EQUAL(pcap_tx_flush(p, 0), 0);
	pcap_close(p);
	p = fresh("exclusive:vA");
	CU_ASSERT_EQUAL(pcap_inject_batch(p, &pkt, 1),
			PCAP_ERROR_NOT_ACTIVATED);
	CU_ASSERT_EQUAL(pcap_inject(p, f, 60), PCAP_ERROR_NOT_ACTIVATED);
	pcap_close(p);
}

static CU_TestInfo tests[] = {
	PCF_TEST(inject),
	PCF_TEST(batches),
	PCF_TEST(jumbo),
	PCF_TEST(in_place),
	PCF_TEST(reserve_all),
	PCF_TEST(bad_sizes),
	PCF_TEST(other_handles),
	PCF_TEST(order),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("send", tests);
}
