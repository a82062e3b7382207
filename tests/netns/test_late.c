/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filters that are set when the process has given up its privileges: they run
 * in the driver all the same, so that the host gets what they reject. Frames
 * with even numbers go to UDP port 7000, odd ones to 7001.
 */
#include "tests/netns/common.h"

#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define FRAMES 1000
#define NOBODY 65534

static struct pcap_fast_info info;

/* The interpreter needs Linux 6.9. */
static bool cannot(void)
{
	unsigned major = 0, minor = 0;
	struct utsname u;

	if (skip())
		return true;
	if (uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2 ||
	    major * 1000 + minor < 6009) {
		pcf_skip("needs Linux 6.9");
		return true;
	}
	return false;
}

/* --- one that stays root -------------------------------------------------- */

/* Sends when told to, and says what the host got. */
struct helper {
	int to[2], from[2];
	pid_t pid;
};

static void help(const struct helper *t)
{
	char c;

	while (read(t->to[0], &c, 1) == 1) {
		const int host = net_host();
		unsigned n;

		net_send(0, FRAMES, size_60);
		usleep(100000);
		n = net_host_frames(host);
		close(host);
		if (write(t->from[1], &n, sizeof(n)) != sizeof(n))
			break;
	}
}

static void start(struct helper *t)
{
	if (pipe(t->to) || pipe(t->from))
		_exit(3);
	t->pid = fork();
	if (t->pid) {
		close(t->to[0]);
		return;
	}
	close(t->to[1]);
	help(t);
	_exit(0);
}

static void stop(struct helper *t)
{
	close(t->to[1]);
	waitpid(t->pid, NULL, 0);
}

/* --- captures ------------------------------------------------------------- */

static pcap_t *capture(const char *device, int rest)
{
	pcap_t *p = fresh(device);

	pcap_set_buffer_size(p, 4 << 20);
	CU_ASSERT_EQUAL(pcap_fast_set_rest(p, rest), 0);
	go_live(p);
	pcap_setnonblock(p, 1, errbuf);
	return p;
}

static void set(pcap_t *p, struct bpf_program *program, int place)
{
	CU_ASSERT_EQUAL(pcap_setfilter(p, program), 0);
	pcap_fast_get_info(p, &info, sizeof(info));
	if ((int)info.filter_place != place)
		printf("    %s\n", info.filter_reason);
	CU_ASSERT_EQUAL(info.filter_place, place);
}

/* Late: not compiled any more. */
static void filter(pcap_t *p, const char *expression)
{
	struct bpf_program program;

	CU_ASSERT_EQUAL_FATAL(pcap_compile(p, &program, expression, 1, 0), 0);
	set(p, &program, PCAP_FAST_FILTER_KERNEL);
	CU_ASSERT_PTR_NOT_NULL(strstr(info.filter_reason, "interpreted"));
	pcap_freecode(&program);
}

/* A jump back; rejects all. */
static void inexpressible(pcap_t *p)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		BPF_STMT(BPF_RET, 0),
		BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)-2),
		BPF_STMT(BPF_RET, 0),
	};
	struct bpf_program program = { 4, (struct bpf_insn *)insns };

	set(p, &program, PCAP_FAST_FILTER_USER);
	CU_ASSERT_PTR_NULL(strstr(info.filter_reason, "interpreted"));
}

/* How many frames come, all with the parity of `want`, whole. */
static unsigned read_all(pcap_t *p, uint32_t want)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	unsigned n = 0;

	for (int idle = 0; idle < 30;) {
		uint32_t number;

		if (pcap_next_ex(p, &h, &data) != 1) {
			usleep(1000);
			idle++;
			continue;
		}
		memcpy(&number, data + 42, 4);
		CU_ASSERT_TRUE(net_same(data, 60, number));
		CU_ASSERT_EQUAL(number % 2, want);
		n++;
	}
	return n;
}

/* Send; `seen` frames of this parity for the reader, `hosts` for the host. */
static void exchange(struct helper *t, pcap_t *p, uint32_t parity,
		     unsigned seen, unsigned hosts)
{
	unsigned got, at_host = 0;

	CU_ASSERT_EQUAL(write(t->to[1], "g", 1), 1);
	CU_ASSERT_EQUAL(read(t->from[0], &at_host, sizeof(at_host)),
			sizeof(at_host));
	got = read_all(p, parity);
	if (got != seen || at_host != hosts)
		printf("    reader %u, host %u\n", got, at_host);
	CU_ASSERT_EQUAL(got, seen);
	CU_ASSERT_EQUAL(at_host, hosts);
}

