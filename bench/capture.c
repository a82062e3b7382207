/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening a capture; see capture.h. */
#include "bench/capture.h"

#include <err.h>

pcap_t *bench_create(const char *device)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_create(device, text);

	if (!p)
		errx(2, "%s", text);
	pcap_set_promisc(p, 1);
	return p;
}

void bench_activate(pcap_t *p, const char *device)
{
	if (pcap_activate(p) < 0)
		errx(2, "%s: %s", device, pcap_geterr(p));
}
