/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libpcap-fast: what it offers beyond the libpcap API.
 *
 * Every call takes the pcap_t of the stock API and works from C and C++.
 * Nothing here is needed to use the library: a program that only knows
 * libpcap gets the fast modes through the device name ("exclusive:eth0"), the
 * environment (PCAP_FAST_MODE) or the automatic choice.
 *
 * Unless said otherwise: calls return 0 or a negative PCAP_ERROR* code whose
 * text pcap_geterr() gives; none blocks; one thread at a time per pcap_t.
 */
#ifndef PCAP_FAST_H
#define PCAP_FAST_H

#include <pcap/pcap.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a handle captures. */
enum pcap_fast_mode {
	PCAP_FAST_MODE_AUTO = 0,      /* the library chooses (default) */
	PCAP_FAST_MODE_SYSTEM = 1,    /* stock libpcap (AF_PACKET) */
	PCAP_FAST_MODE_EXCLUSIVE = 2, /* AF_XDP socket; the host does not see
				       * what is captured */
	PCAP_FAST_MODE_MIRROR = 3     /* copies taken at the XDP hook; the host
				       * sees every packet too */
};

/* Whether the AF_XDP socket must be zero-copy. */
enum pcap_fast_zerocopy {
	PCAP_FAST_ZEROCOPY_AUTO = 0,    /* where the driver can (default) */
	PCAP_FAST_ZEROCOPY_REQUIRE = 1, /* fail where it cannot */
	PCAP_FAST_ZEROCOPY_OFF = 2      /* copy mode, even where it can */
};

/* What happens to packets that match neither filter nor keep filter. */
enum pcap_fast_rest {
	PCAP_FAST_REST_PASS = 0, /* they go on to the host (default) */
	PCAP_FAST_REST_DROP = 1	 /* they are dropped in the driver */
};

/* Where the filter set by pcap_setfilter() runs. */
enum pcap_fast_filter_place {
	PCAP_FAST_FILTER_NONE = 0,   /* no filter set */
	PCAP_FAST_FILTER_KERNEL = 1, /* at the XDP hook, or in the kernel on a
				      * system handle */
	PCAP_FAST_FILTER_USER = 2,   /* in user space, per packet */
	PCAP_FAST_FILTER_SOCKET = 3  /* in the kernel, on the system's packet
				      * socket, which the handle then reads:
				      * only that can run it */
};

/* One packet of a batch. 48 bytes where pointers have 64 bits. */
struct pcap_batch_pkt {
	struct pcap_pkthdr hdr; /* ts in us or ns, as
				 * pcap_get_tstamp_precision() says */
	const u_char *data;	/* hdr.caplen bytes; may be written to */
	uint64_t frame;		/* the library's own; do not change */
	uint32_t queue;		/* RX queue, 0 where there is none */
	uint32_t flags;		/* PCAP_BATCH_*; other bits are the library's
				 * own */
};

#define PCAP_BATCH_OUTBOUND	0x1 /* the host sent it */
#define PCAP_BATCH_ADAPTER_TIME 0x2 /* hdr.ts is by the adapter's clock */
#define PCAP_BATCH_HASH		0x4 /* pcap_batch_hash() has its hash */

/*
 * Read up to `max` packets at once. Blocks like pcap_next_ex(): in blocking
 * mode until at least one packet is there. Count, time-out, break flag,
 * filter, direction and snapshot length hold as for pcap_dispatch().
 *
 *   pkts     room for `max` packets, filled from the first on, oldest first
 *   returns  how many (fewer than `max` is normal); 0 for a time-out or, in
 *            non-blocking mode, nothing there; PCAP_ERROR_BREAK after
 *            pcap_breakloop() or at the end of a savefile; PCAP_ERROR, also
 *            when every frame of the capture is held
 *   data     valid until the next read on the handle, of whichever kind, its
 *            release, or pcap_close(), unless held
 *   since    0.1
 */
int pcap_next_batch(pcap_t *p, struct pcap_batch_pkt *pkts, int max);

/*
 * The hash that the adapter has computed over a packet's flow, as it does to
 * choose the RX queue. Packets have one, and the flag PCAP_BATCH_HASH, where
 * pcap_fast_set_rx_hash() asked for it, the driver has one for this packet, and
 * the host did not send it. Which bytes it is of is the adapter's affair; the
 * two directions of a flow mostly differ.
 *
 *   pkt      of the last batch, or held
 *   hash     gets the number, which may be 0
 *   returns  1; 0: it has none, and `hash` is as it was
 *   since    0.1
 */
int pcap_batch_hash(pcap_t *p, const struct pcap_batch_pkt *pkt,
		    uint32_t *hash);

