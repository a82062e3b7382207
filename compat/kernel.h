/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel constants that the headers of Debian 12 (Linux 6.1) lack. Each with
 * the kernel that brought it; using one is always a probe, never a promise.
 */
#ifndef PCF_KERNEL_H
#define PCF_KERNEL_H

#include "compat/netdev.h"

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

/* 6.3: a program for one device, which may ask its driver about packets. */
#ifndef BPF_F_XDP_DEV_BOUND_ONLY
#define BPF_F_XDP_DEV_BOUND_ONLY (1U << 6)
#endif

/* 6.17: packets that one call sends in copy mode, 32 without it. */
#ifndef XDP_MAX_TX_SKB_BUDGET
#define XDP_MAX_TX_SKB_BUDGET 9
#endif

#endif
