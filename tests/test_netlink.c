/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Questions about interfaces, asked in a network namespace of this process's
 * own (root; it goes away with the process), set up by ip and ethtool; and
 * the reading of answers that are cut short or lie about their lengths.
 */
#include "compat/netlink.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/facts.h"
#include "compat/features.h"
#include "compat/kernel.h"
#include "compat/nl.h"
#include "compat/packet_sockets.h"
#include "tests/unit.h"

static bool in_namespace;

__attribute__((format(printf, 1, 2))) static bool run(const char *format, ...)
{
	va_list arguments;
	char command[256];

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	return !system(command);
}

/* A fresh pair v0 (4 queues), v1 for each test that asks about one. */
static bool set_up(void)
{
	if (!in_namespace) {
		pcf_skip("needs root and network namespaces");
		return false;
	}
	run("ip link del v0 2>/dev/null");
	CU_ASSERT_TRUE_FATAL(run("ip link add v0 address 02:00:00:00:00:0a "
				 "numrxqueues 4 numtxqueues 4 "
				 "type veth peer name v1"));
	CU_ASSERT_TRUE_FATAL(run("ip link set v0 up && ip link set v1 up"));
	return true;
}

static int v0(void)
{
	return (int)if_nametoindex("v0");
}

static void no_such_link(void)
{
	struct pcf_link link;

	CU_ASSERT_EQUAL(pcf_link_get("", &link), -ENODEV);
	CU_ASSERT_EQUAL(pcf_link_get("no-such-link0", &link), -ENODEV);
	CU_ASSERT_EQUAL(pcf_link_get("sixteen-letters!", &link), -ENODEV);
	CU_ASSERT_EQUAL(link.ifindex, 0);
}

static void veth_link(void)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 10 };
	struct pcf_link link;

	if (!set_up())
		return;
	CU_ASSERT_EQUAL(pcf_link_get("v0", &link), 0);
	CU_ASSERT_EQUAL(link.ifindex, v0());
	CU_ASSERT_STRING_EQUAL(link.name, "v0");
	CU_ASSERT_STRING_EQUAL(link.kind, "veth");
	CU_ASSERT_EQUAL(link.type, ARPHRD_ETHER);
	CU_ASSERT_EQUAL(memcmp(link.mac, mac, 6), 0);
	CU_ASSERT_EQUAL(link.mtu, 1500);
	CU_ASSERT_TRUE(link.flags & IFF_UP);
	CU_ASSERT_EQUAL(link.master, 0);
	CU_ASSERT_EQUAL(link.xdp_prog_id, 0);
	CU_ASSERT_FALSE(link.wireless);
	run("ip link set v0 down mtu 9000");
	CU_ASSERT_EQUAL(pcf_link_get("v0", &link), 0);
	CU_ASSERT_FALSE(link.flags & IFF_UP);
	CU_ASSERT_EQUAL(link.mtu, 9000);
}

static void queues_in_use(void)
{
	struct pcf_link link;

	if (!set_up())
		return;
	CU_ASSERT_EQUAL(pcf_link_get("v0", &link), 0);
	CU_ASSERT_EQUAL(link.rx_queues, 4);
	CU_ASSERT_TRUE(run("ethtool -L v0 rx 2 tx 2"));
	CU_ASSERT_EQUAL(pcf_link_get("v0", &link), 0);
	CU_ASSERT_EQUAL(link.rx_queues, 2);
	CU_ASSERT_TRUE(run("ip link set v0 down"));
	CU_ASSERT_EQUAL(pcf_link_get("v0", &link), 0);
	CU_ASSERT_EQUAL(link.rx_queues, 2);
	CU_ASSERT_EQUAL(pcf_link_get("lo", &link), 0);
	CU_ASSERT_EQUAL(link.rx_queues, 1);
}

static unsigned addresses(void)
{
	unsigned count = 99;

	CU_ASSERT_EQUAL(pcf_link_addresses(v0(), &count), 0);
	return count;
}