/*
 * Keep packets of the last batch past the next read, as many as the capture
 * has frames. Where the capture has no frames to keep, they are copied, and
 * `data` changes. From the reading thread only.
 *
 *   pkts, n  entries as pcap_next_batch() filled them
 *   returns  0; PCAP_ERROR (not of the last batch; no memory), then those
 *            before the one named in the text are held
 *   since    0.1
 */
int pcap_hold_batch(pcap_t *p, struct pcap_batch_pkt *pkts, int n);

/*
 * Give held packets back, in any order and any grouping; `data` becomes NULL.
 * Packets that are not held are left alone, so releasing an entry twice is
 * harmless; two copies of one entry are not. From the reading thread only.
 *
 *   returns  0; PCAP_ERROR (nothing was ever read from this handle)
 *   since    0.1
 */
int pcap_release_batch(pcap_t *p, struct pcap_batch_pkt *pkts, int n);

/*
 * Send copies of packets, in order. A packet that was accepted is the kernel's;
 * in blocking mode all are, but for one that cannot be sent. `hdr.caplen`
 * bytes at `data` each, 14 at least and the MTU and 14 at most (18 with an
 * 802.1Q tag); nothing else of an entry is read. Works on every handle that
 * pcap_inject() works on. Other threads may read or send on the handle
 * meanwhile.
 *
 *   returns  how many were accepted: fewer than n in non-blocking mode without
 *            room (also 0), after pcap_breakloop(), or before a packet that
 *            cannot be sent; PCAP_ERROR if that is the first, with the text
 *            that pcap_inject() has ("send: Message too long",
 *            "send: Network is down", ...)
 *   since    0.1
 */
int pcap_inject_batch(pcap_t *p, const struct pcap_batch_pkt *pkts, int n);

/*
 * Get frames to build packets in, where the device reads them. Fills `data`,
 * writable, and `hdr.caplen`, the room there in bytes (at least the MTU and 18
 * up to an MTU of 3,800; longer packets go through pcap_inject_batch()). Never
 * blocks; frames come back when the device has sent them.
 *
 *   pkts     room for n entries
 *   returns  how many there are, 0 when all are on their way; PCAP_ERROR
 *            (no memory)
 *   owner    the caller, until pcap_tx_submit(), pcap_release_batch() or
 *            pcap_close()
 *   since    0.1
 */
int pcap_tx_reserve(pcap_t *p, struct pcap_batch_pkt *pkts, int n);

/*
 * Send reserved frames, `hdr.caplen` bytes of each, in order. `data` may have
 * been moved within the frame. An accepted entry's `data` becomes NULL; the
 * others stay reserved.
 *
 *   returns  as pcap_inject_batch(); PCAP_ERROR also for an entry that is not
 *            reserved
 *   since    0.1
 */
int pcap_tx_submit(pcap_t *p, struct pcap_batch_pkt *pkts, int n);

/*
 * Wait until the device has sent all that was accepted. pcap_close() does so
 * for a tenth of a second.
 *
 *   timeout_ms  at most that long; negative: as long as it takes, or until
 *               pcap_breakloop()
 *   returns     how many frames are still out, 0 when all were sent, and on
 *               handles that send through a packet socket
 *   since       0.1
 */
int pcap_tx_flush(pcap_t *p, int timeout_ms);

/*
 * Let two handles use the same packet memory, so that pcap_forward_batch()
 * between them, in both directions, moves frames without copying: queue 0 of
 * one with queue 0 of the other, and so on. Before either is activated. Where
 * it cannot be had (another mode, fewer queues, other drivers), or a driver has
 * no zero-copy and copying is faster, forwarding copies, with the same results;
 * pcap_fast_get_info() tells. All calls on the
 * two handles are then for one thread at a time, and packet memory, with the
 * first one's interface, stays taken until both are closed.
 *
 *   returns  0; PCAP_ERROR_ACTIVATED; PCAP_ERROR (not two handles of
 *            pcap_create(), or one shares with another already)
 *   since    0.1
 */
int pcap_fast_share(pcap_t *out, pcap_t *in);

/*
 * Send packets of the last batch of `in`, or held ones, through `out`, in
 * order, hdr.caplen bytes each. An accepted entry is no longer the caller's:
 * its `data` becomes NULL, and its frame returns to `in` when it was sent. To
 * drop a packet, leave it out. Any two handles, also one and the same.
 *
 *   returns  as pcap_inject_batch() on `out`; texts are in `out`
 *   since    0.1
 */
int pcap_forward_batch(pcap_t *in, pcap_t *out, struct pcap_batch_pkt *pkts,
		       int n);

