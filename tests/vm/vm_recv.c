/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receives test frames through the pcap API and checks every byte, their
 * number, their order and their time stamps. Runs under the drop-in and, with
 * the same result, under the system's libpcap; asks for the handle's state
 * only where the extension is there.
 *
 *   vm_recv [options] [shape options] DEV COUNT
 *     -w FILE   window file shared with the sender
 *     -f EXPR   capture filter
 *     -M CALL   dispatch (default), loop, next_ex, next_batch, select: never
 *               waiting but in select(), or hold: batches
 *               that are held past some reads, and must be whole then, too
 *     -z 0|1    the handle must be copy or zero-copy
 *     -u        any order, as from several queues; stamps must still ascend
 *     -P        not promiscuous
 *     -I        only what comes in
 *     -i        immediate mode
 *     -e TEXT   reading must end with this error, after COUNT frames
 *     -B BYTES  buffer size
 *     -T TURNS  fail unless COUNT is so many times the frames of the UMEM
 *     -b N      fail unless busy polling is in this state, and say why
 *     -q N      fail unless so many queues are captured on
 *     -H KEY    every packet must have the hash by this key; batches
 *     -R N      open and close N times first
 *     -L FILE   read nothing until FILE is there, then skip frames from COUNT
 *               on, of which some will be missing
 *
 * The last line printed says what was received and how.
 */
#include "include/pcap-fast.h"
#include "tests/vm/vm_frame.h"
#include "tests/vm/vm_hash.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE 45    /* seconds for the whole capture */
#define OVERRUN	 65536 /* frames that may come beyond those expected */

static struct vm_shape shape;
static struct vm_window *window;

static struct {
	const char *device, *filter, *call, *error, *go;
	uint32_t count;
	unsigned buffer, turns, queues, rounds;
	int zerocopy; /* -1: either */
	int busy;     /* -1: any */
	int any_order, promisc, inbound, immediate;
	struct vm_hash_key key;
} want = { .call = "dispatch", .zerocopy = -1, .busy = -1, .promisc = 1 };

static struct {
	uint32_t frames;
	int bad;
	struct timeval last;
	uint8_t *seen;
} got;

static pcap_t *handle;
static volatile sig_atomic_t over;

static int read_info(struct pcap_fast_info *info)
{
	int (*get)(pcap_t *, struct pcap_fast_info *, size_t) =
		(int (*)(pcap_t *, struct pcap_fast_info *, size_t))dlsym(
			RTLD_DEFAULT, "pcap_fast_get_info");

	memset(info, 0, sizeof(*info));
	return get ? get(handle, info, sizeof(*info)) : -1;
}

static void on_alarm(int signal)
{
	(void)signal;
	over = 1;
	pcap_breakloop(handle);
}

static void complain(uint32_t seq, const char *what)
{
	if (got.bad++ < 5)
		printf("frame %u (number %u): %s\n", got.frames, seq, what);
}

/* Stamps of a handle never go back, and are the wall clock's. */
static void check_stamp(const struct pcap_pkthdr *hdr, uint32_t seq)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	if (timercmp(&hdr->ts, &got.last, <))
		complain(seq, "time goes back");
	if (labs(now.tv_sec - hdr->ts.tv_sec) > 60)
		complain(seq, "not the wall clock's time");
	got.last = hdr->ts;
}

static void check_order(uint32_t seq)
{
	if (!want.any_order && seq != got.frames)
		complain(seq, "out of order");
	if (seq >= want.count || got.seen[seq]++)
		complain(seq, "not expected, or a second time");
}

/* One of the frames that only had to overrun the reader: some are missing, but
 * none comes twice. */
static void check_surplus_frame(uint32_t seq)
{
	if (seq >= want.count + OVERRUN || got.seen[seq]++)
		complain(seq, "a second time");
}

/* Returns 1 for one of the frames that only had to overrun the reader. */
static int check_packet(const struct pcap_pkthdr *hdr, const u_char *data)
{
	const char *what = "shorter than it was";
	uint32_t seq = 0;

	check_stamp(hdr, seq);
	if (hdr->caplen != hdr->len ||
	    vm_frame_check(&shape, data, hdr->caplen, &seq, &what) < 0)
		complain(seq, what);
	else if (want.go && seq >= want.count)
		return check_surplus_frame(seq), 1;
	else
		check_order(seq);
	return 0;
}

