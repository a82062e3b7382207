/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What does a filter cost? For some typical ones: nanoseconds per packet of
 * the compiled filter at the XDP hook, beside the kernel's own conversion of
 * the same classic program on a socket; and what setting it costs. Root only;
 * touches no interface. One JSON object a line for measure.py:
 *
 *	{"filter": .., "packet": .., "hook": [..], "interpreted": [..],
 *	 "socket": [..]}
 *	{"filter": .., "instructions": .., "pcap_ms": [..], "compile_ms": [..],
 *	 "load_ms": [..]}
 *
 * where a list has one value a round. Measured in turn in each round, so that
 * all meet the machine in the same mood.
 */
#include "backend/prog.h"
#include "bench/socket_filter.h"
#include "compat/ebpf.h"
#include "libpcap-fast/filter/filter.h"
#include "tests/filter_ebpf.h"
#include "tests/filter_interp.h"
#include "tests/filter_kernel.h"
#include "tests/filter_pcap.h"

#include <bpf/bpf.h>
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 15
#define REPEAT 300000
#define HOSTS  30

enum { TCP = 6, UDP = 17 };

struct packet {
	const char *name;
	uint8_t protocol, src, dst; /* last byte of 10.0.0.x, 0: 198.18.0.1 */
	uint16_t port;		    /* destination */
	bool tagged;		    /* VLAN 7 */
};

#define OTHER                                                                  \
	{                                                                      \
		"udp to port 7777", UDP, 0, 0, 7777, false                     \
	}

static char hosts[HOSTS * 20];

static const struct {
	const char *name, *expr;
	struct packet packet[2]; /* one that matches, one that does not */
} cases[] = {
	{ "ip", "ip", { OTHER, { "arp", 0, 0, 0, 0, false } } },
	{ "tcp port 80",
	  NULL,
	  { { "tcp to port 80", TCP, 1, 2, 80, false }, OTHER } },
	{ "host A and port 53",
	  "host 10.0.0.9 and port 53",
	  { { "udp to A port 53", UDP, 1, 9, 53, false }, OTHER } },
	{ "net 10/8 and not port 22",
	  "net 10.0.0.0/8 and not port 22",
	  { { "tcp to 10.0.0.2 port 80", TCP, 1, 2, 80, false }, OTHER } },
	{ "30 hosts",
	  hosts,
	  { { "udp to the last host", UDP, 0, HOSTS, 53, false }, OTHER } },
	{ "vlan 7 and tcp port 80",
	  NULL,
	  { { "the same, tagged", TCP, 1, 2, 80, true }, OTHER } },
};

#define NCASES (sizeof(cases) / sizeof(*cases))

static int empty_program;
static int interpreter; /* the program, or negative: the kernel cannot */

struct program {
	struct sock_filter *insns;
	unsigned n;
};

static double milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static const char *expression(unsigned i)
{
	return cases[i].expr ? cases[i].expr : cases[i].name;
}

static void list_hosts(void)
{
	size_t at = 0;

	for (int i = 1; i <= HOSTS; i++)
		at += snprintf(hosts + at, sizeof(hosts) - at,
			       "%shost 10.0.0.%d", at ? " or " : "", i);
}

static void address(uint8_t *to, uint8_t last)
{
	static const uint8_t far[4] = { 198, 18, 0, 1 };
	const uint8_t near[4] = { 10, 0, 0, last };

	memcpy(to, last ? near : far, 4);
}

/* 64 bytes; what the filters do not look at is 0. */
static uint32_t build(const struct packet *p, uint8_t *f)
{
	uint8_t *type = f + 12, *ip;

	memset(f, 0, 64);
	f[0] = f[6] = 2;
	if (p->tagged) {
		memcpy(type, "\x81\x00\x00\x07", 4);
		type += 4;
	}
	memcpy(type, p->protocol ? "\x08\x00" : "\x08\x06", 2);
	ip = type + 2;
	if (p->protocol) {
		ip[0] = 0x45;
		ip[9] = p->protocol;
		address(ip + 12, p->src);
		address(ip + 16, p->dst);
		ip[20] = ip[21] = 0xee;
		ip[22] = p->port >> 8;
		ip[23] = p->port & 0xff;
	}
	return 64;
}

