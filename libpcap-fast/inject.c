/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap_inject(), pcap_sendpacket() and the batch calls for sending, each on
 * three kinds of handle:
 *
 *	rings		the backend's, see transmit.c
 *	packet socket	the system library's own descriptor: stock and mirror
 *	any other	the system library's pcap_inject(), packet by packet
 */
#include "libpcap-fast/inject.h"

#include "libpcap-fast/batch.h"
#include "libpcap-fast/error.h"
#include "libpcap-fast/standin.h"
#include "libpcap-fast/transmit.h"

#include <errno.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

/* Messages for one sendmmsg(); the kernel's own limit is 1,024. */
#define SOCKET_BATCH 64
/* Room in a frame that no ring gives: the longest packet there can be. */
#define OWN_FRAME 65550

static bool has_tx(const struct pcf_handle *h)
{
	return h && h->sender;
}

/* Packets that leave by the rings are seen by no other capture on the host,
 * which those of a packet socket are. So an unchanged program gets that only
 * when the mode was asked for by name; the batch calls are for programs that
 * know it. */
static bool injects_by_rings(const struct pcf_handle *h)
{
	return has_tx(h) && h->options.mode == PCAP_FAST_MODE_EXCLUSIVE;
}

static struct pcf_queue *tx_queue(struct pcf_handle *h)
{
	return h->tx_queue;
}

/* In the words of libpcap's own pcap_inject(). */
static int send_failed(pcap_t *p, int err)
{
	return pcf_fail(p, PCAP_ERROR, "send: %s", strerror(-err));
}

static int empty_packet(pcap_t *p)
{
	return pcf_fail(p, PCAP_ERROR,
			"The number of bytes to be injected must not be zero");
}

/* --- one packet ---------------------------------------------------------- */

static int inject_rings(struct pcf_handle *h, const void *data, size_t size)
{
	struct pcf_pkt pkt = { .data = (uint8_t *)data, .caplen = size };
	int rc;

	if (!size)
		return empty_packet(h->p);
	if (size > INT_MAX)
		return pcf_fail(h->p, PCAP_ERROR,
				"More than %d bytes cannot be injected",
				INT_MAX);
	rc = pcf_transmit(h, tx_queue(h), &pkt, 1, PCF_FRAMES_COPY);
	return rc < 0 ? send_failed(h->p, rc) : (int)size;
}

static int inject_stock(struct pcf_handle *h, pcap_t *p, const void *data,
			size_t size)
{
	const struct pcf_stock *stock = pcf_stock();
	pcap_t *by = h ? pcf_standin_sender(h) : p;
	int rc = stock->pcap_inject ? stock->pcap_inject(by, data, size)
				    : PCAP_ERROR;

	return rc < 0 && by != p ? pcf_fail(p, rc, "%s", stock->pcap_geterr(by))
				 : rc;
}

int pcap_inject(pcap_t *p, const void *data, size_t size)
{
	struct pcf_handle *h;

	if (!pcf_find_at_once(p, &h) || !injects_by_rings(h))
		h = pcf_find_fast(p);
	return injects_by_rings(h) ? inject_rings(h, data, size)
			 : inject_stock(h, p, data, size);
}

int pcap_sendpacket(pcap_t *p, const u_char *data, int size)
{
	struct pcf_handle *h = pcf_find_fast(p);

	if (injects_by_rings(h))
		return inject_rings(h, data, size) < 0 ? PCAP_ERROR : 0;
	if (h && pcf_standin_sender(h) != p)
		return inject_stock(h, p, data, size) < 0 ? PCAP_ERROR : 0;
	return pcf_stock()->pcap_sendpacket
		       ? pcf_stock()->pcap_sendpacket(p, data, size)
		       : PCAP_ERROR;
}

/* --- batches ------------------------------------------------------------- */

/* A packet socket bound to one interface and not in cooked mode. */
static bool is_packet_socket(int fd)
{
	struct sockaddr_ll addr = { 0 };
	socklen_t len = sizeof(addr), size = sizeof(int);
	int type = 0;

	return fd >= 0 && !getsockname(fd, (struct sockaddr *)&addr, &len) &&
	       addr.sll_family == AF_PACKET && addr.sll_ifindex > 0 &&
	       !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) &&
	       type == SOCK_RAW;
}

static int stock_fd(pcap_t *p)
{
	int fd = pcf_stock()->pcap_fileno ? pcf_stock()->pcap_fileno(p) : -1;

	return is_packet_socket(fd) ? fd : -1;
}

void pcf_inject_bypass(const struct pcf_handle *h, pcap_t *by)
{
	int fd = stock_fd(by), one = 1;

	if (fd < 0 || !h->options.qdisc_bypass)
		return;
	if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)))
		pcf_log(PCF_LOG_INFO,
			"%s: the queueing discipline cannot be passed by: %s",
			h->options.device.name, strerror(errno));
}

/* How many of a first few went; PCAP_ERROR with the text if not even one. */
static int send_some(pcap_t *p, int fd, const struct pcap_batch_pkt *pkts,
		     int n)
{
	struct mmsghdr msgs[SOCKET_BATCH] = { 0 };
	struct iovec parts[SOCKET_BATCH];
	int i, sent;

	for (i = 0; i < n && i < SOCKET_BATCH && pkts[i].hdr.caplen; i++) {
		parts[i] = (struct iovec){ (void *)pkts[i].data,
					   pkts[i].hdr.caplen };
		msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i],
						   .msg_iovlen = 1 };
	}
	if (!i)
		return empty_packet(p);
	sent = sendmmsg(fd, msgs, i, 0);
	if (sent >= 0)
		return sent;
	return errno == EAGAIN ? 0 : send_failed(p, -errno);
}

