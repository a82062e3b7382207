/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap_close() with frames that the device still has: they get a bounded time,
 * then their number is said; the backend is closed after that, not before. On a
 * scripted backend.
 */
#include "libpcap-fast/handle.h"
#include "tests/fake_backend.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
	unsigned pending; /* frames that the device has, */
	int64_t until;	  /* ... up to this time */
	unsigned at_close;
	unsigned closed;
} device;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static unsigned still_pending(void)
{
	return now_ms() < device.until ? device.pending : 0;
}

static int kick(struct pcf_queue *q, bool *progress)
{
	(void)q;
	*progress = false;
	return 0;
}

static void counters(struct pcf_queue *q, struct pcf_tx_counters *c)
{
	(void)q;
	*c = (struct pcf_tx_counters){ .pending = still_pending() };
}

static void close_backend(struct pcf_backend *b)
{
	(void)b;
	device.closed++;
	device.at_close = still_pending();
}

static struct pcf_queue *queue(struct pcf_backend *b, unsigned i)
{
	(void)b;
	(void)i;
	return NULL;
}

static const struct pcf_tx_ops tx = { .kick = kick, .counters = counters };
static const struct pcf_backend_ops ops = { .name = "device",
					    .close = close_backend,
					    .queue = queue };
static struct pcf_backend backend = { .ops = &ops, .tx = &tx, .nqueues = 1 };

/* Close with 5 frames out that come back after so many ms. How long it took;
 * what was said. */
static int64_t close_with(int64_t ms, char *said, size_t size)
{
	int64_t start = now_ms();
	int err = dup(STDERR_FILENO), ends[2];
	struct pcf_env env;
	struct fake f;
	ssize_t n;

	setenv("PCAP_FAST_LOG", "info", 1);
	pcf_env_read(&env);
	fake_open(&f, 1);
	strcpy(f.h->options.device.name, "eth9");
	f.h->backend = f.h->sender = &backend;
	memset(&device, 0, sizeof(device));
	device.pending = 5;
	device.until = start + ms;
	if (err < 0 || pipe(ends) || dup2(ends[1], STDERR_FILENO) < 0)
		abort();
	fake_close(&f);
	dup2(err, STDERR_FILENO);
	close(ends[1]);
	n = read(ends[0], said, size - 1);
	said[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	close(err);
	CU_ASSERT_EQUAL(device.closed, 1);
	return now_ms() - start;
}

static void comes_back(void)
{
	char said[256];
	int64_t took = close_with(30, said, sizeof(said));

	CU_ASSERT_TRUE(took >= 30 && took < 90);
	CU_ASSERT_EQUAL(device.at_close, 0);
	CU_ASSERT_STRING_EQUAL(said, "");
}

static void does_not_come_back(void)
{
	char said[256];
	int64_t took = close_with(100000, said, sizeof(said));

	CU_ASSERT_TRUE(took >= 100 && took < 1000);
	CU_ASSERT_EQUAL(device.at_close, 5);
	CU_ASSERT_STRING_EQUAL(
		said,
		"libpcap-fast: eth9: closed with 5 frames that the device has not sent\n");
}

static CU_TestInfo tests[] = { PCF_TEST(comes_back),
			       PCF_TEST(does_not_come_back),
			       CU_TEST_INFO_NULL };

int main(void)
{
	return pcf_run_tests("send_close", tests);
}
