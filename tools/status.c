/* SPDX-License-Identifier: BSD-3-Clause */
/* pcap-fast status: one line for every capture on the machine. */
#include "backend/census.h"
#include "tools/json.h"
#include "tools/tool.h"

#include "pcap-fast.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MOST 1024

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "watch", optional_argument, NULL, 'w' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* All captures at one time. */
struct picture {
	struct pcf_capture captures[MOST];
	unsigned n;
	double time;
};

static int usage(FILE *to, int status)
{
	fputs("Usage: pcap-fast status [--json] [-w [SECONDS]]\n\n"
	      "Shows the captures of libpcap-fast on this machine, of all processes:\n"
	      "interface, mode, owner, RX queues, packets meant for it, those that it had\n"
	      "no room for, those dropped as asked for (rest), the cluster, and the filter:\n"
	      "its expression, if it was compiled in the same process, and where it runs if\n"
	      "not in the driver.\n"
	      "An interface of another network namespace is shown by its number.\n\n"
	      "  --json           as JSON\n"
	      "  -w, --watch[=N]  again every N seconds, with rates; 1\n",
	      to);
	return status;
}

static void add(const struct pcf_capture *c, void *arg)
{
	struct picture *p = arg;

	if (p->n < MOST)
		p->captures[p->n++] = *c;
}

static int take(struct picture *p)
{
	struct timespec t;

	p->n = 0;
	clock_gettime(CLOCK_MONOTONIC, &t);
	p->time = t.tv_sec + t.tv_nsec / 1e9;
	return pcf_census(add, p);
}

static const char *mode(const struct pcf_capture *c)
{
	return c->owner.mode == PCF_OWNER_MIRROR ? "mirror" : "exclusive";
}

static const char *interface(const struct pcf_capture *c, char *name)
{
	if (!c->local || !if_indextoname(c->ifindex, name))
		snprintf(name, IF_NAMESIZE, "#%d", c->ifindex);
	return name;
}

static bool here(const struct pcf_capture *c)
{
	struct stat st;

	return !stat("/proc/self/ns/pid", &st) && st.st_ino == c->owner.pid_ns;
}

static double rate(const struct pcf_capture *c, const struct picture *now,
		   const struct picture *before)
{
	for (unsigned i = 0; i < before->n; i++) {
		const struct pcf_capture *b = &before->captures[i];

		if (b->owner.lifeline == c->owner.lifeline && b->counted &&
		    c->counted && c->matched >= b->matched)
			return (c->matched - b->matched) /
			       (now->time - before->time);
	}
	return 0;
}

/* Names of processes can have any bytes; a terminal obeys some. */
static void print_word(const char *text, int width)
{
	for (; *text; text++, width--)
		putchar(*text < ' ' || *text > '~' ? '?' : *text);
	while (width-- > 0)
		putchar(' ');
	putchar(' ');
}

/* Drops of an AF_XDP socket are had through its process, which must be in our
 * PID namespace. */
static void print_count(uint64_t count, int width, bool known)
{
	if (known)
		printf("%*" PRIu64 " ", width, count);
	else
		printf("%*s ", width, "-");
}

static bool drops_rest(const struct pcf_capture *c)
{
	return c->owner.mode != PCF_OWNER_MIRROR;
}

static const char *runs(const struct pcf_capture *c)
{
	switch (c->owner.filter_place) {
	case PCAP_FAST_FILTER_KERNEL:
		return "driver";
	case PCAP_FAST_FILTER_USER:
		return "user space";
	case PCAP_FAST_FILTER_SOCKET:
		return "packet socket";
	default:
		return "";
	}
}

/* The expression, as far as it is known, and what is not as usual. */
static const char *filter(const struct pcf_capture *c, char *text, size_t size)
{
	const struct pcf_owner *o = &c->owner;

	*text = '\0';
	if (*o->filter && o->filter_place == PCAP_FAST_FILTER_KERNEL)
		snprintf(text, size, "%s", o->filter);
	else if (*o->filter)
		snprintf(text, size, "%s [%s]", o->filter, runs(c));
	else if (o->filter_len)
		snprintf(text, size, "(%u instructions, %s)", o->filter_len,
			 runs(c));
	return text;
}

