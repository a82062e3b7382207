/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Processes as owners of slots.
 *
 * A pid says little: it is used again, means nothing in another pid namespace,
 * and changes when a capture goes to the background by fork(). So each owner
 * holds a lifeline, an empty BPF map that nothing refers to but descriptors:
 * it goes when the last process that inherited the handle is gone, and its id
 * with it. The pid is there to be shown.
 */
#include "backend/owner.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIFELINE_NAME "pcf_life"

static uint64_t pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) ? 0 : st.st_ino;
}

int pcf_owner_self(struct pcf_owner *o)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	int err, fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, LIFELINE_NAME, 4, 8, 1,
				     NULL);

	if (fd < 0)
		return fd;
	err = bpf_obj_get_info_by_fd(fd, &info, &len);
	if (err) {
		close(fd);
		return err;
	}
	o->version = PCF_OWNER_VERSION;
	o->lifeline = info.id;
	o->pid = getpid();
	o->pid_ns = pid_namespace();
	prctl(PR_GET_NAME, o->program);
	return fd;
}

bool pcf_owner_here(const struct pcf_owner *o)
{
	return o->pid_ns && o->pid_ns == pid_namespace();
}

bool pcf_owner_alive(const struct pcf_owner *o)
{
	int fd;

	if (o->version != PCF_OWNER_VERSION)
		return true;
	fd = bpf_map_get_fd_by_id(o->lifeline);
	if (fd >= 0)
		close(fd);
	return fd != -ENOENT;
}