static void global_addresses(void)
{
	if (!set_up())
		return;
	CU_ASSERT_EQUAL(addresses(), 0);
	CU_ASSERT_TRUE(run("ip addr add 192.0.2.1/24 dev v1"));
	CU_ASSERT_TRUE(run("ip addr add 169.254.9.1/16 scope link dev v0"));
	CU_ASSERT_EQUAL(addresses(), 0);
	CU_ASSERT_TRUE(run("ip addr add 192.0.2.2/24 scope link dev v0"));
	CU_ASSERT_EQUAL(addresses(), 1);
	CU_ASSERT_TRUE(run("ip addr add 198.51.100.3/24 dev v0"));
	CU_ASSERT_EQUAL(addresses(), 2);
	if (!run("echo 0 >/proc/sys/net/ipv6/conf/v0/disable_ipv6"))
		return; /* a kernel without IPv6 */
	CU_ASSERT_TRUE(run("ip addr add fe80::9/64 dev v0"));
	CU_ASSERT_EQUAL(addresses(), 2);
	CU_ASSERT_TRUE(run("ip addr add 2001:db8::9/64 dev v0"));
	CU_ASSERT_EQUAL(addresses(), 3);
}

static void stacked(void)
{
	char name[IFNAMSIZ] = "x";
	struct pcf_link link;

	if (!set_up())
		return;
	CU_ASSERT_EQUAL(pcf_link_upper(v0(), name), 0);
	CU_ASSERT_STRING_EQUAL(name, "");
	if (run("ip link add mv0 link v0 type macvlan")) {
		CU_ASSERT_EQUAL(pcf_link_upper(v0(), name), 0);
		CU_ASSERT_STRING_EQUAL(name, "mv0");
		CU_ASSERT_TRUE(run("ip link del mv0"));
	}
	if (run("ip link add br0 type bridge && ip link set v0 master br0")) {
		CU_ASSERT_EQUAL(pcf_link_get("v0", &link), 0);
		CU_ASSERT_EQUAL(link.master, (int)if_nametoindex("br0"));
		run("ip link del br0");
	}
}

/* A child in one more namespace, until it is killed; its pid. */
static pid_t other_namespace(void)
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		alarm(30);
		if (!unshare(CLONE_NEWNET) && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		pid = -1;
	close(ready[0]);
	return pid;
}

static void stacked_in_a_container(void)
{
	char name[IFNAMSIZ] = "x";
	pid_t pid;

	if (!set_up())
		return;
	if (!run("ip link add mv0 link v0 type macvlan 2>/dev/null")) {
		pcf_skip("this kernel has no macvlan");
		return;
	}
	pid = other_namespace();
	CU_ASSERT_TRUE_FATAL(pid > 0);
	CU_ASSERT_TRUE(run("ip link set mv0 netns %d", (int)pid));
	CU_ASSERT_TRUE(run("nsenter -t %d -n ip link set mv0 up", (int)pid));
	CU_ASSERT_EQUAL(pcf_link_upper(v0(), name), 0);
	CU_ASSERT_STRING_EQUAL(name, "?");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int listen_on(int ifindex, int protocol)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_protocol = htons(protocol),
				       .sll_ifindex = ifindex };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		CU_FAIL("bind");
	return fd;
}

static char owner[64];

static unsigned sockets(void)
{
	unsigned count = 99;

	CU_ASSERT_EQUAL(
		pcf_link_packet_sockets(v0(), &count, owner, sizeof(owner)), 0);
	return count;
}

static void packet_sockets(void)
{
	struct pcf_packet_sockets proc = { 0 };
	int own, everywhere, other, deaf;

	if (!set_up())
		return;
	proc.ifindex = v0();
	CU_ASSERT_EQUAL(sockets(), 0);
	CU_ASSERT_STRING_EQUAL(owner, "");
	everywhere = listen_on(0, ETH_P_ALL);
	other = listen_on((int)if_nametoindex("v1"), ETH_P_ALL);
	deaf = listen_on(v0(), 0);
	CU_ASSERT_EQUAL(sockets(), 0);
	own = listen_on(v0(), ETH_P_ARP);
	CU_ASSERT_EQUAL(sockets(), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(owner, "(pid "));
	CU_ASSERT_EQUAL(atoi(strstr(owner, "(pid ") + 5), getpid());
	CU_ASSERT_EQUAL(pcf_packet_sockets_proc(&proc), 0);
	CU_ASSERT_EQUAL(proc.count, 2); /* with the one for all */
	close(own);
	close(deaf);
	close(other);
	close(everywhere);
}

/* A child that listens on all interfaces. */
static pid_t listener(void)
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		alarm(30);
		listen_on(0, ETH_P_ALL);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		pid = -1;
	close(ready[0]);
	return pid;
}

