/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exclusive captures that share an interface by RX queue: who sees which frame,
 * who is refused, and what becomes of the queues of one that was killed. On a
 * real interface in a namespace of its own, as root; both ways to receive.
 *
 * A mirror of all queues says on which queue each frame came.
 */
#include "tests/netns/child.h"
#include "tests/netns/common.h"
#include "tests/netns/members.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUEUES 4
/* Who is not of one queue. */
#define ALL    QUEUES
#define ROUNDS 60

static uint8_t queue_of[FLOWS_MOST];

static void by_both(void (*test)(void))
{
	if (skip())
		return;
	test();
	setenv("PCAP_FAST_RX", "xsk", 1);
	test();
	unsetenv("PCAP_FAST_RX");
}

static const char *of_queue(unsigned queue)
{
	static char name[32];

	snprintf(name, sizeof(name), "exclusive:vA@%u", queue);
	return name;
}

static pcap_t *small(const char *device)
{
	pcap_t *p = create(device);

	pcap_set_buffer_size(p, 4 << 20);
	return p;
}

static pcap_t *try(const char *device)
{
	pcap_t *p = small(device);

	if (pcap_activate(p) >= 0)
		return p;
	pcap_close(p);
	return NULL;
}

static pcap_t *open_queue(unsigned queue)
{
	pcap_t *p = activate(small(of_queue(queue)));

	CU_ASSERT_EQUAL(info.mode, PCAP_FAST_MODE_EXCLUSIVE);
	CU_ASSERT_EQUAL(info.queues, 1);
	return p;
}

static void refused(const char *device, const char *text)
{
	pcap_t *p = small(device);
	int rc = pcap_activate(p);

	CU_ASSERT_TRUE(rc < 0);
	if (!strstr(pcap_geterr(p), text))
		printf("    \"%s\" lacks \"%s\"\n", pcap_geterr(p), text);
	CU_ASSERT_PTR_NOT_NULL(strstr(pcap_geterr(p), text));
	pcap_close(p);
}

/* All that comes to the mirror, and on which queue. */
static void look(pcap_t *p)
{
	struct pcap_batch_pkt pkts[64];
	int n;

	for (int idle = 0; idle < 20; idle++, usleep(1000))
		while ((n = pcap_next_batch(p, pkts, 64)) > 0)
			for (int i = 0; i < n; i++) {
				int64_t number = flows_number(
					pkts[i].data, pkts[i].hdr.caplen);

				CU_ASSERT_TRUE_FATAL(number >= 0);
				queue_of[number] = pkts[i].queue;
				flows->seen[ALL][number]++;
				idle = 0;
			}
}

static void burst(pcap_t *mirror, pcap_t **p)
{
	flows_send(flows, "vB", BURST, 0);
	look(mirror);
	for (unsigned q = 0; q < QUEUES; q++)
		if (p[q])
			take(p[q], q);
}

/* From `from` on, each frame of a queue in `open` was at its handle, once, and
 * no other anywhere; the frames of all queues together were at the mirror. */
static void each_at_its_own(uint32_t from, unsigned open)
{
	unsigned wrong = 0, missed = 0, seen[QUEUES] = { 0 };

	for (uint32_t i = from; i < flows->sent; i++) {
		missed += flows->seen[ALL][i] != 1;
		for (unsigned q = 0; q < QUEUES; q++) {
			bool wanted = queue_of[i] == q && open >> q & 1;

			wrong += flows->seen[q][i] != wanted;
			seen[q] += flows->seen[q][i];
		}
	}
	if (wrong || missed)
		printf("    of %u: %u at the wrong handle, %u not mirrored\n",
		       flows->sent - from, wrong, missed);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(missed, 0);
	for (unsigned q = 0; q < QUEUES; q++)
		CU_ASSERT_EQUAL(seen[q] > 0, open >> q & 1);
}

static unsigned sent_on(uint32_t from, unsigned queue)
{
	unsigned n = 0;

	for (uint32_t i = from; i < flows->sent; i++)
		n += queue_of[i] == queue;
	return n;
}

/* --- who gets what ------------------------------------------------------- */

/* Opened one after the other, closed in another order; what nobody takes is
 * the host's. */
static void come_and_go(void)
{
	static const unsigned closing[QUEUES] = { 1, 3, 0, 2 };
	pcap_t *p[QUEUES] = { NULL }, *mirror;
	unsigned open = 0;

	begin(QUEUES);
	mirror = activate(create("mirror:vA"));
	for (unsigned step = 0; step < 2 * QUEUES; step++) {
		unsigned q = step < QUEUES ? step : closing[step - QUEUES];
		uint32_t from = flows->sent;
		unsigned rest = 0;
		int host;

		if (step < QUEUES) {
			p[q] = open_queue(q);
		} else {
			pcap_close(p[q]);
			p[q] = NULL;
		}
		open ^= 1u << q;
		host = net_host();
		burst(mirror, p);
		each_at_its_own(from, open);
		for (unsigned i = 0; i < QUEUES; i++)
			rest += open >> i & 1 ? 0 : sent_on(from, i);
		CU_ASSERT_TRUE(net_host_got(host, rest));
		close(host);
	}
	pcap_close(mirror);
	end();
}

