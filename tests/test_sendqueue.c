/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Send queues by a clock of the test's own: when each packet leaves, what is
 * slept and what is waited for on the processor, and what ends a transmission
 * early. Sending itself is played by this file; the file under test is linked
 * once more, without the library.
 */
#include "libpcap-fast/handle.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define US	   1000ll
#define MS	   1000000ll
#define NSEC	   1000000000ll
#define EACH(size) (sizeof(struct pcap_pkthdr) + (size))
#define MOST	   1000

static struct pcf_handle handle;
static pcap_t *const p = (pcap_t *)&handle;
static int64_t now, start;
static int64_t longest_sleep;
static unsigned sleeps;
static int precision;

static struct {
	int64_t at[MOST]; /* from the start, in ns */
	uint32_t size[MOST];
	int batch[MOST];
	int n, calls;
	int accept;   /* so many in all, then none */
	int break_at; /* pcap_breakloop() comes with this packet */
	bool fail;    /* ... with an error */
} sent;

int __wrap_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_nanosleep(const struct timespec *t, struct timespec *left);

/* A look at the clock takes a fifth of a microsecond. */
int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	(void)id;
	now += 200;
	*t = (struct timespec){ now / NSEC, now % NSEC };
	return 0;
}

/* Sleeps late, as it does. */
int __wrap_nanosleep(const struct timespec *t, struct timespec *left)
{
	int64_t ns = t->tv_sec * NSEC + t->tv_nsec;

	(void)left;
	CU_ASSERT_TRUE(ns > 0 && t->tv_nsec < NSEC);
	sleeps++;
	longest_sleep = ns > longest_sleep ? ns : longest_sleep;
	now += ns + 40 * US;
	if (sent.break_at < 0)
		handle.breaks++;
	return 0;
}

struct pcf_handle *pcf_find(pcap_t *of)
{
	return of == p ? &handle : NULL;
}

int pcap_get_tstamp_precision(pcap_t *of)
{
	(void)of;
	return precision;
}

int pcap_inject_batch(pcap_t *of, const struct pcap_batch_pkt *pkts, int n)
{
	int done = 0;

	CU_ASSERT_PTR_EQUAL(of, p);
	sent.batch[sent.calls++] = n;
	for (; done < n && sent.n < sent.accept; done++) {
		sent.at[sent.n] = now - start;
		sent.size[sent.n++] = pkts[done].hdr.caplen;
		if (sent.n == sent.break_at)
			handle.breaks++;
	}
	return done || !sent.fail ? done : PCAP_ERROR;
}

static void reset(void)
{
	memset(&sent, 0, sizeof(sent));
	memset(&handle, 0, sizeof(handle));
	sent.accept = MOST;
	precision = PCAP_TSTAMP_PRECISION_MICRO;
	now = start = 77 * NSEC + 999999000;
	sleeps = 0;
	longest_sleep = 0;
}

static const u_char bytes[2000];

/* Packets of 60 bytes and more with these times, in the handle's unit. */
static pcap_send_queue *make(const int64_t *units, int n, int64_t in_second)
{
	pcap_send_queue *q = pcap_sendqueue_alloc(n * EACH(200));

	reset();
	for (int i = 0; i < n; i++) {
		struct pcap_pkthdr hdr = { .caplen = 60 + i % 100 };

		hdr.ts.tv_sec = 1700000000 + units[i] / in_second;
		hdr.ts.tv_usec = units[i] % in_second;
		CU_ASSERT_EQUAL(pcap_sendqueue_queue(q, &hdr, bytes), 0);
	}
	return q;
}

/* Each packet when it is due, and at most two microseconds later. */
static void check_times(const int64_t *units, int n, int64_t ns)
{
	CU_ASSERT_EQUAL(sent.n, n);
	for (int i = 0; i < n; i++) {
		int64_t late = sent.at[i] - (units[i] - units[0]) * ns;

		if (late < 0 || late > 2 * US) {
			printf("    packet %d is %lld ns late\n", i,
			       (long long)late);
			CU_FAIL("time");
		}
		CU_ASSERT_EQUAL(sent.size[i], 60u + i % 100);
	}
}

static void at_their_distances(void)
{
	static const int64_t us[] = { 999990,  999990,	1000000, 1000049,
				      1000160, 1005000, 4005000 };
	pcap_send_queue *q = make(us, 7, 1000000);

	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 1), q->len);
	check_times(us, 7, 1000);
	CU_ASSERT_EQUAL(sent.calls, 7);
	pcap_sendqueue_destroy(q);
}

static void in_nanoseconds(void)
{
	static const int64_t ns[] = { 5, 2505, 2000002505, 2000052505 };
	pcap_send_queue *q = make(ns, 4, NSEC);

	precision = PCAP_TSTAMP_PRECISION_NANO;
	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 1), q->len);
	check_times(ns, 4, 1);
	pcap_sendqueue_destroy(q);
}

/* Distances up to 50 us are not slept; a long one is, in steps of 0.1 s. */
static void sleeps_and_spins(void)
{
	static const int64_t near[] = { 0, 50, 99, 100, 149 };
	static const int64_t far[] = { 0, 60, 1050060 };
	pcap_send_queue *q = make(near, 5, 1000000);

	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 1), q->len);
	CU_ASSERT_EQUAL(sleeps, 0);
	pcap_sendqueue_destroy(q);
	q = make(far, 3, 1000000);
	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 1), q->len);
	CU_ASSERT_EQUAL(sleeps, 12);
	CU_ASSERT_EQUAL(longest_sleep, 100 * MS);
	pcap_sendqueue_destroy(q);
}

