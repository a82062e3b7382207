/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Prologue and epilogue around a filter, for the program of an exclusive
 * handle by AF_XDP sockets; and how any program is loaded. Knows the maps and
 * the verdicts, not what the filter does.
 *
 * Registers: R6 context and R8 RX queue, both kept by the filter; R7 the bytes
 * to keep, from the filter.
 */
#include "backend/prog.h"

#include "backend/alone.h"
#include "backend/wake.h"
#include "compat/ebpf.h"
#include "compat/kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(struct pcf_meta) == PCF_META_SIZE, "metadata layout");
_Static_assert(sizeof(struct pcf_ctl) == 64, "one cache line");

#define XDP_MD(field) offsetof(struct xdp_md, field)
#define META(field) offsetof(struct pcf_meta, field)
#define CTL(field) offsetof(struct pcf_ctl, field)

struct labels {
	int match, nomatch, redirect, no_meta, pass;
};

/* R6 = context, R8 = queue; a queue beyond the control map is nobody's. */
static void emit_prologue(struct pcf_ebpf *e, const struct pcf_prog_env *env,
			  const struct labels *l)
{
	pcf_mov64_reg(e, BPF_REG_6, BPF_REG_1);
	pcf_load(e, BPF_W, BPF_REG_8, BPF_REG_6, XDP_MD(rx_queue_index));
	pcf_jump_imm(e, BPF_JGE, BPF_REG_8, env->rx_queues, l->pass);
}

/* dst = this queue's struct pcf_ctl */
static void emit_ctl(struct pcf_ebpf *e, const struct pcf_prog_env *env,
		     int dst, int tmp)
{
	pcf_load_map_value(e, dst, env->ctl_map, 0);
	pcf_mov64_reg(e, tmp, BPF_REG_8);
	pcf_alu64_imm(e, BPF_LSH, tmp, 6);
	pcf_alu64_reg(e, BPF_ADD, dst, tmp);
}

static void emit_count(struct pcf_ebpf *e, const struct pcf_prog_env *env,
		       int offset)
{
	emit_ctl(e, env, BPF_REG_1, BPF_REG_2);
	if (env->generic) {
		pcf_mov64_imm(e, BPF_REG_2, 1);
		pcf_atomic_add64(e, BPF_REG_1, offset, BPF_REG_2);
		return;
	}
	pcf_load(e, BPF_DW, BPF_REG_2, BPF_REG_1, offset);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_2, 1);
	pcf_store(e, BPF_DW, BPF_REG_1, offset, BPF_REG_2);
}

/* On the stack, once the filter is done with it. */
#define COUNT (-16)

/* The count is not ordered against a reader that just goes to sleep: then the
 * next packet wakes it. */
static void emit_matched(struct pcf_ebpf *e, const struct pcf_prog_env *env)
{
	int sleeps_on = pcf_ebpf_label(e);

	emit_count(e, env, CTL(matched));
	pcf_load(e, BPF_DW, BPF_REG_2, BPF_REG_1, CTL(matched));
	pcf_load(e, BPF_DW, BPF_REG_3, BPF_REG_1, CTL(wake_at));
	pcf_jump_reg(e, BPF_JGT, BPF_REG_3, BPF_REG_2, sleeps_on);
	pcf_store_imm(e, BPF_DW, BPF_REG_1, CTL(wake_at), -1);
	pcf_store(e, BPF_DW, BPF_REG_10, COUNT, BPF_REG_2);
	pcf_wake_emit(e, env->wake_map, COUNT);
	pcf_ebpf_bind(e, sleeps_on);
}

void pcf_prog_epoch(struct pcf_ebpf *e, uint32_t epoch, int epoch_at, int dst,
		    int off)
{
	if (!epoch_at) {
		pcf_store_imm(e, BPF_W, dst, off, epoch);
		return;
	}
	pcf_load(e, BPF_W, BPF_REG_1, BPF_REG_10, epoch_at);
	pcf_store(e, BPF_W, dst, off, BPF_REG_1);
}

/* Write the metadata; R9 points at it. The driver is asked before that: its own
 * header of the packet, with the hash, may lie where metadata goes (virtio). */
