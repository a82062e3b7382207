/* SPDX-License-Identifier: BSD-3-Clause */
/* Receiving on a real interface, in a namespace of its own. As root. */
#include "tests/netns/capture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void exact_on(int mode, unsigned mtu, unsigned n,
		     unsigned (*size)(uint32_t))
{
	struct reading r = { .step = 1, .size = size };
	pcap_t *p;

	net_link(1, mtu);
	p = mode == PCAP_FAST_MODE_MIRROR ? mirror() : exclusive();
	for (unsigned sent = 0; sent < n; sent += 1000) {
		net_send(sent, 1000, size);
		read_all(p, &r);
	}
	expect(&r, n);
	counters_add_up(p);
	pcap_close(p);
	CU_ASSERT_EQUAL(net_xdp(), 0);
}

static void exact(void)
{
	if (!skip())
		exact_on(PCAP_FAST_MODE_EXCLUSIVE, 1500, 50000, size_mixed);
}

static void mirror_exact(void)
{
	if (skip())
		return;
	exact_on(PCAP_FAST_MODE_MIRROR, 1500, 50000, size_mixed);
	exact_on(PCAP_FAST_MODE_MIRROR, 9000, 10000, size_jumbo);
}

static void jumbo(void)
{
	if (skip())
		return;
	exact_on(PCAP_FAST_MODE_EXCLUSIVE, 3000, 5000, size_mixed);
	exact_on(PCAP_FAST_MODE_EXCLUSIVE, 9000, 10000, size_jumbo);
}

/* All queues by default; with a list, the others' packets go to the host. */
static void queues(void)
{
	struct pcap_batch_pkt pkts[64];
	unsigned all = 0, some = 0, seen[4] = { 0 };
	pcap_t *p;
	int n;

	if (skip())
		return;
	net_link(4, 1500);
	p = exclusive();
	CU_ASSERT_EQUAL(info.queues, 4);
	net_send(0, 2000, size_60);
	while ((n = pcap_next_batch(p, pkts, 64)) > 0)
		for (int i = 0; i < n; i++, all++)
			seen[pkts[i].queue % 4]++;
	CU_ASSERT_EQUAL(all, 2000);
	CU_ASSERT_TRUE(seen[0] && seen[1] && seen[2] && seen[3]);
	pcap_close(p);
	p = capture("exclusive:vA@1-2", 1, PCAP_FAST_MODE_EXCLUSIVE);
	CU_ASSERT_EQUAL(info.queues, 2);
	net_send(0, 2000, size_60);
	while (pcap_dispatch(p, -1, see_queue, (u_char *)&some) > 0)
		;
	CU_ASSERT_EQUAL(some, seen[1] + seen[2]);
	pcap_close(p);
}

/* A reader that is too slow: what is lost is counted, to the packet. */
static void overflow_on(const char *device)
{
	struct pcap_stat stat;
	unsigned n = 0;
	pcap_t *p;

	net_link(1, 1500);
	p = create(device, 1);
	pcap_set_buffer_size(p, 1 << 20);
	CU_ASSERT_EQUAL_FATAL(pcap_activate(p), 0);
	pcap_setnonblock(p, 1, errbuf);
	net_send(0, 20000, size_60);
	CU_ASSERT_EQUAL(pcap_stats(p, &stat), 0);
	CU_ASSERT_EQUAL(stat.ps_recv, 20000);
	CU_ASSERT_TRUE(stat.ps_drop > 0);
	while (pcap_dispatch(p, -1, see_queue, (u_char *)&n) > 0)
		;
	CU_ASSERT_EQUAL(n + stat.ps_drop, 20000);
	counters_add_up(p);
	pcap_close(p);
}

static void overflow(void)
{
	if (skip())
		return;
	overflow_on("exclusive:vA");
	overflow_on("mirror:vA");
}

/* Any number of readers beside the exclusive one, each with its own filter;
 * the first to open is not the last to close. */
