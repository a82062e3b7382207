#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Beside others: libxdp's dispatcher and its tools, the host's own traffic, and
# processes that see nothing of /sys.
set -u
. "${PCF_TOP:?}/tests/ns.sh"
. "$PCF_TOP/tests/check.sh"
tool=${PCF_BUILD:-$PWD}/pcap-fast
export PCAP_FAST_LOG=info
[ -z "${PCF_PRELOAD_EXTRA:-}" ] || export LD_PRELOAD=$PCF_PRELOAD_EXTRA \
	ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0

# A capture in the background that ends after COUNT packets, if it is not ended
# before; it is there when its packet socket is.
capture() # NAME DEVICE COUNT [COMMAND...]
{
	local name=$1 device=$2 count=$3 before i

	shift 3
	before=$(ns_rx cat /proc/net/packet | wc -l)
	ns_spawn rx "$@" "$tool" run -- tcpdump -i "$device" -nn -c "$count" \
		-w "$tmp/$name.pcap" udp 2>"$tmp/$name"
	for ((i = 0; i < 100; i++)); do
		[ "$(ns_rx cat /proc/net/packet | wc -l)" -gt "$before" ] && break
		kill -0 "$NS_PID" 2>/dev/null || break
		sleep 0.05
	done
	sleep 0.3
}

# All that NAME, whose process is PID, has seen of COUNT packets.
sees() # NAME PID COUNT
{
	ns_tx "$tool" gen --count "$3" --pps 20000 system:tx0 >/dev/null \
		2>&1
	ns_wait_pid "$2" 5 || kill -KILL "$2"
	tcpdump -r "$tmp/$1.pcap" -nn udp 2>/dev/null | wc -l
}

refused() # DEVICE
{
	ns_rx timeout 20 "$tool" run -- tcpdump -i "$1" -c 1 2>&1 >/dev/null |
		grep -v listening | tail -n 2
}

attached() # the program's id and name
{
	ns_rx ip -d link show rx0 | grep -oE 'prog/xdp id [0-9]+ name [a-z_]+' |
		cut -d' ' -f3,5
}

# --- libxdp ------------------------------------------------------------------

# The tools pin what they load, so they get a bpffs of their own, in a mount
# namespace that goes with its process.
libxdp_begin()
{
	ns_spawn rx unshare -m sh -c \
		'mount -t bpf bpf /sys/fs/bpf && echo ready && exec sleep 1000' \
		>"$tmp/bpffs"
	bpffs=$NS_PID
	ns_wait_for "$tmp/bpffs" ready 5
}

libxdp()
{
	timeout 20 nsenter -t "$bpffs" -n -m env -u LD_PRELOAD "$@" 2>&1
}

# Their program is in the dispatcher, or alone where the kernel
# cannot have one.
theirs_first()
{
	local before id name mode text

	libxdp xdp-filter load -m native rx0 >"$tmp/load"
	before=$(attached)
	id=${before% *} name=${before#* }
	check "libxdp's program is there" 1 \
		"$(grep -cE '^(xdp_dispatcher|xdpfilt)' <<<"$name")"
	for mode in exclusive:rx0 mirror:rx0 exclusive:rx0%ids; do
		text=$(refused $mode)
		check "$mode names it" "$name (id $id)" \
			"$(grep -oE "$name \(id [0-9]+\)" <<<"$text" |
				head -n 1)"
	done
	capture auto rx0 200
	check "auto works" 200 "$(sees auto "$NS_PID" 200)"
	check "... on system, and says why" 1 \
		"$(grep -c ": system: .*$name" "$tmp/auto")"
	check "their program stays" "$before" "$(attached)"
	check "... and is what they think it is" 1 \
		"$(libxdp xdp-loader status rx0 | grep -c xdpfilt)"
	libxdp xdp-filter unload rx0 >/dev/null
	check "... until it is taken away" "" "$(attached)"
}

ours_first() # MODE
{
	local before first loaded=no

	capture "$1" "$1:rx0" 300
	first=$NS_PID
	before=$(attached)
	check "$1: ours is there" pcf_root "${before#* }"
	libxdp xdp-loader status rx0 >"$tmp/status"
	check "$1: xdp-loader status works" 0 "$?"
	check "$1: ... and shows it" 1 "$(grep -c pcf_root "$tmp/status")"
	libxdp xdp-filter load -m native rx0 >"$tmp/load" && loaded=yes
	check "$1: libxdp's tools cannot load theirs" no "$loaded"
	check "$1: ... with a reason" yes \
		"$([ -s "$tmp/load" ] && echo yes || echo no)"
	check "$1: ... nor replace ours" "$before" "$(attached)"
	libxdp xdp-loader unload --all rx0 >/dev/null
	check "$1: ... nor unload it" "$before" "$(attached)"
	check "$1: ours has lost nothing" 300 "$(sees "$1" "$first" 300)"
	check "$1: nothing is left" "" "$(attached)"
}

