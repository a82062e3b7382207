/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The generator's sender by BPF_PROG_TEST_RUN over live frames; see send.h.
 *
 * The kernel makes frames from one template, keeps their pages in a pool and
 * does not restore a page that comes back. So whatever differs from frame to
 * frame, and whatever a receiver may have written, is written by the program:
 * the Ethernet header (a VLAN tag is taken out in place), the source port and
 * the number, counted in a map.
 */
#include "compat/ebpf.h"
#include "tests/gen/send.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Frames in one call, 0.1 to 0.4 s of time. Each call makes and tears
 * down a page pool, which takes 20 ms. So a lower rate is kept inside of the
 * call: the program drops what is not yet due. */
#define BURST	    (1 << 18)
#define BURST_PACED (1 << 21)
#define BATCH	    64
#define CATCH_UP    100000 /* nanoseconds */

/* What the program and xdp_send() share, in the map. */
struct state {
	uint64_t number; /* of the next frame */
	uint64_t end;	 /* paced: the number at which to stop */
	uint64_t due;	 /* paced: when the next frame may go */
};

struct xdp_sender {
	struct pcf_sender base;
	const struct pcf_frame *frame;
	int prog, map;
	uint32_t interval; /* paced: nanoseconds from frame to frame, else 0 */
	uint8_t data[PCF_FRAME_MAX];
};

/* Is every frame the template, down to the last byte? */
static bool all_alike(const struct xdp_sender *s)
{
	const struct pcf_frame *f = s->frame;

	return !f->numbered && f->flows == 1 && f->vlan < 0 && !s->interval;
}

/* r6 = data; no frame reaches the device when it is shorter than `need`. */
static void emit_bounds(struct pcf_ebpf *e, int need, int drop)
{
	pcf_load(e, BPF_W, BPF_REG_6, BPF_REG_1, offsetof(struct xdp_md, data));
	pcf_load(e, BPF_W, BPF_REG_7, BPF_REG_1,
		 offsetof(struct xdp_md, data_end));
	pcf_mov64_reg(e, BPF_REG_2, BPF_REG_6);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_2, need);
	pcf_jump_reg(e, BPF_JGT, BPF_REG_2, BPF_REG_7, drop);
}

/* r4 = number of this frame. One processor runs the program: no atomics. */
static void emit_count(struct pcf_ebpf *e, int map)
{
	pcf_load_map_value(e, BPF_REG_3, map, offsetof(struct state, number));
	pcf_load(e, BPF_DW, BPF_REG_4, BPF_REG_3, 0);
	pcf_mov64_reg(e, BPF_REG_5, BPF_REG_4);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_5, 1);
	pcf_store(e, BPF_DW, BPF_REG_3, 0, BPF_REG_5);
}

/* Drop unless the next frame is due and wanted. Of a longer pause only the
 * last bit is made up for: more would be a burst that overruns the receiver. */
static void emit_pace(struct pcf_ebpf *e, const struct xdp_sender *s, int drop)
{
	int in_time = pcf_ebpf_label(e);

	pcf_call(e, BPF_FUNC_ktime_get_ns);
	pcf_load_map_value(e, BPF_REG_3, s->map, 0);
	pcf_load(e, BPF_DW, BPF_REG_1, BPF_REG_3, offsetof(struct state, due));
	pcf_jump_reg(e, BPF_JLT, BPF_REG_0, BPF_REG_1, drop);
	pcf_load(e, BPF_DW, BPF_REG_4, BPF_REG_3,
		 offsetof(struct state, number));
	pcf_load(e, BPF_DW, BPF_REG_2, BPF_REG_3, offsetof(struct state, end));
	pcf_jump_reg(e, BPF_JGE, BPF_REG_4, BPF_REG_2, drop);
	pcf_alu64_imm(e, BPF_SUB, BPF_REG_0, CATCH_UP);
	pcf_jump_reg(e, BPF_JGE, BPF_REG_1, BPF_REG_0, in_time);
	pcf_mov64_reg(e, BPF_REG_1, BPF_REG_0);
	pcf_ebpf_bind(e, in_time);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_1, s->interval);
	pcf_store(e, BPF_DW, BPF_REG_3, offsetof(struct state, due), BPF_REG_1);
}

/* The low `bytes` of a register as big-endian bytes of the frame, of which
 * the first `room` exist. */
