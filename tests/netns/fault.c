/* SPDX-License-Identifier: BSD-3-Clause */
/* The functions that can be made to fail; see fault.h. For each, the errno
 * values are what the kernel or the C library does give on a bad day. */
#include "tests/netns/fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_xdp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
	bool armed, paused, struck;
	enum fault_kind kind;
	unsigned left;
	const char *name;
	int err;
} fault;

static atomic_long live;

void fault_arm(enum fault_kind kind, unsigned nth)
{
	fault.kind = kind;
	fault.left = nth;
	fault.paused = fault.struck = false;
	fault.armed = true;
}

bool fault_disarm(void)
{
	fault.armed = false;
	return fault.struck;
}

bool fault_pause(bool on)
{
	bool was = fault.paused;

	fault.paused = on;
	return was;
}

const char *fault_struck(void)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s: %s", fault.name, strerror(fault.err));
	return text;
}

long fault_live(void)
{
	return atomic_load(&live);
}

static bool strike(bool counts, const char *name, int err)
{
	if (!fault.armed || fault.paused || !counts || !fault.left ||
	    --fault.left)
		return false;
	fault.struck = true;
	fault.name = name;
	fault.err = errno = err;
	return true;
}

static bool no_memory(const char *name)
{
	return strike(fault.kind == FAULT_MEMORY, name, ENOMEM);
}

static bool no_call(const char *name, int first, int second)
{
	return strike(fault.kind != FAULT_MEMORY, name,
		      fault.kind == FAULT_CALLS ? first : second);
}

/* The function that this one stands before. */
#define REAL(function)                                                         \
	({                                                                     \
		static __typeof__(&function) real;                             \
		if (!real)                                                     \
			real = (__typeof__(real))dlsym(RTLD_NEXT, #function);  \
		real;                                                          \
	})

/* These are needed before dlsym() works, and by it. */
#ifdef __SANITIZE_ADDRESS__
#define HEAP(function) __interceptor_##function
#else
#define HEAP(function) __libc_##function
#endif
void *HEAP(malloc)(size_t size);
void *HEAP(calloc)(size_t n, size_t size);
void *HEAP(realloc)(void *p, size_t size);
void HEAP(free)(void *p);

/* Found by all shared objects before the C library's. */
#pragma GCC visibility push(default)

/* --- memory -------------------------------------------------------------- */

static void *counted(void *p)
{
	if (p)
		atomic_fetch_add(&live, 1);
	return p;
}

void *malloc(size_t size)
{
	return no_memory("malloc") ? NULL : counted(HEAP(malloc)(size));
}

void *calloc(size_t n, size_t size)
{
	return no_memory("calloc") ? NULL : counted(HEAP(calloc)(n, size));
}

void *realloc(void *p, size_t size)
{
	void *q;

	if (size && no_memory("realloc"))
		return NULL;
	q = HEAP(realloc)(p, size);
	if (!p)
		counted(q);
	else if (!size && !q)
		atomic_fetch_sub(&live, 1);
	return q;
}

int posix_memalign(void **p, size_t align, size_t size)
{
	int err;

	if (no_memory("posix_memalign"))
		return ENOMEM;
	err = REAL(posix_memalign)(p, align, size);
	if (!err)
		counted(*p);
	return err;
}

void *aligned_alloc(size_t align, size_t size)
{
	return no_memory("aligned_alloc")
		       ? NULL
		       : counted(REAL(aligned_alloc)(align, size));
}

void free(void *p)
{
	if (p)
		atomic_fetch_sub(&live, 1);
	HEAP(free)(p);
}

void *mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	return no_memory("mmap")
		       ? MAP_FAILED
		       : REAL(mmap)(at, size, prot, flags, fd, offset);
}

void *mmap64(void *at, size_t size, int prot, int flags, int fd, off64_t offset)
{
	return no_memory("mmap")
		       ? MAP_FAILED
		       : REAL(mmap)(at, size, prot, flags, fd, offset);
}

/* --- sockets ------------------------------------------------------------- */

int socket(int domain, int type, int protocol)
{
	return no_call("socket", EMFILE, EPERM)
		       ? -1
		       : REAL(socket)(domain, type, protocol);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	return no_call("setsockopt", ENOMEM, ENOPROTOOPT)
		       ? -1
		       : REAL(setsockopt)(fd, level, name, value, len);
}

/* Where the rings lie the kernel always says; libxdp cannot take them down
 * without it. */