/*
 * Send queues, as WinPcap and Npcap have them: packets with their times in one
 * buffer, sent together.
 */
typedef struct pcap_send_queue {
	u_int maxlen; /* bytes of the buffer */
	u_int len;    /* bytes in use */
	char *buffer; /* for each packet a struct pcap_pkthdr, then its bytes */
} pcap_send_queue;

/*
 * Make a queue of `memsize` bytes; a packet takes hdr.caplen and
 * sizeof(struct pcap_pkthdr) of them. NULL: no memory.
 *   since    0.1
 */
pcap_send_queue *pcap_sendqueue_alloc(u_int memsize);

/* Free a queue. Takes NULL.
 *   since    0.1
 */
void pcap_sendqueue_destroy(pcap_send_queue *queue);

/*
 * Append a copy of a packet. hdr.ts, in the unit of the handle that will send
 * it, has a meaning for `sync` only.
 *
 *   returns  0; -1 no room
 *   since    0.1
 */
int pcap_sendqueue_queue(pcap_send_queue *queue, const struct pcap_pkthdr *hdr,
			 const u_char *data);

/*
 * Send all packets of a queue, which stays as it is. Blocks until the last is
 * accepted, also for the time between them.
 *
 *   sync     0: as fast as possible; else at the distances of their times
 *   returns  bytes of the queue that were sent, headers counted: queue->len
 *            unless a packet failed (pcap_geterr() says why), the handle is
 *            non-blocking and had no room, or pcap_breakloop() was called
 *            meanwhile, which the next read on the handle sees, too
 *   since    0.1
 */
u_int pcap_sendqueue_transmit(pcap_t *p, pcap_send_queue *queue, int sync);

/*
 * Ask for a mode by name. Before pcap_activate(); stronger than a prefix of
 * the device name and than PCAP_FAST_MODE. A mode asked for by name that
 * cannot be had makes pcap_activate() fail with the reason; only
 * PCAP_FAST_MODE_AUTO falls back to the system's libpcap.
 *
 *   mode     one of enum pcap_fast_mode
 *   returns  0; PCAP_ERROR_ACTIVATED; PCAP_ERROR (no such mode, or a handle
 *            that was not made by pcap_create())
 *   since    0.1
 */
int pcap_fast_set_mode(pcap_t *p, int mode);

/*
 * Capture on some RX queues only. Before pcap_activate(). Packets of the other
 * queues go to the host as if nobody captured. Handles with different queues can
 * hold one interface exclusively side by side, a thread for each.
 *
 *   list     queue numbers and ranges from 0, "0,2-3", copied; NULL or "" as
 *            if not called. The default: all queues.
 *   returns  0; PCAP_ERROR_ACTIVATED; PCAP_ERROR (not a list)
 *   since    0.1
 */
int pcap_fast_set_queues(pcap_t *p, const char *list);

/*
 * Require, forbid or leave open zero-copy. Before pcap_activate().
 *
 *   how      one of enum pcap_fast_zerocopy
 *   returns  0; PCAP_ERROR_ACTIVATED; PCAP_ERROR (no such value)
 *   since    0.1
 */
int pcap_fast_set_zerocopy(pcap_t *p, int how);

/*
 * What the host keeps of an interface that is captured on exclusively: packets
 * that match are mirrored to the reader, if they match its filter too, and go
 * on to the host. Before pcap_activate(); stronger than PCAP_FAST_KEEP.
 *
 *   expr     a pcap-filter(7) expression, copied; "" nothing; NULL as if
 *            not called. The default: on an interface that the host uses (exclusive by name
 *            only), ARP, ICMPv6, DNS, DHCP and ssh; on a dedicated one nothing
 *   returns  0; PCAP_ERROR_ACTIVATED; PCAP_ERROR (no memory). An expression
 *            that is none makes pcap_activate() fail.
 *   since    0.1
 */
int pcap_fast_set_keep(pcap_t *p, const char *expr);

/*
 * What to do with packets that match neither filter nor keep filter of an
 * exclusive capture. Dropping them makes a selective filter on a busy mirror
 * port cost almost nothing. A filter that runs in user space drops nothing
 * there. Before pcap_activate(); stronger than PCAP_FAST_REST.
 *
 *   verdict  one of enum pcap_fast_rest
 *   returns  0; PCAP_ERROR_ACTIVATED; PCAP_ERROR (no such value)
 *   since    0.1
 */
int pcap_fast_set_rest(pcap_t *p, int verdict);

