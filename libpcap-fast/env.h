/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The PCAP_FAST_* environment variables, and the log they switch on. Read
 * with secure_getenv(): a set-uid program takes no orders from its caller.
 */
#ifndef PCF_ENV_H
#define PCF_ENV_H

#include <limits.h>
#include <stdbool.h>

#define PCF_ENV_ERROR_SIZE 256

#define PCF_BUSY_POLL_MAX 1000000 /* us; more can only be a mistake */

enum pcf_rx {
	PCF_RX_AUTO, /* as measured to be faster */
	PCF_RX_XSK,  /* through AF_XDP sockets */
	PCF_RX_RING  /* through the direct ring */
};

enum pcf_timeout {
	PCF_TIMEOUT_STOCK, /* a blocking read on an idle link stays blocked */
	PCF_TIMEOUT_HONEST /* it returns 0 after to_ms */
};

enum pcf_log {
	PCF_LOG_OFF,
	PCF_LOG_INFO, /* one line a choice */
	PCF_LOG_DEBUG
};

/* One copy of all variables: the environment may change under us. */
struct pcf_env {
	int mode;	    /* PCAP_FAST_MODE: enum pcap_fast_mode */
	bool mode_set;	    /* a mode was named, "auto" counts */
	bool keep_set;	    /* also when set to nothing: keep nothing */
	char keep[512];	    /* PCAP_FAST_KEEP: a pcap expression */
	int rest;	    /* PCAP_FAST_REST: enum pcap_fast_rest */
	char queues[256];   /* PCAP_FAST_QUEUES: "0,2-3", "" all */
	int zerocopy;	    /* PCAP_FAST_ZEROCOPY: enum pcap_fast_zerocopy */
	enum pcf_rx rx;	    /* PCAP_FAST_RX: of exclusive captures */
	int busy_poll;	    /* PCAP_FAST_BUSY_POLL: microseconds, 0 off */
	bool rx_hash;	    /* PCAP_FAST_RX_HASH */
	bool qdisc_bypass;  /* PCAP_FAST_QDISC_BYPASS */
	enum pcf_log log;   /* PCAP_FAST_LOG */
	enum pcf_timeout timeout;      /* PCAP_FAST_TIMEOUT */
	char system_libpcap[PATH_MAX]; /* PCAP_FAST_SYSTEM_LIBPCAP, "" none */
	/* "" or what is wrong with the first variable that is; that variable
	 * then has its default */
	char error[PCF_ENV_ERROR_SIZE];
};

/* Read all variables, and set the log's level by them. Unset and empty is the
 * default. */
void pcf_env_read(struct pcf_env *env);

/* Write one line to stderr, "libpcap-fast: ...", in one write(2) and with
 * errno kept, when the last pcf_env_read() saw that level or a higher one. */
void pcf_log(enum pcf_log level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
