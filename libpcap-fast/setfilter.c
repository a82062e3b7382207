/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filters and direction: what the caller asks for, put where it runs.
 *
 * Exact: once a call here returns, no packet is delivered that the new filter
 * rejects. Packets that a kernel filter has decided say so (PCF_PKT_FILTERED);
 * all others go through the new filter when they are read.
 */
#include "libpcap-fast/setfilter.h"

#include "backend/quiet.h"
#include "libpcap-fast/error.h"
#include "libpcap-fast/expression.h"
#include "libpcap-fast/filter/filter.h"
#include "libpcap-fast/keep.h"
#include "libpcap-fast/late.h"
#include "libpcap-fast/read.h"
#include "libpcap-fast/shadow.h"
#include "libpcap-fast/standin.h"

#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

_Static_assert(sizeof(struct sock_filter) == sizeof(struct bpf_insn),
	       "classic instructions have one layout");

void pcf_filter_free(struct pcf_filter *f)
{
	free(f->insns);
	*f = (struct pcf_filter){ 0 };
}

void pcf_shadow_update(struct pcf_handle *h)
{
	const bool alone = h->filter.place == PCAP_FAST_FILTER_SOCKET;

	pcf_shadow_filter(h->shadow, h->filter.insns, h->filter.len,
			  alone || h->direction == PCAP_D_IN ?
				  PCF_TAKE_NONE : PCF_TAKE_OUTGOING);
	pcf_standin_take(h, alone ? &h->filter : NULL, h->direction);
}

/* What comes in is the host's while nobody wants it, and while the stand-in
 * captures it there. */
static void arm(struct pcf_handle *h)
{
	bool on = h->direction != PCAP_D_OUT &&
		  h->filter.place != PCAP_FAST_FILTER_SOCKET;

	h->backend->ops->arm(h->backend, on && !pcf_keep_is_all(h));
	if (h->keep)
		pcf_keep_arm(h, on);
}

/* Packets that were shown before carry the mark of the former filter. */
static void unmark_shown(struct pcf_handle *h)
{
	for (unsigned i = 0; i < h->nlanes; i++) {
		struct pcf_lane *l = &h->lanes[i];

		l->filtered = false;
		for (unsigned j = l->head; j < l->count; j++)
			l->pkts[j].flags &= ~PCF_PKT_FILTERED;
	}
	pcf_end_run(h);
}

/* --- in the kernel ------------------------------------------------------- */

int pcf_emit(void *arg, struct pcf_ebpf *e, int match, int nomatch, char *why,
	     size_t size)
{
	const struct pcf_emit_arg *a = arg;
	struct pcf_filter_env env = { .ifindex = a->h->ifindex,
				      .stack = PCF_FILTER_STACK,
				      .frags = 1 };

	memcpy(env.mac, a->h->mac, sizeof(env.mac));
	return pcf_filter_compile(a->filter->insns, a->filter->len, &env, e,
				  match, nomatch, why, size);
}

static int set_kernel_filter(struct pcf_handle *h, struct pcf_filter *f)
{
	struct pcf_emit_arg arg = { h, f };
	int err;

	pcf_quiet(true);
	err = h->backend->ops->set_filter(h->backend, pcf_emit, &arg, f->reason,
					  sizeof(f->reason));
	if (!err && h->keep)
		err = pcf_keep_filter(h, f);
	pcf_quiet(false);
	return err;
}

/* With every packet in user space. The host must not lose what the filter
 * rejects: see keep.c. */
static void place_in_user_space(struct pcf_handle *h, struct pcf_filter *f)
{
	char ignored[PCAP_FAST_REASON_SIZE];

	f->place = PCAP_FAST_FILTER_USER;
	if (h->keep)
		pcf_keep_all(h);
	h->backend->ops->set_filter(h->backend, NULL, NULL, ignored,
				    sizeof(ignored));
}

/* At the hook if it can be had, else where the same packets come out of it: as
 * silent as in libpcap, but said to those who ask. */