static void emit_stamp(struct pcf_ebpf *e, const struct pcf_prog_env *env,
		       const struct labels *l)
{
	const int extra = env->hints ? PCF_HINTS_SIZE : 0;

	if (env->hints)
		pcf_hints_ask(e, env->hints);
	pcf_mov64_reg(e, BPF_REG_1, BPF_REG_6);
	pcf_mov64_imm(e, BPF_REG_2, -PCF_META_SIZE - extra);
	pcf_call(e, BPF_FUNC_xdp_adjust_meta);
	pcf_jump_imm(e, BPF_JNE, BPF_REG_0, 0, l->no_meta);
	pcf_load(e, BPF_W, BPF_REG_9, BPF_REG_6, XDP_MD(data_meta));
	pcf_load(e, BPF_W, BPF_REG_1, BPF_REG_6, XDP_MD(data));
	pcf_mov64_reg(e, BPF_REG_2, BPF_REG_9);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_2, PCF_META_SIZE + extra);
	pcf_jump_reg(e, BPF_JGT, BPF_REG_2, BPF_REG_1, l->no_meta);
	pcf_call(e, BPF_FUNC_ktime_get_tai_ns);
	pcf_store(e, BPF_DW, BPF_REG_9, extra + META(time), BPF_REG_0);
	pcf_prog_epoch(e, env->epoch, env->epoch_at, BPF_REG_9,
		       extra + META(epoch));
	pcf_store(e, BPF_W, BPF_REG_9, extra + META(keep), BPF_REG_7);
	if (env->hints)
		pcf_hints_store(e, BPF_REG_9, 0);
}

/* A queue without a socket (not asked for, or its owner died) passes. */
static void emit_redirect(struct pcf_ebpf *e, const struct pcf_prog_env *env)
{
	pcf_load_map_fd(e, BPF_REG_1, env->xsk_map);
	pcf_mov64_reg(e, BPF_REG_2, BPF_REG_8);
	pcf_mov64_imm(e, BPF_REG_3, XDP_PASS);
	pcf_call(e, BPF_FUNC_redirect_map);
	pcf_exit(e);
}

static void emit_no_meta(struct pcf_ebpf *e, const struct pcf_prog_env *env,
			 const struct labels *l)
{
	emit_ctl(e, env, BPF_REG_1, BPF_REG_2);
	pcf_store_imm(e, BPF_W, BPF_REG_1, CTL(no_meta), 1);
	pcf_ja(e, l->redirect);
}

/* Metadata on a packet that goes on to the host would keep GRO from merging
 * it, so a queue without a socket leaves before it is written. */
static void emit_has_socket(struct pcf_ebpf *e, const struct pcf_prog_env *env,
			    const struct labels *l)
{
	pcf_store(e, BPF_W, BPF_REG_10, -4, BPF_REG_8);
	pcf_load_map_fd(e, BPF_REG_1, env->xsk_map);
	pcf_mov64_reg(e, BPF_REG_2, BPF_REG_10);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_2, -4);
	pcf_call(e, BPF_FUNC_map_lookup_elem);
	pcf_jump_imm(e, BPF_JEQ, BPF_REG_0, 0, l->pass);
}

void pcf_prog_may_not_match(struct pcf_ebpf *e, int nomatch)
{
	pcf_mov64_imm(e, BPF_REG_0, 0);
	pcf_jump_imm(e, BPF_JNE, BPF_REG_0, 0, nomatch);
}

static void emit_rest(struct pcf_ebpf *e, const struct pcf_prog_env *env)
{
	if (!env->drop_rest)
		return;
	emit_count(e, env, CTL(rest));
	pcf_mov64_imm(e, BPF_REG_0, XDP_DROP);
	pcf_exit(e);
}

static int emit_keep(struct pcf_ebpf *e, const struct pcf_prog_env *env,
		     const struct labels *l, char *why, size_t size)
{
	int go_on = pcf_ebpf_label(e), err;

	if (!env->keep)
		return 0;
	err = env->keep(env->keep_arg, e, l->pass, go_on, why, size);
	pcf_ebpf_bind(e, go_on);
	return err;
}

