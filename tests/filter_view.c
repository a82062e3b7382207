/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's view of a frame; see filter_view.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/filter_frames.h"
#include "tests/filter_view.h"

static uint32_t be16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static void untag(struct filter_view *v)
{
	const uint32_t type = be16(v->data + 12);

	if (type != 0x8100 && type != 0x88a8)
		return;
	if (v->len < 20) {
		v->dropped = 1;
		return;
	}
	v->value[SKF_AD_VLAN_TAG] = be16(v->data + 14);
	v->value[SKF_AD_VLAN_TAG_PRESENT] = 1;
	v->value[SKF_AD_VLAN_TPID] = type;
	memmove(v->data + 12, v->data + 16, v->len - 16);
	v->len -= 4;
}

static uint32_t protocol(const struct filter_view *v)
{
	const uint32_t type = be16(v->data + 12);

	if (type >= 0x600)
		return type;
	return v->len >= 16 && be16(v->data + 14) == 0xffff ? 1 : 4;
}

static uint32_t packet_type(const uint8_t *dst)
{
	if (!memcmp(dst, filter_mac, 6))
		return 0;
	if (!memcmp(dst, "\377\377\377\377\377\377", 6))
		return 1;
	return dst[0] & 1 ? 2 : 3;
}

int filter_view_init(struct filter_view *v, const uint8_t *data, uint32_t len,
		     uint32_t ifindex)
{
	memset(v, 0, sizeof(*v));
	v->data = malloc(len);
	if (!v->data)
		return -ENOMEM;
	memcpy(v->data, data, len);
	v->len = len;
	untag(v);
	v->value[SKF_AD_PROTOCOL] = protocol(v);
	v->value[SKF_AD_PKTTYPE] = packet_type(data);
	v->value[SKF_AD_IFINDEX] = ifindex;
	v->value[SKF_AD_HATYPE] = 1;
	return 0;
}

void filter_view_program(const struct filter_view *v,
			 const struct sock_filter *in, unsigned n,
			 struct sock_filter *out)
{
	memcpy(out, in, n * sizeof(*in));
	for (unsigned i = 0; i < n; i++) {
		const uint32_t at = in[i].k - (uint32_t)SKF_AD_OFF;

		if (BPF_CLASS(in[i].code) != BPF_LD ||
		    BPF_MODE(in[i].code) != BPF_ABS || at >= 64)
			continue;
		out[i].code = BPF_LD | BPF_IMM;
		out[i].k = v->value[at];
	}
}
