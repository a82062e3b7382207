/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pace and the account of the sending subcommands, by a clock of the
 * test's own and over a library that this file plays.
 */
#include "tests/unit.h"
#include "tools/sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NSEC 1000000000ll

static int64_t now;
static unsigned sleeps;
static char text[PCAP_ERRBUF_SIZE];
static struct pcap_batch_pkt pkts[1024];

/* How the library takes packets: up to 1,514 bytes, `most` a call, and after
 * `until_full` no more until the caller has waited. */
static struct {
	uint32_t lengths[64];
	int n, calls, most, until_full;
	int error; /* errno; of all packets */
} lib;

int __wrap_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_nanosleep(const struct timespec *t, struct timespec *left);

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	(void)id;
	now += 200;
	*t = (struct timespec){ now / NSEC, now % NSEC };
	return 0;
}

int __wrap_nanosleep(const struct timespec *t, struct timespec *left)
{
	int64_t ns = t->tv_sec * NSEC + t->tv_nsec;

	(void)left;
	CU_ASSERT_TRUE(ns >= 0 && ns <= NSEC / 10);
	sleeps++;
	now += ns;
	lib.until_full = 1000000;
	return 0;
}

static int fail(int err)
{
	snprintf(text, sizeof(text), "send: %s", strerror(err));
	return PCAP_ERROR;
}

static int refusal(const struct pcap_batch_pkt *pkt)
{
	if (lib.error)
		return lib.error;
	if (!lib.until_full)
		return ENOBUFS;
	if (pkt->hdr.caplen > 1514)
		return EMSGSIZE;
	return pkt->hdr.caplen < 14 ? EINVAL : 0;
}

int pcap_inject_batch(pcap_t *p, const struct pcap_batch_pkt *from, int n)
{
	int done = 0, err = 0;

	(void)p;
	lib.calls++;
	for (; done < n && done < lib.most; done++) {
		err = refusal(&from[done]);
		if (err)
			break;
		if (lib.n < 64)
			lib.lengths[lib.n] = from[done].hdr.caplen;
		lib.n++;
		lib.until_full--;
	}
	return done || !err ? done : fail(err);
}

char *pcap_geterr(pcap_t *p)
{
	(void)p;
	return text;
}

pcap_t *pcap_create(const char *device, char *errbuf)
{
	(void)errbuf;
	return (pcap_t *)device;
}

int pcap_activate(pcap_t *p)
{
	(void)p;
	return 0;
}

int pcap_set_promisc(pcap_t *p, int on)
{
	(void)p;
	(void)on;
	return 0;
}

int pcap_setdirection(pcap_t *p, pcap_direction_t d)
{
	(void)p;
	(void)d;
	return 0;
}

int pcap_datalink(pcap_t *p)
{
	(void)p;
	return DLT_EN10MB;
}

const char *pcap_statustostr(int status)
{
	(void)status;
	return "";
}

int pcap_tx_flush(pcap_t *p, int timeout_ms)
{
	(void)p;
	(void)timeout_ms;
	return 0;
}

int pcap_fast_get_info(pcap_t *p, struct pcap_fast_info *info, size_t size)
{
	(void)p;
	memset(info, 0, size);
	return 0;
}

void pcap_close(pcap_t *p)
{
	(void)p;
}

static struct sender begin(double pps, double mbps)
{
	struct sender s = { .name = "test", .pps = pps, .mbps = mbps };

	memset(&lib, 0, sizeof(lib));
	memset(pkts, 0, sizeof(pkts));
	lib.most = 1024;
	lib.until_full = 1000000;
	for (int i = 0; i < 1024; i++)
		pkts[i].hdr.caplen = 60;
	sender_stop = false;
	sleeps = 0;
	now = 5 * NSEC;
	CU_ASSERT_TRUE(sender_open(&s, "x"));
	return s;
}

/* Send for so long: never before its time, and all that were due. */
static void keeps_pace(struct sender s, double per_second, double seconds,
		       int batch)
{
	int64_t begun = s.start;
	double most;

	while (now - begun < seconds * NSEC) {
		int n = sender_due(&s, batch, 60);

		CU_ASSERT_TRUE(n >= 1 && n <= batch);
		CU_ASSERT_TRUE(sender_send(&s, pkts, n));
		most = 1 + (now - begun) * per_second / NSEC;
		if (s.frames > most + 1e-6 * s.frames) {
			printf("    %g a second: %llu after %g s\n", per_second,
			       (unsigned long long)s.frames,
			       (now - begun) / 1e9);
			CU_FAIL("too early");
			return;
		}
	}
	CU_ASSERT_TRUE(s.frames >= per_second * seconds * 0.999);
	CU_ASSERT_EQUAL(s.bytes, s.frames * 60);
}

static void frames_a_second(void)
{
	static const int batches[] = { 1, 7, 64, 1024 };

	for (int i = 0; i < 4; i++) {
		keeps_pace(begin(0.5, 0), 0.5, 20, batches[i]);
		keeps_pace(begin(1000, 0), 1000, 10, batches[i]);
		keeps_pace(begin(30000, 0), 30000, 1, batches[i]);
		keeps_pace(begin(1e6, 0), 1e6, 0.1, batches[i]);
	}
}

