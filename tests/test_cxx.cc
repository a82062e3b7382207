// SPDX-License-Identifier: BSD-3-Clause
//
// The extension from C++: a call of each family, on handles that need no
// privilege. Compiled by test_cxx.sh for the oldest and a recent C++.
#include <pcap-fast.h>

#include <cstdio>
#include <cstring>

namespace
{

const int packets = 5;
const unsigned size = 60;
int passed, failed;

void check(bool good, const char *what)
{
	++(good ? passed : failed);
	if (!good)
		std::printf("FAIL %s\n", what);
}

// A savefile whose packets begin with their number.
bool write_file(const char *name)
{
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, 65535);
	pcap_dumper_t *out = pcap_dump_open(dead, name);
	pcap_pkthdr hdr = pcap_pkthdr();
	u_char data[size] = { 0 };

	hdr.caplen = hdr.len = size;
	for (int i = 0; out && i < packets; i++) {
		data[0] = static_cast<u_char>(i);
		pcap_dump(reinterpret_cast<u_char *>(out), &hdr, data);
	}
	if (out)
		pcap_dump_close(out);
	pcap_close(dead);
	return out != NULL;
}

void receive(const char *name)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline(name, errbuf);
	pcap_batch_pkt pkts[packets + 1];
	int n = pcap_next_batch(p, pkts, packets + 1);

	check(n == packets, "pcap_next_batch() reads the file");
	check(pkts[3].hdr.caplen == size && pkts[3].data[0] == 3,
	      "... and its packets");
	uint32_t hash = 0;

	check(!pcap_batch_hash(p, pkts, &hash), "pcap_batch_hash(): none");
	check(!pcap_hold_batch(p, pkts, n), "pcap_hold_batch()");
	check(pcap_next_batch(p, pkts + packets, 1) == PCAP_ERROR_BREAK,
	      "the end of the file");
	check(pkts[4].data[0] == 4, "what is held stays");
	check(!pcap_release_batch(p, pkts, n) && !pkts[4].data,
	      "pcap_release_batch()");
	pcap_close(p);
}

void send()
{
	pcap_t *p = pcap_open_dead(DLT_EN10MB, 65535);
	pcap_batch_pkt pkts[2];

	check(pcap_tx_reserve(p, pkts, 2) == 2, "pcap_tx_reserve()");
	std::memset(const_cast<u_char *>(pkts[0].data), 0, size);
	pkts[0].hdr.caplen = size;
	check(pcap_tx_submit(p, pkts, 1) == PCAP_ERROR,
	      "pcap_tx_submit() on a dead handle");
	check(pcap_inject_batch(p, pkts, 1) == PCAP_ERROR,
	      "pcap_inject_batch() on a dead handle");
	check(pcap_forward_batch(p, p, pkts, 1) == PCAP_ERROR,
	      "pcap_forward_batch() on a dead handle");
	check(pcap_tx_flush(p, 0) == 0, "pcap_tx_flush()");
	check(!pcap_release_batch(p, pkts, 2), "frames can be given back");
	pcap_close(p);
}

void queue()
{
	pcap_t *p = pcap_open_dead(DLT_EN10MB, 65535);
	pcap_send_queue *q = pcap_sendqueue_alloc(sizeof(pcap_pkthdr) + size);
	pcap_pkthdr hdr = pcap_pkthdr();
	const u_char data[size] = { 0 };

	hdr.caplen = hdr.len = size;
	check(!pcap_sendqueue_queue(q, &hdr, data), "pcap_sendqueue_queue()");
	check(pcap_sendqueue_queue(q, &hdr, data) == -1, "... is full");
	check(pcap_sendqueue_transmit(p, q, 0) == 0,
	      "pcap_sendqueue_transmit() on a dead handle");
	pcap_sendqueue_destroy(q);
	pcap_close(p);
}

void options()
{
	char errbuf[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_create("lo", errbuf), *q = pcap_create("lo", errbuf);
	pcap_fast_info info;

	check(!pcap_fast_set_mode(p, PCAP_FAST_MODE_SYSTEM), "set_mode");
	check(!pcap_fast_set_queues(p, "0,2-3"), "set_queues");
	check(!pcap_fast_set_zerocopy(p, PCAP_FAST_ZEROCOPY_OFF),
	      "set_zerocopy");
	check(!pcap_fast_set_keep(p, "arp"), "set_keep");
	check(!pcap_fast_set_rest(p, PCAP_FAST_REST_DROP), "set_rest");
	check(!pcap_fast_set_busy_poll(p, 50), "set_busy_poll");
	check(!pcap_fast_set_rx_hash(p, 1), "set_rx_hash");
	check(!pcap_fast_share(p, q), "pcap_fast_share()");
	check(!pcap_fast_get_info(p, &info, sizeof(info)) &&
		      info.asked == PCAP_FAST_MODE_SYSTEM,
	      "pcap_fast_get_info()");
	pcap_close(p);
	pcap_close(q);
}

} // namespace

int main(int, char **argv)
{
	check(write_file(argv[1]), "write a file");
	receive(argv[1]);
	send();
	queue();
	options();
	std::printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}
