/* SPDX-License-Identifier: BSD-3-Clause */
/* Arrival times as time stamps. */
#include "backend/clock.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	int64_t offset;
	uint64_t tai;
	time_t sec;
	long nsec;
} stamps[] = {
	{ 0, 0, 0, 0 },
	{ 0, PCF_NSEC - 1, 0, 999999999 },
	{ 0, PCF_NSEC, 1, 0 },
	{ 37 * (int64_t)PCF_NSEC, 1700000037123456789, 1700000000, 123456789 },
	{ 37 * (int64_t)PCF_NSEC, 1700000037000000000, 1700000000, 0 },
	{ 37 * (int64_t)PCF_NSEC, 1700000036999999999, 1699999999, 999999999 },
	{ -5 * (int64_t)PCF_NSEC, 1700000000000001000, 1700000005, 1000 },
	/* past 2038 and 2106 */
	{ 0, 5000000000ull * PCF_NSEC + 7, 5000000000, 7 },
};
#define NSTAMPS (sizeof(stamps) / sizeof(stamps[0]))

static void both_units(void)
{
	for (unsigned i = 0; i < NSTAMPS; i++) {
		struct pcf_clock us = { .offset = stamps[i].offset };
		struct pcf_clock ns = us;
		struct timeval t;

		ns.nanoseconds = true;
		t = pcf_clock_stamp(&us, stamps[i].tai);
		CU_ASSERT_EQUAL(t.tv_sec, stamps[i].sec);
		CU_ASSERT_EQUAL(t.tv_usec, stamps[i].nsec / 1000);
		t = pcf_clock_stamp(&ns, stamps[i].tai);
		CU_ASSERT_EQUAL(t.tv_sec, stamps[i].sec);
		CU_ASSERT_EQUAL(t.tv_usec, stamps[i].nsec);
	}
}

/* Also backwards, by little and by much: queues and the shadow are not in
 * step with each other. */
static void any_order(void)
{
	const uint64_t from = 1700000000 * PCF_NSEC;
	struct pcf_clock c = { .nanoseconds = true };

	srand(3);
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t tai = from + (uint64_t)rand() % (3 * PCF_NSEC) +
			       rand() % 3 * PCF_NSEC;
		struct timeval t = pcf_clock_stamp(&c, tai);

		CU_ASSERT_EQUAL(t.tv_sec, (time_t)(tai / PCF_NSEC));
		CU_ASSERT_EQUAL(t.tv_usec, (long)(tai % PCF_NSEC));
	}
}

/* Metadata is written by whoever can; a time that cannot be gives a stamp that
 * is at least well formed. */
static void nonsense(void)
{
	static const uint64_t times[] = { 0, 1, PCF_NSEC, UINT64_MAX,
					  UINT64_MAX / 2, 1ull << 63 };

	for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct pcf_clock c = { .offset = 37 * (int64_t)PCF_NSEC };
		struct timeval t;

		pcf_clock_stamp(&c, 1700000037 * PCF_NSEC);
		t = pcf_clock_stamp(&c, times[i]);
		CU_ASSERT_TRUE(t.tv_usec >= 0 && t.tv_usec < 1000000);
	}
}

static int64_t real_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * (int64_t)PCF_NSEC + t.tv_nsec;
}

/* The stamp of a packet that comes now lies between before and after. */
static void now_is_now(void)
{
	struct pcf_clock c = { .nanoseconds = true };

	pcf_clock_sync(&c);
	CU_ASSERT_EQUAL(c.offset % (int64_t)PCF_NSEC, 0);
	for (unsigned i = 0; i < 1000; i++) {
		int64_t before = real_ns(), at;
		struct timeval t = pcf_clock_stamp(&c, pcf_clock_now());
		int64_t after = real_ns();

		at = t.tv_sec * (int64_t)PCF_NSEC + t.tv_usec;
		CU_ASSERT_TRUE(before - 1000 <= at && at <= after + 1000);
	}
}

/* Syncing again changes nothing while the offset is the same, and takes the
 * new one where it is not, within the same second too. */
static void sync_takes_a_new_offset(void)
{
	struct pcf_clock c = { 0 }, saved;
	uint64_t tai = 1700000000 * PCF_NSEC + 5000;
	struct timeval t;

	pcf_clock_sync(&c);
	pcf_clock_stamp(&c, tai);
	saved = c;
	pcf_clock_sync(&c);
	CU_ASSERT_EQUAL(memcmp(&c, &saved, sizeof(c)), 0);
	c.offset += 3 * (int64_t)PCF_NSEC;
	pcf_clock_turn(&c, tai);
	CU_ASSERT_EQUAL(pcf_clock_stamp(&c, tai).tv_sec, saved.sec - 3);
	pcf_clock_sync(&c);
	t = pcf_clock_stamp(&c, tai);
	CU_ASSERT_EQUAL(t.tv_sec, saved.sec);
	CU_ASSERT_EQUAL(t.tv_usec, 5);
}

/* Where a thousandth changes, and so everywhere. */
static void thousandths(void)
{
	unsigned wrong = 0;

	for (uint64_t us = 0; us <= (1 << 30) / 1000; us++) {
		wrong += pcf_clock_unit(us * 1000, false) != (int64_t)us;
		wrong += us && pcf_clock_unit(us * 1000 - 1, false) !=
				       (int64_t)us - 1;
	}
	wrong += pcf_clock_unit((1 << 30) - 1, false) != 1073741;
	wrong += pcf_clock_unit(999, true) != 999;
	CU_ASSERT_EQUAL(wrong, 0);
}

static CU_TestInfo tests[] = {
	PCF_TEST(thousandths),
	PCF_TEST(both_units),
	PCF_TEST(any_order),
	PCF_TEST(nonsense),
	PCF_TEST(now_is_now),
	PCF_TEST(sync_takes_a_new_offset),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("clock", tests);
}
