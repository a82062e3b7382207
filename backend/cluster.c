/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Joining and leaving a cluster, and its table; see cluster.h. Knows nothing of
 * how members receive. Maps that are found by id were made by another process,
 * so their layout is checked.
 */
#include "backend/cluster.h"

#include "backend/exclusive.h"
#include "backend/flow.h"
#include "backend/living.h"
#include "backend/owner.h"
#include "compat/kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define TABLE_NAME  "pcf_table"
#define LIVING_NAME "pcf_living"
/* How long outgoing packets of a killed member may stay undelivered if no
 * packet comes in. */
#define LOOK_MS 300

static int failed(int err, const char *what, char *why, size_t size)
{
	snprintf(why, size, "%s: %s", what, strerror(-err));
	return err;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static uint64_t bit(unsigned member)
{
	return UINT64_C(1) << member;
}

/* --- the table ----------------------------------------------------------- */

/* By highest random weight: the order of members in a bucket depends on these
 * alone, so nothing moves but what a new one takes or an old one leaves. */
static uint64_t weight(unsigned bucket, unsigned member)
{
	uint64_t x = (bucket << 8 | member) * UINT64_C(0xd6e8feb86659fd93);

	x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 32;
}

/* The members in their order in a bucket; how many. */
static unsigned line_up(uint32_t members, unsigned bucket,
			uint8_t line[PCF_MEMBERS])
{
	unsigned n = 0, at;

	for (unsigned m = 0; m < PCF_MEMBERS; m++) {
		if (!(members & bit(m)))
			continue;
		for (at = n++;
		     at && weight(bucket, line[at - 1]) < weight(bucket, m);
		     at--)
			line[at] = line[at - 1];
		line[at] = m;
	}
	return n;
}

static void to_front(uint8_t *line, unsigned at)
{
	uint8_t first = line[at];

	memmove(line + 1, line, at);
	line[0] = first;
}

static uint64_t pack(const uint8_t *line, unsigned n)
{
	uint64_t entry = 0;

	for (unsigned i = 8; i-- > 0;)
		entry = entry << 8 | (i < n ? line[i] : PCF_NOBODY);
	return entry;
}

/* Nobody gets much more than the average: a full one lets the next one go
 * first. */
void pcf_cluster_spread(uint32_t members, uint64_t bucket[PCF_BUCKETS])
{
	unsigned room = PCF_BUCKETS, load[PCF_MEMBERS] = { 0 };

	if (members)
		room = PCF_BUCKETS / __builtin_popcount(members) +
		       PCF_BUCKETS / 64;
	for (unsigned b = 0; b < PCF_BUCKETS; b++) {
		uint8_t line[PCF_MEMBERS];
		unsigned n = line_up(members, b, line), at = 0;

		while (at < n && load[line[at]] >= room)
			at++;
		if (at < n) {
			to_front(line, at);
			load[line[0]]++;
		}
		bucket[b] = pack(line, n);
	}
}

unsigned pcf_cluster_members(const struct pcf_cluster *c)
{
	uint64_t seen = 0;

	for (unsigned b = 0; b < PCF_BUCKETS; b++) {
		unsigned m = c->table->bucket[b] & 0xff;

		if (m < PCF_MEMBERS)
			seen |= bit(m);
	}
	return __builtin_popcountll(seen & ~c->table->gone);
}

/* --- who is there -------------------------------------------------------- */

static int lock(struct pcf_cluster *c, char *why, size_t size)
{
	return pcf_root_lock(c->root, &c->self, why, size);
}

static void unlock(struct pcf_cluster *c)
{
	pcf_root_unlock(c->root);
}

/* Members with a share, as a bit each; the dead are cleared away. Without the
 * privilege to look at others, the dead are those that the program missed. */
static uint32_t sharing(struct pcf_cluster *c)
{
	uint32_t members = 0;

	for (uint32_t m = 0; m < PCF_MEMBERS; m++) {
		uint32_t key = PCF_SLOT_MEMBER + m;
		struct pcf_owner o;

		if (bpf_map_lookup_elem(c->root->owners, &key, &o))
			continue;
		if (!pcf_owner_alive(&o))
			pcf_root_evict(c->root, key);
		else if (o.flags & PCF_OWNER_SHARES)
			members |= bit(m);
	}
	return members & ~__atomic_load_n(&c->table->gone, __ATOMIC_RELAXED);
}

static void rebuild(struct pcf_cluster *c)
{
	uint64_t bucket[PCF_BUCKETS];

	pcf_cluster_spread(sharing(c), bucket);
	for (unsigned b = 0; b < PCF_BUCKETS; b++)
		__atomic_store_n(&c->table->bucket[b], bucket[b],
				 __ATOMIC_RELAXED);
}

static bool anybody(const struct pcf_cluster *c)
{
	struct pcf_owner o;

	for (uint32_t m = 0; m < PCF_MEMBERS; m++)
		if (pcf_root_owner(c->root->owners, PCF_SLOT_MEMBER + m, &o))
			return true;
	return false;
}

/* Without members there is no cluster, whoever else stays on the interface. */
static void retire(struct pcf_cluster *c)
{
	uint32_t key = PCF_SLOT_CLUSTER;

	if (c->lifeline < 0 || anybody(c))
		return;
	bpf_map_delete_elem(c->root->slots, &key);
	bpf_map_delete_elem(c->root->owners, &key);
}

/* --- finding or beginning it --------------------------------------------- */

static int map_table(struct pcf_cluster *c)
{
	void *at = mmap(NULL, sizeof(*c->table), PROT_READ | PROT_WRITE,
			MAP_SHARED, c->table_map, 0);

	if (at == MAP_FAILED)
		return -errno;
	c->table = at;
	return 0;
}

static int create_maps(struct pcf_cluster *c)
{
	LIBBPF_OPTS(bpf_map_create_opts, shared, .map_flags = BPF_F_MMAPABLE);
	int err;

	c->table_map = bpf_map_create(BPF_MAP_TYPE_ARRAY, TABLE_NAME, 4,
				      sizeof(*c->table), 1, &shared);
	if (c->table_map < 0)
		return c->table_map;
	c->living_map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, LIVING_NAME, 4, 4,
				       PCF_MEMBERS, NULL);
	if (c->living_map < 0)
		return c->living_map;
	err = map_table(c);
	if (err)
		return err;
	memset(c->table->bucket, 0xff, sizeof(c->table->bucket));
	if (getrandom(&c->table->seed, sizeof(c->table->seed), 0) < 0)
		return -errno;
	return 0;
}

