/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long does a packet take from its sender to a callback? One process sends
 * frames with the time in them, at even distances; another, on the other end
 * of the link, captures in immediate mode and looks at the clock. Both read
 * the same clock. Knows nothing of the extension.
 *
 *   bench_latency send INTERFACE PPS SECONDS
 *   bench_latency receive INTERFACE SECONDS
 *
 * The receiver prints "samples N median_us M p99_us P max_us X busy B": busy
 * is the part of the time that a processor was at work for it.
 */
#include "bench/capture.h"
#include "bench/frame.h"

#include <err.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NSEC	 1000000000ull
#define STAMP	 42 /* where it lies in a frame */
#define MOST	 (8u << 20)
#define WARM_UP	 (NSEC / 2)
#define SPIN_FOR 60000 /* ns before a frame is due; until then it sleeps */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC + t.tv_nsec;
}

/* --- sending ------------------------------------------------------------- */

static int open_sender(const char *device)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)if_nametoindex(device) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)))
		err(2, "%s", device);
	return fd;
}

static void wait_until(uint64_t due)
{
	uint64_t t = now();
	struct timespec wake = { .tv_sec = (due - SPIN_FOR) / NSEC,
				 .tv_nsec = (due - SPIN_FOR) % NSEC };

	if (due > t + 2 * SPIN_FOR)
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL);
	while (now() < due)
		;
}

static int send_frames(const char *device, double pps, double seconds)
{
	uint64_t begun = now(), n = 0, all = pps * seconds;
	uint8_t frame[BENCH_LARGEST];
	int len = bench_frame(frame, "60");
	int fd = open_sender(device);

	for (; n < all; n++) {
		uint64_t t;

		wait_until(begun + n * (NSEC / pps));
		t = now();
		memcpy(frame + STAMP, &t, sizeof(t));
		if (send(fd, frame, len, 0) != len)
			err(2, "send");
	}
	printf("sent %llu seconds %.3f\n", (unsigned long long)n,
	       (double)(now() - begun) / NSEC);
	return 0;
}

/* --- receiving ----------------------------------------------------------- */

static struct {
	pcap_t *handle;
	uint64_t length, first, begun;
	double busy_before;
	uint32_t *samples;
	uint32_t n;
} in;

static double seconds_busy(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_utime.tv_sec + u.ru_stime.tv_sec +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void take(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	uint64_t t = now(), sent;

	(void)user;
	if (h->caplen < STAMP + sizeof(sent))
		return;
	memcpy(&sent, data + STAMP, sizeof(sent));
	if (!in.first)
		in.first = t;
	if (t - in.first < WARM_UP)
		return;
	if (!in.begun) {
		in.begun = t;
		in.busy_before = seconds_busy();
	}
	in.samples[in.n++] = t - sent < UINT32_MAX ? t - sent : UINT32_MAX;
	if (t - in.begun >= in.length || in.n == MOST)
		pcap_breakloop(in.handle);
}

static void open_handle(const char *device)
{
	in.handle = bench_create(device);
	pcap_set_snaplen(in.handle, 96);
	pcap_set_immediate_mode(in.handle, 1);
	bench_activate(in.handle, device);
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void report(void)
{
	double took = (double)(now() - in.begun) / NSEC;
	double busy = seconds_busy() - in.busy_before;

	qsort(in.samples, in.n, sizeof(*in.samples), ascending);
	printf("samples %u median_us %.2f p99_us %.2f max_us %.2f busy %.3f\n",
	       in.n, in.samples[in.n / 2] / 1e3,
	       in.samples[in.n - 1 - in.n / 100] / 1e3,
	       in.samples[in.n - 1] / 1e3, busy / took);
}

static int receive(const char *device, double seconds)
{
	in.length = (uint64_t)(seconds * NSEC);
	in.samples = malloc(MOST * sizeof(*in.samples));
	if (!in.samples)
		err(2, "malloc");
	/* in memory before the first packet */
	memset(in.samples, 1, MOST * sizeof(*in.samples));
	open_handle(device);
	fprintf(stderr, "ready\n");
	alarm((unsigned)seconds + 10);
	if (pcap_loop(in.handle, -1, take, NULL) == PCAP_ERROR)
		errx(2, "%s", pcap_geterr(in.handle));
	if (!in.n)
		errx(2, "%s: no packets", device);
	report();
	pcap_close(in.handle);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "send") && atof(argv[3]) > 0)
		return send_frames(argv[2], atof(argv[3]), atof(argv[4]));
	if (argc == 4 && !strcmp(argv[1], "receive") && atof(argv[3]) > 0)
		return receive(argv[2], atof(argv[3]));
	fprintf(stderr, "usage: bench_latency send INTERFACE PPS SECONDS\n"
			"       bench_latency receive INTERFACE SECONDS\n");
	return 2;
}
