/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The programs of one capture, and which of them is in its slot of the root.
 *
 *	all	no filter: every packet matches; loaded while that is allowed
 *	leave	the same, and every packet goes on to the host
 *	filter	with the filter in force
 *	interp	reads its filter from a map (code_map.h), for when the
 *		privilege to load one is gone
 *
 * Each filter has an epoch, by which the reader tells what it let through from
 * what the former one did. Knows nothing of what the programs do with packets:
 * the backend loads them.
 */
#ifndef PCF_SLOT_H
#define PCF_SLOT_H

#include "backend/backend.h"
#include "backend/hints.h"
#include "backend/root.h"

/* What one program shall be like. */
struct pcf_slot_want {
	pcf_emit_filter emit;	/* NULL: every packet matches */
	void *arg;
	uint32_t epoch;
	int epoch_at;		/* else it is on the stack, at R10 + this */
	bool leave;		/* every packet goes on */
};

/* The program's descriptor, or negative errno with the reason in `why`. */
typedef int (*pcf_slot_load)(struct pcf_backend *b,
			     const struct pcf_slot_want *want, char *why,
			     size_t size);

struct pcf_slot {
	struct pcf_root root;
	struct pcf_backend *backend;
	pcf_slot_load load;
	int all, leave, filter, interp; /* -1 none */
	struct pcf_code_map *code;	/* of interp */
	uint32_t epoch;			/* in force, 0 none */
	uint32_t epochs;		/* so far */
	bool armed, leaving;
	pcf_emit_filter keep;		/* what is left to the host */
	void *keep_arg;
};

void pcf_slot_init(struct pcf_slot *s, struct pcf_backend *b,
		   pcf_slot_load load);
/* Attach to the interface: by its root, or, where hints are wanted, alone, and
 * then say what programs are to be made for. 0 or negative errno. */
int pcf_slot_open(struct pcf_slot *s, const struct pcf_open *how,
		  struct pcf_hints_env *hints, char *why, size_t size);
/* Load the program without filter. */
int pcf_slot_prepare(struct pcf_slot *s, char *why, size_t size);
/* The slot first: from then on packets go to the host again. */
void pcf_slot_close(struct pcf_slot *s);

/* The operations of struct pcf_backend_ops. Who calls hands `epoch` on to its
 * queues when it may have changed. */
int pcf_slot_arm(struct pcf_slot *s, bool on);
int pcf_slot_set_filter(struct pcf_slot *s, pcf_emit_filter emit, void *arg,
			char *why, size_t size);
int pcf_slot_set_interpreter(struct pcf_slot *s, struct pcf_code_map *map,
			     pcf_emit_filter emit, void *arg, int epoch_at);
int pcf_slot_set_code(struct pcf_slot *s, const struct pcf_code *code,
		      unsigned n, char *why, size_t size);
/* `may_leave`: the backend has the program `leave`, too. */
int pcf_slot_set_keep(struct pcf_slot *s, pcf_emit_filter emit, void *arg,
		      bool may_leave, char *why, size_t size);

#endif
