/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending on a real interface, in a namespace of its own: what the peer gets,
 * byte for byte and in order. Each test runs on an exclusive handle, which
 * sends through a TX ring, and on one of the system's library, which does not.
 * As root.
 */
#include "compat/public.h"
#include "tests/netns/net.h"
#include "tests/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 1024

static char errbuf[PCAP_ERRBUF_SIZE];
static bool have_net;
static struct pcap_fast_info info;

static bool skip(void)
{
	if (!have_net)
		pcf_skip("needs root and network namespaces");
	return !have_net;
}

static pcap_t *create(const char *device)
{
	pcap_t *p = pcap_create(device, errbuf);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	pcap_set_snaplen(p, 65535);
	pcap_set_promisc(p, 1);
	pcap_set_timeout(p, 10);
	return p;
}

static void activate(pcap_t *p)
{
	int rc = pcap_activate(p);

	if (rc < 0)
		printf("    activate: %d %s\n", rc, pcap_geterr(p));
	CU_ASSERT_TRUE_FATAL(rc >= 0);
}

static pcap_t *open_on(const char *mode, const char *device)
{
	char name[64];
	pcap_t *p;

	snprintf(name, sizeof(name), "%s:%s", mode, device);
	p = create(name);
	activate(p);
	return p;
}

static const char *const modes[] = { "exclusive", "mirror", "system" };
#define NMODES (sizeof(modes) / sizeof(modes[0]))

/* Run a test in every mode, each with a new pair of interfaces. */
static void in_each_mode(void (*test)(const char *mode), unsigned mtu)
{
	for (unsigned i = 0; i < NMODES && !skip(); i++) {
		net_link(1, mtu);
		test(modes[i]);
		CU_ASSERT_EQUAL(net_left_over(), 0);
	}
}

/* --- what the peer gets -------------------------------------------------- */

/* Of our frames only, within a second: how many, from `first` on in order and
 * whole. The number is the packet's, or tells where the first fault is. */
static unsigned arrived(int fd, uint32_t first, unsigned n,
			unsigned (*size)(uint32_t))
{
	uint8_t f[10000];
	unsigned i = 0;

	for (int idle = 0; i < n && idle < 1000;) {
		ssize_t len = recv(fd, f, sizeof(f), MSG_TRUNC);

		if (len < 0) {
			usleep(1000);
			idle++;
			continue;
		}
		if (f[0] != 2 || f[4] != 0x77)
			continue;
		if ((unsigned)len != size(first + i) ||
		    !net_same(f, len, first + i)) {
			printf("    frame %u: %zd bytes, not as sent\n", i,
			       len);
			return i;
		}
		i++;
	}
	return i;
}

static unsigned size_60(uint32_t i)
{
	(void)i;
	return 60;
}

static unsigned size_any(uint32_t i)
{
	return 14 + i * 37 % 1501;
}

static unsigned size_jumbo(uint32_t i)
{
	return i % 3 ? 60 + i * 131 % 8955 : 60;
}

static void build(struct pcap_batch_pkt *pkt, uint8_t *to, uint32_t number,
		  unsigned len)
{
	net_frame(to, len, number);
	*pkt = (struct pcap_batch_pkt){ .hdr.caplen = len, .data = to };
}

static void build_all(struct pcap_batch_pkt *pkts, uint8_t *area,
		      uint32_t first, unsigned n, unsigned (*size)(uint32_t))
{
	for (unsigned i = 0; i < n; i++)
		build(&pkts[i], area + i * 9100, first + i, size(first + i));
}

/* --- one, many, in place ------------------------------------------------- */

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
	struct pcap_batch_pkt *pkts = calloc(MOST, sizeof(*pkts));
	uint8_t *area = malloc(MOST * 9100);
	pcap_t *p = open_on(mode, "vA");
	int fd = net_listen("vB");
	uint32_t number = 0;

	for (int n = 1; n <= MOST; n++) {
		build_all(pkts, area, number, n, size_any);
		CU_ASSERT_EQUAL(pcap_inject_batch(p, pkts, n), n);
		CU_ASSERT_EQUAL(arrived(fd, number, n, size_any), n);
		number += n;
	}
	CU_ASSERT_EQUAL(pcap_inject_batch(p, pkts, 0), 0);
	close(fd);
	pcap_close(p);
	free(area);
	free(pkts);
}

static void batches(void)
{
	in_each_mode(every_batch, 1500);
}