static void emit_big_endian(struct pcf_ebpf *e, int reg, int off, int bytes,
			    int room)
{
	for (int i = 0; i < bytes && i < room; i++) {
		pcf_mov64_reg(e, BPF_REG_2, reg);
		pcf_alu64_imm(e, BPF_RSH, BPF_REG_2, 8 * (bytes - 1 - i));
		pcf_store(e, BPF_B, BPF_REG_6, off + i, BPF_REG_2);
	}
}

static void emit_rewrite(struct pcf_ebpf *e, const struct xdp_sender *s)
{
	const struct pcf_frame *f = s->frame;
	int number = pcf_frame_number_offset(f), size = f->size;

	for (int i = 0; i < size && i < 18; i++)
		pcf_store_imm(e, BPF_B, BPF_REG_6, i, s->data[i]);
	emit_count(e, s->map);
	if (pcf_frame_has_ports(f)) {
		pcf_mov64_reg(e, BPF_REG_5, BPF_REG_4);
		pcf_alu64_imm(e, BPF_MOD, BPF_REG_5, f->flows);
		pcf_alu64_imm(e, BPF_ADD, BPF_REG_5, PCF_FRAME_FIRST_PORT);
		emit_big_endian(e, BPF_REG_5, pcf_frame_port_offset(f), 2, 2);
	}
	if (f->numbered)
		emit_big_endian(e, BPF_REG_4, number, 8, size - number);
}

static void emit_redirect(struct pcf_ebpf *e, int ifindex)
{
	pcf_mov64_imm(e, BPF_REG_1, ifindex);
	pcf_mov64_imm(e, BPF_REG_2, 0);
	pcf_call(e, BPF_FUNC_redirect);
	pcf_exit(e);
}

static void emit_program(struct pcf_ebpf *e, const struct xdp_sender *s,
			 int ifindex)
{
	int number_end = pcf_frame_number_offset(s->frame) + 8;
	int size = s->frame->size;
	int drop;

	if (all_alike(s)) {
		emit_redirect(e, ifindex);
		return;
	}
	drop = pcf_ebpf_label(e);
	emit_bounds(e, size < number_end ? size : number_end, drop);
	if (s->interval)
		emit_pace(e, s, drop);
	emit_rewrite(e, s);
	emit_redirect(e, ifindex);
	pcf_ebpf_bind(e, drop);
	pcf_mov64_imm(e, BPF_REG_0, XDP_DROP);
	pcf_exit(e);
}

static int load_program(struct xdp_sender *s, int ifindex)
{
	struct pcf_ebpf e;
	int fd;

	pcf_ebpf_init(&e);
	emit_program(&e, s, ifindex);
	fd = pcf_ebpf_finish(&e);
	if (!fd)
		fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "pcf_gen", "Dual BSD/GPL",
				   e.insns, e.len, NULL);
	pcf_ebpf_free(&e);
	return fd;
}

/* Without a rate to keep, each frame made is a frame sent. */
static int xdp_send(struct pcf_sender *base, uint64_t first, unsigned n)
{
	struct xdp_sender *s = (struct xdp_sender *)base;
	struct state state = { .number = first, .end = first + n };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = s->data,
		    .data_size_in = s->frame->size,
		    .repeat = s->interval ? BURST_PACED : n,
		    .batch_size = BATCH, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	uint32_t zero = 0;
	int err = bpf_map_update_elem(s->map, &zero, &state, BPF_ANY);

	if (!err)
		err = bpf_prog_test_run_opts(s->prog, &opts);
	if (!err && s->interval) {
		err = bpf_map_lookup_elem(s->map, &zero, &state);
		n = state.number - first;
	}
	return err ? err : (int)n;
}

static void xdp_close(struct pcf_sender *base)
{
	struct xdp_sender *s = (struct xdp_sender *)base;

	if (s->prog >= 0)
		close(s->prog);
	if (s->map >= 0)
		close(s->map);
	free(s);
}

int pcf_send_xdp(const struct pcf_frame *frame, int ifindex, uint64_t pps,
		 struct pcf_sender **sender)
{
	struct xdp_sender *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->base = (struct pcf_sender){ xdp_send, xdp_close, BURST };
	s->frame = frame;
	s->prog = -1;
	s->interval = pps ? 1000000000 / pps : 0;
	pcf_frame_template(frame, s->data);
	s->map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "pcf_gen", 4,
				sizeof(struct state), 1, NULL);
	if (s->map >= 0)
		s->prog = load_program(s, ifindex);
	err = s->map < 0 ? s->map : s->prog;
	if (err < 0) {
		xdp_close(&s->base);
		return err;
	}
	*sender = &s->base;
	return 0;
}
