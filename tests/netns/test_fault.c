/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every allocation and every system call of a capture's life made to fail in
 * turn, as root, in namespaces. Whichever it is: no crash and no hang; the
 * call succeeds, with the right packets, or returns libpcap's error code and a
 * text; and afterwards nothing is left, so that the next capture works.
 *
 * Each scenario has one process for each kind of failure, all at once, since
 * most of their time is the kernel's.
 */
#include "backend/facts.h"
#include "compat/stock.h"
#include "tests/netns/fault.h"
#include "tests/netns/net.h"
#include "tests/netns/scenarios.h"
#include "tests/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A run that takes so many seconds hangs. */
#define HANG 60

static bool have_net;

/* Asking about the interface is the same in all of them, and is made to fail
 * in the first. */
static bool facts_fail;

int __real_pcf_facts_gather(const char *ifname, const uint64_t *wanted,
			    struct pcf_facts *facts);
int __wrap_pcf_facts_gather(const char *ifname, const uint64_t *wanted,
			    struct pcf_facts *facts);

int __wrap_pcf_facts_gather(const char *ifname, const uint64_t *wanted,
			    struct pcf_facts *facts)
{
	bool was = fault_pause(true);
	int err;

	fault_pause(was || !facts_fail);
	err = __real_pcf_facts_gather(ifname, wanted, facts);
	fault_pause(was);
	return err;
}

/* --- one process: a scenario, failures of one kind ----------------------- */

/* Where the process is; read by its parent, also after its death. */
struct place {
	unsigned i, bad;
	bool finished;
};

static struct place *places; /* [scenario][kind] */

struct belongings {
	unsigned fds, mappings, promiscuity;
	uint32_t xdp;
	long blocks;
};

static struct belongings take_stock(void)
{
	return (struct belongings){ net_open_fds(), net_mappings(),
				    net_promiscuity(), net_xdp(),
				    fault_live() };
}

static complaint compare(struct belongings a, struct belongings b)
{
	return b.fds != a.fds			? "descriptors left open"
	       : b.mappings != a.mappings	? "memory left mapped"
	       : b.promiscuity != a.promiscuity ? "left promiscuous"
	       : b.xdp != a.xdp			? "XDP program left"
	       : b.blocks > a.blocks		? "memory not freed"
						: NULL;
}

/* One run, its i-th call failed (0: none). Whether that call came at all. */
static bool one_run(const struct scenario *s, enum fault_kind kind, unsigned i,
		    complaint *why)
{
	struct belongings before = take_stock();
	bool struck;

	alarm(HANG);
	fault_arm(kind, i);
	*why = s->run();
	struck = fault_disarm();
	alarm(0);
	if (!*why)
		*why = compare(before, take_stock());
	return struck;
}

static void set_up(const struct scenario *s)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	setenv("PCAP_FAST_TIMEOUT", "honest", 1);
	setenv("PCAP_FAST_RX", s->rx, 1);
	setenv("PCAP_FAST_ZEROCOPY", s->zerocopy, 1);
	setenv("PCAP_FAST_RX_HASH", s->hash, 1);
	if (!net_enter())
		abort();
	net_link(s->queues, 1500);
	if (net_do("ip link add vC type veth peer name vD && ip link set vC up && ip link set vD up"))
		abort();
}

static void process(const struct scenario *s, enum fault_kind kind,
		    struct place *at)
{
	complaint why;
	bool struck;

	set_up(s);
	facts_fail = s == scenarios;
	/* what the libraries find out once is found out here */
	one_run(s, kind, 0, &why);
	one_run(s, kind, 0, &why);
	if (why) {
		printf("    %s, nothing failed: %s\n", s->name, why);
		_exit(1);
	}
	do {
		struck = one_run(s, kind, ++at->i, &why);
		if (why) {
			at->bad++;
			printf("    %s, call %u (%s): %s\n", s->name, at->i,
			       fault_struck(), why);
		}
	} while (struck);
	at->finished = true;
	_exit(0);
}

/* --- all of them --------------------------------------------------------- */

static pid_t children[SCENARIOS][FAULT_KINDS];

