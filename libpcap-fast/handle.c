/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The side table: pcap_t address -> our state. Open addressing with linear
 * probing. What every packet needs is in handle.h: the look at the first place.
 *
 * Look-ups take no lock and may run beside any change. That the key is there
 * says that the value is its: a thread looks for its own handle only, whose
 * entry nobody changes before that handle is closed. Closing puts another key
 * in its place before the address can be anybody else's, a savefile's say, so
 * whoever has the address then does not find it: free() and malloc() order
 * that for all threads. Growing publishes a new array and leaves the old one in
 * place for those still reading it; since each is twice as large, what is left
 * behind is less than what is in use.
 */
#include "libpcap-fast/handle.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define FIRST_SIZE 64

/* Until there is a handle. Nothing is ever put here. */
static struct pcf_table none = { .size = 1, .entries = { { NULL, NULL } } };

/* The key of a closed handle's entry, which look-ups must go on past: no
 * pcap_t is there. */
#define CLOSED ((pcap_t *)&none)

_Atomic(struct pcf_table *) pcf_handles = &none;
static pthread_mutex_t change = PTHREAD_MUTEX_INITIALIZER;

struct pcf_handle *pcf_handle_new(void)
{
	struct pcf_handle *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->mode = PCAP_FAST_MODE_SYSTEM;
	h->run = &pcf_no_lane;
	pthread_mutex_init(&h->tx_lock, NULL);
	return h;
}

static pcap_t *key_of(struct pcf_table_entry *e)
{
	return atomic_load_explicit(&e->key, memory_order_relaxed);
}

static struct pcf_table_entry *lookup(struct pcf_table *t, pcap_t *p)
{
	for (unsigned i = 0;; i++) {
		struct pcf_table_entry *e = pcf_table_at(t, p, i);

		if (pcf_table_has(e, p))
			return e;
		if (!key_of(e))
			return NULL;
	}
}

struct pcf_handle *pcf_find(pcap_t *p)
{
	struct pcf_table *t =
		atomic_load_explicit(&pcf_handles, memory_order_acquire);
	struct pcf_table_entry *e = p ? lookup(t, p) : NULL;

	return e ? e->value : NULL;
}

static struct pcf_table *new_table(unsigned size)
{
	struct pcf_table *t =
		calloc(1, sizeof(*t) + size * sizeof(t->entries[0]));

	if (!t)
		return NULL;
	t->size = size;
	t->mask = (size - 1) * sizeof(t->entries[0]);
	return t;
}

/* Where `p` is or can go: its own entry, else the first one on its way that is
 * free or was left by a closed handle. */
static struct pcf_table_entry *place(struct pcf_table *t, pcap_t *p)
{
	struct pcf_table_entry *e = lookup(t, p);

	for (unsigned i = 0; !e; i++) {
		struct pcf_table_entry *c = pcf_table_at(t, p, i);

		if (!key_of(c))
			t->used++;
		if (!key_of(c) || key_of(c) == CLOSED)
			e = c;
	}
	return e;
}

/* The value before the key, which says that it is there. */
static void put(struct pcf_table *t, pcap_t *p, struct pcf_handle *h)
{
	struct pcf_table_entry *e = place(t, p);

	e->value = h;
	atomic_store_explicit(&e->key, p, memory_order_release);
}

static struct pcf_table *grow(struct pcf_table *old)
{
	struct pcf_table *t = new_table(old == &none ? FIRST_SIZE :
						       2 * old->size);

	if (!t)
		return NULL;
	t->older = old;
	for (unsigned i = 0; i < old->size; i++) {
		struct pcf_table_entry *e = &old->entries[i];

		if (key_of(e) && key_of(e) != CLOSED)
			put(t, key_of(e), e->value);
	}
	atomic_store_explicit(&pcf_handles, t, memory_order_release);
	return t;
}

int pcf_table_add(pcap_t *p, struct pcf_handle *h)
{
	struct pcf_table *t;

	pthread_mutex_lock(&change);
	t = atomic_load(&pcf_handles);
	if (t == &none || 2 * t->used >= t->size)
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
		struct pcf_table_entry *next =
			&t->entries[(i + 1) % t->size];

		e = &t->entries[i % t->size];
		if (key_of(e) != CLOSED || key_of(next))
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
		h = e->value;
		atomic_store(&e->key, CLOSED);
		e->value = NULL;
		free_last(t, e);
	}
	pthread_mutex_unlock(&change);
	return h;
}
