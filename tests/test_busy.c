/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads that poll before they sleep, over the scripted backend: what is there
 * comes only when the device was driven. */
#include "tests/fake_backend.h"
#include "tests/unit.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static char errbuf[PCAP_ERRBUF_SIZE];

static struct {
	struct fake *fake;
	unsigned calls;
	unsigned feed_at; /* a packet comes with this call, 0: none */
	unsigned break_at;
	double last; /* when it was called last */
} device;

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void drive(struct pcf_backend *b)
{
	(void)b;
	device.last = seconds();
	if (++device.calls == device.feed_at)
		fake_mark(device.fake, 0, 1000 + device.calls, 'x');
	if (device.calls == device.break_at)
		pcap_breakloop(device.fake->p);
}

static void set_up(struct fake *f, int usec)
{
	fake_open(f, 1);
	f->h->options.busy_poll = usec;
	f->h->backend->drive = drive;
	memset(&device, 0, sizeof(device));
	device.fake = f;
}

static void tear_down(struct fake *f)
{
	f->h->backend->drive = NULL;
	CU_ASSERT_FALSE(f->queues[0].misused);
	fake_close(f);
}

static int read_one(struct fake *f)
{
	struct pcap_pkthdr *hdr;
	const u_char *data;

	return pcap_next_ex(f->p, &hdr, &data);
}

static void polls_until_it_comes(void)
{
	struct fake f;

	set_up(&f, 1000000);
	device.feed_at = 300;
	CU_ASSERT_EQUAL(read_one(&f), 1);
	CU_ASSERT_EQUAL(device.calls, 300);
	tear_down(&f);
}

static void dispatch_and_batch_too(void)
{
	struct pcap_batch_pkt pkt;
	struct fake f;

	set_up(&f, 1000000);
	device.feed_at = 3;
	CU_ASSERT_EQUAL(pcap_next_batch(f.p, &pkt, 1), 1);
	CU_ASSERT_EQUAL(device.calls, 3);
	tear_down(&f);
}

/* What waits already is read without a look at the device. */
static void nothing_to_poll_for(void)
{
	struct fake f;

	set_up(&f, 1000000);
	fake_mark(&f, 0, 1, 'a');
	CU_ASSERT_EQUAL(read_one(&f), 1);
	CU_ASSERT_EQUAL(device.calls, 0);
	tear_down(&f);
}

static struct fake *to_wake;

static void wake(int signal)
{
	(void)signal;
	pcap_breakloop(to_wake->p);
}

static void wake_in(struct fake *f, unsigned ms)
{
	struct itimerval in = { .it_value = { ms / 1000, ms % 1000 * 1000 } };

	to_wake = f;
	signal(SIGALRM, wake);
	setitimer(ITIMER_REAL, &in, NULL);
}

/* After the time without a packet the read sleeps. */
static void sleeps_in_the_end(void)
{
	double begun;
	struct fake f;

	set_up(&f, 5000);
	wake_in(&f, 300);
	begun = seconds();
	CU_ASSERT_EQUAL(read_one(&f), PCAP_ERROR_BREAK);
	CU_ASSERT_TRUE(seconds() - begun >= 0.29);
	CU_ASSERT_TRUE(device.calls > 1);
	CU_ASSERT_TRUE(device.last - begun >= 0.004);
	CU_ASSERT_TRUE(device.last - begun < 0.2);
	tear_down(&f);
}

static void off_by_default(void)
{
	struct fake f;

	set_up(&f, 0);
	wake_in(&f, 50);
	CU_ASSERT_EQUAL(read_one(&f), PCAP_ERROR_BREAK);
	CU_ASSERT_EQUAL(device.calls, 0);
	tear_down(&f);
}

/* The time-out that PCAP_FAST_TIMEOUT=honest asks for counts from the read's
 * beginning, polling or asleep. */
static void honest_timeout(int usec)
{
	double begun;
	struct fake f;

	set_up(&f, usec);
	f.h->honest_timeout = true;
	f.h->options.timeout_ms = 100;
	begun = seconds();
	CU_ASSERT_EQUAL(read_one(&f), 0);
	CU_ASSERT_TRUE(seconds() - begun >= 0.098);
	CU_ASSERT_TRUE(seconds() - begun < 0.19);
	tear_down(&f);
}

static void honest_timeouts(void)
{
	honest_timeout(60000);
	honest_timeout(1000000);
}

static void broken_while_polling(void)
{
	struct fake f;

	set_up(&f, 1000000);
	device.break_at = 10;
	CU_ASSERT_EQUAL(read_one(&f), PCAP_ERROR_BREAK);
	CU_ASSERT_EQUAL(device.calls, 10);
	device.feed_at = device.calls + 5;
	CU_ASSERT_EQUAL(read_one(&f), 1);
	tear_down(&f);
}

/* The last lane is the shadow's, which is not polled: its descriptor is
 * looked at every now and then. */
static void other_descriptors(void)
{
	double begun;
	struct fake f;

	set_up(&f, 1000000);
	f.h->shadow = (struct pcf_shadow *)&f;
	device.feed_at = 10;
	begun = seconds();
	CU_ASSERT_EQUAL(read_one(&f), 1);
	CU_ASSERT_TRUE(seconds() - begun < 0.2);
	CU_ASSERT_TRUE(device.calls >= 10);
	f.h->shadow = NULL;
	tear_down(&f);
}

static void non_blocking_looks_once(void)
{
	struct fake f;

	set_up(&f, 1000000);
	pcap_setnonblock(f.p, 1, errbuf);
	CU_ASSERT_EQUAL(read_one(&f), 0);
	CU_ASSERT_EQUAL(device.calls, 1);
	device.feed_at = 2;
	CU_ASSERT_EQUAL(read_one(&f), 1);
	CU_ASSERT_EQUAL(device.calls, 2);
	tear_down(&f);
}

static void range(void)
{
	pcap_t *p = pcap_create("exclusive:none0", errbuf);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(pcap_fast_set_busy_poll(p, 0), 0);
	CU_ASSERT_EQUAL(pcap_fast_set_busy_poll(p, 1000000), 0);
	CU_ASSERT_EQUAL(pcap_fast_set_busy_poll(p, 1000001), PCAP_ERROR);
	CU_ASSERT_EQUAL(pcap_fast_set_busy_poll(p, -1), PCAP_ERROR);
	CU_ASSERT_PTR_NOT_NULL(strstr(pcap_geterr(p), "not from 0 to 1000000"));
	pcap_close(p);
}

static CU_TestInfo tests[] = {
	PCF_TEST(polls_until_it_comes),
	PCF_TEST(dispatch_and_batch_too),
	PCF_TEST(nothing_to_poll_for),
	PCF_TEST(sleeps_in_the_end),
	PCF_TEST(off_by_default),
	PCF_TEST(honest_timeouts),
	PCF_TEST(broken_while_polling),
	PCF_TEST(other_descriptors),
	PCF_TEST(non_blocking_looks_once),
	PCF_TEST(range),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("busy", tests);
}
