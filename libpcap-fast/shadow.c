/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shadow; see shadow.h. Its packets are copied out of the real handle's
 * ring, since that ring is moved on behind our back by the next read.
 */
#include "libpcap-fast/shadow.h"

#include "compat/stock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Outgoing packets of a burst wait here; more are dropped and counted. */
#define SHADOW_BUFFER (1 << 20)
#define STOCK_BUFFER (2 << 20)
#define MAX_PACKET 262144
/* Copies: room for one packet of any size behind those of a usual batch. */
#define ARENA_SIZE (2 * MAX_PACKET)

struct pcf_shadow {
	pcap_t *p;
	int fd, kept_fd;
	uint32_t flags;		/* of all its packets */
	bool kept;		/* kept_fd is readable */
	bool nonblock;
	int error;
	unsigned least;		/* bytes that a filter must not cut off */
	bool kernel_filter;	/* the kernel has the filter in force ... */
	struct timeval since;	/* ... for packets later than this */
	uint8_t *arena;
	size_t used;
	unsigned shown, waiting;
	/* during one rx */
	struct pcf_show *rx;
	unsigned n;
};

void pcf_shadow_prepare(pcap_t *p)
{
	pcf_stock()->pcap_set_buffer_size(p, SHADOW_BUFFER);
	pcf_stock()->pcap_set_immediate_mode(p, 1);
}

void pcf_shadow_unprepare(pcap_t *p, int buffer_size, int immediate)
{
	pcf_stock()->pcap_set_buffer_size(p, buffer_size > 0 ? buffer_size :
							       STOCK_BUFFER);
	pcf_stock()->pcap_set_immediate_mode(p, immediate);
}

static struct pcf_shadow *from_queue(struct pcf_queue *q)
{
	return (struct pcf_shadow *)q;
}

struct pcf_queue *pcf_shadow_queue(struct pcf_shadow *s)
{
	return (struct pcf_queue *)s;
}

/* --- the kernel's part of the filter ------------------------------------- */

int pcf_shadow_attach(int fd, const struct sock_filter *insns, unsigned n)
{
	struct sock_fprog prog = { .len = n,
				   .filter = (struct sock_filter *)insns };

	if (n > BPF_MAXINSNS)
		return -EINVAL;
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			  sizeof(prog)) ? -errno : 0;
}

static int attach_none(int fd)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);

	return pcf_shadow_attach(fd, &none, 1);
}

/* If not of the direction: reject; then the caller's program, from A = 0. */
static int attach_directed(int fd, const struct sock_filter *insns, unsigned n,
			   bool outgoing)
{
	const struct sock_filter head[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, outgoing,
			 !outgoing),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_LD | BPF_IMM, 0),
	};
	const unsigned nhead = sizeof(head) / sizeof(head[0]);
	struct sock_filter *prog;
	int err;

	prog = calloc(nhead + n, sizeof(*prog));
	if (!prog)
		return -ENOMEM;
	memcpy(prog, head, sizeof(head));
	memcpy(prog + nhead, insns, n * sizeof(*prog));
	err = pcf_shadow_attach(fd, prog, nhead + n);
	free(prog);
	return err;
}

/* Let a program keep so many bytes of what it accepts; whether it kept less,
 * and its packets must be cut again. */
static bool lengthen(struct sock_filter *insns, unsigned n, unsigned least)
{
	bool any = false;

	for (unsigned i = 0; i < n; i++) {
		if (insns[i].code != (BPF_RET | BPF_K) || !insns[i].k ||
		    insns[i].k >= least)
			continue;
		insns[i].k = least;
		any = true;
	}
	return any;
}

static int attach_take(int fd, const struct sock_filter *insns, unsigned n,
		       enum pcf_take take)
{
	const struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, MAX_PACKET);

	if (!insns) {
		insns = &all;
		n = 1;
	}
	switch (take) {
	case PCF_TAKE_NONE:
		return attach_none(fd);
	case PCF_TAKE_ALL:
		return pcf_shadow_attach(fd, insns, n);
	default:
		return attach_directed(fd, insns, n, take == PCF_TAKE_OUTGOING);
	}
}

static void now(struct pcf_shadow *s)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	s->since.tv_sec = t.tv_sec;
	s->since.tv_usec = t.tv_nsec;
	if (pcf_stock()->pcap_get_tstamp_precision(s->p) !=
	    PCAP_TSTAMP_PRECISION_NANO)
		s->since.tv_usec /= 1000;
}

/* Whether the kernel does all of it. */
static bool attach_filter(struct pcf_shadow *s, const struct sock_filter *insns,
			  unsigned n, enum pcf_take take)
{
	struct sock_filter *copy = NULL;
	bool longer, done;

	if (insns && s->least)
		copy = calloc(n, sizeof(*copy));
	if (copy)
		memcpy(copy, insns, n * sizeof(*copy));
	longer = copy && lengthen(copy, n, s->least);
	done = !attach_take(s->fd, copy ? copy : insns, n, take);
	if (!done)
		attach_take(s->fd, NULL, 0, take);
	free(copy);
	return done && !longer;
}

void pcf_shadow_filter(struct pcf_shadow *s, const struct sock_filter *insns,
		       unsigned n, enum pcf_take take)
{
	s->kernel_filter = attach_filter(s, insns, n, take);
	now(s);
}

void pcf_shadow_least(struct pcf_shadow *s, unsigned bytes)
{
	s->least = bytes;
}

