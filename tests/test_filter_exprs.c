/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The grammar of pcap-filter(7) for Ethernet, expression by expression, over
 * frames of many protocols: whoever runs the program, every one must agree.
 * Compiled by libpcap as for a live capture, with and without its optimizer.
 */
#include "tests/filter_compare.h"
#include "tests/filter_frames.h"
#include "tests/filter_pcap.h"
#include "tests/filter_view.h"
#include "tests/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char *const expressions[] = {
	"ip",
	"ip6",
	"arp",
	"rarp",
	"tcp",
	"udp",
	"icmp",
	"icmp6",
	"sctp",
	"igmp",
	"pim",
	"igrp",
	"vrrp",
	"carp",
	"ah",
	"esp",
	"atalk",
	"aarp",
	"decnet",
	"iso",
	"stp",
	"ipx",
	"netbeui",
	"lat",
	"moprc",
	"mopdl",
	"llc",
	"esis",
	"isis",
	"clnp",
	"ether broadcast",
	"ether multicast",
	"ip multicast",
	"ip6 multicast",
	"broadcast",
	"multicast",
	"ether proto 0x88cc",
	"ether proto \\ip",
	"ether proto \\arp",
	"ether proto 0x8100",
	"ether proto 0x8847",
	"ether proto 0x8863",
	"ether proto 0x22",
	"ether proto \\stp",
	"host 10.0.0.1",
	"host 10.0.0.2",
	"host fe80::1",
	"host 2001:db8::2",
	"net 10.0.0.0/8",
	"net 192.168.1.0/24",
	"net 2001:db8::/32",
	"port 53",
	"port 80",
	"tcp port 80",
	"udp port 53",
	"sctp port 36412",
	"portrange 0-1023",
	"tcp portrange 20-25",
	"udp portrange 5000-6000",
	"ether host 02:00:00:00:00:01",
	"ip host 10.0.0.1",
	"arp host 10.0.0.1",
	"ip6 host fe80::1",
	"src host 10.0.0.1",
	"src host 10.0.0.2",
	"src host fe80::1",
	"src host 2001:db8::2",
	"src net 10.0.0.0/8",
	"src net 192.168.1.0/24",
	"src net 2001:db8::/32",
	"src port 53",
	"src port 80",
	"tcp src port 80",
	"udp src port 53",
	"sctp src port 36412",
	"src portrange 0-1023",
	"tcp src portrange 20-25",
	"udp src portrange 5000-6000",
	"ether src host 02:00:00:00:00:01",
	"ip src host 10.0.0.1",
	"arp src host 10.0.0.1",
	"ip6 src host fe80::1",
	"dst host 10.0.0.1",
	"dst host 10.0.0.2",
	"dst host fe80::1",
	"dst host 2001:db8::2",
	"dst net 10.0.0.0/8",
	"dst net 192.168.1.0/24",
	"dst net 2001:db8::/32",
	"dst port 53",
	"dst port 80",
	"tcp dst port 80",
	"udp dst port 53",
	"sctp dst port 36412",
	"dst portrange 0-1023",
	"tcp dst portrange 20-25",
	"udp dst portrange 5000-6000",
	"ether dst host 02:00:00:00:00:01",
	"ip dst host 10.0.0.1",
	"arp dst host 10.0.0.1",
	"ip6 dst host fe80::1",
	"src or dst host 10.0.0.1",
	"src or dst host 10.0.0.2",
	"src or dst host fe80::1",
	"src or dst host 2001:db8::2",
	"src or dst net 10.0.0.0/8",
	"src or dst net 192.168.1.0/24",
	"src or dst net 2001:db8::/32",
	"src or dst port 53",
	"src or dst port 80",
	"tcp src or dst port 80",
	"udp src or dst port 53",
	"sctp src or dst port 36412",
	"src or dst portrange 0-1023",
	"tcp src or dst portrange 20-25",
	"udp src or dst portrange 5000-6000",
	"ether src or dst host 02:00:00:00:00:01",
	"ip src or dst host 10.0.0.1",
	"arp src or dst host 10.0.0.1",
	"ip6 src or dst host fe80::1",
	"src and dst host 10.0.0.1",
	"src and dst host 10.0.0.2",
	"src and dst host fe80::1",
	"src and dst host 2001:db8::2",
	"src and dst net 10.0.0.0/8",
	"src and dst net 192.168.1.0/24",
	"src and dst net 2001:db8::/32",
	"src and dst port 53",
	"src and dst port 80",
	"tcp src and dst port 80",
	"udp src and dst port 53",
	"sctp src and dst port 36412",
	"src and dst portrange 0-1023",
	"tcp src and dst portrange 20-25",
	"udp src and dst portrange 5000-6000",
	"ether src and dst host 02:00:00:00:00:01",
	"ip src and dst host 10.0.0.1",
	"arp src and dst host 10.0.0.1",
	"ip6 src and dst host fe80::1",
	"net 10.0.0.0 mask 255.0.0.0",
	"net 10",
	"net 192.168",
	"net 0.0.0.0/0",
	"ip net 172.16.0.0/12",
	"rarp host 10.0.0.1",
	"ip proto 6",
	"ip proto 17",
	"ip proto \\icmp",
	"ip proto 47",
	"ip6 proto 6",
	"ip6 proto 58",
	"ip6 proto \\udp",
	"proto 132",
	"proto \\tcp",
	"ip protochain 6",
	"ip6 protochain 6",
	"ip protochain \\udp",
	"ip6 protochain 17",
	"protochain 51",
	"vlan",
	"vlan 7",
	"vlan 42",
	"vlan 0",
	"vlan 4094",
	"vlan and ip",
	"vlan 7 and udp",
	"vlan and vlan",
	"vlan 7 and vlan 42",
	"vlan and tcp port 80",
	"vlan 100 and ip6",
	"not vlan",
	"vlan and arp",
	"ip or vlan 7",
	"vlan and ether[14:2]=0x800",
	"vlan or vlan",
	"(vlan 7 and icmp) or udp",
	"mpls",
	"mpls 100",
	"mpls 100 and ip",
	"mpls and mpls",
	"mpls 100000 && mpls 1024",
	"mpls 1024 and host 10.0.0.2",
	"mpls and tcp",
	"mpls and mpls and ip6",
	"pppoed",
	"pppoes",
	"pppoes 0x27",
	"pppoes and ip",
	"pppoes and ip6",
	"pppoes 1 and tcp",
	"pppoes and udp port 53",
	"pppoes and host 10.0.0.1",
	"geneve",
	"geneve 42",
	"geneve and ip",
	"geneve 0x2a and tcp",
	"geneve and udp port 53",
	"less 64",
	"greater 100",
	"len = 60",
	"len > 1500",
	"len <= 74",
	"len & 1 = 1",
	"len - 14 = ip[2:2]",
	"greater 1515 or less 20",
	"ether[0] != 0",
	"ether[0] & 0x0f > 3",
	"ether[6:4] != 0",
	"ether[6:4] & 0x0f > 3",
	"ether[12:2] != 0",
	"ether[12:2] & 0x0f > 3",
	"ether[14] != 0",
	"ether[14] & 0x0f > 3",
	"ether[20:4] != 0",
	"ether[20:4] & 0x0f > 3",
	"ether[60] != 0",
	"ether[60] & 0x0f > 3",
	"ether[100:4] != 0",
	"ether[100:4] & 0x0f > 3",
	"ip[0] != 0",
	"ip[0] & 0x0f > 3",
	"ip[1] != 0",
	"ip[1] & 0x0f > 3",
	"ip[2:2] != 0",
	"ip[2:2] & 0x0f > 3",
	"ip[6:2] != 0",
	"ip[6:2] & 0x0f > 3",
	"ip[8] != 0",
	"ip[8] & 0x0f > 3",
	"ip[9] != 0",
	"ip[9] & 0x0f > 3",
	"ip[12:4] != 0",
	"ip[12:4] & 0x0f > 3",
	"ip[16:4] != 0",
	"ip[16:4] & 0x0f > 3",
	"ip[20] != 0",
	"ip[20] & 0x0f > 3",
	"ip[40:2] != 0",
	"ip[40:2] & 0x0f > 3",
	"ip6[0] != 0",
	"ip6[0] & 0x0f > 3",
	"ip6[4:2] != 0",
	"ip6[4:2] & 0x0f > 3",
	"ip6[6] != 0",
	"ip6[6] & 0x0f > 3",
	"ip6[8:4] != 0",
	"ip6[8:4] & 0x0f > 3",
	"ip6[40] != 0",
	"ip6[40] & 0x0f > 3",
	"ip6[24:4] != 0",
	"ip6[24:4] & 0x0f > 3",
	"tcp[0:2] != 0",
	"tcp[0:2] & 0x0f > 3",
	"tcp[2:2] != 0",
	"tcp[2:2] & 0x0f > 3",
	"tcp[4:4] != 0",
	"tcp[4:4] & 0x0f > 3",
	"tcp[13] != 0",
	"tcp[13] & 0x0f > 3",
	"tcp[12] != 0",
	"tcp[12] & 0x0f > 3",
	"tcp[14:2] != 0",
	"tcp[14:2] & 0x0f > 3",
	"tcp[20] != 0",
	"tcp[20] & 0x0f > 3",
	"tcp[20:4] != 0",
	"tcp[20:4] & 0x0f > 3",
	"udp[0:2] != 0",
	"udp[0:2] & 0x0f > 3",
	"udp[2:2] != 0",
	"udp[2:2] & 0x0f > 3",
	"udp[4:2] != 0",
	"udp[4:2] & 0x0f > 3",
	"udp[8] != 0",
	"udp[8] & 0x0f > 3",
	"udp[8:4] != 0",
	"udp[8:4] & 0x0f > 3",
	"icmp[0] != 0",
	"icmp[0] & 0x0f > 3",
	"icmp[1] != 0",
	"icmp[1] & 0x0f > 3",
	"icmp[4:2] != 0",
	"icmp[4:2] & 0x0f > 3",
	"icmp6[0] != 0",
	"icmp6[0] & 0x0f > 3",
	"icmp6[1] != 0",
	"icmp6[1] & 0x0f > 3",
	"arp[6:2] != 0",
	"arp[6:2] & 0x0f > 3",
	"arp[8:4] != 0",
	"arp[8:4] & 0x0f > 3",
	"arp[14:4] != 0",
	"arp[14:4] & 0x0f > 3",
	"arp[24:4] != 0",
	"arp[24:4] & 0x0f > 3",
	"sctp[0:2] != 0",
	"sctp[0:2] & 0x0f > 3",
	"sctp[12] != 0",
	"sctp[12] & 0x0f > 3",
	"rarp[6:2] != 0",
	"rarp[6:2] & 0x0f > 3",
	"igmp[0] != 0",
	"igmp[0] & 0x0f > 3",
	"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
	"tcp[tcpflags] == tcp-syn",
	"tcp[tcpflags] & tcp-ack != 0 and tcp[tcpflags] & tcp-push != 0",
	"tcp[13] & 7 = 0",
	"icmp[icmptype] = icmp-echo",
	"icmp[icmptype] = icmp-unreach or icmp[icmptype] = icmp-timxceed",
	"icmp6[icmp6type] = icmp6-echo",
	"icmp6[0] >= 133 and icmp6[0] <= 137",
	"icmp[icmpcode] = 3",
	"ip[6:2] & 0x1fff = 0",
	"ip[6:2] & 0x3fff != 0",
	"ip[0] & 0xf != 5",
	"ip[8] < 5",
	"ip[2:2] > 576",
	"tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420",
	"udp[8:4] = 0x12340100",
	"(ip[12:4] ^ ip[16:4]) & 0xff000000 = 0",
	"ip[2:2] - ((ip[0] & 0xf) << 2) > 20",
	"ip[8] * 2 > 100",
	"ip[8] / 2 = 32",
	"ip[9] % 7 = 6",
	"ip[2:2] / ip[8] > 0",
	"ip[8] << (ip[9] & 7) > 1",
	"ip[12:4] >> 24 = 10",
	"ip[2] | ip[3] = 40",
	"len % 4 = 0",
	"ip[ip[0]] = 4",
	"ether[ether[15]] > 1",
	"ip[16:4] = 0x0a000001 + 0",
	"ip[1] + ip[8] > 70",
	"ether[0] & 1 = 0 and ip[16] >= 224",
	"inbound",
	"outbound",
	"inbound and ip",
	"outbound or arp",
	"ifindex 1",
	"ifindex 3 or tcp",
	"tcp and port 80 and host 10.0.0.1",
	"udp and (port 53 or port 67)",
	"not arp and not ip6",
	"(tcp or udp) and (port 53 or port 5353) and not net 192.168.0.0/16",
	"ip and not (tcp or udp or icmp)",
	"host 10.0.0.1 or host 10.0.0.2 or host 192.168.1.1",
	"port 22 or port 80 or port 443 or port 53 or port 67 or port 68",
	"not (host 10.0.0.1 and port 80)",
	"arp or icmp6 or (udp port 53 or 67 or 68 or 546 or 547) or tcp port 22",
	"ether host 02:00:00:00:00:02 or arp",
	"ether src 02:00:00:00:00:02 and not broadcast",
	"tcp port 80 and (tcp[13] & 2 != 0)",
	"ip or ip6",
	"(ip or ip6) and (tcp or udp or sctp)",
	"link proto 0x800",
	"link[0] = 2",
	"ether[12:2] = 0x0800",
	"ether[12:2] > 1500",
	"ether[12:2] <= 1500",
	"wlan[0] = 1",
	"llc i",
	"llc s",
	"llc u",
	"llc ui",
	"llc xid",
	"clnp or esis or isis",
	"csnp",
	"psnp",
	"lsp",
	"l1",
	"l2",
	"iih",
	"snp",
};

