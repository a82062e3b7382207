/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An inline bridge: what comes in by one interface leaves by the other, both
 * ways, until it is killed. Packets are not copied where both are AF_XDP
 * captures. `pcap-fast bridge` is the same with filters and an account.
 *
 *	cc -o bridge bridge.c $(pkg-config --cflags --libs libpcap-fast)
 *	./bridge exclusive:eth1 exclusive:eth2
 */
#include <pcap-fast.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH	64
#define LONGEST 16384	   /* the system's libpcap makes room for as many */
#define BUFFER	(64 << 20) /* packets of this size as fit into the buffer */

static int must(const char *what, pcap_t *p, int rc)
{
	if (rc >= 0)
		return rc;
	fprintf(stderr, "bridge: %s: %s\n", what, pcap_geterr(p));
	exit(1);
}

/* What the other side has no room for is dropped, as by any bridge. */
static int forward(pcap_t *in, pcap_t *out)
{
	struct pcap_batch_pkt pkts[BATCH];
	int n = must("reading", in, pcap_next_batch(in, pkts, BATCH));

	pcap_forward_batch(in, out, pkts, n);
	return n;
}

int main(int argc, char **argv)
{
	char errbuf[PCAP_ERRBUF_SIZE] = "usage: bridge INTERFACE INTERFACE";
	struct pollfd fds[2];
	pcap_t *p[2];

	for (int i = 0; i < 2; i++) {
		p[i] = argc == 3 ? pcap_create(argv[i + 1], errbuf) : NULL;
		if (!p[i])
			return fprintf(stderr, "%s\n", errbuf), 1;
		pcap_set_promisc(p[i], 1);
		pcap_set_immediate_mode(p[i], 1);
		pcap_set_snaplen(p[i], LONGEST);
		pcap_set_buffer_size(p[i], BUFFER);
	}
	must("sharing", p[0], pcap_fast_share(p[0], p[1]));
	for (int i = 0; i < 2; i++) {
		must(argv[i + 1], p[i], pcap_activate(p[i]));
		/* not what it has sent itself: that would go round for ever */
		must(argv[i + 1], p[i], pcap_setdirection(p[i], PCAP_D_IN));
		must(argv[i + 1], p[i], pcap_setnonblock(p[i], 1, errbuf));
		fds[i].fd = pcap_get_selectable_fd(p[i]);
		fds[i].events = POLLIN;
	}
	for (;;)
		if (forward(p[0], p[1]) + forward(p[1], p[0]) == 0)
			poll(fds, 2, -1);
}
