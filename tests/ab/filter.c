/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A/B: filters. Which programs are taken and with what text others are
 * refused; that after pcap_setfilter no packet comes that the new filter
 * rejects, queued ones included; clipping by the filter's return value; code
 * generation on a live handle.
 */
#include "tests/ab/ab.h"

#include <stdio.h>
#include <string.h>

#define RET_K 0x06
#define LD_W  0x20

static void set_raw(const char *key, pcap_t *p, struct bpf_insn *insns,
		    unsigned n)
{
	struct bpf_program prog = { n, insns };

	ab_code(key, p, pcap_setfilter(p, &prog));
}

static void refused(void)
{
	struct bpf_insn no_ret[] = { { LD_W, 0, 0, 0 } };
	struct bpf_insn jump_out[] = { { 0x15, 9, 9, 0 }, { RET_K, 0, 0, 1 } };
	struct bpf_insn div0[] = { { 0x34, 0, 0, 0 }, { RET_K, 0, 0, 1 } };
	struct bpf_insn bad_mem[] = { { 0x60, 0, 0, 16 }, { RET_K, 0, 0, 1 } };
	struct bpf_insn good[] = { { RET_K, 0, 0, 0xffff } };
	pcap_t *p = ab_open(AB_QUICK, 10);

	ab_code("refused.null", p, pcap_setfilter(p, NULL));
	set_raw("refused.no_return", p, no_ret, 1);
	set_raw("refused.jump_out", p, jump_out, 2);
	set_raw("refused.division_by_0", p, div0, 2);
	set_raw("refused.scratch", p, bad_mem, 2);
	set_raw("refused.length_0", p, good, 0);
	set_raw("taken.good", p, good, 1);
	ab_send("icmp", 3);
	ab_say("taken.delivered", "%d", ab_drain_n(p, 3, 1000));
	pcap_close(p);
}

/* A refused program leaves the one before it in force. */
static void refused_keeps(void)
{
	struct bpf_insn no_ret[] = { { LD_W, 0, 0, 0 } };
	pcap_t *p = ab_open(AB_QUICK, 10);

	ab_filter(p, "udp port 9");
	set_raw("keeps.refused", p, no_ret, 1);
	ab_send("icmp", 5);
	ab_send("udp9", 3);
	ab_say("keeps.delivered", "%d", ab_drain_n(p, 8, 150));
	pcap_close(p);
}

static void exact(void)
{
	static const int flags[] = { AB_QUICK, AB_NONBLOCK };
	struct pcap_stat st;
	char key[32];
	unsigned i;
	pcap_t *p;

	for (i = 0; i < 2; i++) {
		p = ab_open(flags[i], 10);
		ab_send("icmp", 20);
		ab_settle(p, 20);
		ab_filter(p, "udp port 9");
		snprintf(key, sizeof(key), "exact.old_queued_%u", i);
		ab_say(key, "%d", ab_drain_n(p, 20, 150));
		pcap_stats(p, &st);
		snprintf(key, sizeof(key), "exact.recv_%u", i);
		ab_say(key, "%u", st.ps_recv);
		ab_send("icmp", 4);
		ab_send("udp9", 6);
		snprintf(key, sizeof(key), "exact.new_%u", i);
		ab_say(key, "%d", ab_drain_n(p, 20, 150));
		pcap_close(p);
	}
}

static void widened(void)
{
	pcap_t *p = ab_open(AB_QUICK, 10);

	ab_filter(p, "udp");
	ab_send("icmp", 5);
	ab_send("udp9", 5);
	ab_settle(p, 5);
	ab_filter(p, "");
	ab_say("widened.queued", "%d", ab_drain_n(p, 10, 150));
	ab_send("icmp", 5);
	ab_say("widened.new", "%d", ab_drain_n(p, 5, 1000));
	pcap_close(p);
}

/* Changed from a callback, in the middle of what is queued. */
static pcap_t *in_callback;
static unsigned callback_seen;

static void narrow_at_2(u_char *user, const struct pcap_pkthdr *h,
			const u_char *data)
{
	(void)user;
	(void)h;
	(void)data;
	if (++callback_seen == 2)
		ab_filter(in_callback, "udp");
}

static void changed_in_callback(void)
{
	in_callback = ab_open(AB_QUICK, 10);
	ab_send("icmp", 10);
	ab_settle(in_callback, 10);
	ab_say("callback.delivered", "%d",
	       ab_drain(in_callback, narrow_at_2, NULL, 10, 150));
	ab_send("icmp", 2);
	ab_send("udp9", 2);
	ab_say("callback.after", "%d",
	       ab_drain(in_callback, narrow_at_2, NULL, 4, 150));
	pcap_close(in_callback);
}

static void lengths(u_char *user, const struct pcap_pkthdr *h,
		    const u_char *data)
{
	(void)data;
	snprintf((char *)user, 32, "%u/%u", h->caplen, h->len);
}

