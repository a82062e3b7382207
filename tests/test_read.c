/* SPDX-License-Identifier: BSD-3-Clause */
/* The read calls over the scripted backend, through the public API. */
#include "tests/fake_reader.h"
#include "tests/unit.h"

#include <poll.h>
#include <stdlib.h>

/* The handle that a callback reads from, too. */
static pcap_t *nested;

static bool readable(pcap_t *p)
{
	struct pollfd fd = { .fd = pcap_get_selectable_fd(p),
			     .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

static void counts(void)
{
	struct seen s = { 0 };
	struct fake f;

	open_nonblocking(&f, 1);
	feed(&f, 200);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, 5, see, (u_char *)&s), 5);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, 100, see, (u_char *)&s), 100);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, 0, see, (u_char *)&s), 95);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 0);
	CU_ASSERT_EQUAL(s.n, 200);
	for (unsigned i = 0; i < 200; i++)
		CU_ASSERT_EQUAL(s.marks[i], 'a' + (int)i % 26);
	sound(&f);
	fake_close(&f);
}

static void loop_counts(void)
{
	struct seen s = { 0 };
	struct fake f;

	open_nonblocking(&f, 1);
	feed(&f, 70);
	CU_ASSERT_EQUAL(pcap_loop(f.p, 70, see, (u_char *)&s), 0);
	CU_ASSERT_EQUAL(s.n, 70);
	fake_close(&f);
}

static void next_lends(void)
{
	struct pcap_pkthdr *hdr, *hdr2, own;
	const u_char *data, *data2;
	struct fake f;

	open_nonblocking(&f, 1);
	feed(&f, 3);
	CU_ASSERT_EQUAL(pcap_next_ex(f.p, &hdr, &data), 1);
	CU_ASSERT_EQUAL(data[0], 'a');
	CU_ASSERT_EQUAL(hdr->caplen, 60);
	CU_ASSERT_EQUAL(f.queues[0].done, 0);
	CU_ASSERT_EQUAL(pcap_next_ex(f.p, &hdr2, &data2), 1);
	CU_ASSERT_PTR_EQUAL(hdr, hdr2);
	CU_ASSERT_EQUAL(data2[0], 'b');
	data = pcap_next(f.p, &own);
	CU_ASSERT_EQUAL(data[0], 'c');
	CU_ASSERT_EQUAL(own.len, 60);
	CU_ASSERT_EQUAL(pcap_next_ex(f.p, &hdr, &data), 0);
	CU_ASSERT_PTR_NULL(pcap_next(f.p, &own));
	CU_ASSERT_EQUAL(f.queues[0].done, 3);
	sound(&f);
	fake_close(&f);
}

/* Readable as long as anything undelivered is there, and no longer. */
static void descriptor(void)
{
	struct seen s = { 0 };
	struct fake f;

	open_nonblocking(&f, 1);
	CU_ASSERT_FALSE(readable(f.p));
	feed(&f, 3);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_TRUE(readable(f.p));
		CU_ASSERT_EQUAL(pcap_dispatch(f.p, 1, see, (u_char *)&s), 1);
	}
	CU_ASSERT_FALSE(readable(f.p));
	fake_close(&f);
}

/* A callback that reads from its own handle, once amid what is there and once
 * beyond it. */
static void read_inside(u_char *user, const struct pcap_pkthdr *hdr,
			const u_char *data)
{
	struct seen *s = (struct seen *)user;
	struct pcap_batch_pkt pkts[70];
	struct pcap_pkthdr *h;
	const u_char *d;

	see(user, hdr, data);
	if (s->n == 3 && pcap_next_ex(nested, &h, &d) == 1)
		see(user, h, d);
	if (s->n == 20 && pcap_next_batch(nested, pkts, 70) == 44)
		s->n += 44;
}

static void reads_inside(void)
{
	struct seen s = { 0 };
	struct fake f;

	open_nonblocking(&f, 1);
	nested = f.p;
	feed(&f, 100);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, read_inside, (u_char *)&s), 55);
	CU_ASSERT_EQUAL(s.n, 100);
	for (unsigned i = 0; i < 100; i++)
		if (i < 20 || i >= 64)
			CU_ASSERT_EQUAL(s.marks[i], 'a' + (int)i % 26);
	CU_ASSERT_EQUAL(f.h->delivered, 100);
	sound(&f);
	fake_close(&f);
}

