/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap-fast filter: what a filter becomes. Compiled for a live Ethernet
 * capture where that can be had (the loopback interface is one, and needs
 * privilege), since filters with "vlan" get other code there.
 */
#include "tools/filter.h"
#include "libpcap-fast/filter/filter.h"
#include "tools/tool.h"

#include <getopt.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#define MOST 65535 /* instructions */
#define SNAPLEN 262144

static const struct option options[] = {
	{ "file", required_argument, NULL, 'f' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int usage(FILE *to, int status)
{
	fputs("Usage: pcap-fast filter [--json] EXPRESSION\n"
	      "       pcap-fast filter [--json] --file=FILE\n\n"
	      "Shows the classic BPF program that a filter is, the eBPF program that it\n"
	      "becomes, and where it would run: in the driver, or in user space and why.\n\n"
	      "  --file=FILE  a classic program in numbers, as tcpdump -ddd prints it\n"
	      "  --json       the verdict only, as JSON\n",
	      to);
	return status;
}

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "pcap-fast filter: %s: %s\n", what, why);
	return -1;
}

/* --- where the classic program comes from -------------------------------- */

static pcap_t *live_or_dead(bool *live)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_live("lo", SNAPLEN, 0, 10, errbuf);

	*live = p != NULL;
	return p ? p : pcap_open_dead(DLT_EN10MB, SNAPLEN);
}

static int by_expression(const char *expression, struct bpf_program *program)
{
	bool live;
	pcap_t *p = live_or_dead(&live);
	int err = 0;

	if (!p)
		return complain(expression, "no memory");
	if (pcap_compile(p, program, expression, 1, PCAP_NETMASK_UNKNOWN))
		err = complain(expression, pcap_geterr(p));
	else if (!live && strstr(expression, "vlan"))
		fputs("pcap-fast filter: without privilege compiled as for a file; \"vlan\" gets other code on a live capture\n",
		      stderr);
	pcap_close(p);
	return err;
}

static int read_numbers(FILE *in, struct bpf_program *program)
{
	unsigned n, code, jt, jf, k;

	if (fscanf(in, "%u", &n) != 1 || !n || n > MOST)
		return -1;
	program->bf_insns = calloc(n, sizeof(*program->bf_insns));
	if (!program->bf_insns)
		return -1;
	for (program->bf_len = 0; program->bf_len < n; program->bf_len++) {
		if (fscanf(in, "%u %u %u %u", &code, &jt, &jf, &k) != 4 ||
		    code > 0xffff || jt > 0xff || jf > 0xff)
			return -1;
		program->bf_insns[program->bf_len] =
			(struct bpf_insn){ code, jt, jf, k };
	}
	return 0;
}

static int by_file(const char *name, struct bpf_program *program)
{
	FILE *in = fopen(name, "r");
	char why[256];
	int err;

	if (!in)
		return complain(name, "cannot be opened");
	err = read_numbers(in, program);
	fclose(in);
	if (err)
		return complain(name, "no program as tcpdump -ddd prints it");
	if (pcf_filter_check((struct sock_filter *)program->bf_insns,
			     program->bf_len, why, sizeof(why)))
		return complain(name, why);
	return 0;
}

/* --- what is shown ------------------------------------------------------- */

static void show_classic(const struct bpf_program *program)
{
	printf("# classic BPF, %u instructions\n", program->bf_len);
	for (unsigned i = 0; i < program->bf_len; i++)
		puts(bpf_image(&program->bf_insns[i], (int)i));
}

static void show_verdict(const struct tool_verdict *v)
{
	printf("# runs %s: %s\n",
	       v->driver ? "in the driver" :
	       v->socket ? "on the system's packet socket" : "in user space",
	       v->reason);
	if (v->len)
		printf("# compiled in %.2f ms", v->compile_ms);
	if (v->tried && v->len)
		printf(", loaded in %.2f ms", v->load_ms);
	if (v->len)
		putchar('\n');
}

static void show_json(const struct bpf_program *program,
		      const struct tool_verdict *v)
{
	printf("{\"classic\": %u, \"ebpf\": %u, \"place\": \"%s\", \"compile_ms\": %.3f, \"load_ms\": %.3f, \"reason\": \"",
	       program->bf_len, v->len, v->driver ? "driver" : v->socket ? "socket" : "user",
	       v->compile_ms, v->load_ms);
	for (const char *c = v->reason; *c; c++) {
		if (*c == '"' || *c == '\\')
			putchar('\\');
		putchar((unsigned char)*c < ' ' ? ' ' : *c);
	}
	puts("\"}");
}

static void show(const struct bpf_program *program, bool json)
{
	const struct sock_filter *insns =
		(const struct sock_filter *)program->bf_insns;
	struct tool_verdict v;

	if (json) {
		tool_filter_judge(insns, program->bf_len, NULL, &v);
		show_json(program, &v);
		return;
	}
	show_classic(program);
	puts("# eBPF");
	fflush(stdout);
	tool_filter_judge(insns, program->bf_len, stdout, &v);
	if (v.len)
		printf("# %u eBPF instructions\n", v.len);
	show_verdict(&v);
}

int tool_filter(int argc, char **argv)
{
	struct bpf_program program = { 0, NULL };
	const char *file = NULL;
	bool json = false;
	int c, err;

	while ((c = getopt_long(argc, argv, "f:", options, NULL)) != -1) {
		if (c == 'h')
			return usage(stdout, 0);
		if (c == '?')
			return usage(stderr, 2);
		if (c == 'f')
			file = optarg;
		else
			json = true;
	}
	if (argc - optind != (file ? 0 : 1))
		return usage(stderr, 2);
	err = file ? by_file(file, &program)
		   : by_expression(argv[optind], &program);
	if (!err)
		show(&program, json);
	free(program.bf_insns);
	return err ? 1 : 0;
}
