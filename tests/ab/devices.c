/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A/B: devices other than an Ethernet interface, and the calls that need no
 * handle: "any", "lo", the list of devices, names, texts, versions.
 */
#include "tests/ab/ab.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static pcap_if_t *find(pcap_if_t *list, const char *name)
{
	while (list && strcmp(list->name, name))
		list = list->next;
	return list;
}

static void say_device(pcap_if_t *list, const char *name)
{
	pcap_if_t *dev = find(list, name);
	char key[40];

	snprintf(key, sizeof(key), "list.%s", name);
	if (dev)
		ab_say(key, "flags %x, %s, addresses: %s", dev->flags,
		       dev->description ? dev->description : "no description",
		       dev->addresses ? "yes" : "no");
	else
		ab_say(key, "not there");
}

static void device_list(void)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	pcap_if_t *list = NULL, *dev;
	unsigned n = 0;

	ab_say("list.code", "%d", pcap_findalldevs(&list, err));
	for (dev = list; dev; dev = dev->next)
		n++;
	ab_say("list.devices", "%u", n);
	ab_say("list.first", "%s", list ? list->name : "none");
	say_device(list, AB_DEV);
	say_device(list, AB_DOWN);
	say_device(list, "any");
	say_device(list, "lo");
	pcap_freealldevs(list);
}

/* Listing devices must not hinder, or be hindered by, a capture. */
static void list_while_open(void)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	pcap_if_t *list = NULL;
	pcap_t *p = ab_open(AB_QUICK, 10);

	ab_say("list.while_open", "%d", pcap_findalldevs(&list, err));
	ab_yes("list.while_open_there", find(list, AB_DEV) != NULL);
	pcap_freealldevs(list);
	ab_send("icmp", 5);
	ab_say("list.capture_goes_on", "%d", ab_drain_n(p, 5, 1000));
	pcap_close(p);
}

static void lookups(void)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	bpf_u_int32 net = 1, mask = 1;

	ab_say("lookup.net", "%d \"%s\"",
	       pcap_lookupnet(AB_DEV, &net, &mask, err), err);
	err[0] = 0;
	ab_say("lookup.net_missing", "%d \"%s\"",
	       pcap_lookupnet("nosuchdev0", &net, &mask, err), err);
	err[0] = 0;
	ab_say("lookup.net_lo", "%d %x/%x",
	       pcap_lookupnet("lo", &net, &mask, err), ntohl(net), ntohl(mask));
}

static void say_links(const char *key, pcap_t *p)
{
	char text[64] = "";
	int i, *list, n = pcap_list_datalinks(p, &list);

	for (i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 " %d", list[i]);
	ab_say(key, "%d:%s", n, text);
	if (n > 0)
		pcap_free_datalinks(list);
}

static void any_device(void)
{
	pcap_t *p = ab_open_on("any", AB_QUICK, 10, 0);
	struct pcap_stat st;
	struct pcap_pkthdr *h;
	const u_char *data;

	ab_say("any.datalink", "%d", pcap_datalink(p));
	say_links("any.datalinks", p);
	ab_code("any.set_sll2", p, pcap_set_datalink(p, DLT_LINUX_SLL2));
	ab_code("any.set_ethernet", p, pcap_set_datalink(p, DLT_EN10MB));
	ab_say("any.snapshot", "%d", pcap_snapshot(p));
	ab_code("any.inject", p, pcap_inject(p, "0123456789abcdef", 16));
	ab_filter(p, "icmp");
	ab_send("icmp", 5);
	ab_send("udp9", 5);
	ab_settle(p, 5);
	if (pcap_next_ex(p, &h, &data) == 1)
		ab_say("any.packet", "%u/%u protocol %02x%02x", h->caplen,
		       h->len, data[0], data[1]);
	ab_say("any.rest", "%d", ab_drain_n(p, 5, 100));
	pcap_stats(p, &st);
	ab_say("any.recv", "%u", st.ps_recv);
	pcap_close(p);
}

/* One datagram to the local host itself. */
static void talk_to_self(unsigned n)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while (n--)
		if (sendto(fd, "hello", 5, 0, (struct sockaddr *)&to,
			   sizeof(to)) != 5)
			ab_die("lo: no way to send");
	close(fd);
}

static void loopback(void)
{
	pcap_t *p = ab_open_on("lo", AB_QUICK, 10, 0);
	struct pcap_pkthdr *h;
	const u_char *data;

	ab_say("lo.datalink", "%d", pcap_datalink(p));
	say_links("lo.datalinks", p);
	ab_filter(p, "udp port 9");
	talk_to_self(4);
	ab_settle(p, 4);
	if (pcap_next_ex(p, &h, &data) == 1)
		ab_say("lo.packet", "%u/%u", h->caplen, h->len);
	ab_say("lo.rest", "%d", ab_drain_n(p, 5, 100));
	ab_code("lo.out", p, pcap_setdirection(p, PCAP_D_OUT));
	talk_to_self(3);
	ab_say("lo.out_seen", "%d", ab_drain_n(p, 4, 80));
	pcap_close(p);
}

static void texts(void)
{
	static const int codes[] = { 1,	 2,  3,	 -1, -2,  -3,  -4,  -5,
				     -6, -7, -8, -9, -10, -11, -12, -99 };
	char key[32];
	unsigned i;

	for (i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		snprintf(key, sizeof(key), "text.%d", codes[i]);
		ab_say(key, "%s", pcap_statustostr(codes[i]));
	}
	ab_say("text.strerror", "%s", pcap_strerror(2));
}

static void names(void)
{
	ab_say("name.en10mb", "%d", pcap_datalink_name_to_val("EN10MB"));
	ab_say("name.1", "%s", pcap_datalink_val_to_name(1));
	ab_say("name.described", "%s", pcap_datalink_val_to_description(113));
	ab_say("name.described_or", "%s",
	       pcap_datalink_val_to_description_or_dlt(9999));
	ab_say("name.host", "%d", pcap_tstamp_type_name_to_val("host"));
	ab_say("name.tstamp_3", "%s", pcap_tstamp_type_val_to_name(3));
	ab_say("name.tstamp_text", "%s",
	       pcap_tstamp_type_val_to_description(0));
}

/* What follows the number may say who else is there. */
static void version(void)
{
	char number[32] = "";

	sscanf(pcap_lib_version(), "libpcap version %31[0-9.]", number);
	ab_say("version.number", "%s", number);
}

static void init(void)
{
	char err[PCAP_ERRBUF_SIZE] = "";

	ab_say("init.local", "%d", pcap_init(PCAP_CHAR_ENC_LOCAL, err));
	ab_say("init.wrong", "%d \"%s\"", pcap_init(77, err), err);
}

static const struct ab_case cases[] = {
	AB_CASE(device_list), AB_CASE(list_while_open), AB_CASE(lookups),
	AB_CASE(any_device),  AB_CASE(loopback),	AB_CASE(texts),
	AB_CASE(names),	      AB_CASE(version),		AB_CASE(init),
	AB_CASE_END,
};

int main(void)
{
	return ab_main("devices", cases);
}
