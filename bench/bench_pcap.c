/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many packets a second does a program get that uses the libpcap API and
 * nothing else? Run it on the system's library or, with LD_PRELOAD, on the
 * drop-in. Knows nothing of the extension.
 *
 *   bench_pcap [-n] INTERFACE SECONDS      -n: pcap_next_ex(), one call a
 *                                          packet (else pcap_dispatch())
 */
#include "bench/window.h"

#include <err.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

static pcap_t *handle;
static uint64_t packets, touched;

static void take(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	(void)user;
	packets++;
	touched += data[0] + data[h->caplen > 12 ? 12 : 0];
}

/* 64 at a time: looking at the clock costs as much as a packet. */
static int read_singly(void)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	int r = 1;

	for (int i = 0; i < 64 && r == 1; i++) {
		r = pcap_next_ex(handle, &h, &data);
		if (r == 1)
			take(NULL, h, data);
	}
	return r;
}

static int read_many(void)
{
	return pcap_dispatch(handle, -1, take, NULL);
}

static void open_handle(const char *device)
{
	char text[PCAP_ERRBUF_SIZE];

	handle = pcap_create(device, text);
	if (!handle)
		errx(2, "%s", text);
	pcap_set_promisc(handle, 1);
	pcap_set_timeout(handle, 100);
	if (pcap_activate(handle) < 0)
		errx(2, "%s: %s", device, pcap_geterr(handle));
}

static void receive(struct bench_window *w, int (*read)(void))
{
	do {
		if (read() < 0)
			errx(2, "%s", pcap_geterr(handle));
	} while (!bench_over(w, packets));
}

static void report_losses(void)
{
	struct pcap_stat s;

	if (pcap_stats(handle, &s))
		errx(2, "%s", pcap_geterr(handle));
	printf(" ps_recv %u ps_drop %u ps_ifdrop %u\n", s.ps_recv, s.ps_drop,
	       s.ps_ifdrop);
}

int main(int argc, char **argv)
{
	bool one = argc > 1 && !strcmp(argv[1], "-n");
	struct bench_window w;

	bench_arguments(&w, argc - one, argv + one);
	open_handle(w.device);
	bench_ready(&w);
	receive(&w, one ? read_singly : read_many);
	bench_report(&w);
	report_losses();
	pcap_close(handle);
	return touched == 0;
}
