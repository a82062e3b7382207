/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures on a real interface, in a namespace of their own. As root. */
#include "compat/public.h"
#include "tests/netns/net.h"
#include "tests/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <linux/capability.h>
#include <unistd.h>

static char errbuf[PCAP_ERRBUF_SIZE];
static char *started_with_rx;
static bool have_net;
static struct pcap_fast_info info;

static bool skip(void)
{
	if (!have_net)
		pcf_skip("needs root and network namespaces");
	return !have_net;
}

static unsigned size_60(uint32_t i)
{
	(void)i;
	return 60;
}

static unsigned size_mixed(uint32_t i)
{
	return 60 + i * 37 % 1455;
}

static unsigned size_jumbo(uint32_t i)
{
	return i % 3 ? 60 + i * 131 % 8955 : 60;
}

static pcap_t *create(const char *device, int promisc)
{
	pcap_t *p = pcap_create(device, errbuf);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	pcap_set_snaplen(p, 65535);
	pcap_set_promisc(p, promisc);
	pcap_set_timeout(p, 10);
	return p;
}

/* Active and non-blocking, in the mode expected. */
static pcap_t *capture(const char *device, int promisc, int mode)
{
	pcap_t *p = create(device, promisc);
	int rc = pcap_activate(p);

	if (rc < 0)
		printf("    activate: %d %s\n", rc, pcap_geterr(p));
	CU_ASSERT_TRUE_FATAL(rc >= 0);
	pcap_setnonblock(p, 1, errbuf);
	CU_ASSERT_EQUAL(pcap_fast_get_info(p, &info, sizeof(info)), 0);
	CU_ASSERT_EQUAL(info.mode, mode);
	if (info.mode != mode)
		printf("    %s\n", info.reason);
	return p;
}

static pcap_t *exclusive(void)
{
	return capture("vA", 1, PCAP_FAST_MODE_EXCLUSIVE);
}

static pcap_t *mirror(void)
{
	return capture("mirror:vA", 1, PCAP_FAST_MODE_MIRROR);
}

static void set_filter(pcap_t *p, const char *expression)
{
	struct bpf_program prog;

	CU_ASSERT_EQUAL_FATAL(pcap_compile(p, &prog, expression, 1, 0), 0);
	CU_ASSERT_EQUAL(pcap_setfilter(p, &prog), 0);
	pcap_freecode(&prog);
}

struct reading {
	uint32_t next, step;	/* expected number, and the one after it */
	unsigned n, wrong, back, far;
	struct timeval last;
	unsigned (*size)(uint32_t);
};

static void check(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	struct reading *r = (struct reading *)user;
	struct timeval now;

	gettimeofday(&now, NULL);
	r->wrong += h->len != r->size(r->next) || h->caplen != h->len ||
		    !net_same(data, h->len, r->next);
	r->back += timercmp(&h->ts, &r->last, <);
	r->far += labs(now.tv_sec - h->ts.tv_sec) > 5;
	r->last = h->ts;
	r->next += r->step;
	r->n++;
}

static void read_all(pcap_t *p, struct reading *r)
{
	while (pcap_dispatch(p, -1, check, (u_char *)r) > 0)
		;
}

static void expect(const struct reading *r, unsigned n)
{
	CU_ASSERT_EQUAL(r->n, n);
	CU_ASSERT_EQUAL(r->wrong, 0);
	CU_ASSERT_EQUAL(r->back, 0);
	CU_ASSERT_EQUAL(r->far, 0);
}

/* The identity that pcap-fast.h promises, with nothing left in the rings. */
static void counters_add_up(pcap_t *p)
{
	CU_ASSERT_EQUAL(pcap_fast_get_info(p, &info, sizeof(info)), 0);
	CU_ASSERT_EQUAL(info.matched + info.outgoing,
			info.delivered + info.filtered + info.dropped_ring +
				info.dropped_fill);
}

static void exact_on(int mode, unsigned mtu, unsigned n,
		     unsigned (*size)(uint32_t))
{
	struct reading r = { .step = 1, .size = size };
	pcap_t *p;

	net_link(1, mtu);
	p = mode == PCAP_FAST_MODE_MIRROR ? mirror() : exclusive();
	for (unsigned sent = 0; sent < n; sent += 1000) {
		net_send(sent, 1000, size);
		read_all(p, &r);
	}
	expect(&r, n);
	counters_add_up(p);
	pcap_close(p);
	CU_ASSERT_EQUAL(net_xdp(), 0);
}

