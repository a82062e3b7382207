/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A handle's life: pcap_create, pcap_activate, pcap_open_live, pcap_close.
 * Chooses the mode; activate.c does what the choice takes.
 */
#include "backend/queues.h"
#include "backend/quiet.h"
#include "libpcap-fast/activate.h"
#include "libpcap-fast/batch.h"
#include "libpcap-fast/error.h"
#include "libpcap-fast/handle.h"
#include "libpcap-fast/inject.h"
#include "libpcap-fast/setfilter.h"
#include "libpcap-fast/tstamp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- create -------------------------------------------------------------- */

/* Without a prefix the name is the system library's to judge, whatever it is. */
static int parse_device(struct pcf_handle *h, const char *name, char *errbuf)
{
	char why[PCAP_ERRBUF_SIZE];

	h->options.any_device = !name;
	if (!name || !pcf_device_parse(name, &h->options.device, why,
				       sizeof(why)))
		return 0;
	if (!h->options.device.prefixed)
		return 0;
	snprintf(errbuf, PCAP_ERRBUF_SIZE, "%s", why);
	return PCAP_ERROR;
}

static pcap_t *create(const char *name, char *errbuf)
{
	pcap_t *p;

	PCF_STOCK_ENTER();
	p = pcf_stock()->pcap_create(name, errbuf);
	PCF_STOCK_LEAVE();
	return p;
}

static pcap_t *no_memory(char *errbuf, struct pcf_handle *h, pcap_t *p)
{
	snprintf(errbuf, PCAP_ERRBUF_SIZE, "malloc: %s", strerror(ENOMEM));
	if (p)
		pcf_stock()->pcap_close(p);
	free(h);
	return NULL;
}

pcap_t *pcap_create(const char *name, char *errbuf)
{
	struct pcf_handle *h;
	pcap_t *p;

	if (!pcf_stock()->pcap_create) {
		snprintf(errbuf, PCAP_ERRBUF_SIZE, "%s", pcf_stock_error());
		return NULL;
	}
	if (pcf_inside_stock())
		return pcf_stock()->pcap_create(name, errbuf);
	h = pcf_handle_new();
	if (!h)
		return no_memory(errbuf, h, NULL);
	if (parse_device(h, name, errbuf)) {
		free(h);
		return NULL;
	}
	p = create(h->options.device.prefixed ? h->options.device.name : name,
		   errbuf);
	if (!p) {
		free(h);
		return NULL;
	}
	h->p = p;
	if (pcf_table_add(p, h))
		return no_memory(errbuf, h, p);
	return p;
}

/* --- the choice ---------------------------------------------------------- */

/* What was set and does nothing must not look as if it did. */
static void log_env(const struct pcf_env *env)
{
	if (*env->error)
		pcf_log(PCF_LOG_INFO, "%s", env->error);
}

/* Without memory for it, it is as if it had not been set; that is said by the
 * one who finds the default in force. */
static void apply_env(struct pcf_handle *h, const struct pcf_env *env)
{
	struct pcf_options *o = &h->options;

	h->honest_timeout = env->timeout == PCF_TIMEOUT_HONEST;
	o->mode = pcf_asked_mode(h, env);
	if (!o->zerocopy_set)
		o->zerocopy = env->zerocopy;
	if (!o->busy_poll_set)
		o->busy_poll = env->busy_poll;
	if (!o->rest_set)
		o->rest = env->rest;
	if (!o->rx_hash_set)
		o->rx_hash = env->rx_hash;
	o->qdisc_bypass = env->qdisc_bypass;
	o->rx = env->rx;
	if (!o->keep && env->keep_set)
		o->keep = strdup(env->keep);
	if (!*o->queues)
		snprintf(o->queues, sizeof(o->queues), "%s",
			 *o->device.queues ? o->device.queues : env->queues);
}

/* Nothing is known about the interface, not even that it is not there. */
static void choose_blindly(struct pcf_handle *h, int err)
{
	int asked = h->options.mode;
	bool by_name = asked != PCAP_FAST_MODE_AUTO;

	h->choice = (struct pcf_choice){
		.mode = by_name ? asked : PCAP_FAST_MODE_SYSTEM,
		.error = by_name ? PCAP_ERROR : 0,
	};
	snprintf(h->choice.reason, sizeof(h->choice.reason),
		 "the kernel does not say what %s is: %s",
		 h->options.device.name, strerror(-err));
}

/* The RX queues that others may not have. A cluster has all, and so has who is
 * to be alone. A list that is none is refused later, with its reason. */
static const uint64_t *wanted_queues(const struct pcf_options *o,
				     uint64_t mask[PCF_QUEUE_WORDS])
{
	char ignored[PCAP_ERRBUF_SIZE];

	if (*o->device.cluster || !*o->queues || pcf_wants_alone(o) ||
	    pcf_queue_list(o->queues, mask, PCF_QUEUES, ignored,
			   sizeof(ignored)) < 0)
		return NULL;
	return mask;
}

