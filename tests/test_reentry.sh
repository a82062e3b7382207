#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The system's libpcap calls some of its own exports through its PLT, and under
# the drop-in these calls come back to us. Each of them is made, each does come
# back, and nothing is different: tests/reentry.c without and with the drop-in.
set -u
. "${PCF_TOP:?}/tests/ns.sh"
ns_require_root
system=$(readlink -f "${PCF_SYSTEM_LIBPCAP:?}")
passed=0 failed=0
tmp=$(mktemp -d) || exit 1
trap 'ns_cleanup; rm -rf "$tmp"' EXIT

check() # WHAT COMMAND...
{
	local what=$1

	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $what"
	fi
}

reentry() # NAME PRELOAD
{
	ns_rx env LD_PRELOAD="$2" LD_DEBUG=bindings LD_DEBUG_OUTPUT="$tmp/$1" \
		ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 \
		"${PCF_BUILD:-.}/tests/reentry" "$system" "$tmp/file.pcap" lo \
		>"$tmp/$1.out" 2>&1
}

# The functions among its exports that it calls through its PLT.
own_calls()
{
	comm -12 <(nm -D --defined-only "$system" |
		awk '$2 == "T" { sub("@.*", "", $3); print $3 }' | sort) \
		<(readelf -rW "$system" |
			awk '/JUMP_SLO|GLOB_DAT/ { sub("@.*", "", $5); print $5 }' |
			sort)
}

# Of which the calls came to the drop-in in the run of this name.
came_back() # NAME
{
	sed -n "s|.*binding file $system \[0\] to ${PCF_DROPIN:?} \[0\]:.*symbol \`\([^']*\)'.*|\1|p" \
		"$tmp/$1".[0-9]* | sort -u
}

ns_pair reentry
ns_rx ip link set lo up
reentry stock "${PCF_PRELOAD_EXTRA:-}"
check "the program ends well" [ $? = 0 ]
reentry dropin "${PCF_PRELOAD_EXTRA:+$PCF_PRELOAD_EXTRA:}$PCF_DROPIN"
check "the program ends well under the drop-in" [ $? = 0 ]
check "the same is printed" diff "$tmp/stock.out" "$tmp/dropin.out"
own_calls >"$tmp/own"
check "there are such calls" [ "$(wc -l <"$tmp/own")" -ge 30 ]
while read -r call; do
	check "$call comes back" grep -qx "$call" <(came_back dropin)
done <"$tmp/own"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