static void packet_sockets_of_others(void)
{
	struct pcf_packet_sockets diag = { 0 }, proc = { 0 };
	pid_t pid;

	if (!set_up())
		return;
	pid = listener();
	CU_ASSERT_TRUE_FATAL(pid > 0);
	CU_ASSERT_EQUAL(sockets(), 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(strstr(owner, "(pid "));
	CU_ASSERT_EQUAL(atoi(strstr(owner, "(pid ") + 5), pid);
	diag.ifindex = proc.ifindex = v0();
	CU_ASSERT_EQUAL(pcf_packet_sockets_proc(&proc), 0);
	CU_ASSERT_EQUAL(proc.count, 1);
	CU_ASSERT_TRUE(proc.everywhere[0]);
	if (!pcf_packet_sockets_diag(&diag))
		CU_ASSERT_EQUAL(memcmp(&diag, &proc, sizeof(diag)), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CU_ASSERT_EQUAL(sockets(), 0);
}

static void driver_and_features(void)
{
	char driver[32];
	uint64_t features;
	uint32_t segs;
	bool on;

	if (!set_up())
		return;
	CU_ASSERT_EQUAL(pcf_link_driver("v0", driver, sizeof(driver)), 0);
	CU_ASSERT_STRING_EQUAL(driver, "veth");
	CU_ASSERT_EQUAL(pcf_link_driver("v0", driver, 3), 0);
	CU_ASSERT_STRING_EQUAL(driver, "ve");
	CU_ASSERT_EQUAL(pcf_link_driver("lo", driver, sizeof(driver)), 0);
	CU_ASSERT_STRING_EQUAL(driver, "");
	CU_ASSERT_EQUAL(pcf_link_rx_vlan_offload("v0", &on), 0);
	CU_ASSERT_TRUE(on);
	CU_ASSERT_TRUE(
		run("ethtool -K v0 rxvlan off rx-vlan-stag-hw-parse off"));
	CU_ASSERT_EQUAL(pcf_link_rx_vlan_offload("v0", &on), 0);
	CU_ASSERT_FALSE(on);
	CU_ASSERT_TRUE(run("ethtool -K v0 rx-vlan-stag-hw-parse on"));
	CU_ASSERT_EQUAL(pcf_link_rx_vlan_offload("v0", &on), 0);
	CU_ASSERT_TRUE(on);
	CU_ASSERT_EQUAL(pcf_link_rx_hash_off("v0", &on), 0);
	CU_ASSERT_FALSE(on); /* and cannot be on */
	CU_ASSERT_TRUE(pcf_link_rx_hash_off("no-such", &on) < 0);
	if (pcf_link_xdp_features(v0(), &features, &segs) == -EOPNOTSUPP)
		return; /* before Linux 6.3 */
	CU_ASSERT_EQUAL(pcf_link_xdp_features(v0(), &features, &segs), 0);
	CU_ASSERT_TRUE(features & PCF_XDP_ACT_BASIC);
	CU_ASSERT_TRUE(features & PCF_XDP_ACT_REDIRECT);
	CU_ASSERT_FALSE(features & PCF_XDP_ACT_XSK_ZEROCOPY);
	CU_ASSERT_EQUAL(pcf_link_xdp_features(1, &features, &segs), 0);
	CU_ASSERT_EQUAL(features, 0);
	CU_ASSERT_TRUE(pcf_link_xdp_features(9999, &features, &segs) < 0);
	CU_ASSERT_EQUAL(pcf_link_rx_metadata(v0(), &features), 0);
	if (features) /* since Linux 6.8 */
		CU_ASSERT_EQUAL(features & (PCF_XDP_RX_TIMESTAMP |
					    PCF_XDP_RX_HASH),
				PCF_XDP_RX_TIMESTAMP | PCF_XDP_RX_HASH);
	CU_ASSERT_EQUAL(pcf_link_rx_metadata(1, &features), 0);
	CU_ASSERT_EQUAL(features, 0);
	CU_ASSERT_TRUE(pcf_link_rx_metadata(9999, &features) < 0);
}

static int pass_program(void)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_XDP,
				.insn_cnt = 2,
				.insns = (uintptr_t)pass,
				.license = (uintptr_t) "GPL" };

	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static int attach(unsigned flags)
{
	union bpf_attr attr = { .link_create = { .prog_fd = pass_program(),
						 .target_ifindex = v0(),
						 .attach_type = BPF_XDP,
						 .flags = flags } };
	int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	close(attr.link_create.prog_fd);
	return fd;
}

static void attached(unsigned flags, bool generic)
{
	int fd = attach(flags);
	struct pcf_facts facts;
	struct pcf_link link;

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(pcf_link_get("v0", &link), 0);
	CU_ASSERT_TRUE(link.xdp_prog_id > 0);
	CU_ASSERT_EQUAL(link.xdp_generic, generic);
	CU_ASSERT_EQUAL(pcf_facts_gather("v0", NULL, &facts), 0);
	CU_ASSERT_FALSE(facts.ours);
	CU_ASSERT_PTR_NOT_NULL(strstr(facts.foreign_xdp, "(id "));
	close(fd);
	CU_ASSERT_EQUAL(pcf_link_get("v0", &link), 0);
	CU_ASSERT_EQUAL(link.xdp_prog_id, 0);
}

static void attached_programs(void)
{
	if (!set_up())
		return;
	if (pcf_feature(PCF_FEATURE_LINK) != 1) {
		pcf_skip("this kernel has no bpf_link");
		return;
	}
	attached(XDP_FLAGS_DRV_MODE, false);
	attached(XDP_FLAGS_SKB_MODE, true);
}

static unsigned open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void facts_of_a_link(void)
{
	struct pcf_facts facts;
	unsigned before;

	if (!set_up())
		return;
	before = open_descriptors();
	CU_ASSERT_EQUAL(pcf_facts_gather("v0", NULL, &facts), 0);
	CU_ASSERT_EQUAL(open_descriptors(), before);
	CU_ASSERT_TRUE(facts.exists);
	CU_ASSERT_STRING_EQUAL(facts.driver, "veth");
	CU_ASSERT_EQUAL(facts.addresses, 0);
	CU_ASSERT_STRING_EQUAL(facts.upper, "");
	CU_ASSERT_FALSE(facts.pppoe);
	CU_ASSERT_EQUAL(facts.packet_sockets, 0);
	CU_ASSERT_STRING_EQUAL(facts.foreign_xdp, "");
	CU_ASSERT_TRUE(facts.cap_net_admin && facts.cap_net_raw);
	CU_ASSERT_EQUAL(pcf_facts_gather("no-such-link0", NULL, &facts), 0);
	CU_ASSERT_FALSE(facts.exists);
	CU_ASSERT_EQUAL(open_descriptors(), before);
}

/* Without privileges the facts are still told, none is held, and a program
 * that may not be looked at is taken for a foreign one. */
static void facts_of_nobody(void)
{
	int status, fd;
	pid_t pid;

	if (!set_up())
		return;
	fd = attach(XDP_FLAGS_SKB_MODE);
	pid = fork();
	if (!pid) {
		struct pcf_facts facts;
		bool good;

		alarm(30);
		good = !setuid(65534) && !pcf_facts_gather("v0", NULL, &facts) &&
		       facts.exists && !strcmp(facts.driver, "veth") &&
		       !facts.cap_bpf && !facts.cap_net_admin &&
		       !facts.cap_net_raw && !facts.cap_sys_admin &&
		       !*facts.missing && !facts.ours &&
		       !!strstr(facts.foreign_xdp, "(id ") == (fd >= 0);
		_exit(good ? 0 : 1);
	}
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_EQUAL(status, 0);
	if (fd >= 0)
		close(fd);
}

static void features(void)
{
	char text[96];

	if (!set_up())
		return;
	CU_ASSERT_EQUAL(pcf_features_missing(text, sizeof(text)), 0);
	CU_ASSERT_EQUAL(!*text, pcf_feature(PCF_FEATURE_AF_XDP) == 1 &&
					pcf_feature(PCF_FEATURE_BPF) == 1 &&
					pcf_feature(PCF_FEATURE_LINK) == 1 &&
					pcf_feature(PCF_FEATURE_TAI) == 1);
}

static void features_forced_off(void)
{
#ifdef PCF_TESTING
	char text[96];

	setenv("PCF_TEST_MISSING", "taiko,af_xdp", 1);
	CU_ASSERT_EQUAL(pcf_feature(PCF_FEATURE_AF_XDP), 0);
	CU_ASSERT_NOT_EQUAL(pcf_feature(PCF_FEATURE_TAI), 0);
	pcf_features_missing(text, sizeof(text));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "AF_XDP"));
	unsetenv("PCF_TEST_MISSING");
	CU_ASSERT_NOT_EQUAL(pcf_feature(PCF_FEATURE_AF_XDP), 0);
