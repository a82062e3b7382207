/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of reading share: packets in a row for the scripted backend
 * and a callback that puts down what it gets. */
#ifndef PCF_FAKE_READER_H
#define PCF_FAKE_READER_H

#include "tests/fake_backend.h"

struct seen {
	unsigned n;
	char marks[FAKE_MAX];
	uint32_t caplen[FAKE_MAX];
	pcap_t *break_at_3;
};

/* `user` is a struct seen. */
void see(u_char *user, const struct pcap_pkthdr *hdr, const u_char *data);

void open_nonblocking(struct fake *f, unsigned n);
/* `n` more on the first queue, marked 'a' to 'z' over and over. */
void feed(struct fake *f, unsigned n);
/* The read path has kept to the contract. */
void sound(const struct fake *f);

/* Keep 20 bytes of IPv4, in the reader. */
void set_user_filter(struct pcf_handle *h);

#endif
