/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the adapter knows of packets: the part of a program that asks the
 * driver, run in the kernel with functions of the test's in the driver's place;
 * and what the reader makes of the answers, over plain memory.
 */
#include "backend/af_xdp.h"
#include "backend/hints.h"
#include "backend/ring.h"
#include "compat/ebpf.h"
#include "compat/kernel.h"
#include "tests/unit.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Ids that the test knows again. */
#define TIME_ID 1111
#define HASH_ID 2222

/* --- reading ------------------------------------------------------------- */

#define MOST 8

static struct pcf_pkt pkts[MOST];
static bool plain;

static unsigned rx(const struct pcf_rx_ops *ops, struct pcf_queue *q)
{
	uint64_t frames[MOST];
	struct pcf_show show = { .pkts = pkts,
				 .frames = frames,
				 .flags = 5 * PCF_PKT_PLACE,
				 .snaplen = 65535 };
	unsigned n = ops->rx(q, &show, MOST);

	for (unsigned i = 0; i < n; i++)
		CU_ASSERT_EQUAL(pkts[i].flags / PCF_PKT_PLACE, 5 + i);
	plain = show.plain;
	return n;
}

static uint32_t flags_of(unsigned i)
{
	return pkts[i].flags % PCF_PKT_PLACE;
}

/* As if they had just been shown. */
static uint32_t flags_for(const struct pcf_hints *h)
{
	struct pcf_show show = { .plain = true };
	struct pcf_pkt pkt = { .flags = 0 };

	pcf_show_hints(&show, &pkt, h);
	CU_ASSERT_EQUAL(show.plain, !h->time);
	return pkt.flags;
}

/* --- the program --------------------------------------------------------- */

struct driver {
	uint64_t time;
	int time_rc;
	uint32_t hash;
	int hash_rc;
	bool no_type; /* XDP_RSS_TYPE_NONE */
};

static void write_time(struct pcf_ebpf *e, const struct driver *d)
{
	pcf_load_imm64(e, BPF_REG_1, d->time);
	pcf_store(e, BPF_DW, BPF_REG_2, 0, BPF_REG_1);
	pcf_mov32_imm(e, BPF_REG_0, d->time_rc);
	pcf_exit(e);
}

static void write_hash(struct pcf_ebpf *e, const struct driver *d)
{
	pcf_store_imm(e, BPF_W, BPF_REG_2, 0, (int32_t)d->hash);
	pcf_store_imm(e, BPF_W, BPF_REG_3, 0, d->no_type ? 0 : 7);
	pcf_mov32_imm(e, BPF_REG_0, d->hash_rc);
	pcf_exit(e);
}

/* The one call of `id` becomes one of the function that begins at `at`. */
static bool divert(struct pcf_ebpf *e, int32_t id, unsigned at)
{
	unsigned found = 0;

	for (unsigned i = 0; i < e->len; i++) {
		struct bpf_insn *insn = &e->insns[i];

		if (insn->code != (BPF_JMP | BPF_CALL) || insn->imm != id ||
		    insn->src_reg != BPF_PSEUDO_KFUNC_CALL)
			continue;
		insn->src_reg = BPF_PSEUDO_CALL;
		insn->imm = (int)at - (int)i - 1;
		found++;
	}
	return found == 1;
}

/* Asks, and stores in the map's value behind 8 bytes that must stay. */
static void emit(struct pcf_ebpf *e, const struct pcf_hints_env *env, int map,
		 const struct driver *d)
{
	unsigned at;

	pcf_mov64_reg(e, BPF_REG_6, BPF_REG_1);
	pcf_hints_ask(e, env);
	pcf_load_map_value(e, BPF_REG_9, map, 0);
	pcf_hints_store(e, BPF_REG_9, 8);
	pcf_mov64_imm(e, BPF_REG_0, XDP_PASS);
	pcf_exit(e);
	at = e->len;
	if (env->time) {
		write_time(e, d);
		CU_ASSERT_TRUE(divert(e, TIME_ID, at));
	}
	at = e->len;
	if (env->hash) {
		write_hash(e, d);
		CU_ASSERT_TRUE(divert(e, HASH_ID, at));
	}
}