static int load(struct pcf_ebpf *e)
{
	const int fd = filter_kernel_load(e->insns, e->len, 1, NULL, 0);

	if (fd < 0)
		errx(2, "load: %s", strerror(-fd));
	pcf_ebpf_free(e);
	return fd;
}

static int load_empty(void)
{
	struct pcf_ebpf e;

	pcf_ebpf_init(&e);
	pcf_mov64_imm(&e, BPF_REG_0, 0);
	pcf_exit(&e);
	return load(&e);
}

static void print_values(const char *name, const double *v, const char *end)
{
	printf("\"%s\": [", name);
	for (unsigned i = 0; i < ROUNDS; i++)
		printf("%s%.3f", i ? ", " : "", v[i]);
	printf("]%s", end);
}

/* --- per packet ----------------------------------------------------------- */

static int at_hook(const struct program *p)
{
	const struct pcf_filter_env env = { .stack = PCF_FILTER_STACK,
					    .frags = 1 };
	struct pcf_ebpf e;
	char why[256];

	if (filter_wrap(p->insns, p->n, &env, &e, why, sizeof(why)))
		errx(2, "compile: %s", why);
	return load(&e);
}

static int time_program(int prog, const uint8_t *frame, uint32_t len)
{
	const int ns = filter_kernel_time(prog, frame, len, REPEAT);

	if (ns < 0)
		errx(2, "BPF_PROG_TEST_RUN: %s", strerror(-ns));
	return ns;
}

/* Have the interpreter run this filter. */
static void interpret(const struct program *p)
{
	static struct pcf_code code[PCF_CODE_BANK];
	char why[256] = "";
	int n;

	if (interpreter < 0)
		return;
	n = pcf_interp_encode(p->insns, p->n, 0, code, PCF_CODE_BANK - 1, why,
			      sizeof(why));
	if (n < 0 || filter_interp_use(code, n))
		errx(2, "interpreter: %s", why);
}

static void check_verdict(int prog, const char *name, const uint8_t *frame,
			  uint32_t len, bool match)
{
	uint32_t keep;

	if (filter_kernel_run(prog, frame, len, &keep) || !keep == match)
		errx(2, "%s: wrong verdict", name);
}

/* The kernel gives whole nanoseconds, of a clock read around many runs by the
 * kernel itself. What a run costs without a filter is not the filter's. */
static double time_hook(int prog, const uint8_t *frame, uint32_t len)
{
	const int empty = time_program(empty_program, frame, len);

	return time_program(prog, frame, len) - empty;
}

/* A packet socket has the tag beside the packet; a plain one has no place for
 * it, so what is tagged is not measured there. */
static void time_packet(const char *name, const struct packet *p, int prog,
			const struct bench_socket *s)
{
	double hook[ROUNDS], interpreted[ROUNDS], on_socket[ROUNDS];
	uint8_t frame[64];
	const uint32_t len = build(p, frame);

	for (unsigned i = 0; i < ROUNDS; i++) {
		hook[i] = time_hook(prog, frame, len);
		if (interpreter >= 0)
			interpreted[i] = time_hook(interpreter, frame, len);
		on_socket[i] = p->tagged ? 0 : bench_socket_time(s, frame, len);
	}
	printf("{\"filter\": \"%s\", \"packet\": \"%s\", ", name, p->name);
	if (!p->tagged)
		print_values("socket", on_socket, ", ");
	if (interpreter >= 0)
		print_values("interpreted", interpreted, ", ");
	print_values("hook", hook, "}\n");
}

