/* SPDX-License-Identifier: BSD-3-Clause */
/* The subcommands of pcap-fast: each gets its own words, its name first, and
 * returns the exit status. */
#ifndef PCF_TOOL_H
#define PCF_TOOL_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

int tool_run(int argc, char **argv);
int tool_path(int argc, char **argv);
int tool_bridge(int argc, char **argv);
int tool_doctor(int argc, char **argv);
int tool_filter(int argc, char **argv);
int tool_gen(int argc, char **argv);
int tool_status(int argc, char **argv);
int tool_replay(int argc, char **argv);

/* What words a subcommand takes. */
struct tool_words {
	const char *letters;	      /* short options, as getopt(3) has them */
	const struct option *options; /* 'h' is --help */
	int (*usage)(FILE *to, int status); /* returns the status */
	bool (*set)(int letter, void *to);  /* takes optarg; false: wrong */
	int least, most;	      /* arguments beside the options */
};

/* Take the options. -1: go on, the arguments begin at argv[optind]; else the
 * exit status, after --help or with what is wrong on stderr. */
int tool_parse(const struct tool_words *w, int argc, char **argv, void *to);

/* The absolute path of the drop-in: of the build tree that the command itself
 * lies in, else the installed one. 0, or -1 with a line on stderr. */
int tool_dropin(char *path, size_t size);

#endif
