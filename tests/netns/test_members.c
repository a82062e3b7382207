/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Members of a cluster that come, go and die while packets come: what is lost,
 * and when. On a real interface in a namespace of its own, as root.
 */
#include "backend/root.h"
#include "tests/netns/child.h"
#include "tests/netns/common.h"
#include "tests/netns/members.h"

#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- coming and going under traffic -------------------------------------- */

static pid_t sender(unsigned n, unsigned pps)
{
	pid_t child = fork();

	if (!child) {
		flows_send(flows, "vB", n, pps);
		_exit(0);
	}
	return child;
}

static void stop_sender(pid_t child)
{
	flows->stop = true;
	waitpid(child, NULL, 0);
}

/* All handles of a process read in turn, with times that may have none. */
static void read_for(pcap_t **p, unsigned n, unsigned ms)
{
	for (unsigned i = 0; i < ms; i++) {
		for (unsigned m = 0; m < n; m++)
			if (p[m])
				take(p[m], m);
		usleep(1000);
	}
}

/* Frames that nobody saw, but for those of [from, to). */
static unsigned lost_outside(const uint32_t (*moves)[2], unsigned nmoves)
{
	unsigned lost = 0;

	for (uint32_t i = 0; i < flows->sent; i++) {
		bool moving = false;

		for (unsigned m = 0; m < nmoves; m++)
			moving |= i >= moves[m][0] && i < moves[m][1];
		lost += !moving && !flows_times(flows, i);
	}
	return lost;
}

static unsigned doubled(void)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < flows->sent; i++)
		n += flows_times(flows, i) > 1;
	return n;
}

/* Joining loses nothing at all, leaving only what the leaver has not read. */
static void come_and_go(void)
{
	uint32_t moves[32][2], first = 0;
	unsigned nmoves = 0;
	pcap_t *p[4];
	pid_t child;

	if (skip())
		return;
	begin(1);
	p[0] = member();
	p[1] = p[2] = p[3] = NULL;
	child = sender(FLOWS_MOST, 8000);
	for (int i = 0; i < 24; i++) {
		int m = i * 7 % 4;

		read_for(p, 4, 30);
		if (!p[m]) {
			p[m] = member();
			continue;
		}
		if (!p[!m])
			continue;
		first = flows->sent;
		take(p[m], m);
		pcap_close(p[m]);
		p[m] = NULL;
		moves[nmoves][0] = first;
		moves[nmoves++][1] = flows->sent + 1;
	}
	read_for(p, 4, 30);
	stop_sender(child);
	read_for(p, 4, 50);
	CU_ASSERT_TRUE(nmoves >= 6);
	CU_ASSERT_TRUE(flows->sent > 4000);
	CU_ASSERT_EQUAL(doubled(), 0);
	CU_ASSERT_EQUAL(lost_outside(moves, nmoves), 0);
	for (int m = 0; m < 4; m++)
		if (p[m])
			pcap_close(p[m]);
	end();
}

/* A member in a process of its own, which reads until it is killed or told to
 * stop. */
static void process(void *arg)
{
	const unsigned me = (uintptr_t)arg;
	pcap_t *p = member();

	child_ready();
	while (!flows->stop || take(p, me)) {
		take(p, me);
		usleep(500);
	}
	read_for(&p, 0, 50);
	take(p, me);
	pcap_close(p);
}

static pid_t start(uintptr_t me)
{
	return child_start(process, (void *)me);
}

static void reap(pid_t child)
{
	waitpid(child, NULL, 0);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

/* The last frame that nobody saw, in ns after `killed`; 0 none after it. */
static uint64_t last_lost(uint64_t killed)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < flows->sent; i++)
		if (!flows_times(flows, i) && flows->when[i] > killed)
			last = flows->when[i] - killed;
	return last;
}

/* Its share goes to the rest: 20 ms for the kernel to end the process, where
 * a second was promised. */
static void killed_member(void)
{
	pid_t member[3], child;
	uint64_t killed, late;

	if (skip())
		return;
	begin(1);
	for (int i = 0; i < 3; i++)
		member[i] = start(i);
	child = sender(FLOWS_MOST, 20000);
	usleep(300000);
	killed = now();
	child_kill(member[1]);
	usleep(1500000);
	stop_sender(child);
	reap(member[0]);
	reap(member[2]);
	late = last_lost(killed);
	printf("    the last frame lost %.1f ms after the kill\n", late / 1e6);
	CU_ASSERT_TRUE(late < UINT64_C(1000000000));
	CU_ASSERT_EQUAL(last_lost(0) <= killed + late, true);
	CU_ASSERT_EQUAL(doubled(), 0);
	end();
}

/* ... and what the host sends, though no packet comes in. */
static void killed_outgoing(void)
{
	pid_t child;
	pcap_t *p[2];
	uint32_t from;

	if (skip())
		return;
	begin(1);
	p[0] = member();
	child = start(1);
	flows_send(flows, "vA", 500, 5000);
	take_all(p, 1);
	CU_ASSERT_TRUE(seen_by(1, 0) > 100 && seen_by(0, 0) > 100);
	child_kill(child);
	usleep(400000);
	flows_send(flows, "vA", 500, 5000);
	take_all(p, 1);
	usleep(400000);
	from = flows->sent;
	flows_send(flows, "vA", 500, 5000);
	take_all(p, 1);
	exactly_once(from);
	CU_ASSERT_EQUAL(seen_by(0, from), 500);
	pcap_close(p[0]);
	end();
}

