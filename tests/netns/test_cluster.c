/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Clusters on a real interface in a namespace of its own, as root: who sees
 * which frame, and who is refused.
 */
#include "tests/netns/child.h"
#include "tests/netns/common.h"
#include "tests/netns/members.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- who gets what ------------------------------------------------------- */

static void by_flow_on(unsigned queues)
{
	pcap_t *p[4];
	int host;

	begin(queues);
	for (unsigned n = 0; n < 4; n++) {
		uint32_t from = flows->sent;

		p[n] = member();
		host = net_host();
		flows_send(flows, "vB", BURST, 0);
		take_all(p, n + 1);
		exactly_once(from);
		CU_ASSERT_TRUE(net_host_got(host, 0));
		close(host);
		for (unsigned i = 0; i <= n; i++)
			CU_ASSERT_TRUE(seen_by(i, from) >= BURST / (n + 1) / 2);
	}
	for (unsigned n = 4; n-- > 0;) {
		uint32_t from = flows->sent;

		pcap_close(p[n]);
		if (!n)
			break;
		flows_send(flows, "vB", BURST, 0);
		take_all(p, n);
		exactly_once(from);
	}
	end();
}

static void by_flow(void)
{
	if (skip())
		return;
	by_flow_on(1);
	by_flow_on(4);
}

/* What the host sends: by the same rule, whatever the snapshot length cuts. */
static void outgoing(void)
{
	unsigned in[4] = { 0 };
	pcap_t *p[3];

	if (skip())
		return;
	begin(1);
	for (int i = 0; i < 3; i++) {
		p[i] = create(NAME);
		pcap_set_snaplen(p[i], 100 + i);
		activate(p[i]);
		CU_ASSERT_EQUAL(pcap_snapshot(p[i]), 100 + i);
	}
	flows_send(flows, "vB", BURST, 0);
	flows_send(flows, "vA", BURST, 20000);
	take_all(p, 3);
	exactly_once(0);
	for (int i = 0; i < 3; i++) {
		struct pcap_stat stats;

		in[i] = seen_by(i, 0);
		pcap_fast_get_info(p[i], &info, sizeof(info));
		CU_ASSERT_EQUAL(info.delivered, in[i]);
		CU_ASSERT_TRUE(info.outgoing > 0);
		CU_ASSERT_EQUAL(info.matched + info.outgoing, info.delivered);
		CU_ASSERT_EQUAL(pcap_stats(p[i], &stats), 0);
		CU_ASSERT_EQUAL(stats.ps_recv, in[i]);
		CU_ASSERT_EQUAL(stats.ps_drop, 0);
		pcap_close(p[i]);
	}
	end();
}

/* Frames that one member delivers of a burst; `bytes` of each. */
static unsigned short_ones(pcap_t *p, unsigned bytes)
{
	struct pcap_batch_pkt pkts[64];
	unsigned total = 0;
	int n, idle = 0;

	while (idle < 30) {
		n = pcap_next_batch(p, pkts, 64);
		for (int i = 0; i < n; i++)
			CU_ASSERT_EQUAL(pkts[i].hdr.caplen, bytes);
		total += n > 0 ? n : 0;
		idle = n > 0 ? 0 : idle + 1;
		usleep(1000);
	}
	return total;
}

/* Also where the caller wants less of a packet than it takes to hash it: the
 * same flows come in and go out, and each member has as many of either. */
static void outgoing_short(void)
{
	pcap_t *p[2];
	unsigned n[2];

	if (skip())
		return;
	begin(1);
	for (int i = 0; i < 2; i++) {
		p[i] = create(NAME);
		pcap_set_snaplen(p[i], 20);
		activate(p[i]);
		CU_ASSERT_EQUAL(pcap_snapshot(p[i]), 20);
	}
	for (int round = 0; round < 2; round++) {
		flows_send(flows, "vB", BURST, 20000);
		n[0] = short_ones(p[0], 20);
		n[1] = short_ones(p[1], 20);
		CU_ASSERT_EQUAL(n[0] + n[1], BURST);
		flows_send(flows, "vA", BURST, 20000);
		CU_ASSERT_EQUAL(short_ones(p[0], 20), n[0]);
		CU_ASSERT_EQUAL(short_ones(p[1], 20), n[1]);
		filter(p[0], "ether[4] = 0x77");
		filter(p[1], "ether[4] = 0x77");
	}
	pcap_close(p[0]);
	pcap_close(p[1]);
	end();
}

