/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bare AF_XDP with zero-copy forced, to show that the virtual machine's NIC
 * does it whatever the library makes of it.
 *
 *   zc_probe [-w WINDOW] [shape options] rx IF COUNT
 *   zc_probe [shape options] tx IF COUNT
 *   zc_probe [shape options] flood IF SECONDS
 *   zc_probe hold IF SECONDS
 *
 * rx checks every byte over several turns of the UMEM; tx ends when all
 * completions are back, and flood sends frames of the longest size, the same
 * ones again and again, as fast as completions come; hold only keeps queue 0,
 * without a program. Uses libxdp for the rings
 * alone: the program and its link are its own.
 */
#include "tests/vm/vm_frame.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>

#ifndef SOL_XDP
#define SOL_XDP 283
#endif

/*
 * More for receiving than the NIC's ring and the RX ring together hold, so that
 * the fill ring never runs dry: igb (Linux 6.14 to 7.2 at least) then reads old
 * descriptors again and delivers frames that nobody sent.
 */
#define RX_FRAMES  768
#define TX_FRAMES  256
#define RX_RING	   256
#define FRAME_SIZE XSK_UMEM__DEFAULT_FRAME_SIZE
#define IN_FLIGHT  96
#define PATIENCE   15.0 /* seconds without progress */

static struct vm_shape shape;
static struct vm_window *window;

static struct {
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons comp, rx;
	uint8_t *area;
	int fd;
} probe;

static int fail(const char *what, int err)
{
	printf("%s: %s\n", what, strerror(err < 0 ? -err : err));
	return -1;
}

/* Frames of queue 0 to the socket, those of other queues to the host. */
static int attach(const char *name)
{
	int map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "probe", 4, 4, 1, NULL);
	struct bpf_insn prog[] = {
		{ BPF_LDX | BPF_MEM | BPF_W, 2, 1,
		  offsetof(struct xdp_md, rx_queue_index), 0 },
		{ BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, map },
		{ 0, 0, 0, 0, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, XDP_PASS },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map },
		{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int key = 0, fd, link;

	if (map < 0 || bpf_map_update_elem(map, &key, &probe.fd, 0) < 0)
		return fail("socket map", errno);
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "probe", "GPL", prog,
			   sizeof(prog) / sizeof(*prog), NULL);
	if (fd < 0)
		return fail("program", errno);
	link = bpf_link_create(fd, (int)if_nametoindex(name), BPF_XDP, &opts);
	return link < 0 ? fail("link", errno) : 0;
}

/* The kernel falls back to copying in silence unless asked not to. */
static int is_zerocopy(void)
{
	struct xdp_options options = { 0 };
	socklen_t len = sizeof(options);

	if (getsockopt(probe.fd, SOL_XDP, XDP_OPTIONS, &options, &len) < 0)
		return fail("XDP_OPTIONS", errno);
	if (!(options.flags & XDP_OPTIONS_ZEROCOPY))
		return fail("not zero-copy", EOPNOTSUPP);
	return 0;
}

static void give_frame(uint64_t addr)
{
	uint32_t at;

	if (xsk_ring_prod__reserve(&probe.fill, 1, &at) == 1) {
		*xsk_ring_prod__fill_addr(&probe.fill, at) = addr;
		xsk_ring_prod__submit(&probe.fill, 1);
	}
}

/* Filled before the bind, so that no driver starts with an empty ring. */
static int open_umem(void)
{
	size_t size = (RX_FRAMES + TX_FRAMES) * FRAME_SIZE;
	void *area = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int err;

	if (area == MAP_FAILED)
		return fail("memory", errno);
	probe.area = area;
	err = xsk_umem__create(&probe.umem, area, size, &probe.fill,
			       &probe.comp, NULL);
	if (err)
		return fail("UMEM", err);
	for (uint64_t i = 0; i < RX_FRAMES; i++)
		give_frame(i * FRAME_SIZE);
	return 0;
}

static int open_socket(const char *name)
{
	struct xsk_socket_config config = {
		.rx_size = RX_RING,
		.tx_size = XSK_RING_PROD__DEFAULT_NUM_DESCS,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_ZEROCOPY | XDP_USE_NEED_WAKEUP,
	};
	int err = xsk_socket__create(&probe.xsk, name, 0, probe.umem, &probe.rx,
				     &probe.tx, &config);

	if (err)
		return fail("bind with XDP_ZEROCOPY", err);
	probe.fd = xsk_socket__fd(probe.xsk);
	return is_zerocopy();
}

/* Drivers reset the link when a program comes: wait until it is back. */
static int wait_carrier(const char *name)
{
	double since = vm_now();
	char path[64], up;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/carrier", name);
	do {
		up = 0;
		f = fopen(path, "r");
		if (f) {
			up = (char)fgetc(f);
			fclose(f);
		}
		if (up == '1')
			return 0;
		usleep(20000);
	} while (vm_now() - since < PATIENCE);
	return fail("no carrier", ENETDOWN);
}

