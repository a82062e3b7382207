/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The contract between the read calls and where packets come from.
 *
 * A backend offers one queue for each source of packets in arrival order (an
 * RX queue of the interface). It knows nothing of pcap_t, counts, time-outs,
 * the break flag or user-space filters: all of that is done once, above.
 *
 * A packet's life at this border:
 *
 *	rx	the packet is shown; nothing is given back yet
 *	taken	it was delivered: the queue's descriptor is readable only for
 *		what comes after it, its bytes stay
 *	done	its bytes may be overwritten
 *
 * in this order, each for many packets at once; none of them sleeps. Set-up
 * happens in the control operations; those in `struct pcf_rx_ops` are copied
 * into the handle.
 */
#ifndef PCF_BACKEND_H
#define PCF_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>

#include "backend/hints.h"
#include "compat/frame.h"

struct pcf_ebpf;
struct pcf_code;
struct pcf_code_map;

/* One packet; same layout as struct pcap_batch_pkt. */
struct pcf_pkt {
	struct timeval ts;	/* tv_usec in us or ns, as the handle asks */
	uint32_t caplen;	/* bytes at data */
	uint32_t len;		/* bytes on the wire */
	uint8_t *data;		/* writable */
	uint64_t frame;		/* the backend's own */
	uint32_t queue;		/* RX queue */
	uint32_t flags;		/* PCF_PKT_*; the upper 24 bits: see pcf_show */
};

/* The first three as in the PCAP_BATCH_* flags. */
#define PCF_PKT_OUTGOING 0x1	/* the host sent it */
/* hints() has the time by the adapter's clock; has the hash. */
#define PCF_PKT_ADAPTER_TIME 0x2
#define PCF_PKT_HASH 0x4
/* No packet: a descriptor that points nowhere. To be counted, not delivered. */
#define PCF_PKT_BAD 0x8
/* From the stand-in's packet socket: sent by the host or not. */
#define PCF_PKT_SOCKET 0x10
/* It passed the filter that is in force now, in the kernel. */
#define PCF_PKT_FILTERED 0x80

/* Why rx() stopped. */
enum pcf_stop {
	PCF_STOP_FULL,	/* `max` reached, there may be more */
	PCF_STOP_EMPTY,	/* nothing more for now */
	/* ... but packets that have their time already are on the way; said
	 * for a bounded time only */
	PCF_STOP_COMING,
	PCF_STOP_ERROR	/* see the source's error */
};

/* Packets of one backend queue by reason, since it was opened. */
struct pcf_counters {
	uint64_t matched;	/* meant for this handle, at the hook */
	uint64_t dropped_ring;	/* ring full */
	uint64_t dropped_fill;	/* no free frame, or too large for one */
	uint64_t rest;		/* not meant for this handle, and dropped */
	bool no_metadata;	/* some came without it: timed when read */
};

/* What a backend is asked to open; strings and pointers only for the call. */
struct pcf_open {
	const char *ifname;
	const char *driver;		/* its name, "" unknown */
	int ifindex;
	uint32_t mtu;
	uint32_t rx_queues;		/* that the interface has */
	const uint64_t *queue_mask;	/* bit per RX queue wanted */
	size_t buffer_size;		/* bytes asked for; 0 default */
	bool zerocopy_only;		/* fail where it cannot be had */
	bool copy_only;
	bool generic;			/* skb-mode XDP, only when asked for */
	bool nanoseconds;		/* unit of pkt.ts.tv_usec */
	bool single_buffer_only;	/* driver or kernel without frags */
	bool shared;			/* packet memory for another, too */
	struct pcf_backend *share;	/* ... whose it is; NULL: own memory */
	bool drop_rest;			/* drop what does not match */
	bool take;			/* direct ring: what matches goes no
					 * further; else all goes on */
	bool send_only;			/* AF_XDP: takes no packets */
	const char *cluster;		/* its name; members only */
	bool dedicated;			/* nobody else uses the interface */
	bool busy_poll;			/* the reader polls: drive() helps */
	/* Ask the driver for the time and the hash of each packet: then the
	 * capture is alone on the interface. */
	bool want_time, want_hash;
};

/* What came of it. */
struct pcf_opened {
	bool zerocopy;
	uint32_t queues;
	uint32_t frame_size;	/* bytes */
	uint64_t frames;
	uint64_t memory;	/* bytes */
	bool shared;		/* packet memory of the other backend */
	char note[256];		/* steps down on the way, "" none */
	char busy_note[256];	/* what came of busy_poll, "" nothing */
	unsigned put_back;	/* settings that a killed process had left */
};

static inline bool pcf_open_alone(const struct pcf_open *how)
{
	return how->want_time || how->want_hash;
}

/* Cut a packet to what its filter keeps. The filter counted without the outer
 * VLAN tag. */