/*
 * Have blocking reads poll for some time before they sleep, which spares the
 * wake-up and costs a processor's whole time meanwhile. Where the kernel lets
 * the socket drive its queue (zero-copy, 6.14), reads do the driver's work as
 * well while the device's interrupts wait; elsewhere they poll the rings.
 * Non-blocking reads look once. Before pcap_activate(); stronger than
 * PCAP_FAST_BUSY_POLL.
 *
 *   usec     microseconds without a packet after which a read sleeps, at most
 *            1,000,000; 0 (default): reads sleep at once
 *   returns  0; PCAP_ERROR_ACTIVATED; PCAP_ERROR (not in that range)
 *   since    0.1
 */
int pcap_fast_set_busy_poll(pcap_t *p, int usec);

/*
 * Ask the adapter for the hash of each packet, see pcap_batch_hash(). Only a
 * program that is attached to the interface itself may ask, so the handle is
 * then alone on it: where another captures already, or the driver has none, or
 * is set to compute none (ethtool -K IF rxhash on), pcap_activate() fails (in
 * PCAP_FAST_MODE_AUTO the system's libpcap captures, without hashes), and
 * others that come later get the system's libpcap, or an error that names this
 * handle. The same holds for time stamps of the adapter,
 * pcap_set_tstamp_type(PCAP_TSTAMP_ADAPTER_UNSYNCED) on a handle that asks for
 * exclusive or mirror by name. Before pcap_activate(); stronger than
 * PCAP_FAST_RX_HASH.
 *
 *   on       1, or 0 (default)
 *   returns  0; PCAP_ERROR_ACTIVATED; PCAP_ERROR (neither)
 *   since    0.1
 */
int pcap_fast_set_rx_hash(pcap_t *p, int on);

#define PCAP_FAST_REASON_SIZE 512
#define PCAP_FAST_CLUSTER_SIZE 32

/*
 * What a handle does, and why. Counters are of packets, from activation on.
 *
 *   matched + outgoing = delivered + filtered + dropped_ring + dropped_fill
 *                        + waiting
 *
 * where "waiting" is what lies in the rings, not yet read.
 */
struct pcap_fast_info {
	int32_t mode;	      /* enum pcap_fast_mode, never AUTO once active */
	int32_t asked;	      /* the mode that was asked for */
	int32_t zerocopy;     /* 1 zero-copy, 0 copy, -1 no AF_XDP socket */
	int32_t filter_place; /* enum pcap_fast_filter_place */
	uint32_t queues;      /* RX queues captured on */
	uint32_t frame_size;  /* bytes of one UMEM frame; of a direct ring, of
			       * which a packet takes several, its unit */
	uint64_t frames;      /* of them, all queues */
	uint64_t memory;      /* bytes of UMEM and rings, all queues */
	uint64_t matched;     /* seen by the program and meant for this handle */
	uint64_t delivered;   /* handed to the caller */
	uint64_t filtered;    /* rejected in user space: filter, direction */
	uint64_t dropped_ring; /* RX ring full: the reader was too slow */
	uint64_t dropped_fill; /* no free frame, or frame too large */
	uint64_t outgoing;     /* delivered packets that the host sent */
	char reason[PCAP_FAST_REASON_SIZE];	   /* why this mode */
	char filter_reason[PCAP_FAST_REASON_SIZE]; /* why this filter place */
	uint64_t sent;	       /* packets accepted for sending, by rings only */
	uint64_t send_dropped; /* of these, dropped by the device: no carrier */
	uint64_t send_pending; /* frames that the device has not sent yet */
	int32_t shares_memory; /* 1: forwards without copying, 0: copies */
	uint32_t cluster_members; /* how many take part in `cluster` now */
	uint64_t rest_dropped; /* matched nothing: PCAP_FAST_REST_DROP */
	char cluster[PCAP_FAST_CLUSTER_SIZE]; /* it is a member of, "" none */
	int32_t busy_poll;     /* 0 reads do not poll; 1 they poll the rings; 2
				* they drive the device's receiving, too */
	int32_t busy_poll_us;  /* for how long before they sleep */
	/* what the polling does, and why not more; "" without */
	char busy_poll_reason[PCAP_FAST_REASON_SIZE];
	uint64_t adapter_times; /* delivered with the adapter's time stamp */
};

/*
 * Fill `info`. At any time, on any handle; before activation only `asked` has
 * a meaning. Takes no locks.
 *
 *   size     sizeof(struct pcap_fast_info) as the caller knows it; at most
 *            that much is written, so programs built against another version
 *            keep working
 *   returns  0; PCAP_ERROR (info NULL or size 0)
 *   since    0.1
 */
int pcap_fast_get_info(pcap_t *p, struct pcap_fast_info *info, size_t size);

#ifdef __cplusplus
}
#endif
#endif
