/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frames that the generator sends and the comparison program checks:
 * UDP over IPv4 over Ethernet (bare Ethernet when too short for that), every
 * byte a function of the options and of the frame's number. Knows nothing of
 * sockets, files or rates.
 *
 *   0        12     (16)   14/18    34/38  42/46   +4       +12   +13
 *   +--------+------+------+--------+------+-------+--------+-----+--------+
 *   | MACs   | (tag)| type | IPv4   | UDP  | magic | number | key | filler |
 *   +--------+------+------+--------+------+-------+--------+-----+--------+
 *
 * The magic, number and key are there with `numbered` only, and are cut off
 * where the frame ends. Byte i of the filler (from the key's place on) is
 * key + 7 i; the key is made from the number, so that bytes of one frame
 * that end up in another are noticed.
 */
#ifndef PCF_GEN_FRAME_H
#define PCF_GEN_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCF_FRAME_MIN	     14
#define PCF_FRAME_MAX	     9014
#define PCF_FRAME_FLOWS_MAX  60000
#define PCF_FRAME_FIRST_PORT 1024 /* UDP source port of flow 0 */
#define PCF_FRAME_PORT	     7777 /* UDP destination port */

struct pcf_frame {
	size_t size;	/* bytes on the wire without FCS, tag included */
	unsigned flows; /* source ports to go round, at least 1 */
	int vlan;	/* VLAN id, or -1 for an untagged frame */
	uint8_t dst[6], src[6];
	bool numbered;	/* magic, number and key in each frame */
	bool fixed_key; /* one key for all: who numbers the frames cannot
			 * rewrite the filler */
};

/* Everything that is the same in each frame; buf holds f->size bytes. */
void pcf_frame_template(const struct pcf_frame *f, uint8_t *buf);
/* Turn any frame made from the template into number n. */
void pcf_frame_number(const struct pcf_frame *f, uint64_t n, uint8_t *buf);

/* Where things lie; an offset may be beyond the frame's end. */
size_t pcf_frame_port_offset(const struct pcf_frame *f);
size_t pcf_frame_number_offset(const struct pcf_frame *f);
/* The frame is long enough to be IPv4 and UDP, and so to have ports. */
bool pcf_frame_has_ports(const struct pcf_frame *f);

/*
 * Check a numbered frame on its own. 0 and its number; -EINVAL: not one of
 * ours or too short to say; -EBADMSG: a byte of the filler is wrong.
 */
int pcf_frame_check(const uint8_t *p, size_t len, uint64_t *n);

#endif