static int emit_program(struct pcf_ebpf *e, const struct pcf_prog_env *env,
			pcf_emit_filter emit, void *arg, char *why, size_t size)
{
	struct labels l = { pcf_ebpf_label(e), pcf_ebpf_label(e),
			    pcf_ebpf_label(e), pcf_ebpf_label(e),
			    pcf_ebpf_label(e) };
	int err;

	emit_prologue(e, env, &l);
	err = emit_keep(e, env, &l, why, size);
	if (err)
		return err;
	pcf_prog_may_not_match(e, l.nomatch);
	if (emit) {
		err = emit(arg, e, l.match, l.nomatch, why, size);
	} else {
		pcf_mov32_imm(e, BPF_REG_7, -1);
		pcf_ja(e, l.match);
	}
	pcf_ebpf_bind(e, l.match);
	emit_has_socket(e, env, &l);
	emit_matched(e, env);
	emit_stamp(e, env, &l);
	pcf_ebpf_bind(e, l.redirect);
	emit_redirect(e, env);
	pcf_ebpf_bind(e, l.no_meta);
	emit_no_meta(e, env, &l);
	pcf_ebpf_bind(e, l.nomatch);
	emit_rest(e, env);
	pcf_ebpf_bind(e, l.pass);
	pcf_mov64_imm(e, BPF_REG_0, XDP_PASS);
	pcf_exit(e);
	return err;
}

/* The verifier's last words: the line before its statistics. */
static void last_line(const char *log, char *why, size_t size)
{
	const char *end = strstr(log, "processed ");
	const char *start;

	if (!end)
		end = log + strlen(log);
	while (end > log && end[-1] == '\n')
		end--;
	start = end;
	while (start > log && start[-1] != '\n')
		start--;
	snprintf(why, size, "the kernel's verifier refuses it: %.*s",
		 (int)(end - start), start);
}

/* All programs behind one prog_array must agree on frags support, so all have
 * it; a driver without it takes such a program all the same. */
static int load(const struct pcf_ebpf *e, const char *name,
		const struct pcf_hints_env *hints, char *log, size_t log_size)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .prog_flags = BPF_F_XDP_HAS_FRAGS, .log_buf = log,
		    .log_size = log_size, .log_level = log ? 1 : 0);

	if (hints) {
		name = PCF_ALONE_NAME;
		opts.prog_flags |= BPF_F_XDP_DEV_BOUND_ONLY;
		opts.prog_ifindex = hints->ifindex;
	}
	return bpf_prog_load(BPF_PROG_TYPE_XDP, name, "Dual BSD/GPL", e->insns,
			     e->len, &opts);
}

/* Once more, for the reason. A log that does not fit is cut at its beginning
 * by newer kernels, which is the end that is not needed. */
static void ask_why(const struct pcf_ebpf *e, const char *name,
		    const struct pcf_hints_env *hints, char *why, size_t size)
{
	char log[8192] = "";
	int fd = load(e, name, hints, log, sizeof(log));

	if (fd >= 0)
		close(fd);
	log[sizeof(log) - 1] = '\0';
	if (*log)
		last_line(log, why, size);
}

/* By this map others find who has the interface alone. */
static int bind_owners(int prog, const struct pcf_hints_env *hints)
{
	int err = hints ? bpf_prog_bind_map(prog, hints->owners, NULL) : 0;

	if (!err)
		return prog;
	close(prog);
	return err;
}

int pcf_prog_load_for(struct pcf_ebpf *e, const char *name,
		      const struct pcf_hints_env *hints, char *why,
		      size_t size)
{
	int fd, err = pcf_ebpf_finish(e);

	if (err) {
		snprintf(why, size, "cannot build the XDP program: %s",
			 strerror(-err));
		return err;
	}
	fd = load(e, name, hints, NULL, 0);
	if (fd >= 0)
		fd = bind_owners(fd, hints);
	if (fd >= 0)
		return fd;
	snprintf(why, size, "cannot load the XDP program: %s", strerror(-fd));
	if (fd != -EPERM)
		ask_why(e, name, hints, why, size);
	return fd;
}

int pcf_prog_load(struct pcf_ebpf *e, const char *name, char *why, size_t size)
{
	return pcf_prog_load_for(e, name, NULL, why, size);
}

int pcf_prog_exclusive(const struct pcf_prog_env *env, pcf_emit_filter emit,
		       void *arg, char *why, size_t size)
{
	struct pcf_ebpf e;
	int err;

	pcf_ebpf_init(&e);
	err = emit_program(&e, env, emit, arg, why, size);
	if (!err)
		err = pcf_prog_load_for(&e, "pcf_exclusive", env->hints, why,
					size);
	pcf_ebpf_free(&e);
	return err;
}
