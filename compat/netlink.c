/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Questions about an interface that rtnetlink and netdev-genl answer. Keeps
 * no state; compat/nl.c carries the messages, compat/ethtool.c and
 * compat/packet_sockets.c hold the rest of compat/netlink.h.
 */
#include "compat/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nl80211.h>
#include <linux/rtnetlink.h>
#include <linux/wireless.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "compat/ethtool.h"
#include "compat/netdev.h"
#include "compat/nl.h"

/* The program's id stands beside the mode it is attached in; with several
 * programs (XDP_ATTACHED_MULTI), each mode has an attribute of its own. */
static void link_xdp(struct pcf_link *link, const struct nlattr *xdp)
{
	static const int ids[] = { IFLA_XDP_PROG_ID, IFLA_XDP_DRV_PROG_ID,
				   IFLA_XDP_HW_PROG_ID, IFLA_XDP_SKB_PROG_ID };

	for (unsigned i = 0; i < 4 && !link->xdp_prog_id; i++)
		link->xdp_prog_id = pcf_nl_uint(pcf_nl_nested(xdp, ids[i]));
	link->xdp_generic =
		pcf_nl_uint(pcf_nl_nested(xdp, IFLA_XDP_ATTACHED)) ==
		XDP_ATTACHED_SKB;
}

static void link_kind(const struct nlmsghdr *nlh, char *kind, size_t size)
{
	const struct nlattr *info =
		pcf_nl_attr(nlh, sizeof(struct ifinfomsg), IFLA_LINKINFO);

	pcf_nl_string(pcf_nl_nested(info, IFLA_INFO_KIND), kind, size);
}

static int link_cb(const struct nlmsghdr *nlh, void *data)
{
	const size_t fixed = sizeof(struct ifinfomsg);
	const struct ifinfomsg *ifi = pcf_nl_fixed(nlh, RTM_NEWLINK, fixed);
	const struct nlattr *mac;
	struct pcf_link *link = data;

	if (!ifi)
		return MNL_CB_OK;
	link->ifindex = ifi->ifi_index;
	link->flags = ifi->ifi_flags;
	link->type = ifi->ifi_type;
	pcf_nl_string(pcf_nl_attr(nlh, fixed, IFLA_IFNAME), link->name,
		      sizeof(link->name));
	link_kind(nlh, link->kind, sizeof(link->kind));
	mac = pcf_nl_attr(nlh, fixed, IFLA_ADDRESS);
	if (mac && mnl_attr_get_payload_len(mac) == sizeof(link->mac))
		memcpy(link->mac, mnl_attr_get_payload(mac), sizeof(link->mac));
	link->mtu = pcf_nl_uint(pcf_nl_attr(nlh, fixed, IFLA_MTU));
	link->carrier = pcf_nl_uint(pcf_nl_attr(nlh, fixed, IFLA_CARRIER));
	link->master = pcf_nl_uint(pcf_nl_attr(nlh, fixed, IFLA_MASTER));
	link->rx_queues =
		pcf_nl_uint(pcf_nl_attr(nlh, fixed, IFLA_NUM_RX_QUEUES));
	link_xdp(link, pcf_nl_attr(nlh, fixed, IFLA_XDP));
	return MNL_CB_OK;
}

static int queue_cb(const struct nlmsghdr *nlh, void *data)
{
	const size_t fixed = sizeof(struct genlmsghdr);
	const struct nlattr *type;

	if (mnl_nlmsg_get_payload_len(nlh) < fixed)
		return MNL_CB_OK;
	type = pcf_nl_attr(nlh, fixed, PCF_NETDEV_A_QUEUE_TYPE);
	if (type && pcf_nl_uint(type) == PCF_NETDEV_QUEUE_TYPE_RX)
		++*(uint32_t *)data;
	return MNL_CB_OK;
}

/* IFLA_NUM_RX_QUEUES counts what was allocated when the device was made, not
 * what is in use; it only serves where nothing better answers. netdev-genl
 * lists the queues of interfaces that are up, ethtool knows most drivers'
 * channels. */
static uint32_t link_rx_queues(const struct pcf_link *link)
{
	uint32_t count = 0;

	if (!pcf_nl_ask_genl(PCF_NETDEV_FAMILY, PCF_NETDEV_CMD_QUEUE_GET,
			     NLM_F_DUMP, PCF_NETDEV_A_QUEUE_IFINDEX,
			     link->ifindex, queue_cb, &count) &&
	    count)
		return count;
	if (!pcf_ethtool_rx_queues(link->name, &count) && count)
		return count;
	return link->rx_queues ? link->rx_queues : 1;
}

