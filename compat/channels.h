/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Being told when somebody changes the number of an interface's queues
 * (ethtool -L, 5.6). One descriptor for each watcher, in the network namespace
 * that it was opened in.
 */
#ifndef PCF_CHANNELS_H
#define PCF_CHANNELS_H

#include <stdint.h>

struct pcf_channels;

/* 0 or negative errno; -EOPNOTSUPP: the kernel does not tell. */
int pcf_channels_open(struct pcf_channels **channels, int ifindex);
/* Takes NULL. */
void pcf_channels_close(struct pcf_channels *c);

/* Readable when there is something to look at. */
int pcf_channels_fd(const struct pcf_channels *c);

/* RX queues after the last change since the last call, 0: there was none.
 * Never sleeps. */
uint32_t pcf_channels_changed(struct pcf_channels *c);

#endif
