/* SPDX-License-Identifier: BSD-3-Clause */
/* pcap-fast replay: the packets of a file, at the file's pace or another. */
#include "tools/sender.h"
#include "tools/tool.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NSEC 1000000000ll

static const struct option options[] = {
	{ "topspeed", no_argument, NULL, 't' },
	{ "multiplier", required_argument, NULL, 'x' },
	{ "loop", required_argument, NULL, 'l' },
	SENDER_OPTIONS,
};

/* All packets of the file, in memory: reading must not slow the sending. */
struct file {
	struct pcap_batch_pkt *pkts;
	uint8_t *bytes;
	size_t n, room, used, size;
	uint64_t cut; /* packets that the file has not whole */
};

struct plan {
	struct sender sender;
	double loop, multiplier;
	bool topspeed;
};

static int usage(FILE *to, int status)
{
	fputs("Usage: pcap-fast replay [OPTION...] FILE INTERFACE\n\n"
	      "Sends the packets of FILE, at the distances of their times.\n"
	      "INTERFACE may have a mode in front: exclusive:eth1, system:eth1.\n"
	      "Packets longer or shorter than it takes are skipped and counted; the\n"
	      "status is 1 then.\n\n"
	      "  --multiplier=X  so many times faster\n"
	      "  --pps=N         frames a second instead\n"
	      "  --mbps=N        Mbit/s on the wire instead\n"
	      "  --topspeed      as fast as it goes instead\n"
	      "  --loop=N        so many times; 0 until interrupted; 1\n"
	      "  --batch=N       frames a call, 1 to 1024; 64\n"
	      "  --json          the account as JSON\n",
	      to);
	return status;
}

static bool set_option(int letter, void *to)
{
	struct plan *plan = to;

	switch (letter) {
	case 'x':
		plan->multiplier = sender_number("replay", "multiplier", optarg,
						 1e-6, 1e6);
		break;
	case 'l':
		plan->loop = sender_number("replay", "loop", optarg, 0, 1e15);
		break;
	case 't':
		plan->topspeed = true;
		break;
	default:
		sender_option(&plan->sender, letter);
	}
	return true;
}

static const struct tool_words words = { "", options, usage, set_option, 2, 2 };

static void *grow(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p) {
		fputs("pcap-fast replay: no memory for the file\n", stderr);
		exit(1);
	}
	return p;
}

/* `frame` holds the place of the bytes until all are read. */
static void keep(struct file *f, const struct pcap_pkthdr *hdr,
		 const u_char *data)
{
	f->cut += hdr->caplen < hdr->len;
	if (f->n == f->room) {
		f->room = f->room ? 2 * f->room : 1024;
		f->pkts = grow(f->pkts, f->room * sizeof(*f->pkts));
	}
	while (f->size - f->used < hdr->caplen) {
		f->size = f->size ? 2 * f->size : 1 << 20;
		f->bytes = grow(f->bytes, f->size);
	}
	memcpy(f->bytes + f->used, data, hdr->caplen);
	f->pkts[f->n++] =
		(struct pcap_batch_pkt){ .hdr = *hdr, .frame = f->used };
	f->used += hdr->caplen;
}

static bool read_all(pcap_t *p, struct file *f, const char *name)
{
	struct pcap_pkthdr *hdr;
	const u_char *data;
	int rc;

	if (pcap_datalink(p) != DLT_EN10MB) {
		fprintf(stderr, "pcap-fast replay: %s: %s, not Ethernet\n",
			name, pcap_datalink_val_to_name(pcap_datalink(p)));
		return false;
	}
	while ((rc = pcap_next_ex(p, &hdr, &data)) == 1)
		keep(f, hdr, data);
	for (size_t i = 0; i < f->n; i++)
		f->pkts[i].data = f->bytes + f->pkts[i].frame;
	if (rc == PCAP_ERROR)
		fprintf(stderr, "pcap-fast replay: %s: %s\n", name,
			pcap_geterr(p));
	else if (!f->n)
		fprintf(stderr, "pcap-fast replay: %s has no packets\n", name);
	return rc != PCAP_ERROR && f->n;
}

static bool load(struct file *f, const char *name)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline_with_tstamp_precision(
		name, PCAP_TSTAMP_PRECISION_NANO, errbuf);
	bool good;

	if (!p) {
		fprintf(stderr, "pcap-fast replay: %s\n", errbuf);
		return false;
	}
	good = read_all(p, f, name);
	pcap_close(p);
	if (good && f->cut)
		fprintf(stderr,
			"pcap-fast replay: %s: %llu packets were cut when they were captured, and are sent so\n",
			name, (unsigned long long)f->cut);
	return good;
}

static int64_t file_time(const struct pcap_pkthdr *hdr)
{
	return hdr->ts.tv_sec * NSEC + hdr->ts.tv_usec;
}

/* How many packets from `at` on are due, by the file's times. */
static int due_by_file(const struct file *f, size_t at, int most, int64_t start,
		       double multiplier)
{
	int64_t first = file_time(&f->pkts[0].hdr);
	int n = 0;

	while (!n && !sender_stop) {
		int64_t past = (sender_clock() - start) * multiplier;
		int64_t wait = file_time(&f->pkts[at].hdr) - first - past;
		struct timespec t = { .tv_nsec = NSEC / 10 };

		while (n < most &&
		       file_time(&f->pkts[at + n].hdr) - first <= past)
			n++;
		wait /= multiplier;
		if (wait < NSEC / 10)
			t.tv_nsec = wait > 0 ? wait : 0;
		if (!n && wait > 50000)
			nanosleep(&t, NULL);
	}
	return n;
}

static bool send_once(struct plan *plan, const struct file *f)
{
	struct sender *s = &plan->sender;
	bool paced = s->pps > 0 || s->mbps > 0 || plan->topspeed;
	int64_t start = sender_clock();

	for (size_t at = 0; at < f->n;) {
		size_t left = f->n - at;
		int n = left < (size_t)s->batch ? (int)left : s->batch;

		n = paced ? sender_due(s, n, f->pkts[at].hdr.caplen)
			  : due_by_file(f, at, n, start, plan->multiplier);
		if (!n || !sender_send(s, f->pkts + at, n))
			return false;
		at += n;
	}
	return true;
}

static int replay(struct plan *plan, const char *name, const char *device)
{
	struct sender *s = &plan->sender;
	struct file f = { 0 };
	bool good = load(&f, name) && sender_open(s, device);

	for (double i = 0; good && (!plan->loop || i < plan->loop); i++)
		good = send_once(plan, &f);
	if (s->p)
		sender_close(s);
	free(f.pkts);
	free(f.bytes);
	return (good || sender_stop) && !s->too_long && !s->too_short ? 0 : 1;
}

int tool_replay(int argc, char **argv)
{
	struct plan plan = {
		.sender = { .name = "replay", .skip = true, .batch = 64 },
		.loop = 1,
		.multiplier = 1
	};
	int status = tool_parse(&words, argc, argv, &plan);

	return status >= 0 ? status
			   : replay(&plan, argv[optind], argv[optind + 1]);
}
