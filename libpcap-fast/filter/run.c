/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Classic BPF run in user space over the virtual untagged frame (filter.h).
 *
 * Where the kernel would take a program, the result is the kernel's. What it
 * refuses and libpcap runs itself works here too: backward jumps, constant
 * shifts of 32 and more, reading scratch words never written (0). An opcode
 * that nobody defines rejects the packet, as does a loop without an end.
 */

#include "libpcap-fast/filter/filter.h"
#include "libpcap-fast/filter/insn.h"

/* Far more than any loop over a frame's headers can need (64 KiB / 8 rounds of
 * protochain), yet over within milliseconds. */
#define MAX_JUMPS_BACK (1u << 20)

struct machine {
	uint32_t a, x;
	uint32_t mem[BPF_MEMWORDS];
	const struct pcf_frame *frame;
	uint32_t shift;	 /* 4 if tagged, else 0 */
	uint32_t caplen; /* bytes of the virtual frame at hand */
	uint32_t back;	 /* backward jumps so far */
	uint32_t random; /* pcf_filter_random() */
};

static uint32_t byte_at(const struct machine *m, uint32_t off)
{
	return m->frame->data[off < PCF_TYPE_OFF ? off : off + m->shift];
}

/* Big endian value of `size` bytes at a virtual offset; false: not there. */
static bool fetch(const struct machine *m, int64_t off, unsigned size,
		  uint32_t *value)
{
	if (off < 0 || off + size > m->caplen)
		return false;
	*value = 0;
	for (unsigned i = 0; i < size; i++)
		*value = *value << 8 | byte_at(m, off + i);
	return true;
}

/* eth_type_trans(): the type, or a name for the two kinds of 802.3 frame. */
static bool protocol(const struct machine *m, uint32_t *value)
{
	uint32_t sap;

	if (!fetch(m, PCF_TYPE_OFF, 2, value))
		return false;
	if (*value >= 0x600)
		return true;
	if (fetch(m, PCF_ETH_HLEN, 2, &sap) && sap == 0xffff)
		*value = 1; /* ETH_P_802_3 */
	else
		*value = 4; /* ETH_P_802_2 */
	return true;
}

/* Two bytes of the inline tag, at `off` of the inline frame. */
static bool tag(const struct machine *m, uint32_t off, uint32_t *value)
{
	const uint8_t *p = m->frame->data + off;

	*value = 0;
	if (!m->shift)
		return true;
	if (off + 2 > m->frame->caplen)
		return false;
	*value = p[0] << 8 | p[1];
	return true;
}

static bool ancillary(struct machine *m, uint32_t k)
{
	switch (pcf_view_ancillary(k, m->frame->ifindex, &m->a)) {
	case PCF_IMM:
		return true;
	case PCF_PROTOCOL:
		return protocol(m, &m->a);
	case PCF_PKTTYPE:
		m->a = m->frame->pkttype;
		return true;
	case PCF_QUEUE:
		m->a = (uint16_t)(m->frame->queue + 1);
		return true;
	case PCF_TAG:
		return tag(m, 14, &m->a);
	case PCF_TAGGED:
		m->a = m->shift / PCF_TAG_LEN;
		return true;
	case PCF_TPID:
		return tag(m, 12, &m->a);
	case PCF_RANDOM:
		m->a = pcf_filter_random(&m->random);
		return true;
	case PCF_ALU:
		m->a ^= m->x;
		return true;
	}
	return false;
}

static unsigned bytes(uint16_t code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	}
	return 4;
}

/* Loads. Each false means: reject the packet. */
static bool load(struct machine *m, const struct sock_filter *f)
{
	uint32_t byte;

	switch (f->code) {
	case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_W | BPF_ABS:
		if (f->k >= (uint32_t)SKF_AD_OFF)
			return ancillary(m, f->k);
		return fetch(m, pcf_view_offset(f->k), bytes(f->code), &m->a);
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_W | BPF_IND:
		return fetch(m, pcf_view_offset(m->x + f->k), bytes(f->code),
			     &m->a);
	case BPF_LDX | BPF_B | BPF_MSH:
		if (!fetch(m, pcf_view_offset(f->k), 1, &byte))
			return false;
		m->x = (byte & 15) * 4;
		return true;
	case BPF_LD | BPF_IMM:
		m->a = f->k;
		return true;
	case BPF_LDX | BPF_IMM:
		m->x = f->k;
		return true;
	case BPF_LD | BPF_MEM:
		m->a = m->mem[f->k];
		return true;
	case BPF_LDX | BPF_MEM:
		m->x = m->mem[f->k];
		return true;
	case BPF_LD | BPF_LEN:
		m->a = m->frame->len - m->shift;
		return true;
	case BPF_LDX | BPF_LEN:
		m->x = m->frame->len - m->shift;
		return true;
	}
	return false;
}

