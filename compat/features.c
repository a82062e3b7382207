/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel features, by trying each once per process. A refusal for lack of
 * privilege says nothing about the kernel and is not remembered. The bpf()
 * call is made directly: libbpf's wrapper would raise RLIMIT_MEMLOCK of a
 * process that is not ours.
 */
#include "compat/features.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compat/kernel.h"

#ifndef CAP_BPF
#define CAP_BPF 39
#endif

static int sys_bpf(int cmd, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

static int try_af_xdp(void)
{
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno == EAFNOSUPPORT ? 0 : -errno;
	close(fd);
	return 1;
}

/* The verifier refuses what it does not know with -EINVAL, bpf() may not
 * exist at all. */
static int try_program(const struct bpf_insn *insns, unsigned n)
{
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_XDP,
				.insn_cnt = n,
				.insns = (uintptr_t)insns,
				.license = (uintptr_t) "Dual BSD/GPL",
				.prog_flags = BPF_F_XDP_HAS_FRAGS };
	int fd = sys_bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		return fd == -EINVAL || fd == -ENOSYS ? 0 : fd;
	close(fd);
	return 1;
}

#define INSN(c, d, i)                                                          \
	{                                                                      \
		.code = (c), .dst_reg = (d), .imm = (i)                        \
	}

static int try_bpf(void)
{
	static const struct bpf_insn pass[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, XDP_PASS),
		INSN(BPF_JMP | BPF_EXIT, 0, 0),
	};

	return try_program(pass, 2);
}

static int try_tai(void)
{
	static const struct bpf_insn tai[] = {
		INSN(BPF_JMP | BPF_CALL, 0, BPF_FUNC_ktime_get_tai_ns),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, XDP_PASS),
		INSN(BPF_JMP | BPF_EXIT, 0, 0),
	};

	return try_program(tai, 3);
}

/* Without a program to link: EBADF from a kernel that has links, EINVAL from
 * one that does not know the command. Links of XDP came two versions later;
 * no kernel that has the helper above is without them. */
static int try_link(void)
{
	union bpf_attr attr = { .link_create = { .prog_fd = UINT32_MAX,
						 .attach_type = BPF_XDP } };
	int error = sys_bpf(BPF_LINK_CREATE, &attr);

	if (error == -EBADF)
		return 1;
	return error == -EINVAL || error == -ENOSYS ? 0 : error;
}

/* bind() looks at the flags before it looks for the interface. */
static int try_sg(void)
{
	struct sockaddr_xdp address = { .sxdp_family = AF_XDP,
					.sxdp_ifindex = INT_MAX,
					.sxdp_flags = XDP_USE_SG };
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd < 0)
		return errno == EAFNOSUPPORT ? 0 : -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		error = errno;
	close(fd);
	return error == ENODEV;
}

static const struct {
	const char *name;
	int (*probe)(void);
	const char *words; /* NULL: not a must */
} features[PCF_FEATURE_COUNT] = {
	[PCF_FEATURE_AF_XDP] = { "af_xdp", try_af_xdp,
				 "AF_XDP sockets (CONFIG_XDP_SOCKETS)" },
	[PCF_FEATURE_BPF] = { "bpf", try_bpf,
			      "XDP programs with frags (Linux 5.18)" },
	[PCF_FEATURE_LINK] = { "link", try_link,
			       "bpf_link for XDP (Linux 5.9)" },
	[PCF_FEATURE_TAI] = { "tai", try_tai,
			      "bpf_ktime_get_tai_ns() (Linux 6.1)" },
	[PCF_FEATURE_SG] = { "sg", try_sg, NULL },
};

#ifdef PCF_TESTING
static bool forced_off(const char *name)
{
	const char *list = secure_getenv("PCF_TEST_MISSING");
	size_t n = strlen(name);

	while (list && *list) {
		size_t word = strcspn(list, ",");

		if (word == n && !memcmp(list, name, n))
			return true;
		list += word + (list[word] == ',');
	}
	return false;
}
#else
static bool forced_off(const char *name)
{
	(void)name;
	return false;
}
#endif

int pcf_feature(enum pcf_feature feature)
{
	/* 0 not tried yet, 1 not there, 2 there. Two threads that try at once
	 * find the same. */
	static _Atomic signed char known[PCF_FEATURE_COUNT];
	int found = atomic_load_explicit(&known[feature], memory_order_relaxed);

	if (forced_off(features[feature].name))
		return 0;
	if (found)
		return found - 1;
	found = features[feature].probe();
	if (found == -EACCES)
		found = -EPERM;
	if (found >= 0)
		atomic_store_explicit(&known[feature], found + 1,
				      memory_order_relaxed);
	return found;
}

int pcf_features_missing(char *text, size_t size)
{
	int result = 0;

	*text = '\0';
	for (int i = 0; i < PCF_FEATURE_COUNT; i++) {
		int found = features[i].words ? pcf_feature(i) : 1;

		if (found == 0 && !*text)
			snprintf(text, size, "%s", features[i].words);
		if (found == -EPERM)
			result = -EPERM;
	}
	return result;
}

static bool has(const struct __user_cap_data_struct *data, int cap)
{
	return data[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}

void pcf_caps_get(struct pcf_caps *caps)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	memset(caps, 0, sizeof(*caps));
	if (syscall(SYS_capget, &header, data))
		return;
	caps->bpf = has(data, CAP_BPF);
	caps->net_admin = has(data, CAP_NET_ADMIN);
	caps->net_raw = has(data, CAP_NET_RAW);
	caps->sys_admin = has(data, CAP_SYS_ADMIN);
}
