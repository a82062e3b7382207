/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The root program: attaching it, finding and joining it from any process,
 * claiming slots. Knows nothing of what the programs in the slots do.
 *
 * An interface is matched by the id of the program attached to it, never by
 * the ifindex in the link: links of all network namespaces are in one list,
 * and their ifindexes overlap.
 */
#include "backend/root.h"

#include "backend/alone.h"
#include "backend/exclusive.h"
#include "backend/owner.h"
#include "backend/prog.h"
#include "compat/ebpf.h"
#include "compat/kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SLOTS_NAME "pcf_slots"
#define QUEUES_NAME "pcf_queues"
/* What is done under the lock takes about a millisecond. */
#define LOCK_MS 2000

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void emit_slot(struct pcf_ebpf *e, int slots, unsigned slot)
{
	pcf_mov64_reg(e, BPF_REG_1, BPF_REG_6);
	pcf_load_map_fd(e, BPF_REG_2, slots);
	pcf_mov64_imm(e, BPF_REG_3, slot);
	pcf_call(e, BPF_FUNC_tail_call);
}

/* The lookup fails for a queue beyond the map. */
static void emit_slot_of_queue(struct pcf_ebpf *e, int slots, int queues)
{
	int nobody = pcf_ebpf_label(e);

	pcf_load(e, BPF_W, BPF_REG_1, BPF_REG_6,
		 offsetof(struct xdp_md, rx_queue_index));
	pcf_store(e, BPF_W, BPF_REG_10, -4, BPF_REG_1);
	pcf_load_map_fd(e, BPF_REG_1, queues);
	pcf_mov64_reg(e, BPF_REG_2, BPF_REG_10);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_2, -4);
	pcf_call(e, BPF_FUNC_map_lookup_elem);
	pcf_jump_imm(e, BPF_JEQ, BPF_REG_0, 0, nobody);
	pcf_load(e, BPF_W, BPF_REG_3, BPF_REG_0, 0);
	pcf_jump_imm(e, BPF_JEQ, BPF_REG_3, 0, nobody);
	pcf_mov64_reg(e, BPF_REG_1, BPF_REG_6);
	pcf_load_map_fd(e, BPF_REG_2, slots);
	pcf_call(e, BPF_FUNC_tail_call);
	pcf_ebpf_bind(e, nobody);
}

void pcf_root_emit(struct pcf_ebpf *e, int slots, int queues, unsigned from)
{
	for (unsigned i = from; i < PCF_SLOT_MIRRORS; i++)
		emit_slot(e, slots, i);
	if (from <= PCF_SLOT_MIRRORS) {
		emit_slot_of_queue(e, slots, queues);
		emit_slot(e, slots, PCF_SLOT_CLUSTER);
	}
	pcf_mov64_imm(e, BPF_REG_0, XDP_PASS);
	pcf_exit(e);
}

static int load_root(const struct pcf_root *r, char *why, size_t size)
{
	struct pcf_ebpf e;
	int fd;

	pcf_ebpf_init(&e);
	pcf_mov64_reg(&e, BPF_REG_6, BPF_REG_1);
	pcf_root_emit(&e, r->slots, r->queues, 0);
	fd = pcf_prog_load(&e, PCF_ROOT_NAME, why, size);
	pcf_ebpf_free(&e);
	return fd;
}

int pcf_root_make_owners(void)
{
	return bpf_map_create(BPF_MAP_TYPE_HASH, PCF_OWNERS_NAME, 4,
			      sizeof(struct pcf_owner), PCF_OWNERS, NULL);
}

static int create_maps(struct pcf_root *r)
{
	r->slots = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, SLOTS_NAME, 4, 4,
				  PCF_SLOTS, NULL);
	if (r->slots < 0)
		return r->slots;
	r->queues = bpf_map_create(BPF_MAP_TYPE_ARRAY, QUEUES_NAME, 4, 4,
				   PCF_QUEUES, NULL);
	if (r->queues < 0)
		return r->queues;
	r->owners = pcf_root_make_owners();
	return r->owners < 0 ? r->owners : 0;
}

const char *pcf_root_advice(int err)
{
	switch (err) {
	case -EOPNOTSUPP:
		return " (the driver has no native XDP)";
	case -EINVAL:
	case -ERANGE:
		return " (the driver refuses it with these settings, most often the MTU; the kernel log says which)";
	default:
		return "";
	}
}

