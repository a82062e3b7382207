/* SPDX-License-Identifier: BSD-3-Clause */
/* The generator's sender over an AF_PACKET socket; see send.h. */
#include "tests/gen/send.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST	64
#define RETRIES 10000 /* of 100 us each: a second of a full queue */

struct packet_sender {
	struct pcf_sender base;
	const struct pcf_frame *frame;
	int fd;
	struct mmsghdr msgs[BURST];
	struct iovec iov[BURST];
	uint8_t data[BURST][PCF_FRAME_MAX];
};

/* A full transmit queue says ENOBUFS (EAGAIN never: the socket blocks). The
 * frame has not left, so sending it again makes no duplicate. */
static int send_some(struct packet_sender *s, unsigned n)
{
	const struct timespec pause = { .tv_nsec = 100000 };
	int sent;

	for (int i = 0; i < RETRIES; i++) {
		sent = sendmmsg(s->fd, s->msgs, n, 0);
		if (sent > 0)
			return sent;
		if (errno != ENOBUFS && errno != EINTR)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return -ENOBUFS;
}

static int packet_send(struct pcf_sender *base, uint64_t first, unsigned n)
{
	struct packet_sender *s = (struct packet_sender *)base;

	if (n > BURST)
		n = BURST;
	for (unsigned i = 0; i < n; i++)
		pcf_frame_number(s->frame, first + i, s->data[i]);
	return send_some(s, n);
}

static void packet_close(struct pcf_sender *base)
{
	struct packet_sender *s = (struct packet_sender *)base;

	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

static void prepare(struct packet_sender *s)
{
	for (unsigned i = 0; i < BURST; i++) {
		pcf_frame_template(s->frame, s->data[i]);
		s->iov[i].iov_base = s->data[i];
		s->iov[i].iov_len = s->frame->size;
		s->msgs[i].msg_hdr.msg_iov = &s->iov[i];
		s->msgs[i].msg_hdr.msg_iovlen = 1;
	}
}

/* Protocol 0: the socket sends and never receives. */
static int packet_socket(int ifindex)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_ifindex = ifindex };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&ll, sizeof(ll))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int pcf_send_packet(const struct pcf_frame *frame, int ifindex,
		    struct pcf_sender **sender)
{
	struct packet_sender *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->base = (struct pcf_sender){ packet_send, packet_close, BURST };
	s->frame = frame;
	s->fd = packet_socket(ifindex);
	if (s->fd < 0) {
		int err = s->fd;

		packet_close(&s->base);
		return err;
	}
	prepare(s);
	*sender = &s->base;
	return 0;
}