static void own_share(void)
{
	pcap_t *p[3];
	unsigned sum = 0;

	if (skip())
		return;
	begin(1);
	for (int i = 0; i < 3; i++)
		p[i] = member();
	CU_ASSERT_PTR_NOT_NULL(
		strstr(info.reason, "member of the cluster ids, one of 3"));
	flows_send(flows, "vB", BURST, 0);
	take_all(p, 3);
	for (int i = 0; i < 3; i++) {
		struct pcap_stat stats;

		CU_ASSERT_EQUAL(pcap_stats(p[i], &stats), 0);
		CU_ASSERT_EQUAL(stats.ps_recv, seen_by(i, 0));
		CU_ASSERT_EQUAL(stats.ps_drop, 0);
		CU_ASSERT_EQUAL(stats.ps_ifdrop, 0);
		pcap_fast_get_info(p[i], &info, sizeof(info));
		CU_ASSERT_EQUAL(info.matched, seen_by(i, 0));
		CU_ASSERT_STRING_EQUAL(info.cluster, "ids");
		CU_ASSERT_EQUAL(info.cluster_members, 3);
		sum += stats.ps_recv;
	}
	CU_ASSERT_EQUAL(sum, BURST);
	pcap_close(p[2]);
	pcap_fast_get_info(p[0], &info, sizeof(info));
	CU_ASSERT_EQUAL(info.cluster_members, 2);
	pcap_close(p[0]);
	pcap_close(p[1]);
	end();
}

/* A reader that does not read loses its own packets only, and says so. */
static void full(void)
{
	struct pcap_stat stats;
	pcap_t *p[2];
	uint32_t from;

	if (skip())
		return;
	begin(1);
	p[0] = create(NAME);
	pcap_set_buffer_size(p[0], 1 << 20);
	activate(p[0]);
	p[1] = member();
	flows_send(flows, "vB", 8 * BURST, 0);
	CU_ASSERT_EQUAL(pcap_stats(p[0], &stats), 0);
	CU_ASSERT_TRUE(stats.ps_drop > 0);
	take_all(p, 2);
	CU_ASSERT_EQUAL(stats.ps_recv, seen_by(0, 0) + stats.ps_drop);
	CU_ASSERT_EQUAL(stats.ps_recv + seen_by(1, 0), 8 * BURST);
	from = flows->sent;
	flows_send(flows, "vB", 900, 0);
	take_all(p, 2);
	exactly_once(from);
	pcap_close(p[0]);
	pcap_close(p[1]);
	end();
}

/* --- filters, keep, the rest --------------------------------------------- */

#define IS_TCP(kind)                                                           \
	((kind) == FLOWS_TCP4 || (kind) == FLOWS_TCP6 || (kind) == FLOWS_TAGGED)

/* Of the share that member `m` had of the frames [0, n), those of TCP or not.
 */
static unsigned share_of(unsigned m, uint32_t n, bool tcp)
{
	unsigned sum = 0;

	for (uint32_t i = 0; i < n; i++)
		if (flows->seen[m][i])
			sum += IS_TCP(i % FLOWS_KINDS) == tcp;
	return sum;
}

/* What one member's filter rejects is the host's, or nobody's; it does not go
 * to another member. */
