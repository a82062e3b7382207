/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hash that a NIC must have computed over a test frame's flow: Toeplitz,
 * over the addresses and ports of UDP over IPv4. Knows no pcap.
 */
#ifndef VM_HASH_H
#define VM_HASH_H

#include <stddef.h>
#include <stdint.h>

#define VM_HASH_KEY_MAX 64

struct vm_hash_key {
	uint8_t bytes[VM_HASH_KEY_MAX];
	size_t len;
};

/* As `ethtool -x` prints it, "a3:b8:...". Returns 0, or -1: no key, or one too
 * short for this. */
int vm_hash_key(struct vm_hash_key *key, const char *text);

/* Of an untagged frame of vm_frame_build(). */
uint32_t vm_hash(const struct vm_hash_key *key, const uint8_t *frame);

#endif
