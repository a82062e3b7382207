/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding between two interfaces, in a namespace of its own, as root:
 *
 *	vB <--> vA  this program  vC <--> vD
 */
#include "libpcap-fast/handle.h"
#include "tests/netns/frames.h"
#include "tests/netns/common.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64
#define MOST  2048 /* frames for sending */

static void links(unsigned a_queues, unsigned c_queues, unsigned mtu)
{
	net_link(a_queues, mtu);
	net_do("ip link del vC 2>/dev/null");
	if (net_do("ip link add vC mtu %u numrxqueues %u numtxqueues %u type veth peer name vD mtu %u numrxqueues %u numtxqueues %u",
		   mtu, c_queues, c_queues, mtu, c_queues, c_queues) ||
	    net_do("ip link set vC up && ip link set vD up"))
		abort();
}

static pcap_t *create(const char *device)
{
	pcap_t *p = fresh(device);

	pcap_set_snaplen(p, 65535);
	return p;
}

static void activate(pcap_t *p)
{
	go_live(p);
	pcap_setnonblock(p, 1, errbuf);
	pcap_setdirection(p, PCAP_D_IN);
}

struct pair {
	pcap_t *a, *c;
};

static struct pcap_fast_info info_of(pcap_t *p)
{
	struct pcap_fast_info info;

	CU_ASSERT_EQUAL(pcap_fast_get_info(p, &info, sizeof(info)), 0);
	return info;
}

static struct pair open_pair(const char *a, const char *c, bool share,
			     bool shared)
{
	struct pair x = { create(a), create(c) };

	if (share)
		CU_ASSERT_EQUAL(pcap_fast_share(x.c, x.a), 0);
	/* a veth has no zero-copy, so sockets must be asked for */
	if (shared)
		setenv("PCAP_FAST_RX", "xsk", 1);
	activate(x.a);
	activate(x.c);
	unsetenv("PCAP_FAST_RX");
	CU_ASSERT_EQUAL(info_of(x.a).shares_memory, shared);
	CU_ASSERT_EQUAL(info_of(x.c).shares_memory, shared);
	return x;
}

static void close_pair(struct pair *x)
{
	pcap_close(x->a);
	pcap_close(x->c);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

/* The next packets, which may be on their way for a while. */
static int next_batch(pcap_t *p, struct pcap_batch_pkt *pkts)
{
	int n = pcap_next_batch(p, pkts, BATCH);

	for (int i = 0; !n && i < 1000; i++) {
		usleep(1000);
		n = pcap_next_batch(p, pkts, BATCH);
	}
	return n;
}

/* So many from one to the other; those that `drop` names by their number are
 * not sent on. How many came. */
static unsigned forward(pcap_t *in, pcap_t *out, unsigned expected,
			bool (*drop)(uint32_t))
{
	struct pcap_batch_pkt pkts[BATCH], on[BATCH];
	unsigned total = 0;
	int n = 1;

	while (total < expected && (n = next_batch(in, pkts)) > 0) {
		int m = 0;

		for (int i = 0; i < n; i++) {
			uint32_t number;

			memcpy(&number, pkts[i].data + 42, 4);
			if (!drop || !drop(number))
				on[m++] = pkts[i];
		}
		CU_ASSERT_EQUAL(pcap_forward_batch(in, out, on, m), m);
		for (int i = 0; i < m; i++)
			CU_ASSERT_PTR_NULL(on[i].data);
		total += n;
	}
	CU_ASSERT_EQUAL(pcap_next_batch(in, pkts, BATCH), 0);
	return total;
}

static void send_by(int fd, uint32_t first, unsigned n,
		    unsigned (*size)(uint32_t))
{
	uint8_t f[9100];

	for (uint32_t i = first; i < first + n; i++) {
		net_frame(f, size(i), i);
		while (send(fd, f, size(i), 0) < 0)
			if (errno != ENOBUFS && errno != EAGAIN)
				abort();
	}
}

/* Like net_send(), from any device. */
static void send_from(const char *device, uint32_t first, unsigned n,
		      unsigned (*size)(uint32_t))
{
	int fd = net_listen(device);

	send_by(fd, first, n, size);
	close(fd);
}

/* The next frame, which may be on its way for a while. */
static ssize_t next(int fd, uint8_t *f, size_t size)
{
	ssize_t len = recv(fd, f, size, 0);

	for (int i = 0; len < 0 && i < 1000; i++) {
		usleep(1000);
		len = recv(fd, f, size, 0);
	}
	return len;
}

/* In order and whole: how many. */
static unsigned arrived(int fd, uint32_t first, uint32_t end,
			unsigned (*size)(uint32_t), bool (*drop)(uint32_t))
{
	uint8_t f[10000];
	unsigned n = 0;

	for (uint32_t i = first; i < end; i++) {
		ssize_t len;

		if (drop && drop(i))
			continue;
		len = next(fd, f, sizeof(f));
		if (len != (ssize_t)size(i) || !net_same(f, len, i)) {
			printf("    frame %u: %zd bytes, not as sent\n", i,
			       len);
			break;
		}
		n++;
	}
	CU_ASSERT_TRUE(recv(fd, f, sizeof(f), 0) < 0);
	return n;
}

static bool drop_some(uint32_t i)
{
	return i * 2654435761u >> 30 == 0;
}

static unsigned kept(uint32_t end)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < end; i++)
		n += !drop_some(i);
	return n;
}

