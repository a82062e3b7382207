/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking into a socket of another process: its counters cannot be had
 * otherwise where the kernel has no xdp_diag. */
#ifndef PCF_PEER_SOCKET_H
#define PCF_PEER_SOCKET_H

#include <stdint.h>
#include <sys/types.h>

/* What tells a socket from all others, 0 unknown. */
uint64_t pcf_socket_cookie(int fd);

/* A descriptor of the socket that is `fd` in process `pid`, or negative errno;
 * -ENOENT: another one is. The caller closes it, soon: it keeps the socket
 * alive. Takes the right to trace the process. */
int pcf_peer_socket(pid_t pid, int fd, uint64_t cookie);

#endif
