/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A/B: tagged frames. The tag is in the delivered bytes, while the filter
 * sees the frame without it, as the kernel does; clipping counts the tag.
 */
#include "tests/ab/ab.h"

#include <stdio.h>
#include <string.h>

struct shape {
	char text[96];
};

static void shape_of(u_char *user, const struct pcap_pkthdr *h,
		     const u_char *data)
{
	struct shape *s = (void *)user;
	unsigned i, at;

	at = (unsigned)snprintf(s->text, sizeof(s->text), "%u/%u", h->caplen,
				h->len);
	for (i = 12; i < 22 && i < h->caplen; i++)
		at += (unsigned)snprintf(s->text + at, sizeof(s->text) - at,
					 "%s%02x", i % 2 ? "" : " ", data[i]);
}

static void delivered(void)
{
	static const char *const kinds[] = { "icmp", "vlan7", "vlan0", "qinq" };
	static const int flags[] = { AB_QUICK, AB_NONBLOCK };
	struct shape s;
	char key[32];
	unsigned i, k;

	for (i = 0; i < 2; i++) {
		pcap_t *p = ab_open(flags[i], 10);

		for (k = 0; k < 4; k++) {
			ab_send_len(kinds[k], 1, 104);
			strcpy(s.text, "none");
			ab_drain(p, shape_of, &s, 1, 1000);
			snprintf(key, sizeof(key), "bytes.%s_%u", kinds[k], i);
			ab_say(key, "%s", s.text);
		}
		pcap_close(p);
	}
}

struct exact {
	const char *kind;
	unsigned seen, exact;
};

static void compare_exact(u_char *user, const struct pcap_pkthdr *h,
			  const u_char *data)
{
	struct exact *x = (void *)user;
	u_char want[AB_FRAME_MAX];

	ab_frame(want, x->kind, x->seen, 300);
	x->exact += h->caplen == 300 && !memcmp(want, data, 300);
	x->seen++;
}

static void exact(void)
{
	static const char *const kinds[] = { "vlan7", "qinq" };
	char key[32];
	unsigned k;

	for (k = 0; k < 2; k++) {
		struct exact x = { kinds[k], 0, 0 };
		pcap_t *p = ab_open(AB_QUICK, 10);

		ab_feed_restart();
		ab_send_len(kinds[k], 30, 300);
		ab_drain(p, compare_exact, &x, 30, 1000);
		snprintf(key, sizeof(key), "exact.%s", kinds[k]);
		ab_say(key, "%u of %u", x.exact, x.seen);
		pcap_close(p);
	}
}

static const char *const exprs[] = {
	"vlan",
	"vlan 7",
	"vlan 9",
	"vlan 100",
	"not vlan",
	"vlan 7 and icmp",
	"vlan 100 and vlan 7",
	"icmp",
	"udp port 53",
	"ether[12:2] == 0x8100",
	"ether[12:2] == 0x0800",
	"ether[16:2] == 0x0800",
	"ether[14] == 0x45",
	"len == 100",
	"len == 104",
	"greater 101",
};

/* Of four of each kind: icmp 100, vlan7 104, vlan9 104, qinq 108, udp53. */
static void filters(void)
{
	char key[64];
	unsigned i;
	pcap_t *p = ab_open(AB_QUICK, 10);

	for (i = 0; i < sizeof(exprs) / sizeof(*exprs); i++) {
		ab_filter(p, exprs[i]);
		ab_send_len("icmp", 4, 100);
		ab_send_len("vlan7", 4, 104);
		ab_send_len("vlan9", 4, 104);
		ab_send_len("qinq", 4, 108);
		ab_send_len("udp53", 4, 100);
		snprintf(key, sizeof(key), "filter.%s", exprs[i]);
		ab_say(key, "%d", ab_drain_n(p, 21, 40));
	}
	pcap_close(p);
}

/* The same question about packets that were queued before the filter. */
static void queued(void)
{
	char key[64];
	unsigned i;

	for (i = 0; i < sizeof(exprs) / sizeof(*exprs); i += 3) {
		pcap_t *p = ab_open(AB_QUICK, 10);

		ab_send_len("icmp", 4, 100);
		ab_send_len("vlan7", 4, 104);
		ab_settle(p, 8);
		ab_filter(p, exprs[i]);
		snprintf(key, sizeof(key), "queued.%s", exprs[i]);
		ab_say(key, "%d", ab_drain_n(p, 9, 40));
		pcap_close(p);
	}
}

/* Code from a dead handle lacks the kernel's extension for tags. */
static void dead_code(void)
{
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, 65535);
	pcap_t *p = ab_open(AB_QUICK, 10);
	struct bpf_program prog;

	if (pcap_compile(dead, &prog, "vlan 7", 1, 0))
		ab_die("compile: %s", pcap_geterr(dead));
	ab_code("dead_code.set", p, pcap_setfilter(p, &prog));
	ab_send("vlan7", 5);
	ab_say("dead_code.delivered", "%d", ab_drain_n(p, 5, 100));
	pcap_freecode(&prog);
	pcap_close(dead);
	pcap_close(p);
}

static void clips(void)
{
	static const int snaplen[] = { 10, 12, 14, 16, 18, 60, 103, 104 };
	struct shape s;
	char key[32];
	unsigned i;

	for (i = 0; i < 8; i++) {
		pcap_t *p = ab_open_on(AB_DEV, AB_NONBLOCK, 10, snaplen[i]);

		ab_send_len("vlan7", 1, 104);
		strcpy(s.text, "none");
		ab_drain(p, shape_of, &s, 1, 1000);
		snprintf(key, sizeof(key), "clip.snaplen_%d", snaplen[i]);
		ab_say(key, "%s", s.text);
		pcap_close(p);
	}
}

static void filter_clips(void)
{
	static const unsigned keep[] = { 20, 60, 100, 104 };
	struct shape s;
	char key[32];
	unsigned i;

	for (i = 0; i < 4; i++) {
		struct bpf_insn ret[] = { { 0x06, 0, 0, keep[i] } };
		struct bpf_program prog = { 1, ret };
		pcap_t *p = ab_open(AB_QUICK, 10);

		if (pcap_setfilter(p, &prog))
			ab_die("ret: %s", pcap_geterr(p));
		ab_send_len("vlan7", 1, 104);
		strcpy(s.text, "none");
		ab_drain(p, shape_of, &s, 1, 1000);
		snprintf(key, sizeof(key), "clip.ret_%u", keep[i]);
		ab_say(key, "%s", s.text);
		pcap_close(p);
	}
}

static const struct ab_case cases[] = {
	AB_CASE(delivered),    AB_CASE(exact),	   AB_CASE(filters),
	AB_CASE(queued),       AB_CASE(dead_code), AB_CASE(clips),
	AB_CASE(filter_clips), AB_CASE_END,
};

int main(void)
{
	return ab_main("vlan", cases);
}
