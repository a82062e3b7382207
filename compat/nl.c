/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One netlink question and its answers. Owns the socket for as long as one
 * question takes. Knows nothing of links, addresses or sockets.
 */
#include "compat/nl.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* The kernel fills dumps up to 32 KiB a message; one answer is never larger
 * (see netlink_dump()). */
#define ANSWER_SIZE (32 * 1024)
#define SEQUENCE    1
/* A dump that changed under way (NLM_F_DUMP_INTR) is asked for again. */
#define ATTEMPTS       8
#define ANSWER_SECONDS 5

void *pcf_nl_begin(union pcf_nl_request *request, int type, int flags,
		   size_t size)
{
	struct nlmsghdr *nlh;

	memset(request, 0, sizeof(*request));
	nlh = mnl_nlmsg_put_header(request);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	if (!(flags & NLM_F_DUMP))
		nlh->nlmsg_flags |= NLM_F_ACK;
	nlh->nlmsg_seq = SEQUENCE;
	return mnl_nlmsg_put_extra_header(nlh, size);
}

static int nl_open(int protocol, struct mnl_socket **nl)
{
	const struct timeval limit = { .tv_sec = ANSWER_SECONDS };

	*nl = mnl_socket_open2(protocol, SOCK_CLOEXEC);
	if (!*nl)
		return errno == EPROTONOSUPPORT ? -EOPNOTSUPP : -errno;
	if (mnl_socket_bind(*nl, 0, MNL_SOCKET_AUTOPID) ||
	    setsockopt(mnl_socket_get_fd(*nl), SOL_SOCKET, SO_RCVTIMEO, &limit,
		       sizeof(limit)))
		return -errno;
	return 0;
}

/* One datagram from the kernel. Others may send to a netlink socket too: what
 * does not come from port 0 is not an answer. */
static ssize_t nl_receive(int fd, char *answer)
{
	struct sockaddr_nl from;
	socklen_t size = sizeof(from);
	ssize_t n;

	n = recvfrom(fd, answer, ANSWER_SIZE, MSG_TRUNC,
		     (struct sockaddr *)&from, &size);
	if (n < 0)
		return -errno;
	if (size != sizeof(from) || from.nl_pid)
		return -EPERM;
	return n > ANSWER_SIZE ? -EMSGSIZE : n;
}

static int nl_exchange(struct mnl_socket *nl, const struct nlmsghdr *nlh,
		       char *answer, mnl_cb_t cb, void *data)
{
	int more = MNL_CB_OK;

	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (more > MNL_CB_STOP) {
		ssize_t n = nl_receive(mnl_socket_get_fd(nl), answer);

		if (n < 0)
			return n;
		more = mnl_cb_run(answer, n, SEQUENCE,
				  mnl_socket_get_portid(nl), cb, data);
	}
	return more < 0 ? -errno : 0;
}

static int nl_try(int protocol, const struct nlmsghdr *nlh, char *answer,
		  mnl_cb_t cb, void *data)
{
	struct mnl_socket *nl;
	int error = nl_open(protocol, &nl);

	if (!error)
		error = nl_exchange(nl, nlh, answer, cb, data);
	if (nl)
		mnl_socket_close(nl);
	return error;
}

int pcf_nl_ask(int protocol, union pcf_nl_request *request, mnl_cb_t cb,
	       void *data)
{
	char *answer = malloc(ANSWER_SIZE);
	int error = -ENOMEM;

	for (int i = 0; answer && i < ATTEMPTS; i++) {
		error = nl_try(protocol, &request->nlh, answer, cb, data);
		if (error != -EINTR)
			break;
	}
	free(answer);
	return error;
}

struct family {
	int id;
	const char *group_name;	/* NULL: no group is wanted */
	uint32_t group;		/* 0: there is none */
};

static uint32_t find_group(const struct nlattr *groups, const char *wanted)
{
	const struct nlattr *group;
	char name[32];

	if (!groups || !wanted)
		return 0;
	mnl_attr_for_each_nested(group, groups)
	{
		pcf_nl_string(pcf_nl_nested(group, CTRL_ATTR_MCAST_GRP_NAME),
			      name, sizeof(name));
		if (!strcmp(name, wanted))
			return pcf_nl_uint(
				pcf_nl_nested(group, CTRL_ATTR_MCAST_GRP_ID));
	}
	return 0;
}

