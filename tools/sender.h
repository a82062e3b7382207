/* SPDX-License-Identifier: BSD-3-Clause */
/* What the sending subcommands share: a handle, a pace, and an account. */
#ifndef PCF_SENDER_H
#define PCF_SENDER_H

#include "pcap-fast.h"

#include <stdbool.h>
#include <stdint.h>

struct sender {
	const char *name;	/* of the subcommand */
	pcap_t *p;
	double pps, mbps;	/* 0: as fast as it goes */
	int batch;		/* frames a call */
	bool json;
	bool skip; /* go on past packets of a size that cannot be sent */
	uint64_t frames, bytes;
	uint64_t too_long, too_short; /* skipped */
	int64_t start, shown;	/* ns */
	uint64_t frames_shown;
};

/* Set by SIGINT and SIGTERM: come to an end. */
extern volatile bool sender_stop;

/* The options that sender_option() takes, --help, and the end of the list. */
#define SENDER_OPTIONS                               \
	{ "pps", required_argument, NULL, 'p' },     \
	{ "mbps", required_argument, NULL, 'm' },    \
	{ "batch", required_argument, NULL, 'b' },   \
	{ "json", no_argument, NULL, 'j' },          \
	{ "help", no_argument, NULL, 'h' },          \
	{ NULL, 0, NULL, 0 }

/* Take one of them with its optarg, or exit with status 2. */
void sender_option(struct sender *s, int letter);

/* A number from the command line, or exit with status 2. */
double sender_number(const char *name, const char *option, const char *text,
		     double least, double most);

/* Open the interface for sending and start the clock. False: a line on stderr
 * says why. */
bool sender_open(struct sender *s, const char *device);

/* How many of `n` packets of about `len` bytes are due; waits for the first. */
int sender_due(struct sender *s, int n, uint32_t len);

/* Send them all; waits where a queue on the way is full. False: stopped, or a
 * line on stderr says why not. */
bool sender_send(struct sender *s, const struct pcap_batch_pkt *pkts, int n);

/* Wait for the last frame, print the account and close. */
void sender_close(struct sender *s);

int64_t sender_clock(void);

#endif
