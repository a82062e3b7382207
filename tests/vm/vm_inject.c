/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sends test frames through the pcap API, the receiver's window never more
 * than IN_FLIGHT ahead, and checks that the device has sent them all.
 *
 *   vm_inject [-w WINDOW] [-z 0|1] [-n NETNS -o DEV] [shape options] -M CALL
 *             DEV COUNT
 *     -M CALL   inject, batch, place: send COUNT frames
 *               reflect: send COUNT frames back as they come in
 *               held: hold each for a while before
 *               circle: with DEV's other end, -o in -n: send some once, and
 *               forward what comes in there to DEV, with one packet memory,
 *               until COUNT have passed
 *     -z 0|1    the handle must be copy or zero-copy
 *
 * Exit: 0 done, and all bytes as they should be; the last line says how.
 */
#include "include/pcap-fast.h"
#include "tests/vm/vm_frame.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IN_FLIGHT 128
#define BATCH	  32
#define HELD	  96
#define PATIENCE  30.0

static struct vm_shape shape;
static struct vm_window *window;
static int zerocopy = -1;
static uint32_t count;
static pcap_t *handle, *other;

static int fail(pcap_t *p, const char *what)
{
	printf("%s: %s\n", what, p ? pcap_geterr(p) : "");
	return 1;
}

static pcap_t *create(const char *device)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p = pcap_create(device, text);

	if (!p) {
		printf("%s: %s\n", device, text);
		exit(1);
	}
	pcap_set_promisc(p, 1);
	pcap_set_timeout(p, 50);
	return p;
}

static int activate(pcap_t *p)
{
	struct pcap_fast_info info;
	char text[PCAP_ERRBUF_SIZE];

	if (pcap_activate(p) < 0)
		return fail(p, "activate");
	pcap_setdirection(p, PCAP_D_IN);
	pcap_setnonblock(p, 1, text);
	pcap_fast_get_info(p, &info, sizeof(info));
	if (zerocopy >= 0 && info.zerocopy != zerocopy)
		return fail(NULL, info.reason);
	return 0;
}

/* Until the receiver has room for frame number `next`. */
static int wait_room(uint32_t next)
{
	double end = vm_now() + PATIENCE;

	while (window && (!__atomic_load_n(&window->ready, __ATOMIC_ACQUIRE) ||
			  __atomic_load_n(&window->got, __ATOMIC_ACQUIRE) +
					  IN_FLIGHT <
				  next)) {
		if (vm_now() > end)
			return fail(NULL, "the receiver got no further");
		usleep(200);
	}
	return 0;
}

static int send_some(const char *call, uint32_t first, int n)
{
	static uint8_t area[BATCH][VM_FRAME_MAX];
	struct pcap_batch_pkt pkts[BATCH];

	if (!strcmp(call, "place") && pcap_tx_reserve(handle, pkts, n) != n)
		return fail(handle, "reserve");
	for (int i = 0; i < n; i++) {
		if (strcmp(call, "place"))
			pkts[i].data = area[i];
		pkts[i].hdr.caplen = (bpf_u_int32)vm_frame_build(
			&shape, first + (uint32_t)i, (uint8_t *)pkts[i].data);
	}
	if (!strcmp(call, "place"))
		return pcap_tx_submit(handle, pkts, n) == n ?
			       0 : fail(handle, "submit");
	if (!strcmp(call, "batch"))
		return pcap_inject_batch(handle, pkts, n) == n ?
			       0 : fail(handle, "batch");
	for (int i = 0; i < n; i++)
		if (pcap_inject(handle, pkts[i].data, pkts[i].hdr.caplen) < 0)
			return fail(handle, "inject");
	return 0;
}

static int send_all(const char *call, uint32_t end)
{
	for (uint32_t i = 0; i < end; i += BATCH) {
		uint32_t n = end - i < BATCH ? end - i : BATCH;

		if (wait_room(i + n) || send_some(call, i, (int)n))
			return 1;
	}
	return 0;
}

