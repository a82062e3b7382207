#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The examples do what they say, in every mode that they are for.
set -u
. "${PCF_TOP:?}/tests/ns.sh"
. "$PCF_TOP/tests/check.sh"
examples=${PCF_BUILD:-$PWD}/examples
tool=${PCF_BUILD:-$PWD}/pcap-fast

sockets() # rx|tx
{
	"ns_$1" cat /proc/net/packet | wc -l
}

# Start an example; its captures are there when their packet sockets are.
begin() # rx|tx CAPTURES EXAMPLE ARGUMENT...
{
	local side=$1 want=$2 example=$3 before i

	shift 3
	before=$(sockets "$side")
	ns_spawn "$side" "$examples/$example" "$@" >"$tmp/out" 2>"$tmp/err"
	running=$NS_PID
	for ((i = 0; i < 100; i++)); do
		[ "$(sockets "$side")" -ge $((before + want)) ] && break
		sleep 0.05
	done
	sleep 0.5
}

finish() # [SIGNAL]
{
	kill "-${1:-INT}" "$running"
	ns_wait_pid "$running" 5 || NS_STATUS="no end"
}

# What the other end gets, as a savefile.
catch() # COUNT
{
	rm -f "$tmp/got.pcap"
	ns_spawn rx tcpdump -i rx0 -U -w "$tmp/got.pcap" -c "$1" 2>/dev/null
	catcher=$NS_PID
	ns_wait_for "$tmp/got.pcap" . 5
	sleep 0.5
}

check_read_batch() # MODE
{
	begin rx 1 read_batch "$1:rx0" 'udp port 9'
	ns_tx "$tool" gen --count 3000 --flows 3000 --pps 20000 system:tx0 \
		>/dev/null
	sleep 0.3
	finish
	check "$1: read_batch ends with success" 0 "$NS_STATUS"
	check "$1: ... has seen all" "3000 packets, 180000 bytes" \
		"$(head -n 1 "$tmp/out")"
	# source addresses, 10.0.11.168 to 10.0.11.183
	check "$1: ... and the last ones' bytes" \
		"$(printf '0a00 0b%02x\n' $(seq 168 183))" \
		"$(sed 1d "$tmp/out" | cut -d: -f2 | cut -d' ' -f15,16)"
}

check_send_in_place() # MODE
{
	catch 5000
	check "$1: send_in_place says how many" \
		"5000 packets, 0 of them not yet sent" \
		"$(ns_tx timeout 20 "$examples/send_in_place" "$1:tx0" 5000)"
	ns_wait_pid "$catcher" 5
	check "$1: ... all arrive, in order" "$(seq 0 4999 | cksum)" \
		"$(python3 -c '
import struct, sys
f = open(sys.argv[1], "rb").read()[24:]
while f:
	n = struct.unpack("<I", f[8:12])[0]
	print(int.from_bytes(f[16 + 42:16 + 46], "big"))
	f = f[16 + n:]' "$tmp/got.pcap" | cksum)"
	check "$1: ... and are what they should be" 5000 \
		"$(tcpdump -r "$tmp/got.pcap" -nn -v 2>/dev/null |
			grep -c '^    10\.0\.0\.1\.9 > 10\.0\.0\.2\.9: UDP, length 18$')"
	check "$1: ... with good check sums" 0 \
		"$(tcpdump -r "$tmp/got.pcap" -nn -v 2>/dev/null |
			grep -c 'bad cksum')"
}

check_bridge() # MODE
{
	local before

	begin tx 2 bridge "$1:b1" "$1:tx0"
	catch 2000
	ns_tx "$tool" gen --count 2000 --pps 10000 system:b0 >/dev/null
	ns_wait_pid "$catcher" 5
	check "$1: bridge forwards" "2000 0a00 0000" \
		"$(tcpdump -r "$tmp/got.pcap" -nn -xx 'udp port 9' 2>/dev/null |
			grep '0x0010:' | cut -d' ' -f8,9 | uniq -c | xargs)"
	before=$(ns_tx cat /sys/class/net/b0/statistics/rx_packets)
	ns_rx "$tool" gen --count 1000 --pps 10000 system:rx0 >/dev/null
	sleep 0.3
	check "$1: ... the other way, too" 1000 \
		$(($(ns_tx cat /sys/class/net/b0/statistics/rx_packets) - before))
	finish TERM
	check "$1: ... and leaves nothing" 0 \
		"$(ns_tx ip -d link | grep -c 'prog/xdp')"
}

check_queue_threads() # MODE
{
	begin rx 2 queue_threads "$1:rx0" 2
	ns_tx "$tool" gen --count 4000 --flows 64 --pps 20000 system:tx0 \
		>/dev/null
	sleep 0.3
	finish
	check "$1: queue_threads ends with success" 0 "$NS_STATUS"
	check "$1: ... both have read" 2 \
		"$(grep -cE '^queue [01]: [1-9][0-9]* packets' "$tmp/out")"
	check "$1: ... all packets together" 4000 \
		"$(awk '{ n += $3 } END { print n }' "$tmp/out")"
}

ns_require_root
tmp=$(mktemp -d)
chmod 777 "$tmp"
trap 'ns_cleanup; rm -rf "$tmp"' EXIT
ns_pair pcfex queues=2
ns_tx ip link add b0 type veth peer name b1
ns_tx ip link set b0 up
ns_tx ip link set b1 up

for mode in exclusive mirror system; do
	check_read_batch $mode
done
for mode in exclusive system; do
	check_send_in_place $mode
	check_bridge $mode
done
check_queue_threads mirror
check_queue_threads exclusive
PCAP_FAST_RX=xsk check_queue_threads exclusive

for name in read_batch send_in_place bridge queue_threads; do
	"$examples/$name" >/dev/null 2>"$tmp/err"
	check "$name without words says how it is used" "$name" \
		"$(grep -oE "usage: $name" "$tmp/err" | cut -d' ' -f2)"
	"$examples/$name" nosuch0 2 >/dev/null 2>"$tmp/err"
	check "$name on what is not there fails" 1 "$?"
	check "... and says why" 1 "$(grep -c 'nosuch0' "$tmp/err")"
done

check_end