static int attach(struct pcf_root *r, bool generic, char *why, size_t size)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	int prog, err = create_maps(r);

	if (err) {
		snprintf(why, size, "cannot make the BPF maps: %s",
			 strerror(-err));
		return err;
	}
	prog = load_root(r, why, size);
	if (prog < 0)
		return prog;
	/* The program does not use `owners`; bound to it, the map can be found
	 * through it. */
	err = bpf_prog_bind_map(prog, r->owners, NULL);
	if (!err) {
		r->link = bpf_link_create(prog, r->ifindex, BPF_XDP, &opts);
		err = r->link < 0 ? r->link : 0;
	}
	close(prog);
	if (err)
		snprintf(why, size, "cannot attach the XDP program: %s%s",
			 strerror(-err), pcf_root_advice(err));
	return err;
}

/* The program attached to the interface, 0 none. */
static int attached_id(int ifindex, uint32_t *id)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);
	int err = bpf_xdp_query(ifindex, 0, &q);

	if (err)
		return err;
	*id = q.prog_id;
	if (q.attach_mode == XDP_ATTACHED_MULTI)
		*id = q.drv_prog_id ? q.drv_prog_id : q.skb_prog_id;
	return 0;
}

static int prog_info(uint32_t id, struct bpf_prog_info *info,
		     uint32_t *map_ids, unsigned nmaps)
{
	uint32_t len = sizeof(*info);
	int err, fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0)
		return fd;
	memset(info, 0, sizeof(*info));
	info->nr_map_ids = nmaps;
	info->map_ids = (uintptr_t)map_ids;
	err = bpf_obj_get_info_by_fd(fd, info, &len);
	close(fd);
	return err;
}

static bool is_root(const struct bpf_prog_info *info)
{
	return !strcmp(info->name, PCF_ROOT_NAME) && info->nr_map_ids == PCF_ROOT_MAPS;
}

static bool is_alone(const struct bpf_prog_info *info)
{
	return !strcmp(info->name, PCF_ALONE_NAME);
}

static bool map_fits(const struct bpf_map_info *m, const char *name,
		     uint32_t type, uint32_t value_size, uint32_t entries)
{
	return !strcmp(m->name, name) && m->type == type && m->key_size == 4 &&
	       m->value_size == value_size && m->max_entries == entries;
}

static bool fits_owners(const struct bpf_map_info *m)
{
	return map_fits(m, PCF_OWNERS_NAME, BPF_MAP_TYPE_HASH,
			sizeof(struct pcf_owner), PCF_OWNERS);
}

bool pcf_root_is_owners(int fd)
{
	struct bpf_map_info m = { 0 };
	uint32_t len = sizeof(m);

	return !bpf_obj_get_info_by_fd(fd, &m, &len) && fits_owners(&m);
}

/* Open the root's maps, whatever their order; a map of another layout
 * (another version of this library) is refused. */
static int open_maps(struct pcf_root *r, const uint32_t *ids)
{
	for (int i = 0; i < PCF_ROOT_MAPS; i++) {
		struct bpf_map_info m = { 0 };
		uint32_t len = sizeof(m);
		int err, fd = bpf_map_get_fd_by_id(ids[i]);

		if (fd < 0)
			return fd;
		err = bpf_obj_get_info_by_fd(fd, &m, &len);
		if (!err && r->slots < 0 &&
		    map_fits(&m, SLOTS_NAME, BPF_MAP_TYPE_PROG_ARRAY, 4,
			     PCF_SLOTS)) {
			r->slots = fd;
		} else if (!err && r->queues < 0 &&
			   map_fits(&m, QUEUES_NAME, BPF_MAP_TYPE_ARRAY, 4,
				    PCF_QUEUES)) {
			r->queues = fd;
		} else if (!err && r->owners < 0 && fits_owners(&m)) {
			r->owners = fd;
		} else {
			close(fd);
			return err ? err : -EPROTO;
		}
	}
	return 0;
}

/* The link whose program has this id. -EAGAIN is of one, anywhere, that is just
 * being made. */
static int find_link(uint32_t prog_id)
{
	uint32_t id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		struct bpf_link_info info = { 0 };
		uint32_t len = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);

		if (fd < 0 && fd != -ENOENT && fd != -EAGAIN)
			return fd;
		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) &&
		    info.type == BPF_LINK_TYPE_XDP && info.prog_id == prog_id)
			return fd;
		close(fd);
	}
	return -ENOENT;
}

