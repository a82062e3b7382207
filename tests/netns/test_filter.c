/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filters on live captures that are out of the ordinary: hand-written programs
 * with loads that only some place can answer, programs that are refused, and
 * changes under full traffic. As root, in a namespace of its own. Frames with
 * even numbers go to UDP port 7000, odd ones to 7001.
 */
#include "tests/netns/common.h"

#include <linux/filter.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define AD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + (what))
#define RET(k)	 BPF_STMT(BPF_RET | BPF_K, k)
#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define FRAMES	 1000
/* 14 + 20 + 8: what the kernel's flow dissector finds before the payload. */
#define HEADERS 42

static struct pcap_fast_info info;

static pcap_t *open_on(const char *device, const char *keep)
{
	pcap_t *p = fresh(device);

	pcap_set_snaplen(p, 2000);
	if (keep)
		CU_ASSERT_EQUAL(pcap_fast_set_keep(p, keep), 0);
	go_live(p);
	pcap_setnonblock(p, 1, errbuf);
	return p;
}

static int set_raw(pcap_t *p, const struct sock_filter *insns, unsigned n)
{
	struct bpf_program program = { n, (struct bpf_insn *)insns };
	int rc = pcap_setfilter(p, &program);

	pcap_fast_get_info(p, &info, sizeof(info));
	return rc;
}

static void set_expression(pcap_t *p, const char *expression)
{
	set_filter(p, expression);
	pcap_fast_get_info(p, &info, sizeof(info));
}

/* Everything, cut behind the headers. */
static const struct sock_filter headers_only[] = {
	AD(SKF_AD_PAY_OFFSET), BPF_STMT(BPF_RET | BPF_A, 0)
};

static int set_headers_only(pcap_t *p)
{
	return set_raw(p, headers_only, COUNT(headers_only));
}

struct seen {
	unsigned even, odd, wrong;
	uint32_t caplen;
};

static void see(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	struct seen *s = (struct seen *)user;
	unsigned odd = data[37] & 1;

	s->even += !odd;
	s->odd += odd;
	s->wrong += s->caplen && h->caplen != s->caplen;
	s->wrong += h->len != 60;
}

/* Until nothing has come for some time: longer than a packet socket keeps a
 * packet back. */
static unsigned read_all(pcap_t *p, struct seen *s)
{
	unsigned before = s->even + s->odd;

	for (int idle = 0; idle < 50; idle++) {
		if (pcap_dispatch(p, -1, see, (u_char *)s) > 0)
			idle = 0;
		usleep(1000);
	}
	return s->even + s->odd - before;
}

static unsigned exchange(pcap_t *p, uint32_t caplen)
{
	struct seen s = { .caplen = caplen };
	unsigned n;

	net_send(0, FRAMES, size_60);
	n = read_all(p, &s);
	CU_ASSERT_EQUAL(s.wrong, 0);
	return n;
}

static void close_clean(pcap_t *p)
{
	nothing_lost(p);
	pcap_close(p);
	CU_ASSERT_EQUAL(net_left_over(), 0);
	CU_ASSERT_EQUAL(net_xdp(), 0);
}

/* --- filters that only a packet socket can run --------------------------- */

/* What the reader and the host get: before, by the packet socket, and after. */
static void stands_in(const char *device, const char *keep, unsigned hosts)
{
	int host;
	pcap_t *p;

	net_link(1, 1500);
	host = net_host();
	p = open_on(device, keep);
	CU_ASSERT_EQUAL(exchange(p, 60), FRAMES);
	CU_ASSERT_TRUE(net_host_got(host, hosts));
	for (int round = 0; round < 3; round++) {
		CU_ASSERT_EQUAL(set_headers_only(p), 0);
		CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_SOCKET);
		CU_ASSERT_PTR_NOT_NULL(
			strstr(info.filter_reason, "packet socket"));
		CU_ASSERT_EQUAL(exchange(p, HEADERS), FRAMES);
		CU_ASSERT_TRUE(net_host_got(host, FRAMES));
		set_expression(p, "udp");
		CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_KERNEL);
		CU_ASSERT_EQUAL(exchange(p, 60), FRAMES);
		CU_ASSERT_TRUE(net_host_got(host, hosts));
	}
	close(host);
	close_clean(p);
}

static void packet_socket(void)
{
	if (skip())
		return;
	stands_in("exclusive:vA", NULL, 0);
	stands_in("mirror:vA", NULL, FRAMES);
	stands_in("exclusive:vA", "udp port 7001", FRAMES / 2);
}

