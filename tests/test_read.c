/* SPDX-License-Identifier: BSD-3-Clause */
/* The read calls over the scripted backend, through the public API. */
#include "libpcap-fast/read.h"
#include "libpcap-fast/setfilter.h"
#include "tests/fake_backend.h"
#include "tests/unit.h"

#include <linux/filter.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static char errbuf[PCAP_ERRBUF_SIZE];

struct seen {
	unsigned n;
	char marks[FAKE_MAX];
	uint32_t caplen[FAKE_MAX];
	pcap_t *break_at_3;
};

/* The handle that a callback reads from, too. */
static pcap_t *nested;

static void see(u_char *user, const struct pcap_pkthdr *hdr, const u_char *data)
{
	struct seen *s = (struct seen *)user;

	s->caplen[s->n] = hdr->caplen;
	s->marks[s->n++] = data[0];
	if (s->break_at_3 && s->n == 3)
		pcap_breakloop(s->break_at_3);
}

static void feed(struct fake *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		fake_mark(f, 0, 1000 + f->queues[0].fed, 'a' + i % 26);
}

static void sound(const struct fake *f)
{
	for (unsigned i = 0; i < f->n; i++)
		CU_ASSERT_FALSE(f->queues[i].misused);
}

static bool readable(pcap_t *p)
{
	struct pollfd fd = { .fd = pcap_get_selectable_fd(p),
			     .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

/* Does the dead pcap_t take non-blocking mode? It is ours that counts. */
static void open_nonblocking(struct fake *f, unsigned n)
{
	fake_open(f, n);
	CU_ASSERT_EQUAL(pcap_setnonblock(f->p, 1, errbuf), 0);
	CU_ASSERT_EQUAL(pcap_getnonblock(f->p, errbuf), 1);
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

/* ldh [12]; jeq #0x0800 keep 20 else 0: over the untagged view. */
static struct sock_filter ip_20[] = {
	{ 0x28, 0, 0, 12 }, { 0x15, 0, 1, 0x0800 }, { 0x06, 0, 0, 20 },
	{ 0x06, 0, 0, 0 },
};

static void set_user_filter(struct pcf_handle *h)
{
	h->filter.insns = malloc(sizeof(ip_20));
	memcpy(h->filter.insns, ip_20, sizeof(ip_20));
	h->filter.len = 4;
	h->filter.place = PCAP_FAST_FILTER_USER;
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
	PCF_TEST(counts),
	PCF_TEST(loop_counts),
	PCF_TEST(next_lends),
	PCF_TEST(descriptor),
	PCF_TEST(break_in_callback),
	PCF_TEST(break_amid_a_run),
	PCF_TEST(reads_inside),
	PCF_TEST(dispatches_inside),
	PCF_TEST(break_kept),
	PCF_TEST(break_from_signal),
	PCF_TEST(break_from_thread),
	PCF_TEST(break_of_a_busy_reader),
	PCF_TEST(address_of_another),
	PCF_TEST(blocking),
	PCF_TEST(others_are_asked),
	PCF_TEST(break_after_waiting),
	PCF_TEST(ends_without_asking),
	PCF_TEST(honest_timeout),
	PCF_TEST(merged),
	PCF_TEST(every_frame_once),
	PCF_TEST(directions),
	PCF_TEST(user_filter),
	PCF_TEST(filter_from_callback),
	PCF_TEST(snaplen),
	PCF_TEST(bad_descriptors),
	PCF_TEST(adapter_times),
	PCF_TEST(adapter_nanoseconds),
	PCF_TEST(batches),
	PCF_TEST(merged_batches),
	PCF_TEST(batches_are_looked_at),
	PCF_TEST(held),
	PCF_TEST(all_held),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("read", tests);
}