libxdp_tools()
{
	if ! command -v xdp-filter >/dev/null; then
		skipped=$((skipped + 1))
		echo "SKIP libxdp's tools: xdp-tools is not installed"
		return
	fi
	libxdp_begin
	theirs_first
	ours_first mirror
	ours_first exclusive
	kill "$bpffs"
	ns_wait_pid "$bpffs" 5
}

# --- the host's own traffic ---------------------------------------------------

ping_from() # rx|tx ADDRESS
{
	ns_spawn "$1" ping -q -i 0.01 -c 600 -W 2 "$2" >"$tmp/ping-$1"
}

# One mirror stays, so that the hook is there all the time; others come, go and
# die. What is exclusive leaves the pings to the host.
while_pinged()
{
	local kept pings=() i device devices=(mirror:rx0 exclusive:rx0
		mirror:rx0 exclusive:rx0%ids mirror:rx0 exclusive:rx0@0)

	ns_address
	ns_tx ping -c 1 -W 2 10.77.0.2 >/dev/null
	capture kept mirror:rx0 100000
	kept=$NS_PID
	ping_from tx 10.77.0.2
	pings+=("$NS_PID")
	ping_from rx 10.77.0.1
	pings+=("$NS_PID")
	for ((i = 0; i < 6; i++)); do
		device=${devices[i]}
		capture come "$device" 100000 env PCAP_FAST_KEEP='icmp or arp'
		check "$device is there while the host is pinged" 1 \
			"$(grep -cE "^libpcap-fast: rx0: ${device%%:*} on " \
				"$tmp/come")"
		kill "-$([ $((i % 3)) = 2 ] && echo KILL || echo INT)" "$NS_PID"
		ns_wait_pid "$NS_PID" 5
	done
	ns_wait_pid "${pings[0]}" 20
	ns_wait_pid "${pings[1]}" 20
	for i in tx rx; do
		check "pings from $i" "600 packets transmitted, 600 received" \
			"$(grep -oE '^600 packets.*received' "$tmp/ping-$i")"
	done
	kill -INT "$kept"
	ns_wait_pid "$kept" 5
}

# --- while the program comes and goes ------------------------------------------

# Pings and a TCP connection, both ways, until $tmp/over is there.
traffic()
{
	local end

	rm -f "$tmp"/over "$tmp"/pings-* "$tmp"/echoed
	users=()
	for end in tx:10.77.0.2 rx:10.77.0.1; do
		# shellcheck disable=SC2016 # the inner shell's own
		ns_spawn "${end%:*}" env -u LD_PRELOAD sh -c 'while [ ! -e "$0" ]
			do ping -q -i 0.01 -c 50 -W 2 "$1"; done' \
			"$tmp/over" "${end#*:}" >"$tmp/pings-${end%:*}"
		users+=("$NS_PID")
	done
	ns_spawn rx env -u LD_PRELOAD python3 -c "$echo_server"
	users+=("$NS_PID")
	ns_spawn tx env -u LD_PRELOAD python3 -c "$echo_client" "$tmp/over" \
		>"$tmp/echoed"
	users+=("$NS_PID")
	ns_wait_for "$tmp/echoed" begun 5
}

echo_server='
import socket
listener = socket.create_server(("10.77.0.2", 7))
peer, _ = listener.accept()
while data := peer.recv(65536):
    peer.sendall(data)'

# Says how much came back, if it is what was sent.
echo_client='
import os, socket, sys, time
for attempt in range(50):
    try:
        peer = socket.create_connection(("10.77.0.2", 7), timeout=20)
        break
    except ConnectionRefusedError:
        time.sleep(0.1)
print("begun", flush=True)
total = 0
while not os.path.exists(sys.argv[1]):
    time.sleep(0.001)
    data = os.urandom(20000)
    peer.sendall(data)
    while data:
        back = peer.recv(len(data))
        if not back or not data.startswith(back):
            sys.exit("something else came back")
        data = data[len(back):]
        total += len(back)
print("echoed", total)'

traffic_over() # leaves what was lost in $lost and what was sent in $pings
{
	local pid

	touch "$tmp/over"
	for pid in "${users[@]}"; do
		ns_wait_pid "$pid" 10 || kill -KILL "$pid"
	done
	read -r pings lost < <(sed -n \
		's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' \
		"$tmp"/pings-* |
		awk '{ sent += $1; got += $2 } END { print sent, sent - got }')
	echoed=$(sed -n 's/^echoed //p' "$tmp/echoed")
}

