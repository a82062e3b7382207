/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A/B: sending. Sizes at the edges with their codes and texts, what arrives at
 * the other end and in which order, a link that is down, many frames in a row,
 * and that sending leaves the reading half alone.
 */
#include "tests/ab/ab.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static u_char frame[AB_FRAME_MAX];

static const struct {
	const char *name;
	size_t len;
} sizes[] = {
	{ "1", 1 },
	{ "13", 13 },
	{ "14", ETH_HLEN },
	{ "15", 15 },
	{ "60", 60 },
	{ "mtu", AB_MTU },
	{ "mtu_14", AB_MTU + ETH_HLEN },
	{ "mtu_15", AB_MTU + ETH_HLEN + 1 },
	{ "mtu_18", AB_MTU + ETH_HLEN + 4 },
	{ "9000", 9000 },
};

#define SIZES (sizeof(sizes) / sizeof(*sizes))

/* A packet socket on the other end: what really went out. */
static int listen_on(const char *dev)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL) };
	int one = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	at.sll_ifindex = (int)if_nametoindex(dev);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		ab_die("listen on %s", dev);
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	return fd;
}

static ssize_t heard(int fd, u_char *buf, int ms)
{
	struct pollfd pfd = { fd, POLLIN, 0 };

	if (poll(&pfd, 1, ms) != 1)
		return 0;
	return recv(fd, buf, AB_FRAME_MAX, MSG_DONTWAIT);
}

static pcap_t *fresh(int flags)
{
	ab_link_make();
	ab_frame(frame, "udp9", 0, AB_FRAME_MAX);
	return ab_open_on(AB_LINK, flags, 10, 2048);
}

static void done(pcap_t *p)
{
	pcap_close(p);
	ab_link_drop();
}

static void edges(void)
{
	char key[40];
	unsigned i;
	pcap_t *p = fresh(AB_IMMEDIATE);

	for (i = 0; i < SIZES; i++) {
		snprintf(key, sizeof(key), "size.inject_%s", sizes[i].name);
		ab_code(key, p, pcap_inject(p, frame, sizes[i].len));
		snprintf(key, sizeof(key), "size.send_%s", sizes[i].name);
		ab_code(key, p, pcap_sendpacket(p, frame, (int)sizes[i].len));
	}
	done(p);
}

/* The text ends in whatever errno was: only its beginning is shown. */
static void nothing(void)
{
	static const char text[] =
		"The number of bytes to be injected must not be zero";
	pcap_t *p = fresh(AB_IMMEDIATE);

	ab_say("zero.inject", "%d", pcap_inject(p, frame, 0));
	ab_yes("zero.text", !strncmp(pcap_geterr(p), text, sizeof(text) - 1));
	ab_say("zero.sendpacket", "%d", pcap_sendpacket(p, frame, 0));
	ab_say("zero.negative", "%d", pcap_sendpacket(p, frame, -1));
	ab_say("zero.then_good", "%d", pcap_inject(p, frame, 60));
	done(p);
}

static void tagged(void)
{
	pcap_t *p = fresh(AB_IMMEDIATE);
	u_char buf[AB_FRAME_MAX];
	int fd = listen_on(AB_FAR);

	ab_frame(frame, "vlan7", 0, AB_FRAME_MAX);
	ab_code("tagged.100", p, pcap_inject(p, frame, 100));
	ab_say("tagged.heard", "%zd", heard(fd, buf, 1000));
	ab_code("tagged.mtu_18", p, pcap_inject(p, frame, AB_MTU + 18));
	ab_code("tagged.mtu_19", p, pcap_inject(p, frame, AB_MTU + 19));
	close(fd);
	done(p);
}

/* Every frame, as it was given, in order, and at once. */
static void arrives(void)
{
	u_char buf[AB_FRAME_MAX];
	unsigned i, sent = 0, exact = 0, at_once = 0;
	pcap_t *p = fresh(AB_IMMEDIATE);
	int fd = listen_on(AB_FAR);

	for (i = 0; i < 100; i++) {
		ab_frame(frame, "udp9", i, 60 + i * 10);
		sent += pcap_inject(p, frame, 60 + i * 10) ==
			(int)(60 + i * 10);
		at_once += heard(fd, buf, 100) == (ssize_t)(60 + i * 10);
		exact += !memcmp(buf, frame, 60 + i * 10);
		memset(frame, 0, sizeof(frame));
	}
	ab_say("arrives.sent", "%u", sent);
	ab_say("arrives.heard", "%u", at_once);
	ab_say("arrives.exact", "%u", exact);
	close(fd);
	done(p);
}

static void in_a_row(void)
{
	u_char buf[AB_FRAME_MAX];
	unsigned i, sent = 0, order = 0;
	pcap_t *p = fresh(AB_IMMEDIATE);
	int fd = listen_on(AB_FAR);

	for (i = 0; i < 150; i++) {
		ab_frame(frame, "udp9", i, 100);
		sent += pcap_inject(p, frame, 100) == 100;
	}
	for (i = 0; i < 150 && heard(fd, buf, 200) == 100; i++)
		order += ab_seq(buf) == i;
	ab_say("row.sent", "%u", sent);
	ab_say("row.in_order", "%u", order);
	for (i = sent = 0; i < 5000; i++)
		sent += pcap_sendpacket(p, frame, 100) == 0;
	ab_say("row.accepted", "%u", sent);
	close(fd);
	done(p);
}

static void down(void)
{
	pcap_t *p = fresh(AB_QUICK);

	ab_ip("link set %s down", AB_LINK);
	ab_code("down.inject", p, pcap_inject(p, frame, 60));
	ab_code("down.sendpacket", p, pcap_sendpacket(p, frame, 60));
	ab_code("down.short", p, pcap_inject(p, frame, 13));
	ab_drain_n(p, 1, 10);
	ab_ip("link set %s up", AB_LINK);
	ab_drain_n(p, 1, 10);
	ab_code("up.inject", p, pcap_inject(p, frame, 60));
	done(p);
}

/* Sending and reading on one handle do not disturb each other. */
static void both_ways(void)
{
	unsigned i, sent = 0;
	struct pcap_stat st;
	pcap_t *p = fresh(AB_QUICK);

	for (i = 0; i < 20; i++) {
		ab_send("icmp", 5);
		sent += pcap_inject(p, frame, 60) == 60;
	}
	ab_say("both.sent", "%u", sent);
	ab_say("both.received", "%d", ab_drain_n(p, 101, 200));
	pcap_stats(p, &st);
	ab_say("both.recv", "%u", st.ps_recv);
	done(p);
}

static void nonblocking(void)
{
	unsigned i, sent = 0;
	pcap_t *p = fresh(AB_QUICK);

	for (i = 0; i < 50; i++)
		sent += pcap_inject(p, frame, 200) == 200;
	ab_say("nonblock.sent", "%u", sent);
	done(p);
}

/* A filter or direction concerns reading only. */
static void filtered(void)
{
	pcap_t *p = fresh(AB_QUICK);

	ab_filter(p, "icmp");
	ab_code("filtered.direction", p, pcap_setdirection(p, PCAP_D_IN));
	ab_code("filtered.inject", p, pcap_inject(p, frame, 100));
	done(p);
}

static const struct ab_case cases[] = {
	AB_CASE(edges),	    AB_CASE(nothing),	  AB_CASE(tagged),
	AB_CASE(arrives),   AB_CASE(in_a_row),	  AB_CASE(down),
	AB_CASE(both_ways), AB_CASE(nonblocking), AB_CASE(filtered),
	AB_CASE_END,
};

int main(void)
{
	return ab_main("inject", cases);
}
