/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many captures on one interface: who opens first, who goes how, and what
 * stands in the way of joining.
 *
 * PCF_ROUNDS=N  so many rounds of what is done again and again
 */
#include "backend/root.h"
#include "tests/netns/child.h"
#include "tests/netns/common.h"
#include "tests/netns/program.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILL_ROUNDS 50
#define FIRST_ROUNDS 100
#define CAPTURES 3

static int rounds(int usual)
{
	const char *wanted = getenv("PCF_ROUNDS");

	return wanted ? atoi(wanted) : usual;
}

static pcap_t *create(const char *device)
{
	pcap_t *p = fresh(device);

	pcap_set_snaplen(p, 65535);
	pcap_set_buffer_size(p, 1 << 20);
	return p;
}

/* Active and non-blocking, or NULL with what stands in the way in errbuf. */
static pcap_t *try(const char *device)
{
	pcap_t *p = create(device);

	if (pcap_activate(p) >= 0) {
		pcap_setnonblock(p, 1, errbuf);
		return p;
	}
	snprintf(errbuf, sizeof(errbuf), "%.200s", pcap_geterr(p));
	pcap_close(p);
	return NULL;
}

static pcap_t *capture(const char *device)
{
	pcap_t *p = try(device);

	if (!p)
		printf("    %s: %s\n", device, errbuf);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	return p;
}

static int mode_of(pcap_t *p)
{
	struct pcap_fast_info info;

	pcap_fast_get_info(p, &info, sizeof(info));
	return info.mode;
}

struct count {
	unsigned n, wrong;
	int64_t last;
};

static void see(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	struct count *c = (struct count *)user;
	uint32_t number;

	memcpy(&number, data + 42, 4);
	c->n++;
	c->wrong += h->caplen != 60 || !net_same(data, 60, number) ||
		    number <= c->last;
	c->last = number;
}

/* All that comes, at least `want` if they come within a second; the frames'
 * numbers must grow. */
static unsigned read_all(pcap_t *p, unsigned want)
{
	struct count c = { .last = -1 };

	for (int ms = 0; ms < 1000; ms++) {
		while (pcap_dispatch(p, -1, see, (u_char *)&c) > 0)
			;
		if (c.n >= want)
			break;
		usleep(1000);
	}
	CU_ASSERT_EQUAL(c.wrong, 0);
	return c.n;
}

static void nothing_left(void)
{
	CU_ASSERT_EQUAL(net_left_over(), 0);
	CU_ASSERT_EQUAL(net_xdp(), 0);
}

/* --- order --------------------------------------------------------------- */

static const char *const devices[CAPTURES] = { "mirror:vA", "exclusive:vA",
					       "mirror:vA" };
static const char *const filters[CAPTURES] = { "udp port 7000", "udp",
					       "udp port 7001" };
static const unsigned share[CAPTURES] = { 500, 1000, 500 };

static void exchange(pcap_t *const *p)
{
	int host = net_host();
	bool taken = p[1];

	net_send(0, 1000, size_60);
	for (int i = 0; i < CAPTURES; i++)
		if (p[i])
			CU_ASSERT_EQUAL(read_all(p[i], share[i]),
					share[i]);
	CU_ASSERT_TRUE(net_host_got(host, taken ? 0 : 1000));
	close(host);
}

static void in_order(const int *opening, const int *closing)
{
	pcap_t *p[CAPTURES] = { NULL };

	for (int i = 0; i < CAPTURES; i++) {
		p[opening[i]] = capture(devices[opening[i]]);
		set_filter(p[opening[i]], filters[opening[i]]);
		exchange(p);
	}
	for (int i = 0; i < CAPTURES; i++) {
		pcap_close(p[closing[i]]);
		p[closing[i]] = NULL;
		exchange(p);
	}
}

/* Opened in every order, closed in every order: each gets all that its filter
 * lets through, whoever else is there. */
static void every_order(void)
{
	static const int orders[6][CAPTURES] = { { 0, 1, 2 }, { 0, 2, 1 },
						 { 1, 0, 2 }, { 1, 2, 0 },
						 { 2, 0, 1 }, { 2, 1, 0 } };

	if (skip())
		return;
	net_link(1, 1500);
	for (int i = 0; i < 36; i++)
		in_order(orders[i / 6], orders[i % 6]);
	nothing_left();
}