#define NEXPRESSIONS (sizeof(expressions) / sizeof(expressions[0]))

/* Expressions that no program at the hook can express: libpcap follows chains
 * of headers by jumping backwards. */
static bool goes_backwards(const char *expression)
{
	return strstr(expression, "protochain") != NULL;
}

static struct filter_corpus corpus;
static struct filter_wire wire;
static struct {
	unsigned programs, kernel, refused, user, runs, matches;
} count;

/* By 32 and more the kernel shifts modulo 32, and libpcap shifts all out. */
static bool shifts_by_x(const struct filter_case *c)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->insns[i].code == (BPF_ALU | BPF_LSH | BPF_X) ||
		    c->insns[i].code == (BPF_ALU | BPF_RSH | BPF_X))
			return true;
	return false;
}

/* libpcap's own interpreter, which knows no ancillary data, over the kernel's
 * view of the frame. */
static int as_libpcap(const struct filter_case *c, const uint8_t *data,
		      uint32_t len)
{
	struct sock_filter *insns = calloc(c->n, sizeof(*insns));
	const uint32_t want = filter_case_expect(c, data, len);
	struct filter_view view;
	uint32_t got = 0;

	if (!insns || filter_view_init(&view, data, len, c->ifindex)) {
		free(insns);
		return 1;
	}
	filter_view_program(&view, c->insns, c->n, insns);
	if (!view.dropped)
		got = filter_pcap_run(insns, view.data, view.len);
	free(view.data);
	free(insns);
	if (got != want)
		printf("libpcap says %u, expected %u\n", got, want);
	return got != want;
}

