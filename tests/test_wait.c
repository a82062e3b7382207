/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting over pipes: time-outs, wake-ups, signals, the caller's descriptor. */
#include "libpcap-fast/wait.h"
#include "tests/unit.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SOURCES 3

struct rig {
	struct pcf_waiter *w;
	int in[SOURCES], out[SOURCES];
};

static void set_up(struct rig *r)
{
	for (unsigned i = 0; i < SOURCES; i++) {
		int fds[2];

		if (pipe(fds))
			abort();
		r->in[i] = fds[0];
		r->out[i] = fds[1];
	}
	if (pcf_waiter_open(&r->w, r->in, SOURCES))
		abort();
}

static void tear_down(struct rig *r)
{
	pcf_waiter_close(r->w);
	for (unsigned i = 0; i < SOURCES; i++) {
		close(r->in[i]);
		close(r->out[i]);
	}
}

static void feed(struct rig *r, unsigned i)
{
	CU_ASSERT_EQUAL(write(r->out[i], "x", 1), 1);
}

static void empty(struct rig *r, unsigned i)
{
	char c;

	CU_ASSERT_EQUAL(read(r->in[i], &c, 1), 1);
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void times_out(void)
{
	long start = now_ms(), took;
	struct rig r;

	set_up(&r);
	CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, 0), 0);
	CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, 60), 0);
	took = now_ms() - start;
	CU_ASSERT_TRUE(took >= 59 && took < 2000);
	tear_down(&r);
}

static void each_source(void)
{
	struct rig r;

	set_up(&r);
	for (unsigned i = 0; i < SOURCES; i++) {
		CU_ASSERT_FALSE(readable(pcf_waiter_fd(r.w)));
		feed(&r, i);
		CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, -1), 1);
		/* as long as it is, not once */
		CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, -1), 1);
		CU_ASSERT_TRUE(readable(pcf_waiter_fd(r.w)));
		CU_ASSERT_TRUE(readable(pcf_waiter_fd(r.w)));
		empty(&r, i);
		CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, 0), 0);
	}
	tear_down(&r);
}

/* A source that is gone must not be slept on. */
static void hung_up(void)
{
	struct rig r;

	set_up(&r);
	close(r.out[1]);
	r.out[1] = -1;
	CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, 2000), 1);
	tear_down(&r);
}

static void woken(void)
{
	struct rig r;

	set_up(&r);
	for (unsigned i = 0; i < 3; i++)
		pcf_waiter_wake(r.w);
	CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, -1), 1);
	CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, 0), 0);
	/* Together with a packet, it is cleared as well. */
	pcf_waiter_wake(r.w);
	feed(&r, 0);
	CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, -1), 1);
	empty(&r, 0);
	CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, 0), 0);
	tear_down(&r);
}

/* pcap_breakloop() is no packet: it does not end the caller's select(). */
static void wake_is_not_for_callers(void)
{
	struct rig r;

	set_up(&r);
	pcf_waiter_wake(r.w);
	CU_ASSERT_FALSE(readable(pcf_waiter_fd(r.w)));
	tear_down(&r);
}

static void wake_keeps_errno(void)
{
	struct rig r;

	set_up(&r);
	errno = 77;
	for (unsigned i = 0; i < 5; i++)
		pcf_waiter_wake(r.w);
	CU_ASSERT_EQUAL(errno, 77);
	tear_down(&r);
}

static void *wake_later(void *w)
{
	usleep(40000);
	pcf_waiter_wake(w);
	return NULL;
}

static void woken_from_a_thread(void)
{
	pthread_t thread;
	struct rig r;

	set_up(&r);
	if (pthread_create(&thread, NULL, wake_later, r.w))
		abort();
	CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, 5000), 1);
	pthread_join(thread, NULL);
	tear_down(&r);
}

static volatile sig_atomic_t alarms;
static struct pcf_waiter *wake_in_handler;

/* They end some time, should the wait never do so while they come. */
static void on_alarm(int sig)
{
	(void)sig;
	if (++alarms > 200)
		setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	if (wake_in_handler)
		pcf_waiter_wake(wake_in_handler);
}

static void alarms_every_ms(int ms)
{
	struct itimerval t = { { 0, ms * 1000 }, { 0, ms * 1000 } };
	struct sigaction sa = { .sa_handler = on_alarm };

	alarms = 0;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
}

/* They neither end the wait nor make it longer. */
static void signals_change_nothing(void)
{
	long start, took;
	struct rig r;

	set_up(&r);
	alarms_every_ms(20);
	start = now_ms();
	CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, 150), 0);
	took = now_ms() - start;
	alarms_every_ms(0);
	CU_ASSERT_TRUE(took >= 149 && took < 1500);
	tear_down(&r);
}

static void woken_from_a_handler(void)
{
	struct rig r;

	set_up(&r);
	wake_in_handler = r.w;
	alarms_every_ms(30);
	CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, -1), 1);
	CU_ASSERT_TRUE(alarms >= 1);
	alarms_every_ms(0);
	wake_in_handler = NULL;
	tear_down(&r);
}

/* Queues of one ring buffer have one descriptor. */
static void shared_descriptor(void)
{
	struct pcf_waiter *w;
	int fds[2], twice[2];

	if (pipe(fds))
		abort();
	twice[0] = twice[1] = fds[0];
	CU_ASSERT_EQUAL_FATAL(pcf_waiter_open(&w, twice, 2), 0);
	CU_ASSERT_EQUAL(write(fds[1], "x", 1), 1);
	CU_ASSERT_EQUAL(pcf_waiter_wait(w, -1), 1);
	CU_ASSERT_TRUE(readable(pcf_waiter_fd(w)));
	pcf_waiter_close(w);
	close(fds[0]);
	close(fds[1]);
}