/* 0 joined; -ENOENT nothing attached (any more); -EBUSY foreign. */
static int join(struct pcf_root *r, char *why, size_t size)
{
	struct bpf_prog_info info;
	uint32_t id, maps[PCF_ROOT_MAPS];
	int err = attached_id(r->ifindex, &id);

	if (!err)
		err = id ? prog_info(id, &info, maps, PCF_ROOT_MAPS) : -ENOENT;
	if (err) {
		snprintf(why, size, "cannot look at the XDP program: %s",
			 strerror(-err));
		return err;
	}
	if (is_alone(&info)) {
		snprintf(why, size,
			 "another capture has this interface alone (id %u)", id);
		return -EBUSY;
	}
	if (!is_root(&info)) {
		snprintf(why, size,
			 "the XDP program %s (id %u), which is not ours, is attached",
			 info.name, id);
		return -EBUSY;
	}
	r->link = find_link(id);
	err = r->link < 0 ? r->link : open_maps(r, maps);
	if (err)
		snprintf(why, size, "cannot join the XDP program (id %u): %s",
			 id, strerror(-err));
	return err;
}

static void drop_fds(struct pcf_root *r)
{
	close_fd(&r->lifeline);
	close_fd(&r->idle);
	close_fd(&r->owners);
	close_fd(&r->queues);
	close_fd(&r->slots);
	close_fd(&r->link);
}

/* Two first openers may race, and the last one may leave while we join: what a
 * look has found may be gone at the next step, and the next look finds what
 * there is instead. */
int pcf_root_open(struct pcf_root *r, int ifindex, bool generic, char *why,
		  size_t size)
{
	int err = -EAGAIN;

	*r = (struct pcf_root)PCF_ROOT_INIT;
	r->ifindex = ifindex;
	for (int tries = 0; tries < 100 && err; tries++) {
		err = join(r, why, size);
		if (err == -ENOENT) {
			drop_fds(r);
			err = attach(r, generic, why, size);
			if (err != -EBUSY && err)
				break;
		} else if (err) {
			break;
		}
		if (err) {
			drop_fds(r);
			usleep(1000);
		}
	}
	if (err)
		drop_fds(r);
	return err;
}

/* Its queues are nobody's from now on. */
static void let_queues_go(struct pcf_root *r, uint32_t slot,
			  const struct pcf_owner *o)
{
	uint32_t now, nobody = 0;

	if (slot < PCF_SLOT_EXCLUSIVE || slot >= PCF_SLOTS || r->queues < 0)
		return;
	for (uint32_t q = 0; q < PCF_QUEUES; q++)
		if (pcf_queues_have(o->queues, q) &&
		    !bpf_map_lookup_elem(r->queues, &q, &now) && now == slot)
			bpf_map_update_elem(r->queues, &q, &nobody, BPF_ANY);
}

/* Take a dead owner's record away. Two may try at once, and the slower would
 * take the faster one's new record: what comes back alive is put back. */
void pcf_root_evict(struct pcf_root *r, uint32_t key)
{
	struct pcf_owner o;

	if (bpf_map_lookup_and_delete_elem(r->owners, &key, &o))
		return;
	if (pcf_owner_alive(&o)) {
		bpf_map_update_elem(r->owners, &key, &o, BPF_NOEXIST);
		return;
	}
	bpf_map_delete_elem(r->slots, &key);
	let_queues_go(r, key, &o);
}

/* What another version has in the record is not known. */
void pcf_root_name(const struct pcf_owner *o, char *text, size_t size)
{
	if (o->version == PCF_OWNER_VERSION)
		snprintf(text, size, "%.16s (pid %u)", o->program, o->pid);
	else
		snprintf(text, size, "another version of this library");
}

int pcf_root_record(struct pcf_root *r, uint32_t key,
		    const struct pcf_owner *me, char *why, size_t size)
{
	struct pcf_owner other;

	for (int tries = 0; tries < 10; tries++) {
		int err = bpf_map_update_elem(r->owners, &key, me, BPF_NOEXIST);

		if (!err)
			return 0;
		if (err != -EEXIST) {
			snprintf(why, size, "cannot claim a slot: %s",
				 strerror(-err));
			return err;
		}
		if (bpf_map_lookup_elem(r->owners, &key, &other))
			continue;
		if (pcf_owner_alive(&other)) {
			char name[64];

			pcf_root_name(&other, name, sizeof(name));
			snprintf(why, size, "%s already captures here", name);
			return -EBUSY;
		}
		pcf_root_evict(r, key);
	}
	snprintf(why, size, "cannot claim a slot: others are faster");
	return -EBUSY;
}