static uint32_t map_id(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

static int begin(struct pcf_cluster *c, bool dedicated, char *why, size_t size)
{
	struct pcf_owner o = c->self;
	int err = create_maps(c);

	if (err)
		return failed(err, "cannot make the cluster's maps", why, size);
	c->lifeline = pcf_owner_self(&o);
	if (c->lifeline < 0)
		return failed(c->lifeline, "cannot make a BPF map", why, size);
	o.ctl_map = map_id(c->table_map);
	o.xsk_map = map_id(c->living_map);
	o.flags = dedicated ? PCF_OWNER_DEDICATED : 0;
	err = pcf_root_record(c->root, PCF_SLOT_CLUSTER, &o, why, size);
	if (err)
		close_fd(&c->lifeline);
	return err;
}

static int open_map(uint32_t id, const char *name, uint32_t type,
		    uint32_t value_size)
{
	struct bpf_map_info m = { 0 };
	uint32_t len = sizeof(m);
	int err, fd = bpf_map_get_fd_by_id(id);

	if (fd < 0)
		return fd;
	err = bpf_obj_get_info_by_fd(fd, &m, &len);
	if (!err && !strcmp(m.name, name) && m.type == type &&
	    m.value_size == value_size)
		return fd;
	close(fd);
	return err ? err : -EPROTO;
}

/* The lifeline first: while we hold it, the rest stays, too. */
static int find(struct pcf_cluster *c, const struct pcf_owner *o, char *why,
		size_t size)
{
	int err;

	c->lifeline = bpf_map_get_fd_by_id(o->lifeline);
	if (c->lifeline < 0)
		return c->lifeline;
	c->table_map = open_map(o->ctl_map, TABLE_NAME, BPF_MAP_TYPE_ARRAY,
				sizeof(*c->table));
	c->living_map =
		open_map(o->xsk_map, LIVING_NAME, BPF_MAP_TYPE_XSKMAP, 4);
	err = c->table_map < 0	  ? c->table_map
	      : c->living_map < 0 ? c->living_map
				  : map_table(c);
	return err ? failed(err, "cannot open the cluster's maps", why, size)
		   : 0;
}

static int find_or_begin(struct pcf_cluster *c, const char *name,
			 bool dedicated, char *why, size_t size)
{
	struct pcf_owner o;
	int err;

	if (pcf_root_owner(c->root->owners, PCF_SLOT_CLUSTER, &o)) {
		if (strcmp(o.cluster, name)) {
			snprintf(why, size,
				 "the cluster %.31s already captures here",
				 o.cluster);
			return -EBUSY;
		}
		err = find(c, &o, why, size);
		if (err != -ENOENT)
			return err;
	}
	err = pcf_exclusive_free(c->root, NULL, why, size);
	return err < 0 ? err : begin(c, dedicated, why, size);
}

/* --- a member ------------------------------------------------------------ */

static int claim_member(struct pcf_cluster *c, struct pcf_owner *me, char *why,
			size_t size)
{
	int err = -EBUSY;

	for (unsigned m = 0; m < PCF_MEMBERS && err == -EBUSY; m++) {
		c->member = m;
		err = pcf_root_claim(c->root, PCF_SLOT_MEMBER + m, me, why,
				     size);
	}
	if (err == -EBUSY)
		snprintf(why, size, "the cluster %s has %d members already",
			 me->cluster, PCF_MEMBERS);
	return err;
}

static int live(struct pcf_cluster *c)
{
	c->socket = pcf_living_socket(c->living_map, c->member);
	return c->socket < 0 ? c->socket : 0;
}

/* Every member puts it there: all are alike, and who began the cluster may
 * have died before doing so. */
static int put_program(struct pcf_cluster *c, char *why, size_t size)
{
	uint32_t key = PCF_SLOT_CLUSTER;
	int err, fd = pcf_prog_cluster(c, why, size);

	if (fd < 0)
		return fd;
	err = bpf_map_update_elem(c->root->slots, &key, &fd, BPF_ANY);
	close(fd);
	return err ? failed(err, "cannot set the cluster's program", why, size)
		   : 0;
}

static int join(struct pcf_cluster *c, bool dedicated, struct pcf_owner *me,
		char *why, size_t size)
{
	int err = find_or_begin(c, me->cluster, dedicated, why, size);

	if (!err)
		err = claim_member(c, me, why, size);
	if (err)
		return err;
	err = live(c);
	if (err)
		return failed(err, "cannot join the cluster", why, size);
	return put_program(c, why, size);
}

int pcf_cluster_join(struct pcf_cluster *c, struct pcf_root *root,
		     const char *name, bool dedicated, struct pcf_owner *me,
		     char *why, size_t size)
{
	int err;

	c->root = root;
	snprintf(me->cluster, sizeof(me->cluster), "%s", name);
	err = pcf_root_live(root, me, why, size);
	if (err)
		return err;
	c->self = *me;
	err = lock(c, why, size);
	if (err)
		return err;
	err = join(c, dedicated, me, why, size);
	if (err)
		retire(c);
	unlock(c);
	return err;
}

int pcf_cluster_enter(struct pcf_cluster *c, char *why, size_t size)
{
	int err;

	if (c->shares)
		return 0;
	err = lock(c, why, size);
	if (err)
		return err;
	/* of whoever had our number before */
	__atomic_and_fetch(&c->table->gone, ~bit(c->member), __ATOMIC_RELAXED);
	err = pcf_root_flag(c->root, PCF_OWNER_SHARES);
	if (!err)
		rebuild(c);
	c->shares = !err;
	unlock(c);
	return err ? failed(err, "cannot take a share", why, size) : 0;
}

/* A child of a fork may hold the socket longer than we want to be a member. */
static void depart(struct pcf_cluster *c)
{
	uint32_t key = c->member;

	if (c->socket >= 0)
		bpf_map_delete_elem(c->living_map, &key);
}

/* The program goes last: until the table has changed, packets are ours. Once
 * the lock is open our number may be another's, so nothing is left to do. */
static void give_up(struct pcf_cluster *c)
{
	uint32_t key = c->root->slot;

	bpf_map_delete_elem(c->root->owners, &key);
	rebuild(c);
	depart(c);
	bpf_map_delete_elem(c->root->slots, &key);
	c->root->claimed = false;
	retire(c);
}

/* If the lock cannot be had, our heirs take over as if we had been killed. */
void pcf_cluster_leave(struct pcf_cluster *c)
{
	char ignored[256];

	if (c->root && c->root->claimed && c->table) {
		if (!lock(c, ignored, sizeof(ignored))) {
			give_up(c);
			unlock(c);
		} else {
			depart(c);
		}
	}
	if (c->table)
		munmap(c->table, sizeof(*c->table));
	c->table = NULL;
	close_fd(&c->socket);
	close_fd(&c->living_map);
	close_fd(&c->table_map);
	close_fd(&c->lifeline);
}

/* --- outgoing packets ---------------------------------------------------- */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec * UINT64_C(1000) + t.tv_nsec / 1000000;
}

