/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Environment variables and the log: defaults, each value, each mistake; one
 * line a message and nothing at all when the log is off.
 */
#include "libpcap-fast/env.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pcap-fast.h"
#include "tests/unit.h"

static const char *const variables[] = {
	"PCAP_FAST_MODE",   "PCAP_FAST_KEEP",	  "PCAP_FAST_REST",
	"PCAP_FAST_QUEUES", "PCAP_FAST_ZEROCOPY", "PCAP_FAST_BUSY_POLL",
	"PCAP_FAST_LOG",    "PCAP_FAST_TIMEOUT",  "PCAP_FAST_SYSTEM_LIBPCAP",
	"PCAP_FAST_QDISC_BYPASS", "PCAP_FAST_RX", "PCAP_FAST_RX_HASH"
};

static struct pcf_env env;

/* Read the environment with only this one variable (or none) set. */
static void read_with(const char *variable, const char *value)
{
	for (unsigned i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		unsetenv(variables[i]);
	if (variable)
		setenv(variable, value, 1);
	memset(&env, 0xff, sizeof(env));
	pcf_env_read(&env);
}

static void check_defaults(void)
{
	CU_ASSERT_EQUAL(env.mode, PCAP_FAST_MODE_AUTO);
	CU_ASSERT_FALSE(env.mode_set);
	CU_ASSERT_FALSE(env.keep_set);
	CU_ASSERT_STRING_EQUAL(env.keep, "");
	CU_ASSERT_EQUAL(env.rest, PCAP_FAST_REST_PASS);
	CU_ASSERT_STRING_EQUAL(env.queues, "");
	CU_ASSERT_EQUAL(env.zerocopy, PCAP_FAST_ZEROCOPY_AUTO);
	CU_ASSERT_EQUAL(env.busy_poll, 0);
	CU_ASSERT_FALSE(env.qdisc_bypass);
	CU_ASSERT_EQUAL(env.log, PCF_LOG_OFF);
	CU_ASSERT_EQUAL(env.timeout, PCF_TIMEOUT_STOCK);
	CU_ASSERT_STRING_EQUAL(env.system_libpcap, "");
}

static void unset_and_empty_are_default(void)
{
	read_with(NULL, NULL);
	check_defaults();
	CU_ASSERT_STRING_EQUAL(env.error, "");
	for (unsigned i = 0; i < sizeof(variables) / sizeof(variables[0]);
	     i++) {
		read_with(variables[i], "");
		CU_ASSERT_STRING_EQUAL(env.error, "");
	}
}

static void modes(void)
{
	read_with("PCAP_FAST_MODE", "exclusive");
	CU_ASSERT_EQUAL(env.mode, PCAP_FAST_MODE_EXCLUSIVE);
	CU_ASSERT_TRUE(env.mode_set);
	read_with("PCAP_FAST_MODE", "auto");
	CU_ASSERT_EQUAL(env.mode, PCAP_FAST_MODE_AUTO);
	CU_ASSERT_TRUE(env.mode_set);
	read_with("PCAP_FAST_MODE", "system");
	CU_ASSERT_EQUAL(env.mode, PCAP_FAST_MODE_SYSTEM);
}

static void values(void)
{
	read_with("PCAP_FAST_KEEP", "arp or tcp port 22");
	CU_ASSERT_TRUE(env.keep_set);
	CU_ASSERT_STRING_EQUAL(env.keep, "arp or tcp port 22");
	read_with("PCAP_FAST_REST", "drop");
	CU_ASSERT_EQUAL(env.rest, PCAP_FAST_REST_DROP);
	read_with("PCAP_FAST_QUEUES", "0,2-3");
	CU_ASSERT_STRING_EQUAL(env.queues, "0,2-3");
	read_with("PCAP_FAST_ZEROCOPY", "require");
	CU_ASSERT_EQUAL(env.zerocopy, PCAP_FAST_ZEROCOPY_REQUIRE);
	read_with("PCAP_FAST_ZEROCOPY", "off");
	CU_ASSERT_EQUAL(env.zerocopy, PCAP_FAST_ZEROCOPY_OFF);
	read_with("PCAP_FAST_BUSY_POLL", "1000000");
	CU_ASSERT_EQUAL(env.busy_poll, 1000000);
	read_with("PCAP_FAST_QDISC_BYPASS", "1");
	CU_ASSERT_TRUE(env.qdisc_bypass);
	read_with("PCAP_FAST_QDISC_BYPASS", "on");
	CU_ASSERT_TRUE(env.qdisc_bypass);
	read_with("PCAP_FAST_QDISC_BYPASS", "0");
	CU_ASSERT_FALSE(env.qdisc_bypass);
	read_with("PCAP_FAST_RX", "xsk");
	CU_ASSERT_EQUAL(env.rx, PCF_RX_XSK);
	read_with("PCAP_FAST_RX", "ring");
	CU_ASSERT_EQUAL(env.rx, PCF_RX_RING);
	read_with("PCAP_FAST_RX_HASH", "on");
	CU_ASSERT_TRUE(env.rx_hash);
	read_with("PCAP_FAST_RX_HASH", "0");
	CU_ASSERT_FALSE(env.rx_hash);
	read_with("PCAP_FAST_LOG", "debug");
	CU_ASSERT_EQUAL(env.log, PCF_LOG_DEBUG);
	read_with("PCAP_FAST_TIMEOUT", "honest");
	CU_ASSERT_EQUAL(env.timeout, PCF_TIMEOUT_HONEST);
	read_with("PCAP_FAST_SYSTEM_LIBPCAP", "/usr/lib/libpcap.so.0.8");
	CU_ASSERT_STRING_EQUAL(env.system_libpcap, "/usr/lib/libpcap.so.0.8");
	CU_ASSERT_STRING_EQUAL(env.error, "");
}

static void empty_keep_keeps_nothing(void)
{
	read_with("PCAP_FAST_KEEP", "");
	CU_ASSERT_TRUE(env.keep_set);
	CU_ASSERT_STRING_EQUAL(env.keep, "");
}

static void mistake(const char *variable, const char *value)
{
	read_with(variable, value);
	check_defaults();
	CU_ASSERT_PTR_NOT_NULL(strstr(env.error, variable));
	CU_ASSERT_PTR_NOT_NULL(strstr(env.error, "is ignored"));
}

static void mistakes_leave_the_default(void)
{
	char text[PATH_MAX + 2];

	mistake("PCAP_FAST_MODE", "fast");
	mistake("PCAP_FAST_MODE", "EXCLUSIVE");
	mistake("PCAP_FAST_REST", "keep");
	mistake("PCAP_FAST_QDISC_BYPASS", "yes");
	mistake("PCAP_FAST_ZEROCOPY", "yes");
	mistake("PCAP_FAST_BUSY_POLL", "-1");
	mistake("PCAP_FAST_BUSY_POLL", "50us");
	mistake("PCAP_FAST_BUSY_POLL", "1000001");
	mistake("PCAP_FAST_BUSY_POLL", "99999999999999999999");
	mistake("PCAP_FAST_RX", "socket");
	mistake("PCAP_FAST_RX_HASH", "yes");
	mistake("PCAP_FAST_LOG", "all");
	mistake("PCAP_FAST_TIMEOUT", "1");
	mistake("PCAP_FAST_SYSTEM_LIBPCAP", "libpcap.so.0.8");
	memset(text, '/', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	mistake("PCAP_FAST_SYSTEM_LIBPCAP", text);
	mistake("PCAP_FAST_KEEP", text);
	mistake("PCAP_FAST_QUEUES", text);
	mistake("PCAP_FAST_MODE", text);
}

static void first_mistake_is_told(void)
{
	read_with("PCAP_FAST_MODE", "fast");
	setenv("PCAP_FAST_LOG", "all", 1);
	pcf_env_read(&env);
	CU_ASSERT_PTR_NOT_NULL(strstr(env.error, "PCAP_FAST_MODE=fast"));
	CU_ASSERT_PTR_NULL(strstr(env.error, "PCAP_FAST_LOG"));
}

/* What reaches stderr when the log has that level. */
static ssize_t logged(const char *level, const char *text, char *out,
		      size_t size)
{
	int saved = dup(STDERR_FILENO), ends[2];
	ssize_t n;

	if (saved < 0 || pipe2(ends, O_NONBLOCK | O_CLOEXEC))
		return -1;
	read_with("PCAP_FAST_LOG", level);
	dup2(ends[1], STDERR_FILENO);
	errno = 1234;
	pcf_log(PCF_LOG_INFO, "%s", text);
	CU_ASSERT_EQUAL(errno, 1234);
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = read(ends[0], out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	close(ends[1]);
	return n;
}

static void log_is_one_line(void)
{
	char out[2048], text[1500];

	CU_ASSERT(logged("info", "eth0: why", out, sizeof(out)) > 0);
	CU_ASSERT_STRING_EQUAL(out, "libpcap-fast: eth0: why\n");
	CU_ASSERT(logged("debug", "a\nb\x1b[1m", out, sizeof(out)) > 0);
	CU_ASSERT_STRING_EQUAL(out, "libpcap-fast: a?b?[1m\n");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	CU_ASSERT_EQUAL(logged("info", text, out, sizeof(out)), 1024);
	CU_ASSERT_EQUAL(out[1023], '\n');
}

static void log_is_silent_unasked(void)
{
	char out[64];

	CU_ASSERT_EQUAL(logged("off", "x", out, sizeof(out)), -1);
	CU_ASSERT_EQUAL(logged("", "x", out, sizeof(out)), -1);
	CU_ASSERT_EQUAL(logged("all", "x", out, sizeof(out)), -1);
}

static void log_without_stderr(void)
{
	int saved = dup(STDERR_FILENO);

	read_with("PCAP_FAST_LOG", "info");
	close(STDERR_FILENO);
	errno = 1234;
	pcf_log(PCF_LOG_INFO, "lost");
	CU_ASSERT_EQUAL(errno, 1234);
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static CU_TestInfo tests[] = { PCF_TEST(unset_and_empty_are_default),
			       PCF_TEST(modes),
			       PCF_TEST(values),
			       PCF_TEST(empty_keep_keeps_nothing),
			       PCF_TEST(mistakes_leave_the_default),
			       PCF_TEST(first_mistake_is_told),
			       PCF_TEST(log_is_one_line),
			       PCF_TEST(log_is_silent_unasked),
			       PCF_TEST(log_without_stderr),
			       CU_TEST_INFO_NULL };

int main(void)
{
	return pcf_run_tests("environment", tests);
}
