/* SPDX-License-Identifier: BSD-3-Clause */
/* The veth pair of the filter tests; see filter_wire.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/filter_wire.h"

static int write_file(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (dprintf(fd, "%s", text) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* Root makes a network namespace; others need a user namespace around it. */
static int enter_namespace(void)
{
	const unsigned uid = geteuid();
	char map[32];

	if (!unshare(CLONE_NEWNET))
		return 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -errno;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	return write_file("/proc/self/uid_map", map);
}

static int bind_to(int fd, unsigned ifindex)
{
	const struct sockaddr_ll sa = { .sll_family = AF_PACKET,
					.sll_protocol = htons(ETH_P_ALL),
					.sll_ifindex = ifindex };

	return bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) ? -errno : 0;
}

/* A packet socket that takes nothing before it is bound. */
static int open_socket(const char *device)
{
	const unsigned ifindex = if_nametoindex(device);
	const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = ifindex ? bind_to(fd, ifindex) : -ENODEV;
	if (err)
		close(fd);
	return err ? err : fd;
}

static const char setup[] =
	"{ sysctl -qw net.ipv6.conf.all.disable_ipv6=1 "
	"net.ipv6.conf.default.disable_ipv6=1; "
	"ip link add pcfv0 type veth peer name " FILTER_WIRE_DEVICE " && "
	"ip link set " FILTER_WIRE_DEVICE " address 02:00:00:00:00:01 && "
	"ip link set pcfv0 mtu 9100 arp off up && "
	"ip link set " FILTER_WIRE_DEVICE " mtu 9100 arp off promisc on up; } "
	">/dev/null 2>&1";

int filter_wire_open(struct filter_wire *w)
{
	static const int on = 1;
	int err = enter_namespace();

	w->tx = w->rx = -1;
	if (err)
		return err;
	if (system(setup))
		return -ENODEV;
	w->ifindex = if_nametoindex(FILTER_WIRE_DEVICE);
	w->peer = if_nametoindex("pcfv0");
	w->rx = open_socket(FILTER_WIRE_DEVICE);
	if (w->rx < 0)
		return w->rx;
	w->tx = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (w->tx < 0)
		return -errno;
	setsockopt(w->rx, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	return 0;
}

void filter_wire_close(struct filter_wire *w)
{
	if (w->tx >= 0)
		close(w->tx);
	if (w->rx >= 0)
		close(w->rx);
}

int filter_wire_attach(struct filter_wire *w, const struct sock_filter *insns,
		       unsigned n)
{
	const struct sock_fprog prog = { n, (struct sock_filter *)insns };

	if (setsockopt(w->rx, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
		       sizeof(prog)))
		return -errno;
	return 0;
}

int filter_wire_run(struct filter_wire *w, const uint8_t *data, uint32_t len)
{
	const struct sockaddr_ll to = { .sll_family = AF_PACKET,
					.sll_ifindex = w->peer };
	static uint8_t sink[1 << 16];
	ssize_t n;

	if (sendto(w->tx, data, len, 0, (const struct sockaddr *)&to,
		   sizeof(to)) < 0)
		return -errno;
	n = recv(w->rx, sink, sizeof(sink), MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return n;
}
