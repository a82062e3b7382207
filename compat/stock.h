/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system's libpcap: found, opened and called by absolute path.
 *
 * Its functions are members of one table, under their own names:
 *
 *	pcf_stock()->pcap_activate(p)
 *
 * The table is filled at the first call, once. A function that the system's
 * library does not have is NULL there, all of them are when it cannot be
 * opened; pcf_stock_error() then says why.
 *
 * The system's library calls its own exported functions through the PLT, and
 * those calls come back to this library. Around calls that could do so with a
 * handle of ours half made or half gone, PCF_STOCK_ENTER/LEAVE raise a
 * thread-local depth; while it is not 0 every wrapper only passes on.
 */
#ifndef PCF_STOCK_H
#define PCF_STOCK_H

#include "compat/public.h"

#include <stdatomic.h>
#include <stdbool.h>

/* Every function of libpcap 1.10.3, and the five of 1.11 at the end. */
#define PCF_STOCK_FUNCTIONS(F) \
	F(bpf_dump) \
	F(bpf_filter) \
	F(bpf_image) \
	F(bpf_validate) \
	F(pcap_activate) \
	F(pcap_breakloop) \
	F(pcap_bufsize) \
	F(pcap_can_set_rfmon) \
	F(pcap_close) \
	F(pcap_compile) \
	F(pcap_compile_nopcap) \
	F(pcap_create) \
	F(pcap_datalink) \
	F(pcap_datalink_ext) \
	F(pcap_datalink_name_to_val) \
	F(pcap_datalink_val_to_description) \
	F(pcap_datalink_val_to_description_or_dlt) \
	F(pcap_datalink_val_to_name) \
	F(pcap_dispatch) \
	F(pcap_dump) \
	F(pcap_dump_close) \
	F(pcap_dump_file) \
	F(pcap_dump_flush) \
	F(pcap_dump_fopen) \
	F(pcap_dump_ftell) \
	F(pcap_dump_ftell64) \
	F(pcap_dump_open) \
	F(pcap_dump_open_append) \
	F(pcap_ether_aton) \
	F(pcap_ether_hostton) \
	F(pcap_file) \
	F(pcap_fileno) \
	F(pcap_findalldevs) \
	F(pcap_fopen_offline) \
	F(pcap_fopen_offline_with_tstamp_precision) \
	F(pcap_free_datalinks) \
	F(pcap_free_tstamp_types) \
	F(pcap_freealldevs) \
	F(pcap_freecode) \
	F(pcap_get_required_select_timeout) \
	F(pcap_get_selectable_fd) \
	F(pcap_get_tstamp_precision) \
	F(pcap_geterr) \
	F(pcap_getnonblock) \
	F(pcap_init) \
	F(pcap_inject) \
	F(pcap_is_swapped) \
	F(pcap_lib_version) \
	F(pcap_list_datalinks) \
	F(pcap_list_tstamp_types) \
	F(pcap_lookupdev) \
	F(pcap_lookupnet) \
	F(pcap_loop) \
	F(pcap_major_version) \
	F(pcap_minor_version) \
	F(pcap_nametoaddr) \
	F(pcap_nametoaddrinfo) \
	F(pcap_nametoeproto) \
	F(pcap_nametollc) \
	F(pcap_nametonetaddr) \
	F(pcap_nametoport) \
	F(pcap_nametoportrange) \
	F(pcap_nametoproto) \
	F(pcap_next) \
	F(pcap_next_etherent) \
	F(pcap_next_ex) \
	F(pcap_offline_filter) \
	F(pcap_open_dead) \
	F(pcap_open_dead_with_tstamp_precision) \
	F(pcap_open_live) \
	F(pcap_open_offline) \
	F(pcap_open_offline_with_tstamp_precision) \
	F(pcap_perror) \
	F(pcap_sendpacket) \
	F(pcap_set_buffer_size) \
	F(pcap_set_datalink) \
	F(pcap_set_immediate_mode) \
	F(pcap_set_promisc) \
	F(pcap_set_protocol_linux) \
	F(pcap_set_rfmon) \
	F(pcap_set_snaplen) \
	F(pcap_set_timeout) \
	F(pcap_set_tstamp_precision) \
	F(pcap_set_tstamp_type) \
	F(pcap_setdirection) \
	F(pcap_setfilter) \
	F(pcap_setnonblock) \
	F(pcap_snapshot) \
	F(pcap_stats) \
	F(pcap_statustostr) \
	F(pcap_strerror) \
	F(pcap_tstamp_type_name_to_val) \
	F(pcap_tstamp_type_val_to_description) \
	F(pcap_tstamp_type_val_to_name) \
	F(pcap_createsrcstr) \
	F(pcap_findalldevs_ex) \
	F(pcap_open) \
	F(pcap_parsesrcstr) \
	F(pcap_setsampling)

/* Deprecated functions are part of the ABI all the same. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#define PCF_STOCK_MEMBER(name) __typeof__(&name) name;
struct pcf_stock {
	PCF_STOCK_FUNCTIONS(PCF_STOCK_MEMBER)
};
#undef PCF_STOCK_MEMBER
#pragma GCC diagnostic pop

extern struct pcf_stock pcf_stock_table;
extern atomic_bool pcf_stock_ready;
void pcf_stock_load(void);

static inline const struct pcf_stock *pcf_stock(void)
{
	/* Pairs with the release store at the end of the load. */
	if (!atomic_load_explicit(&pcf_stock_ready, memory_order_acquire))
		pcf_stock_load();
	return &pcf_stock_table;
}

/* Why the table is empty, "" when it is not. */
const char *pcf_stock_error(void);
/* The file that was opened, "" before. */
const char *pcf_stock_path(void);

extern __thread int pcf_stock_depth __attribute__((tls_model("initial-exec")));

/* This thread runs inside the system's library: only pass on. */
static inline bool pcf_inside_stock(void)
{
	return pcf_stock_depth != 0;
}

#define PCF_STOCK_ENTER() (pcf_stock_depth++)
#define PCF_STOCK_LEAVE() (pcf_stock_depth--)

#endif