static int open_probe(const char *name)
{
	if (open_umem() < 0 || open_socket(name) < 0 || attach(name) < 0)
		return -1;
	return wait_carrier(name);
}

static int check_frame(const struct xdp_desc *desc, uint32_t expected)
{
	const char *what;
	uint32_t seq;

	if (vm_frame_check(&shape, probe.area + desc->addr, desc->len, &seq,
			   &what) == 0 &&
	    seq == expected)
		return 0;
	printf("frame %u (number %u) of %u bytes: %s\n", expected, seq,
	       desc->len, what);
	return -1;
}

/* Take what is there. Returns how many, or -1 when one is wrong. */
static int take_frames(uint32_t expected)
{
	uint32_t at, n = xsk_ring_cons__peek(&probe.rx, 64, &at);

	for (uint32_t i = 0; i < n; i++) {
		const struct xdp_desc *desc =
			xsk_ring_cons__rx_desc(&probe.rx, at + i);

		if (check_frame(desc, expected + i) < 0)
			return -1;
		give_frame(desc->addr & ~(uint64_t)(FRAME_SIZE - 1));
	}
	xsk_ring_cons__release(&probe.rx, n);
	return (int)n;
}

static int receive(uint32_t count)
{
	struct pollfd wait = { .fd = probe.fd, .events = POLLIN };
	double since = vm_now();
	uint32_t got = 0;

	if (window)
		__atomic_store_n(&window->ready, 1, __ATOMIC_RELEASE);
	while (got < count && vm_now() - since < PATIENCE) {
		int n = take_frames(got);

		if (n < 0)
			return -1;
		got += (uint32_t)n;
		if (n)
			since = vm_now();
		else
			poll(&wait, 1, 100);
		if (window)
			__atomic_store_n(&window->got, got, __ATOMIC_RELEASE);
	}
	printf("%u of %u frames over %u UMEM frames\n", got, count, RX_FRAMES);
	return got == count ? 0 : -1;
}

static uint32_t completions(void)
{
	uint32_t at, n = xsk_ring_cons__peek(&probe.comp, 64, &at);

	xsk_ring_cons__release(&probe.comp, n);
	return n;
}

/*
 * The frames behind those for receiving in turn: they complete in order. A
 * flood builds each once, since building is slower than sending.
 */
static void put_frame(uint32_t seq, bool flood)
{
	uint64_t addr = (uint64_t)(RX_FRAMES + seq % TX_FRAMES) * FRAME_SIZE;
	struct xdp_desc *desc;
	uint32_t at;

	if (xsk_ring_prod__reserve(&probe.tx, 1, &at) != 1)
		return;
	desc = xsk_ring_prod__tx_desc(&probe.tx, at);
	desc->addr = addr;
	desc->len = shape.max;
	if (!flood || seq < TX_FRAMES)
		desc->len = (uint32_t)vm_frame_build(&shape, seq,
						     probe.area + addr);
	desc->options = 0;
	xsk_ring_prod__submit(&probe.tx, 1);
}

/* Send up to `count` frames, none new after `until`; wait for completions. */
static int transmit(uint32_t count, double until)
{
	bool flood = count == UINT32_MAX;
	uint32_t sent = 0, done = 0, n;
	double since = vm_now(), start = since;

	while (vm_now() - since < PATIENCE) {
		if (vm_now() > until)
			count = sent;
		if (done == count)
			break;
		while (sent < count && sent - done < IN_FLIGHT)
			put_frame(sent++, flood);
		if (xsk_ring_prod__needs_wakeup(&probe.tx))
			sendto(probe.fd, NULL, 0, MSG_DONTWAIT, NULL, 0);
		n = completions();
		done += n;
		if (n)
			since = vm_now();
	}
	printf("%u sent, %u completed, %.0f per second\n", sent, done,
	       done / (vm_now() - start));
	return done == sent && sent == count ? 0 : -1;
}

static int hold(const char *name, unsigned seconds)
{
	if (open_umem() < 0 || open_socket(name) < 0)
		return 1;
	puts("held");
	fflush(stdout);
	sleep(seconds);
	return 0;
}

static int run(const char *what, const char *name, unsigned amount)
{
	if (!strcmp(what, "hold"))
		return hold(name, amount);
	if (open_probe(name) < 0)
		return 1;
	if (!strcmp(what, "rx"))
		return receive(amount) ? 1 : 0;
	if (!strcmp(what, "tx"))
		return transmit(amount, vm_now() + 600) ? 1 : 0;
	return transmit(UINT32_MAX, vm_now() + amount) ? 1 : 0;
}

int main(int argc, char **argv)
{
	int option;

	shape = vm_shape_default;
	while ((option = getopt(argc, argv, VM_SHAPE_OPTIONS "w:")) != -1) {
		if (option == 'w')
			window = vm_window_open(optarg);
		else if (vm_shape_option(&shape, option, optarg) < 0)
			return 1;
	}
	if (argc - optind != 3)
		return 1;
	return run(argv[optind], argv[optind + 1],
		   (unsigned)atoi(argv[optind + 2]));
}
