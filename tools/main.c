/* SPDX-License-Identifier: BSD-3-Clause */
/* pcap-fast: dispatches to its subcommands. */
#include "tools/tool.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *what;
} commands[] = {
	{ "run", tool_run, "run a program on libpcap-fast" },
	{ "path", tool_path, "print the drop-in's path, for LD_PRELOAD" },
	{ "doctor", tool_doctor, "can an interface be captured on fast?" },
	{ "status", tool_status, "who captures on this machine" },
	{ "bridge", tool_bridge, "forward between two interfaces" },
	{ "filter", tool_filter, "show what a filter becomes, and where it runs" },
	{ "gen", tool_gen, "send made-up packets" },
	{ "replay", tool_replay, "send the packets of a file" },
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	fprintf(to, "Usage: pcap-fast COMMAND [ARGUMENT...]\n\n");
	for (size_t i = 0; i < NCOMMANDS; i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].what);
	fprintf(to, "\npcap-fast COMMAND --help tells more.\n");
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (!strcmp(name, "--help")) {
		usage(stdout);
		return 0;
	}
	if (!strcmp(name, "--version")) {
		puts("pcap-fast " PACKAGE_VERSION);
		return 0;
	}
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (!strcmp(name, commands[i].name))
			return commands[i].main(argc - 1, argv + 1);
	if (*name)
		fprintf(stderr, "pcap-fast: no command \"%s\"\n", name);
	usage(stderr);
	return 2;
}
