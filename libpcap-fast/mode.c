/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The choice of mode. A table of rules, in order; the first that applies to
 * what was asked and hits decides, and says why and what would change it.
 * Pure: no system calls, no state, no handle.
 */
#include "libpcap-fast/mode.h"

#include <net/if_arp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compat/netdev.h"
#include "libpcap-fast/device.h"

/* Why a rule hit, and what would change it ("" nothing would). Long names in
 * facts are cut here rather than at the end of the sentence. */
struct verdict {
	char why[256];
	char hint[160];
};

#define MAX_QUEUES 4096

__attribute__((format(printf, 2, 3))) static bool hit(struct verdict *verdict,
						      const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(verdict->why, sizeof(verdict->why), format, arguments);
	va_end(arguments);
	return true;
}

__attribute__((format(printf, 2, 3))) static void hint(struct verdict *verdict,
						       const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(verdict->hint, sizeof(verdict->hint), format, arguments);
	va_end(arguments);
}

static const char *driver(const struct pcf_facts *f)
{
	return *f->driver ? f->driver : "unknown";
}

static bool of_cluster(const struct pcf_request *r)
{
	return r->cluster && *r->cluster;
}

/* The exclusive capture that is there is the cluster asked for. */
static bool joins(const struct pcf_request *r, const struct pcf_facts *f)
{
	return of_cluster(r) && !strcmp(r->cluster, f->cluster);
}

/* ... or those that are there have other queues. */
static bool shares(const struct pcf_request *r, const struct pcf_facts *f)
{
	return joins(r, f) || f->beside;
}

/* What can never run on AF_XDP. */

static bool no_single_device(const struct pcf_request *r,
			     const struct pcf_facts *f, struct verdict *v)
{
	(void)f;
	if (r->device && strcmp(r->device, "any"))
		return false;
	hint(v, "name one interface");
	return hit(v, "\"any\" is all interfaces at once");
}

static bool no_such_device(const struct pcf_request *r,
			   const struct pcf_facts *f, struct verdict *v)
{
	if (f->exists)
		return false;
	return hit(v, "there is no network interface \"%.32s\" here",
		   r->device);
}

static bool never_touched(const struct pcf_request *r,
			  const struct pcf_facts *f, struct verdict *v)
{
	const struct pcf_link *link = &f->link;

	if (link->flags & IFF_LOOPBACK)
		return hit(v, "%.32s is a loopback interface", r->device);
	if (link->type != ARPHRD_ETHER)
		return hit(v, "%.32s is not Ethernet (link type %u)", r->device,
			   link->type);
	if (link->wireless)
		return hit(v, "%.32s is a wireless interface", r->device);
	if (!strcmp(link->kind, "tun") || !strcmp(link->kind, "ppp"))
		return hit(v, "%.32s is a %.16s interface", r->device,
			   link->kind);
	return false;
}

static bool special_option(const struct pcf_request *r,
			   const struct pcf_facts *f, struct verdict *v)
{
	(void)f;
	if (r->rfmon)
		return hit(v, "monitor mode was asked for");
	if (r->protocol_set)
		return hit(v, "packets of one protocol only were asked for");
	return false;
}

static bool is_auto(const struct pcf_request *r)
{
	return r->mode == PCAP_FAST_MODE_AUTO;
}

/* What the adapter knows of packets. The system's library has its time stamps,
 * too, by a way of its own, and has them alone where nothing else was named. */
static bool alone(const struct pcf_request *r)
{
	return r->rx_hash || (r->adapter_tstamp && !is_auto(r));
}

static bool no_adapter_tstamp(const struct pcf_request *r,
			      const struct pcf_facts *f, struct verdict *v)
{
	bool told = f->rx_metadata & PCF_XDP_RX_TIMESTAMP && !r->synced_tstamp;

	if (!r->adapter_tstamp || (told && !is_auto(r)))
		return false;
	hint(v, told ? "ask for exclusive or mirror by name" :
		       "use time stamps of the host");
	if (is_auto(r) || !r->synced_tstamp)
		return hit(v, "time stamps of the adapter were asked for%s",
			   told ? "" :
				  ", and the driver does not tell XDP programs of them");
	return hit(v, "time stamps of the adapter were asked for, by the "
		      "host's time, and XDP programs are told only the "
		      "adapter's own (adapter_unsynced)");
}

