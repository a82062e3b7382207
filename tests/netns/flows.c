/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of many flows; see flows.h. */
#include "tests/netns/flows.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Flows of a kind. */
#define FLOWS  61
#define LENGTH 100

struct flows *flows_new(void)
{
	struct flows *f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (f == MAP_FAILED)
		abort();
	return f;
}

void flows_free(struct flows *f)
{
	munmap(f, sizeof(*f));
}

/* --- frames -------------------------------------------------------------- */

struct making {
	uint8_t *at;
	unsigned flow;
	bool back; /* the other direction */
	uint32_t number;
};

static void put(struct making *m, const void *bytes, unsigned n)
{
	memcpy(m->at, bytes, n);
	m->at += n;
}

static void put16(struct making *m, unsigned v)
{
	put(m, (uint8_t[]){ v >> 8, v }, 2);
}

/* Addresses of the two ends, in the direction of the packet. */
static void put_end(struct making *m, bool first, unsigned n)
{
	uint8_t a[16] = { 0x20, 1, 0xd, 0xb8 };

	a[n - 1] = first != m->back ? 1 + m->flow : 201;
	put(m, a, n);
}

static void put_port(struct making *m, bool first)
{
	put16(m, first != m->back ? 1024 + m->flow : 443);
}

static void put_mac(struct making *m, bool first)
{
	bool client = first != m->back;

	put(m, (uint8_t[]){ 2, 0, 0, 0, 0x77, client ? m->flow : 251 }, 6);
}

static void put_ports(struct making *m)
{
	put_port(m, true);
	put_port(m, false);
}

static void put_ipv4(struct making *m, unsigned protocol, unsigned frag)
{
	put(m,
	    (uint8_t[]){ 0x45, 0, 0, 80, 1, 2, frag >> 8, frag, 64, protocol, 0,
			 0 },
	    12);
	put_end(m, true, 4);
	put_end(m, false, 4);
}

static void put_ipv6(struct making *m, unsigned next)
{
	put(m, (uint8_t[]){ 0x60, 0, 0, 0, 0, 40, next, 64 }, 8);
	put_end(m, true, 16);
	put_end(m, false, 16);
}

static void transport4(struct making *m, unsigned protocol)
{
	put16(m, 0x0800);
	put_ipv4(m, protocol, 0x4000);
	put_ports(m);
}

static void transport6(struct making *m, unsigned protocol)
{
	put16(m, 0x86dd);
	put_ipv6(m, protocol);
	put_ports(m);
}

/* The first fragment has ports, the others have something else there. */
static void fragment4(struct making *m)
{
	unsigned nth = m->number / FLOWS_KINDS % 3;

	put16(m, 0x0800);
	put_ipv4(m, 17, nth == 2 ? 0x0010 : 0x2000 | nth * 8);
	if (nth)
		put16(m, m->number);
	else
		put_ports(m);
}

static void fragment6(struct making *m)
{
	unsigned nth = m->number / FLOWS_KINDS % 3;

	put16(m, 0x86dd);
	put_ipv6(m, 44);
	put(m, (uint8_t[]){ 17, 0 }, 2);
	put16(m, nth * 64 | (nth != 2));
	put(m, "id  ", 4);
	put16(m, nth ? m->number : 443);
}

static void body(struct making *m, unsigned kind)
{
	if (kind == FLOWS_TAGGED || kind == FLOWS_QINQ)
		put(m,
		    (uint8_t[]){ kind == FLOWS_QINQ ? 0x88 : 0x81,
				 kind == FLOWS_QINQ ? 0xa8 : 0x00, 0, 7 },
		    4);
	if (kind == FLOWS_QINQ)
		put(m, (uint8_t[]){ 0x81, 0, 0, m->back ? 8 : 9 }, 4);
	switch (kind) {
	case FLOWS_TCP4:
	case FLOWS_TAGGED:
		return transport4(m, 6);
	case FLOWS_UDP4:
		return transport4(m, 17);
	case FLOWS_SCTP4:
		return transport4(m, 132);
	case FLOWS_TCP6:
		return transport6(m, 6);
	case FLOWS_UDP6:
	case FLOWS_QINQ:
		return transport6(m, 17);
	case FLOWS_FRAGMENT4:
		return fragment4(m);
	case FLOWS_FRAGMENT6:
		return fragment6(m);
	default:
		return put16(m, kind == FLOWS_ARP ? 0x0806 : 0x88b5);
	}
}

unsigned flows_frame(uint8_t *frame, uint32_t number)
{
	struct making m = { .at = frame,
			    .flow = number / FLOWS_KINDS % FLOWS,
			    .back = number / FLOWS_KINDS / FLOWS % 2,
			    .number = number };

	memset(frame, 0, LENGTH);
	put_mac(&m, false);
	put_mac(&m, true);
	body(&m, number % FLOWS_KINDS);
	memcpy(frame + LENGTH - 4, &number, 4);
	return LENGTH;
}

/* What has the same hash on purpose is one: the tagged kinds. */
uint32_t flows_key(uint32_t number)
{
	unsigned kind = number % FLOWS_KINDS;

	kind = kind == FLOWS_TAGGED ? FLOWS_TCP4
	       : kind == FLOWS_QINQ ? FLOWS_UDP6
	       : kind == FLOWS_ARP  ? FLOWS_OTHER
				    : kind;
	return kind * FLOWS + number / FLOWS_KINDS % FLOWS;
}

int64_t flows_number(const uint8_t *data, unsigned len)
{
	uint8_t same[LENGTH];
	uint32_t number;

	if (len != LENGTH)
		return -1;
	memcpy(&number, data + LENGTH - 4, 4);
	flows_frame(same, number);
	return memcmp(same, data, LENGTH) || number >= FLOWS_MOST
		       ? -1
		       : (int64_t)number;
}

/* --- sending ------------------------------------------------------------- */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

void flows_send(struct flows *f, const char *device, unsigned n, unsigned pps)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = if_nametoindex(device) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	uint64_t begin = now();
	uint8_t frame[LENGTH];

	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)))
		abort();
	for (unsigned i = 0; i < n && !f->stop && f->sent < FLOWS_MOST; i++) {
		while (pps && now() - begin < i * UINT64_C(1000000000) / pps)
			usleep(200);
		flows_frame(frame, f->sent);
		f->when[f->sent] = now();
		while (send(fd, frame, LENGTH, 0) < 0)
			if (errno != ENOBUFS && errno != EAGAIN)
				abort();
		f->sent++;
	}
	close(fd);
}

unsigned flows_times(const struct flows *f, uint32_t number)
{
	unsigned n = 0;

	for (int m = 0; m < FLOWS_MEMBERS; m++)
		n += f->seen[m][number];
	return n;
}
