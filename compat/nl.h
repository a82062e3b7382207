/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One netlink question and its answers, for the files of compat/ that ask:
 * socket, sequence, time limit and end of dump are handled here, as is the
 * reading of attributes, with every length checked. What is asked, and what
 * the answers mean, is the callers' business.
 */
#ifndef PCF_NL_H
#define PCF_NL_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for a request: headers and a few attributes. */
union pcf_nl_request {
	struct nlmsghdr nlh;
	char room[512];
};

/* Begin a request; returns its fixed part (`size` bytes, zeroed). A request
 * without NLM_F_DUMP asks for an acknowledgement. */
void *pcf_nl_begin(union pcf_nl_request *request, int type, int flags,
		   size_t size);

/* Send on a new socket of that protocol, call `cb` for each answer. 0 or
 * negative errno; -EOPNOTSUPP: the kernel has no such protocol. */
int pcf_nl_ask(int protocol, union pcf_nl_request *request, mnl_cb_t cb,
	       void *data);

/* Begin a request to a generic netlink family, to be asked with
 * NETLINK_GENERIC. 0 or negative errno; -EOPNOTSUPP: no such family. */
int pcf_nl_begin_genl(union pcf_nl_request *request, const char *family,
		      int cmd, int flags);

/* Such a question with one attribute. */
int pcf_nl_ask_genl(const char *family, int cmd, int flags, int attr,
		    uint32_t value, mnl_cb_t cb, void *data);

/* A non-blocking socket that gets what a generic netlink family tells a
 * multicast group, and the messages' type in `id`. The socket, or negative
 * errno; -EOPNOTSUPP: no such family or group. */
int pcf_nl_join(const char *family, const char *group, int *id);

/* The fixed part of an answer, NULL when it is too short or of another type */
const void *pcf_nl_fixed(const struct nlmsghdr *nlh, int type, size_t size);

/* An attribute after a fixed part of `size` bytes, or inside another one; NULL
 * when it is not there (or `outer` is NULL). */
const struct nlattr *pcf_nl_attr(const struct nlmsghdr *nlh, size_t size,
				 int type);
const struct nlattr *pcf_nl_nested(const struct nlattr *outer, int type);

/* The value of an attribute; 0 or "" when it is NULL or too short. */
uint64_t pcf_nl_uint(const struct nlattr *attr);
void pcf_nl_string(const struct nlattr *attr, char *out, size_t size);

#endif