static bool no_rx_hash(const struct pcf_request *r, const struct pcf_facts *f,
		       struct verdict *v)
{
	if (!r->rx_hash || f->rx_metadata & PCF_XDP_RX_HASH)
		return false;
	hint(v, "do not ask for it");
	return hit(v,
		   "the hash of packets was asked for, and the driver of "
		   "%.32s, %s, does not tell XDP programs of it",
		   r->device, driver(f));
}

/* Drivers then say for each packet that it has none. A veth's packets have the
 * kernel's own, and nothing to switch. */
static bool rx_hash_is_off(const struct pcf_request *r,
			   const struct pcf_facts *f, struct verdict *v)
{
	if (!r->rx_hash || !f->rx_hash_off)
		return false;
	hint(v, "ethtool -K %.32s rxhash on", r->device);
	return hit(v,
		   "the hash of packets was asked for, and %.32s is set not to "
		   "compute it",
		   r->device);
}

static bool cannot_be_alone(const struct pcf_request *r,
			    const struct pcf_facts *f, struct verdict *v)
{
	if (!alone(r))
		return false;
	if (of_cluster(r))
		return hit(v, "what the adapter knows of packets (time stamps, "
			      "hashes) is for a capture alone on its "
			      "interface, which a cluster's members are not");
	if (!f->ours || *f->alone_owner)
		return false;
	hint(v, "end that capture");
	return hit(v,
		   "%s captures on %.32s, and what the adapter knows of packets "
		   "(time stamps, hashes) is for a capture alone there",
		   *f->exclusive_owner ? f->exclusive_owner :
		   *f->mirror_owner    ? f->mirror_owner :
					 "another handle",
		   r->device);
}

static bool held_alone(const struct pcf_request *r, const struct pcf_facts *f,
		       struct verdict *v)
{
	if (!*f->alone_owner)
		return false;
	hint(v, "end that capture");
	return hit(v,
		   "%s has %.32s alone, for what the adapter knows of packets",
		   f->alone_owner, r->device);
}

/* What this kernel and this process lack. */

static bool lacks_feature(const struct pcf_request *r,
			  const struct pcf_facts *f, struct verdict *v)
{
	(void)r;
	if (!*f->missing)
		return false;
	hint(v, "a newer kernel, or one built with it, has it");
	return hit(v, "this kernel lacks %s", f->missing);
}

static void add_name(char *list, size_t size, const char *name)
{
	size_t n = strlen(list);

	snprintf(list + n, size - n, "%s%s", n ? ", " : "", name);
}

static bool lacks_privilege(const struct pcf_request *r,
			    const struct pcf_facts *f, struct verdict *v)
{
	char names[96] = "";

	(void)r;
	if (!f->cap_bpf && !f->cap_sys_admin)
		add_name(names, sizeof(names), "CAP_BPF");
	if (!f->cap_net_admin)
		add_name(names, sizeof(names), "CAP_NET_ADMIN");
	if (!f->cap_net_raw)
		add_name(names, sizeof(names), "CAP_NET_RAW");
	if (!*names)
		return false;
	hint(v, "run as root outside of user namespaces, or give the program "
		"these capabilities");
	return hit(v, "the process lacks %s", names);
}

/* The descriptors of a program that another process attached are only given
 * to CAP_SYS_ADMIN. */
static bool cannot_join(const struct pcf_request *r, const struct pcf_facts *f,
			struct verdict *v)
{
	if (!f->ours || f->cap_sys_admin)
		return false;
	hint(v, "run as root");
	return hit(v,
		   "another libpcap-fast handle captures on %.32s, and to join "
		   "it takes CAP_SYS_ADMIN",
		   r->device);
}

/* Who else is there. */

static bool held_exclusively(const struct pcf_request *r,
			     const struct pcf_facts *f, struct verdict *v)
{
	if (!*f->exclusive_owner || joins(r, f))
		return false;
	if (*f->cluster)
		hint(v, "ask for exclusive:%.32s%%%.31s or mirror:%.32s",
		     r->device, f->cluster, r->device);
	else
		hint(v, "end that capture, or ask for mirror:%.32s",
		     r->device);
	if (!*f->exclusive_queues)
		return hit(v, "%s already captures %.32s exclusively",
			   f->exclusive_owner, r->device);
	return hit(v, "%s already captures %.32s exclusively, from RX queue %s",
		   f->exclusive_owner, r->device, f->exclusive_queues);
}

