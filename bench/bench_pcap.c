/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many packets a second does a program get that uses the libpcap API? Run
 * it on the system's library or, with LD_PRELOAD, on the drop-in, which has the
 * batch call of the extension, too.
 *
 *   bench_pcap [-n|-b|-i] [-f EXPR] [-u] INTERFACE SECONDS
 *	-n	pcap_next_ex(), one call a packet (else pcap_dispatch())
 *	-b	pcap_next_batch(), 64 at a time
 *	-i	never read; until killed
 *	-f	only what matches
 *	-u	give up root before the filter is set, as some programs do
 */
#include "bench/capture.h"
#include "bench/window.h"

#include <err.h>
#include <pcap-fast.h>
#include <stdio.h>
#include <unistd.h>

#define NOBODY 65534
#define BATCH  64

/* Only the drop-in has it. */
#pragma weak pcap_next_batch

struct options {
	int (*read)(void); /* as pcap_dispatch(); NULL: never */
	bool unprivileged;
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

/* So many at a time: looking at the clock costs as much as a packet. */
static int read_singly(void)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	int r = 1;

	for (int i = 0; i < BATCH && r == 1; i++) {
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

static int read_batch(void)
{
	struct pcap_batch_pkt pkts[BATCH];
	int n = pcap_next_batch(handle, pkts, BATCH);

	for (int i = 0; i < n; i++)
		take(NULL, &pkts[i].hdr, pkts[i].data);
	return n;
}

static void open_handle(const char *device)
{
	handle = bench_create(device);
	pcap_set_timeout(handle, 100);
	bench_activate(handle, device);
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

/* The index of the first argument that is no option. */
static int parse(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+nbiuf:")) != -1) {
		o->unprivileged |= c == 'u';
		if (c == 'f')
			o->filter = optarg;
		else if (c != 'u')
			o->read = c == 'n' ? read_singly :
				  c == 'b' ? read_batch :
					     NULL;
	}
	if (o->read == read_batch && !pcap_next_batch)
		errx(2, "-b: needs the drop-in");
	return optind;
}

int main(int argc, char **argv)
{
	struct options o = { .read = read_many };
	struct bench_window w;

	bench_arguments(&w, argc, argv, parse(&o, argc, argv));
	open_handle(w.device);
	if (o.unprivileged && setuid(NOBODY))
		err(2, "setuid");
	if (o.filter)
		set_filter(o.filter);
	bench_ready(&w);
	while (!o.read)
		pause();
	receive(&w, o.read);
	bench_report(&w);
	report_losses();
	pcap_close(handle);
	return touched == 0;
}