static int load(const struct pcf_hints_env *env, int map,
		const struct driver *d)
{
	struct pcf_ebpf e;
	int fd;

	pcf_ebpf_init(&e);
	emit(&e, env, map, d);
	fd = pcf_ebpf_finish(&e);
	if (!fd)
		fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "hints", "GPL", e.insns,
				   e.len, NULL);
	pcf_ebpf_free(&e);
	return fd;
}

static void run(int prog, int map, uint8_t *value)
{
	uint8_t frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = sizeof(frame));
	uint32_t key = 0;

	memset(value, 0x55, 32);
	CU_ASSERT_EQUAL(bpf_map_update_elem(map, &key, value, BPF_ANY), 0);
	CU_ASSERT_EQUAL(bpf_prog_test_run_opts(prog, &opts), 0);
	CU_ASSERT_EQUAL(opts.retval, XDP_PASS);
	CU_ASSERT_EQUAL(bpf_map_lookup_elem(map, &key, value), 0);
}

/* False: not allowed to load programs. */
static bool ask(struct driver d, bool time, bool hash, struct pcf_hints *h)
{
	struct pcf_hints_env env = { .time = time ? TIME_ID : 0,
				     .hash = hash ? HASH_ID : 0 };
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "hints", 4, 32, 1, NULL);
	int prog = map < 0 ? map : load(&env, map, &d);
	uint8_t value[32];

	if (prog == -EPERM) {
		pcf_skip("not allowed to load programs");
		return false;
	}
	CU_ASSERT_FATAL(prog >= 0);
	run(prog, map, value);
	memcpy(h, value + 8, sizeof(*h));
	for (int i = 0; i < 8; i++) {
		CU_ASSERT_EQUAL(value[i], 0x55);
		CU_ASSERT_EQUAL(value[24 + i], 0x55);
	}
	close(prog);
	close(map);
	return true;
}

static const struct driver both = { .time = 0x123456789abcdefull,
				    .hash = 0xfeedbeef };

static void answers(void)
{
	struct pcf_hints h;

	if (!ask(both, true, true, &h))
		return;
	CU_ASSERT_EQUAL(h.time, 0x123456789abcdefull);
	CU_ASSERT_EQUAL(h.hash, 0xfeedbeef);
	CU_ASSERT_EQUAL(h.has_hash, 1);
}

/* Zero is a hash like others; as a time it is none. */
static void zero_answers(void)
{
	struct pcf_hints h;

	if (!ask((struct driver){ 0 }, true, true, &h))
		return;
	CU_ASSERT_EQUAL(h.time, 0);
	CU_ASSERT_EQUAL(h.hash, 0);
	CU_ASSERT_EQUAL(flags_for(&h), PCF_PKT_HASH);
}

static void refusals(void)
{
	struct driver d = both;
	struct pcf_hints h;

	d.time_rc = -ENODATA;
	if (!ask(d, true, true, &h))
		return;
	CU_ASSERT_EQUAL(h.time, 0);
	CU_ASSERT_EQUAL(flags_for(&h), PCF_PKT_HASH);
	d = both;
	d.hash_rc = -EOPNOTSUPP;
	CU_ASSERT_TRUE(ask(d, true, true, &h));
	CU_ASSERT_EQUAL(h.time, both.time);
	CU_ASSERT_EQUAL(flags_for(&h), PCF_PKT_ADAPTER_TIME);
	d = both;
	d.no_type = true;
	CU_ASSERT_TRUE(ask(d, true, true, &h));
	CU_ASSERT_EQUAL(h.time, both.time);
	CU_ASSERT_EQUAL(flags_for(&h), PCF_PKT_ADAPTER_TIME);
}