static void no_sources(void)
{
	struct pcf_waiter *w;

	CU_ASSERT_EQUAL_FATAL(pcf_waiter_open(&w, NULL, 0), 0);
	CU_ASSERT_EQUAL(pcf_waiter_wait(w, 10), 0);
	pcf_waiter_wake(w);
	CU_ASSERT_EQUAL(pcf_waiter_wait(w, -1), 1);
	pcf_waiter_close(w);
}

/* Two sources that come later, also for one who asked for the descriptor
 * before. */
static void added(bool asked)
{
	int fds[3] = { -1, PCF_WAIT_FREE, PCF_WAIT_FREE };
	struct pcf_waiter *w;
	int a[2], b[2], c[2];

	if (pipe(a) || pipe(b) || pipe(c))
		abort();
	fds[0] = a[0];
	CU_ASSERT_EQUAL_FATAL(pcf_waiter_open(&w, fds, 3), 0);
	if (asked)
		CU_ASSERT_FALSE(readable(pcf_waiter_fd(w)));
	CU_ASSERT_EQUAL(pcf_waiter_wait(w, 0), 0);
	CU_ASSERT_EQUAL(pcf_waiter_add(w, b[0], c[0]), 0);
	CU_ASSERT_EQUAL(write(c[1], "x", 1), 1);
	CU_ASSERT_EQUAL(pcf_waiter_wait(w, 0), 1);
	CU_ASSERT_TRUE(readable(pcf_waiter_fd(w)));
	pcf_waiter_close(w);
	for (unsigned i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
		close(c[i]);
	}
}

static void added_later(void)
{
	added(false);
	added(true);
}

static void events_are_told_apart(void)
{
	struct rig r;
	int event[2];

	if (pipe(event))
		abort();
	set_up(&r);
	pcf_waiter_watch(r.w, event[0]);
	feed(&r, 0);
	CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, 0), 1);
	CU_ASSERT_FALSE(pcf_waiter_event(r.w));
	CU_ASSERT_EQUAL(write(event[1], "x", 1), 1);
	CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, 0), 1);
	CU_ASSERT_TRUE(pcf_waiter_event(r.w));
	tear_down(&r);
	close(event[0]);
	close(event[1]);
}

static unsigned open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static void nothing_left_open(void)
{
	unsigned before = open_fds();
	struct rig r;

	set_up(&r);
	CU_ASSERT_TRUE(pcf_waiter_fd(r.w) >= 0);
	tear_down(&r);
	CU_ASSERT_EQUAL(open_fds(), before);
	pcf_waiter_close(NULL);
}

/* What is skipped neither ends it nor is forgotten. */
static void pauses(void)
{
	long start;
	struct rig r;

	set_up(&r);
	feed(&r, 0);
	CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, -1), 1);
	CU_ASSERT_TRUE(pcf_waiter_only_first(r.w, 1));
	start = now_ms();
	CU_ASSERT_EQUAL(pcf_waiter_pause(r.w, 1, -1, 20500), 0);
	CU_ASSERT_TRUE(now_ms() - start >= 20);
	CU_ASSERT_TRUE(pcf_waiter_only_first(r.w, 1));
	CU_ASSERT_EQUAL(pcf_waiter_pause(r.w, 0, -1, 20000000), 1);
	feed(&r, 1);
	CU_ASSERT_EQUAL(pcf_waiter_pause(r.w, 1, -1, 20000000), 1);
	CU_ASSERT_FALSE(pcf_waiter_only_first(r.w, 1));
	empty(&r, 1);
	pcf_waiter_wake(r.w);
	CU_ASSERT_EQUAL(pcf_waiter_pause(r.w, 1, -1, 20000000), 1);
	CU_ASSERT_FALSE(pcf_waiter_only_first(r.w, 1));
	CU_ASSERT_EQUAL(pcf_waiter_pause(r.w, 1, -1, 1000), 0);
	tear_down(&r);
}

/* Another descriptor in place of the first source: that ends a pause, and is
 * of no interest after it. */
static void stands_in(void)
{
	int other[2];
	struct rig r;

	set_up(&r);
	if (pipe(other))
		abort();
	feed(&r, 0);
	CU_ASSERT_EQUAL(pcf_waiter_pause(r.w, 1, other[0], 1000), 0);
	CU_ASSERT_EQUAL(write(other[1], "x", 1), 1);
	CU_ASSERT_EQUAL(pcf_waiter_pause(r.w, 1, other[0], 20000000), 1);
	empty(&r, 0);
	CU_ASSERT_EQUAL(pcf_waiter_wait(r.w, 0), 0);
	CU_ASSERT_FALSE(readable(pcf_waiter_fd(r.w)));
	close(other[0]);
	close(other[1]);
	tear_down(&r);
}

static CU_TestInfo tests[] = {
	PCF_TEST(times_out),
	PCF_TEST(each_source),
	PCF_TEST(hung_up),
	PCF_TEST(woken),
	PCF_TEST(wake_is_not_for_callers),
	PCF_TEST(wake_keeps_errno),
	PCF_TEST(woken_from_a_thread),
	PCF_TEST(signals_change_nothing),
	PCF_TEST(woken_from_a_handler),
	PCF_TEST(shared_descriptor),
	PCF_TEST(no_sources),
	PCF_TEST(added_later),
	PCF_TEST(events_are_told_apart),
	PCF_TEST(pauses),
	PCF_TEST(stands_in),
	PCF_TEST(nothing_left_open),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("wait", tests);
}