static void on_packet(u_char *user, const struct pcap_pkthdr *hdr,
		      const u_char *data)
{
	(void)user;
	if (check_packet(hdr, data))
		return;
	got.frames++;
	if (window)
		__atomic_store_n(&window->got, got.frames, __ATOMIC_RELEASE);
}

static int read_one(void)
{
	struct pcap_pkthdr *hdr;
	const u_char *data;
	int n = pcap_next_ex(handle, &hdr, &data);

	if (n == 1)
		on_packet(NULL, hdr, data);
	return n;
}

/* --- batches ------------------------------------------------------------- */

#define BATCH 64
#define HELD  (8 * BATCH)

static struct {
	int (*next)(pcap_t *, struct pcap_batch_pkt *, int);
	int (*hold)(pcap_t *, struct pcap_batch_pkt *, int);
	int (*release)(pcap_t *, struct pcap_batch_pkt *, int);
	int (*hash)(pcap_t *, const struct pcap_batch_pkt *, uint32_t *);
	struct pcap_batch_pkt held[HELD];
	int n;
} batch;

static void find_batch_calls(void)
{
	*(void **)&batch.next = dlsym(RTLD_DEFAULT, "pcap_next_batch");
	*(void **)&batch.hold = dlsym(RTLD_DEFAULT, "pcap_hold_batch");
	*(void **)&batch.release = dlsym(RTLD_DEFAULT, "pcap_release_batch");
	*(void **)&batch.hash = dlsym(RTLD_DEFAULT, "pcap_batch_hash");
}

static void check_hash(const struct pcap_batch_pkt *pkt)
{
	uint32_t hash = 0;

	if (!(pkt->flags & PCAP_BATCH_HASH) ||
	    batch.hash(handle, pkt, &hash) != 1)
		complain(0, "without a hash");
	else if (hash != vm_hash(&want.key, pkt->data))
		complain(0, "not the hash of its flow");
}

/* Whatever came meanwhile, what is held has not changed. Every second one goes
 * back first, then the others. */
static int release_all(void)
{
	const char *what;
	uint32_t seq = 0;

	for (int first = 0; first < 2; first++)
		for (int i = first; i < batch.n; i += 2) {
			struct pcap_batch_pkt *p = &batch.held[i];

			if (vm_frame_check(&shape, p->data, p->hdr.caplen, &seq,
					   &what) < 0)
				complain(seq, "changed while it was held");
			if (batch.release(handle, p, 1) < 0)
				return PCAP_ERROR;
		}
	batch.n = 0;
	return 0;
}

static int hold_some(struct pcap_batch_pkt *pkts, int n)
{
	if (batch.n + n > HELD && release_all() < 0)
		return PCAP_ERROR;
	if (batch.hold(handle, pkts, n) < 0)
		return PCAP_ERROR;
	memcpy(batch.held + batch.n, pkts, (size_t)n * sizeof(*pkts));
	batch.n += n;
	return n;
}

static int read_batch(int most)
{
	struct pcap_batch_pkt pkts[BATCH];
	int n = batch.next(handle, pkts,
			   most > 0 && most < BATCH ? most : BATCH);

	for (int i = 0; i < n; i++) {
		on_packet(NULL, &pkts[i].hdr, pkts[i].data);
		if (want.key.len)
			check_hash(&pkts[i]);
	}
	if (n <= 0 || strcmp(want.call, "hold"))
		return n;
	n = hold_some(pkts, n);
	return n >= 0 && got.frames == want.count ? release_all() : n;
}

/* --- select -------------------------------------------------------------- */

