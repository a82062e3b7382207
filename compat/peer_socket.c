/* SPDX-License-Identifier: BSD-3-Clause */
/* A copy of another process's descriptor, by pidfd_getfd(2); see
 * peer_socket.h. */
#include "compat/peer_socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

uint64_t pcf_socket_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) ? 0
								     : cookie;
}

/* The number may be another file's by now. */
int pcf_peer_socket(pid_t pid, int fd, uint64_t cookie)
{
	int copy, process = syscall(SYS_pidfd_open, pid, 0);

	if (process < 0)
		return -errno;
	copy = syscall(SYS_pidfd_getfd, process, fd, 0);
	if (copy < 0)
		copy = -errno;
	close(process);
	if (copy < 0 || pcf_socket_cookie(copy) == cookie)
		return copy;
	close(copy);
	return -ENOENT;
}
