/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has which RX queue; see exclusive.h. */
#include "backend/exclusive.h"

#include "backend/busy.h"
#include "backend/owner.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_exclusive(uint32_t key)
{
	return key >= PCF_SLOT_EXCLUSIVE && key < PCF_SLOTS;
}

/* Of another version's queues nothing is known: it may have any. */
static bool has(const struct pcf_owner *o, const uint64_t *wanted,
		uint64_t *which)
{
	if (o->version != PCF_OWNER_VERSION) {
		memset(which, 0, sizeof(o->queues));
		return true;
	}
	return pcf_queues_common(o->queues, wanted ? wanted : o->queues, which);
}

int pcf_exclusive_look(int owners, const uint64_t *wanted,
		       struct pcf_holder *holder, bool *dedicated)
{
	uint32_t keys[PCF_RECORDS];
	int living = 0, n = pcf_root_records(owners, keys);

	holder->found = false;
	for (int i = 0; i < n; i++) {
		struct pcf_owner o;

		if (!is_exclusive(keys[i]) ||
		    !pcf_root_owner(owners, keys[i], &o))
			continue;
		living++;
		*dedicated &= o.version == PCF_OWNER_VERSION &&
			      o.flags & PCF_OWNER_DEDICATED;
		if (!holder->found && has(&o, wanted, holder->queues)) {
			holder->found = true;
			holder->owner = o;
		}
	}
	return n < 0 ? n : living;
}

static int sweep(struct pcf_root *r)
{
	uint32_t keys[PCF_RECORDS];
	int n = pcf_root_records(r->owners, keys);

	for (int i = 0; i < n; i++) {
		struct pcf_owner o;

		if (!is_exclusive(keys[i]) ||
		    bpf_map_lookup_elem(r->owners, &keys[i], &o))
			continue;
		if (!pcf_owner_alive(&o))
			pcf_root_evict(r, keys[i]);
	}
	return n < 0 ? n : 0;
}

/* --- claiming ------------------------------------------------------------ */

static int refuse(const struct pcf_holder *holder, char *why, size_t size)
{
	char name[64], queues[64];

	pcf_root_name(&holder->owner, name, sizeof(name));
	pcf_queues_text(holder->queues, queues, sizeof(queues));
	snprintf(why, size, "%s already captures here exclusively%s%s", name,
		 *queues ? ", from RX queue " : "", queues);
	return -EBUSY;
}

static int refuse_cluster(const struct pcf_owner *o, char *why, size_t size)
{
	if (o->version == PCF_OWNER_VERSION)
		snprintf(why, size, "the cluster %.31s already captures here",
			 o->cluster);
	else
		snprintf(
			why, size,
			"another version of this library already captures here");
	return -EBUSY;
}

static int claim_slot(struct pcf_root *r, struct pcf_owner *me, char *why,
		      size_t size)
{
	int err = -EBUSY;

	for (unsigned i = 0; i < PCF_EXCLUSIVES && err == -EBUSY; i++)
		err = pcf_root_claim(r, PCF_SLOT_EXCLUSIVE + i, me, why, size);
	if (err == -EBUSY)
		snprintf(why, size,
			 "all %d places for exclusive captures are taken",
			 PCF_EXCLUSIVES);
	return err;
}

/* Packets of the queue come to our slot, as soon as it has a program. */
static int take_queues(struct pcf_root *r, const struct pcf_owner *me,
		       char *why, size_t size)
{
	uint32_t slot = r->slot;
	int err = 0;

	if (r->queues < 0) /* alone: all come to it anyhow */
		return 0;
	for (uint32_t q = 0; q < PCF_QUEUES && !err; q++)
		if (pcf_queues_have(me->queues, q))
			err = bpf_map_update_elem(r->queues, &q, &slot,
						  BPF_ANY);
	if (err)
		snprintf(why, size, "cannot claim the queues: %s",
			 strerror(-err));
	return err;
}

int pcf_exclusive_free(struct pcf_root *r, const uint64_t *wanted, char *why,
		       size_t size)
{
	struct pcf_holder holder;
	bool dedicated = true;
	int n = sweep(r);

	if (n >= 0)
		n = pcf_exclusive_look(r->owners, wanted, &holder, &dedicated);
	if (n < 0) {
		snprintf(why, size, "cannot look who captures here: %s",
			 strerror(-n));
		return n;
	}
	return holder.found ? refuse(&holder, why, size) : n;
}

static int claim(struct pcf_root *r, struct pcf_owner *me, unsigned *put_back,
		 char *why, size_t size)
{
	struct pcf_owner cluster;
	int err;

	if (pcf_root_owner(r->owners, PCF_SLOT_CLUSTER, &cluster))
		return refuse_cluster(&cluster, why, size);
	err = pcf_exclusive_free(r, me->queues, why, size);
	if (err < 0)
		return err;
	if (!err)
		*put_back = pcf_busy_clean(r->ifindex);
	err = claim_slot(r, me, why, size);
	return err ? err : take_queues(r, me, why, size);
}

int pcf_exclusive_claim(struct pcf_root *r, struct pcf_owner *me,
			unsigned *put_back, char *why, size_t size)
{
	int err = pcf_root_live(r, me, why, size);

	if (!err)
		err = pcf_root_lock(r, me, why, size);
	if (err)
		return err;
	err = claim(r, me, put_back, why, size);
	pcf_root_unlock(r);
	return err;
}