static int run_corpus(struct filter_case *c)
{
	for (unsigned i = 0; i < corpus.n; i++) {
		const struct filter_sample *s = &corpus.frame[i];

		if (filter_case_run(c, s->data, s->len) ||
		    (!shifts_by_x(c) && as_libpcap(c, s->data, s->len)))
			return 1;
		count.runs++;
		count.matches += filter_case_expect(c, s->data, s->len) != 0;
	}
	return 0;
}

/* One frame, another for each expression, cut at every length. */
static int run_cut(struct filter_case *c, unsigned which)
{
	const struct filter_sample *s = &corpus.frame[which % corpus.n];

	for (uint32_t len = 14; len < s->len && len < 200; len++) {
		if (filter_case_run(c, s->data, len) ||
		    (!shifts_by_x(c) && as_libpcap(c, s->data, len)))
			return 1;
		count.runs++;
	}
	return 0;
}

static int run_expression(unsigned i, int optimize)
{
	const char *expression = expressions[i];
	struct sock_filter *insns;
	struct filter_case c;
	char err[256];
	unsigned n;
	int bad;

	if (filter_pcap_compile(expression, optimize, &insns, &n, err,
				sizeof(err))) {
		printf("  %s: %s\n", expression, err);
		return 1;
	}
	filter_case_init(&c, insns, n, &wire);
	count.programs++;
	if (c.compiled)
		count.user++;
	else if (filter_case_load(&c, NULL, 0))
		count.refused++;
	else
		count.kernel++;
	bad = (c.compiled != 0) != goes_backwards(expression);
	if (bad)
		printf("  %s: compiled %d %s\n", expression, c.compiled, c.why);
	bad |= run_corpus(&c) || run_cut(&c, i * 7 + optimize);
	if (bad)
		printf("  in: %s\n", expression);
	filter_case_free(&c);
	free(insns);
	return bad;
}