/* Each kind of load that the hook has no answer to. */
static void packet_socket_loads(void)
{
	static const uint32_t what[] = { SKF_AD_RXHASH, SKF_AD_PAY_OFFSET,
					 SKF_AD_NLATTR, SKF_AD_NLATTR_NEST };
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = open_on("exclusive:vA", NULL);
	for (unsigned i = 0; i < COUNT(what); i++) {
		const struct sock_filter f[] = { AD(what[i]), RET(50) };

		CU_ASSERT_EQUAL(set_raw(p, f, 2), 0);
		CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_SOCKET);
		CU_ASSERT_EQUAL(exchange(p, 50), FRAMES);
	}
	close_clean(p);
}

/* The kernel refuses it as well, and libpcap then rejects every packet. */
static void nobodys_load(void)
{
	const struct sock_filter f[] = { AD(13), RET(50) };
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = open_on("exclusive:vA", NULL);
	CU_ASSERT_EQUAL(set_raw(p, f, 2), 0);
	CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_USER);
	CU_ASSERT_EQUAL(exchange(p, 0), 0);
	close_clean(p);
}

/* Even frames come in, odd ones go out; what the handle itself sends does not
 * come back. Each takes so long (sockets are closed) that it has a block of the
 * packet socket's ring to itself, of which there are few. */
static struct seen both_ways(pcap_t *p)
{
	struct seen s = { .caplen = HEADERS };
	uint8_t frame[60];

	net_frame(frame, sizeof(frame), 1);
	for (uint32_t i = 0; i < 20; i += 2) {
		net_send(i, 1, size_60);
		net_send_from("vA", i + 1, 1, size_60);
		CU_ASSERT_EQUAL(pcap_inject(p, frame, sizeof(frame)), 60);
		CU_ASSERT_EQUAL(pcap_sendpacket(p, frame, sizeof(frame)), 0);
		pcap_dispatch(p, -1, see, (u_char *)&s);
	}
	read_all(p, &s);
	CU_ASSERT_EQUAL(s.wrong, 0);
	return s;
}

static void packet_socket_directions(void)
{
	struct seen s;
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = open_on("mirror:vA", NULL);
	CU_ASSERT_EQUAL(set_headers_only(p), 0);
	s = both_ways(p);
	CU_ASSERT_TRUE(s.even == 10 && s.odd == 10);
	CU_ASSERT_EQUAL(pcap_setdirection(p, PCAP_D_IN), 0);
	s = both_ways(p);
	CU_ASSERT_TRUE(s.even == 10 && s.odd == 0);
	CU_ASSERT_EQUAL(pcap_setdirection(p, PCAP_D_OUT), 0);
	s = both_ways(p);
	CU_ASSERT_TRUE(s.even == 0 && s.odd == 10);
	set_expression(p, "udp");
	CU_ASSERT_EQUAL(exchange(p, 60), 0);
	CU_ASSERT_EQUAL(pcap_setdirection(p, PCAP_D_INOUT), 0);
	CU_ASSERT_EQUAL(exchange(p, 60), FRAMES);
	close_clean(p);
}

/* What waits in the socket, or in the rings, when the filter changes goes
 * through the new one. Port 7001 only, and not without a packet socket. */
static void packet_socket_waiting(void)
{
	static const struct sock_filter odd[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 36),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7001, 0, 1),
		RET(65535),
		AD(SKF_AD_RXHASH),
		RET(0),
	};
	struct seen s = { 0 };
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = open_on("exclusive:vA", NULL);
	net_send(0, 100, size_60);
	CU_ASSERT_EQUAL(set_raw(p, odd, COUNT(odd)), 0);
	CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_SOCKET);
	net_send(100, 100, size_60);
	CU_ASSERT_EQUAL(read_all(p, &s), 100);
	CU_ASSERT_EQUAL(set_headers_only(p), 0);
	net_send(0, 100, size_60);
	usleep(50000);
	set_expression(p, "udp port 7000");
	net_send(0, 100, size_60);
	CU_ASSERT_EQUAL(read_all(p, &s), 100);
	CU_ASSERT_TRUE(s.even == 100 && s.odd == 100);
	close_clean(p);
}

