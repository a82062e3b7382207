/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures, reading, sending and forwarding as scenarios; see scenarios.h. */
#include "tests/netns/scenarios.h"

#include "compat/public.h"
#include "tests/netns/fault.h"
#include "tests/netns/net.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PACKETS 10
/* A millisecond each, for packets that are on their way. */
#define LOOKS 5000

static char errbuf[PCAP_ERRBUF_SIZE];

/* --- steps, with failures in them ---------------------------------------- */

/* A call failed, which is all right if it says why. */
static complaint told(const char *text)
{
	return *text ? NULL : "a failure without a text";
}

static unsigned size_60(uint32_t i)
{
	(void)i;
	return 60;
}

static void send_to(unsigned n)
{
	fault_pause(true);
	net_send(0, n, size_60);
	fault_pause(false);
}

static pcap_t *create(const char *device, complaint *why)
{
	pcap_t *p;

	*errbuf = '\0';
	p = pcap_create(device, errbuf);
	if (!p) {
		*why = told(errbuf);
		return NULL;
	}
	pcap_set_snaplen(p, 65535);
	pcap_set_promisc(p, 1);
	pcap_set_timeout(p, 10);
	pcap_set_buffer_size(p, 1 << 20);
	return p;
}

/* libpcap 1.10.3 forgets a descriptor of a handle that was never activated;
 * what the caller gives up before that is not the library's to mend. */
static void close_unused(pcap_t *p)
{
	fault_pause(true);
	pcap_activate(p);
	pcap_close(p);
	fault_pause(false);
}

/* Active and non-blocking, or closed and *p NULL. */
static complaint activate(pcap_t **p)
{
	complaint why = NULL;
	int rc = pcap_activate(*p);

	if (rc >= 0)
		rc = pcap_setnonblock(*p, 1, errbuf);
	if (rc < 0) {
		why = told(*pcap_geterr(*p) ? pcap_geterr(*p) : errbuf);
		pcap_close(*p);
		*p = NULL;
	}
	return why;
}

static pcap_t *open_handle(const char *device, complaint *why)
{
	pcap_t *p = create(device, why);

	if (p)
		*why = activate(&p);
	return p;
}

static complaint set_filter(pcap_t *p, const char *expression, bool *set)
{
	struct bpf_program prog;
	complaint why = NULL;

	if (pcap_compile(p, &prog, expression, 1, 0))
		abort();
	*set = !pcap_setfilter(p, &prog);
	if (!*set)
		why = told(pcap_geterr(p));
	pcap_freecode(&prog);
	return why;
}

struct reading {
	unsigned n, wrong, step;
};

static void check(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	struct reading *r = (struct reading *)user;

	r->wrong += h->caplen != 60 || !net_same(data, 60, r->n * r->step);
	r->n++;
}

