/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When a read waits, what it asks the queues before and after, and when it
 * ends, over the scripted backend.
 */
#include "tests/fake_reader.h"
#include "tests/unit.h"

#include <signal.h>
#include <sys/time.h>

static struct fake *late;

static void on_alarm_feed(int sig)
{
	(void)sig;
	fake_mark(late, 1, 5, 'x');
}

/* A blocking read ends with the first packet of whichever queue; the signal
 * alone does not end it. */
static void blocking(void)
{
	struct sigaction sa = { .sa_handler = on_alarm_feed };
	struct itimerval t = { .it_value = { .tv_usec = 50000 } };
	struct seen s = { 0 };
	struct fake f;

	fake_open(&f, 2);
	late = &f;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 1);
	CU_ASSERT_EQUAL(s.marks[0], 'x');
	fake_close(&f);
}

static unsigned feed_late[2];

static void on_alarm_feed_both(int sig)
{
	(void)sig;
	for (unsigned q = 0; q < 2; q++)
		for (unsigned i = 0; i < feed_late[q]; i++)
			fake_mark(late, q, 10 + 2 * i - q, 'a' + q);
}

/* The second queue, dear to ask, is not asked before a wait, which looks at it
 * as well; and what that has said need not be asked again, for the one packet
 * that it saw. */
static void asks_after_waiting(unsigned first, unsigned second, unsigned asked)
{
	struct sigaction sa = { .sa_handler = on_alarm_feed_both };
	struct itimerval t = { .it_value = { .tv_usec = 20000 } };
	struct seen s = { 0 };
	struct fake f;

	fake_open(&f, 2);
	f.h->nhooked = f.h->hooked_fds = 1;
	late = &f;
	feed_late[0] = first;
	feed_late[1] = second;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, 1, see, (u_char *)&s), 1);
	CU_ASSERT_EQUAL(s.marks[0], second ? 'b' : 'a');
	CU_ASSERT_EQUAL(f.queues[1].rx_calls, asked);
	fake_mark(&f, 1, 1000, 'z');
	CU_ASSERT_EQUAL(pcap_loop(f.p, first + second, see, (u_char *)&s), 0);
	CU_ASSERT_EQUAL(s.marks[first + second], 'z');
	sound(&f);
	fake_close(&f);
}

static void others_are_asked(void)
{
	asks_after_waiting(1, 0, 0);
	asks_after_waiting(2, 0, 1);
	asks_after_waiting(1, 1, 1);
	asks_after_waiting(3, 2, 1);
	asks_after_waiting(0, 1, 1);
}

/* A read that has delivered something ends when the first queue has no more;
 * one that has not asks all, as does one that gets more. */
static void ends_without_asking(void)
{
	struct seen s = { 0 };
	struct fake f;

	open_nonblocking(&f, 2);
	f.h->nhooked = 1;
	feed(&f, 10);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 10);
	CU_ASSERT_EQUAL(f.queues[0].rx_calls, 2);
	CU_ASSERT_EQUAL(f.queues[1].rx_calls, 1);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 0);
	CU_ASSERT_EQUAL(f.queues[1].rx_calls, 2);
	feed(&f, 100);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 100);
	CU_ASSERT_EQUAL(f.queues[1].rx_calls, 4);
	for (unsigned i = 0; i < 100; i++)
		fake_mark(&f, 1, 5000 + i, 'o');
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 100);
	sound(&f);
	fake_close(&f);
}

/* What was seen before a break is seen after it; what came since is not. */
static void break_after_waiting(void)
{
	struct seen s = { 0 };
	struct fake f;

	fake_open(&f, 2);
	f.h->nhooked = f.h->hooked_fds = 1;
	f.h->others_quiet = true;
	fake_mark(&f, 0, 10, 'a');
	fake_mark(&f, 0, 12, 'c');
	fake_mark(&f, 1, 11, 'b');
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 3);
	CU_ASSERT_NSTRING_EQUAL(s.marks, "abc", 3);
	fake_close(&f);
}

static void honest_timeout(void)
{
	struct seen s = { 0 };
	struct fake f;

	fake_open(&f, 1);
	f.h->honest_timeout = true;
	f.h->options.timeout_ms = 20;
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 0);
	fake_close(&f);
}

static CU_TestInfo tests[] = {
	PCF_TEST(blocking),
	PCF_TEST(others_are_asked),
	PCF_TEST(break_after_waiting),
	PCF_TEST(ends_without_asking),
	PCF_TEST(honest_timeout),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("read_wait", tests);
}