static void exact(void)
{
	if (!skip())
		exact_on(PCAP_FAST_MODE_EXCLUSIVE, 1500, 50000, size_mixed);
}

static void mirror_exact(void)
{
	if (skip())
		return;
	exact_on(PCAP_FAST_MODE_MIRROR, 1500, 50000, size_mixed);
	exact_on(PCAP_FAST_MODE_MIRROR, 9000, 10000, size_jumbo);
}

static void jumbo(void)
{
	if (skip())
		return;
	exact_on(PCAP_FAST_MODE_EXCLUSIVE, 3000, 5000, size_mixed);
	exact_on(PCAP_FAST_MODE_EXCLUSIVE, 9000, 10000, size_jumbo);
}

static void see_queue(u_char *user, const struct pcap_pkthdr *h,
		      const u_char *data)
{
	unsigned *n = (unsigned *)user;

	(void)h;
	(void)data;
	(*n)++;
}

/* All queues by default; with a list, the others' packets go to the host. */
static void queues(void)
{
	struct pcap_batch_pkt pkts[64];
	unsigned all = 0, some = 0, seen[4] = { 0 };
	pcap_t *p;
	int n;

	if (skip())
		return;
	net_link(4, 1500);
	p = exclusive();
	CU_ASSERT_EQUAL(info.queues, 4);
	net_send(0, 2000, size_60);
	while ((n = pcap_next_batch(p, pkts, 64)) > 0)
		for (int i = 0; i < n; i++, all++)
			seen[pkts[i].queue % 4]++;
	CU_ASSERT_EQUAL(all, 2000);
	CU_ASSERT_TRUE(seen[0] && seen[1] && seen[2] && seen[3]);
	pcap_close(p);
	p = capture("exclusive:vA@1-2", 1, PCAP_FAST_MODE_EXCLUSIVE);
	CU_ASSERT_EQUAL(info.queues, 2);
	net_send(0, 2000, size_60);
	while (pcap_dispatch(p, -1, see_queue, (u_char *)&some) > 0)
		;
	CU_ASSERT_EQUAL(some, seen[1] + seen[2]);
	pcap_close(p);
}

/* A reader that is too slow: what is lost is counted, to the packet. */
static void overflow_on(const char *device)
{
	struct pcap_stat stat;
	unsigned n = 0;
	pcap_t *p;

	net_link(1, 1500);
	p = create(device, 1);
	pcap_set_buffer_size(p, 1 << 20);
	CU_ASSERT_EQUAL_FATAL(pcap_activate(p), 0);
	pcap_setnonblock(p, 1, errbuf);
	net_send(0, 20000, size_60);
	CU_ASSERT_EQUAL(pcap_stats(p, &stat), 0);
	CU_ASSERT_EQUAL(stat.ps_recv, 20000);
	CU_ASSERT_TRUE(stat.ps_drop > 0);
	while (pcap_dispatch(p, -1, see_queue, (u_char *)&n) > 0)
		;
	CU_ASSERT_EQUAL(n + stat.ps_drop, 20000);
	counters_add_up(p);
	pcap_close(p);
}

static void overflow(void)
{
	if (skip())
		return;
	overflow_on("exclusive:vA");
	overflow_on("mirror:vA");
}

/* Any number of readers beside the exclusive one, each with its own filter;
 * the first to open is not the last to close. */
