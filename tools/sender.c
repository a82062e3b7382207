/* SPDX-License-Identifier: BSD-3-Clause */
/* Pace, progress and account of the sending subcommands; see sender.h. */
#include "tools/sender.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NSEC 1000000000ll
/* On the wire a frame has these more: preamble, check sum, gap. */
#define WIRE_EXTRA 24
#define ETHERNET_HEADER 14
#define MOST_BATCH 1024
/* Between attempts while a queueing discipline or the device is full. */
#define PAUSE_NS 50000

volatile bool sender_stop;

static void on_signal(int sig)
{
	(void)sig;
	sender_stop = true;
}

int64_t sender_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC + t.tv_nsec;
}

double sender_number(const char *name, const char *option, const char *text,
		     double least, double most)
{
	char *end;
	double value = strtod(text, &end);

	if (end != text && !*end && value >= least && value <= most)
		return value;
	fprintf(stderr,
		"pcap-fast %s: --%s: \"%s\" is no number from %g to %g\n", name,
		option, text, least, most);
	exit(2);
}

void sender_option(struct sender *s, int letter)
{
	switch (letter) {
	case 'p':
		s->pps = sender_number(s->name, "pps", optarg, 0.001, 1e9);
		break;
	case 'm':
		s->mbps = sender_number(s->name, "mbps", optarg, 0.001, 1e6);
		break;
	case 'b':
		s->batch = sender_number(s->name, "batch", optarg, 1,
					 MOST_BATCH);
		break;
	default:
		s->json = true;
	}
}

static pcap_t *activate(const char *name, const char *device)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_create(device, errbuf);
	int rc;

	if (!p) {
		fprintf(stderr, "pcap-fast %s: %s: %s\n", name, device, errbuf);
		return NULL;
	}
	/* `auto` takes an interface only for one who asks for all of it. */
	pcap_set_promisc(p, 1);
	rc = pcap_activate(p);
	if (rc >= 0 && pcap_datalink(p) == DLT_EN10MB) {
		pcap_setdirection(p, PCAP_D_OUT);
		return p;
	}
	fprintf(stderr, "pcap-fast %s: %s: %s%s%s\n", name, device,
		rc < 0 ? pcap_statustostr(rc) : "no Ethernet interface",
		rc < 0 && *pcap_geterr(p) ? ": " : "",
		rc < 0 ? pcap_geterr(p) : "");
	pcap_close(p);
	return NULL;
}

bool sender_open(struct sender *s, const char *device)
{
	struct sigaction stop = { .sa_handler = on_signal };

	s->p = activate(s->name, device);
	if (!s->p)
		return false;
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	s->start = s->shown = sender_clock();
	return true;
}

/* When the next packet may leave, in ns from the start. */
static int64_t due_at(const struct sender *s)
{
	if (s->pps > 0)
		return s->frames * (NSEC / s->pps);
	return (s->bytes + s->frames * WIRE_EXTRA) * 8 * (1000 / s->mbps);
}

static double due_more(const struct sender *s, int64_t late, uint32_t len)
{
	if (s->pps > 0)
		return late * s->pps / NSEC;
	return late * s->mbps / 1000 / ((len + WIRE_EXTRA) * 8);
}

int sender_due(struct sender *s, int n, uint32_t len)
{
	int64_t late;
	double more;

	if (s->pps <= 0 && s->mbps <= 0)
		return n;
	while ((late = sender_clock() - s->start - due_at(s)) < 0) {
		struct timespec t = { .tv_nsec = -late < NSEC / 10
							 ? -late
							 : NSEC / 10 };

		if (sender_stop)
			return 0;
		if (-late > 50000)
			nanosleep(&t, NULL);
	}
	more = 1 + due_more(s, late, len);
	return more < n ? (int)more : n;
}

static void show_progress(struct sender *s)
{
	int64_t now = sender_clock();

	if (now - s->shown < NSEC || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%" PRIu64 " frames, %.0f frames/s   ", s->frames,
		(s->frames - s->frames_shown) * (double)NSEC /
			(now - s->shown));
	s->frames_shown = s->frames;
	s->shown = now;
}

/* The library has errors as text only: libpcap's "send: " and strerror(). */
static bool failed_with(const struct sender *s, int err)
{
	const char *text = pcap_geterr(s->p);

	return !strncmp(text, "send: ", 6) && !strcmp(text + 6, strerror(err));
}

/* The count of such packets, if this one is to be skipped. */
static uint64_t *skipped(struct sender *s, const struct pcap_batch_pkt *pkt)
{
	if (!s->skip)
		return NULL;
	if (pkt->hdr.caplen < ETHERNET_HEADER)
		return &s->too_short;
	return failed_with(s, EMSGSIZE) ? &s->too_long : NULL;
}

/* The first packet was refused: skip it (1), try again (0), or give up. */
static int refused(struct sender *s, const struct pcap_batch_pkt *pkt)
{
	static const struct timespec pause = { .tv_nsec = PAUSE_NS };
	uint64_t *count = skipped(s, pkt);

	if (count) {
		++*count;
		return 1;
	}
	if (sender_stop)
		return -1;
	if (!failed_with(s, ENOBUFS)) {
		fprintf(stderr, "pcap-fast %s: %s\n", s->name,
			pcap_geterr(s->p));
		return -1;
	}
	nanosleep(&pause, NULL);
	return 0;
}

static int send_some(struct sender *s, const struct pcap_batch_pkt *pkts, int n)
{
	int rc = pcap_inject_batch(s->p, pkts, n);

	for (int i = 0; i < rc; i++)
		s->bytes += pkts[i].hdr.caplen;
	s->frames += rc > 0 ? rc : 0;
	return rc < 0 ? refused(s, pkts) : rc;
}

bool sender_send(struct sender *s, const struct pcap_batch_pkt *pkts, int n)
{
	while (n > 0 && !sender_stop) {
		int rc = send_some(s, pkts, n);

		if (rc < 0)
			return false;
		pkts += rc;
		n -= rc;
		show_progress(s);
	}
	return !sender_stop;
}

static void print_account(const struct sender *s, double seconds,
			  uint64_t dropped)
{
	const char *format =
		s->json ? "{\"frames\": %" PRIu64 ", \"bytes\": %" PRIu64
			  ", \"seconds\": %.6f, \"pps\": %.0f, \"mbps\": %.3f, \"dropped\": %" PRIu64
			  ", \"too_long\": %" PRIu64 ", \"too_short\": %" PRIu64
			  "}\n"
			: "%" PRIu64 " frames, %" PRIu64
			  " bytes in %.3f s: %.0f frames/s, %.1f Mbit/s; %" PRIu64
			  " dropped by the device, %" PRIu64
			  " too long and %" PRIu64 " too short to be sent\n";

	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
	printf(format, s->frames, s->bytes, seconds, s->frames / seconds,
	       (s->bytes + s->frames * WIRE_EXTRA) * 8 / seconds / 1e6,
	       dropped, s->too_long, s->too_short);
}

void sender_close(struct sender *s)
{
	struct pcap_fast_info info;
	double seconds;

	pcap_tx_flush(s->p, 1000);
	seconds = (sender_clock() - s->start + 1) / (double)NSEC;
	pcap_fast_get_info(s->p, &info, sizeof(info));
	print_account(s, seconds, info.send_dropped);
	pcap_close(s->p);
}
