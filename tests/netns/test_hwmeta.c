/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the adapter knows of packets, on a veth: it has a hash for each, and
 * offers a time that it has for none but packets that came in by another
 * device. Who wants either is alone on the interface. As root.
 */
#include "backend/census.h"
#include "tests/netns/capture.h"
#include "tests/netns/child.h"
#include "tests/netns/flows.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNSYNCED PCAP_TSTAMP_ADAPTER_UNSYNCED
#define FRAMES	 4000
#define KEYS	 4096

static struct flows *flows;

/* With a hash; non-blocking. */
static pcap_t *hashing(const char *device, int mode)
{
	pcap_t *p;

	setenv("PCAP_FAST_RX_HASH", "on", 1);
	p = capture(device, 1, mode);
	unsetenv("PCAP_FAST_RX_HASH");
	CU_ASSERT_PTR_NOT_NULL(strstr(info.reason, "; alone on the interface"));
	CU_ASSERT_PTR_NOT_NULL(strstr(info.reason, "hashes of the adapter"));
	CU_ASSERT_EQUAL(net_programs("pcf_root"), 0);
	return p;
}

static void nothing_left(void)
{
	CU_ASSERT_EQUAL(net_left_over(), 0);
	CU_ASSERT_EQUAL(net_xdp(), 0);
}

static void finish(pcap_t *p)
{
	pcap_close(p);
	nothing_left();
}

/* --- hashes -------------------------------------------------------------- */

struct hashes {
	uint32_t of[KEYS];
	bool known[KEYS];
	unsigned n, without, zero, other, different;
};

static bool has_ports(uint32_t number)
{
	return number % FLOWS_KINDS <= FLOWS_UDP6;
}

/* The kernel's own hash, which a veth gives, is the same in both directions.
 * One that is not of ports has no type, and is none. */
static void see_hash(struct hashes *s, pcap_t *p,
		     const struct pcap_batch_pkt *pkt)
{
	int64_t number = flows_number(pkt->data, pkt->hdr.caplen);
	uint32_t hash = 0, key;

	s->n++;
	s->other += number < 0;
	if (!(pkt->flags & PCAP_BATCH_HASH) ||
	    pcap_batch_hash(p, pkt, &hash) != 1)
		s->without += number < 0 || has_ports(number);
	if (number < 0 || !has_ports(number))
		return;
	key = flows_key(number);
	s->zero += !hash;
	s->different += s->known[key] && s->of[key] != hash;
	s->known[key] = true;
	s->of[key] = hash;
}

static void read_hashes(pcap_t *p, struct hashes *s)
{
	struct pcap_batch_pkt pkts[64];
	int n;

	while ((n = pcap_next_batch(p, pkts, 64)) > 0)
		for (int i = 0; i < n; i++)
			see_hash(s, p, &pkts[i]);
}

/* How many hashes there are among the flows. */
static unsigned count_hashes(const struct hashes *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < KEYS; i++) {
		bool again = !s->known[i];

		for (unsigned j = 0; j < i && !again; j++)
			again = s->known[j] && s->of[j] == s->of[i];
		n += !again;
	}
	return n;
}

static void flow_hashes_on(const char *device, int mode, unsigned queues)
{
	static struct hashes s;
	unsigned before = flows->sent;
	pcap_t *p;

	memset(&s, 0, sizeof(s));
	net_link(queues, 1500);
	p = hashing(device, mode);
	for (int i = 0; i < 4; i++) {
		flows_send(flows, "vB", FRAMES / 4, 0);
		read_hashes(p, &s);
	}
	CU_ASSERT_EQUAL(s.n, flows->sent - before);
	CU_ASSERT_EQUAL(s.other + s.without + s.zero + s.different, 0);
	CU_ASSERT_TRUE(count_hashes(&s) > 50);
	counters_add_up(p);
	CU_ASSERT_EQUAL(info.adapter_times, 0);
	finish(p);
}

