/* SPDX-License-Identifier: BSD-3-Clause */
/* What the subcommands that print JSON have in common. */
#include "tools/json.h"

#include <stdio.h>

void json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = *text;

		if (c < ' ' || c > '~' || c == '"' || c == '\\')
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}
