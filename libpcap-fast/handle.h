/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Our state beside a pcap_t, and the table that finds it.
 *
 * A pcap_t is always the system library's own. What belongs to it here is
 * looked up by its address; an address that is not in the table (a savefile, a
 * dead handle, one made inside the system's library) is none of our business.
 */
#ifndef PCF_HANDLE_H
#define PCF_HANDLE_H

#include "compat/stock.h"

#include "backend/backend.h"
#include "backend/clock.h"
#include "compat/channels.h"
#include "libpcap-fast/device.h"
#include "libpcap-fast/env.h"
#include "libpcap-fast/lane.h"
#include "libpcap-fast/mode.h"

#include <pthread.h>
#include <stdatomic.h>

struct sock_filter;

/* What the caller set before pcap_activate(), as far as the system's library
 * does not tell it back. */
struct pcf_options {
	struct pcf_device device;
	bool any_device;	/* created with a NULL name */
	int mode;		/* enum pcap_fast_mode; by function */
	bool mode_set;
	int zerocopy;		/* enum pcap_fast_zerocopy */
	bool zerocopy_set;
	enum pcf_rx rx;
	char queues[PCF_DEVICE_LIST_SIZE];
	char *keep;		/* expression; NULL: the default */
	bool qdisc_bypass;	/* for the packet socket */
	int rest;		/* enum pcap_fast_rest */
	bool rest_set;
	int snaplen;
	int busy_poll;		/* us */
	bool busy_poll_set;
	int promisc;
	int rfmon;
	int timeout_ms;
	int immediate;
	int buffer_size;	/* 0: the system library's default */
	int tstamp_type;
	bool tstamp_ours;	/* ... the real handle does not know of it */
	int rx_hash;
	bool rx_hash_set;
	int protocol;
};

/* The filter in force, for packets that no kernel filter has decided. */
struct pcf_filter {
	struct sock_filter *insns;	/* NULL: none */
	unsigned len;
	int place;			/* enum pcap_fast_filter_place */
	char reason[PCAP_FAST_REASON_SIZE];
};

struct pcf_handle {
	/* read path */
	pcap_t *p;
	struct pcf_lane *lanes;		/* one per queue, the shadow last */
	unsigned nlanes;
	unsigned nhooked;		/* of these, from the hook: they are
					 * the first */
	unsigned hooked_fds;		/* ... and so are their descriptors */
	bool others_quiet;		/* see read.c */
	bool must_ask;			/* this read does not wait, or has */
	struct pcf_lane *run;		/* whose packets come next, ... */
	unsigned run_end;		/* ... up to this one, 0 unknown, ... */
	bool run_plain;			/* ... and pass as they are */
	/* Up to these such packets go without a look at anything: one by one
	 * to pcap_next_ex(), in a loop to a callback. What must be looked at
	 * sets both to 0: see read.h. */
	atomic_uint plain_end, deliver_end;
	uint64_t turn;			/* fillings of lanes */
	bool nonblock;
	bool check_direction;
	bool spread;			/* outgoing packets, over a cluster */
	atomic_int break_flag;
	atomic_uint breaks;		/* pcap_breakloop() calls, in any mode */
	struct pcf_filter filter;
	uint32_t random;		/* state of SKF_AD_RANDOM */
	uint32_t snaplen;
	struct pcap_pkthdr header;	/* pcap_next(), pcap_next_ex() */
	uint64_t delivered, outgoing, misdirected, bad;
	uint64_t filtered;		/* rejected in user space, ... */
	uint64_t not_received;		/* ... by a filter that runs only there */
	uint64_t adapter_times;
	struct pcf_clock adapter_clock;	/* nobody's but its own */
	uint32_t ifindex;
	uint8_t mac[6];
	int pending_error;		/* to be reported by the next read */
	struct pcf_channels *channels;	/* NULL: nobody looks */
	uint32_t rx_queues;		/* of the interface, as the caller knows */
	uint32_t rx_queues_now;		/* ... and as was told, 0 nothing */
	unsigned fills;
	bool event;			/* the next read must tell of it */

	/* sending */
	struct pcf_backend *sender;	/* with rings for sending; NULL none */
	struct pcf_queue *tx_queue;	/* its first */
	pthread_mutex_t tx_lock;	/* of those */
	uint32_t mtu;
	struct pcf_handle *partner;	/* pcap_fast_share() */

	/* the rest */
	int mode;			/* enum pcap_fast_mode, once active */
	bool active;
	bool refused;			/* before the real handle was asked */
	int direction;			/* pcap_direction_t */
	bool honest_timeout;
	struct pcf_options options;
	struct pcf_choice choice;
	struct pcf_backend *backend;
	struct pcf_late *late;		/* NULL: no filters without privilege */
	struct pcf_keep *keep;		/* NULL: nothing is left to the host */
	struct pcf_opened opened;
	char busy_reason[300];		/* what busy polling does, "" it is off */
	struct pcf_shadow *shadow;
	struct pcf_standin *standin;	/* NULL: was not needed so far */
	struct pcf_waiter *waiter;
	struct pcf_batch *batch;	/* of the batch calls, NULL unused */
};

/* Does a blocking read on an idle link end with the time-out? */
static inline bool pcf_honest_timeout(const struct pcf_handle *h)
{
	return h->honest_timeout && h->options.timeout_ms > 0;
}

/* --- the side table: see handle.c ---------------------------------------- */

struct pcf_table_entry {
	_Atomic(pcap_t *) key;
	struct pcf_handle *value;	/* only the key's owner looks at it */
};

struct pcf_table {
	uintptr_t mask;		/* of an entry's place, in bytes */
	unsigned size, used;	/* entries; used: those that have a key */
	struct pcf_table *older;
	struct pcf_table_entry entries[];
};

extern _Atomic(struct pcf_table *) pcf_handles
	__attribute__((visibility("hidden")));

/* The i-th entry on the way of `p`, 0 the first. The product's upper half
 * depends on all of the address. */
static inline struct pcf_table_entry *pcf_table_at(struct pcf_table *t,
						   const pcap_t *p, unsigned i)
{
	uintptr_t place = (uintptr_t)p * 0x9e3779b97f4a7c15ull >> 32;

	place += i * sizeof(*t->entries);
	return (void *)((uint8_t *)t->entries + (place & t->mask));
}

/* Pairs with put(): an entry that has the key has its value. */
static inline bool pcf_table_has(struct pcf_table_entry *e, const pcap_t *p)
{
	return atomic_load_explicit(&e->key, memory_order_acquire) == p;
}

/* A new handle's state, in system mode. NULL: no memory. */
struct pcf_handle *pcf_handle_new(void);

/* The handle's state, or NULL: not ours. Lock-free. */
struct pcf_handle *pcf_find(pcap_t *p);

/* The same where it is quickly had, for a pcap_t that is not NULL; false:
 * pcf_find() knows. */
static inline bool pcf_find_at_once(pcap_t *p, struct pcf_handle **h)
{
	struct pcf_table *t =
		atomic_load_explicit(&pcf_handles, memory_order_acquire);
	struct pcf_table_entry *e = pcf_table_at(t, p, 0);

	if (__builtin_expect(!pcf_table_has(e, p), 0))
		return false;
	*h = e->value;
	return true;
}

/* The handle's state if it captures through a backend of ours, or NULL: then
 * the call belongs to the system's library. */
static inline struct pcf_handle *pcf_find_fast(pcap_t *p)
{
	struct pcf_handle *h = pcf_find(p);

	return h && h->backend ? h : NULL;
}

/* Add and remove; 0 or -ENOMEM. */
int pcf_table_add(pcap_t *p, struct pcf_handle *h);
struct pcf_handle *pcf_table_remove(pcap_t *p);

#endif
