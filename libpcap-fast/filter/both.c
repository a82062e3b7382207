/* SPDX-License-Identifier: BSD-3-Clause */
/* See both.h. */
#include "libpcap-fast/filter/both.h"

#include "compat/ebpf.h"

int pcf_emit_both(void *arg, struct pcf_ebpf *e, int match, int nomatch,
		  char *why, size_t size)
{
	const struct pcf_both *b = arg;
	int go_on = pcf_ebpf_label(e);
	int err = b->first(b->first_arg, e, go_on, nomatch, why, size);

	if (err)
		return err;
	pcf_ebpf_bind(e, go_on);
	if (b->second)
		return b->second(b->second_arg, e, match, nomatch, why, size);
	pcf_mov32_imm(e, BPF_REG_7, -1);
	pcf_ja(e, match);
	return 0;
}