static int ignore_cb(const struct nlmsghdr *nlh, void *data)
{
	(void)nlh;
	(void)data;
	return MNL_CB_OK;
}

/* Drivers of before cfg80211 answer the wireless extensions only. */
static bool link_wireless(const struct pcf_link *link)
{
	struct iwreq request = { 0 };
	int fd, error;

	if (!pcf_nl_ask_genl(NL80211_GENL_NAME, NL80211_CMD_GET_INTERFACE, 0,
			     NL80211_ATTR_IFINDEX, link->ifindex, ignore_cb,
			     NULL))
		return true;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	memcpy(request.ifr_name, link->name, IFNAMSIZ);
	error = ioctl(fd, SIOCGIWNAME, &request);
	close(fd);
	return !error;
}

int pcf_link_get(const char *name, struct pcf_link *link)
{
	union pcf_nl_request request;
	int error;

	memset(link, 0, sizeof(*link));
	if (!*name || strlen(name) >= IFNAMSIZ)
		return -ENODEV;
	pcf_nl_begin(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(&request.nlh, IFLA_IFNAME, name);
	error = pcf_nl_ask(NETLINK_ROUTE, &request, link_cb, link);
	if (error)
		return error;
	if (link->ifindex <= 0 || !*link->name)
		return -EBADMSG;
	link->rx_queues = link_rx_queues(link);
	link->wireless = link_wireless(link);
	return 0;
}

struct address_count {
	uint32_t ifindex;
	unsigned count;
};

/* An IPv4 address counts unless it is one of 169.254/16 that was also given
 * link scope; an operator may give link scope to an ordinary one. */
static bool address_is_global(const struct ifaddrmsg *ifa,
			      const struct nlattr *local)
{
	if (ifa->ifa_scope != RT_SCOPE_LINK)
		return true;
	if (ifa->ifa_family != AF_INET)
		return false;
	return (ntohl(pcf_nl_uint(local)) >> 16) != 0xa9fe;
}

static int address_cb(const struct nlmsghdr *nlh, void *data)
{
	const size_t fixed = sizeof(struct ifaddrmsg);
	const struct ifaddrmsg *ifa = pcf_nl_fixed(nlh, RTM_NEWADDR, fixed);
	struct address_count *addresses = data;

	if (ifa && ifa->ifa_index == addresses->ifindex &&
	    address_is_global(ifa, pcf_nl_attr(nlh, fixed, IFA_LOCAL)))
		addresses->count++;
	return MNL_CB_OK;
}

int pcf_link_addresses(int ifindex, unsigned *count)
{
	struct address_count addresses = { .ifindex = ifindex };
	union pcf_nl_request request;
	int error;

	*count = 0;
	pcf_nl_begin(&request, RTM_GETADDR, NLM_F_DUMP,
		     sizeof(struct ifaddrmsg));
	error = pcf_nl_ask(NETLINK_ROUTE, &request, address_cb, &addresses);
	if (!error)
		*count = addresses.count;
	return error;
}

struct upper_search {
	int ifindex;
	char *name;
};

/* IFLA_LINK is also how a veth names its peer. With IFLA_LINK_NETNSID the
 * number belongs to another namespace's interface. */
static int upper_cb(const struct nlmsghdr *nlh, void *data)
{
	const size_t fixed = sizeof(struct ifinfomsg);
	const struct ifinfomsg *ifi = pcf_nl_fixed(nlh, RTM_NEWLINK, fixed);
	struct upper_search *search = data;
	char kind[8];

	if (!ifi || *search->name || ifi->ifi_index == search->ifindex ||
	    pcf_nl_attr(nlh, fixed, IFLA_LINK_NETNSID))
		return MNL_CB_OK;
	link_kind(nlh, kind, sizeof(kind));
	if (strcmp(kind, "veth") &&
	    (int)pcf_nl_uint(pcf_nl_attr(nlh, fixed, IFLA_LINK)) ==
		    search->ifindex)
		pcf_nl_string(pcf_nl_attr(nlh, fixed, IFLA_IFNAME),
			      search->name, IFNAMSIZ);
	return MNL_CB_OK;
}

static int stacked_here(struct upper_search *search)
{
	union pcf_nl_request request;

	pcf_nl_begin(&request, RTM_GETLINK, NLM_F_DUMP,
		     sizeof(struct ifinfomsg));
	return pcf_nl_ask(NETLINK_ROUTE, &request, upper_cb, search);
}

static int foreign_address_cb(const struct nlmsghdr *nlh, void *data)
{
	const size_t fixed = sizeof(struct ndmsg);
	const struct ndmsg *ndm = pcf_nl_fixed(nlh, RTM_NEWNEIGH, fixed);
	struct upper_search *search = data;
	const struct nlattr *mac;

	if (!ndm || ndm->ndm_ifindex != search->ifindex ||
	    !(ndm->ndm_flags & NTF_SELF))
		return MNL_CB_OK;
	mac = pcf_nl_attr(nlh, fixed, NDA_LLADDR);
	if (mac && mnl_attr_get_payload_len(mac) == 6 &&
	    !(*(const uint8_t *)mnl_attr_get_payload(mac) & 1))
		strcpy(search->name, "?");
	return MNL_CB_OK;
}

/* A macvlan that was moved to a container is not in our list of links, but
 * while it is up, its address is on the interface's list of addresses to
 * receive. */
static int stacked_elsewhere(struct upper_search *search)
{
	union pcf_nl_request request;
	struct ifinfomsg *ifi;

	ifi = pcf_nl_begin(&request, RTM_GETNEIGH, NLM_F_DUMP, sizeof(*ifi));
	ifi->ifi_family = AF_BRIDGE;
	ifi->ifi_index = search->ifindex;
	return pcf_nl_ask(NETLINK_ROUTE, &request, foreign_address_cb, search);
}

int pcf_link_upper(int ifindex, char name[IFNAMSIZ])
{
	struct upper_search search = { .ifindex = ifindex, .name = name };
	int error;

	name[0] = '\0';
	error = stacked_here(&search);
	if (!error && !*name)
		error = stacked_elsewhere(&search);
	return error;
}

/* The table of sessions is missing where no PPPoE is loaded, so that there
 * cannot be one. /proc/net would be the namespace of the first thread. */
int pcf_link_pppoe(const char *name, bool *found)
{
	FILE *table = fopen("/proc/thread-self/net/pppoe", "re");
	char line[128], device[32];

	*found = false;
	if (!table)
		return errno == ENOENT ? 0 : -errno;
	while (!*found && fgets(line, sizeof(line), table))
		*found = sscanf(line, "%*x %*s %31s", device) == 1 &&
			 !strcmp(device, name);
	fclose(table);
	return 0;
}

struct xdp_answer {
	uint64_t features;
	uint32_t zc_max_segs;
	bool known;
};

static int xdp_cb(const struct nlmsghdr *nlh, void *data)
{
	const size_t fixed = sizeof(struct genlmsghdr);
	struct xdp_answer *xdp = data;
	const struct nlattr *features;

	if (mnl_nlmsg_get_payload_len(nlh) < fixed)
		return MNL_CB_OK;
	features = pcf_nl_attr(nlh, fixed, PCF_NETDEV_A_DEV_XDP_FEATURES);
	xdp->known = features != NULL;
	xdp->features = pcf_nl_uint(features);
	xdp->zc_max_segs = pcf_nl_uint(
		pcf_nl_attr(nlh, fixed, PCF_NETDEV_A_DEV_XDP_ZC_MAX_SEGS));
	return MNL_CB_OK;
}

int pcf_link_xdp_features(int ifindex, uint64_t *features,
			  uint32_t *zc_max_segs)
{
	struct xdp_answer xdp = { 0 };
	int error;

	error = pcf_nl_ask_genl(PCF_NETDEV_FAMILY, PCF_NETDEV_CMD_DEV_GET, 0,
				PCF_NETDEV_A_DEV_IFINDEX, ifindex, xdp_cb,
				&xdp);
	*features = xdp.features;
	*zc_max_segs = xdp.zc_max_segs;
	if (!error && !xdp.known)
		error = -EOPNOTSUPP;
	return error;
}

static int metadata_cb(const struct nlmsghdr *nlh, void *data)
{
	const size_t fixed = sizeof(struct genlmsghdr);

	if (mnl_nlmsg_get_payload_len(nlh) >= fixed)
		*(uint64_t *)data = pcf_nl_uint(pcf_nl_attr(
			nlh, fixed, PCF_NETDEV_A_DEV_XDP_RX_METADATA));
	return MNL_CB_OK;
}

int pcf_link_rx_metadata(int ifindex, uint64_t *bits)
{
	*bits = 0;
	return pcf_nl_ask_genl(PCF_NETDEV_FAMILY, PCF_NETDEV_CMD_DEV_GET, 0,
			       PCF_NETDEV_A_DEV_IFINDEX, ifindex, metadata_cb,
			       bits);
}
