/* SPDX-License-Identifier: BSD-3-Clause */
/* See fake_reader.h. */
#include "tests/fake_reader.h"

#include <CUnit/Basic.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>

static char errbuf[PCAP_ERRBUF_SIZE];

void see(u_char *user, const struct pcap_pkthdr *hdr, const u_char *data)
{
	struct seen *s = (struct seen *)user;

	s->caplen[s->n] = hdr->caplen;
	s->marks[s->n++] = data[0];
	if (s->break_at_3 && s->n == 3)
		pcap_breakloop(s->break_at_3);
}

void feed(struct fake *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		fake_mark(f, 0, 1000 + f->queues[0].fed, 'a' + i % 26);
}

void sound(const struct fake *f)
{
	for (unsigned i = 0; i < f->n; i++)
		CU_ASSERT_FALSE(f->queues[i].misused);
}

/* Does the dead pcap_t take non-blocking mode? It is ours that counts. */
void open_nonblocking(struct fake *f, unsigned n)
{
	fake_open(f, n);
	CU_ASSERT_EQUAL(pcap_setnonblock(f->p, 1, errbuf), 0);
	CU_ASSERT_EQUAL(pcap_getnonblock(f->p, errbuf), 1);
}

/* ldh [12]; jeq #0x0800 keep 20 else 0: over the untagged view. */
static struct sock_filter ip_20[] = {
	{ 0x28, 0, 0, 12 },
	{ 0x15, 0, 1, 0x0800 },
	{ 0x06, 0, 0, 20 },
	{ 0x06, 0, 0, 0 },
};

void set_user_filter(struct pcf_handle *h)
{
	h->filter.insns = malloc(sizeof(ip_20));
	memcpy(h->filter.insns, ip_20, sizeof(ip_20));
	h->filter.len = 4;
	h->filter.place = PCAP_FAST_FILTER_USER;
}
