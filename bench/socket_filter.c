/* SPDX-License-Identifier: BSD-3-Clause */
/* A classic filter on a socket; see socket_filter.h. */
#include "bench/socket_filter.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH	32
#define BATCHES 300
/* Sending costs some 300 ns, a filter some 10. So many instructions in one
 * program make it stand out, and their code still fits the first cache. */
#define INSNS 1000

/* The filter `copies` times in a row: all but the last go on where they would
 * return, and the last rejects, so that nothing has to be received. */
static void repeat(struct sock_filter *to, const struct sock_filter *f,
		   unsigned n, unsigned copies)
{
	for (unsigned c = 0; c < copies; c++, to += n) {
		memcpy(to, f, n * sizeof(*f));
		for (unsigned i = 0; i < n; i++) {
			if (BPF_CLASS(f[i].code) != BPF_RET)
				continue;
			to[i] = (struct sock_filter)BPF_STMT(BPF_RET, 0);
			if (c + 1 < copies)
				to[i] = (struct sock_filter)BPF_STMT(
					BPF_JMP | BPF_JA, n - i - 1);
		}
	}
}

static void attach(int fd, struct sock_filter *f, unsigned n)
{
	const struct sock_fprog program = { n, f };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
		       sizeof(program)))
		err(2, "SO_ATTACH_FILTER");
}

static void open_pair(int *tx, int *rx)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd))
		err(2, "socketpair");
	*tx = fd[0];
	*rx = fd[1];
}

void bench_socket_open(struct bench_socket *s, const struct sock_filter *insns,
		       unsigned n)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET, 0), *f;

	s->copies = n < INSNS ? INSNS / n : 1;
	f = calloc((size_t)n * s->copies, sizeof(*f));
	if (!f)
		err(2, "memory");
	repeat(f, insns, n, s->copies);
	open_pair(&s->tx, &s->rx);
	attach(s->rx, f, n * s->copies);
	open_pair(&s->empty, &s->rx_empty);
	attach(s->rx_empty, &nothing, 1);
	free(f);
}

void bench_socket_close(struct bench_socket *s)
{
	close(s->tx);
	close(s->rx);
	close(s->empty);
	close(s->rx_empty);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Nanoseconds a packet. */
static double send_all(int fd, const uint8_t *data, uint32_t len)
{
	struct iovec iov = { (void *)data, len };
	struct mmsghdr m[BATCH];
	double start;

	memset(m, 0, sizeof(m));
	for (unsigned i = 0; i < BATCH; i++) {
		m[i].msg_hdr.msg_iov = &iov;
		m[i].msg_hdr.msg_iovlen = 1;
	}
	start = now();
	for (unsigned i = 0; i < BATCHES; i++)
		if (sendmmsg(fd, m, BATCH, MSG_DONTWAIT) != BATCH)
			err(2, "sendmmsg");
	return (now() - start) / (BATCH * BATCHES);
}

double bench_socket_time(const struct bench_socket *s, const uint8_t *data,
			 uint32_t len)
{
	const double empty = send_all(s->empty, data, len);

	return (send_all(s->tx, data, len) - empty) / s->copies;
}