static void hash_by_flow(void)
{
	if (skip())
		return;
	flow_hashes_on("exclusive:vA", PCAP_FAST_MODE_EXCLUSIVE, 1);
	flow_hashes_on("exclusive:vA", PCAP_FAST_MODE_EXCLUSIVE, 4);
	flow_hashes_on("mirror:vA", PCAP_FAST_MODE_MIRROR, 1);
	flow_hashes_on("vA", PCAP_FAST_MODE_EXCLUSIVE, 1);
}

static void hash_by_sockets(void)
{
	if (skip())
		return;
	setenv("PCAP_FAST_RX", "xsk", 1);
	flow_hashes_on("exclusive:vA", PCAP_FAST_MODE_EXCLUSIVE, 1);
	flow_hashes_on("exclusive:vA", PCAP_FAST_MODE_EXCLUSIVE, 4);
	unsetenv("PCAP_FAST_RX");
}

/* What frames are like does not change by it: order, bytes, lengths. */
static void exact_on(const char *rx, unsigned mtu, unsigned (*size)(uint32_t))
{
	struct reading r = { .step = 1, .size = size };
	pcap_t *p;

	setenv("PCAP_FAST_RX", rx, 1);
	net_link(1, mtu);
	p = hashing("exclusive:vA", PCAP_FAST_MODE_EXCLUSIVE);
	for (unsigned sent = 0; sent < 5000; sent += 500) {
		net_send(sent, 500, size);
		read_all(p, &r);
	}
	expect(&r, 5000);
	counters_add_up(p);
	finish(p);
	unsetenv("PCAP_FAST_RX");
}

static void exact(void)
{
	if (skip())
		return;
	exact_on("ring", 1500, size_mixed);
	exact_on("ring", 9000, size_jumbo);
	exact_on("xsk", 1500, size_mixed);
	exact_on("xsk", 9000, size_jumbo);
}

/* Of several descriptors, too: the same frames have the same ones. */
static void jumbo_hash(void)
{
	struct pcap_batch_pkt pkt;
	uint32_t hashes[40], hash;
	pcap_t *p;

	if (skip())
		return;
	setenv("PCAP_FAST_RX", "xsk", 1);
	net_link(1, 9000);
	p = hashing("exclusive:vA", PCAP_FAST_MODE_EXCLUSIVE);
	net_send(0, 40, size_jumbo);
	net_send(0, 40, size_jumbo);
	for (uint32_t i = 0; i < 80; i++) {
		CU_ASSERT_EQUAL_FATAL(pcap_next_batch(p, &pkt, 1), 1);
		CU_ASSERT_TRUE(net_same(pkt.data, pkt.hdr.caplen, i % 40));
		hash = 0;
		CU_ASSERT_EQUAL(pcap_batch_hash(p, &pkt, &hash), 1);
		CU_ASSERT_NOT_EQUAL(hash, 0);
		CU_ASSERT_TRUE(i < 40 || hash == hashes[i % 40]);
		CU_ASSERT_TRUE(!i || i >= 40 || hash != hashes[i - 1]);
		hashes[i % 40] = hash;
	}
	finish(p);
	unsetenv("PCAP_FAST_RX");
}

static void held_on(const char *rx)
{
	struct pcap_batch_pkt held[8], pkts[64];
	uint32_t hash[8], again;
	pcap_t *p;

	setenv("PCAP_FAST_RX", rx, 1);
	net_link(1, 1500);
	p = hashing("exclusive:vA", PCAP_FAST_MODE_EXCLUSIVE);
	net_send(0, 8, size_60);
	CU_ASSERT_EQUAL_FATAL(pcap_next_batch(p, held, 8), 8);
	for (int i = 0; i < 8; i++)
		CU_ASSERT_EQUAL(pcap_batch_hash(p, &held[i], &hash[i]), 1);
	CU_ASSERT_EQUAL(pcap_hold_batch(p, held, 8), 0);
	net_send(100, 500, size_60);
	while (pcap_next_batch(p, pkts, 64) > 0)
		;
	for (int i = 0; i < 8; i++) {
		CU_ASSERT_EQUAL(pcap_batch_hash(p, &held[i], &again), 1);
		CU_ASSERT_EQUAL(again, hash[i]);
	}
	CU_ASSERT_EQUAL(pcap_release_batch(p, held, 8), 0);
	again = 4711;
	CU_ASSERT_EQUAL(pcap_batch_hash(p, &held[0], &again), 0);
	CU_ASSERT_EQUAL(again, 4711);
	finish(p);
	unsetenv("PCAP_FAST_RX");
}