/* A blocking read, the caller's select(), and packets that are held. */
static void packet_socket_reads(void)
{
	struct pcap_batch_pkt held[10], pkts[10];
	struct pcap_pkthdr *h;
	struct pollfd fd;
	const u_char *data;
	int n = 0;
	pid_t child;
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = open_on("exclusive:vA", NULL);
	CU_ASSERT_EQUAL(set_headers_only(p), 0);
	fd = (struct pollfd){ pcap_get_selectable_fd(p), POLLIN, 0 };
	CU_ASSERT_EQUAL(poll(&fd, 1, 0), 0);
	net_send(0, 10, size_60);
	CU_ASSERT_EQUAL(poll(&fd, 1, 1000), 1);
	while (n < 10 && pcap_next_batch(p, &held[n], 1) == 1)
		n += !pcap_hold_batch(p, &held[n], 1);
	CU_ASSERT_EQUAL(n, 10);
	CU_ASSERT_EQUAL(poll(&fd, 1, 0), 0);
	net_send(10, 10, size_60);
	usleep(50000);
	CU_ASSERT_EQUAL(pcap_next_batch(p, pkts, 10), 10);
	for (int i = 0; i < n; i++)
		CU_ASSERT_FALSE(
			memcmp(held[i].data + 42, &i, held[i].hdr.caplen - 42));
	CU_ASSERT_EQUAL(pcap_release_batch(p, held, n), 0);
	child = fork();
	if (!child) {
		usleep(100000);
		net_send(0, 1, size_60);
		_exit(0);
	}
	pcap_setnonblock(p, 0, errbuf);
	CU_ASSERT_EQUAL(pcap_next_ex(p, &h, &data), 1);
	waitpid(child, NULL, 0);
	close_clean(p);
}

/* --- loads that are answered at the hook --------------------------------- */

static const struct sock_filter by_chance[] = {
	AD(SKF_AD_RANDOM),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1),
	RET(65535),
	RET(0),
};

/* Half of n packets, give or take 5 standard deviations. */
static bool about_half(unsigned n, unsigned got)
{
	int off = (int)(2 * got) - (int)n;

	return off * off < 25 * (int)n;
}

static void random_and_processor_on(const char *device)
{
	static const struct sock_filter some_cpu[] = { AD(SKF_AD_CPU),
						       RET(65535) };
	pcap_t *p;

	net_link(1, 1500);
	p = open_on(device, NULL);
	CU_ASSERT_EQUAL(set_raw(p, by_chance, COUNT(by_chance)), 0);
	CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_KERNEL);
	CU_ASSERT_TRUE(about_half(FRAMES, exchange(p, 60)));
	CU_ASSERT_EQUAL(set_raw(p, some_cpu, COUNT(some_cpu)), 0);
	CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_KERNEL);
	CU_ASSERT_EQUAL(exchange(p, 60), FRAMES);
	close_clean(p);
}

static void random_and_processor(void)
{
	if (skip())
		return;
	random_and_processor_on("exclusive:vA");
	random_and_processor_on("mirror:vA");
}

/* --- without privileges -------------------------------------------------- */

/* Random numbers are to be had wherever the filter runs; what the flow dissector
 * finds is not, and a packet socket is not either. */
static void as_nobody(void)
{
	pcap_t *p = open_on("exclusive:vA", NULL);
	struct seen s = { .caplen = 60 };
	int go[2];
	pid_t sender;

	if (pipe(go))
		_exit(3);
	sender = fork();
	if (!sender) {
		char c;

		while (read(go[0], &c, 1) == 1 && c == 'g') {
			net_send(0, FRAMES, size_60);
			usleep(100000);
		}
		_exit(0);
	}
	if (setuid(65534))
		_exit(2);
	CU_ASSERT_EQUAL(set_raw(p, by_chance, COUNT(by_chance)), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(info.filter_reason, "not permitted"));
	CU_ASSERT_EQUAL(write(go[1], "g", 1), 1);
	usleep(300000);
	CU_ASSERT_TRUE(about_half(FRAMES, read_all(p, &s)));
	CU_ASSERT_EQUAL(set_headers_only(p), 0);
	CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_USER);
	CU_ASSERT_PTR_NOT_NULL(strstr(info.filter_reason, "no packet socket"));
	CU_ASSERT_EQUAL(write(go[1], "gx", 2), 2);
	waitpid(sender, NULL, 0);
	CU_ASSERT_EQUAL(read_all(p, &s), 0);
	nothing_lost(p);
	pcap_close(p);
}

