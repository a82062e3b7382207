/* SPDX-License-Identifier: BSD-3-Clause */
/* Packet memory: its size, and that it is shared and whole. */
#include "backend/umem.h"
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1ul << 20)

static const struct {
	size_t buffer;
	uint32_t frame;
	unsigned queues;
	uint32_t frames;
} sizes[] = {
	/* the default: deep, for few queues; less for many */
	{ 0, 2048, 1, 16384 },
	{ 0, 4096, 1, 16384 },
	{ 0, 2048, 8, 16384 },
	{ 0, 2048, 9, 16384 },
	{ 0, 2048, 16, 8192 },
	{ 0, 2048, 32, 4096 },
	{ 0, 2048, 1000, 4096 },
	/* as asked, in a power of two, not below a minimum */
	{ 1, 2048, 1, 4096 },
	{ 2 * MIB, 2048, 1, 4096 },
	{ 8 * MIB, 2048, 1, 4096 },
	{ 8 * MIB + 2048, 2048, 1, 8192 },
	{ 64 * MIB, 2048, 1, 32768 },
	{ 64 * MIB, 4096, 1, 16384 },
	{ 64 * MIB, 2048, 4, 8192 },
	/* ... nor above a maximum */
	{ 1ul << 40, 2048, 1, 1u << 20 },
	{ SIZE_MAX, 2048, 1, 1u << 20 },
	{ 2147483647, 2048, 1, 1u << 20 },
};

static void frames(void)
{
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		CU_ASSERT_EQUAL(pcf_umem_frames(sizes[i].buffer, sizes[i].frame,
						sizes[i].queues),
				sizes[i].frames);
}

static bool all_are(const struct pcf_umem *u, uint8_t value)
{
	for (size_t i = 0; i < u->size; i += 512)
		if (u->area[i] != value)
			return false;
	return u->area[u->size - 1] == value;
}

static void mapped(void)
{
	static const uint32_t frame[] = { 2048, 4096 };

	for (unsigned i = 0; i < 2; i++) {
		struct pcf_umem u;

		CU_ASSERT_EQUAL_FATAL(pcf_umem_map(&u, 4096, 0, frame[i], false), 0);
		CU_ASSERT_EQUAL(u.size, 4096ul * frame[i]);
		CU_ASSERT_EQUAL(u.frames, 4096);
		CU_ASSERT_EQUAL(u.frame_size, frame[i]);
		CU_ASSERT_EQUAL((uintptr_t)u.area % 4096, 0);
		CU_ASSERT_TRUE(all_are(&u, 0));
		memset(u.area, 7, u.size);
		CU_ASSERT_TRUE(all_are(&u, 7));
		pcf_umem_unmap(&u);
		CU_ASSERT_PTR_NULL(u.area);
		pcf_umem_unmap(&u);
	}
}

/* Frames for sending, and the same again for the one that shares it. */
static void for_two(void)
{
	struct pcf_umem u;

	CU_ASSERT_EQUAL_FATAL(pcf_umem_map(&u, 4096, 100, 2048, true), 0);
	CU_ASSERT_EQUAL(pcf_umem_half(&u), 4196ul * 2048);
	CU_ASSERT_EQUAL(u.size, 2 * 4196ul * 2048);
	memset(u.area, 7, u.size);
	CU_ASSERT_TRUE(all_are(&u, 7));
	pcf_umem_unmap(&u);
}

/* A size that is no multiple of a huge page. */
static void small(void)
{
	struct pcf_umem u;

	CU_ASSERT_EQUAL_FATAL(pcf_umem_map(&u, 64, 0, 2048, false), 0);
	CU_ASSERT_FALSE(u.huge);
	memset(u.area, 7, u.size);
	CU_ASSERT_TRUE(all_are(&u, 7));
	pcf_umem_unmap(&u);
}

/* What is written on one side of fork() is seen on the other. */
static void shared_after_fork(void)
{
	struct pcf_umem u;
	pid_t pid;

	CU_ASSERT_EQUAL_FATAL(pcf_umem_map(&u, 4096, 0, 2048, false), 0);
	memset(u.area, 1, u.size);
	pid = fork();
	CU_ASSERT_TRUE_FATAL(pid >= 0);
	if (!pid) {
		memset(u.area, 2, u.size);
		_exit(0);
	}
	CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
	CU_ASSERT_TRUE(all_are(&u, 2));
	pcf_umem_unmap(&u);
}

static void impossible(void)
{
	struct pcf_umem u;

	CU_ASSERT_EQUAL(pcf_umem_map(&u, UINT32_MAX, 0, 1u << 31, false), -ENOMEM);
	CU_ASSERT_PTR_NULL(u.area);
	pcf_umem_unmap(&u);
}

static CU_TestInfo tests[] = {
	PCF_TEST(frames),	   PCF_TEST(mapped),
	PCF_TEST(small),	   PCF_TEST(shared_after_fork),
	PCF_TEST(impossible),	   PCF_TEST(for_two),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("umem", tests);
}
