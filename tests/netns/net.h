/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A network of its own for a test program: a namespace with a veth pair, vA to
 * capture on and vB to send from. It goes with the process.
 */
#ifndef PCF_NET_H
#define PCF_NET_H

#include <stdbool.h>
#include <stdint.h>

struct pcf_root;

/* Enter a new namespace, once per process. False: not allowed to. */
bool net_enter(void);

/* (Re)make the pair, up, without addresses, promiscuous counters at 0. */
void net_link(unsigned queues, unsigned mtu);
/* A command of the shell; its status. */
int net_do(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Fill a frame: number, then bytes that follow from it and their place. UDP
 * over IPv4 from 42 bytes on, to port 7000 + number % 2. */
void net_frame(uint8_t *frame, unsigned len, uint32_t number);
/* Does a captured frame have these bytes? */
bool net_same(const uint8_t *data, unsigned len, uint32_t number);

/* Send frames [first, first + n) from vB, frame i of size(i) bytes; or from
 * another device. */
void net_send(uint32_t first, unsigned n, unsigned (*size)(uint32_t));
void net_send_from(const char *device, uint32_t first, unsigned n,
		   unsigned (*size)(uint32_t));

/* A packet socket that sends from a device. */
int net_sender(const char *device);
/* A packet socket, non-blocking and with much room, that gets what arrives at
 * a device. */
int net_listen(const char *device);
/* A device's own counters. */
struct net_counters {
	uint64_t rx_packets, rx_dropped, tx_packets, tx_dropped;
};
struct net_counters net_counters(const char *device);
/* One on vA, which sees what the host gets, and how many frames it
 * has got so far. */
int net_host(void);
unsigned net_host_frames(int host);
/* Whether that is `wanted` of them; waits for as many, 5 seconds at most. */
bool net_host_got(int host, unsigned wanted);

/* What of ours the kernel has: programs and maps of the library. The second
 * one waits until there is nothing, for ten seconds. */
unsigned net_objects(void);
unsigned net_left_over(void);
/* Of its programs, those of this name; NULL all. */
unsigned net_programs(const char *name);
/* The XDP program on vA, 0 none. */
uint32_t net_xdp(void);
unsigned net_open_fds(void);
/* How many hold vA promiscuous. */
unsigned net_promiscuity(void);
/* What this process has mapped of the kernel's: rings, BPF maps, memory that
 * is shared with it. */
unsigned net_mappings(void);

/* Attach and detach an XDP program that is not ours (passes everything). */
int net_attach_foreign(void);
void net_detach_foreign(void);
/* One attached by a link, whose descriptor it is; goes with it. */
int net_link_foreign(void);
/* May an AF_XDP socket here send so many packets a call in copy mode? */
bool net_has_tx_budget(int packets);
/* A mirror's program that leaves no room for metadata to those behind it, as
 * some drivers do; NULL when it cannot be had. Until it is stopped. */
struct pcf_root *net_eat_metadata(void);
void net_stop_eating(struct pcf_root *root);
/* A socket that holds vA's queue 0 without capturing. */
int net_take_queue(void);

#endif