int pcf_root_live(struct pcf_root *r, struct pcf_owner *me, char *why,
		  size_t size)
{
	r->lifeline = pcf_owner_self(me);
	if (r->lifeline >= 0)
		return 0;
	snprintf(why, size, "cannot make a BPF map: %s",
		 strerror(-r->lifeline));
	return r->lifeline;
}

int pcf_root_claim(struct pcf_root *r, unsigned slot, struct pcf_owner *me,
		   char *why, size_t size)
{
	int err = r->lifeline < 0 ? pcf_root_live(r, me, why, size) : 0;

	if (!err)
		err = pcf_root_record(r, slot, me, why, size);
	if (err)
		return err;
	r->slot = slot;
	r->claimed = true;
	return 0;
}

bool pcf_root_owner(int owners, uint32_t key, struct pcf_owner *o)
{
	return !bpf_map_lookup_elem(owners, &key, o) && pcf_owner_alive(o);
}

int pcf_root_lock(struct pcf_root *r, const struct pcf_owner *me, char *why,
		  size_t size)
{
	struct pcf_owner o = { 0 };
	int err = -EBUSY;

	for (int ms = 0; ms < LOCK_MS && err == -EBUSY; ms++) {
		err = pcf_root_record(r, PCF_SLOT_LOCK, me, why, size);
		if (err == -EBUSY)
			usleep(1000);
	}
	if (err == -EBUSY && pcf_root_owner(r->owners, PCF_SLOT_LOCK, &o))
		snprintf(
			why, size,
			"%.16s (pid %u) is changing who captures here and does not finish",
			o.program, o.pid);
	return err;
}

void pcf_root_unlock(struct pcf_root *r)
{
	uint32_t key = PCF_SLOT_LOCK;

	bpf_map_delete_elem(r->owners, &key);
}

/* When a record goes just as we are at it, the kernel begins again. */
int pcf_root_records(int owners, uint32_t keys[PCF_RECORDS])
{
	uint32_t *last = NULL;
	int err = 0, n = 0;

	while (n < PCF_RECORDS && !err) {
		err = bpf_map_get_next_key(owners, last, &keys[n]);
		if (!err)
			last = &keys[n++];
	}
	return err && err != -ENOENT ? err : n;
}

/* Only its owner changes a record, so there is no race. */
int pcf_root_flag(struct pcf_root *r, uint32_t flags)
{
	uint32_t key = r->slot;
	struct pcf_owner o;
	int err = bpf_map_lookup_elem(r->owners, &key, &o);

	o.flags = flags;
	return err ? err : bpf_map_update_elem(r->owners, &key, &o, BPF_EXIST);
}

/* For those who look (pcap-fast status); nothing depends on it. */
void pcf_root_note(struct pcf_root *r, const char *filter, unsigned len,
		   int place)
{
	struct pcf_owner o;
	uint32_t key = r->slot;

	if (!r->claimed || bpf_map_lookup_elem(r->owners, &key, &o))
		return;
	memset(o.filter, 0, sizeof(o.filter));
	snprintf(o.filter, sizeof(o.filter), "%s", filter);
	o.filter_len = len;
	o.filter_place = place;
	bpf_map_update_elem(r->owners, &key, &o, BPF_EXIST);
}

int pcf_root_set(struct pcf_root *r, int prog_fd)
{
	uint32_t key = r->slot;
	int err;

	if (!r->claimed)
		return -EINVAL;
	if (r->idle >= 0)
		return bpf_link_update(r->link, prog_fd >= 0 ? prog_fd : r->idle,
				       NULL);
	if (prog_fd >= 0)
		return bpf_map_update_elem(r->slots, &key, &prog_fd, BPF_ANY);
	err = bpf_map_delete_elem(r->slots, &key);
	return err == -ENOENT ? 0 : err;
}

void pcf_root_close(struct pcf_root *r)
{
	uint32_t key = r->slot;
	struct pcf_owner o;

	/* the record last: with it we have the queues */
	if (r->claimed) {
		if (r->slots >= 0)
			bpf_map_delete_elem(r->slots, &key);
		if (!bpf_map_lookup_elem(r->owners, &key, &o))
			let_queues_go(r, key, &o);
		bpf_map_delete_elem(r->owners, &key);
		r->claimed = false;
	}
	drop_fds(r);
}