static void held(void)
{
	if (skip())
		return;
	held_on("ring");
	held_on("xsk");
}

static void not_asked_for(void)
{
	struct pcap_batch_pkt pkt;
	uint32_t hash;
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = exclusive();
	CU_ASSERT_PTR_NULL(strstr(info.reason, "alone"));
	net_send(0, 1, size_60);
	CU_ASSERT_EQUAL_FATAL(pcap_next_batch(p, &pkt, 1), 1);
	CU_ASSERT_EQUAL(pkt.flags & PCAP_BATCH_HASH, 0);
	CU_ASSERT_EQUAL(pcap_batch_hash(p, &pkt, &hash), 0);
	finish(p);
}

/* --- times --------------------------------------------------------------- */

static bool listed(const char *device, int type)
{
	pcap_t *p = pcap_create(device, errbuf);
	int *list = NULL, n = pcap_list_tstamp_types(p, &list);
	bool found = false, host = false;

	for (int i = 0; i < n; i++) {
		found |= list[i] == type;
		host |= list[i] == PCAP_TSTAMP_HOST;
	}
	CU_ASSERT_TRUE(host);
	pcap_free_tstamp_types(list);
	pcap_close(p);
	return found;
}

static void offered(void)
{
	if (skip())
		return;
	net_link(1, 1500);
	CU_ASSERT_TRUE(listed("exclusive:vA", UNSYNCED));
	CU_ASSERT_TRUE(listed("mirror:vA", UNSYNCED));
	CU_ASSERT_FALSE(listed("vA", UNSYNCED));
	CU_ASSERT_FALSE(listed("system:vA", UNSYNCED));
	CU_ASSERT_FALSE(listed("exclusive:vA", PCAP_TSTAMP_ADAPTER));
	CU_ASSERT_FALSE(listed("exclusive:lo", UNSYNCED));
	CU_ASSERT_FALSE(listed("exclusive:nowhere", UNSYNCED));
}

/* A veth has no time of its own: each packet has the host's, and says so. */
static void host_time_instead(void)
{
	struct reading r = { .step = 1, .size = size_60 };
	struct pcap_batch_pkt pkt;
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = create("exclusive:vA", 1);
	CU_ASSERT_EQUAL(pcap_set_tstamp_type(p, UNSYNCED), 0);
	CU_ASSERT_EQUAL_FATAL(pcap_activate(p), 0);
	pcap_setnonblock(p, 1, errbuf);
	pcap_fast_get_info(p, &info, sizeof(info));
	CU_ASSERT_PTR_NOT_NULL(strstr(
		info.reason,
		"alone on the interface, for time stamps of the adapter"));
	net_send(0, 100, size_60);
	read_all(p, &r);
	expect(&r, 100);
	net_send(0, 1, size_60);
	CU_ASSERT_EQUAL_FATAL(pcap_next_batch(p, &pkt, 1), 1);
	CU_ASSERT_EQUAL(pkt.flags & (PCAP_BATCH_ADAPTER_TIME | PCAP_BATCH_HASH),
			0);
	pcap_fast_get_info(p, &info, sizeof(info));
	CU_ASSERT_EQUAL(info.adapter_times, 0);
	finish(p);
}

static void set_on(const char *device, int type, int expected)
{
	pcap_t *p = create(device, 1);

	CU_ASSERT_EQUAL(pcap_set_tstamp_type(p, type), expected);
	pcap_close(p);
}

