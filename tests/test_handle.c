/* SPDX-License-Identifier: BSD-3-Clause */
/* The side table: growth, reuse of addresses and of places, look-ups beside
 * changes by other threads. Handles are addresses here, nothing more. */
#include "libpcap-fast/handle.h"
#include "tests/unit.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

#define MANY	1000
#define THREADS 4
#define TURNS	20000

/* Never looked into. */
static pcap_t *key(unsigned i)
{
	return (pcap_t *)(65536 + 64 * (uintptr_t)i);
}

static struct pcf_handle *value(unsigned i)
{
	return (struct pcf_handle *)(65536 + 64 * (uintptr_t)i + 32);
}

static void add(unsigned i)
{
	CU_ASSERT_EQUAL_FATAL(pcf_table_add(key(i), value(i)), 0);
}

static void unknown(void)
{
	CU_ASSERT_PTR_NULL(pcf_find(NULL));
	CU_ASSERT_PTR_NULL(pcf_find(key(0)));
	CU_ASSERT_PTR_NULL(pcf_table_remove(key(0)));
	add(1);
	CU_ASSERT_PTR_NULL(pcf_find(key(0)));
	CU_ASSERT_PTR_NULL(pcf_table_remove(key(0)));
	CU_ASSERT_PTR_EQUAL(pcf_table_remove(key(1)), value(1));
}

/* Each address keeps its state through every growth. */
static void grows(void)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < MANY; i++) {
		add(i);
		for (unsigned j = 0; j <= i; j += 1 + i / 16)
			wrong += pcf_find(key(j)) != value(j);
		wrong += pcf_find(key(i + 1)) != NULL;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	for (unsigned i = 0; i < MANY; i += 2)
		wrong += pcf_table_remove(key(i)) != value(i);
	for (unsigned i = 0; i < MANY; i++)
		wrong += pcf_find(key(i)) != (i % 2 ? value(i) : NULL);
	CU_ASSERT_EQUAL(wrong, 0);
	for (unsigned i = 1; i < MANY; i += 2)
		wrong += pcf_table_remove(key(i)) != value(i);
	CU_ASSERT_EQUAL(wrong, 0);
}

/* malloc() gives a closed handle's address to the next one, or to somebody
 * else's. */
static void address_again(void)
{
	struct pcf_handle *h = NULL;

	add(0);
	CU_ASSERT_TRUE(pcf_find_at_once(key(0), &h));
	CU_ASSERT_PTR_EQUAL(h, value(0));
	CU_ASSERT_PTR_EQUAL(pcf_table_remove(key(0)), value(0));
	CU_ASSERT_FALSE(pcf_find_at_once(key(0), &h));
	CU_ASSERT_PTR_NULL(pcf_find(key(0)));
	CU_ASSERT_EQUAL(pcf_table_add(key(0), value(7)), 0);
	CU_ASSERT_PTR_EQUAL(pcf_find(key(0)), value(7));
	CU_ASSERT_PTR_EQUAL(pcf_table_remove(key(0)), value(7));
	CU_ASSERT_PTR_NULL(pcf_table_remove(key(0)));
}

static size_t memory_in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* A program that opens and closes for ever, at ever other addresses, with one
 * handle that stays: look-ups end and find what is there, in no more memory. */
static void no_end_of_handles(void)
{
	unsigned wrong = 0;
	size_t before;

	add(0);
	before = memory_in_use();
	for (unsigned i = 1; i < 1000 * MANY; i++) {
		wrong += pcf_table_add(key(i), value(i)) != 0;
		wrong += pcf_find(key(i)) != value(i);
		wrong += pcf_find(key(0)) != value(0);
		wrong += pcf_table_remove(key(i)) != value(i);
		wrong += pcf_find(key(i)) != NULL;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_TRUE(memory_in_use() < before + (1 << 20));
	pcf_table_remove(key(0));
}

/* Closed handles that cannot be forgotten, as look-ups of others must go on
 * past them, are not found, nor is anything of theirs. */
static void left_behind(void)
{
	unsigned wrong = 0;
	struct pcf_handle *h;

	for (unsigned i = 0; i < MANY; i++)
		add(i);
	for (unsigned i = 0; i < MANY; i += 2)
		wrong += pcf_table_remove(key(i)) != value(i);
	for (unsigned i = 0; i < MANY; i++) {
		bool found = pcf_find_at_once(key(i), &h);

		wrong += found && (i % 2 == 0 || h != value(i));
	}
	for (unsigned i = 0; i < MANY; i += 2)
		wrong += pcf_table_add(key(i), value(i + 1)) != 0;
	for (unsigned i = 0; i < MANY; i++)
		wrong += pcf_find(key(i)) != value(i | 1);
	CU_ASSERT_EQUAL(wrong, 0);
	for (unsigned i = 0; i < MANY; i++)
		pcf_table_remove(key(i));
}

/* What a thread does with its own handles, beside the others. */
static void *come_and_go(void *arg)
{
	unsigned first = *(unsigned *)arg, wrong = 0;

	for (unsigned turn = 0; turn < TURNS; turn++) {
		unsigned i = first + turn % MANY;

		if (pcf_table_add(key(i), value(i)))
			abort();
		wrong += pcf_find(key(i)) != value(i);
		wrong += pcf_table_remove(key(i)) != value(i);
		wrong += pcf_find(key(i)) != NULL;
	}
	*(unsigned *)arg = wrong;
	return NULL;
}

static atomic_bool stop;

/* A reader in its loop while others open and close. */
static void *look_up(void *arg)
{
	unsigned wrong = 0;

	while (!atomic_load(&stop))
		for (unsigned i = 0; i < 100; i++)
			wrong += pcf_find(key(i)) != value(i);
	*(unsigned *)arg = wrong;
	return NULL;
}

/* Savefiles and the like at the addresses of closed handles, whose places
 * others take meanwhile. */
static void *look_up_strangers(void *arg)
{
	unsigned wrong = 0;

	while (!atomic_load(&stop))
		for (unsigned i = 100; i < 200; i++)
			wrong += pcf_find(key(i)) != NULL;
	*(unsigned *)arg = wrong;
	return NULL;
}

static void threads(void)
{
	pthread_t changing[THREADS], reading, strange;
	unsigned first[THREADS], wrong = 0, wrong_strange = 0;

	for (unsigned i = 0; i < 200; i++)
		add(i);
	for (unsigned i = 100; i < 200; i++)
		pcf_table_remove(key(i));
	atomic_store(&stop, false);
	if (pthread_create(&reading, NULL, look_up, &wrong) ||
	    pthread_create(&strange, NULL, look_up_strangers, &wrong_strange))
		abort();
	for (unsigned i = 0; i < THREADS; i++) {
		first[i] = (i + 1) * MANY;
		if (pthread_create(&changing[i], NULL, come_and_go, &first[i]))
			abort();
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(changing[i], NULL);
		CU_ASSERT_EQUAL(first[i], 0);
	}
	atomic_store(&stop, true);
	pthread_join(reading, NULL);
	pthread_join(strange, NULL);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(wrong_strange, 0);
	for (unsigned i = 0; i < 100; i++)
		CU_ASSERT_PTR_EQUAL(pcf_table_remove(key(i)), value(i));
}

static CU_TestInfo tests[] = {
	PCF_TEST(unknown),
	PCF_TEST(threads),
	PCF_TEST(grows),
	PCF_TEST(address_again),
	PCF_TEST(left_behind),
	PCF_TEST(no_end_of_handles),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("handle", tests);
}
