/* SPDX-License-Identifier: BSD-3-Clause */
/* pcap-fast run: a program with the drop-in in front of its libraries. */
#include "tools/tool.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As env(1) has them. */
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND 127

static const struct option options[] = {
	{ "mode", required_argument, NULL, 'm' },
	{ "queues", required_argument, NULL, 'q' },
	{ "keep", required_argument, NULL, 'k' },
	{ "rest", required_argument, NULL, 'r' },
	{ "zerocopy", required_argument, NULL, 'z' },
	{ "log", required_argument, NULL, 'l' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int usage(FILE *to, int status)
{
	fputs("Usage: pcap-fast run [OPTION...] [--] COMMAND [ARGUMENT...]\n\n"
	      "Runs COMMAND with libpcap-fast in place of the system's libpcap.\n\n"
	      "  --mode=M       auto (default), exclusive, mirror, system\n"
	      "  --queues=LIST  RX queues to capture on, as 0,2-3\n"
	      "  --keep=E       what the host keeps of an exclusive capture\n"
	      "  --rest=V       pass (default), drop: what matches nothing\n"
	      "  --zerocopy=H   auto (default), require, off\n"
	      "  --log=L        off (default), info, debug: choices, on stderr\n\n"
	      "A set-uid COMMAND, or one with file capabilities, ignores it unless\n"
	      "started by root.\n",
	      to);
	return status;
}

static bool set_option(int letter, void *to)
{
	const char *name = letter == 'm' ? "PCAP_FAST_MODE" :
			   letter == 'q' ? "PCAP_FAST_QUEUES" :
			   letter == 'k' ? "PCAP_FAST_KEEP" :
			   letter == 'r' ? "PCAP_FAST_REST" :
			   letter == 'z' ? "PCAP_FAST_ZEROCOPY" :
					   "PCAP_FAST_LOG";

	(void)to;
	return !setenv(name, optarg, 1);
}

/* "+": the command's own options are its own. */
static const struct tool_words words = {
	"+", options, usage, set_option, 1, INT_MAX
};

/* In front of what is preloaded already. */
static int preload(void)
{
	const char *others = getenv("LD_PRELOAD");
	char path[PATH_MAX];
	char *all;

	if (tool_dropin(path, sizeof(path)))
		return -1;
	if (asprintf(&all, "%s%s%s", path, others && *others ? ":" : "",
		     others ? others : "") < 0)
		return -1;
	setenv("LD_PRELOAD", all, 1);
	free(all);
	return 0;
}

int tool_run(int argc, char **argv)
{
	int status = tool_parse(&words, argc, argv, NULL);

	if (status >= 0)
		return status;
	if (preload())
		return 1;
	execvp(argv[optind], &argv[optind]);
	fprintf(stderr, "pcap-fast run: %s: %s\n", argv[optind],
		strerror(errno));
	return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}
