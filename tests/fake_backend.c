/* SPDX-License-Identifier: BSD-3-Clause */
/* The scripted backend; see fake_backend.h. */
#include "tests/fake_backend.h"

#include "libpcap-fast/wait.h"

#include <errno.h>
#include <stdio.h>

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct fake_queue *fake_of(struct pcf_queue *q)
{
	return (struct fake_queue *)q;
}

static void set_readable(struct fake_queue *q)
{
	uint64_t v = 1;
	ssize_t n = read(q->fd, &v, sizeof(v));

	v = 1;
	if (q->taken < q->fed)
		n = write(q->fd, &v, sizeof(v));
	(void)n;
}

/* What it says of all of them holds for each. */
static void judge(struct pcf_show *rx, unsigned n)
{
	rx->plain = rx->filtered = true;
	for (unsigned i = 0; i < n; i++) {
		struct pcf_pkt *p = &rx->pkts[i];

		rx->plain &= !(p->flags & ~PCF_PKT_FILTERED) &&
			     p->caplen <= rx->snaplen;
		rx->filtered &= (p->flags & PCF_PKT_FILTERED) != 0;
		p->flags |= rx->flags + i * PCF_PKT_PLACE;
		rx->frames[i] = p->frame;
	}
}

static unsigned fake_rx(struct pcf_queue *queue, struct pcf_show *rx,
			unsigned max)
{
	struct fake_queue *q = fake_of(queue);
	unsigned n = q->fed - q->shown;

	q->rx_calls++;
	if (n > max)
		n = max;
	rx->why = n == max ? PCF_STOP_FULL : PCF_STOP_EMPTY;
	memcpy(rx->pkts, &q->pkts[q->shown], n * sizeof(*rx->pkts));
	judge(rx, n);
	q->shown += n;
	return n;
}

static void fake_taken(struct pcf_queue *queue, const uint64_t *frames,
		       unsigned n)
{
	struct fake_queue *q = fake_of(queue);

	q->misused |= n && *frames != q->taken;
	q->taken += n;
	q->misused |= q->taken > q->shown;
	set_readable(q);
}

static void fake_done(struct pcf_queue *queue, const uint64_t *frames,
		      unsigned n)
{
	struct fake_queue *q = fake_of(queue);

	for (unsigned i = 0; i < n; i++) {
		uint64_t id = frames[i];

		q->misused |= id >= q->taken || q->done_once[id];
		if (id < FAKE_MAX)
			q->done_once[id] = true;
		memset(q->bytes[id], 0xdd, sizeof(q->bytes[id]));
	}
	q->done += n;
}

static const struct pcf_rx_ops fake_rx_ops = { fake_rx, fake_taken,
					       fake_done,
						    NULL, NULL };

static void fake_backend_close(struct pcf_backend *b)
{
	(void)b;
}

static int fake_set_filter(struct pcf_backend *b, pcf_emit_filter emit,
			   void *arg, char *why, size_t size)
{
	(void)b;
	(void)arg;
	snprintf(why, size, "the fake backend has no kernel");
	return emit ? -EOPNOTSUPP : 0;
}

static void fake_note(struct pcf_backend *b, const char *filter, unsigned len,
		      int place)
{
	(void)b;
	(void)filter;
	(void)len;
	(void)place;
}

static const struct pcf_backend_ops fake_ops = {
	.name = "fake",
	.set_filter = fake_set_filter,
	.note = fake_note,
	.close = fake_backend_close,
};

static struct pcf_backend fake_backend = { .ops = &fake_ops };

static void open_lane(struct pcf_lane *l, struct fake_queue *q, unsigned i)
{
	q->fd = eventfd(0, EFD_NONBLOCK);
	l->ops = fake_rx_ops;
	l->queue = (struct pcf_queue *)q;
	l->stop = PCF_STOP_EMPTY;
	l->place = PCF_LANE_PLACE(i);
	l->snaplen = 65535;
}

void fake_open(struct fake *f, unsigned n)
{
	int fds[16];

	f->p = pcap_open_dead(DLT_EN10MB, 65535);
	f->h = pcf_handle_new();
	f->n = n;
	f->queues = calloc(n, sizeof(*f->queues));
	f->h->p = f->p;
	f->h->active = true;
	f->h->mode = PCAP_FAST_MODE_EXCLUSIVE;
	fake_backend.nqueues = n;
	f->h->backend = &fake_backend;
	f->h->snaplen = 65535;
	f->h->lanes = calloc(n, sizeof(*f->h->lanes));
	f->h->nlanes = f->h->nhooked = f->h->hooked_fds = n;
	for (unsigned i = 0; i < n; i++) {
		open_lane(&f->h->lanes[i], &f->queues[i], i);
		fds[i] = f->queues[i].fd;
	}
	if (pcf_waiter_open(&f->h->waiter, fds, n) || pcf_table_add(f->p, f->h))
		abort();
}

void fake_close(struct fake *f)
{
	pcap_close(f->p);
	for (unsigned i = 0; i < f->n; i++)
		close(f->queues[i].fd);
	free(f->queues);
}

void fake_feed(struct fake *f, unsigned q, unsigned us, const void *data,
	       unsigned len, unsigned flags)
{
	struct fake_queue *queue = &f->queues[q];
	unsigned i = queue->fed++;

	memcpy(queue->bytes[i], data, len);
	queue->pkts[i] = (struct pcf_pkt){
		.ts = { .tv_sec = us / 1000000, .tv_usec = us % 1000000 },
		.caplen = len,
		.len = len,
		.data = queue->bytes[i],
		.frame = i,
		.queue = q,
		.flags = flags,
	};
	set_readable(queue);
}

void fake_mark(struct fake *f, unsigned q, unsigned us, uint8_t mark)
{
	uint8_t data[60] = { mark };

	fake_feed(f, q, us, data, sizeof(data), 0);
}
