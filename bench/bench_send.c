/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many frames a second does a program send through the libpcap API? Run it
 * on the system's library or, with LD_PRELOAD, on the drop-in, which has the
 * calls of the extension, too. Sends until it is stopped; what arrived is
 * counted at the other end.
 *
 *   bench_send inject|batch|inplace INTERFACE SIZE
 */
#include "bench/capture.h"
#include "bench/frame.h"

#include <err.h>
#include <inttypes.h>
#include <pcap-fast.h>
#include <stdio.h>
#include <string.h>

#define BATCH 64

/* Only the drop-in has them. */
#pragma weak pcap_inject_batch
#pragma weak pcap_tx_reserve
#pragma weak pcap_tx_submit

static pcap_t *handle;
static uint8_t frame[BENCH_LARGEST];
static int size;
static struct pcap_batch_pkt pkts[BATCH];

static int inject(void)
{
	return pcap_inject(handle, frame, size) == size ? 1 : PCAP_ERROR;
}

static int batch(void)
{
	return pcap_inject_batch(handle, pkts, BATCH);
}

static int in_place(void)
{
	int n = pcap_tx_reserve(handle, pkts, BATCH);

	for (int i = 0; i < n; i++) {
		memcpy((uint8_t *)pkts[i].data, frame, size);
		pkts[i].hdr.caplen = size;
	}
	return n > 0 ? pcap_tx_submit(handle, pkts, n) : n;
}

static void open_handle(const char *device)
{
	handle = bench_create(device);
	bench_activate(handle, device);
	/* nothing is read; a sender does not want its own packets back */
	pcap_setdirection(handle, PCAP_D_IN);
}

static int (*method(const char *name))(void)
{
	if (!strcmp(name, "inject"))
		return inject;
	if (!pcap_inject_batch)
		errx(2, "%s: needs the drop-in", name);
	if (!strcmp(name, "batch"))
		return batch;
	if (!strcmp(name, "inplace"))
		return in_place;
	errx(2, "%s: no such way to send", name);
}

int main(int argc, char **argv)
{
	uint64_t accepted = 0, refused = 0;
	int (*send)(void);

	if (argc != 4)
		errx(2,
		     "usage: bench_send inject|batch|inplace INTERFACE SIZE");
	send = method(argv[1]);
	size = bench_frame(frame, argv[3]);
	for (int i = 0; i < BATCH; i++)
		pkts[i] = (struct pcap_batch_pkt){ .hdr.caplen = size,
						   .data = frame };
	open_handle(argv[2]);
	bench_until_stopped();
	while (!bench_stopped) {
		int n = send();

		if (n > 0)
			accepted += n;
		else
			refused++;
	}
	printf("accepted %" PRIu64 " refused %" PRIu64 "\n", accepted, refused);
	pcap_close(handle);
	return 0;
}
