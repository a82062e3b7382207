/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A/B: the states of a handle. What each call returns before and after
 * activation, which options are taken, clamped or refused, and that a failed
 * activation leaves the handle usable.
 */
#include "tests/ab/ab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pcap_t *create(const char *dev)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p = pcap_create(dev, err);

	if (!p)
		ab_die("create: %s", err);
	return p;
}

static void reads_before(void)
{
	struct pcap_pkthdr h, *hp;
	const u_char *data;
	pcap_t *p = create(AB_DEV);
	unsigned n = 0;

	ab_code("before.dispatch", p,
		pcap_dispatch(p, 1, ab_count, (u_char *)&n));
	ab_code("before.loop", p, pcap_loop(p, 1, ab_count, (u_char *)&n));
	ab_yes("before.next", pcap_next(p, &h) != NULL);
	ab_code("before.next_ex", p, pcap_next_ex(p, &hp, &data));
	ab_yes("before.file", pcap_file(p) != NULL);
	pcap_breakloop(p);
	pcap_close(p);
}

static void calls_before(void)
{
	struct bpf_insn all = { 0x06, 0, 0, 0xffff };
	struct bpf_program prog = { 1, &all };
	pcap_t *p = create(AB_DEV);
	struct pcap_stat st;

	ab_code("before.stats", p, pcap_stats(p, &st));
	ab_code("before.setfilter", p, pcap_setfilter(p, &prog));
	ab_code("before.setdirection", p, pcap_setdirection(p, PCAP_D_IN));
	ab_code("before.inject", p, pcap_inject(p, "0123456789abcdef", 16));
	ab_code("before.sendpacket", p,
		pcap_sendpacket(p, (const u_char *)"0123456789abcdef", 16));
	ab_code("before.compile", p, pcap_compile(p, &prog, "ip", 1, 0));
	ab_say("before.fileno", "%d", pcap_fileno(p));
	ab_say("before.selectable_fd", "%d", pcap_get_selectable_fd(p));
	ab_yes("before.required_timeout",
	       pcap_get_required_select_timeout(p) != NULL);
	pcap_close(p);
}

static void questions_before(void)
{
	pcap_t *p = create(AB_DEV);
	int *list;

	ab_code("before.snapshot", p, pcap_snapshot(p));
	ab_code("before.datalink", p, pcap_datalink(p));
	ab_code("before.datalink_ext", p, pcap_datalink_ext(p));
	ab_code("before.list_datalinks", p, pcap_list_datalinks(p, &list));
	ab_code("before.set_datalink", p, pcap_set_datalink(p, DLT_EN10MB));
	ab_code("before.swapped", p, pcap_is_swapped(p));
	ab_code("before.major", p, pcap_major_version(p));
	ab_code("before.minor", p, pcap_minor_version(p));
	ab_code("before.bufsize", p, pcap_bufsize(p));
	ab_code("before.precision", p, pcap_get_tstamp_precision(p));
	ab_yes("before.dump_open", pcap_dump_open(p, "-") != NULL);
	ab_code("before.can_rfmon", p, pcap_can_set_rfmon(p));
	pcap_close(p);
}

static void nonblock_before(void)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p = create(AB_DEV);
	unsigned n = 0;

	ab_say("nonblock.get_before", "%d \"%s\"", pcap_getnonblock(p, err),
	       err);
	ab_say("nonblock.set_before", "%d", pcap_setnonblock(p, 1, err));
	pcap_set_promisc(p, 1);
	ab_code("nonblock.activate", p, pcap_activate(p));
	ab_say("nonblock.remembered", "%d", pcap_getnonblock(p, err));
	ab_code("nonblock.idle", p,
		pcap_dispatch(p, 1, ab_count, (u_char *)&n));
	ab_say("nonblock.off", "%d", pcap_setnonblock(p, 0, err));
	ab_say("nonblock.get_off", "%d", pcap_getnonblock(p, err));
	ab_say("nonblock.on", "%d", pcap_setnonblock(p, 7, err));
	ab_say("nonblock.get_on", "%d", pcap_getnonblock(p, err));
	pcap_close(p);
}

