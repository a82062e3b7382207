/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shadow: the real handle of the system's library behind a capture of
 * ours. It holds promiscuous mode, sees "went down" and "disappeared", and
 * captures the packets that the host sends, which no XDP program sees.
 *
 * It is one more source of packets, with a queue like a backend's.
 */
#ifndef PCF_SHADOW_H
#define PCF_SHADOW_H

#include "backend/backend.h"
#include "compat/public.h"

struct pcf_shadow;
struct sock_filter;

/* Give the unactivated real handle the options of a shadow: little memory,
 * each packet at once. pcf_shadow_unprepare() gives the caller's back. */
void pcf_shadow_prepare(pcap_t *p);
void pcf_shadow_unprepare(pcap_t *p, int buffer_size, int immediate);

/* Take over a real handle, which was just activated. What it had captured
 * until then is dropped, and it takes nothing until it is told what. `flags`:
 * of its packets. 0 or negative errno. */
int pcf_shadow_open(pcap_t *p, uint32_t flags, struct pcf_shadow **s);
void pcf_shadow_close(struct pcf_shadow *s);
/* Once closed: the real handle captures by itself, without a filter. */
void pcf_shadow_release(pcap_t *p);

enum pcf_take {
	PCF_TAKE_NONE,
	PCF_TAKE_OUTGOING,
	PCF_TAKE_INCOMING,
	PCF_TAKE_ALL,
};

/*
 * Capture packets of this direction that pass this program (insns NULL: all of
 * them). A kernel that refuses the program captures all of the direction, which
 * then lack PCF_PKT_FILTERED.
 */
void pcf_shadow_filter(struct pcf_shadow *s, const struct sock_filter *insns,
		       unsigned n, enum pcf_take take);

/* However little a filter wants, packets have so many bytes at least: they are
 * cut when they are read. */
void pcf_shadow_least(struct pcf_shadow *s, unsigned bytes);

/* Make it the filter of a socket. 0 or negative errno. */
int pcf_shadow_attach(int fd, const struct sock_filter *insns, unsigned n);

/* As a source for a lane. */
extern const struct pcf_rx_ops pcf_shadow_rx;
struct pcf_queue *pcf_shadow_queue(struct pcf_shadow *s);

/* PCAP_ERROR* of the last failed rx; the text is in the handle. */
int pcf_shadow_error(const struct pcf_shadow *s);

/* Descriptors: of the packet socket, and one that is readable while packets
 * are kept here that the caller has not had. */
int pcf_shadow_fd(const struct pcf_shadow *s);
int pcf_shadow_kept_fd(const struct pcf_shadow *s);

/* Make the packet socket blocking or not, for pcap_inject(). */
void pcf_shadow_nonblock(struct pcf_shadow *s, bool on);

#endif