/* A type that was refused is not set: the capture is as without. */
static void refused_types(void)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	set_on("exclusive:vA", PCAP_TSTAMP_HOST, 0);
	set_on("vA", UNSYNCED, PCAP_WARNING_TSTAMP_TYPE_NOTSUP);
	set_on("system:vA", UNSYNCED, PCAP_WARNING_TSTAMP_TYPE_NOTSUP);
	set_on("exclusive:lo", UNSYNCED, PCAP_WARNING_TSTAMP_TYPE_NOTSUP);
	set_on("mirror:vA", 77, PCAP_WARNING_TSTAMP_TYPE_NOTSUP);
	p = create("exclusive:vA", 1);
	CU_ASSERT_EQUAL(pcap_set_tstamp_type(p, PCAP_TSTAMP_ADAPTER),
			PCAP_WARNING_TSTAMP_TYPE_NOTSUP);
	CU_ASSERT_EQUAL_FATAL(pcap_activate(p), 0);
	pcap_fast_get_info(p, &info, sizeof(info));
	CU_ASSERT_PTR_NULL(strstr(info.reason, "alone"));
	finish(p);
}

/* Whose mode was changed afterwards is told as libpcap tells it. */
static void not_after_all(void)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = create("exclusive:vA", 1);
	CU_ASSERT_EQUAL(pcap_set_tstamp_type(p, UNSYNCED), 0);
	CU_ASSERT_EQUAL(pcap_fast_set_mode(p, PCAP_FAST_MODE_AUTO), 0);
	CU_ASSERT_EQUAL(pcap_activate(p), PCAP_WARNING_TSTAMP_TYPE_NOTSUP);
	pcap_fast_get_info(p, &info, sizeof(info));
	CU_ASSERT_EQUAL(info.mode, PCAP_FAST_MODE_SYSTEM);
	CU_ASSERT_PTR_NOT_NULL(strstr(info.reason, "by name"));
	pcap_close(p);
	p = create("mirror:vA", 1);
	CU_ASSERT_EQUAL(pcap_set_tstamp_type(p, UNSYNCED), 0);
	CU_ASSERT_EQUAL(pcap_set_tstamp_type(p, PCAP_TSTAMP_HOST), 0);
	CU_ASSERT_EQUAL_FATAL(pcap_activate(p), 0);
	pcap_fast_get_info(p, &info, sizeof(info));
	CU_ASSERT_PTR_NULL(strstr(info.reason, "alone"));
	finish(p);
}

/* --- alone --------------------------------------------------------------- */

/* Activation fails with these words, which also name this process. */
static void refused(const char *device, bool hash, const char *words)
{
	pcap_t *p = create(device, 1);

	CU_ASSERT_EQUAL(pcap_fast_set_rx_hash(p, hash), 0);
	CU_ASSERT_EQUAL(pcap_activate(p), PCAP_ERROR);
	CU_ASSERT_PTR_NOT_NULL(strstr(pcap_geterr(p), words));
	if (!strstr(pcap_geterr(p), words))
		printf("    %s: %s\n", device, pcap_geterr(p));
	pcap_close(p);
}

static const char *myself(void)
{
	static char text[64];
	char name[16];

	prctl(PR_GET_NAME, name);
	snprintf(text, sizeof(text), "%s (pid %d)", name, getpid());
	return text;
}

static void others_are_refused(void)
{
	struct reading r = { .step = 1, .size = size_60 };
	pcap_t *p, *other;

	if (skip())
		return;
	net_link(1, 1500);
	p = hashing("mirror:vA", PCAP_FAST_MODE_MIRROR);
	refused("mirror:vA", false, myself());
	refused("exclusive:vA", false, "has vA alone");
	refused("exclusive:vA%team", false, "has vA alone");
	refused("mirror:vA", true, myself());
	other = capture("vA", 1, PCAP_FAST_MODE_SYSTEM);
	CU_ASSERT_PTR_NOT_NULL(strstr(info.reason, myself()));
	net_send(0, 100, size_60);
	read_all(p, &r);
	expect(&r, 100);
	r = (struct reading){ .step = 1, .size = size_60 };
	read_until(other, &r, 100);
	expect(&r, 100);
	pcap_close(other);
	finish(p);
}

static void is_refused_beside(const char *there, int mode, const char *device)
{
	pcap_t *p = capture(there, 1, mode), *other;

	refused(device, true, myself());
	setenv("PCAP_FAST_RX_HASH", "on", 1);
	other = capture("vA", 1, PCAP_FAST_MODE_SYSTEM);
	unsetenv("PCAP_FAST_RX_HASH");
	CU_ASSERT_PTR_NOT_NULL(strstr(info.reason, myself()));
	pcap_close(other);
	finish(p);
}

