/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Measures one way to receive, send or forward small frames: how many, in what
 * time, and how busy the processors were. Checks no bytes. Runs under the
 * drop-in and under the system's libpcap, which has the first call of each
 * line:
 *
 *   vm_rate [-t SECONDS] [-z 0|1] [-d MAC] CALL DEV [NETNS OTHER]
 *     dispatch, next_ex, next_batch	receive on DEV
 *     inject, inject_batch, place	send on DEV
 *     relay, forward			from OTHER, in NETNS, to DEV, which
 *					are two ends of one wire: the same
 *					frames go round and round
 *
 * The last line: frames, seconds, and how many of these each of the first two
 * processors was busy.
 */
#include "include/pcap-fast.h"
#include "tests/vm/vm_frame.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 64
#define ROUND 128 /* frames on their way in a circle */
#define IDLE  0.2 /* seconds after which some must have been lost */
#define CPUS  2

static struct vm_shape shape;
static const char *call = "";
static double seconds = 2;
static int zerocopy = -1;
static pcap_t *handle, *other;
static pcap_t *reads; /* the one of them that may wait for frames */
static uint64_t frames;
static volatile sig_atomic_t over;

/* The extension's calls, where the library has them. */
static struct {
	int (*next_batch)(pcap_t *, struct pcap_batch_pkt *, int);
	int (*inject_batch)(pcap_t *, const struct pcap_batch_pkt *, int);
	int (*reserve)(pcap_t *, struct pcap_batch_pkt *, int);
	int (*submit)(pcap_t *, struct pcap_batch_pkt *, int);
	int (*flush)(pcap_t *, int);
	int (*share)(pcap_t *, pcap_t *);
	int (*forward)(pcap_t *, pcap_t *, struct pcap_batch_pkt *, int);
	int (*info)(pcap_t *, struct pcap_fast_info *, size_t);
} fast;

static void find_calls(void)
{
	*(void **)&fast.next_batch = dlsym(RTLD_DEFAULT, "pcap_next_batch");
	*(void **)&fast.inject_batch = dlsym(RTLD_DEFAULT, "pcap_inject_batch");
	*(void **)&fast.reserve = dlsym(RTLD_DEFAULT, "pcap_tx_reserve");
	*(void **)&fast.submit = dlsym(RTLD_DEFAULT, "pcap_tx_submit");
	*(void **)&fast.flush = dlsym(RTLD_DEFAULT, "pcap_tx_flush");
	*(void **)&fast.share = dlsym(RTLD_DEFAULT, "pcap_fast_share");
	*(void **)&fast.forward = dlsym(RTLD_DEFAULT, "pcap_forward_batch");
	*(void **)&fast.info = dlsym(RTLD_DEFAULT, "pcap_fast_get_info");
}

static void fail(pcap_t *p, const char *what)
{
	printf("%s: %s: %s\n", call, what, p ? pcap_geterr(p) : "");
	exit(1);
}

/* --- clocks -------------------------------------------------------------- */

struct clocks {
	double now, busy[CPUS], total[CPUS];
};

/* In ticks since boot. */
static void read_clocks(struct clocks *c)
{
	FILE *f = fopen("/proc/stat", "r");
	double t[7];

	if (!f || fscanf(f, "cpu %*[^\n]"))
		fail(NULL, "/proc/stat");
	for (int i = 0; i < CPUS; i++) {
		if (fscanf(f, " cpu%*d %lf %lf %lf %lf %lf %lf %lf%*[^\n]", t,
			   t + 1, t + 2, t + 3, t + 4, t + 5, t + 6) != 7)
			fail(NULL, "/proc/stat");
		c->busy[i] = t[0] + t[1] + t[2] + t[5] + t[6];
		c->total[i] = c->busy[i] + t[3] + t[4];
	}
	fclose(f);
	c->now = vm_now();
}

/* An emulated machine loses ticks: the busy ones' share of those there are. */
static void report(const struct clocks *a, const struct clocks *b)
{
	double time = b->now - a->now;

	printf("%llu %.3f", (unsigned long long)frames, time);
	for (int i = 0; i < CPUS; i++)
		printf(" %.3f", time * (b->busy[i] - a->busy[i]) /
					(b->total[i] - a->total[i]));
	printf("\n");
}

static void on_alarm(int signal)
{
	(void)signal;
	over = 1;
	if (reads)
		pcap_breakloop(reads);
}

/* --- receive ------------------------------------------------------------- */

static void count(u_char *user, const struct pcap_pkthdr *hdr,
		  const u_char *data)
{
	(void)user;
	(void)hdr;
	(void)data;
	frames++;
}

static int receive_some(void)
{
	struct pcap_batch_pkt pkts[BATCH];
	struct pcap_pkthdr *hdr;
	const u_char *data;
	int n;

	if (!strcmp(call, "dispatch"))
		return pcap_dispatch(handle, -1, count, NULL);
	if (!strcmp(call, "next_ex"))
		n = pcap_next_ex(handle, &hdr, &data);
	else
		n = fast.next_batch(handle, pkts, BATCH);
	frames += n > 0 ? (uint64_t)n : 0;
	return n;
}

static void receive(void)
{
	while (!over)
		if (receive_some() == PCAP_ERROR)
			fail(handle, "read");
}

/* --- send ---------------------------------------------------------------- */

static uint8_t frame[VM_FRAME_MAX];
static size_t frame_size;

/* Frames like these, one and the same memory for all. */
static void fill(struct pcap_batch_pkt *pkts, int n)
{
	for (int i = 0; i < n; i++) {
		pkts[i].data = frame;
		pkts[i].hdr.caplen = (bpf_u_int32)frame_size;
	}
}

