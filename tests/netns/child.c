/* SPDX-License-Identifier: BSD-3-Clause */
/* See child.h. */
#include "tests/netns/child.h"

#include <CUnit/Basic.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int ready_fd;

static pid_t begin(void)
{
	pid_t child = fork();

	if (!child)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return child;
}

pid_t child_start(void (*body)(void *arg), void *arg)
{
	int ready[2];
	pid_t child;
	char c = 0;

	if (pipe(ready))
		abort();
	child = begin();
	if (!child) {
		close(ready[0]);
		ready_fd = ready[1];
		body(arg);
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		c = 0;
	close(ready[0]);
	CU_ASSERT_EQUAL_FATAL(c, 'r');
	return child;
}

void child_ready(void)
{
	if (write(ready_fd, "r", 1) != 1)
		_exit(1);
}

void child_waits(void)
{
	child_ready();
	for (;;)
		pause();
}

void child_kill(pid_t child)
{
	kill(child, SIGKILL);
	CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
}

void child_runs(void (*test)(void))
{
	unsigned before = CU_get_number_of_failures();
	int status = -1;
	pid_t child = begin();

	if (!child) {
		test();
		_exit(CU_get_number_of_failures() > before);
	}
	waitpid(child, &status, 0);
	CU_ASSERT_EQUAL(status, 0);
}

/* --- who opens and closes ------------------------------------------------ */

static void open_and_close(pcap_t *(*open)(const char *device),
			   const char *device, int told, int tell)
{
	char c;

	while (read(told, &c, 1) == 1) {
		pcap_t *p = open(device);

		if (write(tell, p ? "y" : "n", 1) != 1 ||
		    read(told, &c, 1) != 1)
			break;
		if (p)
			pcap_close(p);
		if (write(tell, "c", 1) != 1)
			break;
	}
	_exit(0);
}

struct opener opener_start(pcap_t *(*open)(const char *device),
			   const char *device)
{
	int to[2], from[2];
	struct opener o;

	if (pipe(to) || pipe(from))
		abort();
	o = (struct opener){ begin(), to[1], from[0] };
	if (!o.pid)
		open_and_close(open, device, to[0], from[1]);
	close(to[0]);
	close(from[1]);
	return o;
}

bool opener_tell(const struct opener *o)
{
	return write(o->to, "g", 1) == 1;
}

char opener_says(const struct opener *o)
{
	char c = '?';

	return read(o->from, &c, 1) == 1 ? c : '?';
}

void opener_stop(struct opener *o)
{
	child_kill(o->pid);
	close(o->to);
	close(o->from);
}