static int whole(const struct pcap_batch_pkt *pkt)
{
	const char *what = "";
	uint32_t seq;

	if (!vm_frame_check(&shape, pkt->data, pkt->hdr.caplen, &seq, &what))
		return 1;
	printf("a frame that %s\n", what);
	return 0;
}

/* What comes in on `in` leaves by `handle`. */
static int forward(pcap_t *in, int hold)
{
	struct pcap_batch_pkt pkts[HELD + BATCH];
	double end = vm_now() + PATIENCE;
	int have = 0;

	for (uint32_t done = 0; done < count;) {
		int n = pcap_next_batch(in, pkts + have, BATCH);

		if (n < 0 || vm_now() > end)
			return fail(in, "forward");
		if (hold && pcap_hold_batch(in, pkts + have, n))
			return fail(in, "hold");
		have += n;
		if (hold && have < HELD && done + (uint32_t)have < count)
			continue;
		for (int i = 0; i < have; i++)
			if (!whole(&pkts[i]))
				return 1;
		for (int sent = 0; sent < have;) {
			int rc = pcap_forward_batch(in, handle, pkts + sent,
						    have - sent);

			if (rc < 0 || vm_now() > end)
				return fail(handle, "forward");
			sent += rc;
		}
		done += (uint32_t)have;
		have = 0;
		if (n > 0)
			end = vm_now() + PATIENCE;
	}
	return 0;
}

/* The one who sends to us may begin. */
static int reflect(int hold)
{
	if (window)
		__atomic_store_n(&window->ready, 1, __ATOMIC_RELEASE);
	return forward(handle, hold);
}

static int circle(void)
{
	struct pcap_fast_info info;

	pcap_fast_get_info(handle, &info, sizeof(info));
	if (!info.shares_memory)
		return fail(NULL, "the two do not share packet memory");
	return send_some("batch", 0, BATCH) || forward(other, 0);
}

static int open_other(const char *netns, const char *device)
{
	char path[128];
	int fd, err;

	snprintf(path, sizeof(path), "/var/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	other = create(device);
	if (pcap_fast_share(other, handle) || activate(handle))
		return fail(other, "share");
	err = fd < 0 || setns(fd, CLONE_NEWNET) ? fail(NULL, path) :
						  activate(other);
	if (fd >= 0)
		close(fd);
	return err;
}

static int run(const char *call)
{
	if (!strcmp(call, "reflect"))
		return reflect(0);
	if (!strcmp(call, "held"))
		return reflect(1);
	return strcmp(call, "circle") ? send_all(call, count) : circle();
}

static int report(void)
{
	int out = pcap_tx_flush(handle, 5000);
	struct pcap_fast_info info;

	pcap_fast_get_info(handle, &info, sizeof(info));
	printf("%u: sent %llu, dropped %llu, still out %d, zerocopy %d: %s; %s\n",
	       count, (unsigned long long)info.sent,
	       (unsigned long long)info.send_dropped, out, info.zerocopy,
	       info.reason, info.busy_poll_reason);
	return out != 0 || info.sent < count || info.send_dropped;
}

int main(int argc, char **argv)
{
	const char *call = "inject", *netns = "", *device = NULL;
	int option, err;

	shape = vm_shape_default;
	while ((option = getopt(argc, argv, VM_SHAPE_OPTIONS "w:z:n:o:M:")) !=
	       -1) {
		if (option == 'w')
			window = vm_window_open(optarg);
		else if (option == 'z')
			zerocopy = atoi(optarg);
		else if (option == 'n')
			netns = optarg;
		else if (option == 'o')
			device = optarg;
		else if (option == 'M')
			call = optarg;
		else if (vm_shape_option(&shape, option, optarg) < 0)
			return 1;
	}
	if (argc - optind != 2)
		return 1;
	handle = create(argv[optind]);
	count = (uint32_t)atoi(argv[optind + 1]);
	err = device ? open_other(netns, device) : activate(handle);
	if (!err)
		err = run(call);
	err |= report();
	if (other)
		pcap_close(other);
	pcap_close(handle);
	return err;
}
