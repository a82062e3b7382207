/* SPDX-License-Identifier: BSD-3-Clause */
/* How the subcommands take their words; see tool.h. */
#include "tools/tool.h"

int tool_parse(const struct tool_words *w, int argc, char **argv, void *to)
{
	int c;

	while ((c = getopt_long(argc, argv, w->letters, w->options, NULL)) !=
	       -1) {
		if (c == 'h')
			return w->usage(stdout, 0);
		if (c == '?' || !w->set(c, to))
			return w->usage(stderr, 2);
	}
	if (argc - optind < w->least || argc - optind > w->most)
		return w->usage(stderr, 2);
	return -1;
}