static void give_up(void)
{
	if (setuid(NOBODY))
		_exit(2);
}

/* In a child, which gives up its privileges for good. */
static void in_child(void (*f)(void))
{
	const unsigned before = CU_get_number_of_failures();
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		f();
		fflush(stdout);
		_exit(CU_get_number_of_failures() > before);
	}
	waitpid(pid, &status, 0);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_EQUAL(net_xdp(), 0);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

/* --- the tests ------------------------------------------------------------ */

static void passing(void)
{
	struct helper t;
	pcap_t *p;

	start(&t);
	p = capture("exclusive:vA", PCAP_FAST_REST_PASS);
	give_up();
	filter(p, "udp port 7000");
	exchange(&t, p, 0, 500, 500);
	filter(p, "udp port 7001");
	exchange(&t, p, 1, 500, 500);
	inexpressible(p);
	exchange(&t, p, 0, 0, 0);
	filter(p, "udp port 7000 and greater 60 and not vlan");
	exchange(&t, p, 0, 500, 500);
	filter(p, "less 59");
	exchange(&t, p, 0, 0, 1000);
	pcap_close(p);
	stop(&t);
}

static void dropping(void)
{
	struct helper t;
	pcap_t *p;

	start(&t);
	p = capture("exclusive:vA", PCAP_FAST_REST_DROP);
	give_up();
	filter(p, "udp port 7001");
	exchange(&t, p, 1, 500, 0);
	pcap_fast_get_info(p, &info, sizeof(info));
	CU_ASSERT_EQUAL(info.matched, 500);
	pcap_close(p);
	stop(&t);
}

static void mirroring(void)
{
	struct helper t;
	pcap_t *p;

	start(&t);
	p = capture("mirror:vA", PCAP_FAST_REST_PASS);
	give_up();
	filter(p, "udp port 7001");
	exchange(&t, p, 1, 500, 1000);
	pcap_fast_get_info(p, &info, sizeof(info));
	CU_ASSERT_EQUAL(info.matched, 500);
	filter(p, "udp port 7000");
	exchange(&t, p, 0, 500, 1000);
	pcap_close(p);
	stop(&t);
}

/* Where the host keeps some: what matches both comes by the mirror. */
static void keeping(void)
{
	struct helper t;
	pcap_t *p;

	start(&t);
	setenv("PCAP_FAST_KEEP", "udp port 7000", 1);
	p = capture("exclusive:vA", PCAP_FAST_REST_DROP);
	give_up();
	filter(p, "udp port 7001");
	exchange(&t, p, 1, 500, 500);
	filter(p, "udp port 7000");
	exchange(&t, p, 0, 500, 500);
	pcap_close(p);
	stop(&t);
}

/* Filters in turn under traffic: what was sent to one port while both filters
 * let it through is all there, and none of the other port is. */
static void swapping(void)
{
	uint32_t last = 0;
	unsigned n = 0;
	struct helper t;
	struct pcap_pkthdr *h;
	const u_char *data;
	pcap_t *p;

	start(&t);
	p = capture("exclusive:vA", PCAP_FAST_REST_DROP);
	give_up();
	filter(p, "udp port 7000");
	CU_ASSERT_EQUAL(write(t.to[1], "gggg", 4), 4);
	for (int i = 0, idle = 0; idle < 300; i++) {
		uint32_t number;

		if (i % 8 == 0)
			filter(p, i % 16 ? "udp dst port 7000"
					 : "udp port 7000 and less 100");
		if (pcap_next_ex(p, &h, &data) != 1) {
			usleep(1000);
			idle++;
			continue;
		}
		memcpy(&number, data + 42, 4);
		CU_ASSERT_EQUAL(number % 2, 0);
		CU_ASSERT_TRUE(!n || number == (last + 2) % FRAMES);
		last = number;
		n++;
		idle = 0;
	}
	CU_ASSERT_EQUAL(n, 4 * FRAMES / 2);
	pcap_close(p);
	stop(&t);
}

#define LATE(what)                                                             \
	static void late_##what(void)                                          \
	{                                                                      \
		if (cannot())                                                  \
			return;                                                \
		net_link(1, 1500);                                             \
		in_child(what);                                                \
	}

LATE(passing)
LATE(dropping)
LATE(mirroring)
LATE(keeping)
LATE(swapping)

static CU_TestInfo tests[] = {
	PCF_TEST(late_passing),	  PCF_TEST(late_dropping),
	PCF_TEST(late_mirroring), PCF_TEST(late_keeping),
	PCF_TEST(late_swapping),  CU_TEST_INFO_NULL
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("late filters", tests);
}