#else
	pcf_skip("built without PCF_TESTING");
#endif
}

/* Answers, as another kernel or a liar might give them. */

#define FIXED sizeof(struct ifinfomsg)

static struct nlmsghdr *answer(union pcf_nl_request *room)
{
	pcf_nl_begin(room, RTM_NEWLINK, 0, FIXED);
	return &room->nlh;
}

static void short_answers(void)
{
	union pcf_nl_request room;
	struct nlmsghdr *nlh = answer(&room);

	CU_ASSERT_PTR_NOT_NULL(pcf_nl_fixed(nlh, RTM_NEWLINK, FIXED));
	CU_ASSERT_PTR_NULL(pcf_nl_fixed(nlh, RTM_NEWADDR, FIXED));
	CU_ASSERT_PTR_NULL(pcf_nl_attr(nlh, FIXED, IFLA_IFNAME));
	nlh->nlmsg_len--;
	CU_ASSERT_PTR_NULL(pcf_nl_fixed(nlh, RTM_NEWLINK, FIXED));
	CU_ASSERT_PTR_NULL(pcf_nl_attr(nlh, FIXED, IFLA_IFNAME));
	nlh->nlmsg_len = NLMSG_HDRLEN;
	CU_ASSERT_PTR_NULL(pcf_nl_attr(nlh, FIXED, IFLA_IFNAME));
}

