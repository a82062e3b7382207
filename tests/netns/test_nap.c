/* SPDX-License-Identifier: BSD-3-Clause */
/* When a reader is woken: in a hurry for each packet, else for many, on a real
 * interface in a namespace of its own. As root. */
#include "tests/netns/capture.h"

#include "libpcap-fast/handle.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A ring of 1 MiB, of which much is an eighth: a record of a small packet takes
 * 128 bytes. */
#define RING   (1 << 20)
#define RECORD 128
#define MUCH   (RING / 8 / RECORD)

#define PACKETS 2000
#define HELD	7000

/* What is much for AF_XDP sockets, with frames enough. */
#define MANY 512

static pcap_t *small_ring(int immediate)
{
	pcap_t *p = create("mirror:vA", 1);

	pcap_set_buffer_size(p, RING);
	pcap_set_timeout(p, 100);
	pcap_set_immediate_mode(p, immediate);
	go_live(p);
	return p;
}

static pcap_t *socket_of(int immediate)
{
	pcap_t *p;

	setenv("PCAP_FAST_RX", "xsk", 1);
	p = create("exclusive:vA", 1);
	pcap_set_buffer_size(p, RING);
	pcap_set_timeout(p, 100);
	pcap_set_immediate_mode(p, immediate);
	go_live(p);
	unsetenv("PCAP_FAST_RX");
	return p;
}

static int nap(pcap_t *p, bool on)
{
	struct pcf_backend *b = pcf_find(p)->backend;

	return b->ops->nap(b, on);
}

/* Within so many ms: the wake-up goes by an interrupt of its own, on a busy
 * machine by the kernel's own thread. */
#define QUIET 20
#define SOON  5000

static bool tells(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms) == 1;
}

static bool readable(pcap_t *p, int ms)
{
	return tells(pcap_get_selectable_fd(p), ms);
}

static void read_on(pcap_t *p, unsigned n)
{
	struct reading r = { .step = 1, .size = size_60 };

	pcap_setnonblock(p, 1, errbuf);
	read_all(p, &r);
	expect(&r, n);
	nothing_lost(p);
}

/* Amid a nap the descriptor tells of much, and after it of anything. */
static void tells_of_much(void)
{
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = small_ring(0);
	CU_ASSERT_TRUE(nap(p, true) >= 0);
	net_send(0, MUCH - 1, size_60);
	CU_ASSERT_FALSE(readable(p, QUIET));
	nap(p, false);
	CU_ASSERT_TRUE(readable(p, SOON));
	CU_ASSERT_TRUE(nap(p, true) >= 0);
	CU_ASSERT_FALSE(readable(p, QUIET));
	net_send(MUCH - 1, 1, size_60);
	CU_ASSERT_TRUE(readable(p, SOON));
	CU_ASSERT_EQUAL(nap(p, true), -1);
	nap(p, false);
	read_on(p, MUCH);
	CU_ASSERT_FALSE(readable(p, QUIET));
	pcap_close(p);
}

/* The reader is not blocking. */
static void take_and_hold(pcap_t *p, struct pcap_batch_pkt *pkts,
			  unsigned count)
{
	unsigned n = 0;
	int rc;

	net_send(0, count, size_60);
	while (n < count &&
	       (rc = pcap_next_batch(p, pkts + n, count - n)) > 0) {
		CU_ASSERT_EQUAL(pcap_hold_batch(p, pkts + n, rc), 0);
		n += rc;
	}
	CU_ASSERT_EQUAL(n, count);
	CU_ASSERT_EQUAL(pcap_next_batch(p, &(struct pcap_batch_pkt){ 0 }, 1),
			0);
}

/* What is held leaves less room, so that less is much. */
static void less_room(void)
{
	static struct pcap_batch_pkt pkts[HELD];
	pcap_t *p;

	if (skip())
		return;
	net_link(1, 1500);
	p = small_ring(0);
	pcap_setnonblock(p, 1, errbuf);
	take_and_hold(p, pkts, HELD);
	CU_ASSERT_TRUE(nap(p, true) >= 0);
	net_send(0, (RING / RECORD - HELD) / 8 - 1, size_60);
	CU_ASSERT_FALSE(readable(p, QUIET));
	net_send(0, 2, size_60);
	CU_ASSERT_TRUE(readable(p, SOON));
	nap(p, false);
	CU_ASSERT_EQUAL(pcap_release_batch(p, pkts, HELD), 0);
	pcap_close(p);
}

