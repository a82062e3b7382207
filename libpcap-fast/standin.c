/* SPDX-License-Identifier: BSD-3-Clause */
/* The stand-in; see standin.h. Reads by the shadow's code. */
#include "libpcap-fast/standin.h"

#include "backend/flow.h"
#include "libpcap-fast/inject.h"
#include "libpcap-fast/read.h"
#include "libpcap-fast/shadow.h"
#include "libpcap-fast/wait.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct pcf_standin {
	pcap_t *p;
	struct pcf_shadow *source;
	struct pcap_stat before; /* counted before it was asked to */
};

/* --- would the kernel run it? -------------------------------------------- */

/* Any socket takes the programs that a packet socket takes. */
static int kernel_takes(const struct pcf_filter *f)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = pcf_shadow_attach(fd, f->insns, f->len);
	close(fd);
	return err;
}

/* --- opening ------------------------------------------------------------- */

/* The caller's options, as far as they show. */
static int activate(struct pcf_handle *h, pcap_t *p)
{
	const struct pcf_stock *s = pcf_stock();
	const struct pcf_options *o = &h->options;

	s->pcap_set_snaplen(p, h->spread && h->snaplen < PCF_FLOW_BYTES ?
				       PCF_FLOW_BYTES :
				       (int)h->snaplen);
	s->pcap_set_promisc(p, o->promisc);
	s->pcap_set_timeout(p, o->timeout_ms);
	s->pcap_set_immediate_mode(p, o->immediate);
	s->pcap_set_tstamp_precision(p, s->pcap_get_tstamp_precision(h->p));
	if (o->buffer_size > 0)
		s->pcap_set_buffer_size(p, o->buffer_size);
	return s->pcap_activate(p) < 0 ? -EPERM : 0;
}

static int open_handle(struct pcf_handle *h, struct pcf_standin *s, char *why,
		       size_t size)
{
	char errbuf[PCAP_ERRBUF_SIZE] = "";
	int err = -ENOMEM;

	PCF_STOCK_ENTER();
	s->p = pcf_stock()->pcap_create(h->options.device.name, errbuf);
	if (s->p)
		err = activate(h, s->p);
	PCF_STOCK_LEAVE();
	if (err)
		snprintf(why, size, "no packet socket: %s",
			 s->p ? pcf_stock()->pcap_geterr(s->p) : errbuf);
	return err;
}

static int set_up(struct pcf_handle *h, struct pcf_standin *s, char *why,
		  size_t size)
{
	int err = open_handle(h, s, why, size);

	if (!err)
		err = pcf_shadow_open(s->p, PCF_PKT_SOCKET, &s->source);
	if (!err)
		err = pcf_waiter_add(h->waiter, pcf_shadow_fd(s->source),
				     pcf_shadow_kept_fd(s->source));
	if (err)
		return err;
	pcf_inject_bypass(h, s->p);
	pcf_stock()->pcap_stats(s->p, &s->before);
	return 0;
}

static void add_lane(struct pcf_handle *h)
{
	pcf_end_run(h);
	h->lanes[h->nlanes] =
		(struct pcf_lane){ .ops = pcf_shadow_rx,
				   .queue = pcf_shadow_queue(
					   h->standin->source),
				   .stop = PCF_STOP_EMPTY,
				   .place = PCF_LANE_PLACE(h->nlanes),
				   .snaplen = h->snaplen };
	h->nlanes++;
}

int pcf_standin_open(struct pcf_handle *h, struct pcf_filter *f)
{
	int err = kernel_takes(f);

	if (err || h->standin)
		return err;
	h->standin = calloc(1, sizeof(*h->standin));
	if (!h->standin)
		return -ENOMEM;
	err = set_up(h, h->standin, f->reason, sizeof(f->reason));
	if (err)
		pcf_standin_close(h);
	else
		add_lane(h);
	return err;
}

void pcf_standin_close(struct pcf_handle *h)
{
	struct pcf_standin *s = h->standin;

	if (!s)
		return;
	pcf_shadow_close(s->source);
	PCF_STOCK_ENTER();
	if (s->p)
		pcf_stock()->pcap_close(s->p);
	PCF_STOCK_LEAVE();
	free(s);
	h->standin = NULL;
}

/* --- at work ------------------------------------------------------------- */

void pcf_standin_take(struct pcf_handle *h, const struct pcf_filter *f,
		      int direction)
{
	static const enum pcf_take takes[] = {
		[PCAP_D_INOUT] = PCF_TAKE_ALL,
		[PCAP_D_IN] = PCF_TAKE_INCOMING,
		[PCAP_D_OUT] = PCF_TAKE_OUTGOING,
	};

	if (h->standin)
		pcf_shadow_filter(h->standin->source, f ? f->insns : NULL,
				  f ? f->len : 0,
				  f ? takes[direction] : PCF_TAKE_NONE);
}

pcap_t *pcf_standin_sender(struct pcf_handle *h)
{
	const bool alone = h->filter.place == PCAP_FAST_FILTER_SOCKET;
	struct pcf_shadow *s = alone ? h->standin->source : h->shadow;

	if (s)
		pcf_shadow_nonblock(s, h->nonblock);
	return alone ? h->standin->p : h->p;
}

void pcf_standin_counters(const struct pcf_handle *h, struct pcf_counters *sum)
{
	struct pcap_stat st;

	if (!h->standin || pcf_stock()->pcap_stats(h->standin->p, &st) < 0)
		return;
	sum->matched += st.ps_recv - h->standin->before.ps_recv;
	sum->dropped_ring += st.ps_drop - h->standin->before.ps_drop;
}
