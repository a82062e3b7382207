/* SPDX-License-Identifier: BSD-3-Clause */
/* libpcap's side of the filter tests; see filter_pcap.h. */
#include <arpa/inet.h>
#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/filter_pcap.h"

static pcap_t *live;

int filter_pcap_open(const char *device, char *err, size_t size)
{
	char buf[PCAP_ERRBUF_SIZE] = "";

	live = pcap_create(device, buf);
	if (live && pcap_activate(live) < 0) {
		snprintf(buf, sizeof(buf), "%s", pcap_geterr(live));
		filter_pcap_close();
	}
	snprintf(err, size, "%s", buf);
	return live ? 0 : -1;
}

void filter_pcap_close(void)
{
	if (live)
		pcap_close(live);
	live = NULL;
}

int filter_pcap_compile(const char *expr, int optimize,
			struct sock_filter **insns, unsigned *n, char *err,
			size_t size)
{
	struct bpf_program fp;
	size_t bytes;

	if (pcap_compile(live, &fp, expr, optimize, htonl(0xffffff00))) {
		snprintf(err, size, "%s", pcap_geterr(live));
		return -1;
	}
	bytes = fp.bf_len * sizeof(*fp.bf_insns);
	*insns = malloc(bytes);
	if (*insns)
		memcpy(*insns, fp.bf_insns, bytes);
	*n = fp.bf_len;
	pcap_freecode(&fp);
	return *insns ? 0 : -1;
}

int filter_pcap_validate(const struct sock_filter *insns, unsigned n)
{
	return bpf_validate((const struct bpf_insn *)insns, n);
}

uint32_t filter_pcap_run(const struct sock_filter *insns, const uint8_t *data,
			 uint32_t len)
{
	return bpf_filter((const struct bpf_insn *)insns, data, len, len);
}