static void side_by_side(void)
{
	struct reading all = { .step = 1, .size = size_mixed };
	struct reading even = { .step = 2, .size = size_mixed };
	struct reading odd = { .next = 1, .step = 2, .size = size_mixed };
	pcap_t *a, *b, *c;

	if (skip())
		return;
	net_link(1, 1500);
	a = exclusive();
	b = capture("vA", 1, PCAP_FAST_MODE_MIRROR);
	c = mirror();
	set_filter(b, "udp port 7000");
	set_filter(c, "udp port 7001");
	net_send(0, 2000, size_mixed);
	read_all(a, &all);
	pcap_close(a);
	net_send(2000, 2000, size_mixed);
	read_all(b, &even);
	read_all(c, &odd);
	expect(&all, 2000);
	expect(&even, 2000);
	expect(&odd, 2000);
	pcap_close(b);
	CU_ASSERT_NOT_EQUAL(net_xdp(), 0);
	pcap_close(c);
	CU_ASSERT_EQUAL(net_xdp(), 0);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

/* The host keeps its network under a mirror, also on several queues. */
static void mirror_passes(void)
{
	unsigned n = 0;
	pcap_t *p;
	int host;

	if (skip())
		return;
	net_link(4, 1500);
	net_do("ip addr add 10.99.0.1/24 dev vA");
	host = net_host();
	p = mirror();
	net_send(0, 2000, size_60);
	while (pcap_dispatch(p, -1, see_queue, (u_char *)&n) > 0)
		;
	CU_ASSERT_EQUAL(n, 2000);
	CU_ASSERT_EQUAL(net_host_frames(host), 2000);
	close(host);
	pcap_close(p);
}

/* A sleeping reader wakes for a packet of whichever queue, every time. */
static void mirror_wakes(void)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	pid_t child;
	pcap_t *p;

	if (skip())
		return;
	net_link(4, 1500);
	p = mirror();
	pcap_setnonblock(p, 0, errbuf);
	child = fork();
	if (!child) {
		for (int i = 0; i < 200; i++) {
			net_send(i, 1, size_60);
			usleep(i % 10 ? 0 : 2000);
		}
		_exit(0);
	}
	for (int i = 0; i < 200; i++)
		CU_ASSERT_EQUAL(pcap_next_ex(p, &h, &data), 1);
	waitpid(child, NULL, 0);
	pcap_close(p);
}

/* Any of several captures killed at any time: the others go on, and the last
 * one leaves nothing. */
static void some_killed(void)
{
	struct reading r = { .step = 1, .size = size_60 };
	pid_t child[3];
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 3; i++) {
			child[i] = fork();
			if (!child[i]) {
				pcap_close(i ? mirror() : exclusive());
				i ? mirror() : exclusive();
				pause();
			}
		}
		usleep(rand() % 100000);
		kill(child[round % 3], SIGKILL);
		waitpid(child[round % 3], NULL, 0);
		p = mirror();
		r = (struct reading){ .step = 1, .size = size_60 };
		kill(child[(round + 1) % 3], SIGKILL);
		net_send(0, 500, size_60);
		read_all(p, &r);
		expect(&r, 500);
		pcap_close(p);
		kill(child[(round + 2) % 3], SIGKILL);
		waitpid(child[(round + 1) % 3], NULL, 0);
		waitpid(child[(round + 2) % 3], NULL, 0);
		CU_ASSERT_EQUAL(net_left_over(), 0);
		CU_ASSERT_EQUAL(net_xdp(), 0);
	}
}

static void filter_in_driver(void)
{
	struct reading r = { .step = 2, .size = size_mixed };
	struct pcap_stat stat;
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = exclusive();
	set_filter(p, "udp port 7000");
	pcap_fast_get_info(p, &info, sizeof(info));
	CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_KERNEL);
	net_send(0, 2000, size_mixed);
	read_all(p, &r);
	expect(&r, 1000);
	CU_ASSERT_EQUAL(pcap_stats(p, &stat), 0);
	CU_ASSERT_EQUAL(stat.ps_recv, 1000);
	counters_add_up(p);
	pcap_close(p);
}

struct swapping {
	unsigned n, wrong, port;
};

static void see_port(u_char *user, const struct pcap_pkthdr *h,
		     const u_char *data)
{
	struct swapping *s = (struct swapping *)user;

	(void)h;
	s->n++;
	s->wrong += (data[36] << 8 | data[37]) != (int)s->port;
}