static void side_by_side(void)
{
	struct reading all = { .step = 1, .size = size_mixed };
	struct reading even = { .step = 2, .size = size_mixed };
	struct reading odd = { .next = 1, .step = 2, .size = size_mixed };
	pcap_t *a, *b, *c;

	if (skip())
		return;
	net_link(1, 1500);
	a = exclusive();
	b = capture("vA", 1, PCAP_FAST_MODE_MIRROR);
	c = mirror();
	set_filter(b, "udp port 7000");
	set_filter(c, "udp port 7001");
	net_send(0, 2000, size_mixed);
	read_all(a, &all);
	pcap_close(a);
	net_send(2000, 2000, size_mixed);
	read_all(b, &even);
	read_all(c, &odd);
	expect(&all, 2000);
	expect(&even, 2000);
	expect(&odd, 2000);
	pcap_close(b);
	CU_ASSERT_NOT_EQUAL(net_xdp(), 0);
	pcap_close(c);
	CU_ASSERT_EQUAL(net_xdp(), 0);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

/* The host keeps its network under a mirror, also on several queues. */
static void mirror_passes(void)
{
	unsigned n = 0;
	pcap_t *p;
	int host;

	if (skip())
		return;
	net_link(4, 1500);
	net_do("ip addr add 10.99.0.1/24 dev vA");
	host = net_host();
	p = mirror();
	net_send(0, 2000, size_60);
	while (pcap_dispatch(p, -1, see_queue, (u_char *)&n) > 0)
		;
	CU_ASSERT_EQUAL(n, 2000);
	CU_ASSERT_TRUE(net_host_got(host, 2000));
	close(host);
	pcap_close(p);
}

/* A sleeping reader wakes for a packet of whichever queue, every time. */
static void mirror_wakes(void)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	pid_t child;
	pcap_t *p;

	if (skip())
		return;
	net_link(4, 1500);
	p = mirror();
	pcap_setnonblock(p, 0, errbuf);
	child = fork();
	if (!child) {
		for (int i = 0; i < 200; i++) {
			net_send(i, 1, size_60);
			usleep(i % 10 ? 0 : 2000);
		}
		_exit(0);
	}
	for (int i = 0; i < 200; i++)
		CU_ASSERT_EQUAL(pcap_next_ex(p, &h, &data), 1);
	waitpid(child, NULL, 0);
	pcap_close(p);
}

static void filter_in_driver(void)
{
	struct reading r = { .step = 2, .size = size_mixed };
	struct pcap_stat stat;
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = exclusive();
	set_filter(p, "udp port 7000");
	pcap_fast_get_info(p, &info, sizeof(info));
	CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_KERNEL);
	net_send(0, 2000, size_mixed);
	read_all(p, &r);
	expect(&r, 1000);
	CU_ASSERT_EQUAL(pcap_stats(p, &stat), 0);
	CU_ASSERT_EQUAL(stat.ps_recv, 1000);
	counters_add_up(p);
	pcap_close(p);
}

struct swapping {
	unsigned n, wrong, port;
};

static void see_port(u_char *user, const struct pcap_pkthdr *h,
		     const u_char *data)
{
	struct swapping *s = (struct swapping *)user;

	(void)h;
	s->n++;
	s->wrong += (data[36] << 8 | data[37]) != (int)s->port;
}

