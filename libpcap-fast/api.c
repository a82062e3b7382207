/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The exports that differ by handle: on a capture of ours the call is done
 * here, on any other it goes to the system's library. No logic of its own.
 *
 * Read calls are not bracketed by PCF_STOCK_ENTER/LEAVE: they run the caller's
 * callback, which may use other handles; and re-entry is harmless there, since
 * the handle is simply looked up again.
 */
#include "libpcap-fast/error.h"
#include "libpcap-fast/handle.h"
#include "libpcap-fast/read.h"
#include "libpcap-fast/setfilter.h"
#include "libpcap-fast/stats.h"
#include "libpcap-fast/wait.h"

#include <stdio.h>

#define STOCK_BUFSIZE 262144

/* The system library's function, or the value that means failure. */
#define STOCK(function, fail, ...) \
	(pcf_stock()->function ? pcf_stock()->function(__VA_ARGS__) : (fail))

int pcap_dispatch(pcap_t *p, int count, pcap_handler callback, u_char *user)
{
	struct pcf_handle *h = pcf_find_fast(p);

	return h ? pcf_dispatch(h, count, callback, user) :
		   STOCK(pcap_dispatch, PCAP_ERROR, p, count, callback, user);
}

int pcap_loop(pcap_t *p, int count, pcap_handler callback, u_char *user)
{
	struct pcf_handle *h = pcf_find_fast(p);

	return h ? pcf_loop(h, count, callback, user) :
		   STOCK(pcap_loop, PCAP_ERROR, p, count, callback, user);
}

/* Apart, so that the usual case, which may be each packet's, is a leaf. */
__attribute__((noinline)) static int
next_ex_slow(pcap_t *p, struct pcap_pkthdr **header, const u_char **data)
{
	struct pcf_handle *h = pcf_find_fast(p);

	return h ? pcf_next_ex(h, header, data) :
		   STOCK(pcap_next_ex, PCAP_ERROR, p, header, data);
}

int pcap_next_ex(pcap_t *p, struct pcap_pkthdr **header, const u_char **data)
{
	struct pcf_handle *h;

	if (pcf_find_at_once(p, &h) && pcf_next_of_run(h, header, data))
		return 1;
	return next_ex_slow(p, header, data);
}

const u_char *pcap_next(pcap_t *p, struct pcap_pkthdr *header)
{
	struct pcf_handle *h = pcf_find_fast(p);
	struct pcap_pkthdr *hdr;
	const u_char *data;

	if (!h)
		return STOCK(pcap_next, NULL, p, header);
	if (!pcf_next_of_run(h, &hdr, &data) &&
	    pcf_next_ex(h, &hdr, &data) != 1)
		return NULL;
	*header = *hdr;
	return data;
}

void pcap_breakloop(pcap_t *p)
{
	struct pcf_handle *h = pcf_find(p);

	if (h)
		atomic_fetch_add_explicit(&h->breaks, 1, memory_order_relaxed);
	if (h && h->backend)
		pcf_breakloop(h);
	else if (pcf_stock()->pcap_breakloop)
		pcf_stock()->pcap_breakloop(p);
}

int pcap_setfilter(pcap_t *p, struct bpf_program *program)
{
	struct pcf_handle *h = pcf_find_fast(p);

	return h && !pcf_inside_stock() ? pcf_setfilter(h, program) :
					  pcf_setfilter_stock(p, program);
}

int pcap_setdirection(pcap_t *p, pcap_direction_t direction)
{
	struct pcf_handle *h = pcf_find_fast(p);

	return h ? pcf_setdirection(h, direction) :
		   STOCK(pcap_setdirection, PCAP_ERROR, p, direction);
}

int pcap_stats(pcap_t *p, struct pcap_stat *stats)
{
	struct pcf_handle *h = pcf_find_fast(p);

	return h ? pcf_stats(h, stats) :
		   STOCK(pcap_stats, PCAP_ERROR, p, stats);
}

/* Before activation the real handle remembers it, and so do we. */
int pcap_setnonblock(pcap_t *p, int nonblock, char *errbuf)
{
	struct pcf_handle *h = pcf_inside_stock() ? NULL : pcf_find(p);
	int rc = 0;

	if (!h || !h->backend)
		rc = STOCK(pcap_setnonblock, PCAP_ERROR, p, nonblock, errbuf);
	if (h && rc >= 0)
		h->nonblock = nonblock != 0;
	return rc;
}

int pcap_getnonblock(pcap_t *p, char *errbuf)
{
	struct pcf_handle *h = pcf_find_fast(p);

	return h ? h->nonblock : STOCK(pcap_getnonblock, PCAP_ERROR, p, errbuf);
}

int pcap_fileno(pcap_t *p)
{
	struct pcf_handle *h = pcf_inside_stock() ? NULL : pcf_find_fast(p);

	return h ? pcf_waiter_fd(h->waiter) : STOCK(pcap_fileno, -1, p);
}

int pcap_get_selectable_fd(pcap_t *p)
{
	struct pcf_handle *h = pcf_find_fast(p);

	return h ? pcf_waiter_fd(h->waiter) :
		   STOCK(pcap_get_selectable_fd, -1, p);
}

/* A shadow may have to see more of a packet than the caller. */
int pcap_snapshot(pcap_t *p)
{
	struct pcf_handle *h = pcf_find_fast(p);

	return h ? (int)h->snaplen : STOCK(pcap_snapshot, PCAP_ERROR, p);
}

/* The shadow's: 1 ms while the interface is down. */
const struct timeval *pcap_get_required_select_timeout(pcap_t *p)
{
	return STOCK(pcap_get_required_select_timeout, NULL, p);
}

/* The size of one frame of the system library's ring: the shadow's ring is of
 * the kind for immediate mode, whose frames are smaller. */
int pcap_bufsize(pcap_t *p)
{
	struct pcf_handle *h = pcf_find_fast(p);

	return h && !h->options.immediate ? STOCK_BUFSIZE :
					    STOCK(pcap_bufsize, PCAP_ERROR, p);
}

/* Programs print this, and some read the version from its beginning. */
const char *pcap_lib_version(void)
{
	static char text[256];

	if (!*text)
		snprintf(text, sizeof(text), "%s (with AF_XDP, libpcap-fast %s)",
			 STOCK(pcap_lib_version, "libpcap version unknown"),
			 PACKAGE_VERSION);
	return text;
}