static void each_its_own(void)
{
	by_both(come_and_go);
}

/* A filter is its handle's alone, also while it changes, and so is what is to
 * be dropped. */
static void own_filters(void)
{
	pcap_t *p[QUEUES], *mirror;
	uint32_t from;
	int host;

	begin(QUEUES);
	mirror = activate(create("mirror:vA"));
	for (unsigned q = 0; q < QUEUES; q++) {
		if (q == 1)
			setenv("PCAP_FAST_REST", "drop", 1);
		p[q] = open_queue(q);
		unsetenv("PCAP_FAST_REST");
	}
	filter(p[0], "less 0");
	filter(p[1], "less 0");
	from = flows->sent;
	host = net_host();
	burst(mirror, p);
	each_at_its_own(from, 0xc);
	CU_ASSERT_TRUE(net_host_got(host, sent_on(from, 0)));
	pcap_fast_get_info(p[1], &info, sizeof(info));
	CU_ASSERT_EQUAL(info.rest_dropped, sent_on(from, 1));
	filter(p[0], "greater 0");
	from = flows->sent;
	burst(mirror, p);
	each_at_its_own(from, 0xd);
	close(host);
	for (unsigned q = 0; q < QUEUES; q++)
		pcap_close(p[q]);
	pcap_close(mirror);
	end();
}

static void filters(void)
{
	by_both(own_filters);
}

/* --- who is refused ------------------------------------------------------ */

static void overlap_refused(void)
{
	pcap_t *a, *b;
	char who[128];

	begin(QUEUES);
	a = open_queue(0);
	b = activate(small("exclusive:vA@2-3"));
	CU_ASSERT_EQUAL(info.queues, 2);
	/* the first one's packet socket does not make it one that is used */
	CU_ASSERT_PTR_NULL(strstr(info.reason, "the host keeps"));
	snprintf(
		who, sizeof(who),
		"test_queues (pid %d) already captures vA exclusively, from RX queue ",
		getpid());
	refused("exclusive:vA@0", who);
	refused("exclusive:vA@0", "RX queue 0 ");
	refused("exclusive:vA@0-1", "RX queue 0 ");
	refused("exclusive:vA@1,3", "RX queue 3 ");
	refused("exclusive:vA@1-3", "RX queue 2-3 ");
	refused("exclusive:vA", who);
	refused("exclusive:vA%ids", who);
	pcap_close(open_queue(1));
	pcap_close(activate(small("vA")));
	CU_ASSERT_EQUAL(info.mode, PCAP_FAST_MODE_MIRROR);
	pcap_close(a);
	pcap_close(open_queue(0));
	pcap_close(b);
	a = activate(small("exclusive:vA"));
	refused("exclusive:vA@3", "RX queue 3 ");
	pcap_close(a);
	a = member();
	refused("exclusive:vA@3", "the cluster ids of test_queues");
	pcap_close(a);
	end();
}

static void overlaps(void)
{
	by_both(overlap_refused);
}

/* Without a name, on queues that are free: it is as dedicated as it was when
 * the first one came. */
static void automatic(void)
{
	pcap_t *a, *b;

	if (skip())
		return;
	begin(QUEUES);
	a = open_queue(0);
	setenv("PCAP_FAST_QUEUES", "1", 1);
	b = activate(small("vA"));
	CU_ASSERT_EQUAL(info.mode, PCAP_FAST_MODE_EXCLUSIVE);
	CU_ASSERT_EQUAL(info.queues, 1);
	pcap_close(b);
	setenv("PCAP_FAST_QUEUES", "0", 1);
	b = activate(small("vA"));
	CU_ASSERT_EQUAL(info.mode, PCAP_FAST_MODE_MIRROR);
	pcap_close(b);
	unsetenv("PCAP_FAST_QUEUES");
	pcap_close(a);
	end();
}

/* --- killed -------------------------------------------------------------- */

static void hold(void *device)
{
	if (try(device))
		child_waits();
}

/* The others lose nothing, the host has the dead one's packets, and whoever
 * opens its queue next gets all of them. */