static int read_selected(int most)
{
	int fd = pcap_get_selectable_fd(handle);
	struct timeval tick = { .tv_usec = 100000 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	if (select(fd + 1, &set, NULL, NULL, &tick) <= 0)
		return over ? PCAP_ERROR_BREAK : 0;
	return pcap_dispatch(handle, most, on_packet, NULL);
}

/* One read call, for at most as many as are still to come. */
static int read_some(int most)
{
	if (!strcmp(want.call, "next_ex"))
		return read_one();
	if (!strcmp(want.call, "select"))
		return read_selected(most);
	if (batch.next)
		return read_batch(most);
	if (!strcmp(want.call, "loop"))
		return pcap_loop(handle, most, on_packet, NULL);
	return pcap_dispatch(handle, most, on_packet, NULL);
}

static int open_handle(void)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	int err;

	handle = pcap_create(want.device, text);
	if (!handle) {
		printf("%s: %s\n", want.device, text);
		return -1;
	}
	pcap_set_promisc(handle, want.promisc);
	pcap_set_timeout(handle, 50);
	pcap_set_immediate_mode(handle, want.immediate);
	if (want.buffer)
		pcap_set_buffer_size(handle, (int)want.buffer);
	err = pcap_activate(handle);
	if (err < 0) {
		printf("activate: %s: %s\n", pcap_statustostr(err),
		       pcap_geterr(handle));
		return -1;
	}
	if (!strcmp(want.call, "select"))
		pcap_setnonblock(handle, 1, text);
	return want.inbound ? pcap_setdirection(handle, PCAP_D_IN) : 0;
}

static int set_filter(void)
{
	struct bpf_program program;

	if (!want.filter)
		return 0;
	if (pcap_compile(handle, &program, want.filter, 1,
			 PCAP_NETMASK_UNKNOWN) < 0 ||
	    pcap_setfilter(handle, &program) < 0) {
		printf("filter: %s\n", pcap_geterr(handle));
		return -1;
	}
	pcap_freecode(&program);
	return 0;
}