# A program that passes everything, by a link, as ours, and as often.
bare_programs() # TIMES
{
	ns_rx env -u LD_PRELOAD python3 -c '
import ctypes, os, platform, socket, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 321, "aarch64": 280}[platform.machine()]
def bpf(cmd, attr):
    attr = ctypes.create_string_buffer(attr.ljust(144, b"\0"), 144)
    fd = libc.syscall(number, cmd, attr, 144)
    if fd < 0:
        sys.exit("bpf: " + os.strerror(ctypes.get_errno()))
    return fd
insns = ctypes.create_string_buffer(
    struct.pack("<BBhiBBhi", 0xb7, 0, 0, 2, 0x95, 0, 0, 0))
licence = ctypes.create_string_buffer(b"BSD")
program = bpf(5, struct.pack("<IIQQ", 6, 2, ctypes.addressof(insns),
                             ctypes.addressof(licence)))
for i in range(int(sys.argv[1])):
    link = bpf(28, struct.pack("<IIII", program,
                               socket.if_nametoindex("rx0"), 37, 0))
    time.sleep(0.1)
    os.close(link)
    time.sleep(0.1)' "$1"
}

wait_attached() # yes|no
{
	local i

	for ((i = 0; i < 200; i++)); do
		[ "$([ -n "$(attached)" ] && echo yes || echo no)" = "$1" ] &&
			return 0
		sleep 0.02
	done
	return 1
}

# Each is alone: the first capture, and the last. Every other one is killed.
our_programs() # TIMES
{
	local i came=0 went=0 devices=(mirror:rx0 exclusive:rx0
		exclusive:rx0%ids)

	for ((i = 0; i < $1; i++)); do
		ns_spawn rx env PCAP_FAST_KEEP='icmp or arp or tcp' \
			"$tool" run -- tcpdump -i "${devices[i % 3]}" -nn \
			-w /dev/null udp >"$tmp/come" 2>&1
		wait_attached yes && came=$((came + 1))
		sleep 0.1
		kill "-$([ $((i % 2)) = 0 ] && echo KILL || echo INT)" "$NS_PID"
		ns_wait_pid "$NS_PID" 5
		wait_attached no && went=$((went + 1))
	done
	check "programs that came and went" "$1 $1" "$came $went"
}

# The kernel makes and takes away a veth's NAPI with the program, and what is in
# its ring then; it loses no ping by a bare one, nor may it by ours.
while_it_comes_and_goes()
{
	local users pings lost echoed who

	for who in bare_programs our_programs; do
		traffic
		$who 40
		traffic_over
		check "$who: pings lost" 0 "$lost"
		check "$who: pings sent all the time" 1 $((pings >= 500))
		check "$who: all that was sent by TCP came back" 1 \
			$((${echoed:-0} > 1000000))
	done
}

# --- without /sys -------------------------------------------------------------

without_sys() # NAME DEVICE [ENVIRONMENT]
{
	# shellcheck disable=SC2016 # the inner shell's own
	capture "$1" "$2" 200 env "${@:3}" unshare -m sh -c '
		umount -l /sys/fs/bpf 2>/dev/null
		umount -l /sys && [ -z "$(ls /sys)" ] || exit 1
		exec "$0" "$@"'
	check "without /sys: $1" 200 "$(sees "$1" "$NS_PID" 200)"
	check "... in the mode asked for" 1 \
		"$(grep -cE "^libpcap-fast: rx0: ${2%%:*}(:| on )" "$tmp/$1")"
}

without_bpffs()
{
	without_sys sockets exclusive:rx0 PCAP_FAST_RX=xsk
	without_sys ring exclusive:rx0 PCAP_FAST_RX=ring
	without_sys member exclusive:rx0%ids
	without_sys mirror mirror:rx0
	without_sys system system:rx0
	# two of them, who know of each other by what the kernel tells
	# shellcheck disable=SC2016 # the inner shell's own
	capture first exclusive:rx0 200 unshare -m sh -c \
		'umount -l /sys && exec "$0" "$@"'
	first=$NS_PID
	# shellcheck disable=SC2016
	capture second rx0 200 unshare -m sh -c \
		'umount -l /sys && exec "$0" "$@"'
	check "without /sys: two of them" 200 "$(sees first "$first" 200)"
	ns_wait_pid "$NS_PID" 5
	check "... the second one" 200 \
		"$(tcpdump -r "$tmp/second.pcap" -nn udp 2>/dev/null | wc -l)"
	check "... by mirror" 1 "$(grep -c ': mirror on ' "$tmp/second")"
}

ns_require_root
tmp=$(mktemp -d)
chmod 777 "$tmp"
trap 'ns_cleanup; rm -rf "$tmp"' EXIT
ns_pair pcfco
libxdp_tools
without_bpffs
while_pinged
while_it_comes_and_goes

check_end
