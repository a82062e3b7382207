/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A/B: what a reader sees of link events: the interface down and up again,
 * its peer down, the interface deleted, while idle, blocked or with packets
 * queued. Each case makes a link of its own in the reader's namespace.
 */
#include "tests/ab/ab.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

static pcap_t *fresh(int flags)
{
	ab_link_make();
	return ab_open_on(AB_LINK, flags, 10, 2048);
}

static void done(pcap_t *p)
{
	pcap_close(p);
	ab_link_drop();
}

static void say_required(const char *key, pcap_t *p)
{
	const struct timeval *tv = pcap_get_required_select_timeout(p);

	if (tv)
		ab_say(key, "%ld us", tv->tv_sec * 1000000L + tv->tv_usec);
	else
		ab_say(key, "none");
}

/* Reads once; gives the count or code, with the text. */
static void say_read(const char *key, pcap_t *p)
{
	unsigned n = 0;

	ab_code(key, p, pcap_dispatch(p, -1, ab_count, (u_char *)&n));
}

static void down_and_up(void)
{
	pcap_t *p = fresh(AB_QUICK);

	ab_send("icmp", 3);
	ab_say("down.before", "%d", ab_drain_n(p, 3, 1000));
	say_required("down.timeout_before", p);
	ab_ip("link set %s down", AB_LINK);
	ab_sleep(30);
	say_read("down.read", p);
	say_read("down.read_again", p);
	say_required("down.timeout", p);
	ab_ip("link set %s up", AB_LINK);
	ab_sleep(30);
	say_read("up.read", p);
	say_required("up.timeout", p);
	ab_send("icmp", 5);
	ab_say("up.delivered", "%d", ab_drain_n(p, 5, 1000));
	done(p);
}

static void send_four(void *arg)
{
	(void)arg;
	ab_send("icmp", 4);
}

static void set_link(void *arg)
{
	ab_ip("link %s", (const char *)arg);
}

/* A reader that is blocked all the while. */
static void blocked(void)
{
	static const int flags[] = { AB_IMMEDIATE, 0 };
	char key[32];
	unsigned i, n;

	for (i = 0; i < 2; i++) {
		pcap_t *p = fresh(flags[i]);

		n = 0;
		ab_later(50, set_link, "set " AB_LINK " down");
		ab_later(200, set_link, "set " AB_LINK " up");
		ab_later(400, send_four, NULL);
		snprintf(key, sizeof(key), "blocked.loop_%u", i);
		ab_code(key, p, pcap_loop(p, 4, ab_count, (u_char *)&n));
		snprintf(key, sizeof(key), "blocked.delivered_%u", i);
		ab_say(key, "%u", n);
		done(p);
	}
}

static void queued(void)
{
	pcap_t *p = fresh(AB_QUICK);

	ab_send("icmp", 6);
	ab_settle(p, 6);
	ab_ip("link set %s down", AB_LINK);
	ab_sleep(30);
	ab_say("queued.then_down", "%d", ab_drain_n(p, 6, 500));
	ab_ip("link set %s up", AB_LINK);
	ab_sleep(20);
	ab_send("icmp", 2);
	ab_say("queued.then_up", "%d", ab_drain_n(p, 2, 1000));
	done(p);
}

/* Several times: nothing may be used up by an event. */
static void again_and_again(void)
{
	unsigned i, good = 0;
	pcap_t *p = fresh(AB_QUICK);

	for (i = 0; i < 5; i++) {
		ab_ip("link set %s down", AB_LINK);
		ab_drain_n(p, 1, 30);
		ab_ip("link set %s up", AB_LINK);
		ab_drain_n(p, 1, 60);
		ab_send("icmp", 2);
		good += ab_drain_n(p, 2, 1000) == 2;
	}
	ab_say("again.good", "%u of 5", good);
	done(p);
}

static void filter_stays(void)
{
	pcap_t *p = fresh(AB_QUICK);

	ab_filter(p, "udp");
	ab_ip("link set %s down", AB_LINK);
	ab_drain_n(p, 1, 10);
	ab_ip("link set %s up", AB_LINK);
	ab_drain_n(p, 1, 10);
	ab_send("icmp", 3);
	ab_send("udp9", 2);
	ab_say("filter_stays.delivered", "%d", ab_drain_n(p, 6, 100));
	done(p);
}

