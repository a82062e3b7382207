#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# pcap-fast gen, replay and bridge: what the other end gets, and what they say
# of wrong words. Each in both ways of sending.
set -u
. "${PCF_TOP:?}/tests/ns.sh"
. "$PCF_TOP/tests/check.sh"
tool=${PCF_BUILD:-$PWD}/pcap-fast

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

le32() # NUMBER...
{
	local n

	for n; do
		# shellcheck disable=SC2059 # the escapes are the point
		printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((n & 255)) \
			$((n >> 8 & 255)) $((n >> 16 & 255)) $((n >> 24 & 255)))"
	done
}

# A capture file of zero bytes, the packets a millisecond apart.
make_pcap() # LINKTYPE CAPLEN:LEN...
{
	local time=0 packet

	le32 0xa1b2c3d4 0x40002 0 0 65535 "$1"
	shift
	for packet; do
		le32 1 $((time += 1000)) "${packet%:*}" "${packet#*:}"
		head -c "${packet%:*}" /dev/zero
	done
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

# What an interface does not take is skipped, said, and no success.
make_pcap 1 60:60 1600:1600 9:9 61:61 0:0 1514:1514 1515:1515 >"$tmp/odd.pcap"
for mode in exclusive system; do
	for batch in 1 64; do
		check "$mode: replay passes over what cannot be sent" 3 \
			"$(arrive "$tool" replay --json --batch $batch \
				"$tmp/odd.pcap" $mode:tx0)"
		check "$mode: ... and counts it" \
			'"frames": 3, "bytes": 1635 "too_long": 2, "too_short": 2' \
			"$(sed -E 's/^\{(.*), "seconds.*, ("too_long.*)\}$/\1 \2/' "$tmp/out")"
	done
	check "$mode: ... and says so by its status" 1 \
		"$(status ns_tx "$tool" replay "$tmp/odd.pcap" $mode:tx0)"
done
make_pcap 101 60:60 >"$tmp/raw.pcap"
check "replay of another link type" \
	"pcap-fast replay: $tmp/raw.pcap: RAW, not Ethernet" \
	"$(ns_tx "$tool" replay "$tmp/raw.pcap" tx0 2>&1)"
make_pcap 1 60:60 60:90 >"$tmp/cut.pcap"
check "replay of packets that were cut" 1 \
	"$(ns_tx "$tool" replay "$tmp/cut.pcap" tx0 2>&1 >"$tmp/out" |
		grep -c ': 1 packets were cut')"
check "... sends them" "2 frames, 120 bytes" "$(cut -d' ' -f1-4 "$tmp/out")"
head -c 70 "$tmp/cut.pcap" >"$tmp/torn.pcap"
check "replay of a torn file" 1 "$(status ns_tx "$tool" replay "$tmp/torn.pcap" tx0)"

# A queueing discipline that drops what it has no room for is waited for; an
# exclusive handle sends past it.
ns_tx tc qdisc add dev tx0 root tbf rate 40mbit burst 10k limit 20k
for mode in exclusive system; do
	check "$mode: a full queueing discipline loses nothing" 500 \
		"$(arrive "$tool" gen --count 500 --size 1514 $mode:tx0)"
done
ns_tx tc qdisc del dev tx0 root

for mode in exclusive system; do
	ns_spawn tx "$tool" gen --pps 200 $mode:tx0 >"$tmp/out" 2>&1
	pid=$NS_PID
	sleep 1
	kill -INT "$pid"
	ns_wait_pid "$pid" 5
	check "$mode: an interrupted gen ends with success" 0 "$NS_STATUS"
	check "$mode: ... and its account" 1 "$(grep -c 'frames/s' "$tmp/out")"
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

# The interface goes away under it.
ns_tx "$tool" gen --pps 1000 system:b0 >"$tmp/out" 2>&1 &
pid=$!
sleep 1
ns_tx ip link del b0
wait "$pid"
check "gen on an interface that is deleted" 1 $?
check "... says why" 1 "$(grep -c '^pcap-fast gen: send: ' "$tmp/out")"
check "... and what was sent" 1 "$(grep -c 'frames/s' "$tmp/out")"

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

check_end
