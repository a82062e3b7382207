#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Programs that send, unchanged, under the drop-in on an interface without
# addresses: what arrives is what they send on the system's library. scapy
# sends by pcap_inject() here; tcpreplay and nping send by sockets of their own,
# and use libpcap for reading beside that.
set -u
. "${PCF_TOP:?}/tests/ns.sh"
. "$PCF_TOP/tests/check.sh"
wanted= # of what arrives; the host's own talk is none of it
preload=${PCF_PRELOAD_EXTRA:+$PCF_PRELOAD_EXTRA:}${PCF_DROPIN:?}
python=/usr/bin/python3

have() # WHAT COMMAND...
{
	local what=$1

	shift
	"$@" >/dev/null 2>&1 && return
	skipped=$((skipped + 1))
	echo "SKIP: no $what"
	return 1
}

bytes() # FILE
{
	tcpdump -r "$1" -t -nn -xx 2>/dev/null
}

# What arrives at the peer while a command runs under the drop-in, or, with
# mode "none", without it. Beside it what a stock capture at the sender sees.
send() # MODE COUNT FILE COMMAND...
{
	local mode=$1 count=$2 file=$3 peer here env

	shift 3
	env=(env "PCAP_FAST_MODE=$mode" PCAP_FAST_LOG=info
		ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0
		LD_PRELOAD="$preload")
	[ "$mode" != none ] || env=(env)
	ns_spawn rx tcpdump -i rx0 -Q in --immediate-mode -U -w "$file" \
		-c "$count" "$wanted" 2>"$tmp/peer.err"
	peer=$NS_PID
	ns_wait_for "$tmp/peer.err" 'listening on'
	ns_spawn tx tcpdump -i any --immediate-mode -U -w "$tmp/here.pcap" \
		2>"$tmp/here.err"
	here=$NS_PID
	ns_wait_for "$tmp/here.err" 'listening on'
	ns_tx timeout 30 "${env[@]}" "$@" >"$tmp/out" 2>"$tmp/err"
	check "$mode: $1 ends with success" 0 $?
	ns_wait_pid "$peer" 5 || kill -INT "$peer"
	[ "$mode" = exclusive ] && sleep 0.5 || wait_here "$count"
	kill -INT "$here"
	ns_wait_pid "$here" 5
}

# What the capture at the sender has; it may be a little late.
seen_here()
{
	tcpdump -r "$tmp/here.pcap" 2>/dev/null | wc -l
}

wait_here() # COUNT
{
	local i

	for ((i = 0; i < 100; i++)); do
		[ "$(seen_here)" -lt "$1" ] || return 0
		sleep 0.05
	done
}

ns_require_root
tmp=$(mktemp -d)
chmod 777 "$tmp"
trap 'ns_cleanup; rm -rf "$tmp"' EXIT
ns_pair pcfclients

# Frames of every length from 60 to 1,514 bytes, and back again as they came.
cat >"$tmp/frames.py" <<'P'
import struct, sys
with open(sys.argv[1], "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    for i, n in enumerate(range(60, 1515, 7)):
        head = bytes.fromhex("020000000002020000000001080045000000"
                             "00000000401100000a0000010a00000200090009")
        b = head + bytes((i + k * 7) & 255 for k in range(n - len(head)))
        f.write(struct.pack("<IIII", 1, i * 100, n, n) + b)
P
cat >"$tmp/sendp.py" <<'P'
import sys
from scapy.all import conf, rdpcap, sendp
conf.use_pcap = True
sendp(rdpcap(sys.argv[1]), iface=sys.argv[2], verbose=False)
P
$python "$tmp/frames.py" "$tmp/frames.pcap"
n=$(tcpdump -r "$tmp/frames.pcap" -nn 2>/dev/null | wc -l)

if have scapy $python -c 'import scapy.all'; then
	send exclusive "$n" "$tmp/got.pcap" \
		$python "$tmp/sendp.py" "$tmp/frames.pcap" tx0
	check "scapy, exclusive: every frame, in order" \
		"$(bytes "$tmp/frames.pcap" | cksum)" "$(bytes "$tmp/got.pcap" | cksum)"
	check "... by the TX ring, so no other capture here sees them" 0 \
		"$(seen_here)"
	check "... and the handle was exclusive" 1 \
		"$(grep -c '^libpcap-fast: tx0: exclusive' "$tmp/err")"
	send auto "$n" "$tmp/got.pcap" \
		$python "$tmp/sendp.py" "$tmp/frames.pcap" tx0
	check "scapy, auto: every frame, in order" \
		"$(bytes "$tmp/frames.pcap" | cksum)" "$(bytes "$tmp/got.pcap" | cksum)"
	check "... where other captures see them" "$n" "$(seen_here)"
fi

if have tcpreplay command -v tcpreplay; then
	for mode in exclusive auto; do
		send $mode "$n" "$tmp/got.pcap" \
			tcpreplay -q --topspeed -i tx0 "$tmp/frames.pcap"
		check "tcpreplay, $mode: every frame, in order" \
			"$(bytes "$tmp/frames.pcap" | cksum)" \
			"$(bytes "$tmp/got.pcap" | cksum)"
		check "... and it says so" 1 \
			"$(grep -c "Successful packets: *$n\$" "$tmp/out")"
	done
fi

# Wants addresses to send from, and answers; the same frames as without it, but
# for what it draws by lot.
nping_frames() # FILE
{
	bytes "$1" |
		sed -E 's/^(	0x0010:  \w+) \w+( \w+ \w+) \w+/\1 id\2 sum/'
}

if have nping command -v nping; then
	ns_address
	wanted="udp port 4001"
	mac=$(ns_rx cat /sys/class/net/rx0/address)
	for mode in none exclusive auto; do
		ns_tx ip neigh replace 10.77.0.2 lladdr "$mac" dev tx0
		send $mode 5 "$tmp/nping-$mode.pcap" nping --udp -g 4000 -p 4001 \
			-c 5 --delay 50ms --data-string 0123456789 --ttl 9 \
			--dest-mac "$mac" -e tx0 --send-eth 10.77.0.2
		check "nping, $mode: all are sent" 1 \
			"$(grep -c 'Raw packets sent: 5 ' "$tmp/out")"
	done
	for mode in exclusive auto; do
		check "nping, $mode: the frames that it sends without us" \
			"$(nping_frames "$tmp/nping-none.pcap" | cksum)" \
			"$(nping_frames "$tmp/nping-$mode.pcap" | cksum)"
	done
fi

check_end
