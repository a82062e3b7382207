/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A/B: savefiles and dead handles through the entry points of live ones, and
 * dumping from a live handle. Writes its files into the current folder.
 */
#include "tests/ab/ab.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "ab.pcap"
#define PACKETS	  10

static void write_file(void)
{
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, 65535);
	pcap_dumper_t *out = pcap_dump_open(dead, FILE_NAME);
	struct pcap_pkthdr h = { { 1000, 5 }, 100, 100 };
	u_char buf[AB_FRAME_MAX];
	unsigned i;

	if (!out)
		ab_die("dump: %s", pcap_geterr(dead));
	for (i = 0; i < PACKETS; i++) {
		ab_frame(buf, i % 2 ? "udp9" : "icmp", i, 100);
		h.ts.tv_sec++;
		pcap_dump((u_char *)out, &h, buf);
	}
	pcap_dump_close(out);
	pcap_close(dead);
}

static pcap_t *open_file(void)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p;

	write_file();
	p = pcap_open_offline(FILE_NAME, err);
	if (!p)
		ab_die("open: %s", err);
	return p;
}

static void file_reads(void)
{
	pcap_t *p = open_file();
	unsigned n = 0;

	ab_say("file.dispatch3", "%d",
	       pcap_dispatch(p, 3, ab_count, (u_char *)&n));
	ab_say("file.loop2", "%d", pcap_loop(p, 2, ab_count, (u_char *)&n));
	ab_say("file.dispatch_all", "%d",
	       pcap_dispatch(p, -1, ab_count, (u_char *)&n));
	ab_say("file.delivered", "%u", n);
	ab_say("file.dispatch_end", "%d",
	       pcap_dispatch(p, -1, ab_count, (u_char *)&n));
	ab_say("file.loop_end", "%d", pcap_loop(p, -1, ab_count, (u_char *)&n));
	pcap_close(p);
}

static void file_next(void)
{
	struct pcap_pkthdr *h, h2;
	const u_char *data;
	pcap_t *p = open_file();
	unsigned n;

	ab_say("file.next_ex", "%d", pcap_next_ex(p, &h, &data));
	ab_say("file.next_ex_packet", "%ld.%06ld %u/%u seq %u",
	       (long)h->ts.tv_sec, (long)h->ts.tv_usec, h->caplen, h->len,
	       ab_seq(data));
	ab_yes("file.next", pcap_next(p, &h2) != NULL);
	for (n = 2; pcap_next_ex(p, &h, &data) == 1; n++)
		;
	ab_say("file.packets", "%u", n);
	ab_say("file.next_ex_end", "%d", pcap_next_ex(p, &h, &data));
	ab_yes("file.next_end", pcap_next(p, &h2) != NULL);
	pcap_close(p);
}

static pcap_t *breaking;

static void break_here(u_char *user, const struct pcap_pkthdr *h,
		       const u_char *data)
{
	(void)h;
	(void)data;
	if (++*(unsigned *)(void *)user == 3)
		pcap_breakloop(breaking);
}

static void file_break(void)
{
	pcap_t *p = breaking = open_file();
	unsigned n = 0;

	ab_say("file.break", "%d",
	       pcap_dispatch(p, -1, break_here, (u_char *)&n));
	ab_say("file.break_seen", "%u", n);
	ab_say("file.break_next", "%d",
	       pcap_dispatch(p, -1, break_here, (u_char *)&n));
	ab_say("file.break_rest", "%d",
	       pcap_dispatch(p, -1, break_here, (u_char *)&n));
	ab_say("file.break_total", "%u", n);
	pcap_close(p);
	p = breaking = open_file();
	pcap_breakloop(p);
	ab_say("file.break_ahead", "%d",
	       pcap_loop(p, -1, break_here, (u_char *)&n));
	pcap_close(p);
}

static void file_calls(void)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	struct pcap_stat st;
	pcap_t *p = open_file();

	ab_code("file.stats", p, pcap_stats(p, &st));
	ab_code("file.inject", p, pcap_inject(p, "0123456789abcdef", 16));
	ab_code("file.sendpacket", p,
		pcap_sendpacket(p, (const u_char *)"0123456789abcdef", 16));
	ab_code("file.setdirection", p, pcap_setdirection(p, PCAP_D_IN));
	ab_say("file.setnonblock", "%d \"%s\"", pcap_setnonblock(p, 1, err),
	       err);
	ab_say("file.getnonblock", "%d", pcap_getnonblock(p, err));
	ab_code("file.set_timeout", p, pcap_set_timeout(p, 10));
	ab_code("file.activate", p, pcap_activate(p));
	ab_yes("file.fileno", pcap_fileno(p) == fileno(pcap_file(p)));
	ab_yes("file.selectable",
	       pcap_get_selectable_fd(p) == fileno(pcap_file(p)));
	ab_yes("file.required_timeout",
	       pcap_get_required_select_timeout(p) != NULL);
	pcap_close(p);
}

