/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Toeplitz: for each bit that is set in the input, the 32 bits of the key that
 * begin at the same place are added without carry. Published with examples as
 * part of receive side scaling.
 */
#include "tests/vm/vm_hash.h"

#include <stdio.h>

#define ADDRESSES (14 + 12) /* from here on: two addresses, two ports */
#define INPUT	  12

int vm_hash_key(struct vm_hash_key *key, const char *text)
{
	int n = 0;

	key->len = 0;
	while (key->len < VM_HASH_KEY_MAX &&
	       sscanf(text, "%2hhx%n", &key->bytes[key->len], &n) == 1) {
		key->len++;
		text += n;
		text += *text == ':';
	}
	return *text || key->len < INPUT + 4 ? -1 : 0;
}

static uint32_t key_bits(const struct vm_hash_key *key, size_t bit)
{
	const uint8_t *p = key->bytes + bit / 8;
	uint64_t bits = 0;

	for (int i = 0; i < 5; i++)
		bits = bits << 8 | p[i];
	return (uint32_t)(bits >> (8 - bit % 8));
}

uint32_t vm_hash(const struct vm_hash_key *key, const uint8_t *frame)
{
	uint32_t hash = 0;

	for (size_t bit = 0; bit < INPUT * 8; bit++)
		if (frame[ADDRESSES + bit / 8] & 0x80 >> bit % 8)
			hash ^= key_bits(key, bit);
	return hash;
}
