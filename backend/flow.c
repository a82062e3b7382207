/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flow hash in user space. Kept step by step like the program that
 * prog_flow.c emits: the two must agree on every frame.
 *
 * Each side of the packet (address and port) is mixed by itself, and the sum
 * of the two does not know which is which.
 */
#include "backend/flow.h"

#include "backend/flow_defs.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

struct cursor {
	const uint8_t *at, *end;
};

/* The two sides before mixing, and what is common to both. */
struct sides {
	uint64_t src, dst;
	unsigned protocol; /* 0: no ports */
};

static bool has(const struct cursor *c, unsigned n)
{
	return c->end - c->at >= (int)n;
}

static uint16_t u16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t u64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t mix(uint64_t x)
{
	x *= PCF_FLOW_FACTOR;
	return x ^ x >> 32;
}

static uint16_t ether_type(struct cursor *c)
{
	uint16_t type = u16(c->at + 12);

	c->at += 14;
	for (int i = 0; i < PCF_FLOW_TAGS; i++) {
		if (type != htons(0x8100) && type != htons(0x88a8))
			break;
		if (!has(c, 4))
			return 0;
		type = u16(c->at + 2);
		c->at += 4;
	}
	return type;
}

static bool ipv4(struct cursor *c, struct sides *s, uint64_t seed)
{
	unsigned words;

	if (!has(c, 20))
		return false;
	words = c->at[0] - 0x45u;
	if (words > 10)
		return false;
	s->src = u32(c->at + 12) ^ seed;
	s->dst = u32(c->at + 16) ^ seed;
	if (!(u16(c->at + 6) & htons(0x3fff)))
		s->protocol = c->at[9];
	c->at += (words + 5) * 4;
	return true;
}

/* The protocol behind the extension headers; 0: none to be found, or the
 * packet is a fragment. */
static unsigned skip_extensions(struct cursor *c, unsigned next)
{
	for (int i = 0; i < PCF_FLOW_EXTENSIONS; i++) {
		unsigned length;

		if (next != IP6_HOPS && next != IP6_ROUTING &&
		    next != IP6_OPTIONS && next != IP6_FRAGMENT &&
		    next != IP6_AUTH)
			return next;
		if (!has(c, 8))
			return 0;
		if (next == IP6_FRAGMENT && u16(c->at + 2) & htons(0xfff9))
			return 0;
		length = next == IP6_FRAGMENT ? 8
			 : next == IP6_AUTH   ? (c->at[1] + 2) * 4
					      : (c->at[1] + 1) * 8;
		next = c->at[0];
		if (!has(c, length))
			return 0;
		c->at += length;
	}
	return 0;
}

static bool ipv6(struct cursor *c, struct sides *s, uint64_t seed)
{
	unsigned next;

	if (!has(c, 40))
		return false;
	s->src = mix(u64(c->at + 8) ^ seed) + u64(c->at + 16);
	s->dst = mix(u64(c->at + 24) ^ seed) + u64(c->at + 32);
	next = c->at[6];
	c->at += 40;
	s->protocol = skip_extensions(c, next);
	return true;
}

static void ports(const struct cursor *c, struct sides *s)
{
	if ((s->protocol != IP_TCP && s->protocol != IP_UDP &&
	     s->protocol != IP_SCTP) ||
	    !has(c, 4)) {
		s->protocol = 0;
		return;
	}
	s->src ^= (uint64_t)u16(c->at) << 32;
	s->dst ^= (uint64_t)u16(c->at + 2) << 32;
}

static uint64_t mac(const uint8_t *p, uint64_t seed)
{
	return seed ^ u32(p) ^ (uint64_t)u16(p + 4) << 32;
}

uint64_t pcf_flow_hash(const uint8_t *data, uint32_t len, uint64_t seed)
{
	struct cursor c = { data, data + len };
	struct sides s = { 0 };
	uint16_t type;

	if (!has(&c, 14))
		return 0;
	type = ether_type(&c);
	if (type == htons(0x0800)
		    ? ipv4(&c, &s, seed)
		    : type == htons(0x86dd) && ipv6(&c, &s, seed)) {
		ports(&c, &s);
	} else {
		s.src = mac(data + 6, seed);
		s.dst = mac(data, seed);
	}
	return (mix(s.src) + mix(s.dst) + s.protocol) * PCF_FLOW_FACTOR;
}
