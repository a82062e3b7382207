#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# <pcap-fast.h> from C++: test_cxx.cc compiles without a warning, links with the
# library, and runs. A skip where there is no C++ compiler.
set -u
top=${PCF_TOP:-.}
build=${PCF_BUILD:-.}
cxx=${CXX:-g++}
passed=0 failed=0

if ! command -v "$cxx" >/dev/null; then
	echo "SKIP: needs a C++ compiler ($cxx)"
	echo "0 passed, 0 failed, 1 skipped"
	exit 77
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# A sanitized library wants its runtime first.
run()
{
	LD_LIBRARY_PATH=$build/.libs LD_PRELOAD=${PCF_PRELOAD_EXTRA:-} \
		"$tmp/test_cxx" "$tmp/out.pcap"
}

for std in c++98 c++17; do
	if ! "$cxx" -std=$std -Wall -Wextra -pedantic -Werror \
		-I"$top/include" -o "$tmp/test_cxx" "$top/tests/test_cxx.cc" \
		-L"$build/.libs" -lpcap-fast; then
		echo "FAIL $std: does not compile or link"
		failed=$((failed + 1))
		continue
	fi
	run >"$tmp/log" || echo "FAIL $std: see above" >>"$tmp/log"
	grep FAIL "$tmp/log"
	counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$tmp/log")
	[ -n "$counts" ] || counts="0 passed, 1 failed"
	passed=$((passed + ${counts%% *}))
	counts=${counts#*, }
	failed=$((failed + ${counts%% *}))
done

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
