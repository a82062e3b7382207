/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sends test frames from an interface by a plain packet socket.
 *
 *   vm_send [-w WINDOW] [-g GAP_MS] [-o FILE] [shape options] IF COUNT [FIRST]
 *
 * With a window file at most IN_FLIGHT frames are under way: the emulated wire
 * loses and reorders under a flood. Without one a burst of 32 is followed by a
 * pause of GAP_MS. The window counts
 * from frame 0, so that a second sender can go on at FIRST. -o writes what was
 * sent as a savefile. Exit: 0 all sent, 1 an error, 2 the receiver got no
 * further.
 */
#include "tests/vm/vm_frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_FLIGHT 128
#define BURST	  32
#define PATIENCE  15.0 /* seconds without progress */

static struct vm_shape shape;
static struct vm_window *window;
static unsigned gap_ms = 10;
static pcap_dumper_t *record;

static int open_socket(const char *name)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		perror(name);
		return -1;
	}
	return fd;
}

static void open_record(const char *path)
{
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, 262144);

	record = pcap_dump_open(dead, path);
	if (!record) {
		fprintf(stderr, "%s: %s\n", path, pcap_geterr(dead));
		exit(1);
	}
}

/* Wait until the receiver is ready, or at most `room` frames behind. */
static int wait_window(uint64_t sent, uint64_t room)
{
	double since = vm_now();
	uint64_t seen = 0;

	for (;;) {
		uint64_t got = __atomic_load_n(&window->got, __ATOMIC_ACQUIRE);
		uint64_t ready =
			__atomic_load_n(&window->ready, __ATOMIC_ACQUIRE);

		if (__atomic_load_n(&window->done, __ATOMIC_ACQUIRE))
			return 1;
		if (ready && got + room >= sent)
			return 0;
		if (got + ready != seen) {
			seen = got + ready;
			since = vm_now();
		}
		if (vm_now() - since > PATIENCE) {
			fprintf(stderr, "vm_send: %llu sent, %llu received\n",
				(unsigned long long)sent,
				(unsigned long long)got);
			return -1;
		}
		usleep(200);
	}
}

static int pace(uint64_t sent)
{
	if (window)
		return wait_window(sent, IN_FLIGHT);
	if (sent % BURST == 0)
		usleep(gap_ms * 1000);
	return 0;
}

static int send_frame(int fd, uint32_t seq)
{
	static uint8_t buf[VM_FRAME_MAX + 4];
	size_t len = vm_frame_build(&shape, seq, buf);
	struct pcap_pkthdr hdr = { .caplen = (bpf_u_int32)len,
				   .len = (bpf_u_int32)len };

	for (int tries = 0; send(fd, buf, len, 0) != (ssize_t)len; tries++) {
		if ((errno != ENOBUFS && errno != EAGAIN) || tries == 1000) {
			fprintf(stderr, "vm_send: %zu bytes: %s\n", len,
				strerror(errno));
			return -1;
		}
		usleep(1000);
	}
	if (record)
		pcap_dump((u_char *)record, &hdr, buf);
	return 0;
}

static int send_all(int fd, uint32_t first, uint32_t count)
{
	int err;

	for (uint32_t i = first; i < first + count; i++) {
		err = pace(i);
		if (err)
			return err < 0 ? 2 : 0;
		if (send_frame(fd, i) < 0)
			return 1;
	}
	return window && wait_window(first + count, 0) < 0 ? 2 : 0;
}

int main(int argc, char **argv)
{
	int option, fd, err;

	shape = vm_shape_default;
	while ((option = getopt(argc, argv, VM_SHAPE_OPTIONS "w:g:o:")) != -1) {
		if (option == 'w')
			window = vm_window_open(optarg);
		else if (option == 'g')
			gap_ms = (unsigned)atoi(optarg);
		else if (option == 'o')
			open_record(optarg);
		else if (vm_shape_option(&shape, option, optarg) < 0)
			return 1;
	}
	if (argc - optind < 2)
		return 1;
	fd = open_socket(argv[optind]);
	if (fd < 0)
		return 1;
	err = send_all(fd,
		       argc - optind > 2 ? (uint32_t)atoi(argv[optind + 2]) : 0,
		       (uint32_t)atoi(argv[optind + 1]));
	if (record)
		pcap_dump_close(record);
	return err;
}
