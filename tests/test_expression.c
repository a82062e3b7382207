/* SPDX-License-Identifier: BSD-3-Clause */
/* What expression a program was compiled from: told by what it says. */
#include "libpcap-fast/expression.h"

#include "compat/public.h"
#include "tests/unit.h"

#include <string.h>

static pcap_t *dead;
static char text[160];

static struct bpf_program compile(const char *expression)
{
	struct bpf_program program;

	CU_ASSERT_EQUAL_FATAL(pcap_compile(dead, &program, expression, 1, 0),
			      0);
	return program;
}

static void expect(struct bpf_program *program, const char *expression)
{
	pcf_expression_find(program, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, expression);
}

static void found(void)
{
	struct bpf_program a = compile("tcp port 1"), b = compile("tcp port 2");

	expect(&a, "tcp port 1");
	expect(&b, "tcp port 2");
	/* one of the same length and another content */
	b.bf_insns[0].k++;
	expect(&b, "");
	/* the beginning of one */
	a.bf_len--;
	expect(&a, "");
	a.bf_len++;
	pcap_freecode(&a);
	a = compile("tcp port 1 ");
	expect(&a, "tcp port 1 ");
	pcap_freecode(&a);
	pcap_freecode(&b);
}

static void not_compiled(void)
{
	struct bpf_insn insn = { 0x06, 0, 0, 96 };
	struct bpf_program program = { 1, &insn };

	expect(&program, "");
	program.bf_len = 0;
	program.bf_insns = NULL;
	expect(&program, "");
	CU_ASSERT_NOT_EQUAL(pcap_compile(dead, &program, "no such", 1, 0), 0);
}

/* The last ones; one that is compiled again and again takes one place. */
static void forgotten(void)
{
	struct bpf_program first = compile("udp port 1"), last;
	char expression[32];

	for (int i = 0; i < 100; i++) {
		last = compile("udp port 2");
		pcap_freecode(&last);
	}
	expect(&first, "udp port 1");
	for (int i = 0; i < 16; i++) {
		snprintf(expression, sizeof(expression), "udp port %d",
			 100 + i);
		last = compile(expression);
		if (i < 15)
			pcap_freecode(&last);
	}
	expect(&first, "");
	expect(&last, "udp port 115");
	pcap_freecode(&first);
	pcap_freecode(&last);
}

static void long_ones_are_cut(void)
{
	char expression[1024] = "port 1";
	struct bpf_program program;

	for (int i = 0; i < 30; i++)
		strcat(expression, " or port 4242");
	program = compile(expression);
	pcf_expression_find(&program, text, sizeof(text));
	CU_ASSERT_EQUAL(strlen(text), sizeof(text) - 1);
	CU_ASSERT_FALSE(strncmp(text, expression, sizeof(text) - 4));
	CU_ASSERT_STRING_EQUAL(text + sizeof(text) - 4, "...");
	pcap_freecode(&program);
}

static CU_TestInfo tests[] = { PCF_TEST(found), PCF_TEST(not_compiled),
			       PCF_TEST(forgotten), PCF_TEST(long_ones_are_cut),
			       CU_TEST_INFO_NULL };

int main(void)
{
	int rc;

	dead = pcap_open_dead(DLT_EN10MB, 65535);
	rc = pcf_run_tests("expressions", tests);
	pcap_close(dead);
	return rc;
}
