/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the classic filter of a Linux packet socket sees besides plain bytes:
 * negative offsets and ancillary loads, as far as they mean something for a
 * frame at the XDP hook. Shared by the interpreter and the compiler, so that
 * both give the same answers.
 */
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <string.h>

#include "libpcap-fast/filter/filter.h"
#include "libpcap-fast/filter/insn.h"

/* A packet socket of type SOCK_RAW has its data begin at the Ethernet header,
 * and the network header behind it (the tag is out by then). */
int64_t pcf_view_offset(uint32_t offset)
{
	if (offset <= INT32_MAX)
		return offset;
	if (offset >= (uint32_t)SKF_NET_OFF)
		return (int64_t)offset - (uint32_t)SKF_NET_OFF + PCF_ETH_HLEN;
	if (offset >= (uint32_t)SKF_LL_OFF)
		return (int64_t)offset - (uint32_t)SKF_LL_OFF;
	return -1;
}

static int constant(uint32_t *value, uint32_t v)
{
	*value = v;
	return PCF_IMM;
}

int pcf_view_ancillary(uint32_t k, uint32_t ifindex, uint32_t *value)
{
	switch (k - (uint32_t)SKF_AD_OFF) {
	case SKF_AD_PROTOCOL:
		return PCF_PROTOCOL;
	case SKF_AD_PKTTYPE:
		return PCF_PKTTYPE;
	case SKF_AD_QUEUE:
		return PCF_QUEUE;
	case SKF_AD_VLAN_TAG:
		return PCF_TAG;
	case SKF_AD_VLAN_TAG_PRESENT:
		return PCF_TAGGED;
	case SKF_AD_VLAN_TPID:
		return PCF_TPID;
	case SKF_AD_RANDOM:
		return PCF_RANDOM;
	case SKF_AD_CPU:
		return PCF_CPU;
	case SKF_AD_IFINDEX:
		return constant(value, ifindex);
	case SKF_AD_HATYPE:
		return constant(value, ARPHRD_ETHER);
	case SKF_AD_MARK: /* nobody has marked a frame that just came in */
		return constant(value, 0);
	case SKF_AD_ALU_XOR_X:
		return PCF_ALU;
	}
	return -EOPNOTSUPP;
}

static bool is_ancillary(const struct sock_filter *f)
{
	return BPF_CLASS(f->code) == BPF_LD && BPF_MODE(f->code) == BPF_ABS &&
	       f->k >= (uint32_t)SKF_AD_OFF;
}

bool pcf_filter_needs_socket(const struct sock_filter *insns, unsigned n)
{
	uint32_t value;

	for (unsigned i = 0; i < n; i++) {
		int op = is_ancillary(&insns[i]) ?
				 pcf_view_ancillary(insns[i].k, 0, &value) : 0;

		if (op < 0 || op == PCF_CPU)
			return true;
	}
	return false;
}

uint32_t pcf_filter_random(uint32_t *state)
{
	uint32_t z = *state += 0x9e3779b9;

	z = (z ^ z >> 16) * 0x85ebca6b;
	z = (z ^ z >> 13) * 0xc2b2ae35;
	return z ^ z >> 16;
}

uint8_t pcf_filter_pkttype(const uint8_t *dst, const uint8_t *device_mac)
{
	static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };

	if (!memcmp(dst, device_mac, 6))
		return PACKET_HOST;
	if (!memcmp(dst, broadcast, 6))
		return PACKET_BROADCAST;
	return dst[0] & 1 ? PACKET_MULTICAST : PACKET_OTHERHOST;
}
