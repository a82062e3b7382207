/* SPDX-License-Identifier: BSD-3-Clause */
/* The subcommands of pcap-fast: each gets its own words, its name first, and
 * returns the exit status. */
#ifndef PCF_TOOL_H
#define PCF_TOOL_H

#include <stddef.h>

int tool_run(int argc, char **argv);
int tool_path(int argc, char **argv);
int tool_bridge(int argc, char **argv);
int tool_doctor(int argc, char **argv);
int tool_filter(int argc, char **argv);
int tool_gen(int argc, char **argv);
int tool_status(int argc, char **argv);
int tool_replay(int argc, char **argv);

/* The absolute path of the drop-in: of the build tree that the command itself
 * lies in, else the installed one. 0, or -1 with a line on stderr. */
int tool_dropin(char *path, size_t size);

#endif