/* A cluster's own record outlives whoever began it; a member is named. */
static void probe_cluster(int owners, const struct pcf_owner *cluster,
			  struct pcf_root_users *users)
{
	struct pcf_owner o;

	snprintf(users->cluster, sizeof(users->cluster), "%.31s",
		 cluster->cluster);
	users->dedicated = cluster->flags & PCF_OWNER_DEDICATED;
	snprintf(users->exclusive, sizeof(users->exclusive), "the cluster %s",
		 users->cluster);
	for (uint32_t i = PCF_SLOT_MEMBER; i < PCF_SLOTS; i++) {
		if (!pcf_root_owner(owners, i, &o))
			continue;
		snprintf(users->exclusive, sizeof(users->exclusive),
			 "the cluster %s of %.16s (pid %u)", users->cluster,
			 o.program, o.pid);
		return;
	}
}

static void probe_neighbours(int owners, const uint64_t *wanted,
			     struct pcf_root_users *users)
{
	struct pcf_holder holder;
	bool dedicated = true;
	int n = pcf_exclusive_look(owners, wanted, &holder, &dedicated);

	if (n <= 0)
		return;
	users->dedicated = dedicated;
	users->beside = !holder.found;
	if (holder.found) {
		pcf_root_name(&holder.owner, users->exclusive,
			      sizeof(users->exclusive));
		pcf_queues_text(holder.queues, users->queues,
				sizeof(users->queues));
	}
}

/* The first living owner from slot `from` to `to`, if any. */
static void probe_slots(int owners, uint32_t from, uint32_t to, char *name,
			size_t size)
{
	struct pcf_owner o;

	for (uint32_t i = from; i <= to && !*name; i++)
		if (pcf_root_owner(owners, i, &o))
			pcf_root_name(&o, name, size);
}

static void probe_alone(const struct bpf_prog_info *info,
			struct pcf_root_users *users)
{
	int owners = pcf_alone_owners(info);

	if (owners < 0)
		return;
	probe_slots(owners, 0, PCF_SLOT_EXCLUSIVE, users->alone,
		    sizeof(users->alone));
	close(owners);
}

static void probe_root(const uint32_t *maps, const uint64_t *wanted,
			    struct pcf_root_users *users)
{
	struct pcf_root r = PCF_ROOT_INIT;
	struct pcf_owner o;

	if (open_maps(&r, maps)) {
		drop_fds(&r);
		return;
	}
	if (!pcf_root_owner(r.owners, PCF_SLOT_CLUSTER, &o))
		probe_neighbours(r.owners, wanted, users);
	else if (o.version == PCF_OWNER_VERSION)
		probe_cluster(r.owners, &o, users);
	else
		pcf_root_name(&o, users->exclusive, sizeof(users->exclusive));
	probe_slots(r.owners, 0, PCF_SLOT_MIRRORS - 1, users->mirror,
		    sizeof(users->mirror));
	drop_fds(&r);
}

/* What is attached, 0 nothing. A program may go while we look at it, and then
 * it is the next look that counts. */
static int look(int ifindex, uint32_t *id, struct bpf_prog_info *info,
		uint32_t *maps)
{
	int err = -ENOENT;

	for (int tries = 0; tries < 100 && err == -ENOENT; tries++) {
		if (tries)
			usleep(1000);
		err = attached_id(ifindex, id);
		if (err || !*id)
			return err;
		err = prog_info(*id, info, maps, PCF_ALONE_MAPS);
	}
	return err;
}

int pcf_root_probe(int ifindex, const uint64_t *wanted,
		   struct pcf_root_users *users)
{
	struct bpf_prog_info info;
	uint32_t id = 0, maps[PCF_ALONE_MAPS];
	int err = look(ifindex, &id, &info, maps);

	memset(users, 0, sizeof(*users));
	if (!id)
		return err;
	if (err) {
		/* Not allowed to look: whatever it is, it is not to be had. */
		snprintf(users->foreign, sizeof(users->foreign),
			 "unknown (id %u)", id);
		return 0;
	}
	users->ours = is_root(&info) || is_alone(&info);
	if (is_alone(&info))
		probe_alone(&info, users);
	else if (users->ours)
		probe_root(maps, wanted, users);
	else
		snprintf(users->foreign, sizeof(users->foreign), "%s (id %u)",
			 info.name, id);
	return 0;
}
