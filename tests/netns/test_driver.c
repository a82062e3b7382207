/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What drivers of network cards do and a veth does not, played on a veth in a
 * namespace of its own, as root:
 *
 *	refuse bpf_xdp_adjust_meta(): packets come without time, epoch and
 *	length to keep, and are timed and filtered when they are read. Here a
 *	program in a mirror's slot leaves no room for metadata.
 *	reset the link: pcap_activate() waits for it, but not for ever
 */
#include "backend/facts.h"
#include "tests/netns/common.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define FRAMES 600
#define NOTE   "no room for metadata"

/* --- metadata ------------------------------------------------------------ */

static pcap_t *open_handle(void)
{
	pcap_t *p = fresh("exclusive:vA");

	go_live(p);
	pcap_setnonblock(p, 1, errbuf);
	return p;
}

struct seen {
	unsigned frames, wrong;
	struct timeval last;
	uint32_t snaplen;
};

static void on_packet(u_char *user, const struct pcap_pkthdr *hdr,
		      const u_char *data)
{
	struct seen *s = (struct seen *)user;
	struct timeval now;
	uint32_t number;

	gettimeofday(&now, NULL);
	memcpy(&number, data + 42, 4);
	s->wrong += hdr->len != size_mixed(number);
	s->wrong +=
		hdr->caplen != (hdr->len < s->snaplen ? hdr->len : s->snaplen);
	s->wrong += !net_same(data, hdr->caplen, number);
	s->wrong +=
		timercmp(&hdr->ts, &s->last, <) || now.tv_sec < hdr->ts.tv_sec;
	s->wrong += now.tv_sec - hdr->ts.tv_sec > 5;
	s->last = hdr->ts;
	s->frames++;
}

static struct seen read_all(pcap_t *p, uint32_t snaplen)
{
	struct seen s = { .snaplen = snaplen };

	for (int idle = 0; idle < 30;) {
		if (pcap_dispatch(p, -1, on_packet, (u_char *)&s) > 0)
			continue;
		usleep(1000);
		idle++;
	}
	return s;
}

static bool says_so(pcap_t *p)
{
	struct pcap_fast_info info;

	CU_ASSERT_EQUAL(pcap_fast_get_info(p, &info, sizeof(info)), 0);
	return strstr(info.reason, NOTE) != NULL;
}

/* Without filter, and with filters set before and while packets wait. */
static void capture(bool refused)
{
	pcap_t *p = open_handle();
	struct pcap_stat stat;
	struct seen s;

	net_send(0, FRAMES, size_mixed);
	s = read_all(p, 65535);
	CU_ASSERT_EQUAL(s.frames, FRAMES);
	CU_ASSERT_EQUAL(s.wrong, 0);
	CU_ASSERT_EQUAL(says_so(p), refused);

	set_filter(p, "udp port 7000");
	net_send(0, FRAMES, size_mixed);
	s = read_all(p, 65535);
	CU_ASSERT_EQUAL(s.frames, FRAMES / 2);
	CU_ASSERT_EQUAL(s.wrong, 0);

	net_send(0, FRAMES, size_mixed);
	set_filter(p, "udp port 7000 and greater 1000");
	s = read_all(p, 65535);
	CU_ASSERT_TRUE(s.frames > 0 && s.frames < FRAMES / 2);
	CU_ASSERT_EQUAL(s.wrong, 0);
	CU_ASSERT_EQUAL(pcap_stats(p, &stat), 0);
	CU_ASSERT_EQUAL(stat.ps_recv, 2 * FRAMES);
	pcap_close(p);
}

static void metadata_refused(void)
{
	struct pcf_root *eater;

	if (skip())
		return;
	net_link(1, 1500);
	eater = net_eat_metadata();
	CU_ASSERT_PTR_NOT_NULL_FATAL(eater);
	capture(true);
	net_stop_eating(eater);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

/* The same exchange where there is room says nothing of it. */
static void metadata_granted(void)
{
	if (skip())
		return;
	net_link(1, 1500);
	capture(false);
	CU_ASSERT_EQUAL(net_left_over(), 0);
}

/* --- the link ------------------------------------------------------------ */

static void link_there(void)
{
	bool back = false;

	if (skip())
		return;
	net_link(1, 1500);
	CU_ASSERT_EQUAL(pcf_facts_wait_carrier("vA", 3000, &back), 0);
	CU_ASSERT_TRUE(back);
}

static void link_comes_back(void)
{
	bool back = false;
	unsigned ms;

	if (skip())
		return;
	net_link(1, 1500);
	net_do("ip link set vB down; (sleep 0.3; ip link set vB up) &");
	ms = pcf_facts_wait_carrier("vA", 5000, &back);
	CU_ASSERT_TRUE(back);
	CU_ASSERT_TRUE(ms >= 100 && ms < 5000);
}

static void link_stays_down(void)
{
	bool back = true;

	if (skip())
		return;
	net_link(1, 1500);
	net_do("ip link set vB down");
	CU_ASSERT_EQUAL(pcf_facts_wait_carrier("vA", 300, &back), 300);
	CU_ASSERT_FALSE(back);
	net_do("ip link del vA");
	CU_ASSERT_EQUAL(pcf_facts_wait_carrier("vA", 50, &back), 50);
	CU_ASSERT_FALSE(back);
}

static CU_TestInfo tests[] = {
	PCF_TEST(metadata_refused), PCF_TEST(metadata_granted),
	PCF_TEST(link_there),	    PCF_TEST(link_comes_back),
	PCF_TEST(link_stays_down),  CU_TEST_INFO_NULL,
};

int main(void)
{
	/* a veth's own choice, the direct ring, needs no metadata */
	setenv("PCAP_FAST_RX", "xsk", 1);
	have_net = net_enter();
	return pcf_run_tests("driver", tests);
}
