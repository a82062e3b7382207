/* SPDX-License-Identifier: BSD-3-Clause */
/* Which of a capture's programs is in its slot; see slot.h. */
#include "backend/slot.h"

#include "backend/alone.h"
#include "backend/code_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static int failed(int err, const char *what, char *why, size_t size)
{
	snprintf(why, size, "%s: %s", what, strerror(-err));
	return err;
}

void pcf_slot_init(struct pcf_slot *s, struct pcf_backend *b,
		   pcf_slot_load load)
{
	*s = (struct pcf_slot){ .root = PCF_ROOT_INIT,
				.backend = b,
				.load = load,
				.all = -1,
				.leave = -1,
				.filter = -1,
				.interp = -1 };
}

int pcf_slot_open(struct pcf_slot *s, const struct pcf_open *how,
		  struct pcf_hints_env *hints, char *why, size_t size)
{
	int err;

	if (!pcf_open_alone(how))
		return pcf_root_open(&s->root, how->ifindex, how->generic, why,
				     size);
	err = pcf_alone_open(&s->root, how->ifindex, why, size);
	return err ? err :
		     pcf_alone_hints(&s->root, how->want_time, how->want_hash,
				     hints, why, size);
}

void pcf_slot_close(struct pcf_slot *s)
{
	pcf_root_close(&s->root);
	close_fd(s->all);
	close_fd(s->leave);
	close_fd(s->filter);
	close_fd(s->interp);
}

/* What the slot holds when it is armed, with this filter or (-1) none. */
static int program(const struct pcf_slot *s, int filter)
{
	if (filter >= 0)
		return filter;
	return s->leaving ? s->leave : s->all;
}

int pcf_slot_arm(struct pcf_slot *s, bool on)
{
	int err = pcf_root_set(&s->root, on ? program(s, s->filter) : -1);

	if (!err)
		s->armed = on;
	return err;
}

/* Swap programs in one step; packets that the former one let through keep its
 * epoch and are told apart by it. `filter` is ours from then on. */
static int swap(struct pcf_slot *s, int filter, uint32_t epoch)
{
	int prog = program(s, filter);
	int err = s->armed ? pcf_root_set(&s->root, prog) : 0;

	if (err)
		return err;
	close_fd(s->filter);
	s->filter = filter;
	s->epoch = epoch;
	return 0;
}

/* Going back to no filter needs no privilege: that program is loaded. */
int pcf_slot_set_filter(struct pcf_slot *s, pcf_emit_filter emit, void *arg,
			char *why, size_t size)
{
	struct pcf_slot_want want = { .emit = emit, .arg = arg };
	int err, prog = -1;

	if (emit) {
		want.epoch = ++s->epochs;
		prog = s->load(s->backend, &want, why, size);
		if (prog < 0)
			return prog;
	}
	err = swap(s, prog, want.epoch);
	if (!err)
		return 0;
	close_fd(prog);
	return failed(err, "cannot swap the program", why, size);
}

int pcf_slot_set_interpreter(struct pcf_slot *s, struct pcf_code_map *map,
			     pcf_emit_filter emit, void *arg, int epoch_at)
{
	struct pcf_slot_want want = { .emit = emit,
				      .arg = arg,
				      .epoch_at = epoch_at };
	char ignored[256];
	int prog = s->load(s->backend, &want, ignored, sizeof(ignored));

	if (prog < 0)
		return prog;
	s->interp = prog;
	s->code = map;
	return 0;
}

/* The program that reads its filter as it runs is put into the slot as others
 * are; while it is there, a change of its code changes nothing else. */
int pcf_slot_set_code(struct pcf_slot *s, const struct pcf_code *code,
		      unsigned n, char *why, size_t size)
{
	int prog = fcntl(s->interp, F_DUPFD_CLOEXEC, 0);
	int err = prog < 0 ? -errno : 0;

	if (!err)
		err = pcf_code_map_put(s->code, code, n, ++s->epochs);
	if (!err)
		err = swap(s, prog, s->epochs);
	if (!err)
		return 0;
	close_fd(prog);
	return failed(err, "cannot change the filter", why, size);
}

static int reload(struct pcf_slot *s, bool leave, int *prog, char *why,
		  size_t size)
{
	struct pcf_slot_want want = { .leave = leave };
	int fd = s->load(s->backend, &want, why, size);

	if (fd < 0)
		return fd;
	close_fd(*prog);
	*prog = fd;
	return 0;
}

int pcf_slot_prepare(struct pcf_slot *s, char *why, size_t size)
{
	return reload(s, false, &s->all, why, size);
}

/* Both programs now: later there may be no privilege for it. */
int pcf_slot_set_keep(struct pcf_slot *s, pcf_emit_filter emit, void *arg,
		      bool may_leave, char *why, size_t size)
{
	int err;

	s->keep = emit;
	s->keep_arg = arg;
	err = reload(s, false, &s->all, why, size);
	if (!err && may_leave)
		err = reload(s, true, &s->leave, why, size);
	return err;
}
