/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap_breakloop() from a callback, a signal handler and another thread, over
 * the scripted backend.
 */
#include "tests/fake_reader.h"
#include "tests/unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

/* The handle that a callback reads from, too. */
static pcap_t *nested;

static void break_in_callback(void)
{
	struct seen s = { 0 };
	struct fake f;

	open_nonblocking(&f, 1);
	feed(&f, 10);
	s.break_at_3 = f.p;
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s),
			PCAP_ERROR_BREAK);
	CU_ASSERT_EQUAL(s.n, 3);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 7);
	fake_close(&f);
}

/* From another thread, before the first of many. */
static void *break_at_once(void *p)
{
	pcap_breakloop(p);
	return NULL;
}

static void break_in_thread(u_char *user, const struct pcap_pkthdr *hdr,
			    const u_char *data)
{
	struct seen *s = (struct seen *)user;
	pthread_t thread;

	see(user, hdr, data);
	if (s->n != 5)
		return;
	CU_ASSERT_EQUAL_FATAL(
		pthread_create(&thread, NULL, break_at_once, nested), 0);
	pthread_join(thread, NULL);
}

static void break_amid_a_run(void)
{
	struct seen s = { 0 };
	struct fake f;

	open_nonblocking(&f, 1);
	nested = f.p;
	feed(&f, 100);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, break_in_thread, (u_char *)&s),
			PCAP_ERROR_BREAK);
	CU_ASSERT_EQUAL(s.n, 5);
	CU_ASSERT_EQUAL(f.h->delivered, 5);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, break_in_thread, (u_char *)&s),
			95);
	sound(&f);
	fake_close(&f);
}

/* With nothing to deliver, a non-blocking read leaves the flag alone. */
static void break_kept(void)
{
	struct seen s = { 0 };
	struct fake f;

	open_nonblocking(&f, 1);
	pcap_breakloop(f.p);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 0);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 0);
	feed(&f, 2);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s),
			PCAP_ERROR_BREAK);
	CU_ASSERT_EQUAL(s.n, 0);
	CU_ASSERT_EQUAL(pcap_dispatch(f.p, -1, see, (u_char *)&s), 2);
	fake_close(&f);
}

static pcap_t *alarm_handle;

static void on_alarm(int sig)
{
	(void)sig;
	pcap_breakloop(alarm_handle);
}

static void alarm_in_ms(int ms)
{
	struct itimerval t = { .it_value = { .tv_usec = ms * 1000 } };
	struct sigaction sa = { .sa_handler = on_alarm,
				.sa_flags = SA_RESTART };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
}

static void break_from_signal(void)
{
	struct pcap_pkthdr *hdr;
	struct seen s = { 0 };
	const u_char *data;
	struct fake f;

	fake_open(&f, 1);
	alarm_handle = f.p;
	alarm_in_ms(50);
	CU_ASSERT_EQUAL(pcap_loop(f.p, -1, see, (u_char *)&s),
			PCAP_ERROR_BREAK);
	alarm_in_ms(50);
	CU_ASSERT_EQUAL(pcap_next_ex(f.p, &hdr, &data), PCAP_ERROR_BREAK);
	fake_close(&f);
}

static void *break_later(void *p)
{
	usleep(50000);
	pcap_breakloop(p);
	return NULL;
}

static void break_from_thread(void)
{
	struct seen s = { 0 };
	pthread_t thread;
	struct fake f;

	fake_open(&f, 2);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, break_later, f.p),
			      0);
	CU_ASSERT_EQUAL(pcap_loop(f.p, -1, see, (u_char *)&s),
			PCAP_ERROR_BREAK);
	pthread_join(thread, NULL);
	fake_close(&f);
}

/* A ring that is full whenever it is looked at. */
static unsigned endless_rx(struct pcf_queue *q, struct pcf_show *rx,
			   unsigned max)
{
	static uint8_t data[60];

	(void)q;
	for (unsigned i = 0; i < max; i++)
		rx->pkts[i] = (struct pcf_pkt){ .caplen = 60,
						.len = 60,
						.data = data };
	rx->plain = rx->filtered = true;
	rx->why = PCF_STOP_FULL;
	return max;
}

static void endless_done(struct pcf_queue *q, const uint64_t *frames,
			 unsigned n)
{
	(void)q;
	(void)frames;
	(void)n;
}

static atomic_bool reading, has_broken;

static void *break_when_reading(void *p)
{
	while (!atomic_load(&reading))
		;
	pcap_breakloop(p);
	atomic_store(&has_broken, true);
	return NULL;
}

/* Reads on for as long as there is anything. How many packets, at least, were
 * delivered by calls that began after pcap_breakloop() had returned. */
static unsigned read_until_broken(pcap_t *p)
{
	struct pcap_pkthdr *hdr;
	const u_char *data;
	unsigned after = 0;

	for (;;) {
		bool late_call = atomic_load(&has_broken);
		int rc = pcap_next_ex(p, &hdr, &data);

		atomic_store(&reading, true);
		after += late_call && rc == 1;
		if (rc != 1 || after == 1000) {
			CU_ASSERT_EQUAL(rc, PCAP_ERROR_BREAK);
			return after;
		}
	}
}

/* Again and again, so that a break meets a run at its beginning, amid it and at
 * its end. */
static void break_of_a_busy_reader(void)
{
	struct fake f;
	pthread_t thread;
	unsigned after = 0;

	open_nonblocking(&f, 1);
	f.h->lanes[0].ops = (struct pcf_rx_ops){ .rx = endless_rx,
						 .taken = endless_done,
						 .done = endless_done };
	for (unsigned i = 0; i < 2000; i++) {
		atomic_store(&reading, false);
		atomic_store(&has_broken, false);
		if (pthread_create(&thread, NULL, break_when_reading, f.p))
			abort();
		after += read_until_broken(f.p);
		pthread_join(thread, NULL);
	}
	CU_ASSERT_EQUAL(after, 0);
	fake_close(&f);
}

static CU_TestInfo tests[] = {
	PCF_TEST(break_in_callback), PCF_TEST(break_amid_a_run),
	PCF_TEST(break_kept),	     PCF_TEST(break_from_signal),
	PCF_TEST(break_from_thread), PCF_TEST(break_of_a_busy_reader),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("break", tests);
}
