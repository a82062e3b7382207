/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See census.h. What is found in the maps of other processes is not trusted:
 * sizes are checked and strings are ended here.
 *
 * The slots map is never opened: a prog_array that somebody opens by id while
 * the kernel clears it stays behind.
 */
#include "backend/census.h"

#include "backend/alone.h"
#include "backend/owner.h"
#include "backend/prog.h"
#include "backend/ring.h"
#include "compat/kernel.h"
#include "compat/peer_socket.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_QUEUES 1024

/* One record as it was found: false if it is nonsense. Ends its strings. */
static bool makes_sense(struct pcf_owner *o)
{
	o->program[sizeof(o->program) - 1] = '\0';
	o->cluster[sizeof(o->cluster) - 1] = '\0';
	o->filter[sizeof(o->filter) - 1] = '\0';
	return o->version == PCF_OWNER_VERSION &&
	       (o->mode == PCF_OWNER_EXCLUSIVE || o->mode == PCF_OWNER_MIRROR);
}

/* --- counters ------------------------------------------------------------ */

static void add_sockets(struct pcf_capture *c, const void *value, unsigned size)
{
	const struct pcf_ctl *ctl = value;

	for (unsigned i = 0; i < size / sizeof(*ctl); i++) {
		c->matched += ctl[i].matched;
		c->rest += ctl[i].rest;
	}
}

/* Of one queue's socket, whose owner alone has it open. */
static bool add_drops(struct pcf_capture *c, const struct pcf_ctl *ctl)
{
	struct xdp_statistics stats;
	socklen_t size = sizeof(stats);
	int err, fd = pcf_peer_socket(c->owner.pid, ctl->fd, ctl->cookie);

	if (fd < 0)
		return false;
	err = getsockopt(fd, SOL_XDP, XDP_STATISTICS, &stats, &size);
	close(fd);
	if (err || size < sizeof(stats))
		return false;
	c->dropped_ring += stats.rx_ring_full;
	c->dropped_fill += stats.rx_dropped;
	return true;
}

static void ask_sockets(struct pcf_capture *c, const void *value, unsigned size)
{
	const struct pcf_ctl *ctl = value;

	c->drops_known = pcf_owner_here(&c->owner);
	for (unsigned i = 0; i < size / sizeof(*ctl) && c->drops_known; i++)
		if (ctl[i].cookie)
			c->drops_known = add_drops(c, &ctl[i]);
}

static void add_rings(struct pcf_capture *c, const void *value, unsigned size)
{
	const struct pcf_ring_ctl *ctl = value;

	for (unsigned i = 0; i < size / sizeof(*ctl); i++) {
		c->matched += ctl[i].matched;
		c->dropped_ring += ctl[i].dropped;
		c->rest += ctl[i].rest;
	}
}

static void read_value(struct pcf_capture *c, int fd, unsigned size)
{
	uint32_t key = 0;
	void *value = calloc(1, size);

	c->counted = value && !bpf_map_lookup_elem(fd, &key, value);
	c->drops_known = c->counted && !c->owner.xsk_map;
	if (c->drops_known) {
		add_rings(c, value, size);
	} else if (c->counted) {
		add_sockets(c, value, size);
		ask_sockets(c, value, size);
	}
	free(value);
}

static void count(struct pcf_capture *c)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = bpf_map_get_fd_by_id(c->owner.ctl_map);

	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len) &&
	    info.type == BPF_MAP_TYPE_ARRAY && info.max_entries == 1 &&
	    info.value_size <= MOST_QUEUES * sizeof(struct pcf_ring_ctl))
		read_value(c, fd, info.value_size);
	close(fd);
}

/* --- owners -------------------------------------------------------------- */

struct visit {
	bool local;
	void (*each)(const struct pcf_capture *c, void *arg);
	void *arg;
};

static void visit_slots(int owners, int ifindex, const struct visit *v)
{
	for (uint32_t slot = 0; slot < PCF_SLOTS; slot++) {
		struct pcf_capture c = { .ifindex = ifindex,
					 .local = v->local,
					 .slot = slot };

		if (bpf_map_lookup_elem(owners, &slot, &c.owner) ||
		    !makes_sense(&c.owner) || !pcf_owner_alive(&c.owner))
			continue;
		/* a cluster is no capture, its members are */
		if (slot == PCF_SLOT_CLUSTER)
			continue;
		count(&c);
		v->each(&c, v->arg);
	}
}

static bool is_owners(int fd)
{
	struct bpf_map_info m = { 0 };
	uint32_t len = sizeof(m);

	return !bpf_obj_get_info_by_fd(fd, &m, &len) &&
	       !strcmp(m.name, PCF_OWNERS_NAME) && m.type == BPF_MAP_TYPE_HASH &&
	       m.key_size == 4 && m.value_size == sizeof(struct pcf_owner);
}

/* The root's map of owners comes last; nothing else needs opening. */
static int open_owners(const struct bpf_prog_info *info, const uint32_t *maps)
{
	int fd;

	if (!strcmp(info->name, PCF_ALONE_NAME))
		return pcf_alone_owners(info);
	if (strcmp(info->name, PCF_ROOT_NAME) ||
	    info->nr_map_ids != PCF_ROOT_MAPS)
		return -ENOENT;
	fd = bpf_map_get_fd_by_id(maps[PCF_ROOT_MAPS - 1]);
	if (fd < 0 || is_owners(fd))
		return fd;
	close(fd);
	return -ENOENT;
}

static void visit_program(uint32_t id, int ifindex, const struct visit *v)
{
	uint32_t maps[PCF_ALONE_MAPS] = { 0 };
	struct bpf_prog_info info = { .nr_map_ids = PCF_ALONE_MAPS,
				      .map_ids = (uintptr_t)maps };
	uint32_t len = sizeof(info);
	int map = -ENOENT, fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len))
		map = open_owners(&info, maps);
	if (map >= 0) {
		visit_slots(map, ifindex, v);
		close(map);
	}
	close(fd);
}

/* Ifindexes repeat in other network namespaces; what is attached does not. */
static bool is_local(int ifindex, uint32_t prog_id)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);

	return !bpf_xdp_query(ifindex, 0, &q) &&
	       (q.prog_id == prog_id || q.drv_prog_id == prog_id ||
		q.skb_prog_id == prog_id);
}

int pcf_census(void (*each)(const struct pcf_capture *c, void *arg), void *arg)
{
	struct visit v = { .each = each, .arg = arg };
	uint32_t id = 0;
	int err;

	while (!(err = bpf_link_get_next_id(id, &id))) {
		struct bpf_link_info info = { 0 };
		uint32_t len = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);

		if (fd == -EPERM)
			return fd;
		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) &&
		    info.type == BPF_LINK_TYPE_XDP) {
			v.local = is_local(info.xdp.ifindex, info.prog_id);
			visit_program(info.prog_id, info.xdp.ifindex, &v);
		}
		close(fd);
	}
	return err == -ENOENT ? 0 : err;
}
