/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A/B: pcap_breakloop from the callback, a signal handler, another thread and
 * ahead of a read, in loops that block and that do not; and a signal that
 * does not break.
 */
#include "tests/ab/ab.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* The two buffer layouts of a packet socket differ here: both are shown. */
static const int kinds[] = { AB_IMMEDIATE, 0 };
static const char *const names[] = { "immediate", "buffered" };

#define EACH_KIND(i)                                                           \
	(i) = 0;                                                               \
	(i) < 2;                                                               \
	(i)++

static pcap_t *handle;
static unsigned seen;

static const char *key_of(unsigned kind, const char *what)
{
	static char key[64];

	snprintf(key, sizeof(key), "%s.%s", names[kind], what);
	return key;
}

static pcap_t *loaded(unsigned kind, int flags, unsigned n)
{
	pcap_t *p = ab_open(kinds[kind] | flags, 50);

	ab_send("icmp", n);
	ab_settle(p, n);
	if (!kinds[kind])
		ab_sleep(120);
	handle = p;
	seen = 0;
	return p;
}

static void break_at_3(u_char *user, const struct pcap_pkthdr *h,
		       const u_char *data)
{
	(void)user;
	(void)h;
	(void)data;
	if (++seen == 3)
		pcap_breakloop(handle);
}

static void in_callback(void)
{
	unsigned i;
	pcap_t *p;

	for (EACH_KIND(i)) {
		p = loaded(i, AB_NONBLOCK, 10);
		ab_say(key_of(i, "callback"), "%d",
		       pcap_dispatch(p, -1, break_at_3, NULL));
		ab_say(key_of(i, "callback_seen"), "%u", seen);
		ab_say(key_of(i, "callback_rest"), "%d",
		       ab_drain_n(p, 7, 1000));
		pcap_close(p);
		p = loaded(i, 0, 10);
		ab_say(key_of(i, "callback_loop"), "%d",
		       pcap_loop(p, -1, break_at_3, NULL));
		ab_say(key_of(i, "callback_loop_seen"), "%u", seen);
		seen = 10;
		ab_say(key_of(i, "callback_loop_rest"), "%d",
		       pcap_loop(p, 7, break_at_3, NULL));
		pcap_close(p);
	}
}

/* Broken at the packet at which cnt ends the read as well. */
static void at_the_count(void)
{
	unsigned i;
	pcap_t *p;

	for (EACH_KIND(i)) {
		p = loaded(i, AB_NONBLOCK, 10);
		ab_say(key_of(i, "at_count"), "%d",
		       pcap_dispatch(p, 3, break_at_3, NULL));
		ab_say(key_of(i, "at_count_then"), "%d",
		       pcap_dispatch(p, 2, break_at_3, NULL));
		ab_say(key_of(i, "at_count_seen"), "%u", seen);
		pcap_close(p);
	}
}

static void break_now(void *arg)
{
	(void)arg;
	pcap_breakloop(handle);
}

static void on_signal(int sig)
{
	(void)sig;
	pcap_breakloop(handle);
}

static void on_signal_stats(int sig)
{
	struct pcap_stat st;

	(void)sig;
	pcap_stats(handle, &st);
}

static void catch (void (*fn)(int))
{
	struct sigaction act = { .sa_handler = fn, .sa_flags = SA_RESTART };

	sigaction(SIGUSR1, &act, NULL);
}

static const char *waited(double since, double ms)
{
	double t = ab_now() - since;

	return t < ms - 10 ? "too early" : t > ms + 1000 ? "too late" : "then";
}

/* Blocked on an idle link; SA_RESTART does not keep it there. */
static void while_blocked(void)
{
	unsigned i;
	double t;
	pcap_t *p;
	int rc;

	catch (on_signal);
	for (EACH_KIND(i)) {
		p = loaded(i, 0, 0);
		t = ab_now();
		ab_signal_later(200, SIGUSR1);
		rc = pcap_loop(p, -1, break_at_3, NULL);
		ab_say(key_of(i, "signal"), "%d %s", rc, waited(t, 200));
		t = ab_now();
		ab_later(200, break_now, NULL);
		rc = pcap_dispatch(p, -1, break_at_3, NULL);
		ab_say(key_of(i, "thread"), "%d %s", rc, waited(t, 200));
		t = ab_now();
		ab_later(200, break_now, NULL);
		rc = pcap_loop(p, -1, break_at_3, NULL);
		ab_say(key_of(i, "thread_loop"), "%d %s", rc, waited(t, 200));
		pcap_close(p);
	}
}

