/* SPDX-License-Identifier: BSD-3-Clause */
/* See checks.h. No system calls, no output. */
#include "tools/checks.h"

#include "compat/netdev.h"

#include <stdarg.h>
#include <stdio.h>

/* Frames of 4,096 bytes with 256 in front, two VLAN tags and the checksum:
 * larger packets take several frames. */
#define ONE_FRAME_MTU 3814
/* What every driver with XDP takes. */
#define COMMON_MTU 1500
/* Packet memory of one capture on one queue. */
#define MEMORY (80ull << 20)

struct list {
	struct check_finding *out;
	unsigned n;
};

__attribute__((format(printf, 4, 5))) static struct check_finding *
find(struct list *l, const char *name, enum check_verdict verdict,
     const char *fmt, ...)
{
	struct check_finding *f = &l->out[l->n++];
	va_list ap;

	*f = (struct check_finding){ .name = name, .verdict = verdict };
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	return f;
}

__attribute__((format(printf, 2, 3))) static void
advise(struct check_finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->advice, sizeof(f->advice), fmt, ap);
	va_end(ap);
}

/* --- machine and process ------------------------------------------------- */

static void privileges(struct list *l, const struct pcf_facts *f)
{
	if (f->cap_bpf && f->cap_net_admin && f->cap_net_raw) {
		find(l, "privileges", CHECK_YES, "all that a capture needs%s",
		     f->cap_sys_admin
			     ? ""
			     : ", but not CAP_SYS_ADMIN: it cannot join other captures");
		return;
	}
	advise(find(l, "privileges", CHECK_NO, "missing:%s%s%s",
		    f->cap_bpf ? "" : " CAP_BPF",
		    f->cap_net_admin ? "" : " CAP_NET_ADMIN",
		    f->cap_net_raw ? "" : " CAP_NET_RAW"),
	       "run it as root, or setcap cap_bpf,cap_net_admin,cap_net_raw+ep PROGRAM");
}

static void memory(struct list *l, const struct check_machine *m,
		   const struct pcf_facts *f)
{
	if (m->memlock >= MEMORY || f->cap_bpf) {
		find(l, "locked memory", CHECK_YES, "the limit is no obstacle");
		return;
	}
	advise(find(l, "locked memory", CHECK_NO, "the limit is %llu KiB",
		    (unsigned long long)m->memlock / 1024),
	       "ulimit -l unlimited");
}

static void system_libpcap(struct list *l, const struct check_machine *m)
{
	if (*m->stock_error)
		advise(find(l, "system libpcap", CHECK_NO, "%s",
			    m->stock_error),
		       "PCAP_FAST_SYSTEM_LIBPCAP=/path/to/libpcap.so.0.8");
	else
		find(l, "system libpcap", CHECK_YES, "%s", m->stock_path);
}

unsigned check_machine(const struct pcf_facts *f, const struct check_machine *m,
		       struct check_finding *out)
{
	struct list l = { out, 0 };

	if (*f->missing)
		find(&l, "kernel", CHECK_NO, "lacks %s", f->missing);
	else
		find(&l, "kernel", CHECK_YES,
		     f->cap_bpf
			     ? "has all features"
			     : "features could not be tried without privilege");
	privileges(&l, f);
	memory(&l, m, f);
	system_libpcap(&l, m);
	if (m->tcpdump_confined)
		advise(find(&l, "tcpdump", CHECK_NOTE,
			    "is confined by AppArmor, which may refuse the drop-in"),
		       "aa-complain /usr/bin/tcpdump");
	return l.n;
}

/* --- one interface ------------------------------------------------------- */

static void driver(struct list *l, const struct pcf_facts *f)
{
	find(l, "driver", CHECK_NOTE, "%s, %u RX queue%s",
	     *f->driver ? f->driver : "unknown", f->link.rx_queues,
	     f->link.rx_queues == 1 ? "" : "s");
}

static void native_xdp(struct list *l, const struct pcf_facts *f)
{
	const uint64_t needed = PCF_XDP_ACT_BASIC | PCF_XDP_ACT_REDIRECT;

	if (!f->xdp_known)
		find(l, "native XDP", CHECK_NOTE,
		     "this kernel does not tell (6.3 does); activating finds out");
	else if ((f->xdp_features & needed) == needed)
		find(l, "native XDP", CHECK_YES,
		     "the driver says so (netdev-genl, 0x%llx)",
		     (unsigned long long)f->xdp_features);
	else
		advise(find(l, "native XDP", CHECK_NO,
			    "the driver offers none now (netdev-genl, 0x%llx)",
			    (unsigned long long)f->xdp_features),
		       "a NIC whose driver has it; on some: fewer queues (ethtool -L %s)",
		       f->link.name);
}

