/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two ways to the same descriptors: our own poll() over all of them, since
 * poll() on an AF_XDP socket also drives it, and an epoll descriptor for the
 * caller's select(), which wants one number.
 *
 * That one is filled when it is first asked for. A socket that somebody waits
 * for is slower to send by: the kernel goes through its waiters for every
 * packet that has left.
 */
#include "libpcap-fast/wait.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct pcf_waiter {
	int epoll;
	atomic_bool filled;
	unsigned n;
	/* the sources, the wake-up descriptor, the one for events (or -1), and
	 * the one that stands for some sources during a pause (else -1) */
	struct pollfd fds[];
};

static int *wake_fd(struct pcf_waiter *w)
{
	return &w->fds[w->n].fd;
}

static int set_up(struct pcf_waiter *w, const int *fds)
{
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0)
		return -errno;
	w->fds[w->n].events = POLLIN;
	*wake_fd(w) = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (*wake_fd(w) < 0)
		return -errno;
	for (unsigned i = 0; i < w->n; i++)
		w->fds[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	return 0;
}

int pcf_waiter_open(struct pcf_waiter **waiter, const int *fds, unsigned n)
{
	struct pcf_waiter *w =
		calloc(1, sizeof(*w) + (n + 3) * sizeof(w->fds[0]));
	int err;

	if (!w)
		return -ENOMEM;
	w->n = n;
	*wake_fd(w) = -1;
	w->fds[n + 1].fd = w->fds[n + 2].fd = -1;
	err = set_up(w, fds);
	if (err) {
		pcf_waiter_close(w);
		return err;
	}
	*waiter = w;
	return 0;
}

void pcf_waiter_close(struct pcf_waiter *w)
{
	if (!w)
		return;
	if (*wake_fd(w) >= 0)
		close(*wake_fd(w));
	if (w->epoll >= 0)
		close(w->epoll);
	free(w);
}

void pcf_waiter_watch(struct pcf_waiter *w, int fd)
{
	w->fds[w->n + 1] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

bool pcf_waiter_event(const struct pcf_waiter *w)
{
	return w->fds[w->n + 1].revents != 0;
}

static void clear_wake(struct pcf_waiter *w)
{
	uint64_t count;
	ssize_t n = read(*wake_fd(w), &count, sizeof(count));

	(void)n; /* not readable: nothing to clear */
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static struct timespec until(int64_t end)
{
	int64_t left = end - now_us();

	if (left < 0)
		left = 0;
	return (struct timespec){ left / 1000000, left % 1000000 * 1000 };
}

/* Signals may come more often than every time-out. */
static int poll_until(struct pollfd *fds, unsigned n, int64_t end)
{
	struct timespec left = until(end);
	int rc;

	while ((rc = ppoll(fds, n, &left, NULL)) < 0 && errno == EINTR)
		left = until(end);
	return rc;
}

static int poll_for_ever(struct pollfd *fds, unsigned n)
{
	int rc;

	while ((rc = poll(fds, n, -1)) < 0 && errno == EINTR)
		;
	return rc;
}

/* What poll() has returned, as our callers get it. */
static int seen(struct pcf_waiter *w, int n)
{
	if (n < 0)
		return -errno;
	if (w->fds[w->n].revents)
		clear_wake(w);
	return n > 0;
}

int pcf_waiter_pause(struct pcf_waiter *w, unsigned skip, int fd, int64_t us)
{
	struct pollfd *stand_in = &w->fds[w->n + 2];
	int rc;

	*stand_in = (struct pollfd){ .fd = fd, .events = POLLIN };
	rc = seen(w, poll_until(w->fds + skip, w->n + 3 - skip, now_us() + us));
	stand_in->fd = -1;
	return rc;
}

int pcf_waiter_wait(struct pcf_waiter *w, int timeout_ms)
{
	if (timeout_ms >= 0)
		return pcf_waiter_pause(w, 0, -1, timeout_ms * INT64_C(1000));
	return seen(w, poll_for_ever(w->fds, w->n + 2));
}

/* The kernel looks at descriptors in their order, and at all of them in the
 * round that ends poll(). */
bool pcf_waiter_only_first(const struct pcf_waiter *w, unsigned n)
{
	bool first = false;

	for (unsigned i = 0; i < w->n + 2; i++) {
		if (i >= n && w->fds[i].revents)
			return false;
		first |= i < n && w->fds[i].revents & POLLIN;
	}
	return first;
}

void pcf_waiter_wake(struct pcf_waiter *w)
{
	int saved_errno = errno;
	uint64_t one = 1;
	ssize_t n = write(*wake_fd(w), &one, sizeof(one));

	(void)n; /* full: it is readable already */
	errno = saved_errno;
}

/* Queues may share a descriptor, and two threads may be here at once. */
static bool add(const struct pcf_waiter *w, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };

	return fd < 0 || !epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &ev) ||
	       errno == EEXIST;
}

static bool fill(struct pcf_waiter *w)
{
	for (unsigned i = 0; i < w->n; i++)
		if (!add(w, w->fds[i].fd))
			return false;
	return add(w, w->fds[w->n + 1].fd);
}

/* The free places come last. What epoll already has goes when it is closed. */
int pcf_waiter_add(struct pcf_waiter *w, int fd, int other)
{
	struct pollfd *places = &w->fds[w->n - 2];
	int err;

	places[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
	places[1] = (struct pollfd){ .fd = other, .events = POLLIN };
	if (!atomic_load(&w->filled) || (add(w, fd) && add(w, other)))
		return 0;
	err = -errno;
	places[0].fd = places[1].fd = PCF_WAIT_FREE;
	return err;
}

int pcf_waiter_fd(struct pcf_waiter *w)
{
	if (!atomic_load(&w->filled)) {
		if (!fill(w))
			return -1;
		atomic_store(&w->filled, true);
	}
	return w->epoll;
}