/* The program notices the dead when their packets come; what the host sends
 * does not come by it. */
static void look_for_dead(struct pcf_cluster *c)
{
	uint64_t now = now_ms();

	if (now - c->looked < LOOK_MS)
		return;
	c->looked = now;
	for (uint32_t m = 0; m < PCF_MEMBERS; m++) {
		uint32_t key = PCF_SLOT_MEMBER + m;
		struct pcf_owner o;

		if (!bpf_map_lookup_elem(c->root->owners, &key, &o) &&
		    !pcf_owner_alive(&o))
			__atomic_or_fetch(&c->table->gone, bit(m),
					  __ATOMIC_RELAXED);
	}
}

bool pcf_cluster_mine(struct pcf_cluster *c, const uint8_t *data, uint32_t len)
{
	uint64_t hash = pcf_flow_hash(data, len, c->table->seed);
	uint64_t *bucket = &c->table->bucket[hash >> (64 - PCF_CLUSTER_BITS)];
	uint64_t line = __atomic_load_n(bucket, __ATOMIC_RELAXED);

	if ((line & 0xff) != c->member)
		look_for_dead(c);
	while ((line & 0xff) < PCF_MEMBERS) {
		uint64_t heirs = line >> 8 | (uint64_t)PCF_NOBODY << 56;

		if (!(__atomic_load_n(&c->table->gone, __ATOMIC_RELAXED) &
		      bit(line & 0xff)))
			return (line & 0xff) == c->member;
		if (__atomic_compare_exchange_n(bucket, &line, heirs, false,
						__ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			line = heirs;
	}
	return false;
}