static void is_refused(void)
{
	if (skip())
		return;
	net_link(2, 1500);
	is_refused_beside("mirror:vA", PCAP_FAST_MODE_MIRROR, "mirror:vA");
	is_refused_beside("mirror:vA", PCAP_FAST_MODE_MIRROR, "exclusive:vA");
	is_refused_beside("vA", PCAP_FAST_MODE_EXCLUSIVE, "mirror:vA");
	is_refused_beside("exclusive:vA@0", PCAP_FAST_MODE_EXCLUSIVE,
			  "exclusive:vA@1");
	refused("exclusive:vA%team", true, "a cluster's members are not");
	CU_ASSERT_EQUAL_FATAL(net_attach_foreign(), 0);
	refused("exclusive:vA", true, "stranger");
	net_detach_foreign();
	nothing_left();
}

/* A bridge does not tell XDP programs anything. */
static void driver_without(void)
{
	if (skip())
		return;
	net_link(1, 1500);
	CU_ASSERT_EQUAL_FATAL(
		net_do("ip link add br7 type bridge && ip link set br7 up"), 0);
	refused("exclusive:br7", true, "does not tell XDP programs of it");
	CU_ASSERT_FALSE(listed("exclusive:br7", UNSYNCED));
	net_do("ip link del br7");
}

/* --- what any capture can ------------------------------------------------ */

/* 100 frames: the reader sees each `step`th from the first or second on, the
 * host so many. */
static void exchange(pcap_t *p, uint32_t first, uint32_t step, unsigned hosts)
{
	struct reading r = { .next = first, .step = step, .size = size_60 };
	int host = net_host();

	net_send(0, 100, size_60);
	read_all(p, &r);
	expect(&r, 100 / step);
	CU_ASSERT_TRUE(net_host_got(host, hosts));
	close(host);
}

/* One step from program to program, and none left when all is the host's. */
static void filters(void)
{
	int host;
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = hashing("exclusive:vA", PCAP_FAST_MODE_EXCLUSIVE);
	set_filter(p, "udp dst port 7000");
	pcap_fast_get_info(p, &info, sizeof(info));
	CU_ASSERT_EQUAL(info.filter_place, PCAP_FAST_FILTER_KERNEL);
	exchange(p, 0, 2, 50);
	set_filter(p, "udp dst port 7001");
	exchange(p, 1, 2, 50);
	CU_ASSERT_EQUAL(pcap_setdirection(p, PCAP_D_OUT), 0);
	host = net_host();
	net_send(0, 100, size_60);
	CU_ASSERT_TRUE(net_host_got(host, 100));
	counters_add_up(p);
	close(host);
	finish(p);
}

static void mirror_passes(void)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = hashing("mirror:vA", PCAP_FAST_MODE_MIRROR);
	exchange(p, 0, 1, 100);
	finish(p);
}

/* By copies, whatever way was asked for: it takes no second program. */
static void keeps(void)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	setenv("PCAP_FAST_KEEP", "udp dst port 7000", 1);
	setenv("PCAP_FAST_RX", "xsk", 1);
	p = hashing("exclusive:vA", PCAP_FAST_MODE_EXCLUSIVE);
	exchange(p, 0, 1, 50);
	unsetenv("PCAP_FAST_RX");
	unsetenv("PCAP_FAST_KEEP");
	finish(p);
}

/* In a child that cannot load programs any more; the parent sends when told. */
static int filters_late(int tell, int told)
{
	const unsigned before = CU_get_number_of_failures();
	struct reading r = { .step = 2, .size = size_60 };
	pcap_t *p = hashing("exclusive:vA", PCAP_FAST_MODE_EXCLUSIVE);
	char c;

	if (setuid(65534))
		return 1;
	set_filter(p, "udp dst port 7000");
	pcap_setdirection(p, PCAP_D_OUT);
	pcap_setdirection(p, PCAP_D_INOUT);
	pcap_fast_get_info(p, &info, sizeof(info));
	if (info.filter_place != PCAP_FAST_FILTER_KERNEL)
		return 77;
	if (write(tell, "r", 1) != 1 || read(told, &c, 1) != 1)
		return 2;
	read_all(p, &r);
	expect(&r, 50);
	counters_add_up(p);
	CU_ASSERT_EQUAL(info.matched, 50);
	pcap_close(p);
	return CU_get_number_of_failures() != before;
}