static void clip(void)
{
	static const unsigned keep[] = { 1, 60, 99, 100, 101, 0x7fffffff };
	char key[32], got[32];
	unsigned i;

	for (i = 0; i < 6; i++) {
		struct bpf_insn ret[] = { { RET_K, 0, 0, keep[i] } };
		struct bpf_program prog = { 1, ret };
		pcap_t *p = ab_open(AB_QUICK, 10);

		if (pcap_setfilter(p, &prog))
			ab_die("ret: %s", pcap_geterr(p));
		ab_send_len("icmp", 1, 100);
		strcpy(got, "none");
		ab_drain(p, lengths, got, 1, 1000);
		snprintf(key, sizeof(key), "clip.ret_%x", keep[i]);
		ab_say(key, "%s", got);
		pcap_close(p);
	}
}

/* Programs as tools make them, against ten frames of each kind. */
static void expressions(void)
{
	static const char *const exprs[] = {
		"",
		"icmp",
		"not icmp",
		"udp port 53",
		"udp portrange 9-53",
		"host 192.0.2.2",
		"src host 192.0.2.2",
		"ether src 02:00:00:00:00:01",
		"greater 100",
		"less 99",
		"len = 100",
		"ip[8] = 64",
		"ip[2:2] > 50 and ip[9] != 17",
		"ether[42:4] & 1 = 1",
		"inbound",
		"outbound",
		"ether[2000] = 1",
		"ip[ip[8]] = 1 or icmp",
		"len / 7 = 14",
		"ip6 or arp",
		"ifindex 99999",
		"ether broadcast or ether multicast",
	};
	char key[64];
	unsigned i;
	pcap_t *p = ab_open(AB_QUICK, 10);

	for (i = 0; i < sizeof(exprs) / sizeof(*exprs); i++) {
		ab_filter(p, exprs[i]);
		/*
		 * The first packet after a change is filtered in user space,
		 * where the system's library cannot tell inbound.
		 */
		ab_send("udp9", 2);
		ab_drain_n(p, 3, 20);
		ab_feed_restart();
		ab_send("icmp", 10);
		ab_send("udp53", 10);
		ab_send("udp9", 10);
		snprintf(key, sizeof(key), "expr.%s", exprs[i]);
		ab_say(key, "%d", ab_drain_n(p, 31, 40));
	}
	pcap_close(p);
}

/* Division by X = 0, loads out of range, scratch: reject, do not fault. */
static void odd_programs(void)
{
	struct bpf_insn div_x[] = { { 0x00, 0, 0, 8 },
				    { 0x3c, 0, 0, 0 },
				    { RET_K, 0, 0, 0xffff } };
	struct bpf_insn far_load[] = { { LD_W, 0, 0, 0x7fffff00 },
				       { RET_K, 0, 0, 0xffff } };
	struct bpf_insn ret_a[] = { { 0x80, 0, 0, 0 }, { 0x16, 0, 0, 0 } };
	struct bpf_insn ret_x0[] = { { 0x87, 0, 0, 0 }, { 0x16, 0, 0, 0 } };
	struct bpf_insn mem0[] = { { 0x02, 0, 0, 3 },
				   { 0x60, 0, 0, 3 },
				   { 0x16, 0, 0, 0 } };
	struct {
		const char *key;
		struct bpf_insn *insns;
		unsigned n;
	} odd[] = { { "div_x_0", div_x, 3 },
		    { "far_load", far_load, 2 },
		    { "ret_len", ret_a, 2 },
		    { "ret_x", ret_x0, 2 },
		    { "scratch_0", mem0, 3 } };
	char key[32];
	unsigned i;
	pcap_t *p = ab_open(AB_QUICK, 10);

	for (i = 0; i < 5; i++) {
		snprintf(key, sizeof(key), "odd.%s", odd[i].key);
		set_raw(key, p, odd[i].insns, odd[i].n);
		ab_send("icmp", 5);
		snprintf(key, sizeof(key), "odd.%s_delivered", odd[i].key);
		ab_say(key, "%d", ab_drain_n(p, 5, 100));
	}
	pcap_close(p);
}

static void compile(void)
{
	struct bpf_program prog;
	pcap_t *p = ab_open(AB_QUICK, 10);

	ab_code("compile.syntax", p, pcap_compile(p, &prog, "prot 1", 1, 0));
	ab_code("compile.host", p,
		pcap_compile(p, &prog, "port 99999999", 1, 0));
	ab_say("compile.vlan", "%d", pcap_compile(p, &prog, "vlan 7", 1, 0));
	ab_say("compile.vlan_length", "%u", prog.bf_len);
	pcap_freecode(&prog);
	ab_say("compile.inbound", "%d",
	       pcap_compile(p, &prog, "inbound", 1, 0));
	ab_say("compile.inbound_length", "%u", prog.bf_len);
	pcap_freecode(&prog);
	ab_say("compile.freed", "%u %s", prog.bf_len,
	       prog.bf_insns ? "set" : "NULL");
	pcap_close(p);
}

static const struct ab_case cases[] = {
	AB_CASE(refused),     AB_CASE(refused_keeps),	    AB_CASE(exact),
	AB_CASE(widened),     AB_CASE(changed_in_callback), AB_CASE(clip),
	AB_CASE(expressions), AB_CASE(odd_programs),	    AB_CASE(compile),
	AB_CASE_END,
};

int main(void)
{
	return ab_main("filter", cases);
}