static void filters_with(int rest)
{
	unsigned not_tcp;
	pcap_t *p[2];
	int host;

	begin(1);
	for (int i = 0; i < 2; i++) {
		p[i] = create(NAME);
		pcap_fast_set_rest(p[i], rest);
		activate(p[i]);
	}
	flows_send(flows, "vB", BURST, 0);
	take_all(p, 2);
	exactly_once(0);
	not_tcp = share_of(0, BURST, false);
	filter(p[0], "tcp");
	host = net_host();
	/* the same frames again */
	flows->sent = 0;
	flows_send(flows, "vB", BURST, 0);
	take_all(p, 2);
	for (uint32_t i = 0; i < BURST; i++)
		CU_ASSERT_TRUE(
			flows_times(flows, i) ==
			1u + (flows->seen[1][i] || IS_TCP(i % FLOWS_KINDS)));
	CU_ASSERT_TRUE(not_tcp > 0);
	CU_ASSERT_TRUE(
		net_host_got(host, rest == PCAP_FAST_REST_PASS ? not_tcp : 0));
	pcap_fast_get_info(p[0], &info, sizeof(info));
	CU_ASSERT_EQUAL(info.rest_dropped,
			rest == PCAP_FAST_REST_PASS ? 0 : not_tcp);
	close(host);
	pcap_close(p[0]);
	pcap_close(p[1]);
	end();
}

static void filters(void)
{
	if (skip())
		return;
	filters_with(PCAP_FAST_REST_PASS);
	filters_with(PCAP_FAST_REST_DROP);
}

static unsigned count_tcp(unsigned n)
{
	unsigned sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += IS_TCP(i % FLOWS_KINDS);
	return sum;
}

/* Kept packets come to one member, and to the host. */
static void kept(void)
{
	pcap_t *p[3];
	int host;

	if (skip())
		return;
	begin(1);
	net_do("ip addr add 10.9.9.1/24 dev vA");
	for (int i = 0; i < 3; i++) {
		p[i] = create(NAME);
		pcap_fast_set_keep(p[i], "tcp");
		pcap_fast_set_rest(p[i], PCAP_FAST_REST_DROP);
		activate(p[i]);
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(info.reason, "the host keeps: tcp"));
	host = net_host();
	flows_send(flows, "vB", BURST, 0);
	take_all(p, 3);
	exactly_once(0);
	CU_ASSERT_TRUE(net_host_got(host, count_tcp(BURST)));
	/* kept, although the filter rejects it and the rest is dropped */
	for (int i = 0; i < 3; i++)
		filter(p[i], "not ip and not ip6 and not vlan");
	flows_send(flows, "vB", BURST, 0);
	take_all(p, 3);
	CU_ASSERT_TRUE(net_host_got(host, count_tcp(BURST)));
	CU_ASSERT_EQUAL(seen_by(0, BURST) + seen_by(1, BURST) +
				seen_by(2, BURST),
			BURST / FLOWS_KINDS * 2);
	close(host);
	for (int i = 0; i < 3; i++)
		pcap_close(p[i]);
	end();
}

static void expect_shares(pcap_t **p, int host, unsigned tcp_only,
			  bool hosts_own)
{
	memset(flows->seen, 0, sizeof(flows->seen));
	flows->sent = 0;
	flows_send(flows, "vB", BURST, 0);
	take_all(p, 2);
	CU_ASSERT_EQUAL(share_of(0, BURST, false) == 0, tcp_only);
	CU_ASSERT_TRUE(share_of(0, BURST, true) > 100);
	CU_ASSERT_TRUE(
		net_host_got(host, hosts_own ? BURST - seen_by(1, 0) : 0));
}

/* Where the host uses the interface, a filter that cannot run in the driver
 * takes nothing from it; the other member goes on. */
static void user_space_filter(void)
{
	pcap_t *p[2];
	int host;

	for (int i = 0; i < 2; i++) {
		p[i] = create(NAME);
		pcap_fast_set_keep(p[i], "");
		activate(p[i]);
	}
	host = net_host();
	expect_shares(p, host, false, false);
	filter(p[0], "ip protochain 6");
	pcap_fast_get_info(p[0], &info, sizeof(info));
	CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_USER);
	expect_shares(p, host, true, true);
	/* nobody wants what comes in: that share is the host's as well */
	pcap_setdirection(p[1], PCAP_D_OUT);
	flows_send(flows, "vB", BURST, 0);
	take_all(p, 2);
	CU_ASSERT_TRUE(net_host_got(host, BURST));
	pcap_close(p[0]);
	pcap_close(p[1]);
}

