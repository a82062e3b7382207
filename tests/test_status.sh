#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# pcap-fast status: who captures, and how much.
set -u
. "${PCF_TOP:?}/tests/ns.sh"
. "$PCF_TOP/tests/check.sh"
tool=${PCF_BUILD:-$PWD}/pcap-fast

capture() # DEVICE FILTER [OPTION...]
{
	ns_spawn rx env LD_PRELOAD="${PCF_PRELOAD_EXTRA:-}" \
		ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 \
		"$tool" run -- tcpdump -i "$1" -nn -w /dev/null "${@:3}" "$2"
	for i in $(seq 50); do
		field pid "$NS_PID" | grep -q . && break
		sleep 0.1
	done
	sleep 0.3
}

# A field of the capture of this process.
field() # FIELD PID
{
	ns_rx "$tool" status --json | python3 -c "
import json, sys
for c in json.load(sys.stdin):
    if c['pid'] == $2:
        print(c['$1'])"
}

ns_require_root
tmp=$(mktemp -d)
trap 'ns_cleanup; rm -rf "$tmp"' EXIT
ns_pair pcfstat
capture exclusive:rx0 udp
first=$NS_PID
capture mirror:rx0 'udp port 9'
second=$NS_PID
ns_tx "$tool" gen --count 700 --pps 20000 system:tx0 >/dev/null
sleep 0.3

check "the first one's mode" exclusive "$(field mode "$first")"
check "the second one's mode" mirror "$(field mode "$second")"
check "its interface" rx0 "$(field interface "$first")"
check "its program" tcpdump "$(field program "$first")"
check "its queues" 1 "$(field queues "$first")"
check "which ones" "[0]" "$(field queue_list "$first")"
check "its filter" udp "$(field filter "$first")"
check "where it runs" driver "$(field filter_runs "$first")"
check "the other one's" "udp port 9" "$(field filter "$second")"
check "packets of the first" 700 "$(field matched "$first")"
check "packets of the second" 700 "$(field matched "$second")"
check "one line for each" 2 \
	"$(ns_rx "$tool" status | grep -cE " ($first|$second) ")"
check "rates" 1 "$(ns_rx timeout 1 "$tool" status -w0.3 |
	grep -E " $first " | sed -n 2p | grep -cE ' 0  - +udp *$')"

check "drops of a ring" 0 "$(field dropped "$first")"
check "drops of the mirror" 0 "$(field dropped "$second")"
check "an interface of another namespace by its number" 1 \
	"$("$tool" status | grep -cE "^#[0-9]+ +mirror +$second ")"
ns_spawn tx "$tool" gen --pps 1000 system:tx0
sleep 0.5
check "rates of what comes" 1 "$(ns_rx timeout 2 "$tool" status -w 1 |
	grep -E " $second " | sed -n 2p |
	awk '{ print ($9 > 500 && $9 < 2000) }')"
kill -INT "$NS_PID"

kill -KILL "$first"
ns_wait_pid "$first" 5
check "who was killed is gone" "" "$(field mode "$first")"
check "the other one is not" mirror "$(field mode "$second")"

kill -INT "$second"
ns_wait_pid "$second" 5

capture exclusive:rx0%ids udp
first=$NS_PID
capture exclusive:rx0%ids udp
second=$NS_PID
ns_tx "$tool" gen --count 700 --flows 50 --pps 20000 system:tx0 >/dev/null
sleep 0.3
check "the cluster of a member" ids "$(field cluster "$first")"
check "a member's mode" exclusive "$(field mode "$second")"
check "drops of a member" 0 "$(field dropped "$second")"
check "packets of the members" 700 \
	$(($(field matched "$first") + $(field matched "$second")))
check "a cluster is no capture" 2 \
	"$(ns_rx "$tool" status | grep -cE "^rx0 .* ids +udp")"

kill -INT "$first" "$second"
ns_wait_pid "$first" 5
ns_wait_pid "$second" 5

# One that receives by ring, a small one, and stands still: what others see of
# its drops is what it says itself, and with what it has read it is all.
said() # WORDS
{
	sed -n "s/^\([0-9]*\) packets* $1.*/\1/p" "$tmp/said"
}

