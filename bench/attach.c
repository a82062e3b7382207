/* SPDX-License-Identifier: BSD-3-Clause */
/* Loading and attaching a benchmark's XDP program; see attach.h. */
#include "bench/attach.h"

#include <bpf/bpf.h>
#include <err.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

void bench_attach(const char *device, struct pcf_ebpf *e)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int ifindex = if_nametoindex(device);
	int prog = pcf_ebpf_finish(e);

	if (!ifindex)
		err(2, "%s", device);
	if (!prog)
		prog = bpf_prog_load(BPF_PROG_TYPE_XDP, "bench", "Dual BSD/GPL",
				     e->insns, e->len, NULL);
	pcf_ebpf_free(e);
	if (prog < 0)
		errx(2, "XDP program: %s", strerror(-prog));
	if (bpf_link_create(prog, ifindex, BPF_XDP, &opts) < 0)
		err(2, "%s: attach", device);
}
