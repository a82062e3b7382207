/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keep filter; see keep.h. A capture by the direct ring copies anyway: its
 * own program does it all. One by AF_XDP sockets has a second backend beside
 * it: a mirror, whose program comes first and has "keep and filter", while the
 * exclusive one leaves to the host what matches keep.
 */
#include "libpcap-fast/keep.h"

#include "libpcap-fast/error.h"
#include "libpcap-fast/filter/both.h"
#include "libpcap-fast/setfilter.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a host needs itself is little. */
#define MIRROR_BUFFER (8 << 20)

struct pcf_keep {
	struct pcf_backend *mirror; /* NULL: the capture copies by itself */
	struct pcf_filter filter;
	struct pcf_emit_arg arg;
	bool all; /* mirrors everything; the capture takes none */
	bool armed;
};

/* --- the expression ------------------------------------------------------ */

int pcf_keep_check(pcap_t *p, const char *expression)
{
	const struct pcf_stock *stock = pcf_stock();
	pcap_t *dead = stock->pcap_open_dead(DLT_EN10MB, 65535);
	struct bpf_program program;
	int rc = 0;

	if (!dead)
		return pcf_fail_errno(p, -ENOMEM, "malloc");
	if (pcap_compile(dead, &program, expression, 1, PCAP_NETMASK_UNKNOWN))
		rc = pcf_fail(p, PCAP_ERROR, "keep filter \"%s\": %s",
			      expression, stock->pcap_geterr(dead));
	else
		stock->pcap_freecode(&program);
	stock->pcap_close(dead);
	return rc;
}

/* On the live handle: the code is for what a packet socket's filter sees. */
static int compile(struct pcf_handle *h, const char *expression, char *why,
		   size_t size)
{
	struct pcf_filter *f = &h->keep->filter;
	struct bpf_program program;

	if (pcap_compile(h->p, &program, expression, 1, PCAP_NETMASK_UNKNOWN)) {
		snprintf(why, size, "keep filter: %s",
			 pcf_stock()->pcap_geterr(h->p));
		return -EINVAL;
	}
	f->insns = malloc(program.bf_len * sizeof(*f->insns));
	f->len = program.bf_len;
	if (f->insns)
		memcpy(f->insns, program.bf_insns, f->len * sizeof(*f->insns));
	pcf_stock()->pcap_freecode(&program);
	return f->insns ? 0 : -ENOMEM;
}

/* --- the two backends ---------------------------------------------------- */

/* After a time in which the mirror took all. */
static int take_again(struct pcf_handle *h)
{
	struct pcf_keep *k = h->keep;

	if (!k->all)
		return 0;
	k->all = false;
	return h->backend->ops->arm(h->backend, k->armed);
}

int pcf_keep_filter(struct pcf_handle *h, struct pcf_filter *f)
{
	struct pcf_keep *k = h->keep;
	struct pcf_emit_arg user = { h, f };
	struct pcf_both both = { .first = pcf_emit,
				 .first_arg = &k->arg,
				 .second = f ? pcf_emit : NULL,
				 .second_arg = &user };
	char why[PCAP_FAST_REASON_SIZE];
	int err;

	if (!k->mirror) {
		h->backend->ops->leave(h->backend, false);
		return 0;
	}
	err = k->mirror->ops->set_filter(k->mirror, pcf_emit_both, &both,
					 f ? f->reason : why,
					 f ? sizeof(f->reason) : sizeof(why));
	return err ? err : take_again(h);
}

int pcf_keep_interpreter(struct pcf_handle *h, struct pcf_code_map *map,
			 pcf_emit_filter emit, void *arg, int epoch_at)
{
	struct pcf_keep *k = h->keep;
	struct pcf_both both = { .first = pcf_emit,
				 .first_arg = &k->arg,
				 .second = emit,
				 .second_arg = arg };

	if (!k->mirror)
		return 0;
	return k->mirror->ops->set_interpreter(k->mirror, map, pcf_emit_both,
					       &both, epoch_at);
}

int pcf_keep_code(struct pcf_handle *h, const struct pcf_code *code, unsigned n)
{
	struct pcf_backend *mirror = h->keep->mirror;
	char ignored[PCAP_FAST_REASON_SIZE];
	int err;

	if (!mirror) {
		h->backend->ops->leave(h->backend, false);
		return 0;
	}
	err = mirror->ops->set_code(mirror, code, n, ignored, sizeof(ignored));
	return err ? err : take_again(h);
}

/* Both steps need no privilege. In this order packets in between go to the
 * host only, as those that libpcap drains when it changes a filter; in the
 * other they would come twice. */
void pcf_keep_all(struct pcf_handle *h)
{
	struct pcf_keep *k = h->keep;
	char ignored[PCAP_FAST_REASON_SIZE];

	if (!k->mirror) {
		h->backend->ops->leave(h->backend, true);
		return;
	}
	k->all = true;
	h->backend->ops->arm(h->backend, false);
	k->mirror->ops->set_filter(k->mirror, NULL, NULL, ignored,
				   sizeof(ignored));
}

bool pcf_keep_is_all(const struct pcf_handle *h)
{
	return h->keep && h->keep->all;
}

struct pcf_backend *pcf_keep_mirror(const struct pcf_handle *h)
{
	return h->keep ? h->keep->mirror : NULL;
}

int pcf_keep_arm(struct pcf_handle *h, bool on)
{
	h->keep->armed = on;
	if (!h->keep->mirror)
		return 0;
	return h->keep->mirror->ops->arm(h->keep->mirror, on);
}

static int open_mirror(struct pcf_handle *h, const struct pcf_open *how,
		       char *why, size_t size)
{
	struct pcf_open mirror = *how;
	struct pcf_opened opened;
	int err;

	if (h->backend->ops->leave)
		return 0;
	mirror.buffer_size = MIRROR_BUFFER;
	mirror.take = false;
	err = pcf_direct_ring.open(&mirror, &h->keep->mirror, &opened, why,
				   size);
	if (err)
		return err;
	h->opened.memory += opened.memory;
	h->keep->mirror->ops->note(h->keep->mirror, "(what the host keeps)",
				   h->keep->filter.len,
				   PCAP_FAST_FILTER_KERNEL);
	return 0;
}

static int set_up(struct pcf_handle *h, const struct pcf_open *how,
		  const char *expression, char *why, size_t size)
{
	struct pcf_keep *k = h->keep;
	int err = compile(h, expression, why, size);

	if (!err)
		err = open_mirror(h, how, why, size);
	if (err)
		return err;
	err = h->backend->ops->set_keep(h->backend, pcf_emit, &k->arg, why,
					size);
	return err ? err : pcf_keep_filter(h, NULL);
}

int pcf_keep_open(struct pcf_handle *h, const struct pcf_open *how,
		  const char *expression, char *why, size_t size)
{
	int err;

	h->keep = calloc(1, sizeof(*h->keep));
	if (!h->keep)
		return -ENOMEM;
	h->keep->arg = (struct pcf_emit_arg){ h, &h->keep->filter };
	err = set_up(h, how, expression, why, size);
	if (err)
		pcf_keep_close(h);
	return err;
}

void pcf_keep_close(struct pcf_handle *h)
{
	if (!h->keep)
		return;
	pcf_direct_ring.close(h->keep->mirror);
	pcf_filter_free(&h->keep->filter);
	free(h->keep);
	h->keep = NULL;
}