/* More than the memory has frames, in both directions: each frame must come
 * back, or it would end. At the end all are in their places: a burst of as
 * many as there is room for is taken without loss. */
static void both_ways(const char *a, const char *c, bool share, bool shared,
		      unsigned burst)
{
	struct pair x = open_pair(a, c, share, shared);
	int to_d = net_listen("vD"), to_b = net_listen("vB");
	uint32_t step = 500;

	for (uint32_t i = 0; i < 40000; i += step) {
		send_from("vB", i, step, size_mixed);
		CU_ASSERT_EQUAL(forward(x.a, x.c, step, drop_some), step);
		CU_ASSERT_EQUAL_FATAL(
			arrived(to_d, i, i + step, size_mixed, drop_some),
			kept(i + step) - kept(i));
		while (recv(to_b, &(char){ 0 }, 1, 0) >= 0)
			;
		send_from("vD", i, step, size_mixed);
		CU_ASSERT_EQUAL(forward(x.c, x.a, step, drop_some), step);
		CU_ASSERT_EQUAL_FATAL(
			arrived(to_b, i, i + step, size_mixed, drop_some),
			kept(i + step) - kept(i));
		while (recv(to_d, &(char){ 0 }, 1, 0) >= 0)
			;
	}
	CU_ASSERT_EQUAL(pcap_tx_flush(x.a, 1000), 0);
	CU_ASSERT_EQUAL(pcap_tx_flush(x.c, 1000), 0);
	send_from("vB", 0, burst, size_mixed);
	CU_ASSERT_EQUAL(forward(x.a, x.c, burst, NULL), burst);
	send_from("vD", 0, burst, size_mixed);
	CU_ASSERT_EQUAL(forward(x.c, x.a, burst, NULL), burst);
	close(to_b);
	close(to_d);
	close_pair(&x);
}

static void without_copy(void)
{
	if (skip())
		return;
	links(1, 1, 1500);
	both_ways("exclusive:vA", "exclusive:vC", true, true, 16000);
}

/* What is forwarded as it lies needs no frame for sending: there is none left.
 * Copies would. */
static void moved(void)
{
	struct pcap_batch_pkt *all = calloc(4096, sizeof(*all));
	struct pair x;
	int to_d, n;

	if (!skip()) {
		links(1, 1, 1500);
		x = open_pair("exclusive:vA", "exclusive:vC", true, true);
		to_d = net_listen("vD");
		n = pcap_tx_reserve(x.c, all, 4096);
		CU_ASSERT_TRUE(n > 0 && n < 4096);
		CU_ASSERT_EQUAL(pcap_tx_reserve(x.c, all + n, 1), 0);
		send_from("vB", 0, 500, size_mixed);
		CU_ASSERT_EQUAL(forward(x.a, x.c, 500, NULL), 500);
		CU_ASSERT_EQUAL(arrived(to_d, 0, 500, size_mixed, NULL), 500);
		CU_ASSERT_EQUAL(pcap_release_batch(x.c, all, n), 0);
		close(to_d);
		close_pair(&x);
	}
	free(all);
}

