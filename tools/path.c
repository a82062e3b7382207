/* SPDX-License-Identifier: BSD-3-Clause */
/* pcap-fast path: where the drop-in is. */
#include "tools/tool.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The folder of this executable, with the slash. */
static int own_folder(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	if (n < 0)
		return -1;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return -1;
	slash[1] = '\0';
	return 0;
}

int tool_dropin(char *path, size_t size)
{
	char folder[PATH_MAX];

	if (!own_folder(folder, sizeof(folder))) {
		snprintf(path, size, "%s.libs/dropin/" PCF_DROPIN_SONAME,
			 folder);
		if (!access(path, R_OK))
			return 0;
	}
	snprintf(path, size, "%s", PCF_DROPIN_DIR "/" PCF_DROPIN_SONAME);
	if (!access(path, R_OK))
		return 0;
	fprintf(stderr, "pcap-fast: no drop-in at %s; make install puts it there\n",
		path);
	return -1;
}

int tool_path(int argc, char **argv)
{
	char path[PATH_MAX];

	if (argc > 1) {
		int help = !strcmp(argv[1], "--help");

		fprintf(help ? stdout : stderr,
			"Usage: pcap-fast path\n\nPrints the absolute path of the drop-in that `pcap-fast run` preloads.\n");
		return help ? 0 : 2;
	}
	if (tool_dropin(path, sizeof(path)))
		return 1;
	puts(path);
	return 0;
}
