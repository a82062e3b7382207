/* SPDX-License-Identifier: BSD-3-Clause */
/* Busy polling of one socket; see busy.h. */
#include "backend/busy.h"

#include "compat/napi.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* 5.11 */
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#define SO_BUSY_POLL_BUDGET 70
#endif

/* What lets a system call poll at all; how long it does is the reader's
 * choice, since each of ours asks for one round only. */
#define BUSY_POLL_US 20
/* Packets of one round; more than 64 the kernel takes from nobody. */
#define BUDGET	   64
#define MOST_NAPIS 1024

static int set(int fd, int option, int value)
{
	return setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value))
		       ? -errno
		       : 0;
}

static uint32_t napi_of(int fd)
{
	int id = 0;
	socklen_t size = sizeof(id);

	getsockopt(fd, SOL_SOCKET, SO_INCOMING_NAPI_ID, &id, &size);
	return id;
}

static int find(int ifindex, uint32_t id, struct pcf_napi *found)
{
	struct pcf_napi napis[MOST_NAPIS];
	int n = pcf_napi_list(ifindex, napis, MOST_NAPIS);

	for (int i = 0; i < n; i++)
		if (napis[i].id == id) {
			*found = napis[i];
			return 0;
		}
	return n < 0 ? n : -ENOENT;
}

static bool ours(const struct pcf_napi *n)
{
	return n->defer_hard_irqs == PCF_BUSY_DEFER &&
	       n->gro_flush_timeout == PCF_BUSY_TIMEOUT;
}

/* Timers that somebody chose serve as well, and stay. Ours are those of a killed
 * capture of this queue, beside whom others live. */
static void set_timers(struct pcf_busy *b, int ifindex, uint32_t id, char *why,
		       size_t size)
{
	struct pcf_napi napi;
	int err = find(ifindex, id, &napi);

	if (!err && !ours(&napi) &&
	    (napi.defer_hard_irqs || napi.gro_flush_timeout)) {
		snprintf(why, size,
			 "its timers are set already (%u empty polls, %llu ns)",
			 napi.defer_hard_irqs,
			 (unsigned long long)napi.gro_flush_timeout);
		return;
	}
	if (!err) {
		napi.defer_hard_irqs = PCF_BUSY_DEFER;
		napi.gro_flush_timeout = PCF_BUSY_TIMEOUT;
		err = pcf_napi_set(&napi);
	}
	if (err) {
		snprintf(
			why, size,
			"its interrupts are not deferred: %s (napi_defer_hard_irqs and gro_flush_timeout of the interface would do it)",
			strerror(-err));
		return;
	}
	b->napi = id;
	snprintf(why, size, "interrupts deferred");
}

bool pcf_busy_begin(struct pcf_busy *b, int fd, int ifindex, char *why,
		    size_t size)
{
	uint32_t id = napi_of(fd);
	int err = id ? 0 : -ENOENT;

	*b = (struct pcf_busy){ 0 };
	if (!err)
		err = set(fd, SO_BUSY_POLL, BUSY_POLL_US);
	if (!err)
		err = set(fd, SO_PREFER_BUSY_POLL, 1);
	if (!err)
		err = set(fd, SO_BUSY_POLL_BUDGET, BUDGET);
	if (err) {
		set(fd, SO_BUSY_POLL, 0);
		snprintf(
			why, size, "%s",
			id ? strerror(-err)
			   : "the kernel names no NAPI for its queue, as it does in zero-copy from 6.14 on");
		return false;
	}
	b->on = b->prefer = true;
	set_timers(b, ifindex, id, why, size);
	return true;
}

static void clear(uint32_t id)
{
	const struct pcf_napi off = { .id = id };

	pcf_napi_set(&off);
}

void pcf_busy_end(struct pcf_busy *b)
{
	if (b->napi)
		clear(b->napi);
	*b = (struct pcf_busy){ 0 };
}

unsigned pcf_busy_clean(int ifindex)
{
	struct pcf_napi napis[MOST_NAPIS];
	int n = pcf_napi_list(ifindex, napis, MOST_NAPIS);
	unsigned cleaned = 0;

	for (int i = 0; i < n; i++)
		if (ours(&napis[i])) {
			clear(napis[i].id);
			cleaned++;
		}
	return cleaned;
}

void pcf_busy_drive(const struct pcf_busy *b, int fd)
{
	if (b->on)
		recvfrom(fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

void pcf_busy_yield(struct pcf_busy *b, int fd)
{
	set(fd, SO_PREFER_BUSY_POLL, 0);
	pcf_busy_end(b);
	b->on = true;
	b->tx_proven = true;
}
