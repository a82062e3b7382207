/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The choice of mode: from an interface that has all it takes, one thing at a
 * time is changed; mode, error and words must follow.
 */
#include "libpcap-fast/mode.h"

#include <net/if_arp.h>
#include <string.h>

#include "compat/netdev.h"
#include "tests/unit.h"

#define AUTO	  PCAP_FAST_MODE_AUTO
#define SYSTEM	  PCAP_FAST_MODE_SYSTEM
#define EXCLUSIVE PCAP_FAST_MODE_EXCLUSIVE
#define MIRROR	  PCAP_FAST_MODE_MIRROR

static struct pcf_request request;
static struct pcf_facts facts;
static struct pcf_choice choice;

/* A dedicated interface, a process and a kernel that may and can. */
static void begin(int mode)
{
	request = (struct pcf_request){ .device = "eth0",
					.mode = mode,
					.promisc = true };
	facts = (struct pcf_facts){
		.exists = true,
		.link = { .ifindex = 2,
			  .name = "eth0",
			  .flags = IFF_UP,
			  .type = ARPHRD_ETHER,
			  .mtu = 1500,
			  .rx_queues = 4 },
		.driver = "ice",
		.xdp_known = true,
		.xdp_features = PCF_XDP_ACT_BASIC | PCF_XDP_ACT_REDIRECT |
				PCF_XDP_ACT_XSK_ZEROCOPY,
		.cap_bpf = true,
		.cap_net_admin = true,
		.cap_net_raw = true,
		.cap_sys_admin = true,
	};
}

static void expect(int mode, int error, const char *words)
{
	memset(&choice, 0xff, sizeof(choice));
	pcf_mode_choose(&request, &facts, &choice);
	CU_ASSERT_EQUAL(choice.mode, mode);
	CU_ASSERT_EQUAL(choice.error, error);
	CU_ASSERT_PTR_NOT_NULL(strstr(choice.reason, words));
	if (!strstr(choice.reason, words))
		printf("\n    got: %s\n", choice.reason);
}

/* A change that no fast mode survives. */
static void refused(void (*change)(void), int error, const char *words)
{
	begin(AUTO);
	change();
	expect(SYSTEM, 0, words);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(choice.reason, ": capture stays on system"));
	begin(EXCLUSIVE);
	change();
	expect(EXCLUSIVE, error, words);
	CU_ASSERT_PTR_NOT_NULL(strstr(choice.reason, "no exclusive capture: "));
	begin(MIRROR);
	change();
	expect(MIRROR, error, words);
	begin(SYSTEM);
	change();
	expect(SYSTEM, 0, "system was asked for");
}

/* A change that makes the interface somebody else's: decides for auto only. */
static void shared(void (*change)(void), const char *words)
{
	begin(AUTO);
	change();
	expect(SYSTEM, 0, words);
	CU_ASSERT_FALSE(choice.dedicated);
	CU_ASSERT_PTR_NOT_NULL(strstr(choice.reason, "ask for exclusive:eth0"));
	begin(EXCLUSIVE);
	change();
	expect(EXCLUSIVE, 0, "exclusive was asked for, although ");
	CU_ASSERT_PTR_NOT_NULL(strstr(choice.reason, words));
	CU_ASSERT_FALSE(choice.dedicated);
	begin(MIRROR);
	change();
	expect(MIRROR, 0, "mirror was asked for, although ");
}

static void dedicated(void)
{
	begin(AUTO);
	expect(EXCLUSIVE, 0, "eth0 is dedicated");
	CU_ASSERT_TRUE(choice.dedicated);
	begin(EXCLUSIVE);
	expect(EXCLUSIVE, 0, "exclusive was asked for");
	CU_ASSERT_TRUE(choice.dedicated);
	CU_ASSERT_PTR_NULL(strstr(choice.reason, "although"));
	begin(MIRROR);
	expect(MIRROR, 0, "mirror was asked for");
	begin(SYSTEM);
	expect(SYSTEM, 0, "system was asked for");
}

static void any(void)
{
	request.device = "any";
}

static void no_device(void)
{
	request.device = NULL;
}