static void print_line(const struct pcf_capture *c, double per_second)
{
	char name[IF_NAMESIZE], queues[64], text[256];

	print_word(interface(c, name), 15);
	printf("%-9s %7u%c ", mode(c), c->owner.pid, here(c) ? ' ' : '*');
	print_word(c->owner.program, 15);
	pcf_queues_text(c->owner.queues, queues, sizeof(queues));
	print_word(queues, 8);
	print_count(c->matched, 12, c->counted);
	print_count(c->dropped_ring + c->dropped_fill, 10, c->drops_known);
	print_count(c->rest, 10, c->counted && drops_rest(c));
	printf("%10.0f  ", per_second);
	print_word(*c->owner.cluster ? c->owner.cluster : "-", 10);
	print_word(filter(c, text, sizeof(text)), 0);
	putchar('\n');
}

static void json_text(const char *key, const char *text)
{
	printf("\"%s\": ", key);
	json_string(text);
	printf(", ");
}

static void json_count(const char *key, uint64_t count, bool known)
{
	if (known)
		printf("\"%s\": %" PRIu64 ", ", key, count);
	else
		printf("\"%s\": null, ", key);
}

static void json_queues(const uint64_t *set)
{
	const char *comma = "";

	printf("\"queue_list\": [");
	for (unsigned q = 0; q < PCF_QUEUES; q++)
		if (pcf_queues_have(set, q)) {
			printf("%s%u", comma, q);
			comma = ", ";
		}
	printf("], ");
}

static void print_json(const struct pcf_capture *c, double per_second)
{
	char name[IF_NAMESIZE];

	putchar('{');
	json_text("interface", interface(c, name));
	json_text("mode", mode(c));
	json_text("program", c->owner.program);
	json_text("cluster", c->owner.cluster);
	json_text("filter", c->owner.filter);
	json_text("filter_runs", runs(c));
	json_count("filter_instructions", c->owner.filter_len, true);
	json_queues(c->owner.queues);
	json_count("matched", c->matched, c->counted);
	json_count("dropped", c->dropped_ring + c->dropped_fill,
		   c->drops_known);
	json_count("dropped_ring", c->dropped_ring, c->drops_known);
	json_count("dropped_fill", c->dropped_fill, c->drops_known);
	json_count("rest", c->rest, c->counted && drops_rest(c));
	printf("\"ifindex\": %d, \"slot\": %u, \"pid\": %u, \"pid_namespace\": %" PRIu64
	       ", \"queues\": %u, \"rate\": %.0f}",
	       c->ifindex, c->slot, c->owner.pid, c->owner.pid_ns,
	       pcf_queues_count(c->owner.queues), per_second);
}

static void show(const struct picture *now, const struct picture *before,
		 bool json)
{
	if (json)
		putchar('[');
	else
		printf("%-15s %-9s %7s  %-15s %-8s %12s %10s %10s %10s  %-10s %s\n",
		       "INTERFACE", "MODE", "PID", "PROGRAM", "QUEUES",
		       "PACKETS", "DROPPED", "REST", "RATE/S", "CLUSTER",
		       "FILTER");
	for (unsigned i = 0; i < now->n; i++) {
		const struct pcf_capture *c = &now->captures[i];

		if (json)
			printf("%s", i ? ",\n " : "");
		(json ? print_json : print_line)(c, rate(c, now, before));
	}
	if (json)
		puts("]");
	fflush(stdout);
}

static int watch(bool json, double seconds)
{
	static struct picture pictures[2];
	unsigned now = 0;

	for (;;) {
		int err = take(&pictures[now]);

		if (err) {
			fprintf(stderr, "pcap-fast status: %s%s\n",
				strerror(-err),
				err == -EPERM
					? ": it takes CAP_SYS_ADMIN to find the captures of other processes"
					: "");
			return 1;
		}
		if (seconds > 0 && !json && isatty(STDOUT_FILENO))
			printf("\033[H\033[J");
		show(&pictures[now], &pictures[!now], json);
		if (seconds <= 0 || ferror(stdout))
			return 0;
		usleep(seconds * 1e6);
		now = !now;
	}
}

int tool_status(int argc, char **argv)
{
	double seconds = 0;
	bool json = false;
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "w::", options, NULL)) != -1) {
		if (c == 'h')
			return usage(stdout, 0);
		if (c == '?')
			return usage(stderr, 2);
		if (c == 'j') {
			json = true;
			continue;
		}
		/* also as a word of its own */
		if (!optarg && optind < argc && argv[optind][0] != '-')
			optarg = argv[optind++];
		seconds = optarg ? strtod(optarg, &end) : 1;
		if (optarg && (*end || !(seconds >= 0.1 && seconds <= 86400)))
			return usage(stderr, 2);
	}
	return optind < argc ? usage(stderr, 2) : watch(json, seconds);
}
