/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who else listens on an interface through a packet socket: packet_diag, or
 * /proc/net/packet where the kernel lacks it, and the sockets' owners through
 * /proc. Keeps no state.
 */
#include "compat/packet_sockets.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat/netlink.h"
#include "compat/nl.h"

/* A socket of protocol 0 receives nothing. One that listens on all interfaces
 * counts when it takes every protocol: a capture. */
static void consider(struct pcf_packet_sockets *sockets, unsigned bound_to,
		     unsigned protocol, unsigned long inode)
{
	if (!protocol || (bound_to && bound_to != sockets->ifindex) ||
	    (!bound_to && protocol != ETH_P_ALL))
		return;
	if (sockets->count < PCF_PACKET_SOCKETS_MAX) {
		sockets->inode[sockets->count] = inode;
		sockets->everywhere[sockets->count] = !bound_to;
	}
	sockets->count++;
}

static int diag_cb(const struct nlmsghdr *nlh, void *data)
{
	const size_t fixed = sizeof(struct packet_diag_msg);
	const struct packet_diag_msg *msg =
		pcf_nl_fixed(nlh, SOCK_DIAG_BY_FAMILY, fixed);
	const struct nlattr *attr;
	struct packet_diag_info info;

	if (!msg)
		return MNL_CB_OK;
	attr = pcf_nl_attr(nlh, fixed, PACKET_DIAG_INFO);
	if (!attr || mnl_attr_get_payload_len(attr) < sizeof(info))
		return MNL_CB_OK;
	memcpy(&info, mnl_attr_get_payload(attr), sizeof(info));
	consider(data, info.pdi_index, msg->pdiag_num, msg->pdiag_ino);
	return MNL_CB_OK;
}

int pcf_packet_sockets_diag(struct pcf_packet_sockets *sockets)
{
	union pcf_nl_request request;
	struct packet_diag_req *req;

	req = pcf_nl_begin(&request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP,
			   sizeof(*req));
	req->sdiag_family = AF_PACKET;
	req->pdiag_show = PACKET_SHOW_INFO;
	return pcf_nl_ask(NETLINK_SOCK_DIAG, &request, diag_cb, sockets);
}

int pcf_packet_sockets_proc(struct pcf_packet_sockets *sockets)
{
	/* /proc/net would be the namespace of the process's first thread. */
	FILE *table = fopen("/proc/thread-self/net/packet", "re");
	unsigned protocol, bound_to;
	unsigned long inode;
	char line[256];

	if (!table)
		return -errno;
	/* sk RefCnt Type Proto Iface R Rmem User Inode */
	while (fgets(line, sizeof(line), table))
		if (sscanf(line, "%*s %*s %*s %x %u %*s %*s %*s %lu", &protocol,
			   &bound_to, &inode) == 3)
			consider(sockets, bound_to, protocol, inode);
	fclose(table);
	return 0;
}

/* The inode behind a descriptor when it is a socket, else 0. */
static unsigned long socket_inode(int dir, const char *fd)
{
	char target[64];
	ssize_t n = readlinkat(dir, fd, target, sizeof(target) - 1);
	unsigned long inode;

	if (n < 0)
		return 0;
	target[n] = '\0';
	return sscanf(target, "socket:[%lu]", &inode) == 1 ? inode : 0;
}

/* Which of the sockets this process holds, as a bit mask. */
static uint64_t held_by(const char *pid,
			const struct pcf_packet_sockets *sockets)
{
	unsigned n = sockets->count;
	char path[NAME_MAX + 16];
	struct dirent *entry;
	uint64_t held = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	if (n > PCF_PACKET_SOCKETS_MAX)
		n = PCF_PACKET_SOCKETS_MAX;
	while ((entry = readdir(dir))) {
		unsigned long inode = socket_inode(dirfd(dir), entry->d_name);

		for (unsigned i = 0; inode && i < n; i++)
			if (inode == sockets->inode[i])
				held |= UINT64_C(1) << i;
	}
	closedir(dir);
	return held;
}

static void describe(const char *pid, char *owner, size_t size)
{
	char path[NAME_MAX + 16], name[64] = "";
	FILE *comm;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	comm = fopen(path, "re");
	if (comm && fgets(name, sizeof(name), comm))
		name[strcspn(name, "\n")] = '\0';
	if (comm)
		fclose(comm);
	snprintf(owner, size, "%s (pid %s)", *name ? name : "a process", pid);
}

static void find_owner(const struct pcf_packet_sockets *sockets,
		       uint64_t wanted, char *owner, size_t size)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		return;
	while (!*owner && (entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    held_by(entry->d_name, sockets) & wanted)
			describe(entry->d_name, owner, size);
	closedir(proc);
}

/* This process's own sockets for all interfaces are those that libraries send
 * through and never read (libdnet, libnet); they do not count. */
static uint64_t drop_own(struct pcf_packet_sockets *sockets)
{
	uint64_t own = held_by("self", sockets), wanted = 0;
	unsigned n = sockets->count;

	for (unsigned i = 0; i < n && i < PCF_PACKET_SOCKETS_MAX; i++) {
		if (own & UINT64_C(1) << i && sockets->everywhere[i])
			sockets->count--;
		else
			wanted |= UINT64_C(1) << i;
	}
	return wanted;
}

int pcf_link_packet_sockets(int ifindex, unsigned *count, char *owner,
			    size_t size)
{
	struct pcf_packet_sockets sockets = { .ifindex = ifindex };
	unsigned total;
	uint64_t wanted;
	int error;

	*owner = '\0';
	*count = 0;
	error = pcf_packet_sockets_diag(&sockets);
	if (error == -ENOENT || error == -EOPNOTSUPP) {
		sockets = (struct pcf_packet_sockets){ .ifindex = ifindex };
		error = pcf_packet_sockets_proc(&sockets);
	}
	if (error || !sockets.count)
		return error;
	total = sockets.count;
	wanted = drop_own(&sockets);
	*count = sockets.count;
	sockets.count = total;
	if (wanted)
		find_owner(&sockets, wanted, owner, size);
	return 0;
}
