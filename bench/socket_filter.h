/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a classic filter costs on a socket, where the kernel converts it to
 * eBPF itself. Such a program has no id and cannot be run by
 * BPF_PROG_TEST_RUN, so packets are sent to a socket whose filter takes none
 * of them. Knows nothing of captures.
 */
#ifndef PCF_BENCH_SOCKET_FILTER_H
#define PCF_BENCH_SOCKET_FILTER_H

#include <linux/filter.h>
#include <stdint.h>

struct bench_socket {
	int tx, rx, empty; /* `empty` is another receiver's sender */
	int rx_empty;
	unsigned copies;
};

/* One receiver with the filter, run over and over for each packet, and one
 * whose filter does nothing. Exits with 2 on failure. */
void bench_socket_open(struct bench_socket *s, const struct sock_filter *insns,
		       unsigned n);
void bench_socket_close(struct bench_socket *s);

/* Nanoseconds that one run of the filter over this frame takes: what the one
 * receiver costs more than the other, divided by the number of runs. */
double bench_socket_time(const struct bench_socket *s, const uint8_t *data,
			 uint32_t len);

#endif