static void options_before(void)
{
	pcap_t *p = create(AB_DEV);

	ab_say("set.snaplen", "%d", pcap_set_snaplen(p, 96));
	ab_say("set.promisc", "%d", pcap_set_promisc(p, 1));
	ab_say("set.rfmon", "%d", pcap_set_rfmon(p, 0));
	ab_say("set.timeout", "%d", pcap_set_timeout(p, 10));
	ab_say("set.timeout_negative", "%d", pcap_set_timeout(p, -1));
	ab_say("set.immediate", "%d", pcap_set_immediate_mode(p, 1));
	ab_say("set.buffer", "%d", pcap_set_buffer_size(p, 1 << 20));
	ab_say("set.buffer_zero", "%d", pcap_set_buffer_size(p, 0));
	ab_say("set.buffer_negative", "%d", pcap_set_buffer_size(p, -5));
	ab_say("set.precision_nano", "%d", pcap_set_tstamp_precision(p, 1));
	ab_code("set.precision_wrong", p, pcap_set_tstamp_precision(p, 9));
	ab_say("set.precision", "%d", pcap_get_tstamp_precision(p));
	ab_code("set.tstamp_type_host", p, pcap_set_tstamp_type(p, 0));
	ab_code("set.tstamp_type_adapter", p, pcap_set_tstamp_type(p, 3));
	ab_code("set.tstamp_type_negative", p, pcap_set_tstamp_type(p, -5));
	ab_say("set.protocol", "%d", pcap_set_protocol_linux(p, 0));
	ab_code("set.activate", p, pcap_activate(p));
	ab_say("set.snapshot", "%d", pcap_snapshot(p));
	ab_say("set.precision_active", "%d", pcap_get_tstamp_precision(p));
	pcap_close(p);
}

static void options_after(void)
{
	pcap_t *p = ab_open(0, 100);

	ab_code("after.snaplen", p, pcap_set_snaplen(p, 96));
	ab_code("after.promisc", p, pcap_set_promisc(p, 1));
	ab_code("after.rfmon", p, pcap_set_rfmon(p, 0));
	ab_code("after.timeout", p, pcap_set_timeout(p, 10));
	ab_code("after.immediate", p, pcap_set_immediate_mode(p, 1));
	ab_code("after.buffer", p, pcap_set_buffer_size(p, 1 << 20));
	ab_code("after.precision", p, pcap_set_tstamp_precision(p, 1));
	ab_code("after.tstamp_type", p, pcap_set_tstamp_type(p, 0));
	ab_code("after.protocol", p, pcap_set_protocol_linux(p, 3));
	ab_code("after.can_rfmon", p, pcap_can_set_rfmon(p));
	ab_code("after.activate", p, pcap_activate(p));
	pcap_close(p);
}

static void questions_after(void)
{
	pcap_t *p = ab_open_on(AB_DEV, 0, 100, 0);

	ab_say("active.snapshot", "%d", pcap_snapshot(p));
	ab_say("active.datalink", "%d", pcap_datalink(p));
	ab_say("active.datalink_ext", "%d", pcap_datalink_ext(p));
	ab_say("active.swapped", "%d", pcap_is_swapped(p));
	ab_say("active.version", "%d.%d", pcap_major_version(p),
	       pcap_minor_version(p));
	ab_yes("active.file", pcap_file(p) != NULL);
	ab_say("active.precision", "%d", pcap_get_tstamp_precision(p));
	ab_say("active.bufsize", "%d", pcap_bufsize(p));
	ab_yes("active.fileno_valid", pcap_fileno(p) > 2);
	ab_yes("active.selectable_is_fileno",
	       pcap_get_selectable_fd(p) == pcap_fileno(p));
	ab_yes("active.required_timeout",
	       pcap_get_required_select_timeout(p) != NULL);
	ab_say("active.geterr", "\"%s\"", pcap_geterr(p));
	pcap_close(p);
	p = ab_open(AB_IMMEDIATE, 100);
	ab_yes("active.immediate_bufsize_positive", pcap_bufsize(p) > 0);
	pcap_close(p);
}

