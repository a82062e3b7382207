/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A/B: counters and times. What pcap_stats counts, when, and that it adds up
 * after an overflow; that timestamps are those of arrival, in order, in the
 * precision asked for.
 */
#include "tests/ab/ab.h"

#include <stdio.h>
#include <string.h>

#define FLOOD 20000

static void say_stats(const char *key, pcap_t *p)
{
	struct pcap_stat st;

	memset(&st, 0x55, sizeof(st));
	if (pcap_stats(p, &st))
		ab_say(key, "failed: %s", pcap_geterr(p));
	else
		ab_say(key, "recv %u drop %u ifdrop %u", st.ps_recv, st.ps_drop,
		       st.ps_ifdrop);
}

static void counts(void)
{
	static const int flags[] = { AB_QUICK, AB_NONBLOCK,
				     AB_QUICK | AB_NOPROMISC };
	static const char *const names[] = { "immediate", "buffered",
					     "not_promisc" };
	char key[40];
	unsigned i;

	for (i = 0; i < 3; i++) {
		pcap_t *p = ab_open(flags[i], 10);

		snprintf(key, sizeof(key), "%s.fresh", names[i]);
		say_stats(key, p);
		ab_send("icmp", 30);
		ab_settle(p, 30);
		snprintf(key, sizeof(key), "%s.unread", names[i]);
		say_stats(key, p);
		ab_drain_n(p, 30, 1000);
		snprintf(key, sizeof(key), "%s.read", names[i]);
		say_stats(key, p);
		ab_send("icmp", 7);
		ab_settle(p, 37);
		snprintf(key, sizeof(key), "%s.more", names[i]);
		say_stats(key, p);
		pcap_close(p);
	}
}

/* Only what passes the filter is received. */
static void filtered(void)
{
	pcap_t *p = ab_open(AB_QUICK, 10);

	ab_filter(p, "udp");
	ab_send("icmp", 10);
	ab_send("udp9", 4);
	ab_drain_n(p, 5, 100);
	say_stats("filtered.counted", p);
	ab_filter(p, "icmp");
	ab_send("icmp", 3);
	ab_drain_n(p, 4, 100);
	say_stats("filtered.after_change", p);
	pcap_close(p);
}

/* A direction is not a filter: what it rejects was received. */
static void directed(void)
{
	pcap_t *p = ab_open(AB_QUICK, 10);

	pcap_setdirection(p, PCAP_D_OUT);
	ab_send("icmp", 10);
	ab_drain_n(p, 11, 60);
	say_stats("directed.counted", p);
	pcap_close(p);
}

static void overflow(void)
{
	static const int flags[] = { AB_QUICK, AB_NONBLOCK };
	struct pcap_stat full, end;
	char key[40];
	unsigned i;
	int n;

	for (i = 0; i < 2; i++) {
		pcap_t *p = ab_open(flags[i] | AB_SMALL, 10);

		ab_send_len("icmp", FLOOD, 1000);
		ab_settle(p, FLOOD);
		pcap_stats(p, &full);
		n = ab_drain_n(p, FLOOD, 300);
		pcap_stats(p, &end);
		snprintf(key, sizeof(key), "overflow.recv_is_sent_%u", i);
		ab_yes(key, full.ps_recv == FLOOD);
		snprintf(key, sizeof(key), "overflow.drop_%u", i);
		ab_yes(key, full.ps_drop > 0);
		snprintf(key, sizeof(key), "overflow.delivered_some_%u", i);
		ab_yes(key, n > 0);
		snprintf(key, sizeof(key), "overflow.adds_up_%u", i);
		ab_yes(key, end.ps_recv == end.ps_drop + (unsigned)n);
		snprintf(key, sizeof(key), "overflow.unchanged_%u", i);
		ab_yes(key, !memcmp(&full, &end, sizeof(end)));
		/* The smallest buffer may hold a single packet. */
		ab_send("icmp", 1);
		snprintf(key, sizeof(key), "overflow.resumes_%u", i);
		ab_say(key, "%d", ab_drain_n(p, 1, 1000));
		pcap_close(p);
	}
}

struct times {
	int nano;
	unsigned seen, backwards, early, late, bad_fraction, fine;
	double from, to, last;
};

static void check_time(u_char *user, const struct pcap_pkthdr *h,
		       const u_char *data)
{
	struct times *t = (void *)user;
	double ms = ab_stamp(h, t->nano);

	(void)data;
	t->seen++;
	t->backwards += ms < t->last;
	t->early += ms < t->from - 1;
	t->late += ms > t->to + 1;
	t->bad_fraction += h->ts.tv_usec < 0 ||
			   h->ts.tv_usec >= (t->nano ? 1000000000 : 1000000);
	t->fine += h->ts.tv_usec % 1000 != 0;
	t->last = ms;
}

/* Read late: a time of reading would lie after `to`. */
static void stamp(const char *name, int flags)
{
	struct times t = { .nano = !!(flags & AB_NANO) };
	char key[40];
	pcap_t *p = ab_open(flags, 10);

	t.from = ab_wall();
	ab_send("icmp", 100);
	ab_settle(p, 100);
	t.to = ab_wall();
	ab_sleep(100);
	ab_drain(p, check_time, &t, 100, 1000);
	snprintf(key, sizeof(key), "time.%s", name);
	ab_say(key,
	       "%u seen, %u backwards, %u too early, %u too late, "
	       "%u fractions out of range",
	       t.seen, t.backwards, t.early, t.late, t.bad_fraction);
	snprintf(key, sizeof(key), "time.%s_below_1000", name);
	ab_yes(key, t.fine > t.seen / 2);
	pcap_close(p);
}

static void stamps(void)
{
	stamp("micro", AB_QUICK);
	stamp("nano", AB_QUICK | AB_NANO);
	stamp("micro_buffered", AB_NONBLOCK);
	stamp("nano_buffered", AB_NONBLOCK | AB_NANO);
}

/* Frames 30 ms apart have times 30 ms apart, however they are read. */
static void spacing(void)
{
	double first, second;
	struct pcap_pkthdr *h;
	const u_char *data;
	pcap_t *p = ab_open(AB_QUICK, 10);

	ab_send("icmp", 1);
	ab_sleep(30);
	ab_send("icmp", 1);
	ab_settle(p, 2);
	if (pcap_next_ex(p, &h, &data) != 1)
		ab_die("no first packet");
	first = ab_stamp(h, 0);
	if (pcap_next_ex(p, &h, &data) != 1)
		ab_die("no second packet");
	second = ab_stamp(h, 0);
	ab_yes("time.spacing_kept", second - first > 29);
	pcap_close(p);
}

/* The filter's change, fork of the counters by handle, and reopening. */
static void per_handle(void)
{
	pcap_t *p = ab_open(AB_QUICK, 10), *q;

	ab_send("icmp", 5);
	ab_settle(p, 5);
	q = ab_open(AB_QUICK, 10);
	ab_send("icmp", 3);
	ab_settle(q, 3);
	say_stats("handle.first", p);
	say_stats("handle.second", q);
	pcap_close(p);
	say_stats("handle.second_alone", q);
	pcap_close(q);
	p = ab_open(AB_QUICK, 10);
	say_stats("handle.reopened", p);
	pcap_close(p);
}

static const struct ab_case cases[] = {
	AB_CASE(counts),     AB_CASE(filtered), AB_CASE(directed),
	AB_CASE(overflow),   AB_CASE(stamps),	AB_CASE(spacing),
	AB_CASE(per_handle), AB_CASE_END,
};

int main(void)
{
	return ab_main("stats", cases);
}
