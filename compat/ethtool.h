/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What only ethtool knows of an interface, beyond what compat/netlink.h
 * promises to the outside.
 */
#ifndef PCF_ETHTOOL_H
#define PCF_ETHTOOL_H

#include <stdint.h>

/* RX queues in use: channels that receive, else the rings of the flow
 * director. -EOPNOTSUPP: the driver tells neither. */
int pcf_ethtool_rx_queues(const char *name, uint32_t *count);

#endif
