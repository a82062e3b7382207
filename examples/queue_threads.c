/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One thread for each RX queue of an interface, each with a handle of its own
 * that captures on this queue only. The threads share nothing, so they scale
 * with the queues. Interrupted (^C), it prints what each one has read.
 *
 *	cc -pthread -o queue_threads queue_threads.c \
 *		$(pkg-config --cflags --libs libpcap-fast)
 *	./queue_threads exclusive:eth1 4
 */
#include <pcap-fast.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH 64
#define MOST  64 /* queues */

struct reader {
	pthread_t thread;
	pcap_t *p;
	unsigned queue;
	unsigned long long packets, bytes;
};

static void start(struct reader *r, const char *device)
{
	char name[256], errbuf[PCAP_ERRBUF_SIZE];
	int rc;

	snprintf(name, sizeof(name), "%s@%u", device, r->queue);
	r->p = pcap_create(name, errbuf);
	if (!r->p) {
		fprintf(stderr, "queue_threads: %s: %s\n", name, errbuf);
		exit(1);
	}
	pcap_set_promisc(r->p, 1);
	pcap_set_timeout(r->p, 100);
	rc = pcap_activate(r->p);
	/* what the host sends has no RX queue */
	if (rc >= 0)
		rc = pcap_setdirection(r->p, PCAP_D_IN);
	if (rc >= 0)
		return;
	fprintf(stderr, "queue_threads: %s: %s\n", name, pcap_geterr(r->p));
	exit(1);
}

static void *run(void *arg)
{
	struct reader *r = arg;
	struct pcap_batch_pkt pkts[BATCH];
	int n;

	while ((n = pcap_next_batch(r->p, pkts, BATCH)) >= 0) {
		for (int i = 0; i < n; i++)
			r->bytes += pkts[i].hdr.len;
		r->packets += n;
	}
	if (n != PCAP_ERROR_BREAK)
		fprintf(stderr, "queue_threads: queue %u: %s\n", r->queue,
			pcap_geterr(r->p));
	return NULL;
}

int main(int argc, char **argv)
{
	static struct reader readers[MOST];
	unsigned n = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	sigset_t stop;
	int sig;

	if (!n || n > MOST) {
		fputs("usage: queue_threads MODE:INTERFACE QUEUES\n", stderr);
		return 2;
	}
	/* for this thread only: the others have it blocked from the start */
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	for (unsigned i = 0; i < n; i++) {
		readers[i].queue = i;
		start(&readers[i], argv[1]);
	}
	for (unsigned i = 0; i < n; i++)
		pthread_create(&readers[i].thread, NULL, run, &readers[i]);
	sigwait(&stop, &sig);
	for (unsigned i = 0; i < n; i++) {
		pcap_breakloop(readers[i].p);
		pthread_join(readers[i].thread, NULL);
		printf("queue %u: %llu packets, %llu bytes\n", i,
		       readers[i].packets, readers[i].bytes);
		pcap_close(readers[i].p);
	}
	return 0;
}