/* --- both ways at once --------------------------------------------------- */

#define EACH_WAY 30000u
#define OTHER	 (1u << 20) /* numbers of packets from vD begin here */

static atomic_uint senders;

static void *send_all(void *device)
{
	uint32_t first = strcmp(device, "vD") ? 0 : OTHER;
	int fd = net_listen(device);

	/* not more at once than the interface in between has room for */
	for (uint32_t i = 0; i < EACH_WAY; i += 50) {
		send_by(fd, first + i, 50, size_mixed);
		usleep(200);
	}
	close(fd);
	senders--;
	return NULL;
}

/* One batch, of which some go on and the others do not. How many were read;
 * `*on` grows by those that went on. */
static int forward_some(pcap_t *in, pcap_t *out, unsigned *on)
{
	struct pcap_batch_pkt pkts[BATCH];
	int n = pcap_next_batch(in, pkts, BATCH), m = 0;

	CU_ASSERT_TRUE_FATAL(n >= 0);
	for (int i = 0; i < n; i++) {
		uint32_t number;

		memcpy(&number, pkts[i].data + 42, 4);
		if (!drop_some(number))
			pkts[m++] = pkts[i];
	}
	if (m)
		CU_ASSERT_EQUAL(pcap_forward_batch(in, out, pkts, m), m);
	*on += m;
	return n;
}

/* Whole, in order, none of those that were dropped; how many of the numbers
 * from `first` on. Others are what this end has sent itself. */
static unsigned arrived_some(int fd, uint32_t first)
{
	uint32_t number, last = first;
	uint8_t f[10000];
	unsigned n = 0;
	ssize_t len;

	while ((len = recv(fd, f, sizeof(f), 0)) >= 0) {
		memcpy(&number, f + 42, 4);
		if (number < first || number >= first + EACH_WAY)
			continue;
		CU_ASSERT_TRUE((!n || number > last) && !drop_some(number));
		CU_ASSERT_TRUE(net_same(f, len, number));
		last = number;
		n++;
	}
	return n;
}

/* Every frame of both memories is in its place again, and only there. */
static void all_at_home(pcap_t *p)
{
	struct pcf_backend *b = pcf_find(p)->backend;

	for (unsigned i = 0; i < b->nqueues; i++) {
		struct pcf_queue *q = b->ops->queue(b, i);

		CU_ASSERT_EQUAL(frames_at_home(q), frames_of(q));
	}
}

static void at_once(unsigned queues)
{
	unsigned from_a = 0, from_c = 0, read = 0;
	int to_b, to_d, idle = 0;
	pthread_t threads[2];
	struct pair x;

	links(queues, queues, 1500);
	x = open_pair("exclusive:vA", "exclusive:vC", true, true);
	to_b = net_listen("vB");
	to_d = net_listen("vD");
	senders = 2;
	pthread_create(&threads[0], NULL, send_all, "vB");
	pthread_create(&threads[1], NULL, send_all, "vD");
	while (idle < 100) {
		int n = forward_some(x.a, x.c, &from_a) +
			forward_some(x.c, x.a, &from_c);

		read += n;
		if (!n)
			usleep(1000);
		idle = n || senders ? 0 : idle + 1;
	}
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	CU_ASSERT_EQUAL(read, 2 * EACH_WAY);
	CU_ASSERT_EQUAL(arrived_some(to_d, 0), from_a);
	CU_ASSERT_EQUAL(arrived_some(to_b, OTHER), from_c);
	CU_ASSERT_EQUAL(pcap_tx_flush(x.a, 1000), 0);
	CU_ASSERT_EQUAL(pcap_tx_flush(x.c, 1000), 0);
	all_at_home(x.a);
	all_at_home(x.c);
	close(to_b);
	close(to_d);
	close_pair(&x);
}

static void both_at_once(void)
{
	if (skip())
		return;
	at_once(1);
}

