/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flow hash, in user space and as the kernel runs it, and how a cluster's
 * table spreads it over the members.
 */
#include "backend/cluster.h"
#include "backend/flow.h"
#include "compat/ebpf.h"
#include "tests/filter_kernel.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEED UINT64_C(0x123456789abcdef0)

/* --- frames -------------------------------------------------------------- */

static uint8_t frame[256];
static unsigned len;

static void put(const void *bytes, unsigned n)
{
	memcpy(frame + len, bytes, n);
	len += n;
}

static void put16(unsigned v)
{
	put((uint8_t[]){ v >> 8, v }, 2);
}

/* Addresses of one host: MAC, IPv4 and IPv6. */
static void put_host(unsigned host, unsigned n)
{
	uint8_t a[16] = { 0x20, 1, 0xd, 0xb8 };

	a[n - 1] = host;
	a[n - 2] = host >> 8;
	put(a, n);
}

static void begin(unsigned from, unsigned to, unsigned type)
{
	len = 0;
	memset(frame, 0, sizeof(frame));
	put_host(to, 6);
	put_host(from, 6);
	put16(type);
}

static void vlan(unsigned from, unsigned to, unsigned tpid, unsigned type)
{
	begin(from, to, tpid);
	put16(7);
	put16(type);
}

static void ipv4(unsigned from, unsigned to, unsigned protocol, unsigned frag)
{
	put((uint8_t[]){ 0x45, 0, 0, 60, 1, 2 }, 6);
	put16(frag);
	put((uint8_t[]){ 64, protocol, 0, 0 }, 4);
	put_host(from, 4);
	put_host(to, 4);
}

static void ipv6(unsigned from, unsigned to, unsigned next)
{
	put((uint8_t[]){ 0x60, 0, 0, 0, 0, 40, next, 64 }, 8);
	put_host(from, 16);
	put_host(to, 16);
}

static void ports(unsigned from, unsigned to)
{
	put16(from);
	put16(to);
	put("0123456789abcdef", 16);
}

static uint64_t hash(void)
{
	return pcf_flow_hash(frame, len, SEED);
}

static uint64_t tcp4(unsigned from, unsigned to, unsigned sport, unsigned dport)
{
	begin(from, to, 0x0800);
	ipv4(from, to, 6, 0);
	ports(sport, dport);
	return hash();
}

static uint64_t tcp6(unsigned from, unsigned to, unsigned sport, unsigned dport)
{
	begin(from, to, 0x86dd);
	ipv6(from, to, 6);
	ports(sport, dport);
	return hash();
}

/* --- what it tells apart ------------------------------------------------- */

static void symmetric(void)
{
	CU_ASSERT_EQUAL(tcp4(1, 2, 80, 4000), tcp4(2, 1, 4000, 80));
	CU_ASSERT_EQUAL(tcp6(1, 2, 80, 4000), tcp6(2, 1, 4000, 80));
	CU_ASSERT_NOT_EQUAL(tcp4(1, 2, 80, 4000), tcp4(1, 2, 4000, 80));
	CU_ASSERT_NOT_EQUAL(tcp4(1, 2, 80, 4000), tcp4(1, 2, 80, 4001));
	CU_ASSERT_NOT_EQUAL(tcp6(1, 2, 80, 4000), tcp6(1, 3, 80, 4000));
	CU_ASSERT_NOT_EQUAL(tcp6(1, 2, 80, 4000), tcp6(1, 2, 81, 4000));
	CU_ASSERT_NOT_EQUAL(tcp4(1, 2, 80, 4000), 0);
}

static void protocols(void)
{
	uint64_t tcp = tcp4(1, 2, 80, 4000), udp;

	frame[23] = 17;
	udp = hash();
	frame[23] = 132;
	CU_ASSERT_NOT_EQUAL(tcp, udp);
	CU_ASSERT_NOT_EQUAL(hash(), udp);
	/* whatever else has no ports */
	frame[23] = 1;
	udp = hash();
	frame[23] = 47;
	frame[34]++;
	CU_ASSERT_EQUAL(hash(), udp);
	CU_ASSERT_NOT_EQUAL(pcf_flow_hash(frame, len, SEED + 1), udp);
}

static void tags(void)
{
	uint64_t plain = tcp4(1, 2, 80, 4000);

	vlan(1, 2, 0x8100, 0x0800);
	ipv4(1, 2, 6, 0);
	ports(80, 4000);
	CU_ASSERT_EQUAL(hash(), plain);
	frame[15]++;
	CU_ASSERT_EQUAL(hash(), plain);
	vlan(1, 2, 0x88a8, 0x8100);
	put16(9);
	put16(0x0800);
	ipv4(1, 2, 6, 0);
	ports(80, 4000);
	CU_ASSERT_EQUAL(hash(), plain);
}

