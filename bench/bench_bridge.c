/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many packets a second does a program forward from one interface to
 * another through the libpcap API? Run it on the system's library or, with
 * LD_PRELOAD, on the drop-in. Forwards until it is stopped; what arrived is
 * counted behind the second interface.
 *
 *   bench_bridge next|copy|share IN OUT
 *
 *   next     pcap_next_ex() and pcap_inject()
 *   copy     pcap_next_batch() and pcap_forward_batch()
 *   share    the same, and both handles use one packet memory
 */
#include "bench/capture.h"
#include "bench/frame.h"

#include <err.h>
#include <inttypes.h>
#include <pcap-fast.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define BATCH  64
#define BUFFER (64 << 20)

/* Only the drop-in has them. */
#pragma weak pcap_fast_share
#pragma weak pcap_next_batch
#pragma weak pcap_forward_batch

static pcap_t *in, *out;
static uint64_t accepted, refused;

static pcap_t *create(const char *device)
{
	pcap_t *p = bench_create(device);

	pcap_set_immediate_mode(p, 1);
	pcap_set_snaplen(p, 2048);
	pcap_set_buffer_size(p, BUFFER);
	return p;
}

static void start(pcap_t *p, const char *device)
{
	char text[PCAP_ERRBUF_SIZE];

	bench_activate(p, device);
	if (pcap_setdirection(p, PCAP_D_IN) || pcap_setnonblock(p, 1, text))
		errx(2, "%s: %s", device, pcap_geterr(p));
}

static int forward_one(void)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	int rc = pcap_next_ex(in, &h, &data);

	if (rc <= 0)
		return rc;
	if (pcap_inject(out, data, h->caplen) == (int)h->caplen)
		accepted++;
	else
		refused++;
	return 1;
}

static int forward_batch(void)
{
	struct pcap_batch_pkt pkts[BATCH];
	int n = pcap_next_batch(in, pkts, BATCH);
	int sent = n > 0 ? pcap_forward_batch(in, out, pkts, n) : 0;

	if (n <= 0)
		return n;
	accepted += sent > 0 ? sent : 0;
	refused += n - (sent > 0 ? sent : 0);
	return n;
}

static void forward_until_stopped(int (*forward)(void))
{
	struct pollfd p = { .fd = pcap_get_selectable_fd(in),
			    .events = POLLIN };

	while (!bench_stopped) {
		int n = forward();

		if (n < 0)
			errx(2, "%s", pcap_geterr(in));
		if (!n)
			poll(&p, 1, 100);
	}
}

int main(int argc, char **argv)
{
	bool share = argc == 4 && !strcmp(argv[1], "share");
	bool batch = share || (argc == 4 && !strcmp(argv[1], "copy"));

	if (argc != 4 || (!batch && strcmp(argv[1], "next")))
		errx(2, "usage: bench_bridge next|copy|share IN OUT");
	if (batch && !pcap_forward_batch)
		errx(2, "%s: needs the drop-in", argv[1]);
	in = create(argv[2]);
	out = create(argv[3]);
	if (share && pcap_fast_share(out, in))
		errx(2, "%s", pcap_geterr(out));
	start(in, argv[2]);
	start(out, argv[3]);
	bench_until_stopped();
	forward_until_stopped(batch ? forward_batch : forward_one);
	printf("accepted %" PRIu64 " refused %" PRIu64 "\n", accepted, refused);
	pcap_close(in);
	pcap_close(out);
	return 0;
}