static void gone(void)
{
	facts.exists = false;
	memset(&facts.link, 0, sizeof(facts.link));
}

static void loopback(void)
{
	facts.link.flags |= IFF_LOOPBACK;
	facts.link.type = ARPHRD_LOOPBACK;
}

static void not_ethernet(void)
{
	facts.link.type = ARPHRD_CAN;
}

static void wireless(void)
{
	facts.link.wireless = true;
}

static void tap(void)
{
	strcpy(facts.link.kind, "tun");
}

static void never_touched(void)
{
	refused(any, PCAP_ERROR, "all interfaces");
	refused(no_device, PCAP_ERROR, "all interfaces");
	refused(gone, PCAP_ERROR_NO_SUCH_DEVICE, "no network interface \"eth0");
	refused(loopback, PCAP_ERROR, "loopback");
	refused(not_ethernet, PCAP_ERROR, "not Ethernet");
	refused(wireless, PCAP_ERROR, "wireless");
	refused(tap, PCAP_ERROR, "tun interface");
}

static void rfmon(void)
{
	request.rfmon = true;
}

static void protocol(void)
{
	request.protocol_set = true;
}

static void adapter_tstamp(void)
{
	request.adapter_tstamp = true;
}

static void synced_tstamp(void)
{
	request.adapter_tstamp = request.synced_tstamp = true;
	facts.rx_metadata = PCF_XDP_RX_TIMESTAMP;
}

static void rx_hash(void)
{
	request.rx_hash = true;
	facts.rx_metadata = PCF_XDP_RX_TIMESTAMP;
}

static void rx_hash_off(void)
{
	request.rx_hash = true;
	facts.rx_metadata = PCF_XDP_RX_HASH;
	facts.rx_hash_off = true;
}

static void options(void)
{
	refused(rfmon, PCAP_ERROR, "monitor mode");
	refused(protocol, PCAP_ERROR, "one protocol");
	refused(adapter_tstamp, PCAP_ERROR, "of the adapter were asked for");
	refused(synced_tstamp, PCAP_ERROR, "of the adapter were asked for");
	refused(rx_hash, PCAP_ERROR, "ice, does not tell XDP programs of it");
	refused(rx_hash_off, PCAP_ERROR, "ethtool -K eth0 rxhash on");
	begin(EXCLUSIVE);
	rx_hash_off();
	request.rx_hash = false;
	expect(EXCLUSIVE, 0, "was asked for");
}

/* What the driver tells is had by name; the hash by auto, too. */
static void adapter(void)
{
	for (int mode = EXCLUSIVE; mode <= MIRROR; mode++) {
		begin(mode);
		request.adapter_tstamp = true;
		facts.rx_metadata = PCF_XDP_RX_TIMESTAMP;
		expect(mode, 0, "was asked for");
		request.synced_tstamp = true;
		expect(mode, PCAP_ERROR, "adapter_unsynced");
	}
	begin(AUTO);
	request.adapter_tstamp = true;
	facts.rx_metadata = PCF_XDP_RX_TIMESTAMP;
	expect(SYSTEM, 0, "ask for exclusive or mirror by name");
	begin(AUTO);
	request.rx_hash = true;
	facts.rx_metadata = PCF_XDP_RX_HASH;
	expect(EXCLUSIVE, 0, "eth0 is dedicated");
}

static void beside_mirror(void)
{
	request.rx_hash = true;
	facts.rx_metadata = PCF_XDP_RX_HASH;
	facts.ours = true;
	strcpy(facts.mirror_owner, "tcpdump (pid 8)");
}

static void beside_exclusive(void)
{
	beside_mirror();
	strcpy(facts.exclusive_owner, "suricata (pid 9)");
}

static void beside_beginner(void)
{
	beside_mirror();
	facts.mirror_owner[0] = '\0';
}

static void alone_there(void)
{
	facts.ours = true;
	strcpy(facts.alone_owner, "ptpd (pid 3)");
}

static void alone_there_too(void)
{
	beside_mirror();
	facts.mirror_owner[0] = '\0';
	alone_there();
}