static void jumbo_frames(const char *mode)
{
	struct pcap_batch_pkt *pkts = calloc(MOST, sizeof(*pkts));
	uint8_t *area = malloc(MOST * 9100);
	pcap_t *p = open_on(mode, "vA");
	int fd = net_listen("vB");

	for (uint32_t number = 0; number < 8 * MOST; number += MOST) {
		build_all(pkts, area, number, MOST, size_jumbo);
		CU_ASSERT_EQUAL(pcap_inject_batch(p, pkts, MOST), MOST);
		CU_ASSERT_EQUAL(arrived(fd, number, MOST, size_jumbo), MOST);
	}
	CU_ASSERT_EQUAL(pcap_inject(p, area, 9015), PCAP_ERROR);
	close(fd);
	pcap_close(p);
	free(area);
	free(pkts);
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
	struct pcap_batch_pkt *pkts = calloc(MOST, sizeof(*pkts));
	uint8_t *area = malloc(MOST * 9100);
	pcap_t *p = open_on(mode, "vA");
	int fd = net_listen("vB");
	uint32_t number = 0;

	for (int n = 1; n <= 40; n++) {
		uint32_t first = number;

		build_all(pkts, area, number, n + 2, size_any);
		CU_ASSERT_TRUE(
			pcap_inject(p, pkts[0].data, pkts[0].hdr.caplen) > 0);
		CU_ASSERT_EQUAL(pcap_inject_batch(p, pkts + 1, n), n);
		CU_ASSERT_EQUAL(pcap_sendpacket(p, pkts[n + 1].data,
						pkts[n + 1].hdr.caplen),
				0);
		number += n + 2;
		CU_ASSERT_EQUAL_FATAL(pcap_tx_reserve(p, pkts, 1), 1);
		net_frame((uint8_t *)pkts[0].data, size_any(number), number);
		pkts[0].hdr.caplen = size_any(number);
		CU_ASSERT_EQUAL(pcap_tx_submit(p, pkts, 1), 1);
		number++;
		CU_ASSERT_EQUAL(arrived(fd, first, number - first, size_any),
				number - first);
	}
	close(fd);
	pcap_close(p);
	free(area);
	free(pkts);
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

/* --- send queues --------------------------------------------------------- */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* 200 packets in 200 ms, and again as fast as it goes. */
static void queued(const char *mode)
{
	const u_int each = sizeof(struct pcap_pkthdr) + 60;
	pcap_send_queue *q = pcap_sendqueue_alloc(200 * each + 10);
	pcap_t *p = open_on(mode, "vA");
	int fd = net_listen("vB");
	struct pcap_pkthdr hdr = { .caplen = 60, .len = 60 };
	double start;
	uint8_t f[60];

	hdr.ts.tv_sec = 1000000000;
	for (uint32_t i = 0; i < 200; i++) {
		net_frame(f, 60, i);
		hdr.ts.tv_usec = 1000 * i;
		CU_ASSERT_EQUAL(pcap_sendqueue_queue(q, &hdr, f), 0);
	}
	CU_ASSERT_EQUAL(pcap_sendqueue_queue(q, &hdr, f), -1);
	CU_ASSERT_EQUAL(q->len, 200 * each);
	start = seconds();
	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 1), q->len);
	CU_ASSERT_TRUE(seconds() - start >= 0.199);
	CU_ASSERT_EQUAL(arrived(fd, 0, 200, size_60), 200);
	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 0), q->len);
	CU_ASSERT_EQUAL(arrived(fd, 0, 200, size_60), 200);
	/* up to the first that cannot be sent */
	((struct pcap_pkthdr *)(q->buffer + 0))->caplen = 0;
	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 0), 0);
	q->len = each / 2;
	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 1), 0);
	pcap_sendqueue_destroy(q);
	pcap_sendqueue_destroy(NULL);
	close(fd);
	pcap_close(p);
}

static void send_queues(void)
{
	in_each_mode(queued, 1500);
}

static void *break_soon(void *p)
{
	usleep(50000);
	pcap_breakloop(p);
	return NULL;
}