static bool foreign_program(const struct pcf_request *r,
			    const struct pcf_facts *f, struct verdict *v)
{
	if (!*f->foreign_xdp)
		return false;
	if (f->cap_sys_admin)
		hint(v, "detach it first, if it may go");
	else
		hint(v, "if it is a capture of this library, joining it takes "
			"CAP_SYS_ADMIN: run as root");
	return hit(v, "another XDP program, %s, is attached to %.32s",
		   f->foreign_xdp, r->device);
}

static bool not_promiscuous(const struct pcf_request *r,
			    const struct pcf_facts *f, struct verdict *v)
{
	(void)f;
	if (r->promisc)
		return false;
	hint(v, "ask for exclusive:%.32s to take its packets anyway",
	     r->device);
	return hit(v,
		   "promiscuous mode was not asked for, so the packets of "
		   "%.32s are the host's own",
		   r->device);
}

static bool has_socket(const struct pcf_request *r, const struct pcf_facts *f,
		       struct verdict *v)
{
	unsigned others = f->packet_sockets - 1;

	/* those that listen beside are the others' own */
	if (!f->packet_sockets || (shares(r, f) && f->was_dedicated))
		return false;
	if (!*f->packet_owner)
		return hit(v, "%u packet socket%s on %.32s", others + 1,
			   others ? "s listen" : " listens", r->device);
	if (!others)
		return hit(v, "%s listens on %.32s through a packet socket",
			   f->packet_owner, r->device);
	return hit(v, "%s and %u more listen on %.32s through packet sockets",
		   f->packet_owner, others, r->device);
}

/* Not dedicated: somebody else lives on the interface. */
static bool used_by_others(const struct pcf_request *r,
			   const struct pcf_facts *f, struct verdict *v)
{
	hint(v, "ask for exclusive:%.32s to take it anyway", r->device);
	if (f->addresses)
		return hit(v, "%.32s has %u IP address%s, so the host uses it",
			   r->device, f->addresses,
			   f->addresses == 1 ? "" : "es");
	if (f->link.master)
		return hit(v,
			   "%.32s is a port of a bridge, bond or the like "
			   "(interface %d)",
			   r->device, f->link.master);
	if (!strcmp(f->upper, "?"))
		return hit(v,
			   "an interface that cannot be seen from here (in "
			   "another network namespace) may be stacked on %.32s",
			   r->device);
	if (*f->upper)
		return hit(v, "the interface %.16s is stacked on %.32s",
			   f->upper, r->device);
	if (f->pppoe)
		return hit(v, "a PPPoE session runs over %.32s", r->device);
	return has_socket(r, f, v);
}

/* What the driver lacks, and what does not fit it. */

static bool no_native_xdp(const struct pcf_request *r,
			  const struct pcf_facts *f, struct verdict *v)
{
	uint64_t wanted = PCF_XDP_ACT_BASIC;

	if (r->mode != PCAP_FAST_MODE_MIRROR)
		wanted |= PCF_XDP_ACT_REDIRECT;
	if (!f->xdp_known || (f->xdp_features & wanted) == wanted)
		return false;
	return hit(v, "the driver of %.32s, %s, offers no native XDP%s",
		   r->device, driver(f),
		   f->xdp_features & PCF_XDP_ACT_BASIC ? " redirect" : "");
}

/* A veth says that it strips tags, but takes none out of a frame; its flag has
 * no effect at all (see reservation() for what it does). */
static bool strips_vlan_tags(const struct pcf_request *r,
			     const struct pcf_facts *f, struct verdict *v)
{
	if (!f->rx_vlan_offload || !strcmp(f->driver, "veth"))
		return false;
	hint(v, "ethtool -K %.32s rxvlan off", r->device);
	return hit(v,
		   "%.32s strips VLAN tags in hardware, where XDP cannot see "
		   "them",
		   r->device);
}

static bool bad_queues(const struct pcf_request *r, const struct pcf_facts *f,
		       struct verdict *v)
{
	uint64_t mask[MAX_QUEUES / 64];
	unsigned queues = f->link.rx_queues;
	char why[160];

	if (queues > MAX_QUEUES)
		queues = MAX_QUEUES;
	if (pcf_queue_list(r->queues, mask, queues, why, sizeof(why)) >= 0)
		return false;
	return hit(v, "%s", why);
}

