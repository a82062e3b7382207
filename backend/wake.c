/* SPDX-License-Identifier: BSD-3-Clause */
/* Being woken by a program; see wake.h. */
#include "backend/wake.h"

#include "compat/ebpf.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static void *map_page(int fd, long offset, int prot)
{
	void *p =
		mmap(NULL, sysconf(_SC_PAGESIZE), prot, MAP_SHARED, fd, offset);

	return p == MAP_FAILED ? NULL : p;
}

int pcf_wake_open(struct pcf_wake *w)
{
	long page = sysconf(_SC_PAGESIZE);

	w->map = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "pcf_wake", 0, 0, page,
				NULL);
	if (w->map < 0)
		return w->map;
	w->consumer = map_page(w->map, 0, PROT_READ | PROT_WRITE);
	w->producer = map_page(w->map, page, PROT_READ);
	return w->consumer && w->producer ? 0 : -errno;
}

void pcf_wake_close(struct pcf_wake *w)
{
	long page = sysconf(_SC_PAGESIZE);

	if (w->consumer)
		munmap((void *)w->consumer, page);
	if (w->producer)
		munmap((void *)w->producer, page);
	if (w->map >= 0)
		close(w->map);
}

void pcf_wake_emit(struct pcf_ebpf *e, int map, int at)
{
	pcf_load_map_fd(e, BPF_REG_1, map);
	pcf_mov64_reg(e, BPF_REG_2, BPF_REG_10);
	pcf_alu64_imm(e, BPF_ADD, BPF_REG_2, at);
	pcf_mov64_imm(e, BPF_REG_3, 8);
	pcf_mov64_imm(e, BPF_REG_4, BPF_RB_FORCE_WAKEUP);
	pcf_call(e, BPF_FUNC_ringbuf_output);
}