/* What the handle says of itself, where it can be asked. */
static int check_info(void)
{
	struct pcap_fast_info info;
	const char *what = NULL;

	if (read_info(&info) < 0)
		return want.zerocopy < 0 ? 0 : -1;
	if (!info.reason[0])
		what = "no reason given for the mode";
	else if (want.zerocopy >= 0 && info.zerocopy != want.zerocopy)
		what = "not the zero-copy state asked for";
	else if (want.queues && info.queues != want.queues)
		what = "wrong number of queues";
	else if (want.turns && info.frames * want.turns > want.count)
		what = "too many frames in the UMEM for this test";
	else if (want.busy >= 0 && info.busy_poll != want.busy)
		what = info.busy_poll_reason;
	if (what)
		printf("mode %d zerocopy %d queues %u frames %llu: %s (%s)\n",
		       info.mode, info.zerocopy, info.queues,
		       (unsigned long long)info.frames, what, info.reason);
	return what ? -1 : 0;
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Open and close; no descriptor may be left from one round to the next. */
static int run_rounds(void)
{
	unsigned before = 0;

	for (unsigned i = 0; i < want.rounds; i++) {
		if (open_handle() < 0 || set_filter() < 0 || check_info() < 0) {
			printf("in round %u\n", i);
			return -1;
		}
		pcap_close(handle);
		if (i == 0)
			before = open_descriptors();
	}
	if (want.rounds && open_descriptors() != before) {
		printf("%u descriptors, then %u\n", before, open_descriptors());
		return -1;
	}
	return 0;
}

/* Leave the ring to itself until the file is there. */
static void wait_go(void)
{
	for (int i = 0; want.go && i < 300 && access(want.go, F_OK) < 0; i++)
		usleep(100000);
}

/* These drivers have room for metadata; only packets show that they do. */
static void check_metadata(void)
{
	struct pcap_fast_info info;

	if (read_info(&info) == 0 && strstr(info.reason, "metadata"))
		complain(0, "without metadata");
}

/* Nothing more than the frames expected may be waiting. */
static void check_surplus(void)
{
	char text[PCAP_ERRBUF_SIZE];
	uint32_t before = got.frames;

	if (want.error)
		return;
	usleep(300000);
	pcap_setnonblock(handle, 1, text);
	pcap_dispatch(handle, -1, on_packet, NULL);
	if (got.frames != before)
		complain(0, "frames beyond those sent");
}

static long sleeps(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return used.ru_nvcsw;
}

/* Returns pcap's last code. */
static int receive(void)
{
	long before = sleeps();
	int n = 0;

	alarm(PATIENCE);
	if (window)
		__atomic_store_n(&window->ready, 1, __ATOMIC_RELEASE);
	wait_go();
	while (n >= 0 && (want.error || got.frames < want.count))
		n = read_some(want.error ? -1 : (int)(want.count - got.frames));
	alarm(0);
	printf("slept %ld times\n", sleeps() - before);
	check_surplus();
	check_metadata();
	return n;
}

static int judge(int code)
{
	const char *error = code == PCAP_ERROR ? pcap_geterr(handle) : "";

	if (want.error) {
		printf("ended with %d \"%s\"\n", code, error);
		if (!strstr(error, want.error))
			return 1;
	} else if (code < 0) {
		printf("read: %d %s\n", code, error);
	}
	return got.bad || got.frames != want.count;
}

static void report(void)
{
	struct pcap_fast_info info;
	struct pcap_stat stat = { 0 };

	pcap_stats(handle, &stat);
	if (read_info(&info) < 0)
		printf("%u of %u, stock, recv %u drop %u\n", got.frames,
		       want.count, stat.ps_recv, stat.ps_drop);
	else
		printf("%u of %u, mode %d zerocopy %d queues %u frames %llu "
		       "filter %d recv %u drop %u: %s; %s\n",
		       got.frames, want.count, info.mode, info.zerocopy,
		       info.queues, (unsigned long long)info.frames,
		       info.filter_place, stat.ps_recv, stat.ps_drop,
		       info.reason, info.filter_reason);
}

#define OPTIONS "b:w:f:M:e:L:z:uPIiH:B:T:q:R:"

/* Long for being one case an option. */
static int parse(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, VM_SHAPE_OPTIONS OPTIONS)) != -1) {
		switch (option) {
		case 'w':
			window = vm_window_open(optarg);
			break;
		case 'f':
			want.filter = optarg;
			break;
		case 'M':
			want.call = optarg;
			break;
		case 'e':
			want.error = optarg;
			break;
		case 'L':
			want.go = optarg;
			break;
		case 'z':
			want.zerocopy = atoi(optarg);
			break;
		case 'u':
			want.any_order = 1;
			break;
		case 'P':
			want.promisc = 0;
			break;
		case 'I':
			want.inbound = 1;
			break;
		case 'i':
			want.immediate = 1;
			break;
		case 'H':
			if (vm_hash_key(&want.key, optarg) < 0)
				return -1;
			break;
		case 'B':
			want.buffer = (unsigned)atoi(optarg);
			break;
		case 'T':
			want.turns = (unsigned)atoi(optarg);
			break;
		case 'b':
			want.busy = atoi(optarg);
			break;
		case 'q':
			want.queues = (unsigned)atoi(optarg);
			break;
		case 'R':
			want.rounds = (unsigned)atoi(optarg);
			break;
		default:
			if (vm_shape_option(&shape, option, optarg) < 0)
				return -1;
		}
	}
	if (argc - optind != 2)
		return -1;
	want.device = argv[optind];
	want.count = (uint32_t)atoi(argv[optind + 1]);
	return 0;
}

static int run(void)
{
	int verdict;

	if (run_rounds() < 0 || open_handle() < 0 || set_filter() < 0 ||
	    check_info() < 0)
		return 1;
	signal(SIGALRM, on_alarm);
	verdict = judge(receive());
	report();
	pcap_close(handle);
	return verdict;
}

int main(int argc, char **argv)
{
	int verdict;

	shape = vm_shape_default;
	if (parse(argc, argv) < 0)
		return 1;
	got.seen = calloc(want.count + OVERRUN, 1);
	if (!strcmp(want.call, "next_batch") || !strcmp(want.call, "hold"))
		find_batch_calls();
	verdict = run();
	if (window) /* a sender need not wait any longer */
		__atomic_store_n(&window->done, 1, __ATOMIC_RELEASE);
	return verdict;
}