/* So many, and so many of what came before the nap: the descriptor is not the
 * sockets' own. */
static void sockets_tell_of_much(void)
{
	pcap_t *p;
	int fd;

	if (skip())
		return;
	net_link(1, 1500);
	p = socket_of(0);
	fd = nap(p, true);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	net_send(0, MANY - 1, size_60);
	CU_ASSERT_FALSE(tells(fd, QUIET));
	net_send(MANY - 1, 1, size_60);
	CU_ASSERT_TRUE(tells(fd, SOON));
	CU_ASSERT_EQUAL(nap(p, true), -1);
	nap(p, false);
	CU_ASSERT_FALSE(tells(fd, QUIET));
	read_on(p, MANY);
	net_send(0, 10, size_60);
	CU_ASSERT_EQUAL(nap(p, true), fd);
	net_send(10, MANY - 11, size_60);
	CU_ASSERT_FALSE(tells(fd, QUIET));
	net_send(MANY - 1, 1, size_60);
	CU_ASSERT_TRUE(tells(fd, SOON));
	nap(p, false);
	read_on(p, MANY);
	pcap_close(p);
}

/* With most frames held, a quarter of the others is much; with all, there is no
 * nap. */
static void frames_run_short(void)
{
	static struct pcap_batch_pkt pkts[HELD];
	unsigned n, left = 100;
	pcap_t *p;
	int fd;

	if (skip())
		return;
	net_link(1, 1500);
	p = socket_of(0);
	pcap_setnonblock(p, 1, errbuf);
	n = pcf_find(p)->opened.frames - left;
	CU_ASSERT_TRUE_FATAL(n <= HELD);
	take_and_hold(p, pkts, n);
	fd = nap(p, true);
	CU_ASSERT_TRUE(fd >= 0);
	net_send(0, left / 4 - 1, size_60);
	CU_ASSERT_FALSE(tells(fd, QUIET));
	net_send(0, 1, size_60);
	CU_ASSERT_TRUE(tells(fd, SOON));
	nap(p, false);
	net_send(0, left - left / 4, size_60);
	CU_ASSERT_EQUAL(nap(p, true), -1);
	nap(p, false);
	pcap_close(p);
}

/* One of several queues has much, whichever it is. */
static void each_queue_tells(void)
{
	pcap_t *p;
	int fd;

	if (skip())
		return;
	net_link(4, 1500);
	p = socket_of(0);
	CU_ASSERT_EQUAL(pcf_find(p)->opened.queues, 4);
	fd = nap(p, true);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	net_send(0, MANY - 1, size_60);
	CU_ASSERT_FALSE(tells(fd, QUIET));
	net_send(0, 4 * MANY, size_60);
	CU_ASSERT_TRUE(tells(fd, SOON));
	nap(p, false);
	pcap_close(p);
}

static void wait_us(int64_t us)
{
	struct timespec from, now;

	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * INT64_C(1000000) +
		       (now.tv_nsec - from.tv_nsec) / 1000 <
	       us);
}

/* As many a second as make naps worth it for any backend: 50,000. */
static pid_t send_slowly(void)
{
	int fd = net_sender("vB");
	pid_t child = fork();
	uint8_t frame[60];

	for (uint32_t i = 0; !child && i < PACKETS; i++) {
		net_frame(frame, sizeof(frame), i);
		while (send(fd, frame, sizeof(frame), 0) < 0)
			;
		wait_us(20);
	}
	if (!child)
		_exit(0);
	close(fd);
	return child;
}

/* How often a blocking read of them all has slept. */
static long sleeps(pcap_t *p)
{
	struct reading r = { .step = 1, .size = size_60 };
	struct rusage before, after;
	pid_t child;

	getrusage(RUSAGE_SELF, &before);
	child = send_slowly();
	CU_ASSERT_EQUAL(pcap_loop(p, PACKETS, check, (u_char *)&r), 0);
	getrusage(RUSAGE_SELF, &after);
	waitpid(child, NULL, 0);
	expect(&r, PACKETS);
	nothing_lost(p);
	pcap_close(p);
	return after.ru_nvcsw - before.ru_nvcsw;
}

/* In immediate mode nearly each packet finds the reader asleep, if it has a
 * processor at once: on a busy machine it gets more packets each time. */
