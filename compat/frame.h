/* SPDX-License-Identifier: BSD-3-Clause */
/* What is told from the first bytes of an Ethernet frame. */
#ifndef PCF_FRAME_H
#define PCF_FRAME_H

#include <stdint.h>

/* Does the frame carry a VLAN tag that the kernel would take out? (`caplen` in
 * bytes.) Tagged frames of fewer than 20 bytes never reach a packet socket, so
 * no filter matches them. */
static inline int pcf_frame_tagged(const uint8_t *data, uint32_t caplen)
{
	return caplen >= 14 && ((data[12] == 0x81 && data[13] == 0x00) ||
				(data[12] == 0x88 && data[13] == 0xa8));
}

#endif