static void file_questions(void)
{
	int *list;
	pcap_t *p = open_file();

	ab_say("file.datalink", "%d", pcap_datalink(p));
	ab_say("file.snapshot", "%d", pcap_snapshot(p));
	ab_say("file.version", "%d.%d", pcap_major_version(p),
	       pcap_minor_version(p));
	ab_say("file.swapped", "%d", pcap_is_swapped(p));
	ab_say("file.precision", "%d", pcap_get_tstamp_precision(p));
	ab_code("file.bufsize", p, pcap_bufsize(p));
	ab_say("file.list_datalinks", "%d", pcap_list_datalinks(p, &list));
	pcap_free_datalinks(list);
	ab_code("file.set_datalink", p, pcap_set_datalink(p, DLT_RAW));
	pcap_close(p);
}

static void file_filter(void)
{
	pcap_t *p = open_file();
	unsigned n = 0;

	ab_filter(p, "udp");
	ab_say("file.filtered", "%d",
	       pcap_dispatch(p, 0, ab_count, (u_char *)&n));
	pcap_close(p);
}

static void file_bad(void)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	FILE *f = fopen("bad.pcap", "w");

	ab_yes("file.missing", pcap_open_offline("none.pcap", err) != NULL);
	ab_say("file.missing_text", "%s", err);
	if (!f)
		ab_die("bad.pcap");
	fputs("this is not a capture file at all", f);
	fclose(f);
	ab_yes("file.bad", pcap_open_offline("bad.pcap", err) != NULL);
	ab_say("file.bad_text", "%s", err);
}

static void file_truncated(void)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	unsigned n = 0;
	pcap_t *p;

	write_file();
	if (truncate(FILE_NAME, 24 + 2 * 116 + 50))
		ab_die("truncate");
	p = pcap_open_offline(FILE_NAME, err);
	ab_code("file.truncated_loop", p,
		pcap_loop(p, -1, ab_count, (u_char *)&n));
	ab_say("file.truncated_seen", "%u", n);
	pcap_close(p);
}

static void dead_reads(void)
{
	pcap_t *p = pcap_open_dead(DLT_EN10MB, 96);
	struct pcap_pkthdr *h, h2;
	const u_char *data;
	unsigned n = 0;

	ab_code("dead.dispatch", p,
		pcap_dispatch(p, -1, ab_count, (u_char *)&n));
	ab_code("dead.loop", p, pcap_loop(p, 1, ab_count, (u_char *)&n));
	ab_code("dead.next_ex", p, pcap_next_ex(p, &h, &data));
	ab_yes("dead.next", pcap_next(p, &h2) != NULL);
	pcap_breakloop(p);
	ab_say("dead.fileno", "%d", pcap_fileno(p));
	ab_say("dead.selectable", "%d", pcap_get_selectable_fd(p));
	ab_yes("dead.required_timeout",
	       pcap_get_required_select_timeout(p) != NULL);
	pcap_close(p);
}

static void dead_calls(void)
{
	pcap_t *p = pcap_open_dead(DLT_EN10MB, 96);
	char err[PCAP_ERRBUF_SIZE] = "";
	struct bpf_program prog;
	struct pcap_stat st;

	ab_code("dead.stats", p, pcap_stats(p, &st));
	ab_code("dead.compile", p, pcap_compile(p, &prog, "udp", 1, 0));
	ab_code("dead.setfilter", p, pcap_setfilter(p, &prog));
	pcap_freecode(&prog);
	ab_code("dead.inject", p, pcap_inject(p, "0123456789abcdef", 16));
	ab_code("dead.setdirection", p, pcap_setdirection(p, PCAP_D_IN));
	ab_say("dead.setnonblock", "%d \"%s\"", pcap_setnonblock(p, 1, err),
	       err);
	ab_say("dead.getnonblock", "%d", pcap_getnonblock(p, err));
	ab_code("dead.activate", p, pcap_activate(p));
	ab_say("dead.datalink", "%d", pcap_datalink(p));
	ab_say("dead.snapshot", "%d", pcap_snapshot(p));
	ab_code("dead.bufsize", p, pcap_bufsize(p));
	pcap_close(p);
}

/* A live capture written to a file and read back. */
static void dumped(void)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p = ab_open(AB_QUICK, 10), *file;
	pcap_dumper_t *out = pcap_dump_open(p, FILE_NAME);
	struct pcap_pkthdr *h;
	const u_char *data;
	unsigned n = 0;

	if (!out)
		ab_die("dump: %s", pcap_geterr(p));
	ab_send("icmp", 25);
	ab_say("dumped.live", "%d", ab_drain(p, pcap_dump, out, 25, 1000));
	ab_say("dumped.flush", "%d", pcap_dump_flush(out));
	ab_say("dumped.bytes", "%ld", pcap_dump_ftell(out));
	pcap_dump_close(out);
	pcap_close(p);
	file = pcap_open_offline(FILE_NAME, err);
	while (pcap_next_ex(file, &h, &data) == 1)
		n += ab_seq(data) == n && h->caplen == 100;
	ab_say("dumped.read_back", "%u", n);
	ab_say("dumped.snapshot", "%d", pcap_snapshot(file));
	pcap_close(file);
}

static const struct ab_case cases[] = {
	AB_CASE(file_reads), AB_CASE(file_next),      AB_CASE(file_break),
	AB_CASE(file_calls), AB_CASE(file_questions), AB_CASE(file_filter),
	AB_CASE(file_bad),   AB_CASE(file_truncated), AB_CASE(dead_reads),
	AB_CASE(dead_calls), AB_CASE(dumped),	      AB_CASE_END,
};

int main(void)
{
	return ab_main("files", cases);
}
