/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Traffic for the A/B programs: builds frames and sends them on the peer's
 * end of the link, through a packet socket opened in the peer's namespace
 * (a socket stays in the namespace where it was made). Uses no libpcap, so
 * that what is sent does not depend on the library under test.
 */
#include "tests/ab/ab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define USUAL_LEN 100
/*
 * A veth queues 256 frames to an XDP receiver. A pause after each burst keeps
 * losses out that are not the library's.
 */
#define BURST 64

static int feed_fd = -1;
static uint32_t feed_seq;

static int packet_socket(const char *dev)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	int size = 1 << 22, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	to.sll_ifindex = (int)if_nametoindex(dev);
	if (fd < 0 || !to.sll_ifindex ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to)))
		ab_die("feeder on %s: %s", dev, strerror(errno));
	/* The receiver sets the pace, not this socket's buffer. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	return fd;
}

static void enter(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		ab_die("namespace %s: %s", path, strerror(errno));
	close(fd);
}

static int peer_socket(void)
{
	const char *peer = getenv("PCF_AB_PEER");
	int home, fd;

	if (!peer)
		ab_die("PCF_AB_PEER is not set: start through tests/ab/run");
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	enter(peer);
	fd = packet_socket(AB_PEER);
	if (home < 0 || setns(home, CLONE_NEWNET))
		ab_die("way back: %s", strerror(errno));
	close(home);
	return fd;
}

void ab_feed_from(const char *dev)
{
	if (feed_fd >= 0)
		close(feed_fd);
	feed_fd = packet_socket(dev);
}

void ab_feed_restart(void)
{
	feed_seq = 0;
}

static u_char *put16(u_char *at, unsigned value)
{
	at[0] = (u_char)(value >> 8);
	at[1] = (u_char)value;
	return at + 2;
}

static u_char *put_tags(u_char *at, const char *kind)
{
	if (!strcmp(kind, "qinq"))
		at = put16(put16(at, ETH_P_8021AD), 100);
	if (!strcmp(kind, "qinq"))
		at = put16(put16(at, ETH_P_8021Q), 7);
	if (!strncmp(kind, "vlan", 4))
		at = put16(put16(at, ETH_P_8021Q),
			   0x6000 | (unsigned)atoi(kind + 4));
	return at;
}

/* 192.0.2.1 > 192.0.2.2; nobody checks the sums, so there are none. */
static u_char *put_ip(u_char *at, unsigned len, u_char protocol)
{
	static const u_char addresses[8] = { 192, 0, 2, 1, 192, 0, 2, 2 };

	memset(at, 0, 12);
	at[0] = 0x45;
	put16(at + 2, len);
	at[8] = 64;
	at[9] = protocol;
	memcpy(at + 12, addresses, 8);
	return at + 20;
}

static u_char *put_transport(u_char *at, const char *kind, unsigned len)
{
	if (strncmp(kind, "udp", 3)) {
		memset(at, 0, 8);
		at[0] = 8;
		return at + 8;
	}
	put16(put16(at, 40000), (unsigned)atoi(kind + 3));
	put16(put16(at + 4, len), 0);
	return at + 8;
}

size_t ab_frame(u_char *buf, const char *kind, uint32_t seq, size_t len)
{
	/* To another host: no stack answers, promiscuous mode matters. */
	static const u_char macs[12] = { 2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1 };
	unsigned left;
	u_char *at, *payload;

	memcpy(buf, macs, 12);
	at = put16(put_tags(buf + 12, kind), ETH_P_IP);
	left = (unsigned)(len - (size_t)(at - buf));
	at = put_ip(at, left, strncmp(kind, "udp", 3) ? 1 : 17);
	payload = put_transport(at, kind, left - 20);
	seq = htonl(seq);
	memcpy(payload, &seq, 4);
	for (at = payload + 4; at < buf + len; at++)
		*at = (u_char)(at - buf);
	return len;
}

/* At the same place in all kinds, counted from behind the tags. */
uint32_t ab_seq(const u_char *data)
{
	uint32_t seq;

	while ((data[12] == 0x81 && !data[13]) ||
	       (data[12] == 0x88 && data[13] == 0xa8))
		data += 4;
	memcpy(&seq, data + 42, 4);
	return ntohl(seq);
}

static void send_one(const u_char *buf, size_t len)
{
	int tries = 200;

	while (send(feed_fd, buf, len, 0) != (ssize_t)len) {
		if (errno != ENOBUFS || !--tries)
			ab_die("feeder: %s", strerror(errno));
		ab_sleep(1);
	}
}

void ab_send_len(const char *kind, unsigned n, size_t len)
{
	u_char buf[AB_FRAME_MAX];
	unsigned i;

	if (feed_fd < 0)
		feed_fd = peer_socket();
	for (i = 1; i <= n; i++) {
		ab_frame(buf, kind, feed_seq++, len);
		send_one(buf, len);
		if (i % BURST == 0)
			usleep(100);
	}
}

void ab_send(const char *kind, unsigned n)
{
	ab_send_len(kind, n, USUAL_LEN);
}