static void without_privilege(void)
{
	int tell[2], told[2], status;
	pid_t pid;
	char c;

	if (skip())
		return;
	net_link(1, 1500);
	CU_ASSERT_EQUAL_FATAL(pipe(tell) || pipe(told), 0);
	pid = fork();
	if (!pid)
		_exit(filters_late(tell[1], told[0]));
	close(tell[1]);
	if (read(tell[0], &c, 1) == 1) {
		net_send(0, 100, size_60);
		CU_ASSERT_EQUAL(write(told[1], "g", 1), 1);
	}
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		pcf_skip("this kernel has no interpreted filters (6.9)");
	else
		CU_ASSERT_EQUAL(status, 0);
	close(tell[0]);
	close(told[0]);
	close(told[1]);
	nothing_left();
}

static void count_one(const struct pcf_capture *c, void *arg)
{
	unsigned *n = arg;

	CU_ASSERT_TRUE(c->local);
	CU_ASSERT_EQUAL(c->owner.mode, PCF_OWNER_EXCLUSIVE);
	CU_ASSERT_EQUAL(c->owner.pid, (uint32_t)getpid());
	CU_ASSERT_EQUAL(c->matched, 25);
	++*n;
}

static void in_the_census(void)
{
	unsigned n = 0;
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = hashing("exclusive:vA", PCAP_FAST_MODE_EXCLUSIVE);
	net_send(0, 25, size_60);
	CU_ASSERT_EQUAL(pcf_census(count_one, &n), 0);
	CU_ASSERT_EQUAL(n, 1);
	finish(p);
}

/* --- and goes ------------------------------------------------------------ */

static void hold(void *arg)
{
	(void)arg;
	hashing("exclusive:vA", PCAP_FAST_MODE_EXCLUSIVE);
	child_waits();
}

/* It takes its program with it; the next one, of either kind, finds nobody. */
static void killed(void)
{
	if (skip())
		return;
	net_link(1, 1500);
	for (int i = 0; i < 20; i++) {
		child_kill(child_start(hold, NULL));
		if (i % 2)
			pcap_close(hashing("exclusive:vA",
					   PCAP_FAST_MODE_EXCLUSIVE));
		else
			pcap_close(mirror());
	}
	nothing_left();
}

static void no_descriptor_left(void)
{
	unsigned fds, mappings;

	if (skip())
		return;
	net_link(1, 1500);
	finish(hashing("exclusive:vA", PCAP_FAST_MODE_EXCLUSIVE));
	fds = net_open_fds();
	mappings = net_mappings();
	for (int i = 0; i < 5; i++) {
		finish(hashing("exclusive:vA", PCAP_FAST_MODE_EXCLUSIVE));
		refused("exclusive:vA%team", true, "cluster");
	}
	CU_ASSERT_EQUAL(net_open_fds(), fds);
	CU_ASSERT_EQUAL(net_mappings(), mappings);
}

static CU_TestInfo tests[] = {
	PCF_TEST(hash_by_flow),
	PCF_TEST(hash_by_sockets),
	PCF_TEST(exact),
	PCF_TEST(jumbo_hash),
	PCF_TEST(held),
	PCF_TEST(not_asked_for),
	PCF_TEST(offered),
	PCF_TEST(host_time_instead),
	PCF_TEST(refused_types),
	PCF_TEST(not_after_all),
	PCF_TEST(others_are_refused),
	PCF_TEST(is_refused),
	PCF_TEST(driver_without),
	PCF_TEST(filters),
	PCF_TEST(mirror_passes),
	PCF_TEST(keeps),
	PCF_TEST(without_privilege),
	PCF_TEST(in_the_census),
	PCF_TEST(killed),
	PCF_TEST(no_descriptor_left),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	flows = flows_new();
	return pcf_run_tests("hwmeta", tests);
}