static void run_all(int optimize)
{
	char err[256];

	if (filter_corpus_init(&corpus)) {
		CU_FAIL_FATAL("no memory");
	}
	if (filter_wire_open(&wire) ||
	    filter_pcap_open(FILTER_WIRE_DEVICE, err, sizeof(err))) {
		filter_corpus_free(&corpus);
		pcf_skip("needs root and network namespaces");
		return;
	}
	memset(&count, 0, sizeof(count));
	for (unsigned i = 0; i < NEXPRESSIONS; i++)
		CU_ASSERT_EQUAL(run_expression(i, optimize), 0);
	printf("    %u programs: %u in the kernel, %u refused by it, %u for user space; %u runs, %u matches\n",
	       count.programs, count.kernel, count.refused, count.user,
	       count.runs, count.matches);
	CU_ASSERT_EQUAL(count.refused, 0);
	CU_ASSERT_TRUE(count.matches > 1000);
	filter_pcap_close();
	filter_wire_close(&wire);
	filter_corpus_free(&corpus);
}

static void optimized(void)
{
	run_all(1);
}

static void unoptimized(void)
{
	run_all(0);
}

static void enough(void)
{
	CU_ASSERT_TRUE(NEXPRESSIONS >= 300);
}

static CU_TestInfo tests[] = {
	PCF_TEST(enough),
	PCF_TEST(optimized),
	PCF_TEST(unoptimized),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("expressions", tests);
}