static inline void pcf_pkt_keep(struct pcf_pkt *p, uint32_t keep)
{
	if (__builtin_expect(keep >= p->caplen, 1))
		return;
	if (pcf_frame_tagged(p->data, p->caplen))
		keep += 4;
	if (keep < p->caplen)
		p->caplen = keep;
}

struct pcf_queue;

/*
 * One rx(): where it puts what it shows, and what it says of it. The upper
 * bits of a packet's flags are its place: `flags` for the first one, and
 * PCF_PKT_PLACE more for each that follows.
 */
struct pcf_show {
	struct pcf_pkt *pkts;	/* room for as many as are asked for */
	uint64_t *frames;	/* pkts[i].frame once more, side by side */
	uint32_t flags;
	uint32_t snaplen;
	/* out: of all that are shown */
	enum pcf_stop why;	/* it stopped */
	bool plain;		/* packets of the wire, within the snaplen, and
				 * stamped by the host */
	bool filtered;		/* each with PCF_PKT_FILTERED */
};

#define PCF_PKT_PLACE 0x100u

/* The packet that was shown has these hints. */
static inline void pcf_show_hints(struct pcf_show *rx, struct pcf_pkt *p,
				  const struct pcf_hints *h)
{
	if (h->time) {
		p->flags |= PCF_PKT_ADAPTER_TIME;
		rx->plain = false;
	}
	if (h->has_hash)
		p->flags |= PCF_PKT_HASH;
}

/* Queue and flags of a packet as one word, to which words are added. */
static inline uint64_t pcf_pkt_marks(uint32_t queue, uint32_t flags)
{
	const uint32_t marks[2] = { queue, flags };
	uint64_t word;

	memcpy(&word, marks, sizeof(word));
	return word;
}

static inline void pcf_pkt_mark(struct pcf_pkt *p, uint64_t word)
{
	memcpy((uint8_t *)p + offsetof(struct pcf_pkt, queue), &word,
	       sizeof(word));
}

/* What the read path calls, copied into the handle. */
struct pcf_rx_ops {
	/* Show up to `max` packets. Never sleeps, never fails half-way: what
	 * was shown stands. */
	unsigned (*rx)(struct pcf_queue *q, struct pcf_show *rx, unsigned max);
	/* Of packets as they were shown: in order, at least one. */
	void (*taken)(struct pcf_queue *q, const uint64_t *frames, unsigned n);
	/* As they were shown, or one of any that was held. */
	void (*done)(struct pcf_queue *q, const uint64_t *frames, unsigned n);
	/* The arrival time of a shown packet (CLOCK_TAI, ns), 0 unknown. NULL:
	 * always. For packets whose stamps are equal, not for each. */
	uint64_t (*time)(struct pcf_queue *q, const struct pcf_pkt *pkt);
	/* What the adapter knows of a shown packet, or one that is held, whose
	 * flags say that it knows something. NULL: they never do. */
	const struct pcf_hints *(*hints)(struct pcf_queue *q,
					 const struct pcf_pkt *pkt);
};

/*
 * Appends a filter to a program under construction: code that ends by jumping
 * to `match` (R7 = bytes to keep) or `nomatch`; R6 is the context. 0 or
 * negative errno with the reason in `why`.
 */
typedef int (*pcf_emit_filter)(void *arg, struct pcf_ebpf *e, int match,
			       int nomatch, char *why, size_t size);

/* Packets sent through one queue, since it was opened. */
struct pcf_tx_counters {
	uint64_t sent;		/* taken by the kernel */
	uint64_t dropped;	/* ... which could not send them */
	uint64_t pending;	/* frames that the kernel still has */
	bool yielded;		/* sending stalled while the reader polled, so
				 * interrupts are as usual again */
};

/*
 * Sending. A packet goes in three steps: into the ring (`copy` or `submit`),
 * to the kernel (`kick`), and at last its frame comes back. None sleeps.
 */
