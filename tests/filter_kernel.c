/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled filters in the kernel; see filter_kernel.h. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/filter_kernel.h"

static int bpf(int cmd, union bpf_attr *attr)
{
	const long r = syscall(__NR_bpf, cmd, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

static uint64_t ptr(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

int filter_kernel_load(const struct bpf_insn *insns, unsigned n, int frags,
		       char *log, size_t size)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = ptr(insns);
	attr.insn_cnt = n;
	attr.license = ptr("BSD");
	attr.prog_flags = frags ? BPF_F_XDP_HAS_FRAGS : 0;
	if (log) {
		attr.log_buf = ptr(log);
		attr.log_size = size;
		attr.log_level = 1;
	}
	return bpf(BPF_PROG_LOAD, &attr);
}

static int test_run(int prog, const uint8_t *data, uint32_t len,
		    unsigned repeat, union bpf_attr *attr)
{
	memset(attr, 0, sizeof(*attr));
	attr->test.prog_fd = prog;
	attr->test.data_in = ptr(data);
	attr->test.data_size_in = len;
	attr->test.repeat = repeat;
	return bpf(BPF_PROG_TEST_RUN, attr);
}

int filter_kernel_run(int prog, const uint8_t *data, uint32_t len,
		      uint32_t *result)
{
	union bpf_attr attr;
	const int err = test_run(prog, data, len, 1, &attr);

	*result = attr.test.retval;
	return err;
}

int filter_kernel_time(int prog, const uint8_t *data, uint32_t len,
		       unsigned repeat)
{
	union bpf_attr attr;
	const int err = test_run(prog, data, len, repeat, &attr);

	return err ? err : (int)attr.test.duration;
}