/* Under traffic, each packet that comes out matches the filter in force. */
static void filter_swaps(void)
{
	struct swapping s = { 0 };
	struct bpf_program prog[2];
	pcap_t *p;
	pid_t child;

	if (skip())
		return;
	net_link(1, 1500);
	p = exclusive();
	CU_ASSERT_EQUAL_FATAL(
		pcap_compile(p, &prog[0], "udp port 7000", 1, 0), 0);
	CU_ASSERT_EQUAL_FATAL(
		pcap_compile(p, &prog[1], "udp port 7001", 1, 0), 0);
	child = fork();
	if (!child) {
		for (;;)
			net_send(0, 1000, size_60);
	}
	for (int i = 0; i < 1000; i++) {
		CU_ASSERT_EQUAL(pcap_setfilter(p, &prog[i % 2]), 0);
		s.port = 7000 + i % 2;
		pcap_dispatch(p, 500, see_port, (u_char *)&s);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CU_ASSERT_TRUE(s.n > 100);
	CU_ASSERT_EQUAL(s.wrong, 0);
	pcap_freecode(&prog[0]);
	pcap_freecode(&prog[1]);
	pcap_close(p);
}

/* Packets that were shown but not delivered when the filter changed. */
static void filter_unmarks(void)
{
	struct swapping s = { .port = 7000 };
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = exclusive();
	set_filter(p, "udp");
	net_send(0, 100, size_60);
	CU_ASSERT_EQUAL(pcap_dispatch(p, 1, see_port, (u_char *)&s), 1);
	set_filter(p, "udp port 7001");
	s.port = 7001;
	CU_ASSERT_EQUAL(pcap_dispatch(p, -1, see_port, (u_char *)&s), 50);
	CU_ASSERT_EQUAL(s.wrong, 0);
	pcap_close(p);
}

/* Two filters that both match a packet never lose it between them. */
static void filter_swap_keeps(void)
{
	struct reading r = { .step = 1, .size = size_60 };
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = exclusive();
	for (int i = 0; i < 100; i++) {
		net_send(i * 100, 50, size_60);
		set_filter(p, i % 2 ? "udp" : "ip");
		net_send(i * 100 + 50, 50, size_60);
		read_all(p, &r);
	}
	expect(&r, 10000);
	pcap_close(p);
}

static void system_where_used(void)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	net_do("ip addr add 10.99.0.1/24 dev vA");
	p = capture("vA", 1, PCAP_FAST_MODE_SYSTEM);
	CU_ASSERT_PTR_NOT_NULL(strstr(info.reason, "IP address"));
	CU_ASSERT_EQUAL(net_xdp(), 0);
	pcap_close(p);
	net_do("ip addr del 10.99.0.1/24 dev vA");
	p = capture("vA", 0, PCAP_FAST_MODE_SYSTEM);
	pcap_close(p);
	p = capture("system:vA", 1, PCAP_FAST_MODE_SYSTEM);
	pcap_close(p);
}

static void cycles(void)
{
	unsigned fds;

	if (skip())
		return;
	net_link(1, 1500);
	pcap_close(exclusive());
	fds = net_open_fds();
	for (int i = 0; i < 200; i++)
		pcap_close(exclusive());
	CU_ASSERT_EQUAL(net_open_fds(), fds);
	CU_ASSERT_EQUAL(net_left_over(), 0);
	CU_ASSERT_EQUAL(
		net_do("ip -d link show vA | grep -q 'promiscuity 0'"), 0);
}

static void killed(void)
{
	int ready[2];
	char c;
	pid_t child;

	if (skip())
		return;
	net_link(1, 1500);
	CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
	child = fork();
	if (!child) {
		exclusive();
		c = write(ready[1], "r", 1);
		pause();
	}
	CU_ASSERT_EQUAL(read(ready[0], &c, 1), 1);
	CU_ASSERT_NOT_EQUAL(net_xdp(), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CU_ASSERT_EQUAL(net_left_over(), 0);
	CU_ASSERT_EQUAL(net_xdp(), 0);
	CU_ASSERT_EQUAL(
		net_do("ip -d link show vA | grep -q 'promiscuity 0'"), 0);
	close(ready[0]);
	close(ready[1]);
	pcap_close(exclusive());
}

/* The parent opens, the child reads, as daemons do. */
static void forked(void)
{
	struct reading r = { .step = 1, .size = size_60 };
	int status;
	pcap_t *p;
	pid_t child;

	if (skip())
		return;
	net_link(1, 1500);
	p = exclusive();
	net_send(0, 500, size_60);
	child = fork();
	if (!child) {
		net_send(500, 500, size_60);
		read_all(p, &r);
		_exit(r.n == 1000 && !r.wrong ? 0 : 1);
	}
	waitpid(child, &status, 0);
	CU_ASSERT_EQUAL(status, 0);
	pcap_close(p);
}

static void gone(void)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	int rc = 0;
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = exclusive();
	net_do("ip link del vA");
	for (int i = 0; i < 100 && !rc; i++, usleep(10000))
		rc = pcap_next_ex(p, &h, &data);
	CU_ASSERT_EQUAL(rc, PCAP_ERROR);
	CU_ASSERT_STRING_EQUAL(pcap_geterr(p), "The interface disappeared");
	pcap_close(p);
	net_link(1, 1500);
}

