/* SPDX-License-Identifier: BSD-3-Clause */
/* The handle that sends; see sending.h. */
#include "tests/sending.h"

#include "libpcap-fast/transmit.h"

#include <string.h>

static struct pcf_queue *queue;

static struct pcf_queue *only_queue(struct pcf_backend *b, unsigned i)
{
	(void)b;
	return i ? NULL : queue;
}

static const struct pcf_backend_ops ops = { .name = "rings",
					    .queue = only_queue };
static struct pcf_backend backend = { .ops = &ops, .nqueues = 1 };
static struct pcf_handle handle;

void sending_open(struct pcf_queue *q, const struct pcf_tx_ops *tx,
		  uint32_t mtu)
{
	queue = q;
	backend.tx = tx;
	memset(&handle, 0, sizeof(handle));
	handle.sender = &backend;
	handle.mtu = mtu;
	pthread_mutex_init(&handle.tx_lock, NULL);
}

void sending_close(void)
{
	pthread_mutex_destroy(&handle.tx_lock);
}

void sending_nonblock(bool on)
{
	handle.nonblock = on;
}

void sending_mtu(uint32_t mtu)
{
	handle.mtu = mtu;
}

void sending_break(void)
{
	atomic_store(&handle.break_flag, 1);
}

int sending_copy(const struct pcf_pkt *pkts, unsigned n)
{
	return pcf_transmit(&handle, queue, pkts, n, PCF_FRAMES_COPY);
}

int sending_own(const struct pcf_pkt *pkts, unsigned n)
{
	return pcf_transmit(&handle, queue, pkts, n, PCF_FRAMES_OWN);
}

unsigned sending_flush(int timeout_ms)
{
	return pcf_transmit_flush(&handle, timeout_ms);
}