/* All fragments of a datagram, the first and the last, and nothing of the
 * ports, which only the first has. */
static void fragments4(void)
{
	uint64_t first;

	begin(1, 2, 0x0800);
	ipv4(1, 2, 17, 0x2000);
	ports(53, 4000);
	first = hash();
	begin(1, 2, 0x0800);
	ipv4(1, 2, 17, 0x2005);
	ports(0xdead, 0xbeef);
	CU_ASSERT_EQUAL(hash(), first);
	begin(2, 1, 0x0800);
	ipv4(2, 1, 17, 0x0009);
	ports(1, 2);
	CU_ASSERT_EQUAL(hash(), first);
	/* don't fragment: not a fragment */
	begin(1, 2, 0x0800);
	ipv4(1, 2, 17, 0x4000);
	ports(53, 4000);
	CU_ASSERT_NOT_EQUAL(hash(), first);
}

static uint64_t fragment6(unsigned next, unsigned offset, unsigned port)
{
	begin(1, 2, 0x86dd);
	ipv6(1, 2, 44);
	put((uint8_t[]){ next, 0 }, 2);
	put16(offset);
	put("abcd", 4);
	ports(port, 4000);
	return hash();
}

static void fragments6(void)
{
	CU_ASSERT_EQUAL(fragment6(17, 1, 53), fragment6(17, 0x100, 0xdead));
	CU_ASSERT_EQUAL(fragment6(17, 1, 53), fragment6(0, 0x108, 1));
	/* one that is the whole datagram */
	CU_ASSERT_EQUAL(fragment6(6, 0, 80), tcp6(1, 2, 80, 4000));
}

static void extensions(void)
{
	uint64_t plain = tcp6(1, 2, 80, 4000), far;

	begin(1, 2, 0x86dd);
	ipv6(1, 2, 0);
	put((uint8_t[8]){ 43 }, 8);
	put((uint8_t[16]){ 60, 1 }, 16);
	put((uint8_t[8]){ 51 }, 8);
	put((uint8_t[16]){ 6, 2 }, 16);
	ports(80, 4000);
	CU_ASSERT_EQUAL(hash(), plain);
	/* more of them than are passed over: as without ports */
	begin(1, 2, 0x86dd);
	ipv6(1, 2, 58);
	ports(1, 1);
	far = hash();
	begin(1, 2, 0x86dd);
	ipv6(1, 2, 0);
	for (int i = 0; i < 5; i++)
		put((uint8_t[8]){ 60 }, 8);
	put((uint8_t[8]){ 6 }, 8);
	ports(80, 4000);
	CU_ASSERT_EQUAL(hash(), far);
}

static void others(void)
{
	uint64_t there;

	begin(1, 2, 0x88b5);
	put("payload, payload", 16);
	there = hash();
	begin(2, 1, 0x0806);
	CU_ASSERT_EQUAL(hash(), there);
	begin(3, 1, 0x0806);
	CU_ASSERT_NOT_EQUAL(hash(), there);
	/* headers that cannot be: by MAC as well */
	begin(1, 2, 0x0800);
	put("\x44", 1);
	len = 60;
	CU_ASSERT_EQUAL(hash(), there);
	len = 30;
	frame[14] = 0x45;
	CU_ASSERT_EQUAL(hash(), there);
	CU_ASSERT_EQUAL(pcf_flow_hash(frame, 13, SEED), 0);
}

/* --- the kernel's ------------------------------------------------------- */

static int load(int shift)
{
	struct pcf_ebpf e;
	int fd;

	pcf_ebpf_init(&e);
	pcf_mov64_reg(&e, BPF_REG_6, BPF_REG_1);
	pcf_load_imm64(&e, BPF_REG_7, SEED);
	pcf_flow_emit(&e);
	pcf_alu64_imm(&e, BPF_RSH, BPF_REG_0, shift);
	pcf_exit(&e);
	fd = pcf_ebpf_finish(&e)
		     ? -1
		     : filter_kernel_load(e.insns, e.len, 1, NULL, 0);
	pcf_ebpf_free(&e);
	return fd;
}

static unsigned pick(const unsigned *from, unsigned n)
{
	return from[random() % n];
}

#define PICK(...)                                                              \
	pick((const unsigned[]){ __VA_ARGS__ },                                \
	     sizeof((const unsigned[]){ __VA_ARGS__ }) / sizeof(unsigned))