static void in_user_space(void)
{
	if (skip())
		return;
	begin(1);
	net_do("ip addr add 10.9.9.1/24 dev vA");
	child_runs(user_space_filter);
	end();
}

static void exact_again(pcap_t **p, int host)
{
	uint32_t from = BURST;

	flows_send(flows, "vB", BURST, 0);
	take_all(p, 2);
	exactly_once(from);
	CU_ASSERT_TRUE(net_host_got(host, 0));
}

/* A filter that only a packet socket can run: its member sees its own share
 * there, and not what another's filter leaves to the host. */
static void on_a_socket(void)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_RXHASH),
		BPF_STMT(BPF_RET | BPF_K, 65535),
	};
	struct bpf_program program = { 2, (struct bpf_insn *)insns };
	pcap_t *p[2];
	int host;

	if (skip())
		return;
	begin(1);
	p[0] = member();
	p[1] = member();
	CU_ASSERT_EQUAL(pcap_setfilter(p[0], &program), 0);
	pcap_fast_get_info(p[0], &info, sizeof(info));
	CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_SOCKET);
	host = net_host();
	flows_send(flows, "vB", BURST, 20000);
	take_all(p, 2);
	exactly_once(0);
	CU_ASSERT_TRUE(net_host_got(host, seen_by(0, 0)));
	filter(p[1], "tcp");
	flows->sent = 0;
	flows_send(flows, "vB", BURST, 20000);
	take_all(p, 2);
	for (uint32_t i = 0; i < BURST; i++)
		CU_ASSERT_TRUE(
			flows_times(flows, i) ==
			1u + (flows->seen[0][i] || IS_TCP(i % FLOWS_KINDS)));
	filter(p[0], "");
	filter(p[1], "");
	net_host_frames(host);
	exact_again(p, host);
	close(host);
	pcap_close(p[0]);
	pcap_close(p[1]);
	end();
}

/* --- refusals ------------------------------------------------------------ */

static void refused_with(pcap_t *p, int error, const char *words)
{
	int rc = pcap_activate(p);

	CU_ASSERT_EQUAL(rc, error);
	CU_ASSERT_PTR_NOT_NULL(strstr(pcap_geterr(p), words));
	if (!strstr(pcap_geterr(p), words))
		printf("    got: %d %s\n", rc, pcap_geterr(p));
	pcap_close(p);
}

static void refused(const char *device, const char *words)
{
	refused_with(create(device), PCAP_ERROR, words);
}

static void bad_names(void)
{
	char name[64] = "exclusive:vA%0123456789012345678901234567890";

	if (skip())
		return;
	begin(1);
	pcap_close(activate(create(name)));
	strcat(name, "1");
	CU_ASSERT_PTR_NULL(pcap_create(name, errbuf));
	CU_ASSERT_PTR_NOT_NULL(strstr(errbuf, "longer than 31 characters"));
	CU_ASSERT_PTR_NULL(pcap_create("exclusive:vA%", errbuf));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(errbuf, "cluster name after '%' is empty"));
	refused("mirror:vA%ids", "exclusive captures only: exclusive:vA%ids");
	refused("system:vA%ids", "exclusive captures only");
	end();
}

static void others_refused(void)
{
	char words[64];
	pcap_t *p, *other;

	if (skip())
		return;
	begin(1);
	p = member();
	snprintf(words, sizeof(words), "the cluster ids of %s (pid %d)",
		 program_invocation_short_name, getpid());
	words[31] = '\0'; /* the kernel has 15 characters of the name */
	refused("exclusive:vA", words);
	refused("exclusive:vA%other", words);
	refused("exclusive:vA%id", words);
	other = create(NAME);
	pcap_fast_set_mode(other, PCAP_FAST_MODE_AUTO);
	refused_with(other, PCAP_ERROR, "exclusive captures only");
	other = create(NAME);
	pcap_fast_set_zerocopy(other, PCAP_FAST_ZEROCOPY_REQUIRE);
	refused_with(other, PCAP_ERROR, "receive copies");
	pcap_close(p);
	p = activate(create("exclusive:vA"));
	refused(NAME, "(pid ");
	pcap_close(p);
	end();
}