static void one_killed(void)
{
	pcap_t *p[QUEUES] = { NULL }, *mirror;
	uint32_t from;
	pid_t child;
	int host;

	begin(QUEUES);
	mirror = activate(create("mirror:vA"));
	for (unsigned round = 0; round < 6; round++) {
		p[0] = open_queue(0);
		p[3] = open_queue(3);
		child = child_start(hold, (void *)of_queue(2));
		from = flows->sent;
		burst(mirror, p);
		each_at_its_own(from, 0x9);
		child_kill(child);
		/* the kernel closes what it had a moment later */
		usleep(50000);
		from = flows->sent;
		host = net_host();
		burst(mirror, p);
		each_at_its_own(from, 0x9);
		CU_ASSERT_TRUE(net_host_got(host, sent_on(from, 1) +
							  sent_on(from, 2)));
		close(host);
		p[2] = open_queue(2);
		from = flows->sent;
		burst(mirror, p);
		each_at_its_own(from, 0xd);
		for (unsigned q = 0; q < QUEUES; q++)
			if (p[q])
				pcap_close(p[q]);
		p[2] = NULL;
	}
	pcap_close(mirror);
	end();
}

static void killed(void)
{
	by_both(one_killed);
}

/* --- at once ------------------------------------------------------------- */

struct racer {
	pthread_t thread;
	pthread_barrier_t *barrier;
	unsigned queue, failed, kept;
};

/* Every time the first of all attaches the root program, the last takes it
 * away. */
static void *open_and_close(void *arg)
{
	struct racer *o = arg;
	char device[32], why[PCAP_ERRBUF_SIZE];

	snprintf(device, sizeof(device), "exclusive:vA@%u", o->queue);
	for (int round = 0; round < ROUNDS; round++) {
		struct pcap_fast_info i;
		pcap_t *p;

		pthread_barrier_wait(o->barrier);
		p = pcap_create(device, why);
		pcap_set_promisc(p, 1);
		pcap_set_buffer_size(p, 1 << 20);
		if (pcap_activate(p) < 0) {
			fprintf(stderr, "    %s: %s\n", device, pcap_geterr(p));
			o->failed++;
		}
		pcap_fast_get_info(p, &i, sizeof(i));
		o->kept += strstr(i.reason, "the host keeps") != NULL;
		pcap_close(p);
	}
	return NULL;
}

static void threads_at_once(void)
{
	struct racer o[QUEUES];
	pthread_barrier_t barrier;

	begin(QUEUES);
	pthread_barrier_init(&barrier, NULL, QUEUES);
	for (unsigned q = 0; q < QUEUES; q++) {
		o[q] = (struct racer){ .barrier = &barrier, .queue = q };
		pthread_create(&o[q].thread, NULL, open_and_close, &o[q]);
	}
	for (unsigned q = 0; q < QUEUES; q++) {
		pthread_join(o[q].thread, NULL);
		CU_ASSERT_EQUAL(o[q].failed, 0);
		CU_ASSERT_EQUAL(o[q].kept, 0);
	}
	pthread_barrier_destroy(&barrier);
	end();
}

static void threads(void)
{
	by_both(threads_at_once);
}

/* Two processes at once whose queues overlap: one has them, never both. */
static void one_of_two(void)
{
	unsigned wins = 0, both = 0, none = 0;
	struct opener a, b;
	pcap_t *keeper;

	if (skip())
		return;
	begin(QUEUES);
	keeper = activate(create("mirror:vA"));
	a = opener_start(try, "exclusive:vA@1-2");
	b = opener_start(try, "exclusive:vA@2");
	for (int round = 0; round < ROUNDS; round++) {
		bool first, second;

		CU_ASSERT_TRUE_FATAL(opener_tell(&a) && opener_tell(&b));
		first = opener_says(&a) == 'y';
		second = opener_says(&b) == 'y';
		wins += first + second;
		both += first && second;
		none += !first && !second;
		CU_ASSERT_TRUE_FATAL(opener_tell(&a) && opener_tell(&b));
		CU_ASSERT_TRUE_FATAL(opener_says(&a) == 'c' &&
				     opener_says(&b) == 'c');
	}
	CU_ASSERT_EQUAL(both, 0);
	CU_ASSERT_EQUAL(none, 0);
	CU_ASSERT_EQUAL(wins, ROUNDS);
	opener_stop(&a);
	opener_stop(&b);
	pcap_close(keeper);
	end();
}

static CU_TestInfo tests[] = {
	PCF_TEST(each_its_own), PCF_TEST(filters), PCF_TEST(overlaps),
	PCF_TEST(automatic),	PCF_TEST(killed),  PCF_TEST(threads),
	PCF_TEST(one_of_two),	CU_TEST_INFO_NULL,
};

int main(void)
{
	/* with a mirror beside, it is one that is used */
	setenv("PCAP_FAST_KEEP", "", 1);
	have_net = net_enter();
	return pcf_run_tests("queues", tests);
}
