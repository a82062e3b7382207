/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads in batches and remembers the last packets without copying them: each
 * is held, and released when a newer one takes its place. Interrupted (^C), it
 * prints how many packets there were, and the last ones.
 *
 *	cc -o read_batch read_batch.c $(pkg-config --cflags --libs libpcap-fast)
 *	./read_batch exclusive:eth1 'udp port 53'
 */
#include <pcap-fast.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH  64
#define BUFFER (16 << 20) /* for when this process has no processor */
#define LAST   16
#define SHOWN  42 /* bytes of each */

static pcap_t *capture;
static struct pcap_batch_pkt last[LAST];
static unsigned long long packets, bytes;

static void must(const char *what, int rc)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "read_batch: %s: %s\n", what, pcap_geterr(capture));
	exit(1);
}

static void on_interrupt(int sig)
{
	(void)sig;
	pcap_breakloop(capture);
}

static void start(const char *device, const char *expression)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	struct bpf_program filter;

	capture = pcap_create(device, errbuf);
	if (!capture) {
		fprintf(stderr, "read_batch: %s\n", errbuf);
		exit(1);
	}
	pcap_set_promisc(capture, 1);
	pcap_set_timeout(capture, 100);
	pcap_set_buffer_size(capture, BUFFER);
	must(device, pcap_activate(capture));
	must(expression, pcap_compile(capture, &filter, expression, 1,
				      PCAP_NETMASK_UNKNOWN));
	must(expression, pcap_setfilter(capture, &filter));
	pcap_freecode(&filter);
	signal(SIGINT, on_interrupt);
}

/* Its frame stays ours until it is released. Releasing what was never held is
 * harmless, so the first round needs no other code. */
static void remember(const struct pcap_batch_pkt *pkt)
{
	struct pcap_batch_pkt *place = &last[packets % LAST];

	must("releasing", pcap_release_batch(capture, place, 1));
	*place = *pkt;
	must("holding", pcap_hold_batch(capture, place, 1));
	packets++;
	bytes += pkt->hdr.len;
}

static void print(const struct pcap_batch_pkt *pkt)
{
	printf("%lld.%06ld %u bytes:", (long long)pkt->hdr.ts.tv_sec,
	       (long)pkt->hdr.ts.tv_usec, pkt->hdr.len);
	for (unsigned i = 0; i < pkt->hdr.caplen && i < SHOWN; i++)
		printf("%s%02x", i % 2 ? "" : " ", pkt->data[i]);
	putchar('\n');
}

int main(int argc, char **argv)
{
	struct pcap_batch_pkt pkts[BATCH];
	int n;

	if (argc < 2 || argc > 3) {
		fputs("usage: read_batch INTERFACE [FILTER]\n", stderr);
		return 2;
	}
	start(argv[1], argc > 2 ? argv[2] : "");
	while ((n = pcap_next_batch(capture, pkts, BATCH)) >= 0)
		for (int i = 0; i < n; i++)
			remember(&pkts[i]);
	if (n != PCAP_ERROR_BREAK)
		must("reading", n);
	printf("%llu packets, %llu bytes\n", packets, bytes);
	for (unsigned i = packets < LAST ? 0 : packets % LAST, k = 0;
	     k < LAST && k < packets; k++)
		print(&last[(i + k) % LAST]);
	pcap_close(capture);
	return 0;
}
