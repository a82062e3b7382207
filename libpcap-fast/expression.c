/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Expressions of programs; see expression.h. Nothing depends on them but what
 * is shown, so no call ever waits for another here, nor fails.
 */
#include "libpcap-fast/expression.h"

#include "compat/stock.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* A program compiles one or a few before it sets them. */
#define MOST 16
#define SIZE 160

static struct {
	uint64_t hash; /* 0 unused */
	unsigned len;
	char text[SIZE];
} known[MOST];

static unsigned next;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* FNV-1a; never 0. */
static uint64_t hash_of(const struct bpf_program *program)
{
	const uint8_t *bytes = (const uint8_t *)program->bf_insns;
	size_t size = program->bf_len * sizeof(*program->bf_insns);
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash | 1;
}

/* Its place, or MOST. */
static unsigned find(uint64_t hash, unsigned len)
{
	unsigned i = 0;

	while (i < MOST && (known[i].hash != hash || known[i].len != len))
		i++;
	return i;
}

static void cut(char *to, size_t size, const char *text)
{
	if (snprintf(to, size, "%s", text) >= (int)size && size > 3)
		memcpy(to + size - 4, "...", 3);
}

static void note(const struct bpf_program *program, const char *text)
{
	uint64_t hash = hash_of(program);
	unsigned i;

	if (pthread_mutex_trylock(&lock))
		return;
	i = find(hash, program->bf_len);
	if (i == MOST)
		i = next++ % MOST;
	known[i].hash = hash;
	known[i].len = program->bf_len;
	cut(known[i].text, sizeof(known[i].text), text);
	pthread_mutex_unlock(&lock);
}

void pcf_expression_find(const struct bpf_program *program, char *text,
			 size_t size)
{
	unsigned i;

	*text = '\0';
	if (pthread_mutex_trylock(&lock))
		return;
	i = find(hash_of(program), program->bf_len);
	if (i < MOST)
		cut(text, size, known[i].text);
	pthread_mutex_unlock(&lock);
}

int pcap_compile(pcap_t *p, struct bpf_program *program, const char *text,
		 int optimize, bpf_u_int32 mask)
{
	const struct pcf_stock *stock = pcf_stock();
	int rc;

	if (!stock->pcap_compile)
		return PCAP_ERROR;
	rc = stock->pcap_compile(p, program, text, optimize, mask);
	if (rc >= 0 && text)
		note(program, text);
	return rc;
}