static void alone(void)
{
	refused(beside_mirror, PCAP_ERROR, "tcpdump (pid 8) captures on eth0");
	refused(beside_exclusive, PCAP_ERROR, "suricata (pid 9) captures on");
	refused(beside_beginner, PCAP_ERROR, "another handle captures on eth0");
	refused(alone_there, PCAP_ERROR, "ptpd (pid 3) has eth0 alone");
	refused(alone_there_too, PCAP_ERROR, "ptpd (pid 3) has eth0 alone");
	begin(EXCLUSIVE);
	request.rx_hash = true;
	request.cluster = "ids";
	facts.rx_metadata = PCF_XDP_RX_HASH;
	expect(EXCLUSIVE, PCAP_ERROR, "a cluster's members are not");
	begin(MIRROR);
	beside_mirror();
	request.rx_hash = false;
	expect(MIRROR, 0, "mirror was asked for");
}

static void no_af_xdp(void)
{
	strcpy(facts.missing, "AF_XDP sockets");
}

static void no_bpf(void)
{
	facts.cap_bpf = facts.cap_sys_admin = false;
}

static void no_net_admin(void)
{
	facts.cap_net_admin = false;
}

static void no_caps(void)
{
	no_bpf();
	facts.cap_net_admin = facts.cap_net_raw = false;
}

static void privileges(void)
{
	refused(no_af_xdp, PCAP_ERROR, "lacks AF_XDP sockets");
	refused(no_bpf, PCAP_ERROR_PERM_DENIED, "lacks CAP_BPF");
	refused(no_net_admin, PCAP_ERROR_PERM_DENIED, "lacks CAP_NET_ADMIN");
	refused(no_caps, PCAP_ERROR_PERM_DENIED,
		"CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW");
	begin(AUTO);
	facts.cap_bpf = false; /* CAP_SYS_ADMIN implies it */
	expect(EXCLUSIVE, 0, "dedicated");
	begin(AUTO);
	facts.cap_sys_admin = false; /* nobody to join */
	expect(EXCLUSIVE, 0, "dedicated");
}

static void ours_unjoinable(void)
{
	facts.ours = true;
	facts.cap_sys_admin = false;
}

static void foreign(void)
{
	strcpy(facts.foreign_xdp, "cil_xdp (id 7)");
}

static void programs(void)
{
	refused(ours_unjoinable, PCAP_ERROR_PERM_DENIED, "CAP_SYS_ADMIN");
	refused(foreign, PCAP_ERROR, "cil_xdp (id 7)");
	begin(AUTO);
	facts.ours = true;
	expect(EXCLUSIVE, 0, "dedicated");
}

static void held(void)
{
	facts.ours = true;
	strcpy(facts.exclusive_owner, "tcpdump (pid 12)");
}

static void second_exclusive(void)
{
	begin(AUTO);
	held();
	facts.packet_sockets = 1; /* the other handle's shadow */
	expect(MIRROR, 0, "tcpdump (pid 12)");
	begin(EXCLUSIVE);
	held();
	expect(EXCLUSIVE, PCAP_ERROR, "tcpdump (pid 12)");
	CU_ASSERT_PTR_NOT_NULL(strstr(choice.reason, "ask for mirror:eth0"));
	begin(MIRROR);
	held();
	expect(MIRROR, 0, "mirror was asked for");
	begin(SYSTEM);
	held();
	expect(SYSTEM, 0, "system was asked for");
}

/* Others capture exclusively, each from queues of its own. */
static void other_queues(void)
{
	begin(EXCLUSIVE);
	held();
	strcpy(facts.exclusive_queues, "2-3");
	request.queues = "0-3";
	expect(EXCLUSIVE, PCAP_ERROR,
	       "already captures eth0 exclusively, from RX queue 2-3 (");
	for (int mode = AUTO; mode <= EXCLUSIVE; mode += EXCLUSIVE - AUTO) {
		begin(mode);
		facts.ours = facts.beside = facts.was_dedicated = true;
		facts.packet_sockets = 3;
		expect(EXCLUSIVE, 0, "");
		CU_ASSERT_TRUE(choice.dedicated);
		facts.addresses = 1; /* since then */
		expect(mode == AUTO ? SYSTEM : EXCLUSIVE, 0, "");
		facts.addresses = 0;
		facts.was_dedicated = false;
		expect(mode == AUTO ? SYSTEM : EXCLUSIVE, 0, "3 packet sockets");
		CU_ASSERT_FALSE(choice.dedicated);
	}
}

