/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A/B: filters that no expression makes. Very long programs, programs for
 * another link type, loads that only the kernel can answer, handles that take
 * no filter; and that whatever was in force before a refusal stays so.
 */
#include "tests/ab/ab.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RET(k) BPF_STMT(BPF_RET | BPF_K, k)

/* The system's library warns on stderr where the kernel refuses a program. */
static int set_silently(pcap_t *p, const struct sock_filter *insns, unsigned n)
{
	struct bpf_program prog = { n, (struct bpf_insn *)insns };
	int kept = dup(2), null = open("/dev/null", O_WRONLY), rc;

	dup2(null, 2);
	rc = pcap_setfilter(p, &prog);
	dup2(kept, 2);
	close(null);
	close(kept);
	return rc;
}

/* Three frames of each kind by the filter in force. What comes right after a
 * change is not counted: the system's library filters it in user space. */
static void say_delivered(const char *key, pcap_t *p)
{
	char name[64];
	int n;

	ab_send("icmp", 2);
	ab_drain_n(p, 3, 30);
	ab_feed_restart();
	ab_send("icmp", 3);
	ab_send("udp9", 4);
	snprintf(name, sizeof(name), "%s.delivered", key);
	n = ab_drain_n(p, 8, 60);
	ab_say(name, "%d", n);
}

/* --- handles ------------------------------------------------------------- */

static void try_on(const char *key, pcap_t *p)
{
	const struct sock_filter all[] = { RET(65535) };
	char name[64];

	snprintf(name, sizeof(name), "%s.null", key);
	ab_code(name, p, pcap_setfilter(p, NULL));
	snprintf(name, sizeof(name), "%s.good", key);
	ab_code(name, p, set_silently(p, all, 1));
	snprintf(name, sizeof(name), "%s.empty", key);
	ab_code(name, p, set_silently(p, all, 0));
	snprintf(name, sizeof(name), "%s.no_instructions", key);
	ab_code(name, p, set_silently(p, NULL, 0));
}

static void handles(void)
{
	char err[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_create(AB_DEV, err);

	/* NULL before activation: the system's library reads it */
	ab_code("inactive.good", p,
		set_silently(p, (const struct sock_filter[]){ RET(1) }, 1));
	pcap_close(p);
	p = pcap_create(AB_DOWN, err);
	ab_yes("down.refused", pcap_activate(p) < 0);
	ab_code("down.good", p,
		set_silently(p, (const struct sock_filter[]){ RET(1) }, 1));
	pcap_close(p);
	p = pcap_open_dead(DLT_EN10MB, 65535);
	ab_code("dead.good", p,
		set_silently(p, (const struct sock_filter[]){ RET(1) }, 1));
	pcap_close(p);
	p = ab_open(AB_QUICK, 10);
	try_on("active", p);
	pcap_close(p);
}

/* --- after a refusal ----------------------------------------------------- */

static const struct {
	const char *key;
	struct sock_filter insns[3];
	unsigned n;
} bad[] = {
	{ "no_return", { BPF_STMT(BPF_LD | BPF_LEN, 0) }, 1 },
	{ "division", { BPF_STMT(BPF_ALU | BPF_DIV, 0), RET(1) }, 2 },
	{ "modulo", { BPF_STMT(BPF_ALU | BPF_MOD, 0), RET(1) }, 2 },
	{ "jump_out", { BPF_STMT(BPF_JMP | BPF_JA, 1), RET(1) }, 2 },
	{ "branch_out", { BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 1, 0), RET(1) }, 2 },
	{ "store", { BPF_STMT(BPF_ST, 16), RET(1) }, 2 },
	{ "load", { BPF_STMT(BPF_LDX | BPF_MEM, 16), RET(1) }, 2 },
	{ "arithmetic", { BPF_STMT(BPF_ALU | 0xd0, 1), RET(1) }, 2 },
	{ "jump", { BPF_STMT(BPF_JMP | 0x50, 0), RET(1) }, 2 },
	{ "empty", { RET(1) }, 0 },
};

static void refusals(void)
{
	pcap_t *p = ab_open(AB_QUICK, 10);
	char key[64];

	ab_filter(p, "udp port 9");
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(key, sizeof(key), "refused.%s", bad[i].key);
		ab_code(key, p, set_silently(p, bad[i].insns, bad[i].n));
		say_delivered(key, p);
	}
	pcap_close(p);
}

/* --- long programs ------------------------------------------------------- */

