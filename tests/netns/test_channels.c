/* SPDX-License-Identifier: BSD-3-Clause */
/* The number of queues changes under a capture (ethtool -L). As root. */
#include "tests/netns/common.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Two of four queues in use. veth wants no more at the peer. */
static bool set_up(void)
{
	if (skip())
		return false;
	net_link(4, 1500);
	CU_ASSERT_EQUAL_FATAL(
		net_do("ethtool -L vB tx 2 && ethtool -L vA rx 2"), 0);
	return true;
}

static void set_queues(unsigned n)
{
	CU_ASSERT_EQUAL(net_do("ethtool -L vA rx %u", n), 0);
}

static pcap_t *capture_polling(const char *device, int usec)
{
	pcap_t *p = pcap_create(device, errbuf);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	pcap_set_promisc(p, 1);
	CU_ASSERT_EQUAL(pcap_fast_set_busy_poll(p, usec), 0);
	CU_ASSERT_EQUAL_FATAL(pcap_activate(p), 0);
	return p;
}

static pcap_t *capture(const char *device)
{
	return capture_polling(device, 0);
}

static pcap_t *capture_nonblocking(const char *device)
{
	pcap_t *p = capture(device);

	pcap_setnonblock(p, 1, errbuf);
	return p;
}

static void count(u_char *user, const struct pcap_pkthdr *hdr,
		  const u_char *data)
{
	(void)hdr;
	(void)data;
	++*(unsigned *)user;
}

static int dispatch(pcap_t *p)
{
	unsigned n = 0;

	return pcap_dispatch(p, -1, count, (u_char *)&n);
}

static bool readable(pcap_t *p)
{
	struct pollfd fd = { .fd = pcap_get_selectable_fd(p),
			     .events = POLLIN };

	return poll(&fd, 1, 200) == 1;
}

static void told(pcap_t *p, const char *text)
{
	CU_ASSERT_PTR_NOT_NULL(strstr(pcap_geterr(p), text));
	CU_ASSERT_PTR_NOT_NULL(strstr(pcap_geterr(p), "open it again"));
}

/* Told once, and what comes on the old queues is captured as before. */
static void goes_on(pcap_t *p)
{
	CU_ASSERT_EQUAL(dispatch(p), 0);
	CU_ASSERT_FALSE(readable(p));
	net_send(0, 40, size_60);
	CU_ASSERT_EQUAL(dispatch(p), 40);
}

static void more_while_polling_in(const char *device)
{
	pcap_t *p;

	if (!set_up())
		return;
	p = capture_nonblocking(device);
	CU_ASSERT_FALSE(readable(p));
	set_queues(4);
	CU_ASSERT_TRUE(readable(p));
	CU_ASSERT_EQUAL(dispatch(p), PCAP_ERROR);
	told(p, "vA has 4 receive queues now (ethtool -L) and had 2");
	goes_on(p);
	pcap_close(p);
}

static void more_while_polling(void)
{
	more_while_polling_in("exclusive:vA");
}

static void more_in_a_mirror(void)
{
	more_while_polling_in("mirror:vA");
}

static void *change_later(void *unused)
{
	usleep(300000);
	set_queues(3);
	return unused;
}

static void more_while_blocked(int busy_poll)
{
	struct pcap_pkthdr *hdr;
	const u_char *data;
	pthread_t thread;
	pcap_t *p;

	if (!set_up())
		return;
	p = capture_polling("exclusive:vA", busy_poll);
	pthread_create(&thread, NULL, change_later, NULL);
	CU_ASSERT_EQUAL(pcap_next_ex(p, &hdr, &data), PCAP_ERROR);
	told(p, "vA has 3 receive queues now");
	pthread_join(thread, NULL);
	pcap_close(p);
}

static void more_while_asleep(void)
{
	more_while_blocked(0);
}

static void more_while_polling_busily(void)
{
	more_while_blocked(1000000);
}

