/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads packets over the library's own rings in plain memory, with this
 * program in the kernel's place: what a packet costs in instructions is
 * counted by running it under callgrind (bench/instructions).
 *
 *   bench_hotpath xsk|ring batch|dispatch|next_ex ROUNDS
 *
 * Each round fills the ring with PACKETS packets of 64 bytes and reads them in
 * measured(), the only function to be counted. A second lane, which has
 * nothing, stands for the shadow of a real handle.
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

__attribute__((noinline)) static void measured(void (*read)(void))
{
	read();
	__asm__ volatile("" ::: "memory");
}

static void open_handle(const struct hotpath_source *source)
{
	struct pcf_handle *h = calloc(1, sizeof(*h));
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
	if (!h->backend || pcf_table_add(p, h))
		abort();
}

static int usage(void)
{
	fputs("usage: bench_hotpath xsk|ring batch|dispatch|next_ex ROUNDS\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*read)(void);
	} calls[] = { { "batch", read_batches },
		      { "dispatch", read_dispatch },
		      { "next_ex", read_next_ex } };
	const struct hotpath_source *source = hotpath_sources;
	unsigned call = 0, rounds = argc == 4 ? atoi(argv[3]) : 0;

	while (argc == 4 && call < 3 && strcmp(argv[2], calls[call].name))
		call++;
	if (argc == 4 && strcmp(argv[1], source->name))
		source++;
	if (!rounds || call == 3 || strcmp(argv[1], source->name))
		return usage();
	open_handle(source);
	for (unsigned i = 0; i < rounds; i++) {
		source->feed(i + 1);
		measured(calls[call].read);
	}
	if (seen != rounds * PACKETS) {
		fprintf(stderr, "%u packets of %u\n", seen, rounds * PACKETS);
		return 1;
	}
	return 0;
}