static int batch_socket(pcap_t *p, int fd, const struct pcap_batch_pkt *pkts,
			int n)
{
	int done = 0;

	while (done < n) {
		int rc = send_some(p, fd, pkts + done, n - done);

		if (rc <= 0)
			return done ? done : rc;
		done += rc;
	}
	return done;
}

static int batch_one_by_one(struct pcf_handle *h, pcap_t *p,
			    const struct pcap_batch_pkt *pkts, int n)
{
	int done = 0;

	for (; done < n; done++) {
		int rc = inject_stock(h, p, pkts[done].data,
				      pkts[done].hdr.caplen);

		if (rc < 0)
			return done ? done : rc;
	}
	return done;
}

static int batch_stock(struct pcf_handle *h, pcap_t *p,
		       const struct pcap_batch_pkt *pkts, int n)
{
	pcap_t *by = h ? pcf_standin_sender(h) : p;
	int fd = stock_fd(by);

	return fd < 0 ? batch_one_by_one(h, p, pkts, n)
		      : batch_socket(p, fd, pkts, n);
}

static int batch_rings(struct pcf_handle *h, const struct pcap_batch_pkt *pkts,
		       int n, enum pcf_frames whose)
{
	int rc;

	if (!pkts[0].hdr.caplen)
		return empty_packet(h->p);
	rc = pcf_transmit(h, tx_queue(h), (const struct pcf_pkt *)pkts, n,
			  whose);
	if (rc == -EAGAIN)
		return 0;
	return rc < 0 ? send_failed(h->p, rc) : rc;
}

int pcap_inject_batch(pcap_t *p, const struct pcap_batch_pkt *pkts, int n)
{
	struct pcf_handle *h = pcf_find_fast(p);

	if (n <= 0)
		return 0;
	return has_tx(h) ? batch_rings(h, pkts, n, PCF_FRAMES_COPY)
			 : batch_stock(h, p, pkts, n);
}

/* --- in place ------------------------------------------------------------ */

static int reserve_rings(struct pcf_handle *h, struct pcap_batch_pkt *pkts,
			 int n)
{
	unsigned got;

	pthread_mutex_lock(&h->tx_lock);
	got = h->sender->tx->reserve(tx_queue(h), (struct pcf_pkt *)pkts, n);
	pthread_mutex_unlock(&h->tx_lock);
	for (unsigned i = 0; i < got; i++)
		pkts[i].flags = PCF_BATCH_RESERVED;
	return got;
}

static int reserve_own(struct pcf_handle *h, struct pcap_batch_pkt *pkts, int n)
{
	for (int i = 0; i < n; i++) {
		pkts[i] = (struct pcap_batch_pkt){ .hdr.caplen = OWN_FRAME };
		if (pcf_batch_own(h, &pkts[i], OWN_FRAME))
			return i ? i
				 : pcf_fail(h->p, PCAP_ERROR, "malloc: %s",
					    strerror(ENOMEM));
		pkts[i].flags |= PCF_BATCH_RESERVED;
	}
	return n;
}

int pcap_tx_reserve(pcap_t *p, struct pcap_batch_pkt *pkts, int n)
{
	struct pcf_handle *h = pcf_find_or_add(p);

	if (!h)
		return pcf_fail_errno(p, -ENOMEM, "malloc");
	if (n <= 0)
		return 0;
	return has_tx(h) ? reserve_rings(h, pkts, n) : reserve_own(h, pkts, n);
}

void pcf_tx_cancel(struct pcf_handle *h, struct pcap_batch_pkt *pkt)
{
	if (!has_tx(h))
		return;
	pthread_mutex_lock(&h->tx_lock);
	h->sender->tx->cancel(tx_queue(h), (struct pcf_pkt *)pkt, 1);
	pthread_mutex_unlock(&h->tx_lock);
}

/* Only what was reserved and is still as it was. */
static int count_reserved(struct pcf_handle *h,
			  const struct pcap_batch_pkt *pkts, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (!pkts[i].data || !(pkts[i].flags & PCF_BATCH_RESERVED))
			break;
		if (has_tx(h) &&
		    !h->sender->tx->sendable(tx_queue(h),
					      (const struct pcf_pkt *)&pkts[i]))
			break;
	}
	return i;
}

int pcap_tx_submit(pcap_t *p, struct pcap_batch_pkt *pkts, int n)
{
	struct pcf_handle *h = pcf_find(p);
	int rc, ours;

	if (n <= 0)
		return 0;
	ours = h ? count_reserved(h, pkts, n) : 0;
	if (!ours)
		return pcf_fail(
			p, PCAP_ERROR,
			"pcap_tx_submit: packet 0 is not in a reserved frame");
	if (has_tx(h)) {
		rc = batch_rings(h, pkts, ours, PCF_FRAMES_OWN);
		for (int i = 0; i < rc; i++)
			pkts[i].data = NULL;
		return rc;
	}
	rc = batch_stock(h, p, pkts, ours);
	if (rc > 0)
		pcap_release_batch(p, pkts, rc);
	return rc;
}

int pcap_tx_flush(pcap_t *p, int timeout_ms)
{
	struct pcf_handle *h = pcf_find_fast(p);

	return has_tx(h) ? (int)pcf_transmit_flush(h, timeout_ms) : 0;
}