struct pcf_tx_ops {
	/* Frames to build packets in: data, and caplen = the room there. How
	 * many there were, at most n. */
	unsigned (*reserve)(struct pcf_queue *q, struct pcf_pkt *pkts,
			    unsigned n);
	/* Frames that were reserved and are not wanted. */
	void (*cancel)(struct pcf_queue *q, const struct pcf_pkt *pkts,
		       unsigned n);
	/* Is the packet in a frame that this queue can send as it is? */
	bool (*sendable)(struct pcf_queue *q, const struct pcf_pkt *pkt);
	/* Put such packets into the ring, or copies of any packets: how many
	 * found room, at most n. */
	unsigned (*submit)(struct pcf_queue *q, const struct pcf_pkt *pkts,
			   unsigned n);
	unsigned (*copy)(struct pcf_queue *q, const struct pcf_pkt *pkts,
			 unsigned n);
	/* Send a copy of one packet, all three steps at once, where that is
	 * quicker. False: it was not sent; the steps say why. */
	bool (*one)(struct pcf_queue *q, const struct pcf_pkt *pkt);
	/* Have the kernel take what is in the ring. 0: it has all; -EAGAIN:
	 * kick again, `*progress` says if it took any; other negative errno:
	 * it takes none. */
	int (*kick)(struct pcf_queue *q, bool *progress);
	/* After a failed kick: take the last packets, at most n, out of the
	 * ring again. Copies are freed, submitted frames are the caller's
	 * again. How many packets. */
	unsigned (*recall)(struct pcf_queue *q, unsigned n, bool copies);
	/* Takes no locks. */
	void (*counters)(struct pcf_queue *q, struct pcf_tx_counters *c);
};

struct pcf_backend {
	const struct pcf_backend_ops *ops;
	struct pcf_rx_ops rx;	/* fitting what was opened */
	const struct pcf_tx_ops *tx; /* NULL: it cannot send */
	/* Have the kernel look into the device for packets. Never sleeps.
	 * NULL: it does so of its own accord. */
	void (*drive)(struct pcf_backend *b);
	unsigned nqueues;
};

/* Errors are negative errno with the reason in `why`, cut to `size`. */
struct pcf_backend_ops {
	const char *name;
	/* Do everything that needs privilege, but take no packet yet. */
	int (*open)(const struct pcf_open *how, struct pcf_backend **b,
		    struct pcf_opened *what, char *why, size_t size);
	/* Begin to take packets, or stop; any number of times. */
	int (*arm)(struct pcf_backend *b, bool on);
	/* From now on this filter decides at the hook (emit NULL: everything
	 * matches). Packets that it let through carry PCF_PKT_FILTERED; those
	 * still queued from before do not. On error the former one stays. */
	int (*set_filter)(struct pcf_backend *b, pcf_emit_filter emit,
			  void *arg, char *why, size_t size);
	/* Load, while that is allowed, a program whose filter `emit` reads from
	 * the map as it runs (code_map.h), and leaves the epoch of that on the
	 * stack at R10 + epoch_at. After set_keep, before the first arm; the
	 * map must live as long. On error there is none. */
	int (*set_interpreter)(struct pcf_backend *b, struct pcf_code_map *map,
			       pcf_emit_filter emit, void *arg, int epoch_at);
	/* As set_filter, but by code for that program: needs no privilege. */
	int (*set_code)(struct pcf_backend *b, const struct pcf_code *code,
			unsigned n, char *why, size_t size);
	/* Packets that match this are left to the host whatever the filter
	 * says. Before the first arm; `arg` must live as long. */
	int (*set_keep)(struct pcf_backend *b, pcf_emit_filter emit, void *arg,
			char *why, size_t size);
	/* While it has no filter at the hook, leave every packet to the host,
	 * and copy it. Heeded by the next set_filter; after set_keep. NULL: it
	 * has no copies, so what the host keeps takes a mirror (keep.c). */
	void (*leave)(struct pcf_backend *b, bool on);
	/* Tell those who look (pcap-fast status) which filter is in force: its
	 * expression ("" not known), its instructions (0 none) and where it
	 * runs, enum pcap_fast_filter_place. */
	void (*note)(struct pcf_backend *b, const char *filter, unsigned len,
		     int place);
	/* Takes NULL. */
	void (*close)(struct pcf_backend *b);
	struct pcf_queue *(*queue)(struct pcf_backend *b, unsigned i);
	/* Readable while rx() has packets that were not taken. */
	int (*fd)(struct pcf_queue *q);
	/* On: a descriptor to wait for instead of the queues', readable when
	 * one of them has much; -1 if one has already. Until it is ended (off:
	 * -1), the queues' own may tell of much only. NULL: it has no such
	 * thing. */
	int (*nap)(struct pcf_backend *b, bool on);
	/* Takes no locks, allocates nothing: called from signal handlers. */
	void (*counters)(struct pcf_queue *q, struct pcf_counters *c);
	/* Of a cluster, NULL elsewhere: how many take part; is a packet that
	 * the host sent this member's? */
	unsigned (*members)(struct pcf_backend *b);
	bool (*mine)(struct pcf_backend *b, const struct pcf_pkt *pkt);
};

/* AF_XDP sockets, one for each RX queue. */
extern const struct pcf_backend_ops pcf_af_xdp;

/* Copies, taken at the hook: of packets that go on, or for which that is the
 * end. */
extern const struct pcf_backend_ops pcf_direct_ring;

/* The same, taken from the host, and from a share of the packets. */
extern const struct pcf_backend_ops pcf_member;

#endif