/* The dead one's place is taken again. */
static void replaced(void)
{
	pid_t child[2];
	uint32_t from;
	pcap_t *p[2];

	if (skip())
		return;
	begin(1);
	p[0] = member();
	for (int round = 0; round < 40; round++) {
		child[0] = start(1);
		child[1] = start(2);
		child_kill(child[round % 2]);
		/* the program finds it dead */
		flows_send(flows, "vB", 300, 0);
		child_kill(child[!(round % 2)]);
	}
	p[1] = member();
	CU_ASSERT_PTR_NOT_NULL(strstr(info.reason, "one of 2"));
	take_all(p, 2);
	from = flows->sent;
	flows_send(flows, "vB", BURST, 0);
	take_all(p, 2);
	exactly_once(from);
	CU_ASSERT_TRUE(seen_by(1, from) > BURST / 3);
	pcap_close(p[0]);
	pcap_close(p[1]);
	end();
}

static void open_and_close(unsigned seed, unsigned ms)
{
	uint64_t until = now() + ms * UINT64_C(1000000);
	unsigned before = CU_get_number_of_failures();

	srandom(seed);
	while (now() < until) {
		pcap_t *p = member();

		usleep(random() % 5000);
		take(p, 7);
		pcap_close(p);
	}
	_exit(CU_get_number_of_failures() > before);
}

/* Many at once, some killed while they hold the lock: one that stays has its
 * share in the end, and the whole when the others are gone. */
static void many_at_once(void)
{
	pid_t child[5];
	pcap_t *p;
	int status;

	if (skip())
		return;
	begin(1);
	p = member();
	for (int round = 0; round < 6; round++) {
		for (unsigned i = 0; i < 5; i++) {
			child[i] = fork();
			if (!child[i])
				open_and_close(round * 5 + i, 300);
		}
		usleep(100000 + random() % 100000);
		kill(child[0], SIGKILL);
		kill(child[1], SIGKILL);
		for (unsigned i = 0; i < 5; i++) {
			waitpid(child[i], &status, 0);
			if (i > 1)
				CU_ASSERT_EQUAL(status, 0);
		}
	}
	take_all(&p, 1);
	flows_send(flows, "vB", BURST, 0);
	take_all(&p, 1);
	exactly_once(0);
	CU_ASSERT_EQUAL(seen_by(0, 0), BURST);
	pcap_close(p);
	end();
}

/* Two who begin it at the same time are in one cluster. */
static void two_founders(void)
{
	unsigned before = CU_get_number_of_failures();
	pid_t child[3];
	int status;

	if (skip())
		return;
	begin(1);
	for (int round = 0; round < 25; round++) {
		for (unsigned i = 0; i < 3; i++) {
			child[i] = fork();
			if (!child[i]) {
				pcap_t *p = member();

				usleep(20000);
				pcap_close(p);
				_exit(CU_get_number_of_failures() > before);
			}
		}
		for (unsigned i = 0; i < 3; i++) {
			waitpid(child[i], &status, 0);
			CU_ASSERT_EQUAL(status, 0);
		}
	}
	end();
}

/* Owns the lock, from its record on. */
static void hold_lock(void *arg)
{
	struct pcf_root r;
	struct pcf_owner me = { 0 };
	char why[256];

	(void)arg;
	if (!pcf_root_open(&r, if_nametoindex("vA"), false, why, sizeof(why)) &&
	    !pcf_root_live(&r, &me, why, sizeof(why)) &&
	    !pcf_root_record(&r, PCF_SLOT_LOCK, &me, why, sizeof(why)))
		child_waits();
}

/* One at a time; whoever dies in it stops nobody, and who only stops does not
 * stop others for ever. */
static void locked(void)
{
	pcap_t *p[2], *refused;
	pid_t child;

	if (skip())
		return;
	begin(1);
	p[0] = member();
	child = child_start(hold_lock, NULL);
	refused = create(NAME);
	CU_ASSERT_EQUAL(pcap_activate(refused), PCAP_ERROR);
	CU_ASSERT_PTR_NOT_NULL(strstr(pcap_geterr(refused), "does not finish"));
	pcap_close(refused);
	child_kill(child);
	p[1] = member();
	flows_send(flows, "vB", BURST, 0);
	take_all(p, 2);
	exactly_once(0);
	CU_ASSERT_TRUE(seen_by(1, 0) > BURST / 3);
	/* leaving goes on without it: as if killed */
	child = child_start(hold_lock, NULL);
	pcap_close(p[1]);
	flows_send(flows, "vB", BURST, 0);
	take_all(p, 1);
	exactly_once(BURST);
	child_kill(child);
	pcap_close(p[0]);
	end();
}

static CU_TestInfo tests[] = {
	PCF_TEST(come_and_go),	   PCF_TEST(killed_member),
	PCF_TEST(killed_outgoing), PCF_TEST(replaced),
	PCF_TEST(many_at_once),	   PCF_TEST(two_founders),
	PCF_TEST(locked),	   CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("members", tests);
}
