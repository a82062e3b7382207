/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Environment variables and log. A table says what each variable may be; a
 * value that it may not be leaves the default and a text that says so. Never
 * prints but through pcf_log().
 */
#include "libpcap-fast/env.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libpcap-fast/mode.h"
#include "pcap-fast.h"

#define PREFIX	      "libpcap-fast: "

static atomic_int log_level = PCF_LOG_OFF;

/* The variable's value, NULL when it is unset or empty. */
static const char *value_of(const char *variable)
{
	const char *value = secure_getenv(variable);

	return value && *value ? value : NULL;
}

/* Only the first mistake is told. */
static void complain(struct pcf_env *env, const char *variable,
		     const char *wanted)
{
	if (!*env->error)
		snprintf(env->error, sizeof(env->error),
			 "%s=%.64s is ignored: %s", variable,
			 value_of(variable), wanted);
}

/* The index of the value among `words`, or `fallback`. */
static int read_word(struct pcf_env *env, const char *variable,
		     const char *const *words, const char *wanted)
{
	const char *value = value_of(variable);

	for (int i = 0; value && words[i]; i++)
		if (!strcmp(value, words[i]))
			return i;
	if (value)
		complain(env, variable, wanted);
	return 0;
}

static void read_text(struct pcf_env *env, const char *variable, char *out,
		      size_t size)
{
	const char *value = value_of(variable);

	if (value && strlen(value) >= size)
		complain(env, variable, "it is too long");
	else if (value)
		strcpy(out, value);
}

static void read_mode(struct pcf_env *env)
{
	const char *value = value_of("PCAP_FAST_MODE");
	int mode = value ? pcf_mode_by_name(value) : -1;

	env->mode_set = mode >= 0;
	env->mode = mode >= 0 ? mode : PCAP_FAST_MODE_AUTO;
	if (value && mode < 0)
		complain(env, "PCAP_FAST_MODE",
			 "use auto, system, exclusive or mirror");
}

static void read_busy_poll(struct pcf_env *env)
{
	const char *value = value_of("PCAP_FAST_BUSY_POLL");
	size_t digits = value ? strspn(value, "0123456789") : 0;

	if (!value)
		return;
	if (!digits || digits > 7 || value[digits] ||
	    atoi(value) > PCF_BUSY_POLL_MAX)
		complain(env, "PCAP_FAST_BUSY_POLL",
			 "use microseconds from 0 to 1000000");
	else
		env->busy_poll = atoi(value);
}

/* Set to nothing means: keep nothing. That is not what one too long means. */
static void read_keep(struct pcf_env *env)
{
	const char *value = secure_getenv("PCAP_FAST_KEEP");

	read_text(env, "PCAP_FAST_KEEP", env->keep, sizeof(env->keep));
	env->keep_set = value && (!*value || *env->keep);
}

/* A relative path would be another library in each directory. */
static void read_path(struct pcf_env *env)
{
	read_text(env, "PCAP_FAST_SYSTEM_LIBPCAP", env->system_libpcap,
		  sizeof(env->system_libpcap));
	if (*env->system_libpcap && *env->system_libpcap != '/') {
		*env->system_libpcap = '\0';
		complain(env, "PCAP_FAST_SYSTEM_LIBPCAP",
			 "use an absolute path");
	}
}

void pcf_env_read(struct pcf_env *env)
{
	static const char *const rest[] = { "pass", "drop", NULL };
	static const char *const zerocopy[] = { "auto", "require", "off",
						NULL };
	static const char *const rx[] = { "auto", "xsk", "ring", NULL };
	static const char *const level[] = { "off", "info", "debug", NULL };
	static const char *const timeout[] = { "stock", "honest", NULL };
	static const char *const off_on[] = { "off", "on", "0", "1", NULL };

	memset(env, 0, sizeof(*env));
	read_mode(env);
	read_keep(env);
	env->rest = read_word(env, "PCAP_FAST_REST", rest, "use pass or drop");
	read_text(env, "PCAP_FAST_QUEUES", env->queues, sizeof(env->queues));
	env->zerocopy = read_word(env, "PCAP_FAST_ZEROCOPY", zerocopy,
				  "use auto, require or off");
	env->rx = read_word(env, "PCAP_FAST_RX", rx, "use auto, xsk or ring");
	read_busy_poll(env);
	env->qdisc_bypass = read_word(env, "PCAP_FAST_QDISC_BYPASS", off_on,
				      "use off or on") & 1;
	env->rx_hash = read_word(env, "PCAP_FAST_RX_HASH", off_on,
				 "use off or on") & 1;
	env->log = read_word(env, "PCAP_FAST_LOG", level,
			     "use off, info or debug");
	env->timeout = read_word(env, "PCAP_FAST_TIMEOUT", timeout,
				 "use stock or honest");
	read_path(env);
	atomic_store_explicit(&log_level, env->log, memory_order_relaxed);
}

/* Whatever a device name may contain, a line stays a line. */
static size_t end_line(char *line)
{
	char *c;

	for (c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	*c = '\n';
	return c + 1 - line;
}

void pcf_log(enum pcf_log level, const char *format, ...)
{
	char line[1024] = PREFIX;
	size_t n = sizeof(PREFIX) - 1;
	int saved = errno;
	va_list arguments;

	if ((int)level > atomic_load_explicit(&log_level, memory_order_relaxed))
		return;
	va_start(arguments, format);
	vsnprintf(line + n, sizeof(line) - n, format, arguments);
	va_end(arguments);
	n = end_line(line); /* in place of the final zero */
	/* A stderr that is closed or full is no error of the capture. */
	while (write(STDERR_FILENO, line, n) < 0 && errno == EINTR)
		;
	errno = saved;
}
