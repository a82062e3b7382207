#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# pcap-fast gen, replay and bridge: what the other end gets, and what they say
# of wrong words. Each in both ways of sending.
set -u
. "${PCF_TOP:?}/tests/ns.sh"
tool=${PCF_BUILD:-$PWD}/pcap-fast
passed=0 failed=0

check() # WHAT EXPECTED FOUND
{
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $1: expected \"$2\", found \"$3\""
	fi
}

status() # COMMAND...
{
	"$@" >/dev/null 2>&1
	echo $?
}

# How many frames arrive at rx0 while a command runs in the other namespace.
arrive() # COMMAND...
{
	local before after

	before=$(ns_rx cat /sys/class/net/rx0/statistics/rx_packets)
	ns_tx timeout 20 "$@" >"$tmp/out" 2>&1
	sleep 0.2
	after=$(ns_rx cat /sys/class/net/rx0/statistics/rx_packets)
	echo $((after - before))
}

ns_require_root
tmp=$(mktemp -d)
trap 'ns_cleanup; rm -rf "$tmp"' EXIT
ns_pair pcfsend

for mode in exclusive system; do
	check "$mode: gen sends all" 5000 \
		"$(arrive "$tool" gen --count 5000 --flows 9 $mode:tx0)"
	check "$mode: gen, frames of 1,514 bytes, one a call" 300 \
		"$(arrive "$tool" gen --count 300 --size 1514 --batch 1 $mode:tx0)"
	check "$mode: gen counts" '{"frames": 100, "bytes": 6000,' \
		"$(ns_tx "$tool" gen --count 100 --json $mode:tx0 | cut -d' ' -f1-4)"
	check "$mode: gen keeps the pace" 1 \
		"$(ns_tx "$tool" gen --count 200 --pps 1000 --json $mode:tx0 |
			grep -c '"seconds": 0\.[1-9]')"
	check "$mode: a frame too long" 1 \
		"$(status ns_tx "$tool" gen --size 1515 --count 1 $mode:tx0)"
done

# What was captured is sent again, as it was.
ns_spawn rx tcpdump -i rx0 -U -w "$tmp/one.pcap" -c 500
catcher=$NS_PID
sleep 1
ns_tx "$tool" gen --count 500 --flows 500 --pps 5000 tx0 >/dev/null
ns_wait_pid "$catcher" 5
for mode in exclusive system; do
	ns_spawn rx tcpdump -i rx0 -U -w "$tmp/two.pcap" -c 1000
	catcher=$NS_PID
	sleep 1
	ns_tx "$tool" replay --loop 2 --pps 5000 "$tmp/one.pcap" $mode:tx0 \
		>/dev/null
	ns_wait_pid "$catcher" 5
	check "$mode: replay sends the same bytes, twice" \
		"$(for i in 1 2; do tcpdump -r "$tmp/one.pcap" -t -nn -xx 2>/dev/null
			done | cksum)" \
		"$(tcpdump -r "$tmp/two.pcap" -t -nn -xx 2>/dev/null | cksum)"
	check "$mode: replay at the pace of the file" 1 \
		"$(ns_tx "$tool" replay --json "$tmp/one.pcap" $mode:tx0 |
			grep -c '"seconds": 0\.[01]')"
done

# Through a bridge, which the sender's namespace gets a second pair for.
ns_tx ip link add b0 type veth peer name b1
ns_tx ip link set b0 up
ns_tx ip link set b1 up
for mode in exclusive system; do
	ns_spawn tx "$tool" bridge --mode=$mode b1 tx0 udp
	bridge=$NS_PID
	sleep 1
	check "$mode: a bridge forwards what matches" 3000 \
		"$(arrive "$tool" gen --count 3000 --pps 30000 system:b0)"
	kill -INT "$bridge"
	ns_wait_pid "$bridge" 5
	check "$mode: ... and ends with success" 0 "$NS_STATUS"
done

check "gen without an interface" 2 "$(status "$tool" gen)"
check "gen with a size that is none" 2 "$(status "$tool" gen --size 9 tx0)"
check "gen with a number that is none" 2 "$(status "$tool" gen --pps x tx0)"
check "gen on what is not there" 1 "$(status "$tool" gen nosuch0)"
check "replay without a file" 2 "$(status "$tool" replay tx0)"
check "replay of what is no capture" 1 \
	"$(status "$tool" replay /etc/passwd tx0)"
check "replay of what is not there" 1 "$(status "$tool" replay "$tmp/no" tx0)"
check "bridge with one end" 2 "$(status "$tool" bridge tx0)"
check "bridge with a bad filter" 1 \
	"$(status ns_tx timeout 10 "$tool" bridge tx0 b1 'no such words')"
check "bridge in a mode that takes nothing away" 2 \
	"$(status "$tool" bridge --mode=mirror tx0 b1)"

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