static void zero_copy(struct list *l, const struct pcf_facts *f)
{
	if (!f->xdp_known)
		return;
	if (f->xdp_features & PCF_XDP_ACT_XSK_ZEROCOPY)
		find(l, "zero-copy", CHECK_YES,
		     "the driver says so (netdev-genl); a bind decides, and was not tried");
	else
		find(l, "zero-copy", CHECK_NO,
		     "the driver offers none (netdev-genl): packets are copied once");
}

/* Kernels before 6.8 do not tell, and then the library does not ask either. */
static void adapter(struct list *l, const struct pcf_facts *f)
{
	bool time = f->rx_metadata & PCF_XDP_RX_TIMESTAMP;
	bool hash = f->rx_metadata & PCF_XDP_RX_HASH;

	if (time || hash)
		find(l, "adapter", CHECK_NOTE,
		     "tells %s%s%s of each packet, to a capture alone there",
		     time ? "its own time" : "", time && hash ? " and " : "",
		     hash ? "the hash" : "");
	if (hash && f->rx_hash_off)
		advise(find(l, "hash", CHECK_NOTE,
			    "the device is set not to compute it"),
		       "ethtool -K %s rxhash on", f->link.name);
}

static void mtu(struct list *l, const struct pcf_facts *f)
{
	if (f->link.mtu <= ONE_FRAME_MTU)
		find(l, "MTU", CHECK_YES, "%u: a packet fits into one frame%s",
		     f->link.mtu,
		     f->link.mtu > COMMON_MTU
			     ? "; some drivers' own limit is lower (igb: 3046)"
			     : "");
	else
		advise(find(l, "MTU",
			    f->zc_max_segs > 1 ? CHECK_NOTE : CHECK_NO,
			    "%u: packets take several frames%s", f->link.mtu,
			    f->zc_max_segs > 1
				    ? ""
				    : ", which the driver does not give to zero-copy"),
		       "ip link set %s mtu %u", f->link.name, ONE_FRAME_MTU);
}

static void vlan(struct list *l, const struct pcf_facts *f)
{
	if (!f->rx_vlan_offload)
		find(l, "VLAN tags", CHECK_YES, "stay in the frames");
	else
		advise(find(l, "VLAN tags", CHECK_NO,
			    "are taken out by the NIC, where XDP cannot see them"),
		       "ethtool -K %s rxvlan off", f->link.name);
}

static void other_program(struct list *l, const struct pcf_facts *f)
{
	if (*f->foreign_xdp)
		advise(find(l, "XDP program", CHECK_NO,
			    "%s is attached, which is not ours",
			    f->foreign_xdp),
		       "ip link set %s xdp off", f->link.name);
	else if (*f->alone_owner)
		find(l, "XDP program", CHECK_NO,
		     "%s captures alone, for what the adapter knows of packets",
		     f->alone_owner);
	else if (*f->exclusive_owner)
		find(l, "XDP program", CHECK_NOTE,
		     "%s captures exclusively%s%s; others join by mirror",
		     f->exclusive_owner,
		     *f->exclusive_queues ? " from RX queue " : "",
		     f->exclusive_queues);
	else
		find(l, "XDP program", CHECK_YES, "%s",
		     f->ours ? "ours" : "none");
}

static void used(struct list *l, const struct pcf_facts *f)
{
	if (f->addresses)
		advise(find(l, "addresses", CHECK_NOTE,
			    "%u: the host uses the interface", f->addresses),
		       "ip addr flush dev %s, if it is for capturing only",
		       f->link.name);
	if (f->packet_sockets)
		find(l, "listeners", CHECK_NOTE, "%u packet socket%s%s%s",
		     f->packet_sockets, f->packet_sockets == 1 ? "" : "s",
		     *f->packet_owner ? ", of " : "", f->packet_owner);
}

unsigned check_interface(const struct pcf_facts *f,
			 const struct pcf_choice *choice,
			 struct check_finding *out)
{
	struct list l = { out, 0 };

	if (f->exists) {
		driver(&l, f);
		native_xdp(&l, f);
		zero_copy(&l, f);
		adapter(&l, f);
		mtu(&l, f);
		vlan(&l, f);
		other_program(&l, f);
		used(&l, f);
	}
	find(&l, "auto",
	     choice->mode == PCAP_FAST_MODE_SYSTEM ? CHECK_NO : CHECK_YES,
	     "would choose %s: %s", pcf_mode_name(choice->mode),
	     choice->reason);
	return l.n;
}