/* UDP only, behind n - 4 instructions that do nothing. */
static void say_long(pcap_t *p, unsigned n)
{
	static const struct sock_filter end[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 17, 0, 1),
		RET(65535),
		RET(0),
	};
	struct sock_filter *insns = calloc(n, sizeof(*insns));
	char key[32];

	if (!insns)
		ab_die("no memory");
	for (unsigned i = 0; i < n - 4; i++)
		insns[i] = (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TAX, 0);
	memcpy(&insns[n - 4], end, sizeof(end));
	snprintf(key, sizeof(key), "long.%u", n);
	ab_code(key, p, set_silently(p, insns, n));
	say_delivered(key, p);
	free(insns);
}

static void long_programs(void)
{
	static const unsigned lengths[] = { 4092, 4093,	 4096,	4097,
					    5000, 65535, 65536, 70000 };
	pcap_t *p = ab_open(AB_QUICK, 10);

	for (unsigned i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		say_long(p, lengths[i]);
	pcap_close(p);
}

/* --- another link type --------------------------------------------------- */

static void link_types(void)
{
	static const struct {
		const char *key;
		int dlt;
	} types[] = { { "raw", DLT_RAW },
		      { "sll", DLT_LINUX_SLL },
		      { "null", DLT_NULL },
		      { "wifi", DLT_IEEE802_11 } };
	pcap_t *p = ab_open(AB_QUICK, 10);
	char key[32];

	for (unsigned i = 0; i < sizeof(types) / sizeof(*types); i++) {
		pcap_t *dead = pcap_open_dead(types[i].dlt, 65535);
		struct bpf_program prog;

		if (!dead || pcap_compile(dead, &prog, "not udp", 1, 0))
			ab_die("no code for %s", types[i].key);
		snprintf(key, sizeof(key), "type.%s", types[i].key);
		ab_code(key, p, pcap_setfilter(p, &prog));
		say_delivered(key, p);
		pcap_freecode(&prog);
		pcap_close(dead);
	}
	pcap_close(p);
}

/* --- ancillary data ------------------------------------------------------ */

static unsigned caplen;

static void see_length(u_char *user, const struct pcap_pkthdr *h,
		       const u_char *data)
{
	(void)data;
	caplen = h->caplen;
	++*(unsigned *)user;
}

/* Loads, and what gets through; with `ret a`, how much of it. A handle each: in
 * the system's library a filter that lets nothing through can switch off the
 * next one, if the kernel refuses that. */
static void ancillary(void)
{
	static const struct {
		const char *key;
		unsigned what;
	} loads[] = { { "protocol", SKF_AD_PROTOCOL },
		      { "nlattr", SKF_AD_NLATTR },
		      { "nlattr_nest", SKF_AD_NLATTR_NEST },
		      { "mark", SKF_AD_MARK },
		      { "hatype", SKF_AD_HATYPE },
		      { "rxhash", SKF_AD_RXHASH },
		      { "xor", SKF_AD_ALU_XOR_X },
		      { "pay_offset", SKF_AD_PAY_OFFSET },
		      { "tpid", SKF_AD_VLAN_TPID },
		      { "13", 13 },
		      { "64", 64 } };
	char key[32];

	for (unsigned i = 0; i < 2 * sizeof(loads) / sizeof(*loads); i++) {
		const struct sock_filter f[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
				 SKF_AD_OFF + loads[i / 2].what),
			i % 2 ? (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0)
			      : (struct sock_filter)RET(65),
		};
		pcap_t *p = ab_open(AB_QUICK, 10);
		unsigned n = 0;

		snprintf(key, sizeof(key), "load.%s_%s", loads[i / 2].key,
			 i % 2 ? "ret_a" : "ret_65");
		ab_code(key, p, set_silently(p, f, 2));
		say_delivered(key, p);
		ab_send("udp9", 1);
		caplen = 0;
		ab_drain(p, see_length, &n, 2, 40);
		strcat(key, ".caplen");
		ab_say(key, "%u", caplen);
		pcap_close(p);
	}
}

/* Any value will do: that there is one is what counts. */
static void any_value(void)
{
	static const unsigned what[] = { SKF_AD_CPU, SKF_AD_RANDOM,
					 SKF_AD_QUEUE };
	pcap_t *p = ab_open(AB_QUICK, 10);
	char key[32];

	for (unsigned i = 0; i < 3; i++) {
		const struct sock_filter f[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
				 SKF_AD_OFF + what[i]),
			RET(65535),
		};

		snprintf(key, sizeof(key), "any.%u", what[i]);
		ab_code(key, p, set_silently(p, f, 2));
		say_delivered(key, p);
	}
	pcap_close(p);
}

static const struct ab_case cases[] = {
	AB_CASE(handles),    AB_CASE(refusals),	     AB_SLOW(long_programs, 20),
	AB_CASE(link_types), AB_SLOW(ancillary, 20), AB_CASE(any_value),
	AB_CASE_END,
};

int main(void)
{
	return ab_main("program", cases);
}
