/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernel functions by name; see kfunc.h. */
#include "compat/kfunc.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>

static int find(const struct btf *btf, bool want, const char *name, int32_t *id)
{
	int32_t found =
		want ? btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) : 0;

	*id = found > 0 ? found : 0;
	return found < 0 ? found : 0;
}

int pcf_kfunc_hints(bool want_time, bool want_hash, int32_t *time,
		    int32_t *hash)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int err = libbpf_get_error(btf);

	if (err)
		return err;
	err = find(btf, want_time, "bpf_xdp_metadata_rx_timestamp", time);
	if (!err)
		err = find(btf, want_hash, "bpf_xdp_metadata_rx_hash", hash);
	btf__free(btf);
	return err;
}
