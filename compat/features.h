/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What this kernel can do, found by trying, never by version; and what this
 * process may do. Knows nothing of interfaces.
 *
 * In builds with -DPCF_TESTING, PCF_TEST_MISSING="af_xdp,tai" makes features
 * look missing.
 */
#ifndef PCF_FEATURES_H
#define PCF_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

enum pcf_feature {
	PCF_FEATURE_AF_XDP, /* "af_xdp": AF_XDP sockets, 4.18 */
	PCF_FEATURE_BPF,    /* "bpf": XDP programs with frags load, 5.18 */
	PCF_FEATURE_LINK,   /* "link": bpf_link, 5.7 (5.9 for XDP) */
	PCF_FEATURE_TAI,    /* "tai": bpf_ktime_get_tai_ns(), 6.1 */
	PCF_FEATURE_SG,	    /* "sg": XDP_USE_SG, 6.6; not a must */
	PCF_FEATURE_COUNT
};

/* 1 there, 0 not there, -EPERM this process may not even try, or another
 * negative errno for trouble (no memory). The first two are remembered. */
int pcf_feature(enum pcf_feature feature);

/* In words, the first feature that the fast modes cannot do without and that
 * is not there; "" none. Features that could not be tried do not count.
 * -EPERM when there was one of those, else 0. */
int pcf_features_missing(char *text, size_t size);

/* Effective capabilities of the calling thread. All false on error. */
struct pcf_caps {
	bool bpf, net_admin, net_raw, sys_admin;
};

void pcf_caps_get(struct pcf_caps *caps);

#endif
