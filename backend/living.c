/* SPDX-License-Identifier: BSD-3-Clause */
/* See living.h. */
#include "backend/living.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_xdp.h>
#include <sys/socket.h>
#include <unistd.h>

/* Kernels between 6.18 and 7.2 began to refuse (ENOBUFS) a socket without RX
 * ring in an XSKMAP. The smallest will do, a page. */
static int enter(int map, uint32_t key, int fd)
{
	int entries = 1;

	if (setsockopt(fd, SOL_XDP, XDP_RX_RING, &entries, sizeof(entries)) < 0)
		return -errno;
	return bpf_map_update_elem(map, &key, &fd, BPF_ANY);
}

int pcf_living_socket(int map, uint32_t key)
{
	int err, fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	err = enter(map, key, fd);
	if (!err)
		return fd;
	close(fd);
	return err;
}
