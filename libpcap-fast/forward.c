/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The exports that only pass on to the system's libpcap: they take no handle,
 * or work on the real pcap_t behind ours. Where the system's library lacks a
 * function, or could not be opened, the second argument of the macro is what
 * the caller gets.
 */
#include "compat/stock.h"

/* Deprecated functions are part of the ABI all the same. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

#define FORWARD(ret, fail, name, params, args) \
	ret name params \
	{ \
		const struct pcf_stock *stock = pcf_stock(); \
\
		return stock->name ? stock->name args : (fail); \
	}

#define FORWARD_VOID(name, params, args) \
	void name params \
	{ \
		const struct pcf_stock *stock = pcf_stock(); \
\
		if (stock->name) \
			stock->name args; \
	}

/* Options and properties of a handle that hold for every mode. */
FORWARD(int, PCAP_ERROR, pcap_set_tstamp_precision, (pcap_t *p, int n), (p, n))
FORWARD(int, PCAP_ERROR, pcap_can_set_rfmon, (pcap_t *p), (p))
FORWARD(int, PCAP_ERROR, pcap_get_tstamp_precision, (pcap_t *p), (p))
FORWARD_VOID(pcap_free_tstamp_types, (int *list), (list))
FORWARD(int, PCAP_ERROR, pcap_datalink, (pcap_t *p), (p))
FORWARD(int, PCAP_ERROR, pcap_datalink_ext, (pcap_t *p), (p))
FORWARD(int, PCAP_ERROR, pcap_list_datalinks, (pcap_t *p, int **list),
	(p, list))
FORWARD(int, PCAP_ERROR, pcap_set_datalink, (pcap_t *p, int dlt), (p, dlt))
FORWARD_VOID(pcap_free_datalinks, (int *list), (list))
FORWARD(int, PCAP_ERROR, pcap_is_swapped, (pcap_t *p), (p))
FORWARD(int, PCAP_ERROR, pcap_major_version, (pcap_t *p), (p))
FORWARD(int, PCAP_ERROR, pcap_minor_version, (pcap_t *p), (p))
FORWARD(FILE *, NULL, pcap_file, (pcap_t *p), (p))

/* Errors. */
FORWARD(char *, (char *)pcf_stock_error(), pcap_geterr, (pcap_t *p), (p))
FORWARD_VOID(pcap_perror, (pcap_t *p, const char *prefix), (p, prefix))
FORWARD(const char *, pcf_stock_error(), pcap_statustostr, (int n), (n))
FORWARD(const char *, pcf_stock_error(), pcap_strerror, (int n), (n))

/* Filters as programs; where they run is setfilter.c's business. */
FORWARD(int, PCAP_ERROR, pcap_compile_nopcap,
	(int snaplen, int dlt, struct bpf_program *prog, const char *s,
	 int optimize, bpf_u_int32 mask),
	(snaplen, dlt, prog, s, optimize, mask))
FORWARD_VOID(pcap_freecode, (struct bpf_program *prog), (prog))
FORWARD(int, 0, pcap_offline_filter,
	(const struct bpf_program *prog, const struct pcap_pkthdr *h,
	 const u_char *data),
	(prog, h, data))
FORWARD(u_int, 0, bpf_filter,
	(const struct bpf_insn *insns, const u_char *data, u_int len,
	 u_int caplen),
	(insns, data, len, caplen))
FORWARD(int, 0, bpf_validate, (const struct bpf_insn *insns, int n), (insns, n))
FORWARD(char *, (char *)pcf_stock_error(), bpf_image,
	(const struct bpf_insn *insn, int n), (insn, n))
FORWARD_VOID(bpf_dump, (const struct bpf_program *prog, int option),
	     (prog, option))

/* Savefiles and handles without a device. */
FORWARD(pcap_t *, NULL, pcap_open_dead, (int dlt, int snaplen), (dlt, snaplen))
FORWARD(pcap_t *, NULL, pcap_open_dead_with_tstamp_precision,
	(int dlt, int snaplen, u_int precision), (dlt, snaplen, precision))
FORWARD(pcap_t *, NULL, pcap_open_offline, (const char *name, char *errbuf),
	(name, errbuf))
FORWARD(pcap_t *, NULL, pcap_open_offline_with_tstamp_precision,
	(const char *name, u_int precision, char *errbuf),
	(name, precision, errbuf))
FORWARD(pcap_t *, NULL, pcap_fopen_offline, (FILE *f, char *errbuf),
	(f, errbuf))
FORWARD(pcap_t *, NULL, pcap_fopen_offline_with_tstamp_precision,
	(FILE *f, u_int precision, char *errbuf), (f, precision, errbuf))
FORWARD(pcap_dumper_t *, NULL, pcap_dump_open, (pcap_t *p, const char *name),
	(p, name))
