/* SPDX-License-Identifier: BSD-3-Clause */
/* Send queues on a real interface, in a namespace of its own. As root. */
#include "tests/netns/send.h"

#include <pthread.h>
#include <time.h>

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

static CU_TestInfo tests[] = {
	PCF_TEST(send_queues),
	PCF_TEST(send_queue_broken),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("send_queue", tests);
}