static void choose(struct pcf_handle *h, struct pcf_facts *facts)
{
	uint64_t mask[PCF_QUEUE_WORDS];
	const struct pcf_options *o = &h->options;
	struct pcf_request request = {
		.device = o->any_device ? NULL : o->device.name,
		.mode = o->mode,
		.zerocopy = o->zerocopy,
		.queues = o->queues,
		.cluster = o->device.cluster,
		.promisc = o->promisc,
		.rfmon = o->rfmon,
		.protocol_set = o->protocol != 0,
		.adapter_tstamp = o->tstamp_type == PCAP_TSTAMP_ADAPTER ||
				  o->tstamp_type == PCAP_TSTAMP_ADAPTER_UNSYNCED,
		.synced_tstamp = o->tstamp_type == PCAP_TSTAMP_ADAPTER,
		.rx_hash = o->rx_hash,
	};
	int err = 0;

	memset(facts, 0, sizeof(*facts));
	if (!o->any_device && o->mode != PCAP_FAST_MODE_SYSTEM)
		err = pcf_facts_gather(o->device.name, wanted_queues(o, mask),
				       facts);
	if (err)
		choose_blindly(h, err);
	else
		pcf_mode_choose(&request, facts, &h->choice);
}

/* --- activate ------------------------------------------------------------ */

/* Where no capture of any kind is possible, the system's library says so in
 * the words that programs know. */
static bool stock_fails_too(const struct pcf_handle *h)
{
	return h->choice.error == PCAP_ERROR_NO_SUCH_DEVICE ||
	       h->choice.error == PCAP_ERROR_IFACE_NOT_UP;
}

static int activate(struct pcf_handle *h)
{
	struct pcf_facts facts;

	choose(h, &facts);
	if (h->choice.mode == PCAP_FAST_MODE_SYSTEM || stock_fails_too(h))
		return pcf_activate_system(h);
	if (h->choice.error)
		return pcf_fail(h->p, h->choice.error, "%s", h->choice.reason);
	return pcf_activate_fast(h, &facts);
}

static int read_and_activate(struct pcf_handle *h)
{
	struct pcf_env env;
	int rc;

	pcf_env_read(&env);
	log_env(&env);
	apply_env(h, &env);
	if (*h->options.device.cluster &&
	    h->options.mode != PCAP_FAST_MODE_EXCLUSIVE)
		return pcf_fail(h->p, PCAP_ERROR,
				"a cluster is of exclusive captures only: exclusive:%s%%%s",
				h->options.device.name,
				h->options.device.cluster);
	rc = activate(h);
	if (rc >= 0)
		pcf_inject_bypass(h, h->p);
	return rc;
}

int pcap_activate(pcap_t *p)
{
	struct pcf_handle *h = pcf_find(p);
	int rc;

	if (!pcf_stock()->pcap_activate)
		return PCAP_ERROR;
	if (!h || h->active || pcf_inside_stock())
		return pcf_stock()->pcap_activate(p);
	h->refused = true;
	pcf_quiet(true);
	rc = read_and_activate(h);
	pcf_quiet(false);
	return rc;
}

/* The system's library, up to 1.10.4, forgets a descriptor of a handle that is
 * closed and never was activated. One that was refused here, before it came to
 * that, is therefore activated in the end, as what disturbs nobody. */
static void activate_to_close(struct pcf_handle *h)
{
	pcf_stock()->pcap_set_promisc(h->p, 0);
	pcf_stock()->pcap_set_rfmon(h->p, 0);
	pcf_activate_real(h);
}

/* --- open_live and close ------------------------------------------------- */

static int set_and_activate(pcap_t *p, int snaplen, int promisc, int to_ms)
{
	int rc = pcap_set_snaplen(p, snaplen);

	if (rc >= 0)
		rc = pcap_set_promisc(p, promisc);
	if (rc >= 0)
		rc = pcap_set_timeout(p, to_ms);
	return rc < 0 ? rc : pcap_activate(p);
}

/* The texts of libpcap's own pcap_open_live(). */
static void open_live_error(pcap_t *p, const char *device, int status,
			    char *errbuf)
{
	const char *text = pcap_geterr(p);

	if (!device)
		device = "any";
	if (status == PCAP_ERROR)
		snprintf(errbuf, PCAP_ERRBUF_SIZE, "%s: %s", device, text);
	else if (status == PCAP_ERROR_NO_SUCH_DEVICE ||
		 status == PCAP_ERROR_PERM_DENIED ||
		 status == PCAP_ERROR_PROMISC_PERM_DENIED)
		snprintf(errbuf, PCAP_ERRBUF_SIZE, "%s: %s (%s)", device,
			 pcap_statustostr(status), text);
	else
		snprintf(errbuf, PCAP_ERRBUF_SIZE, "%s: %s", device,
			 pcap_statustostr(status));
}

pcap_t *pcap_open_live(const char *device, int snaplen, int promisc, int to_ms,
		       char *errbuf)
{
	pcap_t *p = pcap_create(device, errbuf);
	int status;

	if (!p)
		return NULL;
	status = set_and_activate(p, snaplen, promisc, to_ms);
	if (status >= 0)
		return p;
	open_live_error(p, device, status, errbuf);
	pcap_close(p);
	return NULL;
}

static void free_handle(struct pcf_handle *h)
{
	if (!h)
		return;
	if (h->partner)
		h->partner->partner = NULL;
	pcf_close_fast(h);
	pcf_filter_free(&h->filter);
	pcf_batch_free(h->batch);
	free(h->options.keep);
	free(h);
}

/* The backend first: from then on the host gets its packets again. */
void pcap_close(pcap_t *p)
{
	struct pcf_handle *h;

	if (!pcf_stock()->pcap_close)
		return;
	h = pcf_inside_stock() ? NULL : pcf_table_remove(p);
	if (h && h->refused)
		activate_to_close(h);
	free_handle(h);
	PCF_STOCK_ENTER();
	pcf_stock()->pcap_close(p);
	PCF_STOCK_LEAVE();
}
