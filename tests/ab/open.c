/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A/B: opening and closing. Names that cannot be opened and the texts they
 * give, pcap_open_live, several handles at once, quick reopening, many cycles
 * without a leaked descriptor, and a handle read by a child.
 */
#include "tests/ab/ab.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *key, *name;
} bad_names[] = {
	{ "missing", "nosuchdev0" },
	{ "longest", "abcdefghijklmno" },
	{ "overlong", "abcdefghijklmnopqrstuvwxyz" },
	{ "empty", "" },
	{ "slash", "ab/0" },
	{ "space", "ab 0" },
	{ "down", AB_DOWN },
};

#define BAD_NAMES (sizeof(bad_names) / sizeof(*bad_names))

static void create_bad(void)
{
	char err[PCAP_ERRBUF_SIZE], key[40];
	unsigned i;
	pcap_t *p;
	int rc;

	for (i = 0; i < BAD_NAMES; i++) {
		err[0] = 0;
		p = pcap_create(bad_names[i].name, err);
		snprintf(key, sizeof(key), "create.%s", bad_names[i].key);
		ab_say(key, "%s \"%s\"", p ? "yes" : "no", err);
		if (!p)
			continue;
		rc = pcap_activate(p);
		snprintf(key, sizeof(key), "activate.%s", bad_names[i].key);
		ab_code(key, p, rc);
		pcap_close(p);
	}
}

static void open_live_bad(void)
{
	char err[PCAP_ERRBUF_SIZE], key[40];
	unsigned i;
	pcap_t *p;

	for (i = 0; i < BAD_NAMES; i++) {
		err[0] = 0;
		p = pcap_open_live(bad_names[i].name, 96, 1, 10, err);
		snprintf(key, sizeof(key), "open_live.%s", bad_names[i].key);
		ab_say(key, "%s \"%s\"", p ? "yes" : "no", err);
		if (p)
			pcap_close(p);
	}
}

static void null_device(void)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p = pcap_create(NULL, err);

	ab_yes("null.create", p != NULL);
	ab_say("null.activate", "%d", pcap_activate(p));
	ab_say("null.datalink", "%d", pcap_datalink(p));
	pcap_close(p);
	p = pcap_open_live(NULL, 96, 0, 10, err);
	ab_say("null.open_live", "%s \"%s\"", p ? "yes" : "no", err);
	pcap_close(p);
}

static void open_live_good(void)
{
	char err[PCAP_ERRBUF_SIZE] = "left from before";
	pcap_t *p = pcap_open_live(AB_DEV, 1000000, 1, 10, err);

	ab_say("live.open", "%s \"%s\"", p ? "yes" : "no", err);
	ab_say("live.snapshot", "%d", pcap_snapshot(p));
	ab_say("live.datalink", "%d", pcap_datalink(p));
	ab_code("live.set_after", p, pcap_set_timeout(p, 1));
	ab_code("live.activate_again", p, pcap_activate(p));
	ab_say("live.getnonblock", "%d", pcap_getnonblock(p, err));
	ab_say("live.setnonblock", "%d", pcap_setnonblock(p, 1, err));
	ab_send("icmp", 10);
	ab_say("live.read", "%d", ab_drain_n(p, 10, 1000));
	pcap_close(p);
}

/* Each handle of a process sees every packet. */
static void several(void)
{
	static const int flags[] = { AB_QUICK, AB_QUICK, AB_NONBLOCK };
	char key[32];
	pcap_t *p[3];
	unsigned i;

	for (i = 0; i < 3; i++)
		p[i] = ab_open(flags[i], 10);
	ab_filter(p[1], "udp");
	ab_send("icmp", 10);
	ab_send("udp53", 5);
	for (i = 0; i < 3; i++) {
		snprintf(key, sizeof(key), "several.handle_%u", i);
		ab_say(key, "%d", ab_drain_n(p[i], i == 1 ? 5 : 15, 1000));
	}
	pcap_close(p[0]);
	ab_send("udp53", 4);
	ab_say("several.after_close_1", "%d", ab_drain_n(p[1], 4, 1000));
	ab_say("several.after_close_2", "%d", ab_drain_n(p[2], 4, 1000));
	pcap_close(p[1]);
	pcap_close(p[2]);
}