/* A packet before its predecessor leaves right behind it. */
static void times_that_go_back(void)
{
	static const int64_t us[] = { 3000000, 0, 3001000 };
	pcap_send_queue *q = make(us, 3, 1000000);

	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 1), q->len);
	CU_ASSERT_TRUE(sent.at[1] < 5 * US);
	CU_ASSERT_TRUE(sent.at[2] >= MS && sent.at[2] < MS + 2 * US);
	pcap_sendqueue_destroy(q);
}

static void in_batches(void)
{
	static const int64_t us[200];
	pcap_send_queue *q = make(us, 200, 1000000);

	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 0), q->len);
	CU_ASSERT_EQUAL(sent.n, 200);
	CU_ASSERT_EQUAL(sent.calls, 4);
	CU_ASSERT_EQUAL(sent.batch[0], 64);
	CU_ASSERT_EQUAL(sent.batch[3], 8);
	for (int i = 0; i < 200; i++)
		CU_ASSERT_EQUAL(sent.size[i], 60u + i % 100);
	CU_ASSERT_EQUAL(sleeps, 0);
	pcap_sendqueue_destroy(q);
}

/* What the first `n` packets of make() take of a queue. */
static u_int bytes_of(int n)
{
	u_int sum = 0;

	for (int i = 0; i < n; i++)
		sum += EACH(60 + i % 100);
	return sum;
}

static void ends_where_one_is_refused(void)
{
	static const int64_t us[200];
	pcap_send_queue *q = make(us, 200, 1000000);

	for (int sync = 0; sync < 2; sync++)
		for (int fail = 0; fail < 2; fail++) {
			reset();
			sent.accept = 70;
			sent.fail = fail;
			CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, sync),
					bytes_of(70));
			sent.n = sent.accept = 0;
			CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, sync), 0);
		}
	pcap_sendqueue_destroy(q);
}

static void broken_between_packets(void)
{
	static const int64_t us[200];
	pcap_send_queue *q = make(us, 200, 1000000);

	sent.break_at = 10;
	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 1), bytes_of(10));
	reset();
	sent.break_at = 10;
	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 0), bytes_of(64));
	/* what was called before does not count */
	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 0), q->len);
	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 1), q->len);
	pcap_sendqueue_destroy(q);
}

static void broken_in_a_sleep(void)
{
	static const int64_t us[] = { 0, 3600000000 };
	pcap_send_queue *q = make(us, 2, 1000000);

	sent.break_at = -1;
	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 1), bytes_of(1));
	CU_ASSERT_EQUAL(sleeps, 1);
	CU_ASSERT_TRUE(now - start < 200 * MS);
	pcap_sendqueue_destroy(q);
}

static void room(void)
{
	struct pcap_pkthdr hdr = { .caplen = 60, .len = 60 };
	pcap_send_queue *q = pcap_sendqueue_alloc(2 * EACH(60) - 1);

	reset();
	CU_ASSERT_EQUAL(q->maxlen, 2 * EACH(60) - 1);
	CU_ASSERT_EQUAL(q->len, 0);
	CU_ASSERT_EQUAL(pcap_sendqueue_queue(q, &hdr, bytes), 0);
	CU_ASSERT_EQUAL(pcap_sendqueue_queue(q, &hdr, bytes), -1);
	CU_ASSERT_EQUAL(q->len, EACH(60));
	hdr.caplen = UINT32_MAX;
	CU_ASSERT_EQUAL(pcap_sendqueue_queue(q, &hdr, bytes), -1);
	hdr.caplen = 59;
	CU_ASSERT_EQUAL(pcap_sendqueue_queue(q, &hdr, bytes), 0);
	CU_ASSERT_EQUAL(q->len, q->maxlen);
	hdr.caplen = 0;
	CU_ASSERT_EQUAL(pcap_sendqueue_queue(q, &hdr, bytes), -1);
	pcap_sendqueue_destroy(q);
	q = pcap_sendqueue_alloc(0);
	CU_ASSERT_EQUAL(pcap_sendqueue_queue(q, &hdr, bytes), -1);
	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 0), 0);
	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 1), 0);
	pcap_sendqueue_destroy(q);
	pcap_sendqueue_destroy(NULL);
}

/* The buffer is the caller's to fill, so it may be filled wrongly. */
static void damaged(void)
{
	static const int64_t us[3];
	pcap_send_queue *q = make(us, 3, 1000000);
	struct pcap_pkthdr hdr = { .caplen = UINT32_MAX - 10 };

	memcpy(q->buffer + bytes_of(2), &hdr, sizeof(hdr));
	for (int sync = 0; sync < 2; sync++)
		CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, sync),
				bytes_of(2));
	q->len = bytes_of(2) - 1;
	for (int sync = 0; sync < 2; sync++)
		CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, sync),
				bytes_of(1));
	q->len = sizeof(hdr) - 1;
	CU_ASSERT_EQUAL(pcap_sendqueue_transmit(p, q, 0), 0);
	pcap_sendqueue_destroy(q);
}

static CU_TestInfo tests[] = {
	PCF_TEST(at_their_distances),
	PCF_TEST(in_nanoseconds),
	PCF_TEST(sleeps_and_spins),
	PCF_TEST(times_that_go_back),
	PCF_TEST(in_batches),
	PCF_TEST(ends_where_one_is_refused),
	PCF_TEST(broken_between_packets),
	PCF_TEST(broken_in_a_sleep),
	PCF_TEST(room),
	PCF_TEST(damaged),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("sendqueue", tests);
}
