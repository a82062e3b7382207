/* SPDX-License-Identifier: BSD-3-Clause */
/* An interface for one capture alone; see alone.h. */
#include "backend/alone.h"

#include "backend/prog.h"
#include "compat/ebpf.h"
#include "compat/kernel.h"
#include "compat/kfunc.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A capture that was killed leaves within a moment. */
#define TRIES 100

static int failed(int err, const char *what, char *why, size_t size)
{
	snprintf(why, size, "%s: %s", what, strerror(-err));
	return err;
}

/* What is attached while the capture takes no packets. */
static int load_idle(char *why, size_t size)
{
	struct pcf_ebpf e;
	int fd;

	pcf_ebpf_init(&e);
	pcf_mov64_imm(&e, BPF_REG_0, XDP_PASS);
	pcf_exit(&e);
	fd = pcf_prog_load(&e, PCF_ALONE_NAME, why, size);
	pcf_ebpf_free(&e);
	return fd;
}

static int attach(struct pcf_root *r, char *why, size_t size)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int err;

	r->link = bpf_link_create(r->idle, r->ifindex, BPF_XDP, &opts);
	if (r->link >= 0)
		return 0;
	err = r->link;
	snprintf(why, size, "cannot attach the XDP program: %s%s",
		 strerror(-err), pcf_root_advice(err));
	return err;
}

static int make(struct pcf_root *r, char *why, size_t size)
{
	int err;

	r->owners = pcf_root_make_owners();
	if (r->owners < 0)
		return failed(r->owners, "cannot make the BPF maps", why, size);
	r->idle = load_idle(why, size);
	if (r->idle < 0)
		return r->idle;
	err = bpf_prog_bind_map(r->idle, r->owners, NULL);
	return err ? failed(err, "cannot bind a BPF map", why, size)
		   : attach(r, why, size);
}

/* Who is in the way: false when it is a program whose capture is gone. */
static bool name_others(const struct pcf_root_users *u, char *why, size_t size)
{
	if (*u->foreign)
		snprintf(why, size,
			 "the XDP program %s, which is not ours, is attached",
			 u->foreign);
	else if (*u->alone || *u->exclusive || *u->mirror)
		snprintf(
			why, size,
			"%s already captures here, and what the adapter knows of packets is for a capture alone on its interface",
			*u->alone	? u->alone
			: *u->exclusive ? u->exclusive
					: u->mirror);
	else
		return false;
	return true;
}

/* 0 nothing is attached. */
static int others(int ifindex, char *why, size_t size)
{
	struct pcf_root_users users;
	int err;

	for (int tries = 0; tries < TRIES; tries++) {
		err = pcf_root_probe(ifindex, NULL, &users);
		if (err)
			return failed(err, "cannot look at the XDP program",
				      why, size);
		if (name_others(&users, why, size))
			return -EBUSY;
		if (!users.ours)
			return 0;
		usleep(1000);
	}
	snprintf(why, size, "another capture here is just beginning");
	return -EBUSY;
}

/* Somebody may attach between the look and the attempt: the next look names
 * it. */
int pcf_alone_open(struct pcf_root *r, int ifindex, char *why, size_t size)
{
	int err = -EBUSY;

	*r = (struct pcf_root)PCF_ROOT_INIT;
	r->ifindex = ifindex;
	for (int tries = 0; tries < 2 && err == -EBUSY; tries++) {
		err = others(ifindex, why, size);
		if (err)
			break;
		err = make(r, why, size);
		if (err)
			pcf_root_close(r);
	}
	return err;
}

int pcf_alone_hints(const struct pcf_root *r, bool want_time, bool want_hash,
		    struct pcf_hints_env *env, char *why, size_t size)
{
	int err;

	*env = (struct pcf_hints_env){ .ifindex = r->ifindex,
				       .owners = r->owners };
	err = pcf_kfunc_hints(want_time, want_hash, &env->time, &env->hash);
	return err ? failed(err,
			    "this kernel does not let XDP programs ask what the adapter knows of packets",
			    why, size)
		   : 0;
}

int pcf_alone_owners(const struct bpf_prog_info *info)
{
	const uint32_t *ids = (const uint32_t *)(uintptr_t)info->map_ids;

	for (unsigned i = 0; i < info->nr_map_ids && i < PCF_ALONE_MAPS; i++) {
		int fd = bpf_map_get_fd_by_id(ids[i]);

		if (fd < 0)
			return fd;
		if (pcf_root_is_owners(fd))
			return fd;
		close(fd);
	}
	return -ENOENT;
}