/* Built where the device reads it. */
static int send_in_place(struct pcap_batch_pkt *pkts)
{
	int n = fast.reserve(handle, pkts, BATCH);

	for (int i = 0; i < n; i++) {
		memcpy((uint8_t *)pkts[i].data, frame, frame_size);
		pkts[i].hdr.caplen = (bpf_u_int32)frame_size;
	}
	return n > 0 ? fast.submit(handle, pkts, n) : n;
}

static int send_some(void)
{
	struct pcap_batch_pkt pkts[BATCH];

	if (!strcmp(call, "inject"))
		return pcap_inject(handle, frame, frame_size) < 0 ? -1 : 1;
	if (!strcmp(call, "place"))
		return send_in_place(pkts);
	fill(pkts, BATCH);
	return fast.inject_batch(handle, pkts, BATCH);
}

static uint64_t device_sent(const char *device)
{
	unsigned long long n = 0;
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/tx_packets",
		 device);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%llu", &n) != 1)
		fail(NULL, path);
	fclose(f);
	return n;
}

/* The device must have sent what the calls accepted: all frames have come back
 * from it, or, since a packet socket does not tell, by its own counter, give or
 * take what was in its ring before. */
static void send_all(const char *device)
{
	uint64_t before = device_sent(device), sent;

	while (!over) {
		int n = send_some();

		if (n < 0 && !over)
			fail(handle, "send");
		frames += n > 0 ? (uint64_t)n : 0;
	}
	if (fast.flush) {
		if (fast.flush(handle, 5000))
			fail(NULL, "not all was sent");
		return;
	}
	sent = device_sent(device) - before;
	if (sent + frames / 50 < frames || sent > frames + frames / 50) {
		printf("%llu accepted, %llu sent\n", (unsigned long long)frames,
		       (unsigned long long)sent);
		exit(1);
	}
}

/* --- forward ------------------------------------------------------------- */

static void launch(void)
{
	for (int i = 0; i < ROUND; i++)
		if (pcap_inject(handle, frame, frame_size) < 0)
			fail(handle, "launch");
}

static int relay_one(void)
{
	struct pcap_pkthdr *hdr;
	const u_char *data;
	int n = pcap_next_ex(other, &hdr, &data);

	if (n == 1 && pcap_inject(handle, data, hdr->caplen) < 0)
		fail(handle, "inject");
	return n;
}

static int forward_some(void)
{
	struct pcap_batch_pkt pkts[BATCH];
	int n = fast.next_batch(other, pkts, BATCH);

	for (int sent = 0; sent < n && !over;) {
		int rc = fast.forward(other, handle, pkts + sent, n - sent);

		if (rc < 0)
			fail(handle, "forward");
		sent += rc;
	}
	return n;
}

/* When all frames of the circle are lost, new ones take their place. */
static void forward(void)
{
	int (*some)(void) = strcmp(call, "relay") ? forward_some : relay_one;
	double idle = 0;

	launch();
	while (!over) {
		int n = some();

		if (n == PCAP_ERROR)
			fail(other, "read");
		if (n > 0) {
			frames += (uint64_t)n;
			idle = 0;
		} else if (!idle) {
			idle = vm_now();
		} else if (vm_now() - idle > IDLE) {
			launch();
			idle = 0;
		}
	}
}

/* --- set-up -------------------------------------------------------------- */

static pcap_t *create(const char *device, int promisc)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p = pcap_create(device, text);

	if (!p) {
		printf("%s: %s\n", device, text);
		exit(1);
	}
	pcap_set_promisc(p, promisc);
	pcap_set_timeout(p, 50);
	return p;
}

static void activate(pcap_t *p)
{
	struct pcap_fast_info info;

	if (pcap_activate(p) < 0)
		fail(p, "activate");
	pcap_setdirection(p, PCAP_D_IN);
	if (!fast.info)
		return;
	fast.info(p, &info, sizeof(info));
	if (zerocopy >= 0 && info.zerocopy != zerocopy)
		fail(NULL, info.reason);
}

static void enter(const char *netns)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/var/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		fail(NULL, path);
	close(fd);
}

/* A program that forwards wants each packet at once. */
static void open_pair(char **argv)
{
	handle = create(argv[1], 1);
	other = create(argv[3], 1);
	pcap_set_immediate_mode(other, 1);
	if (fast.share && fast.share(other, handle))
		fail(other, "share");
	activate(handle);
	enter(argv[2]);
	activate(other);
}

static void run(int argc, char **argv)
{
	struct clocks begin, end;
	bool sends = !strcmp(call, "place") || !strncmp(call, "inject", 6);

	if (argc == 4)
		open_pair(argv);
	else
		activate(handle = create(argv[1], !sends));
	if (!sends)
		reads = other ? other : handle;
	signal(SIGALRM, on_alarm);
	read_clocks(&begin);
	alarm((unsigned)seconds);
	if (other)
		forward();
	else if (sends)
		send_all(argv[1]);
	else
		receive();
	read_clocks(&end);
	report(&begin, &end);
}

int main(int argc, char **argv)
{
	int option;

	shape = vm_shape_default;
	shape.max = VM_FRAME_MIN;
	while ((option = getopt(argc, argv, VM_SHAPE_OPTIONS "t:z:")) != -1) {
		if (option == 't')
			seconds = atof(optarg);
		else if (option == 'z')
			zerocopy = atoi(optarg);
		else if (vm_shape_option(&shape, option, optarg) < 0)
			return 1;
	}
	argc -= optind;
	argv += optind;
	if (argc != 2 && argc != 4)
		return 1;
	call = argv[0];
	find_calls();
	frame_size = vm_frame_build(&shape, 0, frame);
	run(argc, argv);
	if (other)
		pcap_close(other);
	pcap_close(handle);
	return 0;
}
