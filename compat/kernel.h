/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel constants that the headers of Debian 12 (Linux 6.1) lack. Each with
 * the kernel that brought it; using one is always a probe, never a promise.
 */
#ifndef PCF_KERNEL_H
#define PCF_KERNEL_H

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif

/* 6.6: a packet may span several descriptors. */
#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4)
#define XDP_PKT_CONTD (1 << 0)
#endif

/* netdev-genl, 6.3 (<linux/netdev.h> came with it). */
#define PCF_NETDEV_FAMILY "netdev"
#define PCF_NETDEV_CMD_DEV_GET 1
#define PCF_NETDEV_A_DEV_IFINDEX 1
#define PCF_NETDEV_A_DEV_XDP_FEATURES 3
#define PCF_NETDEV_A_DEV_XDP_ZC_MAX_SEGS 4
#define PCF_XDP_ACT_BASIC (1 << 0)
#define PCF_XDP_ACT_REDIRECT (1 << 1)
#define PCF_XDP_ACT_NDO_XMIT (1 << 2)
#define PCF_XDP_ACT_XSK_ZEROCOPY (1 << 3)
#define PCF_XDP_ACT_HW_OFFLOAD (1 << 4)
#define PCF_XDP_ACT_RX_SG (1 << 5)
#define PCF_XDP_ACT_NDO_XMIT_SG (1 << 6)

#endif