/* A callback that reads some of what its own read would get next. */
static void dispatch_inside(u_char *user, const struct pcap_pkthdr *hdr,
			    const u_char *data)
{
	struct seen *s = (struct seen *)user;

	see(user, hdr, data);
	if (s->n == 3)
		CU_ASSERT_EQUAL(pcap_dispatch(nested, 5, see, user), 5);
}

static void dispatches_inside(void)
{
	struct seen s = { 0 };
	struct fake f;

	open_nonblocking(&f, 1);
	nested = f.p;
	feed(&f, 100);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, dispatch_inside, (u_char *)&s),
			95);
	CU_ASSERT_EQUAL(s.n, 100);
	for (unsigned i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(s.marks[i], 'a' + (int)i % 26);
	sound(&f);
	fake_close(&f);
}

/* Whoever gets the address of a handle that was closed amid a run reads nothing
 * of it: here a dead handle, for which libpcap has no packets. */
static void address_of_another(void)
{
	struct pcap_pkthdr *hdr;
	const u_char *data;
	struct fake f;

	open_nonblocking(&f, 1);
	feed(&f, 10);
	CU_ASSERT_EQUAL(pcap_next_ex(f.p, &hdr, &data), 1);
	CU_ASSERT_EQUAL(pcap_next_ex(f.p, &hdr, &data), 1);
	CU_ASSERT_PTR_EQUAL(pcf_table_remove(f.p), f.h);
	CU_ASSERT_EQUAL(pcap_next_ex(f.p, &hdr, &data), PCAP_ERROR);
	CU_ASSERT_PTR_NULL(pcap_next(f.p, hdr));
	CU_ASSERT_EQUAL(pcf_table_add(f.p, f.h), 0);
	CU_ASSERT_EQUAL(pcap_next_ex(f.p, &hdr, &data), 1);
	CU_ASSERT_EQUAL(data[0], 'c');
	fake_close(&f);
}

/* Random times on four queues, each in order: all of them by time. */
static void merged(void)
{
	unsigned us[4] = { 0 }, total = 0, last = 0;
	struct pcap_pkthdr *hdr;
	const u_char *data;
	struct fake f;

	open_nonblocking(&f, 4);
	srand(1);
	for (unsigned i = 0; i < 4; i++)
		for (unsigned j = 0; j < 300 * (i + 1); j++, total++) {
			us[i] += rand() % 50;
			fake_mark(&f, i, us[i], 'm');
		}
	while (pcap_next_ex(f.p, &hdr, &data) == 1) {
		unsigned t = hdr->ts.tv_sec * 1000000 + hdr->ts.tv_usec;

		CU_ASSERT_TRUE(t >= last);
		last = t;
		total--;
	}
	CU_ASSERT_EQUAL(total, 0);
	sound(&f);
	fake_close(&f);
}

static void every_frame_once(void)
{
	struct seen s = { 0 };
	struct fake f;

	open_nonblocking(&f, 2);
	srand(2);
	for (unsigned i = 0; i < 1500; i++) {
		fake_mark(&f, i % 2, i, 'z');
		if (rand() % 3 == 0)
			pcap_dispatch(f.p, 1 + rand() % 100, see, (u_char *)&s);
	}
	while (pcap_dispatch(f.p, -1, see, (u_char *)&s) > 0)
		;
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 0);
	CU_ASSERT_EQUAL(s.n, 1500);
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(f.queues[i].taken, 750);
		CU_ASSERT_EQUAL(f.queues[i].done, 750);
	}
	sound(&f);
	fake_close(&f);
}

static CU_TestInfo tests[] = {
	PCF_TEST(counts),
	PCF_TEST(loop_counts),
	PCF_TEST(next_lends),
	PCF_TEST(descriptor),
	PCF_TEST(reads_inside),
	PCF_TEST(dispatches_inside),
	PCF_TEST(address_of_another),
	PCF_TEST(merged),
	PCF_TEST(every_frame_once),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("read", tests);
}