/* One's queue 1 shares with the other's queue 0. */
static void other_queues(void)
{
	static struct pcap_batch_pkt all[MOST];
	struct pcap_batch_pkt pkts[BATCH];
	unsigned total = 0;
	struct pair x;
	int to_d, n;

	if (skip())
		return;
	links(2, 2, 1500);
	x = open_pair("exclusive:vA@1", "exclusive:vC@0", true, true);
	to_d = net_listen("vD");
	/* no frame is left to copy into */
	CU_ASSERT_EQUAL(pcap_tx_reserve(x.c, all, MOST), MOST);
	for (uint32_t i = 0; i < EACH_WAY; i += 500) {
		send_from("vB", i, 500, size_mixed);
		while ((n = pcap_next_batch(x.a, pkts, BATCH)) > 0) {
			CU_ASSERT_EQUAL(pkts[0].queue, 1);
			CU_ASSERT_EQUAL(pcap_forward_batch(x.a, x.c, pkts, n),
					n);
			total += n;
		}
	}
	n = 0;
	for (uint32_t last = 0, number; n < (int)total; n++, last = number) {
		uint8_t f[10000];
		ssize_t len = next(to_d, f, sizeof(f));

		if (len < 46)
			break;
		memcpy(&number, f + 42, 4);
		CU_ASSERT_TRUE(number >= last && net_same(f, len, number));
	}
	CU_ASSERT_EQUAL(n, total);
	CU_ASSERT_TRUE(total > EACH_WAY / 10);
	CU_ASSERT_EQUAL(pcap_release_batch(x.c, all, MOST), 0);
	CU_ASSERT_EQUAL(pcap_tx_flush(x.c, 1000), 0);
	all_at_home(x.a);
	all_at_home(x.c);
	close(to_d);
	close_pair(&x);
}

static void with_copy(void)
{
	if (skip())
		return;
	links(1, 1, 1500);
	both_ways("exclusive:vA", "exclusive:vC", false, false, 500);
	both_ways("exclusive:vA", "exclusive:vC", true, false, 500);
	both_ways("exclusive:vA", "mirror:vC", true, false, 500);
	both_ways("mirror:vA", "exclusive:vC", true, false, 500);
	both_ways("exclusive:vA", "system:vC", true, false, 500);
}

/* More queues on one side: those without a counterpart copy. */
static void queues(void)
{
	struct pair x;
	int to_d;

	if (skip())
		return;
	links(4, 2, 1500);
	x = open_pair("exclusive:vA", "exclusive:vC", true, true);
	to_d = net_listen("vD");
	for (uint32_t i = 0; i < 20000; i += 500) {
		send_from("vB", i, 500, size_mixed);
		CU_ASSERT_EQUAL(forward(x.a, x.c, 500, NULL), 500);
		CU_ASSERT_EQUAL(arrived(to_d, i, i + 500, size_mixed, NULL), 500);
	}
	close(to_d);
	close_pair(&x);
}

static void jumbo(void)
{
	struct pair x;
	int to_d;

	if (skip())
		return;
	links(1, 1, 9000);
	x = open_pair("exclusive:vA", "exclusive:vC", true, true);
	to_d = net_listen("vD");
	for (uint32_t i = 0; i < 10000; i += 200) {
		send_from("vB", i, 200, size_jumbo);
		CU_ASSERT_EQUAL(forward(x.a, x.c, 200, NULL), 200);
		CU_ASSERT_EQUAL(arrived(to_d, i, i + 200, size_jumbo, NULL),
				200);
	}
	close(to_d);
	close_pair(&x);
}

/* Out of the same interface that it came in by. */
static void reflected(void)
{
	struct pcap_batch_pkt pkts[BATCH];
	pcap_t *p;
	int fd, n;

	if (skip())
		return;
	links(1, 1, 1500);
	p = create("exclusive:vA");
	activate(p);
	for (uint32_t i = 0; i < 40000; i += 40) {
		send_from("vB", i, 40, size_mixed);
		fd = net_listen("vB");
		n = pcap_next_batch(p, pkts, BATCH);
		CU_ASSERT_EQUAL(n, 40);
		CU_ASSERT_EQUAL(pcap_forward_batch(p, p, pkts, n), n);
		CU_ASSERT_EQUAL(arrived(fd, i, i + 40, size_mixed, NULL), 40);
		close(fd);
	}
	pcap_close(p);
}

