/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every unit test program shares: a table of tests, run by CUnit, and the
 * closing line "N passed, N failed, N skipped" that tests/summary adds up.
 *
 *   static void adds(void) { CU_ASSERT_EQUAL(1 + 1, 2); }
 *   static CU_TestInfo tests[] = { PCF_TEST(adds), CU_TEST_INFO_NULL };
 *   int main(void) { return pcf_run_tests("sums", tests); }
 *
 * A test that cannot run here calls pcf_skip("why") and returns.
 */
#ifndef PCF_UNIT_H
#define PCF_UNIT_H

#include <CUnit/Basic.h>
#include <stdio.h>

#define PCF_TEST(f) { #f, f }

static unsigned pcf_skipped;

__attribute__((unused)) static void pcf_skip(const char *why)
{
	pcf_skipped++;
	printf("  SKIP %s: %s\n", CU_get_current_test()->pName, why);
}

static int pcf_run_tests(const char *name, CU_TestInfo *tests)
{
	CU_SuiteInfo suites[] = { { name, NULL, NULL, NULL, NULL, tests },
				  CU_SUITE_INFO_NULL };
	unsigned run, failed;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (CU_initialize_registry() != CUE_SUCCESS ||
	    CU_register_suites(suites) != CUE_SUCCESS)
		return 99;
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	run = CU_get_number_of_tests_run();
	failed = CU_get_number_of_tests_failed();
	CU_cleanup_registry();
	printf("%u passed, %u failed, %u skipped\n", run - failed - pcf_skipped,
	       failed, pcf_skipped);
	if (failed || !run)
		return 1;
	return pcf_skipped == run ? 77 : 0;
}

#endif