static void short_sleep(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* PACKETS frames come, of which each `step`th passes the filter. */
static complaint read_packets(pcap_t *p, unsigned step)
{
	struct reading r = { .step = step };
	unsigned want = (PACKETS + step - 1) / step;

	send_to(PACKETS);
	for (int i = 0; i < LOOKS && r.n < want; i++) {
		int rc = pcap_dispatch(p, -1, check, (u_char *)&r);

		if (rc < 0)
			return told(pcap_geterr(p));
		if (!rc)
			short_sleep();
	}
	if (r.wrong)
		return "wrong packets";
	return r.n == want ? NULL : "not the packets that were sent";
}

/* What came is of no interest. */
static void drain(pcap_t *p)
{
	struct reading r = { .step = 1 };

	while (pcap_dispatch(p, -1, check, (u_char *)&r) > 0)
		;
}

static bool is_fast(pcap_t *p)
{
	struct pcap_fast_info info;

	return !pcap_fast_get_info(p, &info, sizeof(info)) &&
	       info.mode != PCAP_FAST_MODE_SYSTEM;
}

/* Sleeps for the time-out, which only these modes keep on an idle link. */
static complaint read_nothing(pcap_t *p)
{
	struct reading r = { .step = 1 };
	int rc;

	if (!is_fast(p))
		return NULL;
	if (pcap_setnonblock(p, 0, errbuf))
		return told(errbuf);
	rc = pcap_dispatch(p, -1, check, (u_char *)&r);
	if (rc < 0)
		return told(pcap_geterr(p));
	return rc ? "packets from nowhere" : NULL;
}

static complaint ask_stats(pcap_t *p)
{
	struct pcap_stat stat;

	return pcap_stats(p, &stat) < 0 ? told(pcap_geterr(p)) : NULL;
}

static complaint use(pcap_t *p)
{
	bool set = false;
	complaint why;

	/* libpcap 1.10.3 ignores that it could not ask for DSA tags, and does
	 * not set the link type then */
	if (pcap_datalink(p) == DLT_NULL)
		return NULL;
	why = read_packets(p, 1);
	if (!why)
		why = set_filter(p, "udp port 7000", &set);
	if (!why)
		why = read_packets(p, set ? 2 : 1);
	if (!why)
		why = ask_stats(p);
	return why ? why : read_nothing(p);
}

/* --- scenarios ----------------------------------------------------------- */

static complaint capture_on(const char *device, const char *left)
{
	complaint why = NULL;
	pcap_t *p = create(device, &why);

	if (!p)
		return why;
	if (left && pcap_fast_set_keep(p, left)) {
		why = told(pcap_geterr(p));
		close_unused(p);
		return why;
	}
	why = activate(&p);
	if (p && !why)
		why = use(p);
	if (p)
		pcap_close(p);
	return why;
}

static complaint exclusive(void)
{
	return capture_on("exclusive:vA", NULL);
}

static complaint automatic(void)
{
	return capture_on("vA", NULL);
}

static complaint mirror(void)
{
	return capture_on("mirror:vA", NULL);
}

static complaint keep(void)
{
	return capture_on("exclusive:vA", "arp or tcp port 22");
}

/* Nothing but opening and closing is different. */
static complaint queues(void)
{
	complaint why = NULL;
	pcap_t *p = create("exclusive:vA", &why);

	if (!p)
		return why;
	if (pcap_fast_set_queues(p, "0-3")) {
		why = told(pcap_geterr(p));
		close_unused(p);
		return why;
	}
	why = activate(&p);
	fault_pause(true);
	if (p && !why)
		why = read_packets(p, 1);
	if (p)
		pcap_close(p);
	return why;
}

/* Opened where nothing fails. */
static pcap_t *open_safely(const char *device)
{
	complaint why = NULL;
	pcap_t *p;

	fault_pause(true);
	p = open_handle(device, &why);
	if (!p)
		abort();
	fault_pause(false);
	return p;
}

/* The second handle on an interface fails to open; the first one does not
 * notice. */
static complaint joining(void)
{
	pcap_t *second, *first = open_safely("exclusive:vA");
	complaint other, why = NULL;

	second = open_handle("mirror:vA", &why);
	fault_pause(true);
	if (second && !why)
		why = read_packets(second, 1);
	if (second) {
		pcap_close(second);
		drain(first);
	}
	other = read_packets(first, 1);
	pcap_close(first);
	return why ? why : other ? "the first handle suffers" : NULL;
}

struct outbox {
	pcap_t *p;
	unsigned accepted;
	struct pcap_batch_pkt pkts[PACKETS];
	uint8_t frames[PACKETS][60];
};

/* `n` more frames went out, or none and the text says why. */
static complaint account(struct outbox *o, int n)
{
	if (n < 0)
		return told(pcap_geterr(o->p));
	o->accepted += n;
	return NULL;
}

static void fill(struct outbox *o)
{
	for (unsigned i = 0; i < PACKETS; i++) {
		net_frame(o->frames[i], 60, i);
		o->pkts[i] = (struct pcap_batch_pkt){ .data = o->frames[i],
						      .hdr.caplen = 60,
						      .hdr.len = 60 };
	}
}

static complaint send_singly(struct outbox *o)
{
	complaint why = NULL;

	for (unsigned i = 0; i < 2 && !why; i++)
		why = account(o,
			      pcap_inject(o->p, o->frames[0], 60) < 0 ? -1 : 1);
	return why;
}

static complaint send_in_place(struct outbox *o)
{
	int n = pcap_tx_reserve(o->p, o->pkts, PACKETS);
	complaint why;

	if (n < 0)
		return told(pcap_geterr(o->p));
	for (int i = 0; i < n; i++) {
		net_frame((uint8_t *)o->pkts[i].data, 60, i);
		o->pkts[i].hdr.caplen = 60;
	}
	why = account(o, n ? pcap_tx_submit(o->p, o->pkts, n) : 0);
	pcap_release_batch(o->p, o->pkts, n);
	return why;
}

static complaint send_queue(struct outbox *o)
{
	pcap_send_queue *q = pcap_sendqueue_alloc(4096);
	struct pcap_pkthdr hdr = { .caplen = 60, .len = 60 };
	complaint why = NULL;
	u_int sent;

	if (!q)
		return NULL;
	for (unsigned i = 0; i < PACKETS; i++)
		pcap_sendqueue_queue(q, &hdr, o->frames[i]);
	sent = pcap_sendqueue_transmit(o->p, q, 0);
	o->accepted += sent / (sizeof(hdr) + 60);
	if (sent < q->len)
		why = told(pcap_geterr(o->p));
	pcap_sendqueue_destroy(q);
	return why;
}

static complaint send_all(struct outbox *o)
{
	complaint why = send_singly(o);

	fill(o);
	if (!why)
		why = account(o, pcap_inject_batch(o->p, o->pkts, PACKETS));
	if (!why)
		why = send_in_place(o);
	if (!why)
		why = send_queue(o);
	pcap_tx_flush(o->p, 1000);
	return why;
}

/* What was accepted arrives, all of it and nothing else. */
static complaint sending_on(const char *device)
{
	struct outbox o = { .p = open_safely(device) };
	complaint why;
	int peer;

	fault_pause(true);
	peer = net_listen("vB");
	pcap_setnonblock(o.p, 0, errbuf);
	fault_pause(false);
	fill(&o);
	why = send_all(&o);
	pcap_close(o.p);
	fault_pause(true);
	if (!why && !net_host_got(peer, o.accepted))
		why = "other frames arrive than were accepted";
	close(peer);
	return why;
}

static complaint sending(void)
{
	return sending_on("exclusive:vA");
}

static complaint sending_by_socket(void)
{
	return sending_on("mirror:vA");
}

static complaint forward_packets(pcap_t *in, pcap_t *out, unsigned *forwarded)
{
	struct pcap_batch_pkt pkts[PACKETS];

	send_to(PACKETS);
	for (int i = 0; i < LOOKS && *forwarded < PACKETS; i++) {
		int rc, n = pcap_next_batch(in, pkts, PACKETS);

		if (n < 0)
			return told(pcap_geterr(in));
		rc = n ? pcap_forward_batch(in, out, pkts, n) : 0;
		if (rc < 0)
			return told(pcap_geterr(out));
		*forwarded += rc;
		if (rc < n)
			return NULL;
		if (!n)
			short_sleep();
	}
	pcap_tx_flush(out, 1000);
	return *forwarded == PACKETS ? NULL : "packets missing";
}

static complaint forward_with(pcap_t *in, pcap_t *out)
{
	unsigned forwarded = 0;
	complaint why;
	int far;

	fault_pause(true);
	far = net_listen("vD");
	fault_pause(false);
	why = forward_packets(in, out, &forwarded);
	fault_pause(true);
	if (!why && !net_host_got(far, forwarded))
		why = "other frames arrive than were forwarded";
	close(far);
	fault_pause(false);
	return why;
}

/* Both open and share, or neither is. Only the second one's opening fails: the
 * first one's is that of any capture. */
static complaint open_pair(pcap_t **in, pcap_t **out)
{
	complaint why = NULL;

	fault_pause(true);
	*in = create("exclusive:vA", &why);
	*out = create("exclusive:vC", &why);
	if (!*in || !*out || pcap_fast_share(*out, *in) || activate(in) || !*in)
		abort();
	fault_pause(false);
	why = activate(out);
	if (!*out)
		pcap_close(*in);
	return why;
}

static complaint forwarding(void)
{
	pcap_t *in, *out;
	complaint why = open_pair(&in, &out);

	if (!out)
		return why;
	if (!why)
		why = forward_with(in, out);
	pcap_close(out);
	pcap_close(in);
	return why;
}

#define MEMORY	1u << FAULT_MEMORY
#define CALLS	1u << FAULT_CALLS
#define CALLS_2 1u << FAULT_CALLS_2

const struct scenario scenarios[SCENARIOS] = {
	{ exclusive, "exclusive", MEMORY | CALLS, 1, "xsk", "auto", "off" },
	{ exclusive, "direct ring", MEMORY | CALLS_2, 1, "ring", "off", "off" },
	{ automatic, "auto", MEMORY | CALLS_2, 1, "auto", "off", "off" },
	{ mirror, "mirror", MEMORY | CALLS, 1, "auto", "off", "off" },
	{ keep, "keep", MEMORY | CALLS_2, 1, "xsk", "off", "off" },
	{ joining, "joining", MEMORY | CALLS, 1, "xsk", "off", "off" },
	{ queues, "queues", MEMORY | CALLS_2, 4, "xsk", "off", "off" },
	{ sending, "sending", MEMORY | CALLS | CALLS_2, 1, "xsk", "off",
	  "off" },
	{ sending_by_socket, "sending by the socket", MEMORY | CALLS | CALLS_2,
	  1, "auto", "off", "off" },
	{ forwarding, "forwarding", MEMORY | CALLS, 1, "xsk", "off", "off" },
	/* with hashes of the adapter */
	{ exclusive, "alone", MEMORY | CALLS, 1, "auto", "off", "on" },
};