static void only_what_is_wanted(void)
{
	struct pcf_hints h;

	if (!ask(both, true, false, &h))
		return;
	CU_ASSERT_EQUAL(flags_for(&h), PCF_PKT_ADAPTER_TIME);
	CU_ASSERT_TRUE(ask(both, false, true, &h));
	CU_ASSERT_EQUAL(flags_for(&h), PCF_PKT_HASH);
	CU_ASSERT_EQUAL(h.hash, 0xfeedbeef);
}

/* --- AF_XDP sockets ------------------------------------------------------ */

#define FRAMES 16u
#define FRAME  2048u

struct rig {
	struct pcf_queue q;
	struct pcf_ctl ctl;
	uint32_t rx_prod, rx_cons, flags, fill_prod, fill_cons;
	struct xdp_desc rx[FRAMES];
	uint64_t fill[FRAMES];
	uint8_t area[FRAMES * FRAME];
	uint8_t bounce[FRAMES * FRAME];
	uint32_t stack[4];
	struct pcf_hints hints[4];
};

static struct rig *make_rig(void)
{
	struct rig *r = calloc(1, sizeof(*r));

	r->q.rx = (struct xsk_ring_cons){ .mask = FRAMES - 1,
					  .size = FRAMES,
					  .producer = &r->rx_prod,
					  .consumer = &r->rx_cons,
					  .ring = r->rx,
					  .flags = &r->flags };
	r->q.fill = (struct xsk_ring_prod){ .mask = FRAMES - 1,
					    .size = FRAMES,
					    .cached_cons = FRAMES,
					    .producer = &r->fill_prod,
					    .consumer = &r->fill_cons,
					    .ring = r->fill,
					    .flags = &r->flags };
	r->q.bounce = (struct pcf_bounce){ .area = r->bounce,
					   .size = 2 * FRAME,
					   .free = r->stack,
					   .nfree = 4,
					   .count = 4,
					   .hints = r->hints };
	for (uint32_t i = 0; i < 4; i++)
		r->stack[i] = i;
	r->q.area = r->area;
	r->q.area_size = sizeof(r->area);
	r->q.frame_mask = ~((uint64_t)FRAME - 1);
	r->q.ctl = &r->ctl;
	r->q.fd = -1;
	return r;
}

/* A part of a packet, with what the program puts in front of the first. */
static void arrives(struct rig *r, const struct pcf_hints *h, bool more)
{
	uint64_t addr = (r->rx_prod % FRAMES) * FRAME + 256;
	struct pcf_meta m = { .time = 5 * PCF_NSEC, .keep = UINT32_MAX };

	memcpy(r->area + addr - 16, &m, 16);
	if (h)
		memcpy(r->area + addr - 32, h, 16);
	r->rx[r->rx_prod++ % FRAMES] =
		(struct xdp_desc){ addr, 100, more ? XDP_PKT_CONTD : 0 };
	r->ctl.matched++;
}

static const struct pcf_hints full = { .time = 77, .hash = 88, .has_hash = 1 };
static const struct pcf_hints late = { .time = 99 };
static const struct pcf_hints none;

static void through(const struct pcf_rx_ops *ops, bool gathered)
{
	const struct pcf_hints *sent[] = { &full, &none, &late };
	const uint32_t flags[] = { PCF_PKT_ADAPTER_TIME | PCF_PKT_HASH, 0,
				   PCF_PKT_ADAPTER_TIME };
	struct rig *r = make_rig();

	for (int i = 0; i < 3; i++) {
		arrives(r, sent[i], gathered);
		if (gathered)
			arrives(r, NULL, false);
	}
	CU_ASSERT_EQUAL_FATAL(rx(ops, &r->q), 3);
	CU_ASSERT_FALSE(plain);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(flags_of(i), flags[i]);
		CU_ASSERT_EQUAL(pkts[i].ts.tv_sec, 5);
		CU_ASSERT_EQUAL(
			memcmp(ops->hints(&r->q, &pkts[i]), sent[i], 16), 0);
	}
	free(r);
}

