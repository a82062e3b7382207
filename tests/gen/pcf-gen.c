/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcf-gen: sends known frames out of an interface, for tests, the demo and
 * the benchmark. Owns the options, the rate and the account of what was sent;
 * the frames are made in frame.c and leave through send_packet.c or
 * send_xdp.c. Knows nothing of libpcap.
 *
 * SIGINT and SIGTERM stay blocked and are asked for between two bursts, so no
 * burst is ever cut short and the count is exact.
 */
#include "tests/gen/frame.h"
#include "tests/gen/pcapfile.h"
#include "tests/gen/send.h"

#include <argp.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NSEC 1000000000ull

struct generator {
	const char *device, *write;
	struct pcf_frame frame;
	bool xdp;
	uint64_t count, pps;	  /* 0: no limit */
	uint64_t duration, began; /* nanoseconds; duration 0: no limit */
	uint64_t sent;
	sigset_t stop; /* signals that end the sending */
	bool stopped;
};

enum {
	OPT_XDP = 256,
	OPT_COUNT,
	OPT_SECONDS,
	OPT_PPS,
	OPT_SIZE,
	OPT_FLOWS,
	OPT_VLAN,
	OPT_DST,
	OPT_PATTERN,
	OPT_WRITE
};

static const struct argp_option options[] = {
	{ "xdp", OPT_XDP, NULL, 0,
	  "Send by XDP live frames, about 1 Mpps (else AF_PACKET)", 0 },
	{ "count", OPT_COUNT, "N", 0, "Stop after N frames", 0 },
	{ "seconds", OPT_SECONDS, "S", 0, "Stop after S seconds", 0 },
	{ "pps", OPT_PPS, "R", 0, "At most R frames a second", 0 },
	{ "size", OPT_SIZE, "BYTES", 0,
	  "Frame length without FCS, 14 to 9014 (60)", 0 },
	{ "flows", OPT_FLOWS, "N", 0, "UDP source ports to go round (1)", 0 },
	{ "vlan", OPT_VLAN, "ID", 0, "Tag the frames, 0 to 4094", 0 },
	{ "dst", OPT_DST, "MAC", 0, "Destination address (02:00:00:00:77:77)",
	  0 },
	{ "pattern", OPT_PATTERN, "seq", 0,
	  "Number each frame, and make every byte checkable by pcf-cmp", 0 },
	{ "write", OPT_WRITE, "FILE", 0,
	  "Write what was sent as a pcap file as well", 0 },
	{ 0 }
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC + t.tv_nsec;
}

static uint64_t number(struct argp_state *state, const char *arg, uint64_t min,
		       uint64_t max)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(arg, &end, 10);
	if (errno || end == arg || *end || *arg == '-' || v < min || v > max)
		argp_error(state,
			   "%s: not a number from %" PRIu64 " to %" PRIu64, arg,
			   min, max);
	return v;
}

static uint64_t nanoseconds(struct argp_state *state, const char *arg)
{
	char *end;
	double v = strtod(arg, &end);

	if (end == arg || *end || !(v > 0 && v < 1e6))
		argp_error(state, "%s: not a number of seconds", arg);
	return (uint64_t)(v * NSEC);
}

static void mac(struct argp_state *state, const char *arg, uint8_t m[6])
{
	char rest;

	if (sscanf(arg, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx%c", m, m + 1, m + 2,
		   m + 3, m + 4, m + 5, &rest) != 6)
		argp_error(state, "%s: not an Ethernet address", arg);
}

static void check(struct argp_state *state, const struct generator *g)
{
	const struct pcf_frame *f = &g->frame;

	if (!g->device)
		argp_error(state, "which interface?");
	if (!g->count && !g->duration)
		argp_error(state, "give --count or --seconds");
	if (f->vlan >= 0 && f->size < PCF_FRAME_MIN + 4)
		argp_error(state, "a tagged frame has at least 18 bytes");
}

