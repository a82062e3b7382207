/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the A/B programs share: cases run one by one in children of their own,
 * output lines "topic.case: value", traffic from the peer's namespace, and
 * reads that cannot hang.
 *
 * The programs include the stock API only: each is run under the system's
 * libpcap and under the drop-in, and its lines are compared. A line therefore
 * states a fact that holds on every run, never a raw time or counter that
 * depends on the machine.
 */
#ifndef PCF_AB_H
#define PCF_AB_H

#include <pcap/pcap.h>
#include <stddef.h>
#include <stdint.h>

#define AB_DEV	"ab0" /* captured on; its peer is AB_PEER, elsewhere */
#define AB_PEER "ab1"
#define AB_DOWN "abd0" /* exists, is down */
#define AB_MTU	1500
#define AB_LINK "abl0" /* of ab_link_make(), and its other end */
#define AB_FAR	"abl1"

/* Flags of ab_open(). */
#define AB_IMMEDIATE 0x01
#define AB_NONBLOCK  0x02
#define AB_NANO	     0x04
#define AB_SMALL     0x08 /* the smallest buffer there is */
#define AB_NOPROMISC 0x10

#define AB_QUICK (AB_IMMEDIATE | AB_NONBLOCK)

struct ab_case {
	const char *name;
	void (*run)(void);
	unsigned seconds; /* 0: the usual limit */
};

#define AB_CASE(f)                                                             \
	{                                                                      \
#f, f, 0                                                       \
	}
#define AB_SLOW(f, s)                                                          \
	{                                                                      \
#f, f, s                                                       \
	}
#define AB_CASE_END                                                            \
	{                                                                      \
		NULL, NULL, 0                                                  \
	}

/* Run the cases; the value of main(). */
int ab_main(const char *topic, const struct ab_case *cases);

/*
 * One output line; a key has no blanks, they become '_'. ab_code() adds the
 * handle's error text to a failure.
 */
void ab_say(const char *key, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void ab_yes(const char *key, int truth);
void ab_code(const char *key, pcap_t *p, int code);

/* End the case at once: the set-up failed, there is nothing to compare. */
void ab_die(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* An activated handle, or the end of the case. snaplen 0: not set. */
pcap_t *ab_open(int flags, int to_ms);
pcap_t *ab_open_on(const char *dev, int flags, int to_ms, int snaplen);
void ab_filter(pcap_t *p, const char *expr);

/*
 * Frames. Kinds: icmp, udp9, udp53, vlan7 (icmp, TCI 0x6007), vlan9 and qinq
 * (802.1ad 100 around 802.1Q 7). Each carries its sequence number.
 */
#define AB_FRAME_MAX 9200
size_t ab_frame(u_char *buf, const char *kind, uint32_t seq, size_t len);
uint32_t ab_seq(const u_char *data);
void ab_send(const char *kind, unsigned n);
void ab_send_len(const char *kind, unsigned n, size_t len);
/* Number the next frame 0 again. */
void ab_feed_restart(void);
/* Send on a local interface from now on (the default is the peer's). */
void ab_feed_from(const char *dev);

/*
 * Waiting, always bounded. ab_settle() until the handle has counted `n`
 * packets; ab_ready() whether its descriptor becomes readable; ab_drain()
 * reads without blocking until `want` packets came or `ms` have passed, and
 * gives what came or a negative code.
 */
void ab_settle(pcap_t *p, unsigned n);
int ab_ready(pcap_t *p, int ms);
int ab_drain(pcap_t *p, pcap_handler cb, void *user, int want, int ms);
void ab_count(u_char *user, const struct pcap_pkthdr *h, const u_char *data);
int ab_drain_n(pcap_t *p, int want, int ms);

double ab_now(void);  /* ms, monotonic */
double ab_wall(void); /* ms since the epoch */
double ab_stamp(const struct pcap_pkthdr *h, int nano);
void ab_sleep(int ms);
/* From another thread, or as a signal, after `ms`. */
void ab_later(int ms, void (*fn)(void *), void *arg);
void ab_signal_later(int ms, int sig);
/* A link of the case's own, up, both ends here; frames come from AB_FAR. */
void ab_link_make(void);
void ab_link_drop(void);
void ab_ip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
