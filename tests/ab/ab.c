/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame of an A/B program: runs each case in a child, so that one that
 * hangs or crashes loses its own lines only, and opens handles, waits and
 * reads with a bound. Knows nothing of what the cases look for; frames are
 * made in feed.c.
 */
#include "tests/ab/ab.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define USUAL_SECONDS 8
/*
 * In immediate mode the system's library has a slot of snaplen bytes for each
 * packet: with the default one, 32 packets fill its buffer.
 */
#define USUAL_SNAPLEN 2048

static const char *ab_topic;

void ab_say(const char *key, const char *fmt, ...)
{
	va_list ap;

	printf("%s.", ab_topic);
	for (; *key; key++)
		putchar(*key == ' ' ? '_' : *key);
	printf(": ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	/* A case may end in a signal: nothing may be left in the buffer. */
	fflush(stdout);
}

void ab_yes(const char *key, int truth)
{
	ab_say(key, "%s", truth ? "yes" : "no");
}

void ab_code(const char *key, pcap_t *p, int code)
{
	if (code < 0 && code != PCAP_ERROR_BREAK)
		ab_say(key, "%d \"%s\"", code, pcap_geterr(p));
	else
		ab_say(key, "%d", code);
}

void ab_die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(3);
}

/* A line that a good run does not print, so that it never compares equal. */
static void say_ended(const struct ab_case *c, int status)
{
	char key[64];

	snprintf(key, sizeof(key), "%s.ended", c->name);
	if (WIFSIGNALED(status))
		ab_say(key, "signal %d", WTERMSIG(status));
	else
		ab_say(key, "exit %d", WEXITSTATUS(status));
}

static int run_case(const struct ab_case *c)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		ab_die("fork: %s", strerror(errno));
	if (!pid) {
		alarm(c->seconds ? c->seconds : USUAL_SECONDS);
		c->run();
		exit(0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		say_ended(c, status);
	return status != 0;
}

int ab_main(const char *topic, const struct ab_case *cases)
{
	int failed = 0;

	ab_topic = topic;
	/* The commands that the cases run are not what is tested. */
	unsetenv("LD_PRELOAD");
	for (; cases->name; cases++)
		failed |= run_case(cases);
	return failed;
}

static void set_options(pcap_t *p, int flags, int to_ms, int snaplen)
{
	if (snaplen)
		pcap_set_snaplen(p, snaplen);
	pcap_set_promisc(p, !(flags & AB_NOPROMISC));
	pcap_set_timeout(p, to_ms);
	if (flags & AB_IMMEDIATE)
		pcap_set_immediate_mode(p, 1);
	if (flags & AB_NANO)
		pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
	if (flags & AB_SMALL)
		pcap_set_buffer_size(p, 1);
}

pcap_t *ab_open_on(const char *dev, int flags, int to_ms, int snaplen)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p = pcap_create(dev, err);
	int rc;

	if (!p)
		ab_die("create %s: %s", dev, err);
	set_options(p, flags, to_ms, snaplen);
	rc = pcap_activate(p);
	if (rc < 0)
		ab_die("activate %s: %d %s", dev, rc, pcap_geterr(p));
	if ((flags & AB_NONBLOCK) && pcap_setnonblock(p, 1, err) < 0)
		ab_die("setnonblock %s: %s", dev, err);
	return p;
}

pcap_t *ab_open(int flags, int to_ms)
{
	return ab_open_on(AB_DEV, flags, to_ms, USUAL_SNAPLEN);
}

void ab_filter(pcap_t *p, const char *expr)
{
	struct bpf_program prog;

	if (pcap_compile(p, &prog, expr, 1, PCAP_NETMASK_UNKNOWN) < 0)
		ab_die("compile %s: %s", expr, pcap_geterr(p));
	if (pcap_setfilter(p, &prog) < 0)
		ab_die("setfilter %s: %s", expr, pcap_geterr(p));
	pcap_freecode(&prog);
}

static double clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

double ab_now(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

double ab_wall(void)
{
	return clock_ms(CLOCK_REALTIME);
}

double ab_stamp(const struct pcap_pkthdr *h, int nano)
{
	return h->ts.tv_sec * 1e3 + h->ts.tv_usec / (nano ? 1e6 : 1e3);
}

void ab_sleep(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

void ab_settle(pcap_t *p, unsigned n)
{
	double end = ab_now() + 1000;
	struct pcap_stat st;

	while (ab_now() < end) {
		if (!pcap_stats(p, &st) && st.ps_recv >= n)
			break;
		ab_sleep(1);
	}
	/* Counted at the hook, delivered some microseconds later. */
	ab_sleep(5);
}

int ab_ready(pcap_t *p, int ms)
{
	struct pollfd pfd = { pcap_get_selectable_fd(p), POLLIN, 0 };

	return poll(&pfd, 1, ms) == 1 && (pfd.revents & POLLIN);
}

void ab_count(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	(void)h;
	(void)data;
	++*(unsigned *)(void *)user;
}

int ab_drain(pcap_t *p, pcap_handler cb, void *user, int want, int ms)
{
	double end = ab_now() + ms;
	int n, sum = 0;

	while (sum < want && ab_now() < end) {
		n = pcap_dispatch(p, -1, cb, user);
		if (n < 0)
			return n;
		if (!n)
			ab_sleep(1);
		sum += n;
	}
	return sum;
}

int ab_drain_n(pcap_t *p, int want, int ms)
{
	unsigned n = 0;
	int rc = ab_drain(p, ab_count, &n, want, ms);

	return rc < 0 ? rc : (int)n;
}

struct later {
	int ms;
	void (*fn)(void *);
	void *arg;
};

static void *later_main(void *arg)
{
	struct later l = *(struct later *)arg;

	free(arg);
	ab_sleep(l.ms);
	l.fn(l.arg);
	return NULL;
}

void ab_later(int ms, void (*fn)(void *), void *arg)
{
	struct later *l = malloc(sizeof(*l));
	pthread_t thread;

	if (!l)
		ab_die("no memory");
	*l = (struct later){ ms, fn, arg };
	if (pthread_create(&thread, NULL, later_main, l))
		ab_die("no thread");
	pthread_detach(thread);
}

void ab_signal_later(int ms, int sig)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = sig };
	struct itimerspec when = { .it_value = { ms / 1000,
						 ms % 1000 * 1000000L } };
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &ev, &timer) ||
	    timer_settime(timer, 0, &when, NULL))
		ab_die("timer: %s", strerror(errno));
}

void ab_ip(const char *fmt, ...)
{
	char cmd[256] = "ip ";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd + 3, sizeof(cmd) - 3, fmt, ap);
	va_end(ap);
	if (system(cmd))
		ab_die("failed: %s", cmd);
}

void ab_link_drop(void)
{
	ab_ip("link del %s", AB_LINK);
}

void ab_link_make(void)
{
	/* A case that ended early left its link behind. */
	if (if_nametoindex(AB_LINK))
		ab_link_drop();
	ab_ip("link add %s type veth peer name %s", AB_LINK, AB_FAR);
	ab_ip("link set %s up", AB_FAR);
	ab_ip("link set %s up", AB_LINK);
	ab_feed_from(AB_FAR);
}
