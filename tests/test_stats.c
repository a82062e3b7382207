/* SPDX-License-Identifier: BSD-3-Clause */
/* pcap_stats(): a backend's counters and the system library's as one answer.
 * The system library's part is played by this program. */
#include "libpcap-fast/stats.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#define QUEUES 3

static struct pcf_counters queues[QUEUES];
static struct pcap_stat system_part;
static int system_result;

static int system_stats(pcap_t *p, struct pcap_stat *stats)
{
	(void)p;
	if (system_result >= 0)
		*stats = system_part;
	return system_result;
}

static struct pcf_queue *queue(struct pcf_backend *b, unsigned i)
{
	(void)b;
	return (struct pcf_queue *)&queues[i];
}

static void counters(struct pcf_queue *q, struct pcf_counters *c)
{
	*c = *(struct pcf_counters *)q;
}

static const struct pcf_backend_ops ops = { .queue = queue,
					    .counters = counters };
static struct pcf_backend backend = { .ops = &ops, .nqueues = QUEUES };

static struct pcf_handle fresh(void)
{
	memset(queues, 0, sizeof(queues));
	system_part = (struct pcap_stat){ 0 };
	system_result = 0;
	return (struct pcf_handle){ .backend = &backend };
}

static void expect(struct pcf_handle *h, unsigned recv, unsigned drop,
		   unsigned ifdrop)
{
	struct pcap_stat s;

	memset(&s, 0xff, sizeof(s));
	CU_ASSERT_EQUAL(pcf_stats(h, &s), 0);
	CU_ASSERT_EQUAL(s.ps_recv, recv);
	CU_ASSERT_EQUAL(s.ps_drop, drop);
	CU_ASSERT_EQUAL(s.ps_ifdrop, ifdrop);
}

static void nothing_yet(void)
{
	struct pcf_handle h = fresh();

	expect(&h, 0, 0, 0);
}

/* Each queue and each reason, and what the host sent. */
static void all_queues(void)
{
	struct pcf_handle h = fresh();

	for (unsigned i = 0; i < QUEUES; i++)
		queues[i] = (struct pcf_counters){ .matched = 100 << i,
						   .dropped_ring = 1 << i,
						   .dropped_fill = 8 << i,
						   .rest = 1000 };
	system_part = (struct pcap_stat){ 5, 2, 9 };
	expect(&h, 700 + 5, 7 + 56 + 2, 9);
}

/* What only a filter in user space rejected was never received; what is no
 * packet neither. One that a former filter had let through was. */
static void not_received(void)
{
	struct pcf_handle h = fresh();

	queues[1].matched = 50;
	h.not_received = 20;
	h.bad = 3;
	h.filtered = 25;
	expect(&h, 27, 0, 0);
}

static void system_fails(void)
{
	struct pcf_handle h = fresh();
	struct pcap_stat s = { 7, 7, 7 };

	queues[0].matched = 1;
	system_result = PCAP_ERROR;
	CU_ASSERT_EQUAL(pcf_stats(&h, &s), PCAP_ERROR);
	CU_ASSERT_EQUAL(s.ps_recv, 7);
}

/* More than the structure's 32 bits: as the system's library, modulo. */
static void wraps(void)
{
	struct pcf_handle h = fresh();
	struct pcf_counters sum;

	queues[0].matched = queues[2].matched = 0xffffffffull;
	system_part.ps_recv = 2;
	expect(&h, 0, 0, 0);
	pcf_counters_sum(&h, &sum);
	CU_ASSERT_EQUAL(sum.matched, 0x1fffffffeull);
}

static void without_a_backend(void)
{
	struct pcf_handle h = fresh();
	struct pcf_counters sum;

	queues[0].matched = 4;
	h.backend = NULL;
	pcf_counters_sum(&h, &sum);
	CU_ASSERT_EQUAL(sum.matched, 0);
}

static CU_TestInfo tests[] = {
	PCF_TEST(nothing_yet),	PCF_TEST(all_queues),
	PCF_TEST(not_received), PCF_TEST(system_fails),
	PCF_TEST(wraps),	PCF_TEST(without_a_backend),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	pcf_stock();
	pcf_stock_table.pcap_stats = system_stats;
	return pcf_run_tests("stats", tests);
}
