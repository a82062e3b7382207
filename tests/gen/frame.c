/* SPDX-License-Identifier: BSD-3-Clause */
/* The generator's frames; see frame.h for their layout. */
#include "tests/gen/frame.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#define MAGIC	   0x70636667u /* "pcfg" */
#define TAG_LEN	   4
#define IP_LEN	   20
#define UDP_LEN	   8
#define MAGIC_LEN  4
#define NUMBER_LEN 8

static void put16(uint8_t *p, unsigned v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static unsigned get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static size_t ether_len(const struct pcf_frame *f)
{
	return ETH_HLEN + (f->vlan >= 0 ? TAG_LEN : 0);
}

bool pcf_frame_has_ports(const struct pcf_frame *f)
{
	return f->size >= ether_len(f) + IP_LEN + UDP_LEN;
}

size_t pcf_frame_port_offset(const struct pcf_frame *f)
{
	return ether_len(f) + IP_LEN;
}

static size_t payload_offset(const struct pcf_frame *f)
{
	size_t off = ether_len(f);

	return pcf_frame_has_ports(f) ? off + IP_LEN + UDP_LEN : off;
}

size_t pcf_frame_number_offset(const struct pcf_frame *f)
{
	return payload_offset(f) + MAGIC_LEN;
}

static uint8_t key_of(const struct pcf_frame *f, uint64_t n)
{
	return f->numbered && !f->fixed_key ? (uint8_t)(n * 37 + 11) : 11;
}

static uint8_t filler(uint8_t key, size_t i)
{
	return (uint8_t)(key + 7 * i);
}

static unsigned checksum(const uint8_t *p, size_t len)
{
	unsigned sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += get16(p + i);
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return ~sum & 0xffff;
}

static void put_ether(const struct pcf_frame *f, uint8_t *buf)
{
	/* What is too short for IP is "local experimental". */
	unsigned type = pcf_frame_has_ports(f) ? ETH_P_IP : 0x88b5;

	memcpy(buf, f->dst, 6);
	memcpy(buf + 6, f->src, 6);
	if (f->vlan >= 0) {
		put16(buf + 12, ETH_P_8021Q);
		put16(buf + 14, f->vlan);
	}
	put16(buf + ether_len(f) - 2, type);
}

/* Addresses from 198.18.0.0/15, set aside for benchmarks. UDP without
 * checksum, so the number and the port can change without touching it. */
static void put_ip_udp(uint8_t *ip, size_t len)
{
	static const uint8_t addresses[8] = { 198, 18, 0, 1, 198, 18, 0, 2 };
	uint8_t *udp = ip + IP_LEN;

	memset(ip, 0, IP_LEN + UDP_LEN);
	ip[0] = 0x45;
	put16(ip + 2, len);
	ip[8] = 64;
	ip[9] = 17;
	memcpy(ip + 12, addresses, sizeof(addresses));
	put16(ip + 10, checksum(ip, IP_LEN));
	put16(udp, PCF_FRAME_FIRST_PORT);
	put16(udp + 2, PCF_FRAME_PORT);
	put16(udp + 4, len - IP_LEN);
}

static void put_filler(const struct pcf_frame *f, uint8_t key, uint8_t *buf)
{
	size_t start = payload_offset(f);

	if (f->numbered)
		start += MAGIC_LEN + NUMBER_LEN;
	for (size_t i = start; i < f->size; i++)
		buf[i] = filler(key, i - start);
}

void pcf_frame_template(const struct pcf_frame *f, uint8_t *buf)
{
	put_ether(f, buf);
	if (pcf_frame_has_ports(f))
		put_ip_udp(buf + ether_len(f), f->size - ether_len(f));
	pcf_frame_number(f, 0, buf);
	put_filler(f, key_of(f, 0), buf);
}

/* Big-endian and cut off where the frame ends. */
static void put_number(const struct pcf_frame *f, uint64_t n, uint8_t *buf)
{
	size_t off = payload_offset(f), room = f->size - off;
	uint8_t head[MAGIC_LEN + NUMBER_LEN];

	for (int i = 0; i < MAGIC_LEN; i++)
		head[i] = MAGIC >> (24 - 8 * i);
	for (int i = 0; i < NUMBER_LEN; i++)
		head[MAGIC_LEN + i] = n >> (56 - 8 * i);
	memcpy(buf + off, head, room < sizeof(head) ? room : sizeof(head));
}

void pcf_frame_number(const struct pcf_frame *f, uint64_t n, uint8_t *buf)
{
	if (pcf_frame_has_ports(f))
		put16(buf + pcf_frame_port_offset(f),
		      PCF_FRAME_FIRST_PORT + n % f->flows);
	if (!f->numbered)
		return;
	put_number(f, n, buf);
	if (!f->fixed_key)
		put_filler(f, key_of(f, n), buf);
}

/* Where the magic would be in a frame that we did not make ourselves. */
static size_t find_payload(const uint8_t *p, size_t len)
{
	size_t off = 12;

	if (len < ETH_HLEN + TAG_LEN)
		return len;
	if (get16(p + off) == ETH_P_8021Q)
		off += TAG_LEN;
	return get16(p + off) == ETH_P_IP ? off + 2 + IP_LEN + UDP_LEN
					  : off + 2;
}

int pcf_frame_check(const uint8_t *p, size_t len, uint64_t *n)
{
	size_t off = find_payload(p, len);
	size_t start = off + MAGIC_LEN + NUMBER_LEN;

	if (start > len || get16(p + off) != MAGIC >> 16 ||
	    get16(p + off + 2) != (MAGIC & 0xffff))
		return -EINVAL;
	*n = 0;
	for (int i = 0; i < NUMBER_LEN; i++)
		*n = *n << 8 | p[off + MAGIC_LEN + i];
	for (size_t i = start; i < len; i++)
		if (p[i] != filler(p[start], i - start))
			return -EBADMSG;
	return 0;
}
