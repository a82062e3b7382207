/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending and the rest of the machine: the queueing discipline, system calls,
 * other threads, what is counted. In a namespace of its own, as root.
 */
#include "tests/netns/send.h"

#include <pthread.h>
#include <stdatomic.h>

static struct pcap_fast_info info;

/* One that drops everything: only exclusive captures and who asks get past it,
 * and then no other capture on the host sees the packets. */
static void past_blackhole(const char *mode, bool ask, bool past)
{
	struct sender s;
	int host = net_host();

	if (ask)
		setenv("PCAP_FAST_QDISC_BYPASS", "on", 1);
	s = open_sender(mode);
	unsetenv("PCAP_FAST_QDISC_BYPASS");
	build_all(&s, 0, 100, size_any);
	CU_ASSERT_EQUAL(pcap_inject(s.p, s.pkts[0].data, s.pkts[0].hdr.caplen),
			(int)s.pkts[0].hdr.caplen);
	CU_ASSERT_EQUAL(pcap_inject_batch(s.p, s.pkts + 1, 99), 99);
	if (past)
		CU_ASSERT_EQUAL(arrived(s.peer, 0, 100, size_any), 100);
	usleep(10000);
	CU_ASSERT_TRUE(recv(s.peer, s.area, 100, 0) < 0);
	CU_ASSERT_TRUE(net_host_got(host, 0));
	close_sender(&s);
	close(host);
}

static void qdisc_bypass(void)
{
	for (unsigned i = 0; i < NMODES && !skip(); i++) {
		net_link(1, 1500);
		if (net_do("tc qdisc add dev vA root blackhole")) {
			pcf_skip("this kernel has no blackhole discipline");
			return;
		}
		past_blackhole(modes[i], false, !i);
		past_blackhole(modes[i], true, true);
	}
}

static atomic_uint kicks;

ssize_t __real_sendto(int fd, const void *data, size_t len, int flags,
		      const struct sockaddr *to, socklen_t size);
ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags,
		      const struct sockaddr *to, socklen_t size);

ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags,
		      const struct sockaddr *to, socklen_t size)
{
	kicks += !data;
	return __real_sendto(fd, data, len, flags, to, size);
}

/* As many packets as a ring takes leave by one call, where the kernel lets a
 * socket have more than 32. */
static void one_kick(void)
{
	struct sender s;

	if (skip())
		return;
	if (!net_has_tx_budget(MOST)) {
		pcf_skip("this kernel has no XDP_MAX_TX_SKB_BUDGET (6.17)");
		return;
	}
	net_link(1, 1500);
	s = open_sender("exclusive");
	build_all(&s, 0, MOST, size_any);
	kicks = 0;
	CU_ASSERT_EQUAL(pcap_inject_batch(s.p, s.pkts, MOST), MOST);
	CU_ASSERT_EQUAL(kicks, 1);
	CU_ASSERT_EQUAL(arrived(s.peer, 0, MOST, size_any), MOST);
	close_sender(&s);
}

/* One packet is one system call; the peer takes it meanwhile, so each is sent
 * from the same frame. */
static void one_kick_each(void)
{
	uint8_t f[60];
	pcap_t *p;
	int fd;

	if (skip())
		return;
	net_link(1, 1500);
	p = open_on("exclusive", "vA");
	fd = net_listen("vB");
	kicks = 0;
	for (uint32_t i = 0; i < 3000; i++) {
		net_frame(f, 60, i);
		CU_ASSERT_EQUAL(pcap_inject(p, f, 60), 60);
	}
	CU_ASSERT_EQUAL(kicks, 3000);
	CU_ASSERT_EQUAL(arrived(fd, 0, 3000, size_60), 3000);
	close(fd);
	pcap_close(p);
}

static volatile bool stop;

static void *read_on(void *arg)
{
	struct pcap_batch_pkt pkts[64];
	uintptr_t n = 0;

	while (!stop) {
		int rc = pcap_next_batch(arg, pkts, 64);

		n += rc > 0 ? rc : 0;
	}
	return (void *)n;
}

/* One thread reads, two send; nobody's packets get lost or mixed up. */
static void *send_on(void *arg)
{
	uint8_t f[60];

	for (uint32_t i = 0; i < 5000; i++) {
		net_frame(f, 60, i);
		if (pcap_inject(arg, f, 60) != 60)
			return "failed";
	}
	return NULL;
}

static unsigned count(int fd)
{
	uint8_t f[100];
	unsigned n = 0;

	for (int idle = 0; idle < 100;) {
		ssize_t len = recv(fd, f, sizeof(f), 0);
		uint32_t number;

		if (len < 0) {
			usleep(1000);
			idle++;
		} else if (f[0] == 2 && f[4] == 0x77) {
			memcpy(&number, f + 42, 4);
			n += net_same(f, len, number);
		}
	}
	return n;
}

static void threads(void)
{
	pthread_t reader, senders[2];
	void *result;
	pcap_t *p;
	int fd;

	if (skip())
		return;
	net_link(1, 1500);
	p = open_on("exclusive", "vA");
	pcap_setnonblock(p, 1, errbuf);
	fd = net_listen("vB");
	stop = false;
	pthread_create(&reader, NULL, read_on, p);
	for (int i = 0; i < 2; i++)
		pthread_create(&senders[i], NULL, send_on, p);
	net_send(0, 5000, size_60);
	for (int i = 0; i < 2; i++) {
		pthread_join(senders[i], &result);
		CU_ASSERT_PTR_NULL(result);
	}
	usleep(100000);
	stop = true;
	pthread_join(reader, &result);
	CU_ASSERT_EQUAL((uintptr_t)result, 5000);
	/* the packet socket on vB sees what vB sends, too */
	CU_ASSERT_EQUAL(count(fd), 15000);
	close(fd);
	pcap_close(p);
}

/* What is captured and what is sent come from different parts of the memory. */
static void counted(void)
{
	uint8_t f[60];
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = open_on("exclusive", "vA");
	net_frame(f, 60, 0);
	for (int i = 0; i < 3000; i++)
		CU_ASSERT_EQUAL(pcap_inject(p, f, 60), 60);
	net_do("ip link set vB down");
	CU_ASSERT_EQUAL(pcap_inject(p, f, 60), 60);
	pcap_fast_get_info(p, &info, sizeof(info));
	CU_ASSERT_EQUAL(info.sent, 3001);
	CU_ASSERT_EQUAL(info.send_dropped, 1);
	CU_ASSERT_EQUAL(info.send_pending, 0);
	CU_ASSERT_EQUAL(info.delivered, 0);
	pcap_close(p);
}

static CU_TestInfo tests[] = {
	PCF_TEST(threads),  PCF_TEST(counted),	     PCF_TEST(qdisc_bypass),
	PCF_TEST(one_kick), PCF_TEST(one_kick_each), CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("send_host", tests);
}
