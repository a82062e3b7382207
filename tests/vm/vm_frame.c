/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Building and checking of the test frames: Ethernet, an optional VLAN tag,
 * IPv4, UDP, then the frame's number and bytes that follow from it.
 */
#include "tests/vm/vm_frame.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MAGIC	0x70636166u
#define HEADERS (14 + 20 + 8)

const struct vm_shape vm_shape_default = {
	.max = 1514,
	.flows = 1,
	.tci = -1,
	.port = VM_PORT,
	.dst = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
};

int vm_shape_option(struct vm_shape *shape, int option, const char *value)
{
	uint8_t *d = shape->dst;

	switch (option) {
	case 'm':
		shape->max = (unsigned)atoi(value);
		return shape->max < VM_FRAME_MIN || shape->max > VM_FRAME_MAX
			       ? -1
			       : 0;
	case 'F':
		shape->flows = (unsigned)atoi(value);
		return shape->flows < 1 || shape->flows > 250 ? -1 : 0;
	case 'v':
		shape->tci = atoi(value);
		return 0;
	case 'p':
		shape->port = (uint16_t)atoi(value);
		return 0;
	case 'd':
		return sscanf(value, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", d, d + 1,
			      d + 2, d + 3, d + 4, d + 5) == 6
			       ? 0
			       : -1;
	}
	return -1;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return ntohl(v);
}

static uint16_t ip_checksum(const uint8_t *ip)
{
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return (uint16_t)~sum;
}

/* Lengths from the shortest to the longest, neighbours far apart. */
static size_t frame_size(const struct vm_shape *shape, uint32_t seq)
{
	return VM_FRAME_MIN + seq * 397u % (shape->max - VM_FRAME_MIN + 1);
}

/* In 10/8, far apart: neighbours may all hash to one queue, since the key of
 * the hash is another on every boot. */
static uint32_t flow_source(uint32_t flow)
{
	return 0x0a4d0101 ^ (flow * 2654435761u >> 8);
}

static void put_ip_udp(const struct vm_shape *shape, uint32_t seq, uint8_t *ip,
		       size_t size)
{
	memset(ip, 0, 28);
	ip[0] = 0x45;
	put16(ip + 2, (unsigned)size);
	put16(ip + 4, seq & 0xffff);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	put32(ip + 12, flow_source(seq % shape->flows));
	put32(ip + 16, 0x0a4d0001);
	put16(ip + 10, ip_checksum(ip));
	put16(ip + 20, 7000 + seq % shape->flows);
	put16(ip + 22, shape->port);
	put16(ip + 24, (unsigned)size - 20);
}

size_t vm_frame_build(const struct vm_shape *shape, uint32_t seq, uint8_t *out)
{
	static const uint8_t src[6] = { 0x52, 0x54, 0, 0, 0, 0x7f };
	size_t size = frame_size(shape, seq);
	uint8_t *p = out + 12;

	memcpy(out, shape->dst, 6);
	memcpy(out + 6, src, 6);
	if (shape->tci >= 0) {
		put16(p, 0x8100);
		put16(p + 2, (unsigned)shape->tci);
		p += 4;
	}
	put16(p, 0x0800);
	put_ip_udp(shape, seq, p + 2, size - 14);
	p += 2 + 28;
	put32(p, MAGIC);
	put32(p + 4, seq);
	for (size_t i = 8; i < size - HEADERS; i++)
		p[i] = (uint8_t)(seq * 31 + i * 7 + (i >> 8));
	return size + (shape->tci >= 0 ? 4 : 0);
}

int vm_frame_check(const struct vm_shape *shape, const uint8_t *data,
		   size_t len, uint32_t *seq, const char **what)
{
	size_t at = HEADERS + (shape->tci >= 0 ? 4 : 0);
	static uint8_t want[VM_FRAME_MAX + 4];

	*what = "not one of the test's frames";
	if (len < at + 8 || get32(data + at) != MAGIC)
		return -1;
	*seq = get32(data + at + 4);
	*what = "wrong length";
	if (vm_frame_build(shape, *seq, want) != len)
		return -1;
	*what = "wrong bytes";
	return memcmp(want, data, len) ? -1 : 0;
}

struct vm_window *vm_window_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *p = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (!ftruncate(fd, 4096))
		p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

double vm_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