static bool no_zero_copy(const struct pcf_request *r, const struct pcf_facts *f,
			 struct verdict *v)
{
	if (of_cluster(r) && r->zerocopy == PCAP_FAST_ZEROCOPY_REQUIRE) {
		hint(v, "do not require zero-copy");
		return hit(v, "zero-copy is required, and the members of a "
			      "cluster receive copies");
	}
	if (r->zerocopy != PCAP_FAST_ZEROCOPY_REQUIRE || !f->xdp_known ||
	    f->xdp_features & PCF_XDP_ACT_XSK_ZEROCOPY)
		return false;
	hint(v, "do not require zero-copy");
	return hit(v,
		   "zero-copy is required, and the driver of %.32s, %s, has "
		   "none",
		   r->device, driver(f));
}

static bool is_down(const struct pcf_request *r, const struct pcf_facts *f,
		    struct verdict *v)
{
	if (f->link.flags & IFF_UP)
		return false;
	hint(v, "ip link set %.32s up", r->device);
	return hit(v, "%.32s is down", r->device);
}

#define AUTO	  (1U << PCAP_FAST_MODE_AUTO)
#define EXCLUSIVE (1U << PCAP_FAST_MODE_EXCLUSIVE)
#define MIRROR	  (1U << PCAP_FAST_MODE_MIRROR)
#define ALL	  (AUTO | EXCLUSIVE | MIRROR)

static const struct rule {
	bool (*hits)(const struct pcf_request *r, const struct pcf_facts *f,
		     struct verdict *v);
	unsigned applies; /* to which modes asked for */
	int error;	  /* when the mode was asked for by name */
	int steps_to;	  /* the mode when it was not */
} rules[] = {
	{ no_single_device, ALL, PCAP_ERROR, PCAP_FAST_MODE_SYSTEM },
	{ no_such_device, ALL, PCAP_ERROR_NO_SUCH_DEVICE,
	  PCAP_FAST_MODE_SYSTEM },
	{ never_touched, ALL, PCAP_ERROR, PCAP_FAST_MODE_SYSTEM },
	{ special_option, ALL, PCAP_ERROR, PCAP_FAST_MODE_SYSTEM },
	{ lacks_feature, ALL, PCAP_ERROR, PCAP_FAST_MODE_SYSTEM },
	{ lacks_privilege, ALL, PCAP_ERROR_PERM_DENIED, PCAP_FAST_MODE_SYSTEM },
	{ no_adapter_tstamp, ALL, PCAP_ERROR, PCAP_FAST_MODE_SYSTEM },
	{ no_rx_hash, ALL, PCAP_ERROR, PCAP_FAST_MODE_SYSTEM },
	{ rx_hash_is_off, ALL, PCAP_ERROR, PCAP_FAST_MODE_SYSTEM },
	{ held_alone, ALL, PCAP_ERROR, PCAP_FAST_MODE_SYSTEM },
	{ cannot_join, ALL, PCAP_ERROR_PERM_DENIED, PCAP_FAST_MODE_SYSTEM },
	{ cannot_be_alone, ALL, PCAP_ERROR, PCAP_FAST_MODE_SYSTEM },
	{ held_exclusively, AUTO | EXCLUSIVE, PCAP_ERROR,
	  PCAP_FAST_MODE_MIRROR },
	{ foreign_program, ALL, PCAP_ERROR, PCAP_FAST_MODE_SYSTEM },
	{ not_promiscuous, AUTO, 0, PCAP_FAST_MODE_SYSTEM },
	{ used_by_others, AUTO, 0, PCAP_FAST_MODE_SYSTEM },
	{ no_native_xdp, ALL, PCAP_ERROR, PCAP_FAST_MODE_SYSTEM },
	{ strips_vlan_tags, ALL, PCAP_ERROR, PCAP_FAST_MODE_SYSTEM },
	{ bad_queues, ALL, PCAP_ERROR, PCAP_FAST_MODE_SYSTEM },
	{ no_zero_copy, AUTO | EXCLUSIVE, PCAP_ERROR, PCAP_FAST_MODE_SYSTEM },
	{ is_down, ALL, PCAP_ERROR_IFACE_NOT_UP, PCAP_FAST_MODE_SYSTEM },
};

static void stepped_down(int mode, const struct verdict *verdict,
			 struct pcf_choice *choice)
{
	const char *hinted = *verdict->hint ? verdict->hint : NULL;

