/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap-fast bridge: what comes in on one interface leaves on the other, both
 * ways, from one thread. Packets that the filter does not match are dropped.
 */
#include "tools/sender.h"
#include "tools/tool.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define BATCH 64
#define LONGEST 16384
/* The system's library makes room for so few packets of that size. */
#define BUFFER (64 << 20)

static const struct option options[] = {
	{ "mode", required_argument, NULL, 'm' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct end {
	const char *name;
	pcap_t *p;
	uint64_t forwarded, lost; /* in by this one */
};

static void stop(int sig)
{
	(void)sig;
	sender_stop = true;
}

static int usage(FILE *to, int status)
{
	fputs("Usage: pcap-fast bridge [--mode=M] INTERFACE INTERFACE [FILTER]\n\n"
	      "Forwards packets between two interfaces, in both directions, until\n"
	      "interrupted: those that FILTER matches, the others are dropped. The host\n"
	      "takes no part; without copying where both are AF_XDP captures.\n\n"
	      "  --mode=M  exclusive (default), auto, system\n",
	      to);
	return status;
}

static bool complain(const struct end *e, int rc)
{
	fprintf(stderr, "pcap-fast bridge: %s: %s%s%s\n", e->name,
		pcap_statustostr(rc), *pcap_geterr(e->p) ? ": " : "",
		pcap_geterr(e->p));
	return false;
}

static bool create(struct end *e)
{
	char errbuf[PCAP_ERRBUF_SIZE];

	e->p = pcap_create(e->name, errbuf);
	if (!e->p) {
		fprintf(stderr, "pcap-fast bridge: %s: %s\n", e->name, errbuf);
		return false;
	}
	pcap_set_snaplen(e->p, LONGEST);
	pcap_set_buffer_size(e->p, BUFFER);
	pcap_set_promisc(e->p, 1);
	pcap_set_immediate_mode(e->p, 1);
	return true;
}

/* Only what came in: the own packets would go round for ever. */
static bool start(struct end *e, const char *expression)
{
	struct bpf_program filter;
	char errbuf[PCAP_ERRBUF_SIZE];
	int rc = pcap_activate(e->p);

	if (rc < 0)
		return complain(e, rc);
	if (pcap_setdirection(e->p, PCAP_D_IN) ||
	    pcap_setnonblock(e->p, 1, errbuf))
		return complain(e, PCAP_ERROR);
	if (!expression)
		return true;
	if (pcap_compile(e->p, &filter, expression, 1, PCAP_NETMASK_UNKNOWN))
		return complain(e, PCAP_ERROR);
	rc = pcap_setfilter(e->p, &filter);
	pcap_freecode(&filter);
	return rc ? complain(e, rc) : true;
}

/* One batch. What the other end has no room for is lost, and counted. A link
 * that is down loses packets, too; it may come up again. */
static int forward(struct end *in, struct end *out)
{
	struct pcap_batch_pkt pkts[BATCH];
	int n = pcap_next_batch(in->p, pkts, BATCH);
	int sent = n > 0 ? pcap_forward_batch(in->p, out->p, pkts, n) : 0;

	if (n < 0)
		return n;
	if (sent < 0)
		sent = 0;
	in->forwarded += sent;
	in->lost += n - sent;
	return n;
}

static void run(struct end *a, struct end *b)
{
	struct pollfd fds[] = {
		{ .fd = pcap_get_selectable_fd(a->p), .events = POLLIN },
		{ .fd = pcap_get_selectable_fd(b->p), .events = POLLIN },
	};

	while (!sender_stop) {
		int n = forward(a, b), m = forward(b, a);

		if (n < 0 || m < 0) {
			complain(n < 0 ? a : b, n < 0 ? n : m);
			return;
		}
		if (!n && !m)
			poll(fds, 2, 100);
	}
}

static void report(const struct end *in, const struct end *out)
{
	struct pcap_stat stats = { 0 };

	pcap_stats(in->p, &stats);
	printf("%s to %s: %" PRIu64 " forwarded, %" PRIu64
	       " not sent, %u dropped\n",
	       in->name, out->name, in->forwarded, in->lost, stats.ps_drop);
}

static int bridge(struct end *a, struct end *b, int mode, const char *filter)
{
	bool good = create(a) && create(b);

	for (int i = 0; good && i < 2; i++) {
		struct end *e = i ? b : a;

		/* one in front of the name stands */
		if (!strchr(e->name, ':'))
			pcap_fast_set_mode(e->p, mode);
	}
	good = good && !pcap_fast_share(a->p, b->p) && start(a, filter) &&
	       start(b, filter);
	if (good) {
		run(a, b);
		report(a, b);
		report(b, a);
	}
	if (a->p)
		pcap_close(a->p);
	if (b->p)
		pcap_close(b->p);
	return good && sender_stop ? 0 : 1;
}

/* -1: no such mode, or one that is of no use here. */
static int mode_named(const char *name)
{
	if (!strcmp(name, "auto"))
		return PCAP_FAST_MODE_AUTO;
	if (!strcmp(name, "system"))
		return PCAP_FAST_MODE_SYSTEM;
	return strcmp(name, "exclusive") ? -1 : PCAP_FAST_MODE_EXCLUSIVE;
}

static bool set_option(int letter, void *mode)
{
	(void)letter;
	*(int *)mode = mode_named(optarg);
	return *(int *)mode >= 0;
}

static const struct tool_words words = { "", options, usage, set_option, 2, 3 };

int tool_bridge(int argc, char **argv)
{
	struct sigaction on_stop = { .sa_handler = stop };
	int mode = PCAP_FAST_MODE_EXCLUSIVE;
	int status = tool_parse(&words, argc, argv, &mode);

	if (status >= 0)
		return status;
	sigaction(SIGINT, &on_stop, NULL);
	sigaction(SIGTERM, &on_stop, NULL);
	return bridge(&(struct end){ .name = argv[optind] },
		      &(struct end){ .name = argv[optind + 1] }, mode,
		      argv[optind + 2]);
}
