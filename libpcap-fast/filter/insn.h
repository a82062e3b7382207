/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The filter compiler's inside: one node per classic instruction, and the
 * passes that work on the array of nodes, in the order they run.
 *
 *   decode   instruction -> node; what the Linux view makes of it (view.c)
 *   thread   jumps to jumps, branches that do not branch
 *   need     backwards: the bytes without which no path can accept
 *   reach    what is left, where blocks begin
 *   guard    forwards: bytes proven, bounds of A and X, what to zero
 *   emit     nodes -> eBPF
 *
 * A node's index is its instruction's. Jumps go forward only, so one sweep in
 * index order (or against it) is a complete data flow analysis.
 */
#ifndef PCF_INSN_H
#define PCF_INSN_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pcf_op {
	PCF_LOAD,	/* A = `size` bytes at k */
	PCF_LOAD_IND,	/* A = `size` bytes at X + k (32 bit, wraps) */
	PCF_LOAD_MSH,	/* X = 4 * (byte at k & 15) */
	PCF_IMM,	/* A = k */
	PCF_IMMX,	/* X = k */
	PCF_MEM,	/* A = M[k] */
	PCF_MEMX,	/* X = M[k] */
	PCF_LEN,	/* A = length of the frame */
	PCF_LENX,	/* X = length of the frame */
	PCF_PROTOCOL,	/* A = what the kernel calls skb->protocol */
	PCF_PKTTYPE,	/* A = PACKET_HOST, ... */
	PCF_QUEUE,	/* A = skb->queue_mapping */
	PCF_TAG,	/* A = tag control information, 0 if untagged */
	PCF_TAGGED,	/* A = 1 if tagged */
	PCF_TPID,	/* A = tag protocol, 0 if untagged */
	PCF_RANDOM,	/* A = a random number */
	PCF_CPU,	/* A = the processor that received the packet */
	PCF_STORE,	/* M[k] = A */
	PCF_STOREX,	/* M[k] = X */
	PCF_ALU,	/* A = A `sub` (k or X) */
	PCF_TAX,	/* X = A */
	PCF_TXA,	/* A = X */
	PCF_JUMP,	/* to jt */
	PCF_BRANCH,	/* A `sub` (k or X): to jt, else to jf */
	PCF_RET,	/* k bytes; 0: no match */
	PCF_RETA,	/* A bytes */
};

/* Bits of pcf_node.unset and pcf_program.zero: M[0] .. M[15] are 0 .. 15. */
#define PCF_BIT_A   (1u << 16)
#define PCF_BIT_X   (1u << 17)
#define PCF_BIT_ALL ((1u << 18) - 1)

/* No frame at the XDP hook has bytes from here on; also keeps every offset
 * within what the verifier accepts for packet pointers (0xffff). */
#define PCF_FRAME_END 0xfff0u
/* pcf_node.need of a node from which nothing is ever accepted. */
#define PCF_NEVER     UINT32_MAX

#define PCF_ETH_HLEN  14u
#define PCF_TYPE_OFF  12u /* virtual offsets from here on lie behind the tag */
#define PCF_TAG_LEN   4u
/* The shortest tagged frame that the kernel does not drop. */
#define PCF_TAGGED_MIN 20u

struct pcf_node {
	uint8_t op;
	uint8_t sub;	/* BPF_ADD, ... or BPF_JEQ, ... */
	uint8_t size;	/* 1, 2, 4 */
	bool use_x;
	bool reachable;
	bool leader;	/* a jump may come here */
	uint32_t k;
	uint32_t jt, jf; /* successors; equal unless a branch */
	uint32_t next;	/* next reachable node, or the program's length */
	uint32_t need;	/* accepted frames are at least so long (virtual) */
	uint32_t avail;	/* bytes known to be there on entry */
	uint32_t a_max, x_max; /* upper bounds on entry that the verifier sees */
	uint32_t unset;	/* registers that may not have been written */
};

struct pcf_program {
	struct pcf_node *node;
	unsigned n;
	uint32_t zero;	/* registers to zero at entry */
	bool uses_tag;	/* looks at anything that a tag moves or sets */
	bool uses_shift; /* needs the tag's length as a number */
	bool uses_len;
	bool uses_call; /* of a helper, in the midst of it */
};

struct pcf_why {
	char *text;
	size_t size;
};

/* Say why, "instruction 7: ..."; returns `err`. */
int pcf_why(const struct pcf_why *why, int err, unsigned insn,
	    const char *reason);

/* view.c: what a classic offset or ancillary load means for our frames. */

/* The virtual offset of a 32-bit classic offset, negative ranges resolved;
 * -1: nothing there. */
int64_t pcf_view_offset(uint32_t offset);
/* For an absolute load of k >= SKF_AD_OFF: the node's op, or a negative errno.
 * PCF_IMM: the value is constant and in *value (PCF_HATYPE, MARK). */
int pcf_view_ancillary(uint32_t k, uint32_t ifindex, uint32_t *value);

/* The passes. */
int pcf_decode(struct pcf_program *p, const struct sock_filter *insns,
	       uint32_t ifindex, const struct pcf_why *why);
void pcf_thread_jumps(struct pcf_program *p);
void pcf_find_need(struct pcf_program *p);
void pcf_find_reachable(struct pcf_program *p);
void pcf_guard(struct pcf_program *p);

/* Can the node be followed by another one; does it end a block? */
static inline bool pcf_is_ret(const struct pcf_node *node)
{
	return node->op == PCF_RET || node->op == PCF_RETA;
}

static inline bool pcf_is_reject(const struct pcf_node *node)
{
	return node->op == PCF_RET && !node->k;
}

#endif
