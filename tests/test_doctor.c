/* SPDX-License-Identifier: BSD-3-Clause */
/* What pcap-fast doctor makes of facts. */
#include "compat/netdev.h"
#include "tests/unit.h"
#include "tools/checks.h"

#include <string.h>

static struct check_finding found[CHECK_MOST];
static unsigned n;

static const struct check_finding *about(const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(found[i].name, name))
			return &found[i];
	return NULL;
}

static void expect(const char *name, enum check_verdict verdict,
		   const char *text, const char *advice)
{
	const struct check_finding *f = about(name);

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL(f->verdict, verdict);
	CU_ASSERT_PTR_NOT_NULL(strstr(f->text, text));
	CU_ASSERT_PTR_NOT_NULL(strstr(f->advice, advice));
	if (!strstr(f->text, text) || !strstr(f->advice, advice))
		printf("    %s: \"%s\" -> \"%s\"\n", name, f->text, f->advice);
}

static struct pcf_facts good(void)
{
	return (struct pcf_facts){
		.exists = true,
		.link = { .name = "eth7", .mtu = 1500, .rx_queues = 4 },
		.driver = "igb",
		.xdp_known = true,
		.xdp_features = PCF_XDP_ACT_BASIC | PCF_XDP_ACT_REDIRECT |
				PCF_XDP_ACT_XSK_ZEROCOPY,
		.cap_bpf = true,
		.cap_net_admin = true,
		.cap_net_raw = true,
		.cap_sys_admin = true,
	};
}

static void judge(const struct pcf_facts *f)
{
	const struct pcf_choice choice = { .mode = PCAP_FAST_MODE_EXCLUSIVE,
					   .reason = "dedicated" };

	n = check_interface(f, &choice, found);
}

static void interface_good(void)
{
	struct pcf_facts f = good();

	judge(&f);
	for (unsigned i = 0; i < n; i++) {
		CU_ASSERT_NOT_EQUAL(found[i].verdict, CHECK_NO);
		CU_ASSERT_STRING_EQUAL(found[i].advice, "");
	}
	expect("driver", CHECK_NOTE, "igb, 4 RX queues", "");
	expect("zero-copy", CHECK_YES, "not tried", "");
	expect("auto", CHECK_YES, "would choose exclusive: dedicated", "");
}

static void adapter(void)
{
	struct pcf_facts f = good();

	judge(&f);
	CU_ASSERT_PTR_NULL(about("adapter"));
	f.rx_metadata = PCF_XDP_RX_TIMESTAMP | PCF_XDP_RX_HASH;
	judge(&f);
	expect("adapter", CHECK_NOTE, "its own time and the hash of each", "");
	f.rx_metadata = PCF_XDP_RX_HASH;
	judge(&f);
	expect("adapter", CHECK_NOTE, "tells the hash of each", "");
	CU_ASSERT_PTR_NULL(about("hash"));
	f.rx_hash_off = true;
	judge(&f);
	expect("hash", CHECK_NOTE, "set not to", "ethtool -K eth7 rxhash on");
	strcpy(f.alone_owner, "ptpd (pid 3)");
	f.ours = true;
	judge(&f);
	expect("XDP program", CHECK_NO, "ptpd (pid 3) captures alone", "");
}

static void interface_bad(void)
{
	struct pcf_facts f = good();

	f.xdp_features = 0;
	f.link.mtu = 9000;
	f.rx_vlan_offload = true;
	strcpy(f.foreign_xdp, "guard (id 5)");
	f.addresses = 2;
	f.packet_sockets = 1;
	strcpy(f.packet_owner, "dhclient (pid 9)");
	judge(&f);
	expect("native XDP", CHECK_NO, "offers none", "ethtool -L eth7");
	expect("zero-copy", CHECK_NO, "copied once", "");
	expect("MTU", CHECK_NO, "9000", "ip link set eth7 mtu 3814");
	expect("VLAN tags", CHECK_NO, "taken out",
	       "ethtool -K eth7 rxvlan off");
	expect("XDP program", CHECK_NO, "guard (id 5)", "xdp off");
	expect("addresses", CHECK_NOTE, "2", "ip addr flush dev eth7");
	expect("listeners", CHECK_NOTE, "1 packet socket, of dhclient (pid 9)",
	       "");
}

static void interface_unknown(void)
{
	struct pcf_facts f = { 0 };
	const struct pcf_choice choice = { .mode = PCAP_FAST_MODE_SYSTEM,
					   .reason = "no such interface" };

	n = check_interface(&f, &choice, found);
	CU_ASSERT_EQUAL(n, 1);
	expect("auto", CHECK_NO, "system: no such interface", "");
	f = good();
	f.xdp_known = false;
	f.zc_max_segs = 4;
	f.link.mtu = 9000;
	strcpy(f.exclusive_owner, "snort (pid 7)");
	judge(&f);
	expect("native XDP", CHECK_NOTE, "does not tell", "");
	CU_ASSERT_PTR_NULL(about("zero-copy"));
	expect("MTU", CHECK_NOTE, "several frames", "mtu 3814");
	expect("XDP program", CHECK_NOTE, "snort (pid 7)", "");
}

static void machine_good(void)
{
	struct pcf_facts f = good();
	const struct check_machine m = { .memlock = UINT64_MAX,
					 .stock_path = "/lib/libpcap.so.0.8",
					 .stock_error = "" };

	n = check_machine(&f, &m, found);
	CU_ASSERT_EQUAL(n, 4);
	for (unsigned i = 0; i < n; i++)
		CU_ASSERT_EQUAL(found[i].verdict, CHECK_YES);
	expect("system libpcap", CHECK_YES, "/lib/libpcap.so.0.8", "");
}

static void machine_bad(void)
{
	struct pcf_facts f = { .cap_net_raw = true };
	const struct check_machine m = { .memlock = 65536,
					 .tcpdump_confined = true,
					 .stock_path = "",
					 .stock_error = "cannot be opened" };

	strcpy(f.missing, "bpf_link");
	n = check_machine(&f, &m, found);
	expect("kernel", CHECK_NO, "bpf_link", "");
	expect("privileges", CHECK_NO, "missing: CAP_BPF CAP_NET_ADMIN",
	       "setcap");
	CU_ASSERT_PTR_NULL(strstr(about("privileges")->text, "NET_RAW"));
	expect("locked memory", CHECK_NO, "64 KiB", "ulimit -l");
	expect("system libpcap", CHECK_NO, "cannot be opened",
	       "PCAP_FAST_SYSTEM_LIBPCAP");
	expect("tcpdump", CHECK_NOTE, "AppArmor", "aa-complain");
}

static CU_TestInfo tests[] = {
	PCF_TEST(interface_good),    PCF_TEST(interface_bad),
	PCF_TEST(adapter),
	PCF_TEST(interface_unknown), PCF_TEST(machine_good),
	PCF_TEST(machine_bad),	     CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("doctor", tests);
}