/* 60 bytes are 84 on the wire: 10 Mbit/s are 14,880.95 frames. */
static void megabits_a_second(void)
{
	keeps_pace(begin(0, 10), 10e6 / 8 / 84, 2, 1);
	keeps_pace(begin(0, 10), 10e6 / 8 / 84, 2, 64);
	keeps_pace(begin(0, 0.001), 1e3 / 8 / 84, 20, 64);
}

static void distances_below_50_us_are_not_slept(void)
{
	keeps_pace(begin(25000, 0), 25000, 0.1, 1);
	CU_ASSERT_EQUAL(sleeps, 0);
	keeps_pace(begin(10000, 0), 10000, 0.1, 1);
	CU_ASSERT_TRUE(sleeps >= 990);
}

static void after_a_stall(void)
{
	struct sender s = begin(1000, 0);

	now += NSEC / 10;
	CU_ASSERT_EQUAL(sender_due(&s, 64, 60), 64);
	CU_ASSERT_TRUE(sender_send(&s, pkts, 64));
	CU_ASSERT_EQUAL(sender_due(&s, 64, 60), 37);
}

static void without_a_pace(void)
{
	struct sender s = begin(0, 0);

	CU_ASSERT_EQUAL(sender_due(&s, 1024, 60), 1024);
	CU_ASSERT_EQUAL(sleeps, 0);
}

static void stopped(void)
{
	struct sender s = begin(0.001, 0);

	CU_ASSERT_EQUAL(sender_due(&s, 64, 60), 1);
	CU_ASSERT_TRUE(sender_send(&s, pkts, 1));
	sender_stop = true;
	CU_ASSERT_EQUAL(sender_due(&s, 64, 60), 0);
	CU_ASSERT_FALSE(sender_send(&s, pkts, 1));
	CU_ASSERT_EQUAL(lib.n, 1);
}

/* --- what is refused ----------------------------------------------------- */

static void in_parts(void)
{
	struct sender s = begin(0, 0);

	lib.most = 5;
	CU_ASSERT_TRUE(sender_send(&s, pkts, 64));
	CU_ASSERT_EQUAL(lib.n, 64);
	CU_ASSERT_EQUAL(lib.calls, 13);
	CU_ASSERT_EQUAL(s.frames, 64);
	CU_ASSERT_EQUAL(s.bytes, 64 * 60);
}

/* First, in the middle and last; two in a row. */
static void skipped_and_counted(void)
{
	struct sender s = begin(0, 0);

	s.skip = true;
	pkts[0].hdr.caplen = 1515;
	pkts[7].hdr.caplen = 13;
	pkts[8].hdr.caplen = 9000;
	pkts[9].hdr.caplen = 0;
	pkts[10].hdr.caplen = 1514;
	pkts[11].hdr.caplen = 14;
	pkts[19].hdr.caplen = 1600;
	CU_ASSERT_TRUE(sender_send(&s, pkts, 20));
	CU_ASSERT_EQUAL(s.too_long, 3);
	CU_ASSERT_EQUAL(s.too_short, 2);
	CU_ASSERT_EQUAL(s.frames, 15);
	CU_ASSERT_EQUAL(lib.n, 15);
	CU_ASSERT_EQUAL(lib.lengths[6], 1514);
	CU_ASSERT_EQUAL(lib.lengths[7], 14);
	CU_ASSERT_EQUAL(s.bytes, 13 * 60 + 1514 + 14);
}

static void not_skipped_unless_asked(void)
{
	struct sender s = begin(0, 0);

	pkts[3].hdr.caplen = 1515;
	CU_ASSERT_FALSE(sender_send(&s, pkts, 20));
	CU_ASSERT_EQUAL(s.frames, 3);
	CU_ASSERT_EQUAL(s.too_long, 0);
}

static void waits_for_room(void)
{
	struct sender s = begin(0, 0);

	lib.until_full = 10;
	CU_ASSERT_TRUE(sender_send(&s, pkts, 64));
	CU_ASSERT_EQUAL(lib.n, 64);
	CU_ASSERT_EQUAL(sleeps, 1);
}

/* Any other error ends it, for all packets, also where some are skipped. */
static void gives_up(void)
{
	struct sender s = begin(0, 0);

	s.skip = true;
	lib.error = ENETDOWN;
	CU_ASSERT_FALSE(sender_send(&s, pkts, 64));
	CU_ASSERT_EQUAL(lib.calls, 1);
	CU_ASSERT_EQUAL(s.frames, 0);
	CU_ASSERT_EQUAL(s.too_long + s.too_short, 0);
}

static CU_TestInfo tests[] = {
	PCF_TEST(frames_a_second),
	PCF_TEST(megabits_a_second),
	PCF_TEST(distances_below_50_us_are_not_slept),
	PCF_TEST(after_a_stall),
	PCF_TEST(without_a_pace),
	PCF_TEST(stopped),
	PCF_TEST(in_parts),
	PCF_TEST(skipped_and_counted),
	PCF_TEST(not_skipped_unless_asked),
	PCF_TEST(waits_for_room),
	PCF_TEST(gives_up),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("sender", tests);
}
