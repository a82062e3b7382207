/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A/B: how long packet data stay, and what callers may do to them: valid
 * until the next read, also while traffic goes on; writable; where the header
 * lives; how the snapshot length clips.
 */
#include "tests/ab/ab.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LEN 200

static pcap_t *loaded(int flags, int snaplen, unsigned n)
{
	pcap_t *p = ab_open_on(AB_DEV, flags, 10, snaplen);

	ab_send_len("icmp", n, LEN);
	ab_settle(p, n);
	return p;
}

static int is_frame(const u_char *data, uint32_t seq)
{
	u_char want[AB_FRAME_MAX];

	ab_frame(want, "icmp", seq, LEN);
	return !memcmp(data, want, LEN);
}

/* Data outlive other calls and a flood that would reuse every buffer. */
static void until_next_read(void)
{
	struct pcap_pkthdr *h = NULL;
	const u_char *data = NULL;
	struct pcap_stat st;
	pcap_t *p = loaded(AB_QUICK, 2048, 3);

	ab_say("next_ex.code", "%d", pcap_next_ex(p, &h, &data));
	pcap_stats(p, &st);
	ab_filter(p, "icmp");
	ab_yes("next_ex.kept_over_calls", is_frame(data, 0));
	ab_send_len("icmp", 4000, LEN);
	ab_yes("next_ex.kept_over_flood", is_frame(data, 0));
	ab_say("next_ex.header_kept", "%u/%u", h->caplen, h->len);
	ab_say("next_ex.second", "%d", pcap_next_ex(p, &h, &data));
	ab_yes("next_ex.second_exact", is_frame(data, 1));
	pcap_close(p);
}

static void next_until_next_read(void)
{
	struct pcap_pkthdr h;
	const u_char *data;
	pcap_t *p = loaded(AB_NONBLOCK, 2048, 3);

	ab_yes("next.ready", ab_ready(p, 1000));
	data = pcap_next(p, &h);
	ab_send_len("icmp", 4000, LEN);
	ab_yes("next.kept_over_flood", data && is_frame(data, 0));
	data = pcap_next(p, &h);
	ab_yes("next.second_exact", data && is_frame(data, 1));
	pcap_close(p);
}

struct scribble {
	unsigned seen, exact, aligned;
};

/* Clients do cast the const away: arpwatch writes into what it is given. */
static void overwrite(u_char *user, const struct pcap_pkthdr *h,
		      const u_char *data)
{
	struct scribble *s = (void *)user;

	s->exact += is_frame(data, s->seen++);
	s->aligned += (uintptr_t)data % 2 == 0;
	memset((u_char *)(uintptr_t)data, 0xa5, h->caplen);
}

static void writable(void)
{
	static const int flags[] = { AB_QUICK, AB_NONBLOCK };
	struct scribble s;
	char key[40];
	unsigned i;
	pcap_t *p;

	for (i = 0; i < 2; i++) {
		s = (struct scribble){ 0, 0, 0 };
		ab_feed_restart();
		p = loaded(flags[i], 2048, 50);
		ab_drain(p, overwrite, &s, 50, 1000);
		snprintf(key, sizeof(key), "writable.seen_%u", i);
		ab_say(key, "%u", s.seen);
		snprintf(key, sizeof(key), "writable.others_exact_%u", i);
		ab_say(key, "%u", s.exact);
		snprintf(key, sizeof(key), "writable.aligned_%u", i);
		ab_say(key, "%u", s.aligned);
		pcap_close(p);
	}
}

static void writable_next(void)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	unsigned i, exact = 0;
	pcap_t *p = loaded(AB_QUICK, 2048, 20);

	for (i = 0; i < 20 && pcap_next_ex(p, &h, &data) == 1; i++) {
		exact += is_frame(data, i);
		memset((u_char *)(uintptr_t)data, 0xa5, h->caplen);
	}
	ab_say("writable.next_ex_exact", "%u", exact);
	pcap_close(p);
}

static void lengths(u_char *user, const struct pcap_pkthdr *h,
		    const u_char *data)
{
	(void)data;
	snprintf((char *)user, 32, "%u/%u", h->caplen, h->len);
}

/*
 * Not in immediate mode, where the system's library rounds its slots and cuts
 * some packets two bytes short.
 */
static void snaplens(void)
{
	static const int snaplen[] = { 1, 14, 60, 199, 200, 201 };
	char key[32], got[32];
	unsigned i;
	pcap_t *p;

	for (i = 0; i < 6; i++) {
		p = loaded(AB_NONBLOCK, snaplen[i], 1);
		strcpy(got, "none");
		ab_drain(p, lengths, got, 1, 1000);
		snprintf(key, sizeof(key), "snaplen.clip_%d", snaplen[i]);
		ab_say(key, "%s", got);
		pcap_close(p);
	}
}

static void bytes_clipped(void)
{
	struct pcap_pkthdr *h;
	u_char want[AB_FRAME_MAX];
	const u_char *data = NULL;
	pcap_t *p = loaded(AB_NONBLOCK, 60, 1);

	ab_frame(want, "icmp", 0, LEN);
	ab_yes("snaplen.ready", ab_ready(p, 1000));
	ab_say("snaplen.code", "%d", pcap_next_ex(p, &h, &data));
	ab_yes("snaplen.bytes_exact", data && !memcmp(data, want, 60));
	pcap_close(p);
}

/* Packets of a handle survive what other handles of the process do. */
static void other_handle(void)
{
	struct pcap_pkthdr *h;
	const u_char *data = NULL;
	pcap_t *p = loaded(AB_QUICK, 2048, 2), *q;

	ab_say("other.code", "%d", pcap_next_ex(p, &h, &data));
	q = ab_open(AB_QUICK, 10);
	ab_send("udp9", 10);
	ab_say("other.handle", "%d", ab_drain_n(q, 10, 1000));
	pcap_close(q);
	ab_yes("other.kept", data && is_frame(data, 0));
	pcap_close(p);
}

static const struct ab_case cases[] = {
	AB_CASE(until_next_read), AB_CASE(next_until_next_read),
	AB_CASE(writable),	  AB_CASE(writable_next),
	AB_CASE(snaplens),	  AB_CASE(bytes_clipped),
	AB_CASE(other_handle),	  AB_CASE_END,
};

int main(void)
{
	return ab_main("lifetime", cases);
}