by_ring() # DEVICE
{
	local dropped

	PCAP_FAST_RX=ring capture "$1" udp -B 64 2>"$tmp/said"
	kill -STOP "$NS_PID"
	ns_tx "$tool" gen --count 40000 system:tx0 >/dev/null
	sleep 0.3
	dropped=$(field dropped "$NS_PID")
	check "$1: drops of one that stands still" 1 \
		"$((dropped > 30000 && dropped < 40000))"
	check "$1: ... all for want of room in its ring" "$dropped 0" \
		"$(field dropped_ring "$NS_PID") $(field dropped_fill "$NS_PID")"
	check "$1: ... in the table" "40000 $dropped" \
		"$(ns_rx "$tool" status |
			awk "\$3 == $NS_PID { print \$6, \$7 }")"
	kill -CONT "$NS_PID"
	sleep 0.5
	kill -INT "$NS_PID"
	ns_wait_pid "$NS_PID" 5
	check "$1: ... it says the same" "40000 $dropped" \
		"$(said "received by filter") $(said "dropped by kernel")"
	check "$1: ... and has read the rest" $((40000 - dropped)) \
		"$(said captured)"
}

by_ring mirror:rx0
by_ring exclusive:rx0
by_ring exclusive:rx0%ids
PCAP_FAST_RX=xsk capture exclusive:rx0 udp
check "drops of a socket" 0 "$(field dropped "$NS_PID")"
kill -STOP "$NS_PID"
ns_tx "$tool" gen --count 40000 system:tx0 >/dev/null
sleep 0.3
matched=$(field matched "$NS_PID") dropped=$(field dropped "$NS_PID")
[ "$dropped" != None ] || dropped=0
check "packets that come while it stands still" 40000 "$matched"
check "... for most of which there is no room" 1 \
	"$((dropped > 10000 && dropped < 40000))"
check "... by reason" "$dropped" \
	"$(($(field dropped_ring "$NS_PID") + $(field dropped_fill "$NS_PID")))"
check "... which nobody learns who must not trace it" None \
	"$(setpriv --bounding-set=-sys_ptrace "$tool" status --json |
		python3 -c "
import json, sys
print([c['dropped'] for c in json.load(sys.stdin) if c['pid'] == $NS_PID][0])")"
kill -CONT "$NS_PID"
check "no cluster" "" "$(field cluster "$NS_PID")"
kill -INT "$NS_PID"
ns_wait_pid "$NS_PID" 5

ns_pair pcfstat4 queues=4
capture exclusive:rx0@0,2-3 udp
first=$NS_PID
capture exclusive:rx0@1 udp
second=$NS_PID
check "queues of the one" "[0, 2, 3]" "$(field queue_list "$first")"
check "... and of the other" "[1]" "$(field queue_list "$second")"
check "... in the table" "0,2-3 1" "$(ns_rx "$tool" status |
	awk '$1 == "rx0" { print $5 }' | sort | xargs)"

kill -INT "$first" "$second"
ns_wait_pid "$first" 5
ns_wait_pid "$second" 5

# a program that was not compiled by pcap_compile()
ns_spawn rx env LD_PRELOAD="${PCF_PRELOAD_EXTRA:-}" \
	ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 \
	"$tool" run -- python3 -c '
import ctypes, time
pcap = ctypes.CDLL("libpcap.so.0.8")
class Insn(ctypes.Structure):
	_fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte),
		    ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint)]
class Program(ctypes.Structure):
	_fields_ = [("len", ctypes.c_uint), ("insns", ctypes.POINTER(Insn))]
pcap.pcap_open_live.restype = ctypes.c_void_p
errbuf = ctypes.create_string_buffer(256)
p = ctypes.c_void_p(pcap.pcap_open_live(b"mirror:rx0", 100, 1, 100, errbuf))
insns = (Insn * 2)(Insn(0x80, 0, 0, 0), Insn(0x16, 0, 0, 0))
pcap.pcap_setfilter(p, ctypes.byref(Program(2, insns)))
time.sleep(20)'
for i in $(seq 50); do
	[ "$(field filter_instructions "$NS_PID")" = 2 ] && break
	sleep 0.1
done
check "a program without an expression" "(2 instructions, driver)" \
	"$(ns_rx "$tool" status | grep " $NS_PID " | grep -o '(.*)')"
kill -KILL "$NS_PID"
ns_wait_pid "$NS_PID" 5

check "without privilege it says so" 1 \
	"$(setpriv --bounding-set=-all --inh-caps=-all --reuid=65534 \
		"$tool" status 2>&1 >/dev/null | grep -c CAP_SYS_ADMIN)"
"$tool" status --fly >/dev/null 2>&1
check "an unknown option" 2 $?
"$tool" status -w0 >/dev/null 2>&1
check "no interval" 2 $?

check_end
