/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The grammar of pcap-filter(7) for Ethernet, expression by expression, over
 * frames of many protocols: whoever runs the program, every one must agree.
 * Compiled by libpcap as for a live capture, with and without its optimizer.
 */
#include "tests/filter_compare.h"
#include "tests/filter_exprs.h"
#include "tests/filter_frames.h"
#include "tests/filter_pcap.h"
#include "tests/filter_view.h"
#include "tests/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Expressions that no program at the hook can express: libpcap follows chains
 * of headers by jumping backwards. */
static bool goes_backwards(const char *expression)
{
	return strstr(expression, "protochain") != NULL;
}

static struct filter_corpus corpus;
static struct filter_wire wire;
static struct {
	unsigned programs, kernel, refused, user, runs, matches, cut;
} count;

/* By 32 and more the kernel shifts modulo 32, and libpcap shifts all out. */
static bool shifts_by_x(const struct filter_case *c)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->insns[i].code == (BPF_ALU | BPF_LSH | BPF_X) ||
		    c->insns[i].code == (BPF_ALU | BPF_RSH | BPF_X))
			return true;
	return false;
}

/* For a few expressions, as "vlan 7 and pppoes", libpcap emits code that reads
 * scratch memory which it never wrote. The kernel refuses that, and libpcap's
 * own result is chance; here scratch memory begins as 0. */
static bool left_to_chance(const struct filter_case *c)
{
	for (unsigned i = 0; i < c->n && !c->wire; i++)
		if (c->insns[i].code == (BPF_LD | BPF_MEM) ||
		    c->insns[i].code == (BPF_LDX | BPF_MEM))
			return true;
	return false;
}

/* libpcap's own interpreter, which knows no ancillary data, over the kernel's
 * view of the frame. */
static int as_libpcap(const struct filter_case *c, const uint8_t *data,
		      uint32_t len)
{
	struct sock_filter *insns;
	const uint32_t want = filter_case_expect(c, data, len);
	struct filter_view view;
	uint32_t got = 0;

	if (shifts_by_x(c) || left_to_chance(c))
		return 0;
	insns = calloc(c->n, sizeof(*insns));
	if (!insns || filter_view_init(&view, data, len, c->ifindex)) {
		free(insns);
		return 1;
	}
	filter_view_program(&view, c->insns, c->n, insns);
	if (!view.dropped)
		got = filter_pcap_run(insns, view.data, view.len);
	free(view.data);
	free(insns);
	if (got != want)
		printf("libpcap says %u, expected %u\n", got, want);
	return got != want;
}

static int run_corpus(struct filter_case *c)
{
	for (unsigned i = 0; i < corpus.n; i++) {
		const struct filter_sample *s = &corpus.frame[i];

		if (filter_case_run(c, s->data, s->len) ||
		    as_libpcap(c, s->data, s->len))
			return 1;
		count.runs++;
		count.matches += filter_case_expect(c, s->data, s->len) != 0;
	}
	return 0;
}

static int run_cut(struct filter_case *c, const struct filter_sample *s)
{
	for (uint32_t len = 14; len < s->len && len < 200; len++) {
		if (filter_case_run(c, s->data, len) ||
		    as_libpcap(c, s->data, len))
			return 1;
		count.runs++;
	}
	count.cut++;
	return 0;
}

/* Every so many frames, cut at every length. All expressions together, each
 * beginning with another one, cut every frame. */
static int run_all_cut(struct filter_case *c, unsigned first)
{
	for (unsigned i = first; i < corpus.n; i += filter_nexprs)
		if (run_cut(c, &corpus.frame[i]))
			return 1;
	return 0;
}

static int run_expression(const char *expression, unsigned i, int optimize)
{
	struct sock_filter *insns;
	struct filter_case c;
	char err[256];
	unsigned n;
	int bad;

	if (filter_pcap_compile(expression, optimize, &insns, &n, err,
				sizeof(err))) {
		printf("  %s: %s\n", expression, err);
		return 1;
	}
	filter_case_init(&c, insns, n, &wire);
	count.programs++;
	if (c.compiled)
		count.user++;
	else if (filter_case_load(&c, NULL, 0))
		count.refused++;
	else
		count.kernel++;
	bad = (c.compiled != 0) != goes_backwards(expression);
	if (bad)
		printf("  %s: compiled %d %s\n", expression, c.compiled, c.why);
	bad |= run_corpus(&c) ||
	       run_all_cut(&c, (i + optimize * 7) % filter_nexprs);
	if (bad)
		printf("  in: %s\n", expression);
	filter_case_free(&c);
	free(insns);
	return bad;
}

static bool knows_newer(void)
{
	struct sock_filter *insns;
	unsigned n;
	char err[256];

	if (filter_pcap_compile("vxlan", 1, &insns, &n, err, sizeof(err)))
		return false;
	free(insns);
	return true;
}

static void run_all(int optimize)
{
	char err[256];

	if (filter_corpus_init(&corpus)) {
		CU_FAIL_FATAL("no memory");
	}
	if (filter_wire_open(&wire) ||
	    filter_pcap_open(FILTER_WIRE_DEVICE, err, sizeof(err))) {
		filter_corpus_free(&corpus);
		pcf_skip("needs root and network namespaces");
		return;
	}
	memset(&count, 0, sizeof(count));
	for (unsigned i = 0; i < filter_nexprs; i++)
		CU_ASSERT_EQUAL(run_expression(filter_exprs[i], i, optimize), 0);
	CU_ASSERT_EQUAL(count.cut, corpus.n);
	for (unsigned i = 0; knows_newer() && i < filter_nexprs_newer; i++)
		CU_ASSERT_EQUAL(run_expression(filter_exprs_newer[i], i, optimize), 0);
	printf("    %u programs: %u in the kernel, %u refused by it, %u for user space; %u runs, %u matches\n",
	       count.programs, count.kernel, count.refused, count.user,
	       count.runs, count.matches);
	CU_ASSERT_EQUAL(count.refused, 0);
	CU_ASSERT_TRUE(count.matches > 1000);
	filter_pcap_close();
	filter_wire_close(&wire);
	filter_corpus_free(&corpus);
}

static void optimized(void)
{
	run_all(1);
}

static void unoptimized(void)
{
	run_all(0);
}

static void enough(void)
{
	CU_ASSERT_TRUE(filter_nexprs >= 550);
}

static CU_TestInfo tests[] = {
	PCF_TEST(enough),
	PCF_TEST(optimized),
	PCF_TEST(unoptimized),
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return pcf_run_tests("expressions", tests);
}
