/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a read does with each packet before the program sees it: direction,
 * filter, snaplen, bad descriptors, the adapter's time and hash.
 */
#include "libpcap-fast/read.h"
#include "libpcap-fast/setfilter.h"
#include "tests/fake_reader.h"
#include "tests/unit.h"

/* The handle that a callback reads from, too. */
static pcap_t *nested;

static void directions(void)
{
	uint8_t data[60] = { 'o' };
	struct seen s = { 0 };
	struct fake f;

	open_nonblocking(&f, 1);
	for (int i = 0; i < 6; i++)
		fake_feed(&f, 0, i, data, 60, i % 3 ? 0 : PCF_PKT_OUTGOING);
	f.h->direction = PCAP_D_IN;
	f.h->check_direction = true;
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 4);
	CU_ASSERT_EQUAL(f.h->misdirected, 2);
	fake_close(&f);
}

static void user_filter(void)
{
	uint8_t ip[60] = { [12] = 8 }, arp[60] = { [12] = 8, [13] = 6 };
	uint8_t tagged[60] = { [12] = 0x81, [15] = 7, [16] = 8 };
	struct seen s = { 0 };
	struct fake f;

	open_nonblocking(&f, 1);
	set_user_filter(f.h);
	fake_feed(&f, 0, 1, ip, 60, 0);
	fake_feed(&f, 0, 2, arp, 60, 0);
	fake_feed(&f, 0, 3, tagged, 60, 0);
	fake_feed(&f, 0, 4, arp, 60, PCF_PKT_FILTERED);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 3);
	CU_ASSERT_EQUAL(s.caplen[0], 20);
	CU_ASSERT_EQUAL(s.caplen[1], 24);
	CU_ASSERT_EQUAL(s.caplen[2], 60);
	CU_ASSERT_EQUAL(f.h->filtered, 1);
	fake_close(&f);
}

/* As pcf_setfilter() does it, amid packets that passed as they were. */
static void set_at_3(u_char *user, const struct pcap_pkthdr *hdr,
		     const u_char *data)
{
	struct pcf_handle *h = pcf_find(nested);

	see(user, hdr, data);
	if (((struct seen *)user)->n != 3)
		return;
	set_user_filter(h);
	h->lanes[0].filtered = false;
	pcf_end_run(h);
}

static void filter_from_callback(void)
{
	uint8_t arp[60] = { [12] = 8, [13] = 6 };
	struct seen s = { 0 };
	struct fake f;

	open_nonblocking(&f, 1);
	nested = f.p;
	for (unsigned i = 0; i < 60; i++)
		fake_feed(&f, 0, i, arp, 60, 0);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, set_at_3, (u_char *)&s), 3);
	CU_ASSERT_EQUAL(f.h->filtered, 57);
	fake_close(&f);
}

static void snaplen(void)
{
	struct seen s = { 0 };
	struct fake f;

	open_nonblocking(&f, 1);
	f.h->snaplen = f.h->lanes[0].snaplen = 33;
	feed(&f, 1);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 1);
	CU_ASSERT_EQUAL(s.caplen[0], 33);
	fake_close(&f);
}

static void bad_descriptors(void)
{
	uint8_t data[60] = { 'b' };
	struct seen s = { 0 };
	struct fake f;

	open_nonblocking(&f, 1);
	fake_feed(&f, 0, 1, data, 60, PCF_PKT_BAD);
	feed(&f, 1);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 1);
	CU_ASSERT_EQUAL(f.h->bad, 1);
	fake_close(&f);
}

static struct pcf_hints told;

static const struct pcf_hints *tell(struct pcf_queue *q,
				    const struct pcf_pkt *pkt)
{
	(void)q;
	told.time = 7000000000ull + (99 - pkt->frame) * 1001;
	told.hash = pkt->frame;
	return &told;
}

static void open_telling(struct fake *f)
{
	open_nonblocking(f, 2);
	f->h->lanes[0].ops.hints = tell;
	f->h->lanes[1].ops.hints = tell;
}

static void see_adapter(pcap_t *p, const struct pcap_batch_pkt *pkt, unsigned i)
{
	const unsigned there = i < 3;
	uint32_t hash = 4711;

	CU_ASSERT_EQUAL(pkt->queue, i % 2);
	CU_ASSERT_EQUAL(pkt->flags & 0xf,
			there ? PCAP_BATCH_ADAPTER_TIME | PCAP_BATCH_HASH : 0);
	CU_ASSERT_EQUAL(pkt->hdr.ts.tv_sec, there ? 7 : 0);
	CU_ASSERT_EQUAL(pkt->hdr.ts.tv_usec, !there ? 4 : i < 2 ? 99 : 98);
	CU_ASSERT_EQUAL(pcap_batch_hash(p, pkt, &hash), (int)there);
	CU_ASSERT_EQUAL(hash, there ? i / 2 : 4711);
}

/* The adapter's time is what the caller sees; the order is by the host's, and
 * packets that the adapter has not stamped keep it. */
static void adapter_times(void)
{
	const uint32_t hinted = PCF_PKT_ADAPTER_TIME | PCF_PKT_HASH;
	struct pcap_batch_pkt pkts[8];
	uint8_t data[60] = { 'x' };
	unsigned seen = 0;
	struct fake f;
	int n;

	open_telling(&f);
	for (unsigned i = 0; i < 4; i++)
		fake_feed(&f, i % 2, i + 1, data, 60, i < 3 ? hinted : 0);
	while ((n = pcap_next_batch(f.p, pkts, 8)) > 0)
		for (int i = 0; i < n; i++)
			see_adapter(f.p, &pkts[i], seen++);
	CU_ASSERT_EQUAL(seen, 4);
	CU_ASSERT_EQUAL(f.h->adapter_times, 3);
	fake_close(&f);
}

static void adapter_nanoseconds(void)
{
	uint8_t data[60] = { 'x' };
	struct pcap_pkthdr *hdr;
	const u_char *bytes;
	struct fake f;

	open_telling(&f);
	f.h->adapter_clock.nanoseconds = true;
	fake_feed(&f, 0, 1, data, 60, PCF_PKT_ADAPTER_TIME);
	CU_ASSERT_EQUAL_FATAL(pcap_next_ex(f.p, &hdr, &bytes), 1);
	CU_ASSERT_EQUAL(hdr->ts.tv_sec, 7);
	CU_ASSERT_EQUAL(hdr->ts.tv_usec, 99 * 1001);
	fake_close(&f);
}

static CU_TestInfo tests[] = {
	PCF_TEST(directions),		PCF_TEST(user_filter),
	PCF_TEST(filter_from_callback), PCF_TEST(snaplen),
	PCF_TEST(bad_descriptors),	PCF_TEST(adapter_times),
	PCF_TEST(adapter_nanoseconds),	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("read_packets", tests);
}
