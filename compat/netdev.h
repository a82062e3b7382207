/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Constants of netdev-genl (Linux 6.3, queues 6.8), whose <linux/netdev.h>
 * Debian 12 lacks. Without any other header, so that those who cannot include
 * <linux/bpf.h> can read the features.
 */
#ifndef PCF_NETDEV_H
#define PCF_NETDEV_H

#define PCF_NETDEV_FAMILY		 "netdev"
#define PCF_NETDEV_CMD_DEV_GET		 1
#define PCF_NETDEV_A_DEV_IFINDEX	 1
#define PCF_NETDEV_A_DEV_XDP_FEATURES	 3
#define PCF_NETDEV_A_DEV_XDP_ZC_MAX_SEGS 4
/* 6.8: what the driver tells XDP programs of packets */
#define PCF_NETDEV_A_DEV_XDP_RX_METADATA 5
#define PCF_XDP_RX_TIMESTAMP		 (1 << 0)
#define PCF_XDP_RX_HASH			 (1 << 1)
#define PCF_XDP_ACT_BASIC		 (1 << 0)
#define PCF_XDP_ACT_REDIRECT		 (1 << 1)
#define PCF_XDP_ACT_XSK_ZEROCOPY	 (1 << 3)
#define PCF_NETDEV_CMD_QUEUE_GET	 10
#define PCF_NETDEV_A_QUEUE_IFINDEX	 2
#define PCF_NETDEV_A_QUEUE_TYPE		 3
#define PCF_NETDEV_QUEUE_TYPE_RX	 0
/* 6.13: settings of one NAPI instance */
#define PCF_NETDEV_CMD_NAPI_GET		     11
#define PCF_NETDEV_CMD_NAPI_SET		     14
#define PCF_NETDEV_A_NAPI_IFINDEX	     1
#define PCF_NETDEV_A_NAPI_ID		     2
#define PCF_NETDEV_A_NAPI_DEFER_HARD_IRQS    5
#define PCF_NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT  6

#endif