static void cluster_there(void)
{
	held();
	strcpy(facts.exclusive_owner, "the cluster ids of snort (pid 3)");
	strcpy(facts.cluster, "ids");
	facts.packet_sockets = 1; /* a member's shadow */
	facts.was_dedicated = true;
}

static void clusters(void)
{
	begin(EXCLUSIVE);
	request.cluster = "ids";
	expect(EXCLUSIVE, 0, "exclusive was asked for");
	cluster_there();
	expect(EXCLUSIVE, 0, "exclusive was asked for");
	CU_ASSERT_TRUE(choice.dedicated);
	facts.was_dedicated = false;
	expect(EXCLUSIVE, 0, "packet socket");
	CU_ASSERT_FALSE(choice.dedicated);
	request.cluster = "idsx";
	expect(EXCLUSIVE, PCAP_ERROR, "the cluster ids of snort (pid 3)");
	CU_ASSERT_PTR_NOT_NULL(strstr(choice.reason, "exclusive:eth0%ids or"));
	request.cluster = "";
	expect(EXCLUSIVE, PCAP_ERROR, "the cluster ids of snort (pid 3)");
	begin(EXCLUSIVE);
	held();
	request.cluster = "ids";
	expect(EXCLUSIVE, PCAP_ERROR, "tcpdump (pid 12)");
	begin(AUTO);
	cluster_there();
	expect(MIRROR, 0, "the cluster ids of snort (pid 3)");
}

static void cluster_without_zero_copy(void)
{
	begin(EXCLUSIVE);
	request.cluster = "ids";
	request.zerocopy = PCAP_FAST_ZEROCOPY_REQUIRE;
	expect(EXCLUSIVE, PCAP_ERROR, "receive copies");
}

static void not_promiscuous(void)
{
	begin(AUTO);
	request.promisc = false;
	expect(SYSTEM, 0, "promiscuous");
	begin(EXCLUSIVE);
	request.promisc = false;
	expect(EXCLUSIVE, 0, "exclusive was asked for");
}

static void one_address(void)
{
	facts.addresses = 1;
}

static void two_addresses(void)
{
	facts.addresses = 2;
}

static void master(void)
{
	facts.link.master = 9;
}

static void upper(void)
{
	strcpy(facts.upper, "eth0.5");
}

static void unseen_upper(void)
{
	strcpy(facts.upper, "?");
}

static void pppoe(void)
{
	facts.pppoe = true;
}

static void one_socket(void)
{
	facts.packet_sockets = 1;
	strcpy(facts.packet_owner, "dhclient (pid 7)");
}

static void three_sockets(void)
{
	one_socket();
	facts.packet_sockets = 3;
}

static void unknown_socket(void)
{
	facts.packet_sockets = 1;
}

static void used_by_others(void)
{
	shared(one_address, "eth0 has 1 IP address,");
	shared(two_addresses, "eth0 has 2 IP addresses,");
	shared(master, "port of a bridge");
	shared(upper, "eth0.5 is stacked on eth0");
	shared(unseen_upper, "cannot be seen from here");
	shared(pppoe, "PPPoE");
	shared(one_socket, "dhclient (pid 7) listens on eth0");
	shared(three_sockets, "dhclient (pid 7) and 2 more listen");
	shared(unknown_socket, "1 packet socket listens");
}

static void no_xdp(void)
{
	facts.xdp_features = 0;
}

static void strips_tags(void)
{
	facts.rx_vlan_offload = true;
}

