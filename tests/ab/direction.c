/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A/B: directions. Received frames, frames that the host sends and frames
 * injected through the handle itself or through another one, with IN, OUT and
 * INOUT, and in which order a reader sees both halves.
 */
#include "tests/ab/ab.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int set; /* -1: not set */
} directions[] = { { "unset", -1 },
		   { "inout", PCAP_D_INOUT },
		   { "in", PCAP_D_IN },
		   { "out", PCAP_D_OUT } };

#define EACH(i)                                                                \
	(i) = 0;                                                               \
	(i) < 4;                                                               \
	(i)++

static const char *key_of(unsigned i, const char *what)
{
	static char key[64];

	snprintf(key, sizeof(key), "%s.%s", directions[i].name, what);
	return key;
}

static pcap_t *directed(unsigned i)
{
	pcap_t *p = ab_open(AB_QUICK, 10);

	if (directions[i].set >= 0)
		ab_code(key_of(i, "set"), p,
			pcap_setdirection(p, directions[i].set));
	return p;
}

/* The host itself sends: any packet socket's frames are outgoing ones. */
static void host_sends(const char *kind, unsigned n)
{
	ab_feed_from(AB_DEV);
	ab_send(kind, n);
}

static void received(void)
{
	unsigned i;

	for (EACH(i)) {
		pcap_t *p = directed(i);

		ab_send("icmp", 10);
		ab_say(key_of(i, "received"), "%d", ab_drain_n(p, 11, 80));
		pcap_close(p);
	}
}

static void sent(void)
{
	unsigned i;

	for (EACH(i)) {
		pcap_t *p = ab_open(AB_QUICK, 10);

		if (directions[i].set >= 0)
			pcap_setdirection(p, directions[i].set);
		host_sends("icmp", 10);
		ab_say(key_of(i, "sent"), "%d", ab_drain_n(p, 11, 80));
		ab_filter(p, "udp port 9");
		host_sends("icmp", 4);
		host_sends("udp9", 3);
		ab_say(key_of(i, "sent_filtered"), "%d", ab_drain_n(p, 8, 80));
		pcap_close(p);
	}
}

/* Injected frames: unseen by the handle itself, seen by the others. */
static void injected(void)
{
	u_char frame[AB_FRAME_MAX];
	unsigned i, k;

	ab_frame(frame, "udp9", 0, 100);
	for (EACH(i)) {
		pcap_t *p = ab_open(AB_QUICK, 10), *q = ab_open(AB_QUICK, 10);

		if (directions[i].set >= 0) {
			pcap_setdirection(p, directions[i].set);
			pcap_setdirection(q, directions[i].set);
		}
		for (k = 0; k < 5; k++)
			pcap_inject(p, frame, 100);
		ab_say(key_of(i, "injected_own"), "%d", ab_drain_n(p, 6, 80));
		ab_say(key_of(i, "injected_other"), "%d", ab_drain_n(q, 6, 80));
		pcap_close(p);
		pcap_close(q);
	}
}

static void letters(u_char *user, const struct pcap_pkthdr *h,
		    const u_char *data)
{
	size_t used = strlen((char *)user);

	(void)h;
	if (used < 60)
		((char *)user)[used] = data[23] == 1 ? 'i' : 'o';
}

static void in_then_out(pcap_t *q, const u_char *frame, unsigned n)
{
	while (n--) {
		ab_send("icmp", 1);
		ab_sleep(2);
		pcap_inject(q, frame, 100);
		ab_sleep(2);
	}
}

/* Both halves come in the order in which they passed the interface. */
static void merged(void)
{
	u_char frame[AB_FRAME_MAX];
	char order[64] = "";
	pcap_t *p = ab_open(AB_QUICK, 10), *q = ab_open(AB_QUICK, 10);

	ab_frame(frame, "udp9", 0, 100);
	in_then_out(q, frame, 8);
	ab_sleep(5);
	ab_drain(p, letters, order, 16, 500);
	ab_say("merged.order", "%s", order);
	pcap_close(p);
	pcap_close(q);
}

/* The same, one packet a call, as clients with select() read. */
static void merged_one_by_one(void)
{
	u_char frame[AB_FRAME_MAX];
	char order[64] = "";
	unsigned n;
	pcap_t *p = ab_open(AB_QUICK, 10), *q = ab_open(AB_QUICK, 10);

	ab_frame(frame, "udp9", 0, 100);
	in_then_out(q, frame, 6);
	for (n = 0; n < 30 && ab_ready(p, 100); n++)
		pcap_dispatch(p, 1, letters, (u_char *)order);
	ab_say("merged.one_by_one", "%s in %u", order, n);
	pcap_close(p);
	pcap_close(q);
}

/* A tagged frame that the host sends has its tag, as a received one has. */
static void sent_tagged(void)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	pcap_t *p = ab_open(AB_QUICK, 10);

	host_sends("vlan7", 1);
	ab_settle(p, 1);
	if (pcap_next_ex(p, &h, &data) == 1)
		ab_say("tagged.sent", "%u/%u %02x%02x %02x%02x", h->caplen,
		       h->len, data[12], data[13], data[14], data[15]);
	ab_filter(p, "vlan 7");
	host_sends("vlan7", 3);
	host_sends("icmp", 3);
	ab_say("tagged.filter", "%d", ab_drain_n(p, 7, 80));
	pcap_close(p);
}

static void changed(void)
{
	pcap_t *p = ab_open(AB_QUICK, 10);
	struct pcap_stat st;

	ab_send("icmp", 5);
	ab_settle(p, 5);
	ab_code("changed.to_out", p, pcap_setdirection(p, PCAP_D_OUT));
	ab_say("changed.queued", "%d", ab_drain_n(p, 6, 80));
	ab_code("changed.to_inout", p, pcap_setdirection(p, PCAP_D_INOUT));
	ab_send("icmp", 5);
	ab_say("changed.new", "%d", ab_drain_n(p, 5, 1000));
	pcap_stats(p, &st);
	ab_say("changed.recv", "%u", st.ps_recv);
	ab_code("changed.invalid", p, pcap_setdirection(p, 9));
	ab_code("changed.negative", p, pcap_setdirection(p, -1));
	pcap_close(p);
}

static const struct ab_case cases[] = {
	AB_CASE(received),	    AB_CASE(sent),
	AB_CASE(injected),	    AB_CASE(merged),
	AB_CASE(merged_one_by_one), AB_CASE(sent_tagged),
	AB_CASE(changed),	    AB_CASE_END,
};

int main(void)
{
	return ab_main("direction", cases);
}