static void time_packets(unsigned i, const struct program *program)
{
	const int prog = at_hook(program);
	struct bench_socket s;
	uint8_t frame[64];

	bench_socket_open(&s, program->insns, program->n);
	interpret(program);
	for (int k = 0; k < 2; k++) {
		const struct packet *p = &cases[i].packet[k];
		const uint32_t len = build(p, frame);

		check_verdict(prog, cases[i].name, frame, len, !k);
		if (interpreter >= 0)
			check_verdict(interpreter, cases[i].name, frame, len,
				      !k);
		time_packet(cases[i].name, p, prog, &s);
	}
	bench_socket_close(&s);
	close(prog);
}

/* --- setting a filter ----------------------------------------------------- */

static int emit(void *arg, struct pcf_ebpf *e, int match, int nomatch,
		char *why, size_t size)
{
	const struct pcf_filter_env env = { .stack = PCF_FILTER_STACK,
					    .frags = 1 };
	const struct program *p = arg;

	return pcf_filter_compile(p->insns, p->n, &env, e, match, nomatch, why,
				  size);
}

/* The compiler alone; with code that has no end the buffer is only thrown
 * away. */
static double time_compile(const struct program *p)
{
	double start = milliseconds();
	struct pcf_ebpf e;
	char why[256];
	int match, nomatch;

	pcf_ebpf_init(&e);
	match = pcf_ebpf_label(&e);
	nomatch = pcf_ebpf_label(&e);
	if (emit((void *)p, &e, match, nomatch, why, sizeof(why)))
		errx(2, "compile: %s", why);
	start = milliseconds() - start;
	pcf_ebpf_free(&e);
	return start;
}

/* All that pcap_setfilter() does to get the program into the kernel. */
static double time_load(const struct program *p, const struct pcf_prog_env *env)
{
	double start = milliseconds();
	char why[256];
	const int fd =
		pcf_prog_exclusive(env, emit, (void *)p, why, sizeof(why));

	start = milliseconds() - start;
	if (fd < 0)
		errx(2, "%s", why);
	close(fd);
	return start;
}

static double time_pcap(const char *expr)
{
	double start = milliseconds();
	struct program p;
	char why[256];

	if (filter_pcap_compile(expr, 1, &p.insns, &p.n, why, sizeof(why)))
		errx(2, "%s: %s", expr, why);
	start = milliseconds() - start;
	free(p.insns);
	return start;
}

static void time_setting(unsigned c, const struct program *p,
			 const struct pcf_prog_env *env)
{
	double pcap[ROUNDS], compile[ROUNDS], load[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		pcap[i] = time_pcap(expression(c));
		compile[i] = time_compile(p);
		load[i] = time_load(p, env);
	}
	printf("{\"filter\": \"%s\", \"instructions\": %u, ", cases[c].name,
	       p->n);
	print_values("pcap_ms", pcap, ", ");
	print_values("compile_ms", compile, ", ");
	print_values("load_ms", load, "}\n");
}

static struct pcf_prog_env open_maps(void)
{
	const struct pcf_prog_env env = {
		.xsk_map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "bench", 4, 4, 1,
					  NULL),
		.ctl_map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bench", 4,
					  sizeof(struct pcf_ctl), 1, NULL),
		.wake_map = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "bench", 0, 0,
					   sysconf(_SC_PAGESIZE), NULL),
		.rx_queues = 1,
	};

	if (env.xsk_map < 0 || env.ctl_map < 0 || env.wake_map < 0)
		err(2, "maps");
	return env;
}

int main(void)
{
	const struct pcf_prog_env env = open_maps();
	char why[256];

	list_hosts();
	empty_program = load_empty();
	interpreter = filter_interp_open();
	/* An Ethernet with the code for tags that a live capture gets. */
	if (filter_pcap_open("lo", why, sizeof(why)))
		errx(2, "lo: %s", why);
	for (unsigned i = 0; i < NCASES; i++) {
		struct program p;

		if (filter_pcap_compile(expression(i), 1, &p.insns, &p.n, why,
					sizeof(why)))
			errx(2, "%s: %s", expression(i), why);
		time_packets(i, &p);
		time_setting(i, &p, &env);
		free(p.insns);
	}
	filter_pcap_close();
	return 0;
}