static void drivers(void)
{
	refused(no_xdp, PCAP_ERROR, "ice, offers no native XDP");
	refused(strips_tags, PCAP_ERROR, "ethtool -K eth0 rxvlan off");
	begin(AUTO);
	facts.xdp_features = PCF_XDP_ACT_BASIC;
	expect(SYSTEM, 0, "no native XDP redirect");
	begin(MIRROR);
	facts.xdp_features = PCF_XDP_ACT_BASIC;
	expect(MIRROR, 0, "asked for");
	begin(AUTO);
	no_xdp();
	facts.xdp_known = false;
	expect(EXCLUSIVE, 0, "attaching decides");
	begin(AUTO);
	strips_tags();
	strcpy(facts.driver, "veth");
	expect(EXCLUSIVE, 0, "txvlan off");
}

static void queue_4(void)
{
	request.queues = "0,4";
}

static void bad_list(void)
{
	request.queues = "0,";
}

static void queues(void)
{
	refused(queue_4, PCAP_ERROR, "no queue 4");
	refused(bad_list, PCAP_ERROR, "not a list");
	begin(AUTO);
	request.queues = "0,3";
	expect(EXCLUSIVE, 0, "dedicated");
	begin(AUTO);
	request.queues = "0,3";
	facts.link.rx_queues = UINT32_MAX;
	expect(EXCLUSIVE, 0, "dedicated");
}

static void zero_copy(void)
{
	begin(EXCLUSIVE);
	request.zerocopy = PCAP_FAST_ZEROCOPY_REQUIRE;
	expect(EXCLUSIVE, 0, "asked for");
	facts.xdp_features &= ~PCF_XDP_ACT_XSK_ZEROCOPY;
	expect(EXCLUSIVE, PCAP_ERROR, "zero-copy is required");
	facts.xdp_known = false;
	expect(EXCLUSIVE, 0, "asked for");
	request.mode = AUTO;
	facts.xdp_known = true;
	expect(SYSTEM, 0, "zero-copy is required");
	request.zerocopy = PCAP_FAST_ZEROCOPY_AUTO;
	expect(EXCLUSIVE, 0, "dedicated");
}

static void down(void)
{
	facts.link.flags = 0;
}

static void link_down(void)
{
	refused(down, PCAP_ERROR_IFACE_NOT_UP, "eth0 is down");
}

/* The words stay whole when every name is as long as it can be. */
static void long_names(void)
{
	begin(AUTO);
	request.device = "a-device-name-that-goes-on-and-on-and-on";
	memset(facts.packet_owner, 'o', sizeof(facts.packet_owner) - 1);
	facts.packet_sockets = UINT32_MAX;
	expect(SYSTEM, 0, "to take it anyway)");
	begin(EXCLUSIVE);
	memset(facts.foreign_xdp, 'f', sizeof(facts.foreign_xdp) - 1);
	expect(EXCLUSIVE, PCAP_ERROR, "if it may go)");
}

static void mode_names(void)
{
	for (int mode = AUTO; mode <= MIRROR; mode++)
		CU_ASSERT_EQUAL(pcf_mode_by_name(pcf_mode_name(mode)), mode);
	CU_ASSERT_STRING_EQUAL(pcf_mode_name(SYSTEM), "system");
	CU_ASSERT_STRING_EQUAL(pcf_mode_name(-1), "?");
	CU_ASSERT_STRING_EQUAL(pcf_mode_name(4), "?");
	CU_ASSERT_EQUAL(pcf_mode_by_name("System"), -1);
	CU_ASSERT_EQUAL(pcf_mode_by_name(""), -1);
}

static CU_TestInfo tests[] = {
	PCF_TEST(dedicated),	   PCF_TEST(never_touched),
	PCF_TEST(options),
	PCF_TEST(adapter),
	PCF_TEST(alone),	   PCF_TEST(privileges),
	PCF_TEST(programs),	   PCF_TEST(second_exclusive),
	PCF_TEST(other_queues),    PCF_TEST(clusters),	   PCF_TEST(cluster_without_zero_copy),
	PCF_TEST(not_promiscuous), PCF_TEST(used_by_others),
	PCF_TEST(drivers),	   PCF_TEST(queues),
	PCF_TEST(zero_copy),	   PCF_TEST(link_down),
	PCF_TEST(long_names),	   PCF_TEST(mode_names),
	CU_TEST_INFO_NULL
};

int main(void)
{
	return pcf_run_tests("choice of mode", tests);
}
