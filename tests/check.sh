# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# What the tests that are scripts count and how they end: to be sourced by bash.
#
#   check WHAT EXPECTED FOUND   one test; texts of several lines are compared
#                               line by line
#   status CMD..                its exit status, as text; its words are not shown
#   skipped                     to be counted up by whoever leaves something out
#   check_end                   the closing line; fails when any check did

passed=0 failed=0 skipped=0

check() # WHAT EXPECTED FOUND
{
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	if [[ $2$3 = *$'\n'* ]]; then
		echo "FAIL $1"
		diff <(echo "$2") <(echo "$3") | grep '^[<>]' | head -n 10
	else
		echo "FAIL $1: expected \"$2\", found \"$3\""
	fi
}

status() # COMMAND...
{
	"$@" >/dev/null 2>&1
	echo $?
}

check_end()
{
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}