static int arrived_backwards(int fd, int n)
{
	uint8_t f[10000];
	int i;

	for (i = 0; i < n; i++) {
		ssize_t len = next(fd, f, sizeof(f));

		if (len != size_mixed(n - 1 - i) || !net_same(f, len, n - 1 - i))
			break;
	}
	return i;
}

/* Held over many reads, then sent on, in another order. */
static void held(void)
{
	struct pcap_batch_pkt pkts[BATCH], kept_back[20];
	struct pair x;
	int to_d;

	if (skip())
		return;
	links(1, 1, 1500);
	x = open_pair("exclusive:vA", "exclusive:vC", true, true);
	for (int round = 0; round < 100; round++) {
		send_from("vB", 0, 20, size_mixed);
		CU_ASSERT_EQUAL(pcap_next_batch(x.a, kept_back, 20), 20);
		CU_ASSERT_EQUAL(pcap_hold_batch(x.a, kept_back, 20), 0);
		send_from("vB", 0, 300, size_mixed);
		while (pcap_next_batch(x.a, pkts, BATCH) > 0)
			;
		to_d = net_listen("vD");
		for (int i = 19; i >= 0; i--)
			CU_ASSERT_EQUAL(
				pcap_forward_batch(x.a, x.c, &kept_back[i], 1),
				1);
		CU_ASSERT_EQUAL(arrived_backwards(to_d, 20), 20);
		close(to_d);
	}
	close_pair(&x);
}

static void bad_input(void)
{
	struct pcap_batch_pkt pkts[2];
	struct pair x;
	pcap_t *third;

	if (skip())
		return;
	links(1, 1, 1500);
	x = open_pair("exclusive:vA", "exclusive:vC", true, true);
	third = create("exclusive:vA");
	CU_ASSERT_EQUAL(pcap_fast_share(third, x.a), PCAP_ERROR_ACTIVATED);
	CU_ASSERT_EQUAL(pcap_fast_share(third, third), PCAP_ERROR);
	pcap_close(third);
	net_send(0, 2, size_mixed);
	CU_ASSERT_EQUAL(pcap_next_batch(x.a, pkts, 2), 2);
	CU_ASSERT_EQUAL(pcap_forward_batch(x.a, x.c, pkts, 1), 1);
	/* given away once is given away */
	CU_ASSERT_EQUAL(pcap_forward_batch(x.a, x.c, pkts, 1), PCAP_ERROR);
	CU_ASSERT_EQUAL(pcap_hold_batch(x.a, pkts, 1), PCAP_ERROR);
	CU_ASSERT_EQUAL(pcap_release_batch(x.a, pkts, 1), 0);
	net_do("ip link set vC down");
	CU_ASSERT_EQUAL(pcap_forward_batch(x.a, x.c, pkts + 1, 1), PCAP_ERROR);
	CU_ASSERT_STRING_EQUAL(pcap_geterr(x.c), "send: Network is down");
	CU_ASSERT_PTR_NOT_NULL(pkts[1].data);
	close_pair(&x);
}

/* Either may go first, and interfaces may disappear under it. */
static void closed_in_any_order(void)
{
	if (skip())
		return;
	for (int i = 0; i < 20; i++) {
		struct pair x;

		links(1, 1, 1500);
		x = open_pair("exclusive:vA", "exclusive:vC", true, true);
		net_send(0, 100, size_mixed);
		CU_ASSERT_EQUAL(forward(x.a, x.c, 100, NULL), 100);
		net_send(0, 100, size_mixed);
		if (i % 4 == 2)
			net_do("ip link del vA");
		if (i % 4 == 3)
			net_do("ip link del vC");
		if (i % 2) {
			pcap_close(x.a);
			pcap_close(x.c);
		} else {
			pcap_close(x.c);
			pcap_close(x.a);
		}
		CU_ASSERT_EQUAL(net_left_over(), 0);
	}
}

static CU_TestInfo tests[] = {
	PCF_TEST(without_copy), PCF_TEST(with_copy),
	PCF_TEST(both_at_once), PCF_TEST(other_queues),
	PCF_TEST(queues),	PCF_TEST(jumbo),
	PCF_TEST(reflected),	PCF_TEST(held),
	PCF_TEST(bad_input),	PCF_TEST(closed_in_any_order),
	PCF_TEST(moved),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("forward", tests);
}