	choice->mode = mode;
	if (mode == PCAP_FAST_MODE_MIRROR)
		snprintf(choice->reason, sizeof(choice->reason),
			 "%s: this capture mirrors it", verdict->why);
	else
		snprintf(choice->reason, sizeof(choice->reason),
			 "%s: capture stays on %s%s%s%s", verdict->why,
			 pcf_mode_name(mode), hinted ? " (" : "",
			 hinted ? hinted : "", hinted ? ")" : "");
}

static void failed(const struct pcf_request *request, int error,
		   const struct verdict *verdict, struct pcf_choice *choice)
{
	const char *hinted = *verdict->hint ? verdict->hint : NULL;

	choice->mode = request->mode;
	choice->error = error;
	snprintf(choice->reason, sizeof(choice->reason),
		 "no %s capture: %s%s%s%s", pcf_mode_name(request->mode),
		 verdict->why, hinted ? " (" : "", hinted ? hinted : "",
		 hinted ? ")" : "");
}

/* What remains to be said of a capture that runs. Before Linux 6.3 the kernel
 * does not tell what the driver can. A veth hands on the tag that a VLAN
 * device or bridge left beside the frame, not in it. */
static const char *reservation(const struct pcf_facts *facts)
{
	if (!facts->xdp_known)
		return "; this kernel does not say whether the driver offers "
		       "native XDP, so attaching decides";
	if (!strcmp(facts->driver, "veth"))
		return "; VLAN tags that the peer adds by offload are not seen "
		       "(at the peer: ethtool -K IF txvlan off)";
	return "";
}

static void granted(const struct pcf_request *request,
		    const struct pcf_facts *facts, const struct verdict *users,
		    struct pcf_choice *choice)
{
	choice->mode = request->mode;
	if (request->mode != PCAP_FAST_MODE_AUTO) {
		snprintf(choice->reason, sizeof(choice->reason),
			 "%s was asked for%s%s%s", pcf_mode_name(request->mode),
			 choice->dedicated ? "" : ", although ",
			 choice->dedicated ? "" : users->why,
			 reservation(facts));
		return;
	}
	choice->mode = PCAP_FAST_MODE_EXCLUSIVE;
	snprintf(choice->reason, sizeof(choice->reason),
		 "%.32s is dedicated (no IP address, nothing stacked on it, "
		 "nobody else listens)%s%s%s",
		 request->device,
		 facts->xdp_known ? " and offers native XDP, driver " : "",
		 facts->xdp_known ? driver(facts) : "", reservation(facts));
}

void pcf_mode_choose(const struct pcf_request *request,
		     const struct pcf_facts *facts, struct pcf_choice *choice)
{
	struct verdict verdict, users = { 0 };

	memset(choice, 0, sizeof(*choice));
	if (request->mode == PCAP_FAST_MODE_SYSTEM) {
		choice->mode = PCAP_FAST_MODE_SYSTEM;
		snprintf(choice->reason, sizeof(choice->reason),
			 "system was asked for");
		return;
	}
	choice->dedicated = facts->exists && request->device &&
			    !used_by_others(request, facts, &users) &&
			    !foreign_program(request, facts, &users);
	if (shares(request, facts))
		choice->dedicated = facts->was_dedicated;
	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		memset(&verdict, 0, sizeof(verdict));
		if (!(rules[i].applies & 1U << request->mode) ||
		    !rules[i].hits(request, facts, &verdict))
			continue;
		if (request->mode == PCAP_FAST_MODE_AUTO)
			stepped_down(rules[i].steps_to, &verdict, choice);
		else
			failed(request, rules[i].error, &verdict, choice);
		return;
	}
	granted(request, facts, &users, choice);
}

static const char *const names[] = {
	[PCAP_FAST_MODE_AUTO] = "auto",
	[PCAP_FAST_MODE_SYSTEM] = "system",
	[PCAP_FAST_MODE_EXCLUSIVE] = "exclusive",
	[PCAP_FAST_MODE_MIRROR] = "mirror",
};

#define MODES ((int)(sizeof(names) / sizeof(names[0])))

const char *pcf_mode_name(int mode)
{
	return mode >= 0 && mode < MODES ? names[mode] : "?";
}

int pcf_mode_by_name(const char *name)
{
	for (int mode = 0; mode < MODES; mode++)
		if (!strcmp(name, names[mode]))
			return mode;
	return -1;
}