static void sleeps_less(pcap_t *open(int immediate), unsigned times)
{
	long patient, hasty;

	for (int i = 0; i < 10; i++) {
		net_link(1, 1500);
		patient = sleeps(open(0));
		hasty = sleeps(open(1));
		printf("    slept %ld times, in immediate mode %ld\n", patient,
		       hasty);
		if (patient * times < hasty)
			return;
	}
	CU_FAIL("never less");
}

/* Two sleeps for 100 ms or a thousand packets. */
static void ring_sleeps_on(void)
{
	if (!skip())
		sleeps_less(small_ring, 10);
}

/* Two sleeps for 100 ms or MANY packets. */
static void socket_sleeps_on(void)
{
	if (!skip())
		sleeps_less(socket_of, 10);
}

/* `command` is executed amid a nap that began with the first packet; `then`
 * comes half a second later, and one packet more. */
static pid_t send_amid(const char *command, const char *then)
{
	pid_t child = fork();

	if (child)
		return child;
	usleep(10000);
	net_send(0, 1, size_60);
	if (net_do(command))
		_exit(1);
	usleep(500000);
	if (net_do(then))
		_exit(1);
	/* its queueing discipline comes back a little later than the link */
	usleep(300000);
	net_send(1, 1, size_60);
	_exit(0);
}

static void next_is(pcap_t *p, unsigned number)
{
	struct pcap_pkthdr *h;
	const u_char *data;

	CU_ASSERT_EQUAL_FATAL(pcap_next_ex(p, &h, &data), 1);
	CU_ASSERT_EQUAL(h->caplen, 60);
	CU_ASSERT_TRUE(net_same(data, 60, number));
}

static void with_both(void test(pcap_t *p))
{
	pcap_t *(*const opens[])(int immediate) = { small_ring, socket_of };

	for (unsigned i = 0; i < 2 && !skip(); i++) {
		net_link(1, 1500);
		test(opens[i](0));
	}
}

/* As without naps, the reader goes on when the link is up again. */
static void goes_down(pcap_t *p)
{
	int status;
	pid_t child;

	child = send_amid(
		"ip link set vA down",
		"ip link set vA up; until ip link show vB | grep -q 'state UP'; do sleep 0.01; done");
	next_is(p, 0);
	next_is(p, 1);
	waitpid(child, &status, 0);
	CU_ASSERT_EQUAL(status, 0);
	nothing_lost(p);
	pcap_close(p);
}

static void link_goes_down(void)
{
	with_both(goes_down);
}

/* What there is comes first, then the error. */
static void goes(pcap_t *p)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	pid_t child;

	child = send_amid("ip link del vA", "false");
	next_is(p, 0);
	CU_ASSERT_EQUAL(pcap_next_ex(p, &h, &data), PCAP_ERROR);
	CU_ASSERT_STRING_EQUAL(pcap_geterr(p), "The interface disappeared");
	waitpid(child, NULL, 0);
	pcap_close(p);
}

static void interface_goes(void)
{
	with_both(goes);
}

static void read_unprivileged(pcap_t *p)
{
	struct reading r = { .step = 1, .size = size_60 };

	if (setuid(65534))
		_exit(1);
	pcap_loop(p, -1, check, (u_char *)&r);
	_exit(1);
}

/* Without privileges, in a process that has the handle by fork(), which is
 * killed amid its nap: nothing is left when the handle is closed here. */
static void reader_is_killed(pcap_t *p)
{
	pid_t child = fork();
	int status;

	if (!child)
		read_unprivileged(p);
	net_send(0, 1, size_60);
	usleep(30000);
	CU_ASSERT_EQUAL(waitpid(child, &status, WNOHANG), 0);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	CU_ASSERT_TRUE(WIFSIGNALED(status));
	pcap_close(p);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

static void killed(void)
{
	with_both(reader_is_killed);
}

static CU_TestInfo tests[] = {
	PCF_TEST(tells_of_much),
	PCF_TEST(less_room),
	PCF_TEST(sockets_tell_of_much),
	PCF_TEST(frames_run_short),
	PCF_TEST(each_queue_tells),
	PCF_TEST(ring_sleeps_on),
	PCF_TEST(socket_sleeps_on),
	PCF_TEST(link_goes_down),
	PCF_TEST(interface_goes),
	PCF_TEST(killed),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	have_net = net_enter();
	return pcf_run_tests("nap", tests);
}
