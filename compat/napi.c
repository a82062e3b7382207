/* SPDX-License-Identifier: BSD-3-Clause */
/* The settings of NAPI instances; see napi.h. */
#include "compat/napi.h"

#include <errno.h>
#include <linux/genetlink.h>

#include "compat/netdev.h"
#include "compat/nl.h"

struct list {
	struct pcf_napi *napis;
	unsigned n, most;
	bool settings;
};

static int napi_cb(const struct nlmsghdr *nlh, void *data)
{
	const size_t fixed = sizeof(struct genlmsghdr);
	const struct nlattr *defer;
	struct list *list = data;

	if (mnl_nlmsg_get_payload_len(nlh) < fixed || list->n == list->most)
		return MNL_CB_OK;
	defer = pcf_nl_attr(nlh, fixed, PCF_NETDEV_A_NAPI_DEFER_HARD_IRQS);
	list->settings &= defer != NULL;
	list->napis[list->n++] = (struct pcf_napi){
		.id = pcf_nl_uint(
			pcf_nl_attr(nlh, fixed, PCF_NETDEV_A_NAPI_ID)),
		.defer_hard_irqs = pcf_nl_uint(defer),
		.gro_flush_timeout = pcf_nl_uint(pcf_nl_attr(
			nlh, fixed, PCF_NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT)),
	};
	return MNL_CB_OK;
}

int pcf_napi_list(int ifindex, struct pcf_napi *napis, unsigned most)
{
	struct list list = { .napis = napis, .most = most, .settings = true };
	int error = pcf_nl_ask_genl(PCF_NETDEV_FAMILY, PCF_NETDEV_CMD_NAPI_GET,
				    NLM_F_DUMP, PCF_NETDEV_A_NAPI_IFINDEX,
				    ifindex, napi_cb, &list);

	if (!error && !list.settings)
		error = -EOPNOTSUPP;
	return error ? error : (int)list.n;
}

static int ignore_cb(const struct nlmsghdr *nlh, void *data)
{
	(void)nlh;
	(void)data;
	return MNL_CB_OK;
}

int pcf_napi_set(const struct pcf_napi *napi)
{
	union pcf_nl_request request;
	int error = pcf_nl_begin_genl(&request, PCF_NETDEV_FAMILY,
				      PCF_NETDEV_CMD_NAPI_SET, 0);

	if (error)
		return error;
	mnl_attr_put_u32(&request.nlh, PCF_NETDEV_A_NAPI_ID, napi->id);
	mnl_attr_put_u32(&request.nlh, PCF_NETDEV_A_NAPI_DEFER_HARD_IRQS,
			 napi->defer_hard_irqs);
	mnl_attr_put_u64(&request.nlh, PCF_NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT,
			 napi->gro_flush_timeout);
	return pcf_nl_ask(NETLINK_GENERIC, &request, ignore_cb, NULL);
}
