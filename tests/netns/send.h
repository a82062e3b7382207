/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the programs that send on the test network share: each test on a handle
 * of every mode (an exclusive one sends through a TX ring, one of the system's
 * library does not), frames to send, and what the peer gets of them.
 */
#ifndef PCF_SEND_H
#define PCF_SEND_H

#include "tests/netns/common.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 1024

static const char *const modes[] = { "exclusive", "mirror", "system" };
#define NMODES (sizeof(modes) / sizeof(modes[0]))

PCF_SHARED pcap_t *open_on(const char *mode, const char *device)
{
	char name[64];
	pcap_t *p;

	snprintf(name, sizeof(name), "%s:%s", mode, device);
	p = fresh(name);
	pcap_set_snaplen(p, 65535);
	go_live(p);
	return p;
}

/* Run a test in every mode, each with a new pair of interfaces. */
PCF_SHARED void in_each_mode(void (*test)(const char *mode), unsigned mtu)
{
	for (unsigned i = 0; i < NMODES && !skip(); i++) {
		net_link(1, mtu);
		test(modes[i]);
		CU_ASSERT_EQUAL(net_left_over(), 0);
	}
}

PCF_SHARED unsigned size_any(uint32_t i)
{
	return 14 + i * 37 % 1501;
}

/* Of our frames only, within a second: how many, from `first` on in order and
 * whole. The number is the packet's, or tells where the first fault is. */
PCF_SHARED unsigned arrived(int fd, uint32_t first, unsigned n,
			    unsigned (*size)(uint32_t))
{
	uint8_t f[10000];
	unsigned i = 0;

	for (int idle = 0; i < n && idle < 1000;) {
		ssize_t len = recv(fd, f, sizeof(f), MSG_TRUNC);

		if (len < 0) {
			usleep(1000);
			idle++;
			continue;
		}
		if (f[0] != 2 || f[4] != 0x77)
			continue;
		if ((unsigned)len != size(first + i) ||
		    !net_same(f, len, first + i)) {
			printf("    frame %u: %zd bytes, not as sent\n", i,
			       len);
			return i;
		}
		i++;
	}
	return i;
}

PCF_SHARED void build(struct pcap_batch_pkt *pkt, uint8_t *to, uint32_t number,
		      unsigned len)
{
	net_frame(to, len, number);
	*pkt = (struct pcap_batch_pkt){ .hdr.caplen = len, .data = to };
}

/* A handle on vA, its peer, and frames to send. */
struct sender {
	pcap_t *p;
	int peer;
	struct pcap_batch_pkt *pkts;
	uint8_t *area;
};

PCF_SHARED struct sender open_sender(const char *mode)
{
	struct sender s = { .pkts = calloc(MOST, sizeof(*s.pkts)),
			    .area = malloc(MOST * 9100) };

	if (!s.pkts || !s.area)
		abort();
	s.p = open_on(mode, "vA");
	s.peer = net_listen("vB");
	return s;
}

PCF_SHARED void close_sender(struct sender *s)
{
	close(s->peer);
	pcap_close(s->p);
	free(s->area);
	free(s->pkts);
}

/* The first `n` frames, numbered from `first` on. */
PCF_SHARED void build_all(struct sender *s, uint32_t first, unsigned n,
			  unsigned (*size)(uint32_t))
{
	for (unsigned i = 0; i < n; i++)
		build(&s->pkts[i], s->area + i * 9100, first + i,
		      size(first + i));
}

PCF_SHARED void fails(int rc, pcap_t *p, const char *text)
{
	CU_ASSERT_EQUAL(rc, PCAP_ERROR);
	if (strncmp(pcap_geterr(p), text, strlen(text))) {
		printf("    \"%s\", not \"%s\"\n", pcap_geterr(p), text);
		CU_FAIL("text");
	}
}

#endif
