/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A/B: the read calls. How many packets each takes and returns for each cnt,
 * blocking and not, with and without immediate mode; exact bytes, sizes and
 * order; when the descriptor is readable.
 */
#include "tests/ab/ab.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Both buffer layouts of a packet socket behave as one here. */
static const struct {
	const char *name;
	int flags;
} kinds[] = { { "immediate", AB_IMMEDIATE }, { "buffered", 0 } };

#define EACH_KIND(i)                                                           \
	(i) = 0;                                                               \
	(i) < 2;                                                               \
	(i)++

static const char *key_of(unsigned kind, const char *what)
{
	static char key[64];

	snprintf(key, sizeof(key), "%s.%s", kinds[kind].name, what);
	return key;
}

/* `n` packets are there to be read, the last block of a buffer too. */
static pcap_t *loaded(unsigned kind, int flags, unsigned n)
{
	pcap_t *p = ab_open(kinds[kind].flags | flags, 50);

	ab_send("icmp", n);
	ab_settle(p, n);
	if (!kinds[kind].flags)
		ab_sleep(120);
	return p;
}

static void counts(void)
{
	unsigned i, n;
	pcap_t *p;

	for (EACH_KIND(i)) {
		p = loaded(i, AB_NONBLOCK, 40);
		n = 0;
		ab_say(key_of(i, "cnt5"), "%d",
		       pcap_dispatch(p, 5, ab_count, (u_char *)&n));
		ab_say(key_of(i, "cnt5_delivered"), "%u", n);
		ab_say(key_of(i, "cnt1"), "%d",
		       pcap_dispatch(p, 1, ab_count, (u_char *)&n));
		ab_say(key_of(i, "cnt_rest"), "%d", ab_drain_n(p, 34, 1000));
		ab_say(key_of(i, "cnt_empty"), "%d",
		       pcap_dispatch(p, 5, ab_count, (u_char *)&n));
		ab_say(key_of(i, "cnt0_empty"), "%d",
		       pcap_dispatch(p, 0, ab_count, (u_char *)&n));
		pcap_close(p);
	}
}

static void count_all(void)
{
	unsigned n = 0;
	pcap_t *p = loaded(0, AB_NONBLOCK, 40);

	ab_say("all.cnt0", "%d", pcap_dispatch(p, 0, ab_count, (u_char *)&n));
	ab_send("icmp", 30);
	ab_settle(p, 70);
	ab_say("all.cnt_minus_1", "%d",
	       pcap_dispatch(p, -1, ab_count, (u_char *)&n));
	ab_send("icmp", 30);
	ab_settle(p, 100);
	ab_say("all.cnt_large", "%d",
	       pcap_dispatch(p, 1000000, ab_count, (u_char *)&n));
	ab_say("all.delivered", "%u", n);
	pcap_close(p);
}

static void send_six(void *arg)
{
	(void)arg;
	ab_send("icmp", 6);
}

static void loops(void)
{
	unsigned i, n;
	pcap_t *p;

	for (EACH_KIND(i)) {
		p = loaded(i, 0, 4);
		n = 0;
		ab_say(key_of(i, "loop3"), "%d",
		       pcap_loop(p, 3, ab_count, (u_char *)&n));
		ab_say(key_of(i, "loop3_delivered"), "%u", n);
		ab_later(100, send_six, NULL);
		ab_say(key_of(i, "loop7_waits"), "%d",
		       pcap_loop(p, 7, ab_count, (u_char *)&n));
		ab_say(key_of(i, "loop7_delivered"), "%u", n);
		pcap_close(p);
	}
}

static void next_calls(void)
{
	struct pcap_pkthdr h, *first, *second;
	const u_char *data;
	unsigned i;
	pcap_t *p;

	for (EACH_KIND(i)) {
		p = loaded(i, AB_NONBLOCK, 4);
		ab_say(key_of(i, "next_ex"), "%d",
		       pcap_next_ex(p, &first, &data));
		ab_say(key_of(i, "next_ex_seq"), "%u", ab_seq(data));
		ab_say(key_of(i, "next_ex_again"), "%d",
		       pcap_next_ex(p, &second, &data));
		ab_yes(key_of(i, "next_ex_same_header"), first == second);
		data = pcap_next(p, &h);
		ab_say(key_of(i, "next_seq"), "%d",
		       data ? (int)ab_seq(data) : -1);
		ab_say(key_of(i, "next_len"), "%u/%u", h.caplen, h.len);
		ab_yes(key_of(i, "next_last"), pcap_next(p, &h) != NULL);
		ab_yes(key_of(i, "next_empty"), pcap_next(p, &h) != NULL);
		ab_say(key_of(i, "next_ex_empty"), "%d",
		       pcap_next_ex(p, &first, &data));
		pcap_close(p);
	}
}

static void send_one(void *arg)
{
	(void)arg;
	ab_send("icmp", 1);
}

