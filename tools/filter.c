/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap-fast filter: what a filter becomes. Compiled for a live Ethernet
 * capture where that can be had (the loopback interface is one, and needs
 * privilege), since filters with "vlan" get other code there.
 */
#include "tools/filter.h"
#include "libpcap-fast/filter/filter.h"
#include "tools/tool.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#define MOST 65535 /* instructions */
#define SNAPLEN 262144

struct asked {
	const char *file;
	int snaplen, dlt;
	bool json;
};

static const struct option options[] = {
	{ "file", required_argument, NULL, 'f' },
	{ "snaplen", required_argument, NULL, 's' },
	{ "dlt", required_argument, NULL, 'y' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int usage(FILE *to, int status)
{
	fputs("Usage: pcap-fast filter [OPTION]... EXPRESSION\n"
	      "       pcap-fast filter [OPTION]... --file=FILE\n\n"
	      "Shows the classic BPF program that a filter is, the eBPF program that it\n"
	      "becomes, and where it would run: in the driver, or in user space and why.\n\n"
	      "  --file=FILE  a classic program in numbers, as tcpdump -ddd prints it\n"
	      "  --snaplen=N  bytes that an accepted packet keeps, 262144 by default\n"
	      "  --dlt=TYPE   link type, a name or number; EN10MB by default, any other\n"
	      "               is for the system's libpcap\n"
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

static pcap_t *live_or_dead(const struct asked *asked, bool *live)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	pcap_t *p = NULL;

	if (asked->dlt == DLT_EN10MB)
		p = pcap_open_live("lo", asked->snaplen, 0, 10, errbuf);
	*live = p || asked->dlt != DLT_EN10MB;
	return p ? p : pcap_open_dead(asked->dlt, asked->snaplen);
}

static int by_expression(const struct asked *asked, const char *expression,
			 struct bpf_program *program)
{
	bool live;
	pcap_t *p = live_or_dead(asked, &live);
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

/* One line of exactly `n` decimal numbers, no more than these; false: it is
 * none, or there is no line. */
static bool read_line(FILE *in, unsigned n, const uint32_t *most,
		      uint32_t *value)
{
	char line[64], *at = line;

	if (!fgets(line, sizeof(line), in))
		return false;
	for (unsigned i = 0; i < n; i++) {
		char *end;
		unsigned long v = strtoul(at, &end, 10);

		if (*at < '0' || *at > '9' || v > most[i] ||
		    *end != (i + 1 < n ? ' ' : '\n'))
			return false;
		value[i] = v;
		at = end + 1;
	}
	return !*at;
}

static bool read_insn(FILE *in, struct bpf_insn *insn)
{
	static const uint32_t most[] = { 0xffff, 0xff, 0xff, UINT32_MAX };
	uint32_t v[4];

	if (!read_line(in, 4, most, v))
		return false;
	*insn = (struct bpf_insn){ v[0], v[1], v[2], v[3] };
	return true;
}

/* The length, so many instructions, and nothing else. NULL, or what is wrong. */
static const char *read_numbers(FILE *in, struct bpf_program *program)
{
	static const uint32_t most = MOST;
	uint32_t n;

	if (!read_line(in, 1, &most, &n) || !n)
		return "the first line is no length of a program, 1 to 65535";
	program->bf_insns = calloc(n, sizeof(*program->bf_insns));
	if (!program->bf_insns)
		return "no memory";
	for (; program->bf_len < n; program->bf_len++)
		if (!read_insn(in, &program->bf_insns[program->bf_len]))
			return feof(in) ? "fewer instructions than it says" :
					  "a line is no instruction as tcpdump -ddd prints it";
	return fgetc(in) == EOF ? NULL : "more lines than it says";
}

static int by_file(const char *name, struct bpf_program *program)
{
	FILE *in = fopen(name, "r");
	const char *wrong;
	char why[256];

	if (!in)
		return complain(name, "cannot be opened");
	wrong = read_numbers(in, program);
	fclose(in);
	if (wrong)
		return complain(name, wrong);
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

/* As a word, and in a sentence. */
static const char *place(const struct tool_verdict *v)
{
	if (v->system)
		return "system";
	return v->driver ? "driver" : v->socket ? "socket" : "user";
}

static const char *where(const struct tool_verdict *v)
{
	if (v->system)
		return "on the system's libpcap";
	return v->driver ? "in the driver" :
	       v->socket ? "on the system's packet socket" : "in user space";
}

static void show_verdict(const struct tool_verdict *v)
{
	printf("# runs %s: %s\n", where(v), v->reason);
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
	       program->bf_len, v->len, place(v),
	       v->compile_ms, v->load_ms);
	for (const char *c = v->reason; *c; c++) {
		if (*c == '"' || *c == '\\')
			putchar('\\');
		putchar((unsigned char)*c < ' ' ? ' ' : *c);
	}
	puts("\"}");
}

static void judge(const struct asked *asked, const struct bpf_program *program,
		  FILE *out, struct tool_verdict *v)
{
	const char *name = pcap_datalink_val_to_name(asked->dlt);

	if (asked->dlt == DLT_EN10MB) {
		tool_filter_judge((const struct sock_filter *)program->bf_insns,
				  program->bf_len, out, v);
		return;
	}
	*v = (struct tool_verdict){ .system = true };
	snprintf(v->reason, sizeof(v->reason),
		 "link type %s is not Ethernet: such captures are always its own",
		 name ? name : "without a name");
}

static void show(const struct asked *asked, const struct bpf_program *program)
{
	struct tool_verdict v;

	if (asked->json) {
		judge(asked, program, NULL, &v);
		show_json(program, &v);
		return;
	}
	show_classic(program);
	if (asked->dlt == DLT_EN10MB)
		puts("# eBPF");
	fflush(stdout);
	judge(asked, program, stdout, &v);
	if (v.len)
		printf("# %u eBPF instructions\n", v.len);
	show_verdict(&v);
}

/* --- the command line ---------------------------------------------------- */

/* A whole decimal number from 0 to `most`, or -1. */
static long number(const char *text, long most)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || v > (unsigned long)most)
		return -1;
	return v;
}

static int link_type(const char *text)
{
	int dlt = pcap_datalink_name_to_val(text);

	return dlt < 0 ? (int)number(text, 65535) : dlt;
}

/* False: not an option, or not a value for it. */
static bool set_option(int letter, void *to)
{
	struct asked *asked = to;

	switch (letter) {
	case 'f':
		asked->file = optarg;
		return true;
	case 's':
		asked->snaplen = number(optarg, SNAPLEN);
		return asked->snaplen > 0;
	case 'y':
		asked->dlt = link_type(optarg);
		return asked->dlt >= 0;
	case 'j':
		asked->json = true;
		return true;
	}
	return false;
}

static const struct tool_words words = {
	"f:s:y:", options, usage, set_option, 0, 1
};

int tool_filter(int argc, char **argv)
{
	struct bpf_program program = { 0, NULL };
	struct asked asked = { .snaplen = SNAPLEN, .dlt = DLT_EN10MB };
	int err = tool_parse(&words, argc, argv, &asked);

	if (err >= 0)
		return err;
	if (argc - optind != (asked.file ? 0 : 1))
		return usage(stderr, 2);
	err = asked.file ? by_file(asked.file, &program)
			 : by_expression(&asked, argv[optind], &program);
	if (!err)
		show(&asked, &program);
	free(program.bf_insns);
	return err ? 1 : 0;
}
