/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Somebody is logged in by ssh, that is, has a TCP connection to port 22 over
 * the interface that is captured on: whatever captures do there, the connection
 * goes on. As root, between two namespaces.
 */
#include "tests/netns/common.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SSH	   22
#define HOST	   "10.9.9.1"
#define PEER	   "10.9.9.2"
#define ROUNDS	   5
#define SWAPS	   20
#define LONGEST_MS 3000

/* What the client sees, in shared memory. */
static struct login {
	atomic_uint answers, longest_ms;
	atomic_bool ready, stop, broken;
} * login;

/* --- the connection ------------------------------------------------------ */

static struct sockaddr_in address(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(SSH) };

	inet_pton(AF_INET, HOST, &a.sin_addr);
	return a;
}

/* The host's end: a child that answers with what it was sent. */
static pid_t serve(void)
{
	struct sockaddr_in a = address();
	int one = 1, s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), c;
	char text[64];
	ssize_t n;
	pid_t child;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)) || listen(s, 1))
		abort();
	child = fork();
	if (child) {
		close(s);
		return child;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	c = accept(s, NULL, NULL);
	while (c >= 0 && (n = read(c, text, sizeof(text))) > 0)
		if (write(c, text, n) != n)
			break;
	_exit(0);
}

static unsigned now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool ask(int fd)
{
	const unsigned start = now_ms();
	char text[64] = "line";
	unsigned took;

	if (write(fd, text, sizeof(text)) != sizeof(text) ||
	    recv(fd, text, sizeof(text), MSG_WAITALL) != sizeof(text))
		return false;
	took = now_ms() - start;
	if (took > login->longest_ms)
		login->longest_ms = took;
	login->answers++;
	return true;
}

static void talk(void)
{
	const struct timeval patience = { 20, 0 };
	const struct sockaddr_in a = address();
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)))
		login->broken = true;
	while (!login->stop && !login->broken) {
		login->broken = !ask(fd);
		usleep(2000);
	}
	_exit(0);
}

/* The other end, in a namespace of its own: it waits for vB to come. */
static pid_t log_in(void)
{
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET))
			_exit(1);
		login->ready = true;
		while (net_do("ip addr add " PEER "/24 dev vB 2>/dev/null"))
			usleep(10000);
		net_do("ip link set vB up");
		talk();
	}
	for (int i = 0; i < 500 && !login->ready; i++)
		usleep(10000);
	CU_ASSERT_EQUAL_FATAL(net_do("ip addr add " HOST "/24 dev vA"), 0);
	CU_ASSERT_EQUAL_FATAL(net_do("ip link set vB netns %d", child), 0);
	return child;
}

/* --- captures meanwhile -------------------------------------------------- */

static void see(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	unsigned *ssh = (unsigned *)user;

	(void)h;
	*ssh += data[36] == 0 && data[37] == SSH;
}

static void read_some(pcap_t *p, unsigned *ssh)
{
	for (int i = 0; i < 10; i++) {
		pcap_dispatch(p, -1, see, (u_char *)ssh);
		usleep(1000);
	}
}

/* In the driver, in user space (it jumps backwards), on a packet socket. */
static void swap(pcap_t *p, unsigned i)
{
	static const char *const text[] = { "udp", "tcp port 22",
					    "ip protochain 6", "" };
	struct sock_filter headers[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 SKF_AD_OFF + SKF_AD_PAY_OFFSET),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct bpf_program on_socket = { 2, (struct bpf_insn *)headers };
	struct bpf_program program;

	if (i % 5 == 4) {
		CU_ASSERT_EQUAL(pcap_setfilter(p, &on_socket), 0);
		return;
	}
	CU_ASSERT_EQUAL_FATAL(pcap_compile(p, &program, text[i % 5], 1, 0), 0);
	CU_ASSERT_EQUAL(pcap_setfilter(p, &program), 0);
	pcap_freecode(&program);
}

/* The filter of swap() matches what comes from the client: but for the keep
 * filter the host would get no more of it. One answer may be under way. */
static bool takes_ssh(unsigned i)
{
	return i % 5 == 1 || i % 5 == 3;
}

static void capture(const char *device, const char *keep, int rest)
{
	pcap_t *p = fresh(device);
	bool went_on = false;
	unsigned ssh = 0;

	pcap_fast_set_rest(p, rest);
	if (keep)
		CU_ASSERT_EQUAL(pcap_fast_set_keep(p, keep), 0);
	go_live(p);
	pcap_setnonblock(p, 1, errbuf);
	read_some(p, &ssh);
	for (unsigned i = 0; i < SWAPS; i++) {
		unsigned before;

		swap(p, i);
		before = login->answers;
		read_some(p, &ssh);
		went_on |= takes_ssh(i) && login->answers > before + 1;
	}
	CU_ASSERT_TRUE(ssh > 0);
	CU_ASSERT_TRUE(went_on);
	pcap_close(p);
}

static void logged_in(const char *device, const char *keep, int rest)
{
	pid_t server, client;

	net_link(1, 1500);
	memset(login, 0, sizeof(*login));
	client = log_in();
	server = serve();
	for (int i = 0; i < 1000 && !login->answers; i++)
		usleep(10000);
	CU_ASSERT_TRUE(login->answers > 0);
	for (int i = 0; i < ROUNDS; i++) {
		unsigned before = login->answers;

		capture(device, keep, rest);
		CU_ASSERT_TRUE(login->answers > before);
	}
	login->stop = true;
	waitpid(client, NULL, 0);
	waitpid(server, NULL, 0);
	CU_ASSERT_FALSE(login->broken);
	CU_ASSERT_TRUE(login->longest_ms < LONGEST_MS);
	printf("    %s: %u answers, the longest after %u ms\n", device,
	       login->answers, login->longest_ms);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

/* What is kept by default on an interface with an address, ssh among it. */
static void exclusive(void)
{
	if (!skip())
		logged_in("exclusive:vA", NULL, PCAP_FAST_REST_PASS);
}

static void exclusive_dropping(void)
{
	if (!skip())
		logged_in("exclusive:vA", "arp or tcp port 22",
			  PCAP_FAST_REST_DROP);
}

static void mirror(void)
{
	if (!skip())
		logged_in("mirror:vA", NULL, PCAP_FAST_REST_PASS);
}

static CU_TestInfo tests[] = { PCF_TEST(exclusive),
			       PCF_TEST(exclusive_dropping), PCF_TEST(mirror),
			       CU_TEST_INFO_NULL };

int main(void)
{
	have_net = net_enter();
	login = mmap(NULL, sizeof(*login), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (login == MAP_FAILED)
		return 99;
	return pcf_run_tests("way in", tests);
}