/* An idle link: a blocking read waits for a packet, whatever to_ms says. */
static void idle(void)
{
	static const int to_ms[] = { 50, 0, 50 };
	static const int flags[] = { AB_IMMEDIATE, AB_IMMEDIATE, 0 };
	struct pcap_pkthdr *h;
	const u_char *data;
	char key[32];
	unsigned i, n;
	double t;
	pcap_t *p;
	int rc;

	for (i = 0; i < 3; i++) {
		p = ab_open(flags[i], to_ms[i]);
		n = 0;
		ab_later(250, send_one, NULL);
		t = ab_now();
		rc = pcap_dispatch(p, 10, ab_count, (u_char *)&n);
		snprintf(key, sizeof(key), "idle%u.dispatch", i);
		ab_say(key, "%d after the packet: %s", rc,
		       ab_now() - t > 240 ? "yes" : "no");
		ab_later(250, send_one, NULL);
		t = ab_now();
		rc = pcap_next_ex(p, &h, &data);
		snprintf(key, sizeof(key), "idle%u.next_ex", i);
		ab_say(key, "%d after the packet: %s", rc,
		       ab_now() - t > 240 ? "yes" : "no");
		pcap_close(p);
	}
}

static void no_wait(void)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	unsigned i, n = 0;
	double t;
	pcap_t *p;

	for (EACH_KIND(i)) {
		p = ab_open(kinds[i].flags | AB_NONBLOCK, 1000);
		t = ab_now();
		ab_say(key_of(i, "nonblock_dispatch"), "%d",
		       pcap_dispatch(p, -1, ab_count, (u_char *)&n));
		ab_say(key_of(i, "nonblock_next_ex"), "%d",
		       pcap_next_ex(p, &h, &data));
		ab_yes(key_of(i, "nonblock_waits"), ab_now() - t > 500);
		pcap_close(p);
	}
}

struct exact {
	unsigned seen, wrong_bytes, wrong_order, wrong_length;
	size_t len;
};

static void compare_exact(u_char *user, const struct pcap_pkthdr *h,
			  const u_char *data)
{
	struct exact *x = (void *)user;
	u_char want[AB_FRAME_MAX];

	ab_frame(want, "icmp", x->seen, x->len);
	x->wrong_length += h->caplen != x->len || h->len != x->len;
	x->wrong_bytes += memcmp(want, data, x->len) != 0;
	x->wrong_order += ab_seq(data) != x->seen;
	x->seen++;
}

static void exact_bytes(void)
{
	struct exact x = { .len = 777 };
	unsigned i;
	pcap_t *p;

	p = ab_open(AB_QUICK, 10);
	for (i = 0; i < 10; i++) {
		ab_send_len("icmp", 60, x.len);
		ab_drain(p, compare_exact, &x, 60, 1000);
	}
	ab_say("exact.seen", "%u", x.seen);
	ab_say("exact.wrong_bytes", "%u", x.wrong_bytes);
	ab_say("exact.wrong_order", "%u", x.wrong_order);
	ab_say("exact.wrong_length", "%u", x.wrong_length);
	pcap_close(p);
}

static void lengths(u_char *user, const struct pcap_pkthdr *h,
		    const u_char *data)
{
	size_t used = strlen((char *)user);

	(void)data;
	snprintf((char *)user + used, 256 - used, " %u/%u", h->caplen, h->len);
}

static void sizes(void)
{
	static const size_t sent[] = { 15, 42, 60, 61, 64, 590, 1513, 1514 };
	char got[256] = "";
	unsigned i;
	pcap_t *p = ab_open(AB_QUICK, 10);

	for (i = 0; i < 8; i++)
		ab_send_len("icmp", 1, sent[i]);
	ab_drain(p, lengths, got, 8, 1000);
	ab_say("sizes.all", "%s", got + 1);
	pcap_close(p);
}

/* Readable exactly as long as something undelivered is there. */
static void readable(void)
{
	unsigned i, n, with;
	pcap_t *p;

	for (EACH_KIND(i)) {
		p = ab_open(kinds[i].flags | AB_NONBLOCK, 50);
		ab_yes(key_of(i, "readable_idle"), ab_ready(p, 100));
		ab_send("icmp", 5);
		ab_settle(p, 5);
		ab_yes(key_of(i, "readable_filled"), ab_ready(p, 1000));
		for (n = with = 0; n < 5; with++) {
			if (!ab_ready(p, 200))
				break;
			pcap_dispatch(p, 1, ab_count, (u_char *)&n);
		}
		ab_say(key_of(i, "readable_one_by_one"), "%u packets in %u", n,
		       with);
		pcap_dispatch(p, 1, ab_count, (u_char *)&n);
		ab_yes(key_of(i, "readable_drained"), ab_ready(p, 100));
		ab_send("icmp", 1);
		ab_yes(key_of(i, "readable_again"), ab_ready(p, 1000));
		pcap_close(p);
	}
}

static void readable_next(void)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	unsigned n;
	pcap_t *p = ab_open(AB_QUICK, 50);

	ab_send("icmp", 6);
	ab_settle(p, 6);
	for (n = 0; n < 20 && ab_ready(p, 100); n++)
		if (pcap_next_ex(p, &h, &data) != 1)
			break;
	ab_say("readable.next_ex", "%u", n);
	pcap_close(p);
}

static const struct ab_case cases[] = {
	AB_CASE(counts),	AB_CASE(count_all), AB_CASE(loops),
	AB_CASE(next_calls),	AB_CASE(idle),	    AB_CASE(no_wait),
	AB_CASE(exact_bytes),	AB_CASE(sizes),	    AB_CASE(readable),
	AB_CASE(readable_next), AB_CASE_END,
};

int main(void)
{
	return ab_main("read", cases);
}