/* --- at once ------------------------------------------------------------- */

static pcap_t *said(const char *device)
{
	pcap_t *p = try(device);

	if (!p)
		fprintf(stderr, "    %s: %s\n", device, errbuf);
	return p;
}

/* Two processes at once on an interface without a root program: one attaches
 * it, the other joins, and both have their captures. */
static void first_openers(void)
{
	unsigned failures = 0, alone = 0;
	struct opener a, b;

	if (skip())
		return;
	net_link(1, 1500);
	a = opener_start(said, "mirror:vA");
	b = opener_start(said, "exclusive:vA");
	for (int round = 0; round < rounds(FIRST_ROUNDS); round++) {
		CU_ASSERT_TRUE_FATAL(opener_tell(&a) && opener_tell(&b));
		failures += (opener_says(&a) != 'y') +
			    (opener_says(&b) != 'y');
		CU_ASSERT_TRUE_FATAL(opener_tell(&a) && opener_tell(&b));
		CU_ASSERT_TRUE_FATAL(opener_says(&a) == 'c' &&
				     opener_says(&b) == 'c');
		alone += net_xdp() == 0;
	}
	CU_ASSERT_EQUAL(failures, 0);
	CU_ASSERT_EQUAL(alone, (unsigned)rounds(FIRST_ROUNDS));
	opener_stop(&a);
	opener_stop(&b);
	nothing_left();
}

/* --- killed -------------------------------------------------------------- */

static void hold(void *device)
{
	if (try(device))
		child_waits();
}

/* Any subset, while frames come: who stays loses none. */
static void survivors(void)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	srand(1);
	for (int round = 0; round < rounds(KILL_ROUNDS); round++) {
		pid_t child[CAPTURES], sender;
		int subset = rand() % 8;
		unsigned n = 0;

		p = capture(round % 2 ? "mirror:vA" : "exclusive:vA");
		for (int i = 0; i < CAPTURES; i++)
			child[i] = child_start(hold, i || !(round % 2) ?
							     "mirror:vA" :
							     "exclusive:vA");
		sender = fork();
		if (!sender) {
			for (int i = 0; i < 10; i++)
				net_send(i * 50, 50, size_60);
			_exit(0);
		}
		for (int i = 0; i < CAPTURES; i++)
			if (subset >> i & 1)
				kill(child[i], SIGKILL);
		waitpid(sender, NULL, 0);
		n = read_all(p, 500);
		if (n != 500)
			printf("    round %d: %u of 500\n", round, n);
		CU_ASSERT_EQUAL(n, 500);
		pcap_close(p);
		for (int i = 0; i < CAPTURES; i++)
			child_kill(child[i]);
	}
	CU_ASSERT_EQUAL(
		net_do("ip -d link show vA | grep -q 'promiscuity 0 '"), 0);
	nothing_left();
}

/* --- what stands in the way ---------------------------------------------- */

static void sees_50(const char *device)
{
	pcap_t *p = capture(device);

	net_send(0, 50, size_60);
	CU_ASSERT_EQUAL(read_all(p, 50), 50);
	pcap_close(p);
}

static void refused(const char *device, const char *text)
{
	CU_ASSERT_PTR_NULL(try(device));
	if (!strstr(errbuf, text))
		printf("    \"%s\" lacks \"%s\"\n", errbuf, text);
	CU_ASSERT_PTR_NOT_NULL(strstr(errbuf, text));
}

static void slots_taken(void)
{
	pcap_t *p[PCF_SLOT_MIRRORS], *more;

	if (skip())
		return;
	net_link(1, 1500);
	for (int i = 0; i < PCF_SLOT_MIRRORS; i++)
		p[i] = capture("mirror:vA");
	CU_ASSERT_PTR_NULL(try("mirror:vA"));
	CU_ASSERT_PTR_NOT_NULL(strstr(errbuf, "8 places for mirrors"));
	more = capture("vA");
	CU_ASSERT_EQUAL(mode_of(more), PCAP_FAST_MODE_SYSTEM);
	pcap_close(more);
	/* sockets take one for what the host keeps, as others listen */
	setenv("PCAP_FAST_RX", "xsk", 1);
	refused("exclusive:vA", "8 places for mirrors");
	unsetenv("PCAP_FAST_RX");
	pcap_close(capture("exclusive:vA"));
	pcap_close(p[0]);
	more = capture("exclusive:vA");
	p[0] = capture("system:vA");
	net_send(0, 100, size_60);
	CU_ASSERT_EQUAL(read_all(more, 100), 100);
	for (int i = 1; i < PCF_SLOT_MIRRORS; i++)
		CU_ASSERT_EQUAL(read_all(p[i], 100), 100);
	CU_ASSERT_EQUAL(read_all(p[0], 0), 0);
	/* one goes, one comes */
	pcap_close(p[3]);
	p[3] = capture("mirror:vA");
	for (int i = 0; i < PCF_SLOT_MIRRORS; i++)
		pcap_close(p[i]);
	pcap_close(more);
	nothing_left();
}