static void place_filter(struct pcf_handle *h, struct pcf_filter *f)
{
	size_t used;

	if (!set_kernel_filter(h, f)) {
		f->place = PCAP_FAST_FILTER_KERNEL;
		snprintf(f->reason, sizeof(f->reason),
			 "compiled to XDP, runs in the driver");
		return;
	}
	if (!pcf_late_filter(h, f)) {
		f->place = PCAP_FAST_FILTER_KERNEL;
		used = strlen(f->reason);
		snprintf(f->reason + used, sizeof(f->reason) - used,
			 "; interpreted in the driver");
		return;
	}
	if (!pcf_filter_needs_socket(f->insns, f->len) ||
	    pcf_standin_open(h, f)) {
		place_in_user_space(h, f);
		return;
	}
	f->place = PCAP_FAST_FILTER_SOCKET;
	used = strlen(f->reason);
	snprintf(f->reason + used, sizeof(f->reason) - used,
		 "; runs on the system's packet socket");
}

/* --- the calls ----------------------------------------------------------- */

static int copy_program(struct pcf_handle *h, const struct bpf_program *program,
			struct pcf_filter *f)
{
	size_t size = program->bf_len * sizeof(*f->insns);
	char why[256];

	if (pcf_filter_check((const struct sock_filter *)program->bf_insns,
			     program->bf_len, why, sizeof(why)))
		return pcf_fail(h->p, PCAP_ERROR, "BPF program is not valid");
	f->insns = malloc(size);
	if (!f->insns)
		return pcf_fail(h->p, PCAP_ERROR, "malloc: %s",
				"Cannot allocate memory");
	memcpy(f->insns, program->bf_insns, size);
	f->len = program->bf_len;
	return 0;
}

/* To and from the stand-in, packets at that very moment go to the host only, as
 * those that libpcap drains: the hook is disarmed before the socket listens, and
 * armed when it does no more. Else they would come twice. */
static void put_in_force(struct pcf_handle *h, struct pcf_filter *f)
{
	const bool from = h->filter.place == PCAP_FAST_FILTER_SOCKET;
	const bool to = f->place == PCAP_FAST_FILTER_SOCKET;

	pcf_filter_free(&h->filter);
	h->filter = *f;
	unmark_shown(h);
	if (to && !from)
		arm(h);
	pcf_shadow_update(h);
	if (from && !to)
		arm(h);
}

/* For pcap-fast status. */
static void tell(const struct pcf_handle *h, const struct bpf_program *program)
{
	char text[160];

	pcf_expression_find(program, text, sizeof(text));
	h->backend->ops->note(h->backend, text, h->filter.len,
			      h->filter.place);
}

int pcf_setfilter(struct pcf_handle *h, const struct bpf_program *program)
{
	struct pcf_filter f = { 0 };

	if (!program)
		return pcf_fail(h->p, PCAP_ERROR,
				"setfilter: No filter specified");
	if (copy_program(h, program, &f))
		return PCAP_ERROR;
	if (!h->random && getrandom(&h->random, sizeof(h->random),
				    GRND_NONBLOCK) < 0)
		h->random = (uintptr_t)f.insns;
	place_filter(h, &f);
	put_in_force(h, &f);
	tell(h, program);
	return 0;
}

/* The system's library keeps to itself whether its socket took the filter; the
 * socket tells the length of what it has. */
static void note_place(struct pcf_handle *h)
{
	struct pcf_filter *f = &h->filter;
	socklen_t n = 0;
	int fd = pcf_stock()->pcap_fileno(h->p);
	bool kernel = !getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, NULL, &n) && n;

	f->place = kernel ? PCAP_FAST_FILTER_KERNEL : PCAP_FAST_FILTER_USER;
	snprintf(f->reason, sizeof(f->reason),
		 "the system's libpcap runs it in %s",
		 kernel ? "the kernel" : "user space");
}

int pcf_setfilter_stock(pcap_t *p, struct bpf_program *program)
{
	const struct pcf_stock *stock = pcf_stock();
	struct pcf_handle *h = pcf_find(p);
	int rc = stock->pcap_setfilter ? stock->pcap_setfilter(p, program) :
					 PCAP_ERROR;

	if (!rc && h && !h->backend && stock->pcap_fileno)
		note_place(h);
	return rc;
}

int pcf_setdirection(struct pcf_handle *h, pcap_direction_t direction)
{
	if (direction != PCAP_D_INOUT && direction != PCAP_D_IN &&
	    direction != PCAP_D_OUT)
		return pcf_fail(h->p, PCAP_ERROR, "Invalid direction");
	h->direction = direction;
	h->check_direction = direction != PCAP_D_INOUT;
	pcf_end_run(h);
	pcf_shadow_update(h);
	arm(h);
	return 0;
}