static void lying_lengths(void)
{
	union pcf_nl_request room;
	struct nlmsghdr *nlh = answer(&room);
	struct nlattr *attr = mnl_nlmsg_get_payload_tail(nlh);

	mnl_attr_put_strz(nlh, IFLA_IFNAME, "v0");
	CU_ASSERT_PTR_EQUAL(pcf_nl_attr(nlh, FIXED, IFLA_IFNAME), attr);
	CU_ASSERT_PTR_NULL(pcf_nl_attr(nlh, FIXED, IFLA_MTU));
	for (unsigned length = 0; length < 65536; length++) {
		bool whole = length >= NLA_HDRLEN && length <= 8;

		attr->nla_len = length;
		CU_ASSERT_EQUAL(!!pcf_nl_attr(nlh, FIXED, IFLA_IFNAME), whole);
		if (whole)
			CU_ASSERT_PTR_NULL(pcf_nl_nested(attr, 0x7fff));
	}
}

static void values(void)
{
	union pcf_nl_request room;
	struct nlmsghdr *nlh = answer(&room);
	char text[6] = "xxxxx";

	pcf_nl_string(NULL, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "");
	CU_ASSERT_EQUAL(pcf_nl_uint(NULL), 0);
	CU_ASSERT_PTR_NULL(pcf_nl_nested(NULL, 1));
	mnl_attr_put(nlh, 1, 3, "abc"); /* no zero at the end, no number */
	mnl_attr_put(nlh, 2, 6, "abcdef");
	mnl_attr_put(nlh, 3, 0, NULL);
	mnl_attr_put_u64(nlh, 4, UINT64_MAX - 1);
	mnl_attr_put_u8(nlh, 5, 200);
	pcf_nl_string(pcf_nl_attr(nlh, FIXED, 1), text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "abc");
	CU_ASSERT_EQUAL(pcf_nl_uint(pcf_nl_attr(nlh, FIXED, 1)), 0);
	pcf_nl_string(pcf_nl_attr(nlh, FIXED, 2), text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "abcde");
	pcf_nl_string(pcf_nl_attr(nlh, FIXED, 3), text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "");
	CU_ASSERT_EQUAL(pcf_nl_uint(pcf_nl_attr(nlh, FIXED, 4)),
			UINT64_MAX - 1);
	CU_ASSERT_EQUAL(pcf_nl_uint(pcf_nl_attr(nlh, FIXED, 5)), 200);
}

static CU_TestInfo tests[] = { PCF_TEST(no_such_link),
			       PCF_TEST(veth_link),
			       PCF_TEST(queues_in_use),
			       PCF_TEST(global_addresses),
			       PCF_TEST(stacked),
			       PCF_TEST(stacked_in_a_container),
			       PCF_TEST(packet_sockets),
			       PCF_TEST(packet_sockets_of_others),
			       PCF_TEST(driver_and_features),
			       PCF_TEST(attached_programs),
			       PCF_TEST(facts_of_a_link),
			       PCF_TEST(facts_of_nobody),
			       PCF_TEST(features),
			       PCF_TEST(features_forced_off),
			       PCF_TEST(short_answers),
			       PCF_TEST(lying_lengths),
			       PCF_TEST(values),
			       CU_TEST_INFO_NULL };

int main(void)
{
	in_namespace = !geteuid() && !unshare(CLONE_NEWNET);
	if (in_namespace)
		run("for f in all default; do echo 1 "
		    ">/proc/sys/net/ipv6/conf/$f/disable_ipv6; done 2>/dev/null");
	return pcf_run_tests("questions to the kernel", tests);
}