/* Records that nobody of ours wrote: one of another version may be anybody's
 * and is left alone; one of this version whose owner does not live is not in
 * the way. */
static void nonsense_owners(void)
{
	unsigned char record[sizeof(struct pcf_owner)];
	struct pcf_owner dead = { .version = PCF_OWNER_VERSION,
				  .lifeline = UINT32_MAX };
	pcap_t *p;
	int owners;

	if (skip())
		return;
	net_link(1, 1500);
	p = capture("mirror:vA");
	owners = program_map("pcf_owners");
	CU_ASSERT_TRUE_FATAL(owners >= 0);
	for (int byte = 0; byte < 256; byte += 85) {
		memset(record, byte, sizeof(record));
		for (uint32_t slot = 1; slot < 4; slot++)
			CU_ASSERT_EQUAL(program_put(owners, slot, record), 0);
		program_put(owners,
			    byte % 2 ? PCF_SLOT_CLUSTER : PCF_SLOT_EXCLUSIVE,
			    record);
		sees_50("mirror:vA");
		refused("exclusive:vA", "another version");
		sees_50("system:vA");
	}
	for (uint32_t slot = 1; slot < PCF_SLOTS; slot++)
		CU_ASSERT_EQUAL(program_put(owners, slot, &dead), 0);
	sees_50("mirror:vA");
	sees_50("exclusive:vA");
	close(owners);
	pcap_close(p);
	nothing_left();
}

/* A program of the same name that is not ours, with other maps or none. */
static void foreign_root(void)
{
	pcap_t *p;
	uint32_t id;

	if (skip())
		return;
	net_link(1, 1500);
	for (int maps = 0; maps <= 2; maps++) {
		CU_ASSERT_EQUAL_FATAL(program_attach(PCF_ROOT_NAME, maps), 0);
		id = net_xdp();
		CU_ASSERT_PTR_NULL(try("mirror:vA"));
		CU_ASSERT_PTR_NULL(try("exclusive:vA"));
		CU_ASSERT_NOT_EQUAL(*errbuf, '\0');
		p = capture("vA");
		CU_ASSERT_EQUAL(mode_of(p), PCAP_FAST_MODE_SYSTEM);
		net_send(0, 50, size_60);
		CU_ASSERT_EQUAL(read_all(p, 50), 50);
		pcap_close(p);
		CU_ASSERT_EQUAL(net_xdp(), id);
		net_detach_foreign();
	}
}

static void drop_sys_admin(void)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct d[2];

	syscall(SYS_capget, &h, d);
	d[0].effective &= ~(1u << CAP_SYS_ADMIN);
	d[0].permitted &= ~(1u << CAP_SYS_ADMIN);
	syscall(SYS_capset, &h, d);
}

static void open_without(void)
{
	pcap_t *p;

	drop_sys_admin();
	refused("mirror:vA", "CAP_SYS_ADMIN");
	p = capture("vA");
	CU_ASSERT_EQUAL(mode_of(p), PCAP_FAST_MODE_SYSTEM);
	pcap_close(p);
}

/* To look at what is attached needs more privilege than to attach. */
static void without_sys_admin(void)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = capture("mirror:vA");
	child_runs(open_without);
	net_send(0, 50, size_60);
	CU_ASSERT_EQUAL(read_all(p, 50), 50);
	pcap_close(p);
	nothing_left();
}

static CU_TestInfo tests[] = {
	PCF_TEST(every_order),	   PCF_TEST(first_openers),
	PCF_TEST(survivors),	   PCF_TEST(slots_taken),
	PCF_TEST(nonsense_owners), PCF_TEST(foreign_root),
	PCF_TEST(without_sys_admin), CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("joining", tests);
}