static error_t limit_option(int key, char *arg, struct argp_state *state)
{
	struct generator *g = state->input;

	switch (key) {
	case OPT_COUNT:
		g->count = number(state, arg, 1, UINT32_MAX);
		break;
	case OPT_SECONDS:
		g->duration = nanoseconds(state, arg);
		break;
	case OPT_PPS:
		g->pps = number(state, arg, 1, 1000000000);
		break;
	case OPT_XDP:
		g->xdp = true;
		break;
	case OPT_WRITE:
		g->write = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static error_t frame_option(int key, char *arg, struct argp_state *state)
{
	struct pcf_frame *f = &((struct generator *)state->input)->frame;

	switch (key) {
	case OPT_SIZE:
		f->size = number(state, arg, PCF_FRAME_MIN, PCF_FRAME_MAX);
		break;
	case OPT_FLOWS:
		f->flows = number(state, arg, 1, PCF_FRAME_FLOWS_MAX);
		break;
	case OPT_VLAN:
		f->vlan = number(state, arg, 0, 4094);
		break;
	case OPT_DST:
		mac(state, arg, f->dst);
		break;
	case OPT_PATTERN:
		if (strcmp(arg, "seq"))
			argp_error(state, "%s: the only pattern is seq", arg);
		f->numbered = true;
		break;
	default:
		return limit_option(key, arg, state);
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct generator *g = state->input;

	if (key == ARGP_KEY_END)
		check(state, g);
	else if (key != ARGP_KEY_ARG)
		return frame_option(key, arg, state);
	else if (g->device)
		argp_error(state, "one interface only");
	else
		g->device = arg;
	return 0;
}

/* The frames' source address is the interface's own. */
static void source_address(struct generator *g)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { 0 };

	if (fd < 0)
		err(2, "socket");
	strncpy(ifr.ifr_name, g->device, sizeof(ifr.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFHWADDR, &ifr))
		err(2, "%s", g->device);
	if (ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		errx(2, "%s: not Ethernet", g->device);
	memcpy(g->frame.src, ifr.ifr_hwaddr.sa_data, 6);
	close(fd);
}

static struct pcf_sender *open_sender(struct generator *g)
{
	int ifindex = if_nametoindex(g->device);
	struct pcf_sender *s;
	int r;

	g->frame.fixed_key = g->xdp;
	r = g->xdp ? pcf_send_xdp(&g->frame, ifindex, g->pps, &s)
		   : pcf_send_packet(&g->frame, ifindex, &s);
	if (r)
		errx(2, "%s: sender: %s", g->device, strerror(-r));
	return s;
}

static void block_signals(struct generator *g)
{
	sigemptyset(&g->stop);
	sigaddset(&g->stop, SIGINT);
	sigaddset(&g->stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &g->stop, NULL);
}

/* Until `due`, or until a signal says stop. */
static void pause_until(struct generator *g, uint64_t due)
{
	uint64_t t = now(); /* once: it must not pass `due` in between */
	uint64_t left = due > t ? due - t : 0;
	const struct timespec pause = { left / NSEC, left % NSEC };

	if (sigtimedwait(&g->stop, NULL, &pause) > 0)
		g->stopped = true;
}

/* How many frames the rate allows now, after waiting for the first. */
static uint64_t allowance(struct generator *g)
{
	uint64_t allowed;

	/* The XDP sender keeps the rate by itself. */
	if (!g->pps || g->xdp)
		return UINT64_MAX;
	pause_until(g, g->began + (uint64_t)((double)g->sent * NSEC / g->pps));
	allowed = (uint64_t)((double)(now() - g->began) * g->pps / NSEC) + 1;
	return allowed > g->sent ? allowed - g->sent : 1;
}

/* As many as fit into the time left at the rate so far; a few at least. */
static uint64_t fit_in_time(const struct generator *g)
{
	uint64_t gone = now() - g->began;
	double left;

	if (!g->duration || !g->sent || gone >= g->duration)
		return UINT64_MAX;
	left = (double)(g->duration - gone) * g->sent / gone;
	return left > 64 ? (uint64_t)left : 64;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static unsigned next_burst(struct generator *g, const struct pcf_sender *s)
{
	uint64_t n = least(s->burst, allowance(g));

	n = least(n, fit_in_time(g));
	return g->count ? least(n, g->count - g->sent) : n;
}

static bool finished(struct generator *g)
{
	pause_until(g, 0);
	return g->stopped || (g->count && g->sent >= g->count) ||
	       (g->duration && now() - g->began >= g->duration);
}

/* 0 or negative errno of the send that failed. */
static int run(struct generator *g, struct pcf_sender *s)
{
	unsigned n;
	int r;

	block_signals(g);
	g->began = now();
	while (!finished(g)) {
		n = next_burst(g, s);
		if (g->stopped)
			break;
		r = s->send(s, g->sent, n);
		if (r < 0)
			return r;
		g->sent += r;
	}
	return 0;
}

/* The times in the file are made up, a microsecond apart: what counts is
 * bytes and order. */
static int write_file(const struct generator *g)
{
	uint8_t data[PCF_FRAME_MAX];
	uint64_t start = (uint64_t)time(NULL) * 1000000;
	FILE *f = pcf_file_create(g->write);
	int r = f ? 0 : -errno;

	pcf_frame_template(&g->frame, data);
	for (uint64_t i = 0; i < g->sent && !r; i++) {
		pcf_frame_number(&g->frame, i, data);
		r = pcf_file_write(f, start + i, data, g->frame.size);
	}
	if (f && fclose(f) && !r)
		r = -errno;
	return r;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		options,     parse,
		"INTERFACE", "Send known UDP frames out of INTERFACE.",
		NULL,	     NULL,
		NULL
	};
	struct generator g = {
		.frame = { .size = 60,
			   .flows = 1,
			   .vlan = -1,
			   .dst = { 2, 0, 0, 0, 0x77, 0x77 } },
	};
	struct pcf_sender *s;
	double seconds;
	int r;

	argp_parse(&argp, argc, argv, 0, NULL, &g);
	source_address(&g);
	s = open_sender(&g);
	r = run(&g, s);
	seconds = (double)(now() - g.began) / NSEC;
	s->close(s);
	printf("sent %" PRIu64 " frames in %.3f s (%.0f pps)\n", g.sent,
	       seconds, g.sent / seconds);
	if (r)
		errx(2, "%s: cannot send: %s", g.device, strerror(-r));
	r = g.write ? write_file(&g) : 0;
	if (r)
		errx(2, "%s: %s", g.write, strerror(-r));
	return 0;
}
