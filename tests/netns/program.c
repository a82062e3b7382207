/* SPDX-License-Identifier: BSD-3-Clause */
/* See program.h. */
#include "tests/netns/program.h"

#include "compat/ebpf.h"
#include "compat/kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

int program_map(const char *name)
{
	uint32_t id = 0;
	int found = -1;

	while (!bpf_map_get_next_id(id, &id)) {
		struct bpf_map_info info = { 0 };
		uint32_t len = sizeof(info);
		int fd = bpf_map_get_fd_by_id(id);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) &&
		    !strcmp(info.name, name)) {
			if (found >= 0)
				close(found);
			found = fd;
		} else if (fd >= 0) {
			close(fd);
		}
	}
	return found;
}

int program_put(int map, uint32_t key, const void *value)
{
	return bpf_map_update_elem(map, &key, value, BPF_ANY);
}

static int load(const char *name)
{
	struct pcf_ebpf e;
	int fd;

	pcf_ebpf_init(&e);
	pcf_mov64_imm(&e, BPF_REG_0, XDP_PASS);
	pcf_exit(&e);
	fd = pcf_ebpf_finish(&e);
	if (!fd)
		fd = bpf_prog_load(BPF_PROG_TYPE_XDP, name, "GPL", e.insns,
				   e.len, NULL);
	pcf_ebpf_free(&e);
	return fd;
}

int program_attach(const char *name, int maps)
{
	int err, fd = load(name);

	if (fd < 0)
		return fd;
	for (int i = 0; i < maps; i++) {
		int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "other", 4, 8, 1,
					 NULL);

		bpf_prog_bind_map(fd, map, NULL);
		close(map);
	}
	err = bpf_xdp_attach(if_nametoindex("vA"), fd, XDP_FLAGS_DRV_MODE,
			     NULL);
	close(fd);
	return err;
}