/* --- receiving ----------------------------------------------------------- */

static bool later(const struct timeval *a, const struct timeval *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec :
					a->tv_usec > b->tv_usec;
}

static void keep(u_char *user, const struct pcap_pkthdr *hdr,
		 const u_char *data)
{
	struct pcf_shadow *s = (struct pcf_shadow *)user;
	struct pcf_pkt *p = &s->rx->pkts[s->n];

	*p = (struct pcf_pkt){ .ts = hdr->ts,
			       .caplen = hdr->caplen,
			       .len = hdr->len,
			       .data = s->arena + s->used,
			       .flags = s->flags | s->rx->flags };
	p->flags += s->n++ * PCF_PKT_PLACE;
	if (s->kernel_filter && later(&hdr->ts, &s->since))
		p->flags |= PCF_PKT_FILTERED;
	memcpy(p->data, data, hdr->caplen);
	s->used += (hdr->caplen + 15) & ~15u;
	/* The next one may not fit: leave it in the kernel's ring. */
	if (s->used + MAX_PACKET > ARENA_SIZE)
		pcf_stock()->pcap_breakloop(s->p);
}

/* Keep the descriptor's state in step with "something waits here". */
static void set_kept(struct pcf_shadow *s, bool on)
{
	uint64_t one = 1;
	ssize_t n;

	if (s->kept == on)
		return;
	n = on ? write(s->kept_fd, &one, sizeof(one)) :
		 read(s->kept_fd, &one, sizeof(one));
	if (n == sizeof(one))
		s->kept = on;
}

/* All are worth a second look: their direction, and whose they are. */
static unsigned shadow_rx(struct pcf_queue *q, struct pcf_show *rx,
			  unsigned max)
{
	struct pcf_shadow *s = from_queue(q);
	int rc;

	rx->plain = rx->filtered = false;
	s->rx = rx;
	s->n = 0;
	rc = pcf_stock()->pcap_dispatch(s->p, max, keep, (u_char *)s);
	s->waiting = s->n;
	rx->why = s->n == max || rc == PCAP_ERROR_BREAK ? PCF_STOP_FULL :
							  PCF_STOP_EMPTY;
	if (rc < 0 && rc != PCAP_ERROR_BREAK) {
		s->error = rc;
		rx->why = PCF_STOP_ERROR;
	}
	if (s->waiting)
		set_kept(s, true);
	return s->n;
}

static void shadow_taken(struct pcf_queue *q, const uint64_t *frames,
			 unsigned n)
{
	struct pcf_shadow *s = from_queue(q);

	(void)frames;
	s->waiting -= n;
	if (!s->waiting)
		set_kept(s, false);
}

static void shadow_done(struct pcf_queue *q, const uint64_t *frames, unsigned n)
{
	(void)frames;
	(void)n;
	from_queue(q)->used = 0;
}

const struct pcf_rx_ops pcf_shadow_rx = { shadow_rx, shadow_taken,
					  shadow_done, NULL, NULL };

/* --- opening and closing ------------------------------------------------- */

static void forget(u_char *user, const struct pcap_pkthdr *hdr,
		   const u_char *data)
{
	(void)user;
	(void)hdr;
	(void)data;
}

/* From here on the real handle never blocks a read; whether its socket blocks
 * a send is the caller's choice, made separately. */
static int take_over(struct pcf_shadow *s)
{
	char errbuf[PCAP_ERRBUF_SIZE];

	if (pcf_stock()->pcap_setnonblock(s->p, 1, errbuf) < 0)
		return -EIO;
	s->nonblock = true;
	pcf_shadow_nonblock(s, false);
	if (attach_none(s->fd))
		return -EIO;
	while (pcf_stock()->pcap_dispatch(s->p, 1000, forget, NULL) > 0)
		;
	return 0;
}

int pcf_shadow_open(pcap_t *p, uint32_t flags, struct pcf_shadow **shadow)
{
	struct pcf_shadow *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	if (!s)
		return err;
	s->p = p;
	s->flags = flags;
	s->fd = pcf_stock()->pcap_fileno(p);
	s->arena = malloc(ARENA_SIZE);
	s->kept_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->arena)
		err = s->kept_fd < 0 ? -errno : take_over(s);
	if (err) {
		pcf_shadow_close(s);
		return err;
	}
	*shadow = s;
	return 0;
}

/* It sees nothing yet, or what leaves only. */
void pcf_shadow_release(pcap_t *p)
{
	int none = 0;

	setsockopt(pcf_stock()->pcap_fileno(p), SOL_SOCKET, SO_DETACH_FILTER,
		   &none, sizeof(none));
}

void pcf_shadow_close(struct pcf_shadow *s)
{
	if (!s)
		return;
	if (s->kept_fd >= 0)
		close(s->kept_fd);
	free(s->arena);
	free(s);
}

int pcf_shadow_error(const struct pcf_shadow *s)
{
	return s->error;
}

int pcf_shadow_fd(const struct pcf_shadow *s)
{
	return s->fd;
}

int pcf_shadow_kept_fd(const struct pcf_shadow *s)
{
	return s->kept_fd;
}

void pcf_shadow_nonblock(struct pcf_shadow *s, bool on)
{
	int flags;

	if (s->nonblock == on)
		return;
	flags = fcntl(s->fd, F_GETFL);
	if (flags < 0)
		return;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	if (!fcntl(s->fd, F_SETFL, flags))
		s->nonblock = on;
}
