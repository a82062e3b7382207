/* SPDX-License-Identifier: BSD-3-Clause */
/* Every way to execute a filter, compared; see filter_compare.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/filter_compare.h"
#include "tests/filter_frames.h"
#include "tests/filter_kernel.h"

static bool loads(const struct sock_filter *insns, unsigned n, int what)
{
	for (unsigned i = 0; i < n; i++)
		if (BPF_CLASS(insns[i].code) == BPF_LD &&
		    BPF_MODE(insns[i].code) == BPF_ABS &&
		    insns[i].k == (uint32_t)(SKF_AD_OFF + what))
			return true;
	return false;
}

/* Where the kernel's interpreter is to be had. */
static void encode(struct filter_case *c)
{
	char why[128];

	if (filter_interp_open() < 0)
		return;
	c->interp = calloc(PCF_CODE_BANK, sizeof(*c->interp));
	if (c->interp)
		c->encoded = pcf_interp_encode(c->insns, c->n, c->ifindex,
					       c->interp, PCF_CODE_BANK - 1,
					       why, sizeof(why));
}

void filter_case_init(struct filter_case *c, const struct sock_filter *insns,
		      unsigned n, struct filter_wire *wire)
{
	memset(c, 0, sizeof(*c));
	c->insns = insns;
	c->n = n;
	c->loaded[0] = c->loaded[1] = -1;
	c->ifindex = wire ? wire->ifindex : 17;
	c->by_chance = loads(insns, n, SKF_AD_RANDOM);
	c->by_cpu = loads(insns, n, SKF_AD_CPU);
	if (wire && !c->by_chance && !c->by_cpu && !filter_wire_attach(wire, insns, n))
		c->wire = wire;
	for (int frags = 0; frags < 2; frags++) {
		struct pcf_filter_env env = { .ifindex = c->ifindex,
					      .stack = PCF_FILTER_STACK,
					      .frags = frags };

		memcpy(env.mac, filter_mac, 6);
		c->compiled = filter_wrap(insns, n, &env, &c->code[frags],
					  c->why, sizeof(c->why));
	}
	encode(c);
}

int filter_case_load(struct filter_case *c, char *log, size_t size)
{
	for (int i = 0; i < 2; i++) {
		c->loaded[i] = filter_kernel_load(c->code[i].insns,
						  c->code[i].len, i, log, size);
		if (c->loaded[i] < 0)
			return c->loaded[i];
	}
	return 0;
}

void filter_case_free(struct filter_case *c)
{
	for (int i = 0; i < 2; i++) {
		pcf_ebpf_free(&c->code[i]);
		if (c->loaded[i] >= 0)
			close(c->loaded[i]);
	}
	free(c->interp);
}

uint32_t filter_case_expect(const struct filter_case *c, const uint8_t *data,
			    uint32_t len)
{
	const struct pcf_frame frame = {
		.data = data,
		.caplen = len,
		.len = len,
		.ifindex = c->ifindex,
		.pkttype = pcf_filter_pkttype(data, filter_mac),
	};

	return pcf_filter_run(c->insns, &frame);
}

static void dump(const struct filter_case *c, const uint8_t *data, uint32_t len)
{
	for (unsigned i = 0; i < c->n && i < 200; i++)
		printf("  %u: { 0x%04x, %u, %u, 0x%08x },\n", i,
		       c->insns[i].code, c->insns[i].jt, c->insns[i].jf,
		       c->insns[i].k);
	printf("  frame of %u:", len);
	for (uint32_t i = 0; i < len && i < 256; i++)
		printf("%s%02x", i % 2 ? "" : " ", data[i]);
	printf("\n");
}

static int same(const struct filter_case *c, const char *who, uint64_t got,
		uint64_t want, const char *fault, const uint8_t *data,
		uint32_t len)
{
	if ((got == want || c->by_cpu) && !fault)
		return 0;
	printf("%s says %llu, expected %llu %s\n", who, (unsigned long long)got,
	       (unsigned long long)want, fault ? fault : "");
	dump(c, data, len);
	return 1;
}

/* The small machine: the frame in one piece, or cut somewhere behind byte 20
 * with the rest in frags. */
static int run_machine(struct filter_case *c, const uint8_t *data, uint32_t len,
		       uint32_t want)
{
	struct filter_xdp xdp = { .data = data,
				  .linear = len,
				  .len = len,
				  .ifindex = c->ifindex,
				  .stack = PCF_FILTER_STACK };
	const char *fault;
	uint64_t got;

	for (int frags = 0; frags < 2; frags++) {
		got = filter_ebpf_run(c->code[frags].insns, c->code[frags].len,
				      &xdp, &fault);
		if (same(c, frags ? "frags code" : "code", got, want, fault,
			 data, len))
			return 1;
	}
	if (len < 21)
		return 0;
	for (int i = 0; i < 2; i++) {
		xdp.linear = i ? 20 + len * 7 % (len - 20) : 20;
		got = filter_ebpf_run(c->code[1].insns, c->code[1].len, &xdp,
				      &fault);
		if (same(c, "code on frags", got, want, fault, data, len))
			return 1;
	}
	return 0;
}

static int run_kernel(struct filter_case *c, const uint8_t *data, uint32_t len,
		      uint32_t want)
{
	for (int i = 0; i < 2; i++) {
		uint32_t got;
		int err;

		if (c->loaded[i] < 0 || (!i && len > 3000) || c->by_chance)
			continue;
		err = filter_kernel_run(c->loaded[i], data, len, &got);
		if (same(c, i ? "kernel, frags code" : "kernel", got, want,
			 err ? strerror(-err) : NULL, data, len))
			return 1;
	}
	return 0;
}

/* What compiles can be interpreted, unless it is too long. */
static int run_interp(struct filter_case *c, const uint8_t *data, uint32_t len,
		      uint32_t want)
{
	uint32_t got = 0;
	int err;

	if (!c->interp || c->encoded == -E2BIG || c->by_chance)
		return 0;
	if (c->encoded < 0)
		return same(c, "encoder", c->encoded, c->compiled, NULL, data,
			    len);
	err = filter_interp_use(c->interp, c->encoded);
	if (!err)
		err = filter_interp_run(data, len, &got);
	return same(c, "interpreter", got, want, err ? strerror(-err) : NULL,
		    data, len);
}

/* The socket gives at most the untagged frame. */
static int run_wire(struct filter_case *c, const uint8_t *data, uint32_t len,
		    uint32_t want)
{
	const int got = filter_wire_run(c->wire, data, len);
	const uint32_t seen = len - 4 * pcf_frame_tagged(data, len);

	if (got == -EMSGSIZE)
		return 0;
	return same(c, "packet socket", got, want < seen ? want : seen,
		    got < 0 ? strerror(-got) : NULL, data, len);
}

int filter_case_run(struct filter_case *c, const uint8_t *data, uint32_t len)
{
	const uint32_t want = filter_case_expect(c, data, len);

	if (!c->compiled && run_machine(c, data, len, want))
		return 1;
	if (run_kernel(c, data, len, want) || run_interp(c, data, len, want))
		return 1;
	return c->wire ? run_wire(c, data, len, want) : 0;
}