static void without_privileges(void)
{
	unsigned before = CU_get_number_of_failures();
	int status = -1;
	pid_t child;

	if (skip())
		return;
	net_link(1, 1500);
	child = fork();
	if (!child) {
		as_nobody();
		_exit(CU_get_number_of_failures() > before);
	}
	waitpid(child, &status, 0);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

/* --- programs that are refused ------------------------------------------- */

static void refused(pcap_t *p, const struct sock_filter *insns, unsigned n)
{
	CU_ASSERT_EQUAL(set_raw(p, insns, n), PCAP_ERROR);
	CU_ASSERT_STRING_EQUAL(pcap_geterr(p), "BPF program is not valid");
}

/* The system's library does not survive instructions at NULL. */
static void refuse_all(pcap_t *p, bool ours)
{
	static const struct sock_filter endless[] = { AD(0) };
	static const struct sock_filter by_zero[] = {
		BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RET(1)
	};

	CU_ASSERT_EQUAL(pcap_setfilter(p, NULL), PCAP_ERROR);
	CU_ASSERT_STRING_EQUAL(pcap_geterr(p),
			       "setfilter: No filter specified");
	refused(p, endless, 1);
	refused(p, by_zero, 2);
	refused(p, by_zero, 0);
	refused(p, NULL, 0);
	if (ours)
		refused(p, NULL, 3);
}

/* Odd ports only, as in the longest program that there can be. */
static void set_longest(pcap_t *p)
{
	static const struct sock_filter end[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 36),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7001, 0, 1),
		RET(65535),
		RET(0),
	};
	const unsigned n = 65535;
	struct sock_filter *insns = calloc(n, sizeof(*insns));

	CU_ASSERT_PTR_NOT_NULL_FATAL(insns);
	for (unsigned i = 0; i < n - COUNT(end); i++)
		insns[i] = (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TAX, 0);
	memcpy(&insns[n - COUNT(end)], end, sizeof(end));
	CU_ASSERT_EQUAL(set_raw(p, insns, n), 0);
	free(insns);
}

/* The filter before it stays in force, and nothing is left behind. */
static void refused_on(const char *device, const char *keep, bool ours)
{
	unsigned fds, objects;
	pcap_t *p;

	net_link(1, 1500);
	p = open_on(device, keep);
	set_expression(p, "udp port 7001");
	CU_ASSERT_EQUAL(exchange(p, 60), FRAMES / 2);
	objects = net_objects();
	fds = net_open_fds();
	for (int i = 0; i < 300; i++)
		refuse_all(p, ours);
	CU_ASSERT_EQUAL(net_open_fds(), fds);
	CU_ASSERT_EQUAL(exchange(p, 60), FRAMES / 2);
	if (ours)
		set_longest(p);
	for (int i = 0; i < 200; i++)
		set_expression(p, i % 2 ? "udp port 7000" : "tcp");
	CU_ASSERT_EQUAL(exchange(p, 60), FRAMES / 2);
	CU_ASSERT_EQUAL(net_open_fds(), fds);
	for (int i = 0; i < 40 && net_objects() != objects; i++)
		usleep(50000);
	CU_ASSERT_EQUAL(net_objects(), objects);
	pcap_close(p);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

static void refused_programs(void)
{
	if (skip())
		return;
	refused_on("exclusive:vA", NULL, true);
	refused_on("exclusive:vA", "udp port 7000", true);
	refused_on("mirror:vA", NULL, true);
	refused_on("system:vA", NULL, false);
}

/* Long, and in force. */
static void longest_program(void)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = open_on("exclusive:vA", NULL);
	set_longest(p);
	CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_KERNEL);
	CU_ASSERT_EQUAL(exchange(p, 60), FRAMES / 2);
	close_clean(p);
}

/* --- changes under full traffic ------------------------------------------ */

/* PCF_SWAPS=10000 takes longer, and finds no more. */
static unsigned swaps(void)
{
	const char *n = getenv("PCF_SWAPS");

	return n ? strtoul(n, NULL, 10) : 2000;
}

struct traffic {
	atomic_bool stop;
	atomic_uint sent;
	pid_t child;
};

/* As fast as one process can, frame after frame, until told to stop. */
static struct traffic *start_traffic(void)
{
	struct traffic *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CU_ASSERT_TRUE_FATAL(t != MAP_FAILED);
	t->child = fork();
	if (t->child)
		return t;
	while (!t->stop) {
		net_send(t->sent, 1000, size_60);
		t->sent += 1000;
	}
	_exit(0);
}