static void next_while_blocked(void)
{
	struct pcap_pkthdr *h, h2;
	const u_char *data;
	pcap_t *p = loaded(0, 0, 0);

	ab_later(100, break_now, NULL);
	ab_say("next_ex.thread", "%d", pcap_next_ex(p, &h, &data));
	ab_later(100, break_now, NULL);
	ab_yes("next.thread", pcap_next(p, &h2) != NULL);
	ab_send("icmp", 1);
	ab_say("next_ex.afterwards", "%d", pcap_next_ex(p, &h, &data));
	pcap_close(p);
}

static void send_three(void *arg)
{
	(void)arg;
	ab_send("icmp", 3);
}

/* Signals that do not break are not seen, also if their handler asks. */
static void signal_only(void)
{
	unsigned i;
	double t;
	pcap_t *p;
	int rc;

	catch (on_signal_stats);
	for (EACH_KIND(i)) {
		p = loaded(i, 0, 0);
		t = ab_now();
		ab_signal_later(80, SIGUSR1);
		ab_signal_later(160, SIGUSR1);
		ab_later(300, send_three, NULL);
		rc = pcap_loop(p, 3, ab_count, (u_char *)&seen);
		ab_say(key_of(i, "signal_only"), "%d %s", rc, waited(t, 300));
		ab_say(key_of(i, "signal_only_seen"), "%u", seen);
		pcap_close(p);
	}
}

static void ahead(void)
{
	unsigned i;
	pcap_t *p;

	for (EACH_KIND(i)) {
		p = loaded(i, AB_NONBLOCK, 5);
		pcap_breakloop(p);
		ab_say(key_of(i, "ahead"), "%d",
		       pcap_dispatch(p, -1, break_at_3, NULL));
		ab_say(key_of(i, "ahead_seen"), "%u", seen);
		seen = 10;
		ab_say(key_of(i, "ahead_rest_and_seen"), "%d",
		       ab_drain_n(p, 5, 200) + (int)seen - 10);
		pcap_close(p);
		p = loaded(i, 0, 0);
		pcap_breakloop(p);
		ab_say(key_of(i, "ahead_idle_blocking"), "%d",
		       pcap_loop(p, -1, break_at_3, NULL));
		pcap_close(p);
	}
}

/* Without blocking and with nothing there the flag waits for a packet. */
static void kept(void)
{
	unsigned i;
	pcap_t *p;

	for (EACH_KIND(i)) {
		p = loaded(i, AB_NONBLOCK, 0);
		pcap_breakloop(p);
		ab_say(key_of(i, "kept_idle"), "%d",
		       pcap_dispatch(p, -1, break_at_3, NULL));
		ab_say(key_of(i, "kept_idle_again"), "%d",
		       pcap_dispatch(p, -1, break_at_3, NULL));
		ab_send("icmp", 4);
		ab_settle(p, 4);
		ab_yes(key_of(i, "kept_ready"), ab_ready(p, 1000));
		ab_say(key_of(i, "kept_then"), "%d",
		       pcap_dispatch(p, -1, ab_count, (u_char *)&seen));
		ab_drain(p, ab_count, &seen, 4 - (int)seen, 500);
		ab_say(key_of(i, "kept_total"), "%u", seen);
		pcap_close(p);
	}
}

static void spinning(void)
{
	pcap_t *p = loaded(0, AB_NONBLOCK, 2);

	/* A loop that may not block spins; the flag alone would stay set. */
	ab_later(50, break_now, NULL);
	ab_later(100, send_three, NULL);
	ab_say("spinning.loop", "%d",
	       pcap_loop(p, -1, ab_count, (u_char *)&seen));
	ab_yes("spinning.saw_queued", seen >= 2);
	pcap_close(p);
}

static const struct ab_case cases[] = {
	AB_CASE(in_callback),
	AB_CASE(at_the_count),
	AB_CASE(while_blocked),
	AB_CASE(next_while_blocked),
	AB_CASE(signal_only),
	AB_CASE(ahead),
	AB_CASE(kept),
	AB_CASE(spinning),
	AB_CASE_END,
};

int main(void)
{
	return ab_main("breakloop", cases);
}