/* By name it fails, saying why; in `auto` the handle works on `system`. */
static void refused(const char *device, const char *text)
{
	pcap_t *p = create(device, 1);
	unsigned fds = net_open_fds();
	uint32_t xdp = net_xdp();

	CU_ASSERT_EQUAL(pcap_activate(p), PCAP_ERROR);
	if (!strstr(pcap_geterr(p), text))
		printf("    \"%s\" lacks \"%s\"\n", pcap_geterr(p), text);
	CU_ASSERT_PTR_NOT_NULL(strstr(pcap_geterr(p), text));
	CU_ASSERT_EQUAL(net_open_fds(), fds);
	CU_ASSERT_EQUAL(net_xdp(), xdp);
	pcap_close(p);
}

static void queue_not_there(void)
{
	if (skip())
		return;
	net_link(1, 1500);
	refused("exclusive:vA@3", "queue");
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

/* As the whole run was started with. */
static void restore_rx(void)
{
	if (started_with_rx)
		setenv("PCAP_FAST_RX", started_with_rx, 1);
	else
		unsetenv("PCAP_FAST_RX");
}

static void queue_taken(void)
{
	int fd;

	if (skip())
		return;
	net_link(1, 1500);
	setenv("PCAP_FAST_RX", "xsk", 1);
	fd = net_take_queue();
	refused("exclusive:vA", "another AF_XDP socket has this queue");
	pcap_close(capture("vA", 1, PCAP_FAST_MODE_SYSTEM));
	/* the direct ring does not need the queue, but it cannot send there */
	setenv("PCAP_FAST_RX", "ring", 1);
	pcap_close(capture("exclusive:vA", 1, PCAP_FAST_MODE_EXCLUSIVE));
	CU_ASSERT_PTR_NOT_NULL(strstr(info.reason, "packet socket"));
	restore_rx();
	close(fd);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

static void foreign_program(void)
{
	uint32_t id;

	if (skip())
		return;
	net_link(1, 1500);
	CU_ASSERT_EQUAL_FATAL(net_attach_foreign(), 0);
	id = net_xdp();
	refused("exclusive:vA", "stranger");
	pcap_close(capture("vA", 1, PCAP_FAST_MODE_SYSTEM));
	CU_ASSERT_PTR_NOT_NULL(strstr(info.reason, "stranger"));
	CU_ASSERT_EQUAL(net_xdp(), id);
	net_detach_foreign();
}

static void second_exclusive(void)
{
	char pid[32];
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = exclusive();
	snprintf(pid, sizeof(pid), "pid %d", getpid());
	refused("exclusive:vA", pid);
	pcap_close(p);
}

static void required_zerocopy(void)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = create("exclusive:vA", 1);
	CU_ASSERT_EQUAL(
		pcap_fast_set_zerocopy(p, PCAP_FAST_ZEROCOPY_REQUIRE), 0);
	CU_ASSERT_EQUAL(pcap_activate(p), PCAP_ERROR);
	CU_ASSERT_PTR_NOT_NULL(strstr(pcap_geterr(p), "zero-copy"));
	/* the handle is usable still, with other options */
	CU_ASSERT_EQUAL(pcap_fast_set_zerocopy(p, PCAP_FAST_ZEROCOPY_AUTO), 0);
	CU_ASSERT_EQUAL(pcap_activate(p), 0);
	CU_ASSERT_EQUAL(pcap_fast_set_mode(p, PCAP_FAST_MODE_AUTO),
			PCAP_ERROR_ACTIVATED);
	CU_ASSERT_EQUAL(pcap_fast_set_queues(p, "0"), PCAP_ERROR_ACTIVATED);
	pcap_close(p);
}

static void in_child(void (*body)(void))
{
	unsigned before = CU_get_number_of_failures();
	int status = -1;
	pid_t child = fork();

	if (!child) {
		body();
		_exit(CU_get_number_of_failures() > before);
	}
	waitpid(child, &status, 0);
	CU_ASSERT_EQUAL(status, 0);
}

static void drop_ipc_lock(void)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct d[2];
	struct rlimit small = { 65536, 65536 };

	syscall(SYS_capget, &h, d);
	d[0].effective &= ~(1u << CAP_IPC_LOCK);
	syscall(SYS_capset, &h, d);
	setrlimit(RLIMIT_MEMLOCK, &small);
}