static bool divide(struct machine *m, uint16_t op, uint32_t by)
{
	if (!by)
		return false;
	m->a = op == BPF_DIV ? m->a / by : m->a % by;
	return true;
}

static bool alu(struct machine *m, const struct sock_filter *f)
{
	const uint32_t v = BPF_SRC(f->code) == BPF_X ? m->x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_ADD:
		m->a += v;
		return true;
	case BPF_SUB:
		m->a -= v;
		return true;
	case BPF_MUL:
		m->a *= v;
		return true;
	case BPF_DIV:
	case BPF_MOD:
		return divide(m, BPF_OP(f->code), v);
	case BPF_OR:
		m->a |= v;
		return true;
	case BPF_AND:
		m->a &= v;
		return true;
	case BPF_XOR:
		m->a ^= v;
		return true;
	case BPF_LSH:
		m->a <<= v & 31;
		return true;
	case BPF_RSH:
		m->a >>= v & 31;
		return true;
	case BPF_NEG:
		m->a = -m->a;
		return BPF_SRC(f->code) == BPF_K;
	}
	return false;
}

/* Everything but jumps and returns. */
static bool step(struct machine *m, const struct sock_filter *f)
{
	switch (BPF_CLASS(f->code)) {
	case BPF_LD:
	case BPF_LDX:
		return load(m, f);
	case BPF_ALU:
		return f->code < 0x100 && alu(m, f);
	}
	switch (f->code) {
	case BPF_ST:
		m->mem[f->k] = m->a;
		return true;
	case BPF_STX:
		m->mem[f->k] = m->x;
		return true;
	case BPF_MISC | BPF_TAX:
		m->x = m->a;
		return true;
	case BPF_MISC | BPF_TXA:
		m->a = m->x;
		return true;
	}
	return false;
}

static bool is_jump(uint16_t code)
{
	return code < 0x100 &&
	       (BPF_OP(code) != BPF_JA || code == (BPF_JMP | BPF_JA));
}

static uint32_t distance(const struct machine *m, const struct sock_filter *f)
{
	const uint32_t v = BPF_SRC(f->code) == BPF_X ? m->x : f->k;
	bool yes;

	switch (BPF_OP(f->code)) {
	case BPF_JEQ:
		yes = m->a == v;
		break;
	case BPF_JGT:
		yes = m->a > v;
		break;
	case BPF_JGE:
		yes = m->a >= v;
		break;
	case BPF_JSET:
		yes = (m->a & v) != 0;
		break;
	default: /* BPF_JA */
		return f->k;
	}
	return yes ? f->jt : f->jf;
}

/* false: this loop does not end. */
static bool jump(struct machine *m, const struct sock_filter *f, uint32_t *pc)
{
	const uint32_t target = *pc + distance(m, f);

	if (target < *pc && ++m->back > MAX_JUMPS_BACK)
		return false;
	*pc = target;
	return true;
}

static uint32_t result(const struct machine *m, const struct sock_filter *f)
{
	switch (f->code) {
	case BPF_RET | BPF_K:
		return f->k;
	case BPF_RET | BPF_A:
		return m->a;
	}
	return 0;
}

static uint32_t execute(struct machine *m, const struct sock_filter *insns)
{
	uint32_t pc = 0;

	for (;;) {
		const struct sock_filter *f = &insns[pc++];

		switch (BPF_CLASS(f->code)) {
		case BPF_RET:
			return result(m, f);
		case BPF_JMP:
			if (!is_jump(f->code) || !jump(m, f, &pc))
				return 0;
			break;
		default:
			if (!step(m, f))
				return 0;
		}
	}
}

uint32_t pcf_filter_run(const struct sock_filter *insns,
			const struct pcf_frame *frame)
{
	struct machine m = { .frame = frame,
			     .caplen = frame->caplen,
			     .random = frame->random };

	if (frame->len < PCF_ETH_HLEN)
		return 0;
	if (pcf_frame_tagged(frame->data, frame->caplen)) {
		if (frame->len < PCF_TAGGED_MIN)
			return 0;
		m.shift = PCF_TAG_LEN;
		m.caplen = frame->caplen > 16 ? frame->caplen - 4 : 12;
	}
	return execute(&m, insns);
}
