/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many packets a second does a program get that uses the libpcap API and
 * nothing else? Run it on the system's library or, with LD_PRELOAD, on the
 * drop-in. Knows nothing of the extension.
 *
 *   bench_pcap [-n] [-f EXPR] [-u] INTERFACE SECONDS
 *	-n	pcap_next_ex(), one call a packet (else pcap_dispatch())
 *	-f	only what matches
 *	-u	give up root before the filter is set, as some programs do
 */
#include "bench/window.h"

#include <err.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <unistd.h>

#define NOBODY 65534

struct options {
	bool singly, unprivileged;
	const char *filter;
};

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

static void set_filter(const char *expr)
{
	struct bpf_program program;

	if (pcap_compile(handle, &program, expr, 1, PCAP_NETMASK_UNKNOWN) ||
	    pcap_setfilter(handle, &program))
		errx(2, "%s: %s", expr, pcap_geterr(handle));
	pcap_freecode(&program);
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

static void parse(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+nuf:")) != -1) {
		o->singly |= c == 'n';
		o->unprivileged |= c == 'u';
		if (c == 'f')
			o->filter = optarg;
	}
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct bench_window w;

	parse(&o, argc, argv);
	argv[optind - 1] = argv[0];
	bench_arguments(&w, argc - optind + 1, argv + optind - 1);
	open_handle(w.device);
	if (o.unprivileged && setuid(NOBODY))
		err(2, "setuid");
	if (o.filter)
		set_filter(o.filter);
	bench_ready(&w);
	receive(&w, o.singly ? read_singly : read_many);
	bench_report(&w);
	report_losses();
	pcap_close(handle);
	return touched == 0;
}
