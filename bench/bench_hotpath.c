/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads and sends packets over the library's own rings in plain memory, with this
 * program in the kernel's place: what a packet costs in instructions is
 * counted by running it under callgrind (bench/instructions).
 *
 *   bench_hotpath xsk|ring batch|dispatch|next_ex ROUNDS
 *   bench_hotpath send inject|batch ROUNDS
 *
 * Each round fills the ring with PACKETS packets of 64 bytes and reads them in
 * measured(), the only function to be counted. A second lane, which has
 * nothing, stands for the shadow of a real handle. Sending is counted with what
 * stands for sendto(), five instructions a packet and ten a call.
 */
#include "bench/hotpath_rings.h"
#include "libpcap-fast/handle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKETS HOTPATH_PACKETS
#define BATCH	64

static pcap_t *p;
static unsigned seen;

static unsigned no_rx(struct pcf_queue *q, struct pcf_show *rx, unsigned max)
{
	(void)q;
	(void)max;
	rx->why = PCF_STOP_EMPTY;
	rx->plain = rx->filtered = false;
	return 0;
}

static void no_done(struct pcf_queue *q, const uint64_t *frames, unsigned n)
{
	(void)q;
	(void)frames;
	(void)n;
}

/* --- reading ------------------------------------------------------------- */

static void callback(u_char *user, const struct pcap_pkthdr *h,
		     const u_char *data)
{
	(void)h;
	(void)data;
	(*(unsigned *)user)++;
}

static void read_batches(void)
{
	struct pcap_batch_pkt pkts[BATCH];

	for (unsigned n = 0; n < PACKETS;) {
		int rc = pcap_next_batch(p, pkts, BATCH);

		if (rc <= 0)
			abort();
		n += rc;
		seen += rc;
	}
}

static void read_dispatch(void)
{
	pcap_dispatch(p, PACKETS, callback, (u_char *)&seen);
}

static void read_next_ex(void)
{
	struct pcap_pkthdr *h;
	const u_char *data;

	for (unsigned n = 0; n < PACKETS; n++)
		seen += pcap_next_ex(p, &h, &data) == 1;
}

/* --- sending ------------------------------------------------------------- */

static uint8_t frame[HOTPATH_LENGTH];

static void send_inject(void)
{
	for (unsigned n = 0; n < PACKETS; n++)
		seen += pcap_inject(p, frame, sizeof(frame)) == sizeof(frame);
}

static void send_batches(void)
{
	struct pcap_batch_pkt pkts[BATCH];

	for (unsigned i = 0; i < BATCH; i++)
		pkts[i] = (struct pcap_batch_pkt){ .hdr.caplen = sizeof(frame),
						   .data = frame };
	for (unsigned n = 0; n < PACKETS; n += BATCH)
		seen += pcap_inject_batch(p, pkts, BATCH);
}

/* --- the handle ---------------------------------------------------------- */

__attribute__((noinline)) static void measured(void (*call)(void))
{
	call();
	__asm__ volatile("" ::: "memory");
}

static void nothing(unsigned round)
{
	(void)round;
}

static void open_sender(struct pcf_handle *h)
{
	h->sender = hotpath_sender();
	h->tx_queue = h->sender->ops->queue(h->sender, 0);
	h->mtu = 1500;
	h->options.mode = PCAP_FAST_MODE_EXCLUSIVE;
}

static void open_handle(const struct hotpath_source *source)
{
	struct pcf_handle *h = pcf_handle_new();
	struct pcf_lane *lanes = calloc(2, sizeof(*lanes));

	p = pcap_open_dead(DLT_EN10MB, 65535);
	if (!p || !h || !lanes)
		abort();
	h->p = p;
	h->active = h->nonblock = true;
	h->mode = PCAP_FAST_MODE_EXCLUSIVE;
	h->backend = calloc(1, sizeof(*h->backend));
	h->snaplen = 65535;
	h->lanes = lanes;
	h->nlanes = 2;
	lanes[0].ops = *source->ops;
	lanes[0].queue = source->open();
	lanes[1].ops = (struct pcf_rx_ops){ .rx = no_rx,
					    .taken = no_done,
					    .done = no_done };
	lanes[0].stop = lanes[1].stop = PCF_STOP_EMPTY;
	lanes[0].snaplen = lanes[1].snaplen = h->snaplen;
	lanes[1].place = PCF_LANE_PLACE(1);
	open_sender(h);
	if (!h->backend || pcf_table_add(p, h))
		abort();
}

static int usage(void)
{
	fputs("usage: bench_hotpath xsk|ring batch|dispatch|next_ex ROUNDS\n"
	      "       bench_hotpath send inject|batch ROUNDS\n",
	      stderr);
	return 2;
}

static const struct way {
	const char *what, *call;
	void (*run)(void);
} ways[] = { { "xsk", "batch", read_batches },
	     { "xsk", "dispatch", read_dispatch },
	     { "xsk", "next_ex", read_next_ex },
	     { "ring", "batch", read_batches },
	     { "ring", "dispatch", read_dispatch },
	     { "ring", "next_ex", read_next_ex },
	     { "send", "inject", send_inject },
	     { "send", "batch", send_batches } };

static const struct way *way_named(const char *what, const char *call)
{
	for (unsigned i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(what, ways[i].what) && !strcmp(call, ways[i].call))
			return &ways[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct way *way = argc == 4 ? way_named(argv[1], argv[2]) : NULL;
	unsigned rounds = argc == 4 ? atoi(argv[3]) : 0;
	const struct hotpath_source *source = hotpath_sources;
	void (*feed)(unsigned) = nothing;

	if (!way || !rounds)
		return usage();
	if (!strcmp(way->what, "ring"))
		source++;
	open_handle(source);
	if (strcmp(way->what, "send"))
		feed = source->feed;
	for (unsigned i = 0; i < rounds; i++) {
		feed(i + 1);
		measured(way->run);
	}
	if (seen != rounds * PACKETS) {
		fprintf(stderr, "%u packets of %u\n", seen, rounds * PACKETS);
		return 1;
	}
	return 0;
}