/* How many frames were sent, those not counted that the link itself dropped. */
static unsigned stop_traffic(struct traffic *t)
{
	unsigned sent, lost = 0;
	FILE *f;

	t->stop = true;
	waitpid(t->child, NULL, 0);
	sent = t->sent;
	munmap(t, sizeof(*t));
	f = popen(
		"ip -s link show vB | awk 'p { print $4; exit } /TX:/ { p = 1 }'",
		"r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL(fscanf(f, "%u", &lost), 1);
	pclose(f);
	return sent - lost;
}

static struct bpf_program compiled(pcap_t *p, const char *expression)
{
	struct bpf_program program = { 0 };

	CU_ASSERT_EQUAL_FATAL(pcap_compile(p, &program, expression, 1, 0), 0);
	return program;
}

struct swapping {
	unsigned n, wrong;
	int port; /* that the filter in force wants; 0: any */
};

static void see_port(u_char *user, const struct pcap_pkthdr *h,
		     const u_char *data)
{
	struct swapping *s = (struct swapping *)user;

	(void)h;
	s->n++;
	s->wrong += s->port && (data[36] << 8 | data[37]) != s->port;
}

static void swap_many(pcap_t *p, const char *a, const char *b, bool exact,
		      struct swapping *s)
{
	struct bpf_program program[] = { compiled(p, a), compiled(p, b) };

	for (unsigned i = 0; i < swaps(); i++) {
		CU_ASSERT_EQUAL(pcap_setfilter(p, &program[i % 2]), 0);
		s->port = exact ? 7000 + (int)(i % 2) : 0;
		for (int j = 0; j < 100; j++)
			if (pcap_dispatch(p, -1, see_port, (u_char *)s) > 0)
				break;
	}
	pcap_freecode(&program[0]);
	pcap_freecode(&program[1]);
}

/* Each packet that comes out matches the filter in force. */
static void swaps_exact_on(const char *device, const char *keep)
{
	struct swapping s = { 0 };
	struct traffic *t;
	pcap_t *p;

	net_link(1, 1500);
	p = open_on(device, keep);
	t = start_traffic();
	swap_many(p, "udp port 7000", "udp port 7001", true, &s);
	stop_traffic(t);
	CU_ASSERT_TRUE(s.n > swaps());
	CU_ASSERT_EQUAL(s.wrong, 0);
	pcap_close(p);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

/* What both filters match is never lost between them. */
static void swaps_keep_on(const char *device, const char *keep)
{
	struct swapping s = { 0 };
	struct pcap_stat stats;
	struct traffic *t;
	unsigned sent;
	pcap_t *p;

	net_link(1, 1500);
	p = open_on(device, keep);
	t = start_traffic();
	swap_many(p, "udp", "ip", false, &s);
	sent = stop_traffic(t);
	while (pcap_dispatch(p, -1, see_port, (u_char *)&s) > 0)
		;
	CU_ASSERT_EQUAL(pcap_stats(p, &stats), 0);
	if (s.n + stats.ps_drop != sent)
		printf("    %u seen, %u dropped, %u sent\n", s.n, stats.ps_drop,
		       sent);
	CU_ASSERT_EQUAL(s.n + stats.ps_drop, sent);
	CU_ASSERT_TRUE(s.n > sent / 10 * 9);
	pcap_close(p);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

static void swaps_exact(void)
{
	if (skip())
		return;
	swaps_exact_on("exclusive:vA", NULL);
	swaps_exact_on("exclusive:vA", "udp port 7000");
	swaps_exact_on("mirror:vA", NULL);
}

static void swaps_keep(void)
{
	if (skip())
		return;
	swaps_keep_on("exclusive:vA", NULL);
	swaps_keep_on("exclusive:vA", "udp port 7000");
	swaps_keep_on("mirror:vA", NULL);
}

static CU_TestInfo tests[] = {
	PCF_TEST(packet_socket),
	PCF_TEST(packet_socket_loads),
	PCF_TEST(nobodys_load),
	PCF_TEST(packet_socket_directions),
	PCF_TEST(packet_socket_waiting),
	PCF_TEST(packet_socket_reads),
	PCF_TEST(random_and_processor),
	PCF_TEST(without_privileges),
	PCF_TEST(refused_programs),
	PCF_TEST(longest_program),
	PCF_TEST(swaps_exact),
	PCF_TEST(swaps_keep),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("filters", tests);
}