int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	bool can = level != SOL_XDP || name != XDP_MMAP_OFFSETS;

	return can && no_call("getsockopt", ENOMEM, ENOPROTOOPT)
		       ? -1
		       : REAL(getsockopt)(fd, level, name, value, len);
}

int getsockname(int fd, __SOCKADDR_ARG addr, socklen_t *len)
{
	return no_call("getsockname", ENOBUFS, ENOBUFS)
		       ? -1
		       : REAL(getsockname)(fd, addr, len);
}

int bind(int fd, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	return no_call("bind", EBUSY, ENETDOWN) ? -1
						: REAL(bind)(fd, addr, len);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	return no_call("send", ENOBUFS, EPERM)
		       ? -1
		       : REAL(send)(fd, data, size, flags);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags,
	       __CONST_SOCKADDR_ARG to, socklen_t len)
{
	return no_call("sendto", ENOBUFS, EPERM)
		       ? -1
		       : REAL(sendto)(fd, data, size, flags, to, len);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	return no_call("sendmsg", ENOBUFS, EPERM)
		       ? -1
		       : REAL(sendmsg)(fd, msg, flags);
}

int sendmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags)
{
	return no_call("sendmmsg", ENOBUFS, EPERM)
		       ? -1
		       : REAL(sendmmsg)(fd, msgs, n, flags);
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
	return no_call("recv", ENOBUFS, ENOMEM)
		       ? -1
		       : REAL(recv)(fd, data, size, flags);
}

ssize_t recvfrom(int fd, void *data, size_t size, int flags,
		 __SOCKADDR_ARG from, socklen_t *len)
{
	return no_call("recvfrom", ENOBUFS, ENOMEM)
		       ? -1
		       : REAL(recvfrom)(fd, data, size, flags, from, len);
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	return no_call("recvmsg", ENOBUFS, ENOMEM)
		       ? -1
		       : REAL(recvmsg)(fd, msg, flags);
}

/* --- descriptors --------------------------------------------------------- */

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	return no_call("poll", ENOMEM, EINTR) ? -1
					      : REAL(poll)(fds, n, timeout);
}

int eventfd(unsigned value, int flags)
{
	return no_call("eventfd", EMFILE, ENOMEM) ? -1
						  : REAL(eventfd)(value, flags);
}

int epoll_create1(int flags)
{
	return no_call("epoll_create1", EMFILE, ENOMEM)
		       ? -1
		       : REAL(epoll_create1)(flags);
}

int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
	return no_call("epoll_ctl", ENOSPC, ENOMEM)
		       ? -1
		       : REAL(epoll_ctl)(epoll, op, fd, event);
}

/* The one argument that may follow, whatever it is. */
#define LAST_ARGUMENT(before)                                                  \
	({                                                                     \
		va_list ap;                                                    \
		long last;                                                     \
		va_start(ap, before);                                          \
		last = va_arg(ap, long);                                       \
		va_end(ap);                                                    \
		last;                                                          \
	})

int open(const char *path, int flags, ...)
{
	long mode = LAST_ARGUMENT(flags);

	return no_call("open", EMFILE, EACCES) ? -1
					       : REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	long mode = LAST_ARGUMENT(flags);

	return no_call("open", EMFILE, EACCES) ? -1
					       : REAL(open)(path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	long mode = LAST_ARGUMENT(flags);

	return no_call("openat", EMFILE, EACCES)
		       ? -1
		       : REAL(openat)(dir, path, flags, mode);
}

int fcntl(int fd, int command, ...)
{
	long arg = LAST_ARGUMENT(command);

	return no_call("fcntl", EMFILE, EINVAL) ? -1
						: REAL(fcntl)(fd, command, arg);
}

int fcntl64(int fd, int command, ...)
{
	long arg = LAST_ARGUMENT(command);

	return no_call("fcntl", EMFILE, EINVAL) ? -1
						: REAL(fcntl)(fd, command, arg);
}

int ioctl(int fd, unsigned long request, ...)
{
	long arg = LAST_ARGUMENT(request);

	return no_call("ioctl", EPERM, ENOMEM) ? -1
					       : REAL(ioctl)(fd, request, arg);
}

/* Takes arguments that the caller may not have given: to the sanitizer, those
 * lie outside its frame. */
__attribute__((no_sanitize_address)) long syscall(long number, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_bpf && no_call("bpf", ENOMEM, EPERM))
		return -1;
	return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
