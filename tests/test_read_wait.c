/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When a read waits, what it asks the queues before and after, and when it
 * ends, over the scripted backend.
 */
#include "tests/fake_reader.h"
#include "tests/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

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

/* --- naps ---------------------------------------------------------------- */

static unsigned naps, ended, slept;
static bool much;
static pcap_t *to_break;

/* As a backend does it: amid a nap the first queue's descriptor is quiet. */
static int fake_nap(struct pcf_backend *b, bool on)
{
	struct fake_queue *q = &late->queues[0];
	uint64_t count = 1;

	(void)b;
	naps += on;
	ended += !on;
	if (on && much)
		return -1;
	slept += on;
	if (on ? read(q->fd, &count, sizeof(count)) < 0
	       : write(q->fd, &count, sizeof(count)) < 0)
		abort();
	return q->fd;
}

static void on_alarm_nap(int sig)
{
	(void)sig;
	if (naps == 0)
		fake_mark(late, 0, 5, 'x');
	else if (to_break) {
		pcap_breakloop(to_break);
		to_break = NULL;
	} else if (late->n > 1 && !late->queues[1].fed)
		fake_mark(late, 1, 4, 'o');
}

static int64_t ms_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A packet after 10 ms; 30 ms later what on_alarm_nap() says. How long the read
 * took, in ms. */
static int64_t read_napping(struct fake *f, struct seen *s, int rc)
{
	struct sigaction sa = { .sa_handler = on_alarm_nap };
	struct itimerval t = { .it_value = { .tv_usec = 10000 },
			       .it_interval = { .tv_usec = 30000 } };
	struct pcf_backend_ops ops = *f->h->backend->ops;
	struct pcf_backend napping = *f->h->backend, *own = f->h->backend;
	int64_t begun = ms_now();

	ops.nap = fake_nap;
	napping.ops = &ops;
	f->h->backend = &napping;
	f->h->nhooked = f->h->hooked_fds = 1;
	naps = ended = slept = 0;
	late = f;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
	CU_ASSERT_EQUAL(pcap_dispatch(f->p, -1, see, (u_char *)s), rc);
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	CU_ASSERT_EQUAL(ended, naps);
	f->h->backend = own;
	return ms_now() - begun;
}

static int64_t nap_of(int timeout_ms)
{
	struct seen s = { 0 };
	struct fake f;
	int64_t took;

	fake_open(&f, 1);
	f.h->options.timeout_ms = timeout_ms;
	took = read_napping(&f, &s, 1);
	fake_close(&f);
	return took;
}

/* To the time-out, but no longer than somebody would wait. */
static void naps_to_the_timeout(void)
{
	CU_ASSERT_TRUE(nap_of(60) >= 59);
	CU_ASSERT_EQUAL(naps, 1);
	CU_ASSERT_TRUE(nap_of(60000) < 30000);
	CU_ASSERT_EQUAL(naps, 1);
	CU_ASSERT_TRUE(nap_of(0) < 30000);
}

/* In a hurry, while polling, and with much there already. */
static void does_not_nap(void)
{
	for (unsigned i = 0; i < 3; i++) {
		struct seen s = { 0 };
		struct fake f;

		fake_open(&f, 1);
		f.h->options.timeout_ms = 20000;
		f.h->options.immediate = i == 0;
		f.h->options.busy_poll = i == 1;
		much = i == 2;
		read_napping(&f, &s, 1);
		CU_ASSERT_EQUAL(naps, i == 2 ? 1 : 0);
		CU_ASSERT_EQUAL(slept, 0);
		fake_close(&f);
	}
	much = false;
}

/* Packets that are not the hook's end it, and pcap_breakloop(), after which
 * what was there is delivered by the next read. The alarm does it in time, the
 * first time or, on a busy machine, one of the next. */
static bool ended_by(bool breaks)
{
	struct seen s = { 0 };
	struct fake f;
	bool in_time;

	fake_open(&f, breaks ? 1 : 2);
	f.h->options.timeout_ms = 20000;
	to_break = breaks ? f.p : NULL;
	in_time = read_napping(&f, &s, breaks ? PCAP_ERROR_BREAK : 2) < 95;
	if (breaks)
		CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 1);
	CU_ASSERT_NSTRING_EQUAL(s.marks, breaks ? "x" : "ox", breaks ? 1 : 2);
	fake_close(&f);
	return in_time;
}

static void nap_ends(void)
{
	for (int breaks = 0; breaks < 2; breaks++) {
		bool in_time = false;

		for (int i = 0; i < 10 && !in_time; i++)
			in_time = ended_by(breaks);
		CU_ASSERT_TRUE(in_time);
	}
}

static CU_TestInfo tests[] = {
	PCF_TEST(blocking),
	PCF_TEST(others_are_asked),
	PCF_TEST(break_after_waiting),
	PCF_TEST(ends_without_asking),
	PCF_TEST(honest_timeout),
	PCF_TEST(naps_to_the_timeout),
	PCF_TEST(does_not_nap),
	PCF_TEST(nap_ends),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("read_wait", tests);
}