static void sockets(void)
{
	through(&pcf_xdp_rx_single_hints, false);
	through(&pcf_xdp_rx_frags_hints, false);
}

static void gathered_packets(void)
{
	through(&pcf_xdp_rx_frags_hints, true);
}

/* Where the driver leaves no room, what lies in front means nothing. */
static void no_room(void)
{
	struct rig *r = make_rig();

	r->ctl.no_meta = 1;
	arrives(r, &full, false);
	CU_ASSERT_EQUAL(rx(&pcf_xdp_rx_single_hints, &r->q), 1);
	CU_ASSERT_EQUAL(flags_of(0), 0);
	free(r);
}

/* A descriptor so near to the beginning that hints would lie before it. */
static void hostile(void)
{
	struct rig *r = make_rig();

	r->rx[r->rx_prod++] = (struct xdp_desc){ 31, 100, 0 };
	CU_ASSERT_EQUAL(rx(&pcf_xdp_rx_single_hints, &r->q), 1);
	CU_ASSERT_EQUAL(flags_of(0), PCF_PKT_BAD);
	free(r);
}

/* --- the direct ring ----------------------------------------------------- */

#define SIZE 65536u

struct ring_rig {
	struct pcf_ring r;
	struct pcf_ring_ctl ctl;
	uint16_t units[SIZE / PCF_RING_UNIT];
	uint8_t bytes[SIZE + PCF_RING_TAIL];
};

static void copied(struct ring_rig *x, const struct pcf_hints *h, uint32_t len)
{
	uint8_t *at = x->bytes + x->ctl.produced % SIZE;
	struct pcf_ring_record rec = { .time = 6 * PCF_NSEC,
				       .len = len,
				       .caplen = len,
				       .keep = UINT32_MAX };

	memcpy(at, h, 16);
	memcpy(at + 16, &rec, PCF_RING_HEADER);
	memset(at + 16 + PCF_RING_HEADER, len, len);
	x->ctl.produced += (16 + PCF_RING_HEADER + len + PCF_RING_UNIT - 1) /
			   PCF_RING_UNIT * PCF_RING_UNIT;
	x->ctl.matched++;
}

/* The second one takes a unit more than it would without hints. */
static void records(void)
{
	const uint32_t lens[] = { 60, 4 * PCF_RING_UNIT - 41, 61 };
	const struct pcf_hints *sent[] = { &full, &none, &late };
	struct ring_rig *x = calloc(1, sizeof(*x));
	const struct pcf_rx_ops *ops = &pcf_ring_rx_hints;
	struct pcf_queue *q = (struct pcf_queue *)&x->r;

	x->r = (struct pcf_ring){ .bytes = x->bytes,
				  .ctl = &x->ctl,
				  .size = SIZE,
				  .units = x->units };
	for (int i = 0; i < 3; i++)
		copied(x, sent[i], lens[i]);
	CU_ASSERT_EQUAL_FATAL(rx(ops, q), 3);
	CU_ASSERT_FALSE(plain);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(pkts[i].caplen, lens[i]);
		CU_ASSERT_EQUAL(pkts[i].data[0], lens[i] & 0xff);
		CU_ASSERT_EQUAL(flags_of(i), flags_for(sent[i]));
		CU_ASSERT_EQUAL(memcmp(ops->hints(q, &pkts[i]), sent[i], 16),
				0);
		CU_ASSERT_EQUAL(ops->time(q, &pkts[i]), 6 * PCF_NSEC);
	}
	free(x);
}

static CU_TestInfo tests[] = {
	PCF_TEST(answers),  PCF_TEST(zero_answers),
	PCF_TEST(refusals), PCF_TEST(only_what_is_wanted),
	PCF_TEST(sockets),  PCF_TEST(gathered_packets),
	PCF_TEST(no_room),  PCF_TEST(hostile),
	PCF_TEST(records),  CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("hints", tests);
}