static bool may_enter(void)
{
	int status;
	pid_t child = fork();

	if (!child)
		_exit(!net_enter());
	waitpid(child, &status, 0);
	return !status;
}

static pid_t start(unsigned scenario, unsigned kind)
{
	struct place *at = &places[scenario * FAULT_KINDS + kind];
	pid_t child = fork();

	if (!child)
		process(&scenarios[scenario], kind, at);
	return child;
}

static void start_all(void)
{
	places =
		mmap(NULL, SCENARIOS * FAULT_KINDS * sizeof(*places),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (places == MAP_FAILED)
		abort();
	for (unsigned s = 0; s < SCENARIOS; s++)
		for (unsigned k = 0; k < FAULT_KINDS; k++)
			if (scenarios[s].kinds & 1u << k)
				children[s][k] = start(s, k);
}

/* A process that died has told what is wrong with the library; the calls after
 * that one are tried by another. */
static void wait_for(unsigned s, unsigned k)
{
	struct place *at = &places[s * FAULT_KINDS + k];
	int status;

	for (;;) {
		waitpid(children[s][k], &status, 0);
		if (!WIFSIGNALED(status))
			break;
		printf("    %s, kind %u, call %u: %s\n", scenarios[s].name, k,
		       at->i,
		       WTERMSIG(status) == SIGALRM ? "hangs" : "crashes");
		at->bad++;
		children[s][k] = start(s, k);
	}
	printf("\n    kind %u: %u calls", k, at->i - 1);
	CU_ASSERT_TRUE(at->finished);
	CU_ASSERT_EQUAL(at->bad, 0);
}

static void run_scenario(unsigned s)
{
	if (!have_net) {
		pcf_skip("needs root and network namespaces");
		return;
	}
	for (unsigned k = 0; k < FAULT_KINDS; k++)
		if (children[s][k])
			wait_for(s, k);
}

#define SCENARIO_TEST(i, name)                                                 \
	static void name(void)                                                 \
	{                                                                      \
		run_scenario(i);                                               \
	}

SCENARIO_TEST(0, exclusive_capture)
SCENARIO_TEST(1, by_direct_ring)
SCENARIO_TEST(2, automatic_choice)
SCENARIO_TEST(3, mirror_capture)
SCENARIO_TEST(4, keep_filter)
SCENARIO_TEST(5, second_handle)
SCENARIO_TEST(6, four_queues)
SCENARIO_TEST(7, sending_by_rings)
SCENARIO_TEST(8, sending_by_packet_socket)
SCENARIO_TEST(9, shared_forwarding)
SCENARIO_TEST(10, alone_there)

static void nothing_left(void)
{
	if (!have_net)
		pcf_skip("needs root and network namespaces");
	else
		CU_ASSERT_EQUAL(net_left_over(), 0);
}

static CU_TestInfo tests[] = {
	PCF_TEST(exclusive_capture),
	PCF_TEST(by_direct_ring),
	PCF_TEST(automatic_choice),
	PCF_TEST(mirror_capture),
	PCF_TEST(keep_filter),
	PCF_TEST(second_handle),
	PCF_TEST(four_queues),
	PCF_TEST(sending_by_rings),
	PCF_TEST(sending_by_packet_socket),
	PCF_TEST(shared_forwarding),
	PCF_TEST(alone_there),
	PCF_TEST(nothing_left),
	CU_TEST_INFO_NULL,
};

/* Without memory, libpcap's compiler crashes (1.10.3). */
static __typeof__(&pcap_compile) stock_compile;

static int compile(pcap_t *p, struct bpf_program *prog, const char *text,
		   int optimize, bpf_u_int32 netmask)
{
	bool was = fault_pause(true);
	int rc = stock_compile(p, prog, text, optimize, netmask);

	fault_pause(was);
	return rc;
}

int main(void)
{
	stock_compile = pcf_stock()->pcap_compile;
	pcf_stock_table.pcap_compile = compile;
	have_net = may_enter();
	if (have_net)
		start_all();
	return pcf_run_tests("fault", tests);
}