static void snaplens(void)
{
	static const int asked[] = { -1,    0,	    1,	    96,
				     65535, 262144, 262145, 1000000 };
	char key[32];
	unsigned i;
	pcap_t *p;

	for (i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		p = create(AB_DEV);
		pcap_set_snaplen(p, asked[i]);
		pcap_set_promisc(p, 1);
		snprintf(key, sizeof(key), "snaplen.%d", asked[i]);
		if (pcap_activate(p))
			ab_die("snaplen %d: %s", asked[i], pcap_geterr(p));
		ab_say(key, "%d", pcap_snapshot(p));
		pcap_close(p);
	}
	p = ab_open_on(AB_DEV, 0, 10, 0);
	ab_say("snaplen.unset", "%d", pcap_snapshot(p));
	pcap_close(p);
}

static void lists(void)
{
	int i, n, *links, *types = NULL;
	char key[32];
	pcap_t *p = ab_open(0, 10);

	n = pcap_list_datalinks(p, &links);
	ab_say("lists.datalinks", "%d", n);
	for (i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "lists.datalink_%d", i);
		ab_say(key, "%d", links[i]);
	}
	pcap_free_datalinks(links);
	ab_code("lists.set_docsis", p, pcap_set_datalink(p, DLT_DOCSIS));
	ab_say("lists.now", "%d", pcap_datalink(p));
	ab_code("lists.set_ethernet", p, pcap_set_datalink(p, DLT_EN10MB));
	ab_code("lists.set_unlisted", p, pcap_set_datalink(p, DLT_RAW));
	ab_code("lists.set_unknown", p, pcap_set_datalink(p, 99999));
	ab_say("lists.tstamp_types", "%d", pcap_list_tstamp_types(p, &types));
	pcap_free_tstamp_types(types);
	pcap_close(p);
}

/*
 * What a refused activation leaves. Not activated again: libpcap 1.10.3
 * crashes there, so there is nothing to compare with.
 */
static void refused(void)
{
	pcap_t *p = create(AB_DEV);
	unsigned n = 0;

	pcap_set_promisc(p, 1);
	pcap_set_rfmon(p, 1);
	ab_code("refused.rfmon", p, pcap_activate(p));
	ab_code("refused.inactive", p, pcap_snapshot(p));
	ab_code("refused.read", p, pcap_dispatch(p, 1, ab_count, (u_char *)&n));
	ab_say("refused.set", "%d", pcap_set_rfmon(p, 0));
	ab_say("refused.fileno", "%d", pcap_fileno(p));
	pcap_close(p);
}

static void timeouts(void)
{
	static const int asked[] = { 0, 1, 1000, -1 };
	char key[32];
	unsigned i;

	for (i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		pcap_t *p = create(AB_DEV);

		pcap_set_promisc(p, 1);
		pcap_set_timeout(p, asked[i]);
		snprintf(key, sizeof(key), "timeout.%d", asked[i]);
		ab_code(key, p, pcap_activate(p));
		pcap_close(p);
	}
}

static const struct ab_case cases[] = {
	AB_CASE(reads_before),
	AB_CASE(calls_before),
	AB_CASE(questions_before),
	AB_CASE(nonblock_before),
	AB_CASE(options_before),
	AB_CASE(options_after),
	AB_CASE(questions_after),
	AB_CASE(snaplens),
	AB_CASE(lists),
	AB_CASE(refused),
	AB_CASE(timeouts),
	AB_CASE_END,
};

int main(void)
{
	return ab_main("handle", cases);
}
