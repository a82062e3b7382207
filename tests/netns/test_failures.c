/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures that are refused, killed or cut off, and what they leave behind, in
 * a namespace of their own. As root. */
#include "tests/netns/capture.h"
#include "tests/netns/child.h"

#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char *started_with_rx;

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

static void hold(void *arg)
{
	(void)arg;
	exclusive();
	child_waits();
}

static void killed(void)
{
	pid_t child;

	if (skip())
		return;
	net_link(1, 1500);
	child = child_start(hold, NULL);
	CU_ASSERT_NOT_EQUAL(net_xdp(), 0);
	child_kill(child);
	CU_ASSERT_EQUAL(net_left_over(), 0);
	CU_ASSERT_EQUAL(net_xdp(), 0);
	CU_ASSERT_EQUAL(
		net_do("ip -d link show vA | grep -q 'promiscuity 0'"), 0);
	pcap_close(exclusive());
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
	child_runs(little_memlock);
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
	child_runs(as_nobody);
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
	child_runs(drops_privileges);
	CU_ASSERT_EQUAL(net_xdp(), 0);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

/* A program attached by link cannot be taken away but by its owner; it is not
 * even tried. */
static void foreign_link(void)
{
	uint32_t id;
	int link;

	if (skip())
		return;
	net_link(1, 1500);
	link = net_link_foreign();
	CU_ASSERT_TRUE_FATAL(link >= 0);
	id = net_xdp();
	refused("exclusive:vA", "stranger");
	refused("mirror:vA", "stranger");
	pcap_close(capture("vA", 1, PCAP_FAST_MODE_SYSTEM));
	CU_ASSERT_PTR_NOT_NULL(strstr(info.reason, "stranger"));
	CU_ASSERT_EQUAL(net_xdp(), id);
	close(link);
	CU_ASSERT_EQUAL(net_xdp(), 0);
}

/* Down is no error: it is waited for, and the capture goes on. */
static void link_goes_and_comes(void)
{
	struct reading r = { .step = 1, .size = size_60 };
	struct pcap_pkthdr *h;
	const u_char *data;
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = exclusive();
	for (int round = 0; round < 3; round++) {
		net_do("ip link set vA down");
		for (int i = 0; i < 10; i++, usleep(1000))
			CU_ASSERT_EQUAL(pcap_next_ex(p, &h, &data), 0);
		net_do("ip link set vA up");
		net_send(r.next, 100, size_60);
		for (int i = 0; i < 100 && r.n < 100u * (round + 1); i++) {
			read_all(p, &r);
			usleep(1000);
		}
	}
	expect(&r, 300);
	pcap_close(p);
}

static void opens_as(const char *device, int set, int mode)
{
	pcap_t *p = create(device, 1);

	if (set >= 0)
		CU_ASSERT_EQUAL(pcap_fast_set_mode(p, set), 0);
	CU_ASSERT_EQUAL(pcap_activate(p), 0);
	CU_ASSERT_EQUAL(pcap_fast_get_info(p, &info, sizeof(info)), 0);
	CU_ASSERT_EQUAL(info.mode, mode);
	pcap_close(p);
}

/* The call, else the prefix, else the environment. */
static void who_decides_the_mode(void)
{
	if (skip())
		return;
	net_link(1, 1500);
	setenv("PCAP_FAST_MODE", "mirror", 1);
	opens_as("vA", -1, PCAP_FAST_MODE_MIRROR);
	opens_as("exclusive:vA", -1, PCAP_FAST_MODE_EXCLUSIVE);
	opens_as("exclusive:vA", PCAP_FAST_MODE_SYSTEM,
		 PCAP_FAST_MODE_SYSTEM);
	opens_as("vA", PCAP_FAST_MODE_AUTO, PCAP_FAST_MODE_EXCLUSIVE);
	unsetenv("PCAP_FAST_MODE");
	opens_as("vA", -1, PCAP_FAST_MODE_EXCLUSIVE);
}

static void not_created(const char *device)
{
	*errbuf = '\0';
	CU_ASSERT_PTR_NULL(pcap_create(device, errbuf));
	CU_ASSERT_NOT_EQUAL(*errbuf, '\0');
}

static void fails(const char *device, int code)
{
	pcap_t *p = create(device, 1);

	CU_ASSERT_EQUAL(pcap_activate(p), code);
	pcap_close(p);
}

/* Whatever goes wrong, the program's output is its own. */
static void fail_in_all_ways(void)
{
	FILE *output = tmpfile();
	int link;

	if (!output || dup2(fileno(output), 1) < 0 ||
	    dup2(fileno(output), 2) < 0)
		_exit(2);
	not_created("exclusive:");
	not_created("exclusive:vA@");
	fails("exclusive:none", PCAP_ERROR_NO_SUCH_DEVICE);
	fails("a-name-that-is-longer-than-any", PCAP_ERROR_NO_SUCH_DEVICE);
	refused("exclusive:vA@3", "queue");
	net_do("ip link set vA down");
	fails("exclusive:vA", PCAP_ERROR_IFACE_NOT_UP);
	net_do("ip link set vA up");
	link = net_link_foreign();
	refused("exclusive:vA", "stranger");
	refused("mirror:vA", "stranger");
	close(link);
	little_memlock();
	fflush(NULL);
	if (fseek(output, 0, SEEK_END) || ftell(output))
		_exit(3);
}

static void prints_nothing(void)
{
	if (skip())
		return;
	net_link(1, 1500);
	unsetenv("PCAP_FAST_LOG");
	child_runs(fail_in_all_ways);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

static CU_TestInfo tests[] = {
	PCF_TEST(some_killed),
	PCF_TEST(system_where_used),
	PCF_TEST(cycles),
	PCF_TEST(killed),
	PCF_TEST(gone),
	PCF_TEST(queue_not_there),
	PCF_TEST(queue_taken),
	PCF_TEST(foreign_program),
	PCF_TEST(second_exclusive),
	PCF_TEST(required_zerocopy),
	PCF_TEST(memlock),
	PCF_TEST(no_permission),
	PCF_TEST(dropped_privileges),
	PCF_TEST(foreign_link),
	PCF_TEST(link_goes_and_comes),
	PCF_TEST(who_decides_the_mode),
	PCF_TEST(prints_nothing),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	const char *rx = getenv("PCAP_FAST_RX");

	started_with_rx = rx ? strdup(rx) : NULL;
	have_net = net_enter();
	return pcf_run_tests("failures", tests);
}