static void queue_broken(const char *mode)
{
	pcap_send_queue *q = pcap_sendqueue_alloc(1000);
	struct pcap_pkthdr hdr = { .caplen = 60, .len = 60 };
	pcap_t *p = open_on(mode, "vA");
	double start = seconds();
	pthread_t thread;
	uint8_t f[60];

	net_frame(f, 60, 0);
	CU_ASSERT_EQUAL(pcap_sendqueue_queue(q, &hdr, f), 0);
	hdr.ts.tv_sec = 15;
	CU_ASSERT_EQUAL(pcap_sendqueue_queue(q, &hdr, f), 0);
	pthread_create(&thread, NULL, break_soon, p);
	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 1), q->len / 2);
	CU_ASSERT_TRUE(seconds() - start < 10);
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 0), q->len);
	pcap_sendqueue_destroy(q);
	pcap_close(p);
}

static void send_queue_broken(void)
{
	in_each_mode(queue_broken, 1500);
}

/* --- bad input ----------------------------------------------------------- */

static void fails(int rc, pcap_t *p, const char *text)
{
	CU_ASSERT_EQUAL(rc, PCAP_ERROR);
	if (strncmp(pcap_geterr(p), text, strlen(text))) {
		printf("    \"%s\", not \"%s\"\n", pcap_geterr(p), text);
		CU_FAIL("text");
	}
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
	p = create("exclusive:vA");
	CU_ASSERT_EQUAL(pcap_inject_batch(p, &pkt, 1),
			PCAP_ERROR_NOT_ACTIVATED);
	CU_ASSERT_EQUAL(pcap_inject(p, f, 60), PCAP_ERROR_NOT_ACTIVATED);
	pcap_close(p);
}

/* --- the interface under it ---------------------------------------------- */

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

/* --- the queueing discipline --------------------------------------------- */

/* One that drops everything: only exclusive captures and who asks get past it,
 * and then no other capture on the host sees the packets. */
static void past_blackhole(const char *mode, bool ask, bool past)
{
	struct pcap_batch_pkt pkts[100];
	uint8_t *area = malloc(100 * 9100);
	int host = net_host(), fd = net_listen("vB");
	pcap_t *p;

	if (ask)
		setenv("PCAP_FAST_QDISC_BYPASS", "on", 1);
	p = open_on(mode, "vA");
	unsetenv("PCAP_FAST_QDISC_BYPASS");
	build_all(pkts, area, 0, 100, size_any);
	CU_ASSERT_EQUAL(pcap_inject(p, pkts[0].data, pkts[0].hdr.caplen),
			(int)pkts[0].hdr.caplen);
	CU_ASSERT_EQUAL(pcap_inject_batch(p, pkts + 1, 99), 99);
	if (past)
		CU_ASSERT_EQUAL(arrived(fd, 0, 100, size_any), 100);
	usleep(10000);
	CU_ASSERT_TRUE(recv(fd, area, 100, 0) < 0);
	CU_ASSERT_EQUAL(net_host_frames(host), 0);
	pcap_close(p);
	close(host);
	close(fd);
	free(area);
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

/* --- system calls -------------------------------------------------------- */

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
	struct pcap_batch_pkt pkts[MOST];
	uint8_t *area;
	pcap_t *p;
	int fd;

	if (skip())
		return;
	if (!net_has_tx_budget(MOST)) {
		pcf_skip("this kernel has no XDP_MAX_TX_SKB_BUDGET (6.17)");
		return;
	}
	net_link(1, 1500);
	area = malloc(MOST * 9100);
	p = open_on("exclusive", "vA");
	fd = net_listen("vB");
	build_all(pkts, area, 0, MOST, size_any);
	kicks = 0;
	CU_ASSERT_EQUAL(pcap_inject_batch(p, pkts, MOST), MOST);
	CU_ASSERT_EQUAL(kicks, 1);
	CU_ASSERT_EQUAL(arrived(fd, 0, MOST, size_any), MOST);
	close(fd);
	pcap_close(p);
	free(area);
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

/* --- beside reading ------------------------------------------------------ */

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
	PCF_TEST(inject),	 PCF_TEST(batches),
	PCF_TEST(jumbo),	 PCF_TEST(in_place),
	PCF_TEST(reserve_all),	 PCF_TEST(bad_sizes),
	PCF_TEST(other_handles), PCF_TEST(link_events),
	PCF_TEST(threads),	 PCF_TEST(counted),
	PCF_TEST(send_queues),	 PCF_TEST(send_queue_broken),
	PCF_TEST(flapping),	 PCF_TEST(deleted),
	PCF_TEST(qdisc_bypass),	 PCF_TEST(one_kick),
	PCF_TEST(order),	 PCF_TEST(one_kick_each),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("send", tests);
}