/* Frames that are likely to go far into the program, cut anywhere. */
static void random_frame(void)
{
	unsigned type = PICK(0x0800, 0x0800, 0x86dd, 0x86dd, 0x0806);

	begin(random(), random(), type);
	if (random() % 3 == 0)
		vlan(random(), random(), PICK(0x8100, 0x88a8),
		     PICK(type, type, 0x8100));
	if (type == 0x0800)
		ipv4(random(), random(), PICK(1, 6, 17, 132),
		     PICK(0, 0, 0x4000, 0x2000, 7));
	else
		ipv6(random(), random(),
		     PICK(0, 6, 17, 43, 44, 51, 58, 60, 132));
	while (len < 200) {
		put((uint8_t[]){ PICK(0, 6, 17, 43, 44, 51, 60, 132),
				 random() % 3 },
		    2);
		put16(PICK(0, 0, 1, 8));
		put16(random());
		put16(random());
	}
	if (random() % 4 == 0)
		frame[14] = PICK(0x45, 0x46, 0x4f, 0x44, 0x55);
	len = random() % 4 ? len : 14 + random() % (len - 13);
}

static void in_the_kernel(void)
{
	int low, high;
	unsigned wrong = 0;

	if (geteuid()) {
		pcf_skip("needs root to load a program");
		return;
	}
	low = load(0);
	high = load(32);
	CU_ASSERT_TRUE_FATAL(low >= 0 && high >= 0);
	for (int i = 0; i < 20000; i++) {
		uint32_t l = 0, h = 0;

		random_frame();
		if (filter_kernel_run(low, frame, len, &l) ||
		    filter_kernel_run(high, frame, len, &h))
			abort();
		wrong += ((uint64_t)h << 32 | l) != hash();
	}
	CU_ASSERT_EQUAL(wrong, 0);
	close(low);
	close(high);
}

/* --- the table ---------------------------------------------------------- */

static uint64_t before[PCF_BUCKETS], after[PCF_BUCKETS];

static unsigned owned(const uint64_t *bucket, unsigned member)
{
	unsigned n = 0;

	for (unsigned b = 0; b < PCF_BUCKETS; b++)
		n += (bucket[b] & 0xff) == member;
	return n;
}

static void shares(void)
{
	for (unsigned n = 1; n <= PCF_MEMBERS; n++) {
		pcf_cluster_spread((UINT64_C(1) << n) - 1, after);
		for (unsigned m = 0; m < n; m++) {
			CU_ASSERT_TRUE(owned(after, m) <=
				       PCF_BUCKETS / n + PCF_BUCKETS / 64);
			CU_ASSERT_TRUE(owned(after, m) >=
				       PCF_BUCKETS / n * 2 / 5);
		}
	}
	pcf_cluster_spread(0, after);
	CU_ASSERT_EQUAL(owned(after, PCF_NOBODY), PCF_BUCKETS);
}

/* The heirs are the other members, each once. */
static void heirs(void)
{
	pcf_cluster_spread(0x40000015, after);
	for (unsigned b = 0; b < PCF_BUCKETS; b++) {
		uint64_t seen = 0, line = after[b];

		for (int i = 0; i < 4; i++, line >>= 8)
			seen |= UINT64_C(1) << (line & 0xff);
		CU_ASSERT_EQUAL(seen, 0x40000015);
		CU_ASSERT_EQUAL(line, 0xffffffff);
	}
}

/* A fifth member takes a fifth; what is not its own stays where it was. */
static void little_moves(void)
{
	unsigned astray = 0;

	pcf_cluster_spread(0x0f, before);
	pcf_cluster_spread(0x1f, after);
	for (unsigned b = 0; b < PCF_BUCKETS; b++)
		astray += (before[b] & 0xff) != (after[b] & 0xff) &&
			  (after[b] & 0xff) != 4;
	CU_ASSERT_TRUE(astray <= PCF_BUCKETS / 20);
	CU_ASSERT_TRUE(owned(after, 4) >= PCF_BUCKETS / 8);
}

/* Flows of one network meet all members alike. */
static void flows_spread(void)
{
	unsigned n[4] = { 0 };

	pcf_cluster_spread(0x0f, after);
	for (unsigned i = 0; i < 40000; i++) {
		uint64_t h = tcp4(i / 200, 250, 1024 + i % 200, 443);

		n[after[h >> (64 - PCF_CLUSTER_BITS)] & 0xff]++;
	}
	for (int i = 0; i < 4; i++)
		CU_ASSERT_TRUE(n[i] > 8000 && n[i] < 12000);
}

static CU_TestInfo tests[] = { PCF_TEST(symmetric),    PCF_TEST(protocols),
			       PCF_TEST(tags),	       PCF_TEST(fragments4),
			       PCF_TEST(fragments6),   PCF_TEST(extensions),
			       PCF_TEST(others),       PCF_TEST(in_the_kernel),
			       PCF_TEST(shares),       PCF_TEST(heirs),
			       PCF_TEST(little_moves), PCF_TEST(flows_spread),
			       CU_TEST_INFO_NULL };

int main(void)
{
	return pcf_run_tests("cluster", tests);
}
