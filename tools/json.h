/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PCF_TOOL_JSON_H
#define PCF_TOOL_JSON_H

/* Print any bytes as a JSON string, quotes and all: names of processes, or of
 * programs that somebody attached. */
void json_string(const char *text);

#endif
