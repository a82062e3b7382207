/* SPDX-License-Identifier: BSD-3-Clause */
/* The map with an interpreted filter; see code_map.h. */
#include "backend/code_map.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(struct pcf_code) == 16, "the program multiplies by 16");

static size_t map_size(void)
{
	const size_t page = sysconf(_SC_PAGESIZE);

	return (sizeof(struct pcf_code_area) + page - 1) / page * page;
}

int pcf_code_map_open(struct pcf_code_map *m)
{
	LIBBPF_OPTS(bpf_map_create_opts, shared, .map_flags = BPF_F_MMAPABLE);
	int err, fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "pcf_code", 4,
				     sizeof(*m->area), 1, &shared);
	void *area;

	*m = (struct pcf_code_map){ 0 };
	if (fd < 0)
		return fd;
	area = mmap(NULL, map_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    0);
	if (area == MAP_FAILED) {
		err = -errno;
		close(fd);
		return err;
	}
	m->fd = fd;
	m->area = area;
	return 0;
}

void pcf_code_map_close(struct pcf_code_map *m)
{
	if (m->area) {
		munmap(m->area, map_size());
		close(m->fd);
	}
	*m = (struct pcf_code_map){ 0 };
}

/* A program that began before the last change may still read the bank that is
 * to be written. It runs inside an RCU read section, and this is the one way to
 * wait for all of them that is open to everybody. */
static int wait_for_programs(void)
{
	return syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) ? -errno
								     : 0;
}

int pcf_code_map_put(struct pcf_code_map *m, const struct pcf_code *code,
		     unsigned n, uint32_t epoch)
{
	const unsigned bank = !m->bank;
	struct pcf_code *to;
	int err;

	if (n >= PCF_CODE_BANK)
		return -E2BIG;
	/* Each bank is fresh once. */
	err = m->puts >= 2 ? wait_for_programs() : 0;
	if (err)
		return err;
	to = &m->area->code[bank * PCF_CODE_BANK];
	to->k = epoch;
	memcpy(to + 1, code, n * sizeof(*code));
	/* Pairs with the program's reading of `start` and then, by an address
	 * made from it, of the code. */
	__atomic_store_n(&m->area->start, bank * PCF_CODE_BANK,
			 __ATOMIC_RELEASE);
	m->bank = bank;
	m->puts++;
	return 0;
}
