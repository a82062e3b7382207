/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Builds numbered UDP packets where the device reads them, and sends them in
 * batches: nothing is copied on an exclusive capture.
 *
 *	cc -o send_in_place send_in_place.c \
 *		$(pkg-config --cflags --libs libpcap-fast)
 *	./send_in_place exclusive:eth1 1000000
 */
#include <pcap-fast.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 64
#define SIZE  60

static int must(const char *what, pcap_t *p, int rc)
{
	if (rc >= 0)
		return rc;
	fprintf(stderr, "send_in_place: %s: %s\n", what, pcap_geterr(p));
	exit(1);
}

static pcap_t *start(const char *device)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_create(device, errbuf);

	if (!p) {
		fprintf(stderr, "send_in_place: %s\n", errbuf);
		exit(1);
	}
	pcap_set_promisc(p, 1);
	must(device, p, pcap_activate(p));
	/* reads nothing: what comes in is left to the host */
	must(device, p, pcap_setdirection(p, PCAP_D_OUT));
	return p;
}

/* From 10.0.0.1 to 10.0.0.2 port 9, to all stations, the number in front of
 * the data; UDP has no check sum. */
static unsigned build(u_char *frame, unsigned long number)
{
	static const u_char head[] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,	0, 0,  0, 0,
		1,    8,    0,	  0x45, 0,    0,    46, 0, 0,  0, 0,
		64,   17,   0x66, 0xbd, 10,   0,    0,	1, 10, 0, 0,
		2,    0,    9,	  0,	9,    0,    26, 0, 0,
	};

	memset(frame, 0, SIZE);
	memcpy(frame, head, sizeof(head));
	for (int i = 0; i < 4; i++)
		frame[sizeof(head) + i] = number >> (24 - 8 * i);
	return SIZE;
}

/* One batch from this number on: how many were sent. */
static unsigned long send_some(pcap_t *p, unsigned long number,
			       unsigned long left)
{
	struct pcap_batch_pkt pkts[BATCH];
	int n = must("reserving", p,
		     pcap_tx_reserve(p, pkts, left < BATCH ? left : BATCH));
	int sent;

	if (!n) {
		pcap_tx_flush(p, 10); /* all frames are on their way */
		return 0;
	}
	for (int i = 0; i < n; i++)
		pkts[i].hdr.caplen = build((u_char *)pkts[i].data, number + i);
	sent = must("sending", p, pcap_tx_submit(p, pkts, n));
	/* what was not accepted is still ours */
	must("releasing", p, pcap_release_batch(p, pkts + sent, n - sent));
	return sent;
}

int main(int argc, char **argv)
{
	unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned long sent = 0;
	int unsent;
	pcap_t *p;

	if (!count) {
		fputs("usage: send_in_place INTERFACE COUNT\n", stderr);
		return 2;
	}
	p = start(argv[1]);
	while (sent < count)
		sent += send_some(p, sent, count - sent);
	unsent = must("sending", p, pcap_tx_flush(p, 1000));
	printf("%lu packets, %d of them not yet sent\n", sent, unsent);
	pcap_close(p);
	return unsent > 0;
}