/* Under traffic, each packet that comes out matches the filter in force. */
static void filter_swaps(void)
{
	struct swapping s = { 0 };
	struct bpf_program prog[2];
	pcap_t *p;
	pid_t child;

	if (skip())
		return;
	net_link(1, 1500);
	p = exclusive();
	CU_ASSERT_EQUAL_FATAL(
		pcap_compile(p, &prog[0], "udp port 7000", 1, 0), 0);
	CU_ASSERT_EQUAL_FATAL(
		pcap_compile(p, &prog[1], "udp port 7001", 1, 0), 0);
	child = fork();
	if (!child) {
		for (;;)
			net_send(0, 1000, size_60);
	}
	for (int i = 0; i < 1000; i++) {
		CU_ASSERT_EQUAL(pcap_setfilter(p, &prog[i % 2]), 0);
		s.port = 7000 + i % 2;
		pcap_dispatch(p, 500, see_port, (u_char *)&s);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CU_ASSERT_TRUE(s.n > 100);
	CU_ASSERT_EQUAL(s.wrong, 0);
	pcap_freecode(&prog[0]);
	pcap_freecode(&prog[1]);
	pcap_close(p);
}

/* Packets that were shown but not delivered when the filter changed. */
static void filter_unmarks(void)
{
	struct swapping s = { .port = 7000 };
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = exclusive();
	set_filter(p, "udp");
	net_send(0, 100, size_60);
	CU_ASSERT_EQUAL(pcap_dispatch(p, 1, see_port, (u_char *)&s), 1);
	set_filter(p, "udp port 7001");
	s.port = 7001;
	CU_ASSERT_EQUAL(pcap_dispatch(p, -1, see_port, (u_char *)&s), 50);
	CU_ASSERT_EQUAL(s.wrong, 0);
	pcap_close(p);
}

/* Two filters that both match a packet never lose it between them. */
static void filter_swap_keeps(void)
{
	struct reading r = { .step = 1, .size = size_60 };
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = exclusive();
	for (int i = 0; i < 100; i++) {
		net_send(i * 100, 50, size_60);
		set_filter(p, i % 2 ? "udp" : "ip");
		net_send(i * 100 + 50, 50, size_60);
		read_all(p, &r);
	}
	expect(&r, 10000);
	pcap_close(p);
}

/* The parent opens, the child reads, as daemons do. */
static void forked(void)
{
	struct reading r = { .step = 1, .size = size_60 };
	int status;
	pcap_t *p;
	pid_t child;

	if (skip())
		return;
	net_link(1, 1500);
	p = exclusive();
	net_send(0, 500, size_60);
	child = fork();
	if (!child) {
		net_send(500, 500, size_60);
		read_all(p, &r);
		_exit(r.n == 1000 && !r.wrong ? 0 : 1);
	}
	waitpid(child, &status, 0);
	CU_ASSERT_EQUAL(status, 0);
	pcap_close(p);
}

static void held_frames(void)
{
	struct pcap_batch_pkt first[64], pkts[64];
	int n, kept;
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = exclusive();
	net_send(0, 64, size_60);
	kept = pcap_next_batch(p, first, 64);
	CU_ASSERT_EQUAL(kept, 64);
	CU_ASSERT_EQUAL(pcap_hold_batch(p, first, kept), 0);
	for (int turn = 0; turn < 40; turn++) {
		net_send(1000, 1000, size_60);
		while ((n = pcap_next_batch(p, pkts, 64)) > 0)
			;
	}
	for (int i = 0; i < kept; i++)
		CU_ASSERT_TRUE(net_same(first[i].data, 60, i));
	CU_ASSERT_EQUAL(pcap_release_batch(p, first, kept), 0);
	counters_add_up(p);
	pcap_close(p);
}

struct stamps {
	struct timeval before, after;
	unsigned n, wrong;
};

static void see_time(u_char *user, const struct pcap_pkthdr *h,
		     const u_char *data)
{
	struct stamps *s = (struct stamps *)user;

	(void)data;
	s->n++;
	s->wrong += timercmp(&h->ts, &s->before, <) ||
		    timercmp(&h->ts, &s->after, >);
}

/* Of the arrival: after the packet was sent and before it was read, but for
 * the milliseconds by which the clocks may be read apart. */
static void times_on(pcap_t *p)
{
	const struct timeval apart = { 0, 2000 };
	struct stamps s = { 0 };
	struct timeval now;

	for (unsigned i = 0; i < 20; i++) {
		gettimeofday(&now, NULL);
		timersub(&now, &apart, &s.before);
		net_send(i, 5, size_60);
		gettimeofday(&now, NULL);
		timeradd(&now, &apart, &s.after);
		usleep(5000);
		while (pcap_dispatch(p, -1, see_time, (u_char *)&s) > 0)
			;
	}
	CU_ASSERT_EQUAL(s.n, 100);
	CU_ASSERT_EQUAL(s.wrong, 0);
	pcap_close(p);
}

static void time_stamps(void)
{
	if (skip())
		return;
	net_link(1, 1500);
	times_on(exclusive());
	times_on(mirror());
}

static CU_TestInfo tests[] = {
	PCF_TEST(exact),
	PCF_TEST(jumbo),
	PCF_TEST(queues),
	PCF_TEST(overflow),
	PCF_TEST(filter_in_driver),
	PCF_TEST(filter_swaps),
	PCF_TEST(filter_unmarks),
	PCF_TEST(filter_swap_keeps),
	PCF_TEST(mirror_exact),
	PCF_TEST(side_by_side),
	PCF_TEST(mirror_passes),
	PCF_TEST(mirror_wakes),
	PCF_TEST(forked),
	PCF_TEST(held_frames),
	PCF_TEST(time_stamps),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("netns", tests);
}
