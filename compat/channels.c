/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ethtool family's notifications about channels; see channels.h. Whoever
 * sets them, by netlink or by ioctl, the kernel sends one.
 */
#include "compat/channels.h"

#include <errno.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "compat/nl.h"

#define EVENT_SIZE 4096

struct pcf_channels {
	int fd, family, ifindex;
};

int pcf_channels_open(struct pcf_channels **channels, int ifindex)
{
	struct pcf_channels *c = calloc(1, sizeof(*c));
	int error;

	if (!c)
		return -ENOMEM;
	c->ifindex = ifindex;
	c->fd = pcf_nl_join(ETHTOOL_GENL_NAME, ETHTOOL_MCGRP_MONITOR_NAME,
			    &c->family);
	if (c->fd < 0) {
		error = c->fd;
		free(c);
		return error;
	}
	*channels = c;
	return 0;
}

void pcf_channels_close(struct pcf_channels *c)
{
	if (!c)
		return;
	close(c->fd);
	free(c);
}

int pcf_channels_fd(const struct pcf_channels *c)
{
	return c->fd;
}

/* A channel receives alone or as one half. 0: not about this interface. */
static uint32_t rx_queues(const struct pcf_channels *c,
			  const struct nlmsghdr *nlh)
{
	const size_t fixed = sizeof(struct genlmsghdr);
	const struct genlmsghdr *genl = pcf_nl_fixed(nlh, c->family, fixed);
	const struct nlattr *header;

	if (!genl || genl->cmd != ETHTOOL_MSG_CHANNELS_NTF)
		return 0;
	header = pcf_nl_attr(nlh, fixed, ETHTOOL_A_CHANNELS_HEADER);
	if ((int)pcf_nl_uint(pcf_nl_nested(
		    header, ETHTOOL_A_HEADER_DEV_INDEX)) != c->ifindex)
		return 0;
	return pcf_nl_uint(
		       pcf_nl_attr(nlh, fixed, ETHTOOL_A_CHANNELS_RX_COUNT)) +
	       pcf_nl_uint(pcf_nl_attr(nlh, fixed,
				       ETHTOOL_A_CHANNELS_COMBINED_COUNT));
}

/* One message a datagram. What others send is taken out and left alone. */
uint32_t pcf_channels_changed(struct pcf_channels *c)
{
	union {
		struct nlmsghdr nlh;
		char room[EVENT_SIZE];
	} event;
	uint32_t last = 0;
	ssize_t n;

	do {
		struct sockaddr_nl from = { 0 };
		socklen_t size = sizeof(from);
		uint32_t now;

		n = recvfrom(c->fd, &event, sizeof(event), 0,
			     (struct sockaddr *)&from, &size);
		if (n < 0 || from.nl_pid || !mnl_nlmsg_ok(&event.nlh, n))
			continue;
		now = rx_queues(c, &event.nlh);
		last = now ? now : last;
	} while (n >= 0 || errno == ENOBUFS || errno == EINTR);
	return last;
}
