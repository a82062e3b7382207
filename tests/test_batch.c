/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading in batches, and holding some of them, over the scripted backend. */
#include "libpcap-fast/setfilter.h"
#include "tests/fake_reader.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

static void batches(void)
{
	struct pcap_batch_pkt pkts[256];
	unsigned total = 0;
	struct fake f;
	int n;

	open_nonblocking(&f, 1);
	feed(&f, 150);
	while ((n = pcap_next_batch(f.p, pkts, 256)) > 0)
		for (int i = 0; i < n; i++, total++)
			CU_ASSERT_EQUAL(pkts[i].data[0], 'a' + (int)total % 26);
	CU_ASSERT_EQUAL(n, 0);
	CU_ASSERT_EQUAL(total, 150);
	CU_ASSERT_EQUAL(pcap_next_batch(f.p, pkts, 0), PCAP_ERROR);
	CU_ASSERT_EQUAL(pcap_next_batch(f.p, NULL, 5), PCAP_ERROR);
	sound(&f);
	fake_close(&f);
}

/* Packets of some queues, in the order of their times. */
static void feed_some(struct fake *f, unsigned queues, unsigned n, unsigned *us)
{
	for (; n; n--, *us += rand() % 3)
		fake_mark(f, rand() % queues, *us, *us % 256);
}

/* What comes straight from a queue and what is merged are one stream; what is
 * held of either goes back once. */
static void merged_batches(void)
{
	unsigned us = 1, fed = 0, seen = 0, straight = 0;
	struct pcap_batch_pkt pkts[100];
	struct fake f;
	int n, last = 0;

	open_nonblocking(&f, 3);
	srand(3);
	for (unsigned turn = 0; fed < 6000; turn++) {
		unsigned more = 1 + rand() % 150;

		feed_some(&f, turn % 20 < 15 ? 1 : 3, more, &us);
		fed += more;
		while ((n = pcap_next_batch(f.p, pkts, 64 + rand() % 36)) > 0) {
			for (int i = 0; i < n; i++, seen++) {
				int t = pkts[i].hdr.ts.tv_usec;

				CU_ASSERT_TRUE(t >= last);
				CU_ASSERT_EQUAL(pkts[i].data[0], t % 256);
				last = t;
			}
			straight += f.h->lanes[0].pkts[0].frame !=
				    f.h->lanes[0].frames[0];
			if (rand() % 4)
				continue;
			CU_ASSERT_EQUAL(pcap_hold_batch(f.p, &pkts[n - 1], 1),
					0);
			pcap_release_batch(f.p, &pkts[n - 1], 1);
		}
		if (f.queues[0].fed > FAKE_MAX - 200)
			break;
	}
	CU_ASSERT_EQUAL(seen, fed);
	CU_ASSERT_EQUAL(f.h->delivered, fed);
	CU_ASSERT_TRUE(straight > 20);
	sound(&f);
	fake_close(&f);
}

/* Straight from the queue or not, nobody gets what the handle rejects. */
static void batches_are_looked_at(void)
{
	uint8_t ip[60] = { [12] = 8 }, arp[60] = { [12] = 8, [13] = 6 };
	struct pcap_batch_pkt pkts[64];
	struct fake f;

	open_nonblocking(&f, 1);
	for (unsigned i = 0; i < 128; i++)
		fake_feed(&f, 0, i, i % 4 ? ip : arp, 60, 0);
	fake_feed(&f, 0, 128, ip, 60, PCF_PKT_BAD);
	fake_feed(&f, 0, 129, ip, 60, PCF_PKT_OUTGOING);
	CU_ASSERT_EQUAL(pcap_next_batch(f.p, pkts, 64), 64);
	set_user_filter(f.h);
	CU_ASSERT_EQUAL(pcap_next_batch(f.p, pkts, 64), 48);
	CU_ASSERT_EQUAL(pkts[0].hdr.caplen, 20);
	pcf_filter_free(&f.h->filter);
	CU_ASSERT_EQUAL(pcap_next_batch(f.p, pkts, 64), 1);
	CU_ASSERT_EQUAL(pkts[0].flags & PCAP_BATCH_OUTBOUND, 1);
	CU_ASSERT_EQUAL(f.h->bad, 1);
	fake_close(&f);
}

/* Held frames keep their bytes over later reads, and go back once, whether
 * before their lane is filled again or long after, in any order. */
static void held(void)
{
	struct pcap_batch_pkt pkts[64], more[64];
	struct fake f;

	open_nonblocking(&f, 1);
	feed(&f, 192);
	CU_ASSERT_EQUAL(pcap_next_batch(f.p, pkts, 64), 64);
	CU_ASSERT_EQUAL(pcap_hold_batch(f.p, pkts, 10), 0);
	CU_ASSERT_EQUAL(pcap_release_batch(f.p, pkts + 3, 1), 0);
	CU_ASSERT_PTR_NULL(pkts[3].data);
	CU_ASSERT_EQUAL(pcap_next_batch(f.p, more, 64), 64);
	CU_ASSERT_EQUAL(f.queues[0].done, 55);
	for (int i = 0; i < 10; i++)
		if (i != 3)
			CU_ASSERT_EQUAL(pkts[i].data[0], 'a' + i);
	CU_ASSERT_EQUAL(pcap_hold_batch(f.p, pkts + 20, 1), PCAP_ERROR);
	CU_ASSERT_EQUAL(pcap_release_batch(f.p, pkts + 5, 5), 0);
	CU_ASSERT_EQUAL(pcap_release_batch(f.p, pkts, 5), 0);
	CU_ASSERT_EQUAL(pcap_release_batch(f.p, pkts, 10), 0);
	CU_ASSERT_EQUAL(f.queues[0].done, 64);
	sound(&f);
	fake_close(&f);
}

static void all_held(void)
{
	struct pcap_batch_pkt pkts[64];
	struct fake f;

	open_nonblocking(&f, 1);
	f.h->opened.frames = 64;
	feed(&f, 64);
	CU_ASSERT_EQUAL(pcap_next_batch(f.p, pkts, 64), 64);
	CU_ASSERT_EQUAL(pcap_hold_batch(f.p, pkts, 64), 0);
	CU_ASSERT_EQUAL(pcap_next_batch(f.p, pkts, 1), PCAP_ERROR);
	CU_ASSERT_PTR_NOT_NULL(strstr(pcap_geterr(f.p), "held"));
	CU_ASSERT_EQUAL(pcap_release_batch(f.p, pkts, 64), 0);
	CU_ASSERT_EQUAL(pcap_next_batch(f.p, pkts, 1), 0);
	fake_close(&f);
}

static CU_TestInfo tests[] = {
	PCF_TEST(batches),
	PCF_TEST(merged_batches),
	PCF_TEST(batches_are_looked_at),
	PCF_TEST(held),
	PCF_TEST(all_held),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("batch", tests);
}