FORWARD(pcap_dumper_t *, NULL, pcap_dump_fopen, (pcap_t *p, FILE *f), (p, f))
FORWARD(pcap_dumper_t *, NULL, pcap_dump_open_append,
	(pcap_t *p, const char *name), (p, name))
FORWARD(FILE *, NULL, pcap_dump_file, (pcap_dumper_t *d), (d))
FORWARD(long, -1, pcap_dump_ftell, (pcap_dumper_t *d), (d))
FORWARD(int64_t, -1, pcap_dump_ftell64, (pcap_dumper_t *d), (d))
FORWARD(int, PCAP_ERROR, pcap_dump_flush, (pcap_dumper_t *d), (d))
FORWARD_VOID(pcap_dump_close, (pcap_dumper_t *d), (d))
FORWARD_VOID(pcap_dump,
	     (u_char *user, const struct pcap_pkthdr *h, const u_char *data),
	     (user, h, data))

/* Devices. */
FORWARD(int, PCAP_ERROR, pcap_init, (u_int options, char *errbuf),
	(options, errbuf))
FORWARD(int, PCAP_ERROR, pcap_findalldevs, (pcap_if_t **list, char *errbuf),
	(list, errbuf))
FORWARD_VOID(pcap_freealldevs, (pcap_if_t *list), (list))
FORWARD(char *, NULL, pcap_lookupdev, (char *errbuf), (errbuf))
FORWARD(int, PCAP_ERROR, pcap_lookupnet,
	(const char *device, bpf_u_int32 *net, bpf_u_int32 *mask, char *errbuf),
	(device, net, mask, errbuf))

/* Names and numbers. */
FORWARD(int, -1, pcap_datalink_name_to_val, (const char *name), (name))
FORWARD(const char *, NULL, pcap_datalink_val_to_name, (int dlt), (dlt))
FORWARD(const char *, NULL, pcap_datalink_val_to_description, (int dlt), (dlt))
FORWARD(const char *, NULL, pcap_datalink_val_to_description_or_dlt, (int dlt),
	(dlt))
FORWARD(int, PCAP_ERROR, pcap_tstamp_type_name_to_val, (const char *name),
	(name))
FORWARD(const char *, NULL, pcap_tstamp_type_val_to_name, (int n), (n))
FORWARD(const char *, NULL, pcap_tstamp_type_val_to_description, (int n), (n))
FORWARD(bpf_u_int32 **, NULL, pcap_nametoaddr, (const char *name), (name))
FORWARD(struct addrinfo *, NULL, pcap_nametoaddrinfo, (const char *name),
	(name))
FORWARD(bpf_u_int32, 0, pcap_nametonetaddr, (const char *name), (name))
FORWARD(int, 0, pcap_nametoport, (const char *name, int *port, int *proto),
	(name, port, proto))
FORWARD(int, 0, pcap_nametoportrange,
	(const char *name, int *port1, int *port2, int *proto),
	(name, port1, port2, proto))
FORWARD(int, PROTO_UNDEF, pcap_nametoproto, (const char *name), (name))
FORWARD(int, PROTO_UNDEF, pcap_nametoeproto, (const char *name), (name))
FORWARD(int, PROTO_UNDEF, pcap_nametollc, (const char *name), (name))
FORWARD(struct pcap_etherent *, NULL, pcap_next_etherent, (FILE *f), (f))
FORWARD(u_char *, NULL, pcap_ether_hostton, (const char *name), (name))
FORWARD(u_char *, NULL, pcap_ether_aton, (const char *s), (s))

/* New in 1.11; on an older system's library they fail with a text. */
static int too_old(char *errbuf, const char *name)
{
	if (errbuf)
		snprintf(errbuf, PCAP_ERRBUF_SIZE,
			 "%s: the system's libpcap does not have it", name);
	return PCAP_ERROR;
}

FORWARD(int, too_old(errbuf, "pcap_createsrcstr"), pcap_createsrcstr,
	(char *source, int type, const char *host, const char *port,
	 const char *name, char *errbuf),
	(source, type, host, port, name, errbuf))
FORWARD(int, too_old(errbuf, "pcap_parsesrcstr"), pcap_parsesrcstr,
	(const char *source, int *type, char *host, char *port, char *name,
	 char *errbuf),
	(source, type, host, port, name, errbuf))
FORWARD(int, too_old(errbuf, "pcap_findalldevs_ex"), pcap_findalldevs_ex,
	(const char *source, struct pcap_rmtauth *auth, pcap_if_t **list,
	 char *errbuf),
	(source, auth, list, errbuf))
FORWARD(pcap_t *, (too_old(errbuf, "pcap_open"), NULL), pcap_open,
	(const char *source, int snaplen, int flags, int timeout,
	 struct pcap_rmtauth *auth, char *errbuf),
	(source, snaplen, flags, timeout, auth, errbuf))
FORWARD(struct pcap_samp *, NULL, pcap_setsampling, (pcap_t *p), (p))