static void all_places(void)
{
	pcap_t *p[32];

	if (skip())
		return;
	begin(1);
	for (int i = 0; i < 32; i++) {
		p[i] = create(NAME);
		pcap_set_buffer_size(p[i], 1 << 20);
		activate(p[i]);
	}
	refused(NAME, "the cluster ids has 32 members already");
	flows_send(flows, "vB", BURST, 0);
	for (int i = 0; i < 32; i++)
		take(p[i], 0);
	exactly_once(0);
	for (int i = 0; i < 32; i++)
		pcap_close(p[i]);
	end();
}

/* A mirror beside it sees all; the cluster's programs go with its last member,
 * though the mirror stays. */
static void beside_a_mirror(void)
{
	pcap_t *p[3], *m;
	uint32_t from;

	if (skip())
		return;
	begin(1);
	p[0] = member();
	p[2] = activate(create("vA"));
	CU_ASSERT_EQUAL(info.mode, PCAP_FAST_MODE_MIRROR);
	CU_ASSERT_PTR_NOT_NULL(strstr(info.reason, "the cluster ids"));
	p[1] = member();
	m = p[2];
	flows_send(flows, "vB", BURST, 0);
	CU_ASSERT_EQUAL(take(m, 7), BURST);
	memset(flows->seen[7], 0, sizeof(flows->seen[7]));
	take_all(p, 2);
	exactly_once(0);
	pcap_close(p[0]);
	CU_ASSERT_EQUAL(net_programs("pcf_cluster"), 1);
	pcap_close(p[1]);
	for (int i = 0; i < 40 && net_programs("pcf_cluster"); i++)
		usleep(50000);
	CU_ASSERT_EQUAL(net_programs("pcf_cluster"), 0);
	CU_ASSERT_EQUAL(net_programs("pcf_member"), 0);
	from = flows->sent;
	p[0] = activate(create("exclusive:vA"));
	flows_send(flows, "vB", BURST, 0);
	take_all(p, 1);
	exactly_once(from);
	CU_ASSERT_EQUAL(take(m, 7), BURST);
	pcap_close(p[0]);
	pcap_close(m);
	end();
}

/* --- privilege ----------------------------------------------------------- */

static void drop_all(void)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct d[2] = { 0 };

	CU_ASSERT_EQUAL(syscall(SYS_capset, &h, d), 0);
}

static void without(void)
{
	drop_all();
	refused_with(create(NAME), PCAP_ERROR_PERM_DENIED, "CAP_BPF");
}

/* Whoever gave up its privilege leaves in good order, and inherits. */
static void gave_up(void)
{
	pcap_t *p = member();

	drop_all();
	filter(p, "tcp");
	pcap_fast_get_info(p, &info, sizeof(info));
	CU_ASSERT_PTR_NOT_NULL(strstr(info.filter_reason, "not permitted"));
	pcap_close(p);
}

static void privileges(void)
{
	pcap_t *p;

	if (skip())
		return;
	begin(1);
	child_runs(without);
	p = member();
	child_runs(without);
	child_runs(gave_up);
	pcap_fast_get_info(p, &info, sizeof(info));
	CU_ASSERT_EQUAL(info.cluster_members, 1);
	flows_send(flows, "vB", BURST, 0);
	take_all(&p, 1);
	exactly_once(0);
	CU_ASSERT_EQUAL(seen_by(0, 0), BURST);
	pcap_close(p);
	end();
}

static CU_TestInfo tests[] = {
	PCF_TEST(by_flow),
	PCF_TEST(outgoing),
	PCF_TEST(outgoing_short),
	PCF_TEST(own_share),
	PCF_TEST(full),
	PCF_TEST(filters),
	PCF_TEST(kept),
	PCF_TEST(in_user_space),
	PCF_TEST(on_a_socket),
	PCF_TEST(bad_names),
	PCF_TEST(others_refused),
	PCF_TEST(all_places),
	PCF_TEST(beside_a_mirror),
	PCF_TEST(privileges),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("cluster", tests);
}