static void little_memlock(void)
{
	drop_ipc_lock();
	setenv("PCAP_FAST_RX", "xsk", 1);
	refused("exclusive:vA", "ulimit -l");
	pcap_close(capture("vA", 1, PCAP_FAST_MODE_SYSTEM));
}

static void memlock(void)
{
	if (skip())
		return;
	net_link(1, 1500);
	in_child(little_memlock);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

static void as_nobody(void)
{
	pcap_t *p;

	if (setuid(65534))
		_exit(2);
	p = create("vA", 1);
	CU_ASSERT_EQUAL(pcap_activate(p), PCAP_ERROR_PERM_DENIED);
	pcap_close(p);
	p = create("exclusive:vA", 1);
	CU_ASSERT_EQUAL(pcap_activate(p), PCAP_ERROR_PERM_DENIED);
	pcap_close(p);
}

static void no_permission(void)
{
	if (skip())
		return;
	net_link(1, 1500);
	in_child(as_nobody);
}

/* A filter after the privileges are gone is exact wherever it runs; the end of
 * the capture leaves nothing. */
static void drops_privileges(void)
{
	struct reading r = { .step = 2, .size = size_60 };
	pcap_t *p = exclusive();
	int go[2];
	pid_t sender;

	if (pipe(go))
		_exit(3);
	set_filter(p, "udp port 7001");
	sender = fork();
	if (!sender) {
		char c = 0;

		if (read(go[0], &c, 1) == 1)
			net_send(0, 1000, size_60);
		_exit(0);
	}
	if (setuid(65534))
		_exit(2);
	set_filter(p, "udp port 7000");
	pcap_fast_get_info(p, &info, sizeof(info));
	CU_ASSERT_PTR_NOT_NULL(strstr(info.filter_reason, "not permitted"));
	CU_ASSERT_EQUAL(write(go[1], "g", 1), 1);
	waitpid(sender, NULL, 0);
	read_all(p, &r);
	expect(&r, 500);
	pcap_close(p);
}

static void dropped_privileges(void)
{
	if (skip())
		return;
	net_link(1, 1500);
	in_child(drops_privileges);
	CU_ASSERT_EQUAL(net_xdp(), 0);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

static void held_frames(void)
{
	struct pcap_batch_pkt first[64], pkts[64];
	int n, kept;
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = exclusive();
	net_send(0, 64, size_60);
	kept = pcap_next_batch(p, first, 64);
	CU_ASSERT_EQUAL(kept, 64);
	CU_ASSERT_EQUAL(pcap_hold_batch(p, first, kept), 0);
	for (int turn = 0; turn < 40; turn++) {
		net_send(1000, 1000, size_60);
		while ((n = pcap_next_batch(p, pkts, 64)) > 0)
			;
	}
	for (int i = 0; i < kept; i++)
		CU_ASSERT_TRUE(net_same(first[i].data, 60, i));
	CU_ASSERT_EQUAL(pcap_release_batch(p, first, kept), 0);
	counters_add_up(p);
	pcap_close(p);
}

static CU_TestInfo tests[] = {
	PCF_TEST(exact),
	PCF_TEST(jumbo),
	PCF_TEST(queues),
	PCF_TEST(overflow),
	PCF_TEST(filter_in_driver),
	PCF_TEST(filter_swaps),
	PCF_TEST(filter_unmarks),
	PCF_TEST(filter_swap_keeps),
	PCF_TEST(mirror_exact),
	PCF_TEST(side_by_side),
	PCF_TEST(mirror_passes),
	PCF_TEST(mirror_wakes),
	PCF_TEST(some_killed),
	PCF_TEST(system_where_used),
	PCF_TEST(cycles),
	PCF_TEST(killed),
	PCF_TEST(forked),
	PCF_TEST(gone),
	PCF_TEST(queue_not_there),
	PCF_TEST(queue_taken),
	PCF_TEST(foreign_program),
	PCF_TEST(second_exclusive),
	PCF_TEST(required_zerocopy),
	PCF_TEST(memlock),
	PCF_TEST(no_permission),
	PCF_TEST(dropped_privileges),
	PCF_TEST(held_frames),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	const char *rx = getenv("PCAP_FAST_RX");

	started_with_rx = rx ? strdup(rx) : NULL;
	have_net = net_enter();
	return pcf_run_tests("netns", tests);
}