static void reopen(void)
{
	unsigned i, good = 0;
	pcap_t *p;

	for (i = 0; i < 10; i++) {
		p = ab_open(AB_QUICK, 10);
		ab_send("icmp", 3);
		good += ab_drain_n(p, 3, 1000) == 3;
		pcap_close(p);
	}
	ab_say("reopen.good", "%u of 10", good);
}

static unsigned open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	if (!dir)
		ab_die("no /proc/self/fd");
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static unsigned mapped_lines(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned n = 0;
	int c;

	if (!f)
		ab_die("no /proc/self/maps");
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

static void cycle(void)
{
	pcap_t *p = ab_open(AB_QUICK, 10);

	ab_drain_n(p, 1, 1);
	pcap_close(p);
}

static void cycles(void)
{
	unsigned i, fds, maps;

	/* The first may open what a library keeps. */
	cycle();
	fds = open_fds();
	maps = mapped_lines();
	for (i = 0; i < 200; i++)
		cycle();
	ab_say("cycles.leaked_fds", "%d", (int)open_fds() - (int)fds);
	ab_yes("cycles.maps_grown", mapped_lines() > maps + 20);
}

/* A handle that was never, or not successfully, activated leaves nothing. */
static void failed_cycles(void)
{
	char err[PCAP_ERRBUF_SIZE];
	unsigned i, fds = open_fds();
	pcap_t *p;

	for (i = 0; i < 100; i++) {
		pcap_close(pcap_create(AB_DEV, err));
		p = pcap_create(i % 2 ? AB_DOWN : "nosuchdev0", err);
		pcap_activate(p);
		pcap_close(p);
	}
	ab_say("failed_cycles.leaked_fds", "%d", (int)open_fds() - (int)fds);
}

static void closed_fd(void)
{
	pcap_t *p = ab_open(AB_QUICK, 10);
	int fd = pcap_get_selectable_fd(p);

	ab_yes("closed.fd_open_before", fcntl(fd, F_GETFD) >= 0);
	pcap_close(p);
	ab_yes("closed.fd_open_after", fcntl(fd, F_GETFD) >= 0);
}

static int read_in_child(pcap_t *p, int want)
{
	int status, n;
	pid_t pid = fork();

	if (!pid) {
		alarm(4);
		n = ab_drain_n(p, want, 2000);
		_exit(n < 0 ? 255 : n);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* The parent opens, a child reads: before, and after, packets arrived. */
static void forked(void)
{
	static const int flags[] = { AB_QUICK, AB_NONBLOCK };
	char key[32];
	unsigned i;
	pcap_t *p;

	for (i = 0; i < 2; i++) {
		p = ab_open(flags[i], 10);
		ab_send("icmp", 20);
		ab_settle(p, 20);
		snprintf(key, sizeof(key), "fork.child_%u", i);
		ab_say(key, "%d", read_in_child(p, 20));
		pcap_close(p);
	}
}

/* A child that leaves, as daemons do, must not end the parent's capture. */
static void fork_and_exit(void)
{
	pcap_t *p = ab_open(AB_QUICK, 10);
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	ab_send("icmp", 20);
	ab_say("fork.parent_after_child", "%d", ab_drain_n(p, 20, 1000));
	pcap_close(p);
}

static const struct ab_case cases[] = {
	AB_CASE(create_bad),	 AB_CASE(open_live_bad), AB_CASE(null_device),
	AB_CASE(open_live_good), AB_CASE(several),	 AB_CASE(reopen),
	AB_SLOW(cycles, 40),	 AB_CASE(failed_cycles), AB_CASE(closed_fd),
	AB_CASE(forked),	 AB_CASE(fork_and_exit), AB_CASE_END,
};

int main(void)
{
	return ab_main("open", cases);
}
