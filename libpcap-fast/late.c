/* SPDX-License-Identifier: BSD-3-Clause */
/* Filters without the privilege to load programs; see late.h. */
#include "libpcap-fast/late.h"

#include "backend/code_map.h"
#include "libpcap-fast/filter/interp.h"
#include "libpcap-fast/keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH_AT PCF_INTERP_EPOCH(PCF_FILTER_STACK)

/* Each backend has epochs of its own, hence a map of its own. */
struct pcf_late {
	struct late_map {
		const struct pcf_handle *h;
		struct pcf_code_map code;
	} capture, keep;
};

/* A pcf_emit_filter. */
static int emit(void *arg, struct pcf_ebpf *e, int match, int nomatch,
		char *why, size_t size)
{
	const struct late_map *m = arg;
	struct pcf_filter_env env = { .stack = PCF_FILTER_STACK };

	(void)why;
	(void)size;
	memcpy(env.mac, m->h->mac, sizeof(env.mac));
	return pcf_interp_emit(&env, m->code.fd, e, match, nomatch);
}

static int load(struct pcf_handle *h, struct pcf_late *l)
{
	int err = pcf_code_map_open(&l->capture.code);

	if (!err)
		err = h->backend->ops->set_interpreter(h->backend,
						       &l->capture.code, emit,
						       &l->capture, EPOCH_AT);
	if (err || !h->keep)
		return err;
	err = pcf_code_map_open(&l->keep.code);
	return err ? err
		   : pcf_keep_interpreter(h, &l->keep.code, emit, &l->keep,
					  EPOCH_AT);
}

void pcf_late_open(struct pcf_handle *h)
{
	struct pcf_late *l = calloc(1, sizeof(*l));

	if (!l)
		return;
	h->late = l;
	l->capture.h = l->keep.h = h;
	if (load(h, l))
		pcf_late_close(h);
}

void pcf_late_close(struct pcf_handle *h)
{
	if (!h->late)
		return;
	pcf_code_map_close(&h->late->capture.code);
	pcf_code_map_close(&h->late->keep.code);
	free(h->late);
	h->late = NULL;
}

static int set_code(struct pcf_handle *h, const struct pcf_filter *f,
		    struct pcf_code *code)
{
	char why[PCAP_FAST_REASON_SIZE];
	int n = pcf_interp_encode(f->insns, f->len, h->ifindex, code,
				  PCF_CODE_BANK - 1, why, sizeof(why));
	int err;

	if (n < 0)
		return n;
	err = h->backend->ops->set_code(h->backend, code, n, why, sizeof(why));
	return err || !h->keep ? err : pcf_keep_code(h, code, n);
}

int pcf_late_filter(struct pcf_handle *h, const struct pcf_filter *f)
{
	struct pcf_code *code;
	int err;

	if (!h->late)
		return -EPERM;
	code = malloc((PCF_CODE_BANK - 1) * sizeof(*code));
	if (!code)
		return -ENOMEM;
	err = set_code(h, f, code);
	free(code);
	return err;
}