static int family_cb(const struct nlmsghdr *nlh, void *data)
{
	const size_t fixed = sizeof(struct genlmsghdr);
	struct family *f = data;

	if (!pcf_nl_fixed(nlh, GENL_ID_CTRL, fixed))
		return MNL_CB_OK;
	f->id = pcf_nl_uint(pcf_nl_attr(nlh, fixed, CTRL_ATTR_FAMILY_ID));
	f->group = find_group(pcf_nl_attr(nlh, fixed, CTRL_ATTR_MCAST_GROUPS),
			      f->group_name);
	return MNL_CB_OK;
}

static int find_family(const char *family, struct family *f)
{
	union pcf_nl_request request;
	struct genlmsghdr *genl;
	int error;

	genl = pcf_nl_begin(&request, GENL_ID_CTRL, 0, sizeof(*genl));
	genl->cmd = CTRL_CMD_GETFAMILY;
	genl->version = 1;
	mnl_attr_put_strz(&request.nlh, CTRL_ATTR_FAMILY_NAME, family);
	error = pcf_nl_ask(NETLINK_GENERIC, &request, family_cb, f);
	if (error == -ENOENT || (!error && !f->id))
		return -EOPNOTSUPP;
	return error;
}

int pcf_nl_begin_genl(union pcf_nl_request *request, const char *family,
		      int cmd, int flags)
{
	struct genlmsghdr *genl;
	struct family f = { 0 };
	int error = find_family(family, &f);

	if (error)
		return error;
	genl = pcf_nl_begin(request, f.id, flags, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = 1;
	return 0;
}

int pcf_nl_ask_genl(const char *family, int cmd, int flags, int attr,
		    uint32_t value, mnl_cb_t cb, void *data)
{
	union pcf_nl_request request;
	int error = pcf_nl_begin_genl(&request, family, cmd, flags);

	if (error)
		return error;
	mnl_attr_put_u32(&request.nlh, attr, value);
	return pcf_nl_ask(NETLINK_GENERIC, &request, cb, data);
}

static int join(uint32_t group)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_GENERIC);
	int error;

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&any, sizeof(any)) &&
	    !setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
			sizeof(group)))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int pcf_nl_join(const char *family, const char *group, int *id)
{
	struct family f = { .group_name = group };
	int error = find_family(family, &f);

	if (error)
		return error;
	*id = f.id;
	return f.group ? join(f.group) : -EOPNOTSUPP;
}

const void *pcf_nl_fixed(const struct nlmsghdr *nlh, int type, size_t size)
{
	if (nlh->nlmsg_type != type || mnl_nlmsg_get_payload_len(nlh) < size)
		return NULL;
	return mnl_nlmsg_get_payload(nlh);
}

const struct nlattr *pcf_nl_attr(const struct nlmsghdr *nlh, size_t size,
				 int type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, size) if (mnl_attr_get_type(attr) ==
					       type) return attr;
	return NULL;
}

const struct nlattr *pcf_nl_nested(const struct nlattr *outer, int type)
{
	const struct nlattr *attr;

	if (!outer)
		return NULL;
	mnl_attr_for_each_nested(attr, outer) if (mnl_attr_get_type(attr) ==
						  type) return attr;
	return NULL;
}

uint64_t pcf_nl_uint(const struct nlattr *attr)
{
	uint64_t u64;

	switch (attr ? mnl_attr_get_payload_len(attr) : 0) {
	case 1:
		return mnl_attr_get_u8(attr);
	case 2:
		return mnl_attr_get_u16(attr);
	case 4:
		return mnl_attr_get_u32(attr);
	case 8: /* attributes are aligned to 4 only */
		memcpy(&u64, mnl_attr_get_payload(attr), sizeof(u64));
		return u64;
	default:
		return 0;
	}
}

void pcf_nl_string(const struct nlattr *attr, char *out, size_t size)
{
	size_t n = attr ? mnl_attr_get_payload_len(attr) : 0;

	if (n > size - 1)
		n = size - 1;
	n = n ? strnlen(mnl_attr_get_payload(attr), n) : 0;
	if (n)
		memcpy(out, mnl_attr_get_payload(attr), n);
	out[n] = '\0';
}
