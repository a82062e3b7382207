/* SPDX-License-Identifier: BSD-3-Clause */
/* pcap-fast gen: UDP packets of so many flows, at a pace. */
#include "tools/sender.h"
#include "tools/tool.h"

#include <stdlib.h>
#include <string.h>

#define HEADERS 42
#define LARGEST 9014

static const struct option options[] = {
	{ "size", required_argument, NULL, 's' },
	{ "count", required_argument, NULL, 'c' },
	{ "flows", required_argument, NULL, 'f' },
	SENDER_OPTIONS,
};

struct plan {
	struct sender sender;
	unsigned size, flows;
	double count; /* 0: until stopped */
};

static int usage(FILE *to, int status)
{
	fputs("Usage: pcap-fast gen [OPTION...] INTERFACE\n\n"
	      "Sends UDP packets over IPv4, from 10.0.0.0 and up to 10.128.0.1 port 9.\n"
	      "INTERFACE may have a mode in front: exclusive:eth1, system:eth1.\n\n"
	      "  --size=N    bytes of a frame without check sum, 42 to 9014; 60\n"
	      "  --count=N   frames; until interrupted\n"
	      "  --pps=N     frames a second; as fast as it goes\n"
	      "  --mbps=N    Mbit/s on the wire; as fast as it goes\n"
	      "  --flows=N   different source addresses; 1\n"
	      "  --batch=N   frames a call, 1 to 1024; 64\n"
	      "  --json      the account as JSON\n",
	      to);
	return status;
}

static bool set_option(int letter, void *to)
{
	struct plan *plan = to;

	switch (letter) {
	case 's':
		plan->size =
			sender_number("gen", "size", optarg, HEADERS, LARGEST);
		break;
	case 'c':
		plan->count = sender_number("gen", "count", optarg, 1, 1e15);
		break;
	case 'f':
		plan->flows = sender_number("gen", "flows", optarg, 1, 1 << 23);
		break;
	default:
		sender_option(&plan->sender, letter);
	}
	return true;
}

static const struct tool_words words = { "", options, usage, set_option, 1, 1 };

static void put16(uint8_t *to, unsigned value)
{
	to[0] = value >> 8;
	to[1] = value;
}

static void put_source(uint8_t *f, uint32_t flow)
{
	uint32_t sum = 0;

	put16(f + 26, 10 << 8 | (flow >> 16 & 0x7f));
	put16(f + 28, flow & 0xffff);
	put16(f + 24, 0);
	for (int i = 14; i < 34; i += 2)
		sum += f[i] << 8 | f[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(f + 24, ~(sum + (sum >> 16)));
}

/* Locally administered addresses; UDP without a check sum. */
static void build(uint8_t *f, unsigned size)
{
	static const uint8_t head[] = { 2, 0, 0, 0, 0, 2, 2,	0,
					0, 0, 0, 1, 8, 0, 0x45, 0 };

	memset(f, 0, size);
	memcpy(f, head, sizeof(head));
	put16(f + 16, size - 14);
	f[22] = 64;
	f[23] = IPPROTO_UDP;
	put16(f + 30, 10 << 8 | 128);
	put16(f + 32, 1);
	put16(f + 34, 9);
	put16(f + 36, 9);
	put16(f + 38, size - 34);
}

static bool send_all(struct plan *plan, struct pcap_batch_pkt *pkts,
		     uint8_t *area)
{
	struct sender *s = &plan->sender;

	for (uint32_t flow = 0;;) {
		double left = plan->count ? plan->count - s->frames : s->batch;
		int n = left < s->batch ? (int)left : s->batch;

		n = n ? sender_due(s, n, plan->size) : 0;
		if (!n)
			return true;
		for (int i = 0; i < n; i++) {
			put_source(area + (size_t)i * plan->size, flow);
			flow = flow + 1 < plan->flows ? flow + 1 : 0;
		}
		if (!sender_send(s, pkts, n))
			return sender_stop;
	}
}

static int generate(struct plan *plan, const char *device)
{
	int batch = plan->sender.batch;
	struct pcap_batch_pkt *pkts = calloc(batch, sizeof(*pkts));
	uint8_t *area = malloc((size_t)batch * plan->size);
	bool good;

	if (!pkts || !area || !sender_open(&plan->sender, device)) {
		free(pkts);
		free(area);
		return 1;
	}
	for (int i = 0; i < batch; i++) {
		pkts[i].data = area + (size_t)i * plan->size;
		pkts[i].hdr.caplen = plan->size;
		build(area + (size_t)i * plan->size, plan->size);
	}
	good = send_all(plan, pkts, area);
	sender_close(&plan->sender);
	free(pkts);
	free(area);
	return good ? 0 : 1;
}

int tool_gen(int argc, char **argv)
{
	struct plan plan = { .sender = { .name = "gen", .batch = 64 },
			     .size = 60,
			     .flows = 1 };
	int status = tool_parse(&words, argc, argv, &plan);

	return status >= 0 ? status : generate(&plan, argv[optind]);
}
