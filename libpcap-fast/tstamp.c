/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kinds of time stamps. The system's library knows those of packet sockets. A
 * driver may tell XDP programs the adapter's own time of each packet besides:
 * that is offered where a fast mode is asked for by name, since only there it
 * can be had.
 */
#include "libpcap-fast/tstamp.h"

#include "compat/netdev.h"
#include "libpcap-fast/error.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>

#define UNSYNCED PCAP_TSTAMP_ADAPTER_UNSYNCED

int pcf_asked_mode(const struct pcf_handle *h, const struct pcf_env *env)
{
	const struct pcf_options *o = &h->options;

	if (o->mode_set)
		return o->mode;
	return o->device.prefixed ? o->device.mode : env->mode;
}

const char *pcf_alone_words(const struct pcf_options *o)
{
	if (!o->rx_hash)
		return "time stamps";
	return pcf_wants_adapter_time(o) ? "time stamps and hashes" : "hashes";
}

static bool by_name(const struct pcf_handle *h)
{
	struct pcf_env env;
	int mode;

	pcf_env_read(&env);
	mode = pcf_asked_mode(h, &env);
	return mode == PCAP_FAST_MODE_EXCLUSIVE ||
	       mode == PCAP_FAST_MODE_MIRROR;
}

static bool driver_tells(const struct pcf_handle *h)
{
	unsigned ifindex = if_nametoindex(h->options.device.name);
	uint64_t bits = 0;

	return ifindex && !pcf_link_rx_metadata(ifindex, &bits) &&
	       bits & PCF_XDP_RX_TIMESTAMP;
}

static bool offers_unsynced(const struct pcf_handle *h)
{
	return h && !h->options.any_device && by_name(h) && driver_tells(h);
}

/* The system's library leaves the type as it was when it gives a warning. */
int pcap_set_tstamp_type(pcap_t *p, int type)
{
	const struct pcf_stock *stock = pcf_stock();
	struct pcf_handle *h = pcf_inside_stock() ? NULL : pcf_find(p);
	int rc = stock->pcap_set_tstamp_type
			 ? stock->pcap_set_tstamp_type(p, type)
			 : PCAP_ERROR;
	bool ours = rc == PCAP_WARNING_TSTAMP_TYPE_NOTSUP && type == UNSYNCED &&
		    offers_unsynced(h);

	if (!h || (rc && !ours))
		return rc;
	h->options.tstamp_type = type;
	h->options.tstamp_ours = ours;
	return 0;
}

static bool has(const int *list, int n, int type)
{
	for (int i = 0; i < n; i++)
		if (list[i] == type)
			return true;
	return false;
}

/* The list is freed by the system's library, by free(). */
static int add_unsynced(pcap_t *p, int **list, int n)
{
	int *longer = realloc(*list, (n + 1) * sizeof(**list));

	if (!longer) {
		pcf_stock()->pcap_free_tstamp_types(*list);
		return pcf_fail_errno(p, -ENOMEM, "malloc");
	}
	longer[n] = UNSYNCED;
	*list = longer;
	return n + 1;
}

int pcap_list_tstamp_types(pcap_t *p, int **list)
{
	const struct pcf_stock *stock = pcf_stock();
	int n = stock->pcap_list_tstamp_types
			? stock->pcap_list_tstamp_types(p, list)
			: PCAP_ERROR;

	if (n <= 0 || pcf_inside_stock() || has(*list, n, UNSYNCED) ||
	    !offers_unsynced(pcf_find(p)))
		return n;
	return add_unsynced(p, list, n);
}
