/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The side table: pcap_t address -> our state. Open addressing with linear
 * probing; entries are a pair of atomics. What every packet needs is in
 * handle.h: the look at the first place.
 *
 * Look-ups take no lock and may run beside any change: a thread looks for its
 * own handle only, whose entry nobody else moves. Growing publishes a new
 * array and leaves the old one in place for those still reading it; since each
 * is twice as large, what is left behind is less than what is in use.
 */
#include "libpcap-fast/handle.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define FIRST_SIZE 64

/* Until there is a handle. Nothing is ever put here. */
static struct pcf_table none = { .entries = { { NULL, NULL } } };

_Atomic(struct pcf_table *) pcf_handles = &none;
static pthread_mutex_t change = PTHREAD_MUTEX_INITIALIZER;

static struct pcf_table_entry *lookup(struct pcf_table *t, pcap_t *p)
{
	for (unsigned i = pcf_table_hash(p);; i++) {
		struct pcf_table_entry *e = &t->entries[i & t->mask];
		pcap_t *key = atomic_load_explicit(&e->key,
						   memory_order_acquire);

		if (key == p)
			return e;
		if (!key)
			return NULL;
	}
}

struct pcf_handle *pcf_find(pcap_t *p)
{
	struct pcf_table *t =
		atomic_load_explicit(&pcf_handles, memory_order_acquire);
	struct pcf_table_entry *e = p ? lookup(t, p) : NULL;

	return e ? pcf_table_value(e, p) : NULL;
}

static struct pcf_table *new_table(unsigned size)
{
	struct pcf_table *t =
		calloc(1, sizeof(*t) + size * sizeof(t->entries[0]));

	if (t)
		t->mask = size - 1;
	return t;
}

/* Where `p` is or can go: its own entry, else the first one on its way that is
 * free or was left by a closed handle. */
static struct pcf_table_entry *place(struct pcf_table *t, pcap_t *p)
{
	struct pcf_table_entry *e = lookup(t, p);

	for (unsigned i = pcf_table_hash(p); !e; i++) {
		struct pcf_table_entry *c = &t->entries[i & t->mask];

		if (!atomic_load(&c->key))
			t->used++;
		if (!atomic_load(&c->key) || !atomic_load(&c->value))
			e = c;
	}
	return e;
}

/* The key before the value: the address of a closed handle, whose place this
 * may be, can be that of a savefile by now, which must not get the value.
 * Nobody looks for `p` before this is over. */
static void put(struct pcf_table *t, pcap_t *p, struct pcf_handle *h)
{
	struct pcf_table_entry *e = place(t, p);

	atomic_store_explicit(&e->key, p, memory_order_release);
	atomic_store_explicit(&e->value, h, memory_order_release);
}

/* Entries of closed handles keep their key while look-ups must go on past them,
 * until another handle takes their place or the table grows. */
static struct pcf_table *grow(struct pcf_table *old)
{
	struct pcf_table *t = new_table(old == &none ? FIRST_SIZE :
						       2 * (old->mask + 1));

	if (!t)
		return NULL;
	t->older = old;
	for (unsigned i = 0; i <= old->mask; i++) {
		struct pcf_table_entry *e = &old->entries[i];

		if (atomic_load(&e->value))
			put(t, atomic_load(&e->key), atomic_load(&e->value));
	}
	atomic_store_explicit(&pcf_handles, t, memory_order_release);
	return t;
}

int pcf_table_add(pcap_t *p, struct pcf_handle *h)
{
	struct pcf_table *t;

	pthread_mutex_lock(&change);
	t = atomic_load(&pcf_handles);
	if (t == &none || 2 * t->used > t->mask)
		t = grow(t);
	if (t)
		put(t, p, h);
	pthread_mutex_unlock(&change);
	return t ? 0 : -ENOMEM;
}

/* A closed handle's entry that is the last before a free one is on nobody's
 * way any more; nor are then those of closed handles before it. */
static void free_last(struct pcf_table *t, struct pcf_table_entry *e)
{
	for (unsigned i = e - t->entries;; i--) {
		struct pcf_table_entry *next = &t->entries[(i + 1) & t->mask];

		e = &t->entries[i & t->mask];
		if (!atomic_load(&e->key) || atomic_load(&e->value) ||
		    atomic_load(&next->key))
			break;
		atomic_store(&e->key, NULL);
		t->used--;
	}
}

struct pcf_handle *pcf_table_remove(pcap_t *p)
{
	struct pcf_handle *h = NULL;
	struct pcf_table *t;
	struct pcf_table_entry *e;

	pthread_mutex_lock(&change);
	t = atomic_load(&pcf_handles);
	e = lookup(t, p);
	if (e) {
		h = atomic_exchange(&e->value, NULL);
		free_last(t, e);
	}
	pthread_mutex_unlock(&change);
	return h;
}