static void peer_down(void)
{
	pcap_t *p = fresh(AB_QUICK);

	ab_ip("link set %s down", AB_FAR);
	ab_sleep(20);
	say_read("peer_down.read", p);
	say_required("peer_down.timeout", p);
	ab_ip("link set %s up", AB_FAR);
	ab_send("icmp", 2);
	ab_say("peer_up.delivered", "%d", ab_drain_n(p, 2, 1000));
	done(p);
}

/* An idle reader learns of the deletion by an error, once it reads. */
static int read_until_error(pcap_t *p)
{
	double end = ab_now() + 1000;
	unsigned n = 0;
	int rc = 0;

	while (rc >= 0 && ab_now() < end) {
		ab_sleep(1);
		rc = pcap_dispatch(p, -1, ab_count, (u_char *)&n);
	}
	return rc;
}

static void deleted(void)
{
	static const int flags[] = { AB_QUICK, AB_NONBLOCK };
	char key[32];
	unsigned i;

	for (i = 0; i < 2; i++) {
		pcap_t *p = fresh(flags[i]);
		struct pollfd pfd = { pcap_get_selectable_fd(p), POLLIN, 0 };
		struct pcap_stat st;

		ab_link_drop();
		snprintf(key, sizeof(key), "deleted.wakes_poll_%u", i);
		ab_yes(key, poll(&pfd, 1, 1000) == 1);
		snprintf(key, sizeof(key), "deleted.read_%u", i);
		ab_code(key, p, read_until_error(p));
		snprintf(key, sizeof(key), "deleted.stats_%u", i);
		ab_code(key, p, pcap_stats(p, &st));
		snprintf(key, sizeof(key), "deleted.inject_%u", i);
		ab_code(key, p, pcap_inject(p, "0123456789abcdef", 16));
		pcap_close(p);
	}
}

static void deleted_while_blocked(void)
{
	static const int flags[] = { AB_IMMEDIATE, 0 };
	char key[40];
	unsigned i, n = 0;
	double t;

	for (i = 0; i < 2; i++) {
		pcap_t *p = fresh(flags[i]);

		ab_later(100, set_link, "del " AB_LINK);
		t = ab_now();
		snprintf(key, sizeof(key), "deleted.blocked_loop_%u", i);
		ab_code(key, p, pcap_loop(p, -1, ab_count, (u_char *)&n));
		snprintf(key, sizeof(key), "deleted.blocked_soon_%u", i);
		ab_yes(key, ab_now() - t < 1500);
		pcap_close(p);
	}
}

/* Down first, then gone. */
static void down_then_deleted(void)
{
	pcap_t *p = fresh(AB_QUICK);

	ab_ip("link set %s down", AB_LINK);
	ab_sleep(20);
	say_read("gone.down", p);
	ab_link_drop();
	ab_code("gone.deleted", p, read_until_error(p));
	pcap_close(p);
}

/* A new interface of the same name is not the old handle's. */
static void recreated(void)
{
	pcap_t *p = fresh(AB_QUICK), *q;

	ab_link_drop();
	q = fresh(AB_QUICK);
	ab_send("icmp", 3);
	ab_say("recreated.new_handle", "%d", ab_drain_n(q, 3, 1000));
	ab_code("recreated.old_handle", p, read_until_error(p));
	pcap_close(p);
	done(q);
}

static const struct ab_case cases[] = {
	AB_CASE(down_and_up),
	AB_CASE(blocked),
	AB_CASE(queued),
	AB_CASE(again_and_again),
	AB_CASE(filter_stays),
	AB_CASE(peer_down),
	AB_CASE(deleted),
	AB_CASE(deleted_while_blocked),
	AB_CASE(down_then_deleted),
	AB_CASE(recreated),
	AB_CASE_END,
};

int main(void)
{
	return ab_main("link", cases);
}