static void more_for_a_batch(void)
{
	struct pcap_batch_pkt pkts[64];
	int n = 0, got = 0;
	pcap_t *p;

	if (!set_up())
		return;
	p = capture_nonblocking("exclusive:vA");
	net_send(0, 10, size_60);
	set_queues(4);
	/* what is there comes first */
	for (; n >= 0 && got <= 10; got += n > 0 ? n : 0)
		n = pcap_next_batch(p, pkts, 64);
	CU_ASSERT_EQUAL(got, 10);
	CU_ASSERT_EQUAL(n, PCAP_ERROR);
	told(p, "vA has 4 receive queues now");
	CU_ASSERT_EQUAL(pcap_next_batch(p, pkts, 64), 0);
	pcap_close(p);
}

struct busy {
	pcap_t *p;
	unsigned n;
};

/* Each packet brings the next one: there is always something to read. */
static void answer(u_char *user, const struct pcap_pkthdr *hdr,
		   const u_char *data)
{
	struct busy *b = (struct busy *)user;

	(void)hdr;
	(void)data;
	if (++b->n == 10)
		set_queues(4);
	if (b->n < 20000)
		net_send(b->n, 1, size_60);
	else
		pcap_breakloop(b->p);
}

/* A reader that never waits learns of it all the same. */
static void more_while_busy(void)
{
	struct busy b = { 0 };

	if (!set_up())
		return;
	b.p = capture("exclusive:vA");
	net_send(0, 2, size_60);
	CU_ASSERT_EQUAL(pcap_loop(b.p, -1, answer, (u_char *)&b), PCAP_ERROR);
	told(b.p, "vA has 4 receive queues now");
	CU_ASSERT_TRUE(b.n >= 10 && b.n < 20000);
	pcap_close(b.p);
}

/* Who names queues is not concerned by others. */
static void named_queues(void)
{
	pcap_t *p;

	if (!set_up())
		return;
	p = capture_nonblocking("exclusive:vA@0-1");
	set_queues(4);
	goes_on(p);
	pcap_close(p);
}

/* Neither a change that was undone nor one elsewhere is one. */
static void no_change(void)
{
	pcap_t *p;

	if (!set_up())
		return;
	p = capture_nonblocking("exclusive:vA");
	set_queues(4);
	set_queues(2);
	CU_ASSERT_EQUAL(net_do("ethtool -L vB rx 1 && ethtool -L vB rx 4"), 0);
	goes_on(p);
	pcap_close(p);
}

/* The kernel does not take away queues that have a socket. */
static void fewer_is_refused(void)
{
	pcap_t *p;

	if (!set_up())
		return;
	setenv("PCAP_FAST_RX", "xsk", 1);
	p = capture_nonblocking("exclusive:vA");
	unsetenv("PCAP_FAST_RX");
	CU_ASSERT_NOT_EQUAL(net_do("ethtool -L vA rx 1 2>/dev/null"), 0);
	goes_on(p);
	pcap_close(p);
}

/* It takes others; what then comes is on queues that are captured. */
static void fewer_and_back(void)
{
	pcap_t *p;

	if (!set_up())
		return;
	CU_ASSERT_EQUAL_FATAL(net_do("ethtool -L vB tx 1"), 0);
	p = capture_nonblocking("mirror:vA");
	set_queues(1);
	goes_on(p);
	set_queues(2);
	goes_on(p);
	pcap_close(p);
}

static CU_TestInfo tests[] = {
	PCF_TEST(more_while_polling),
	PCF_TEST(more_in_a_mirror),
	PCF_TEST(more_while_asleep),
	PCF_TEST(more_while_polling_busily),
	PCF_TEST(more_for_a_batch),
	PCF_TEST(more_while_busy),
	PCF_TEST(named_queues),
	PCF_TEST(no_change),
	PCF_TEST(fewer_is_refused),
	PCF_TEST(fewer_and_back),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("channels", tests);
}
