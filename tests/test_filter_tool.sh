#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# pcap-fast filter: what it says of good and of bad filters.
set -u
. "${PCF_TOP:?}/tests/check.sh"
tool=${PCF_BUILD:-$PWD}/pcap-fast
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# The value of a field of the verdict.
verdict() # FIELD ARGUMENT...
{
	local field=$1

	shift
	"$tool" filter --json "$@" | python3 -c \
		"import json, sys; print(json.load(sys.stdin)['$field'])"
}

"$tool" filter 'tcp port 443' >"$tmp/out"
check "the classic program is libpcap's own" \
	"$(tcpdump -y EN10MB -d 'tcp port 443' 2>/dev/null | cksum)" \
	"$(grep '^([0-9]*)' "$tmp/out" | cksum)"
check "eBPF is shown" 1 "$(($(grep -c '^ *[0-9]*: ' "$tmp/out") > 20))"
check "as many instructions as it says" \
	"$(sed -n 's/^# \([0-9]*\) eBPF instructions/\1/p' "$tmp/out")" \
	"$(grep -c '^ *[0-9]*: ' "$tmp/out")"
check "it runs in the driver" driver "$(verdict place 'tcp port 443')"
check "also one with a VLAN tag" driver "$(verdict place 'vlan 7 and ip')"

printf '2\n32 0 0 4294963256\n22 0 0 0\n' >"$tmp/random"
check "a random number, too" driver "$(verdict place -f "$tmp/random")"
# The offset of the payload, which the kernel's flow dissector finds.
printf '2\n32 0 0 4294963252\n22 0 0 0\n' >"$tmp/payload"
check "what has no meaning at the hook is for a packet socket" socket \
	"$(verdict place -f "$tmp/payload")"
check "... with a reason" 1 \
	"$(($(verdict reason -f "$tmp/payload" | wc -c) > 10))"
check "what jumps backwards is for user space" user \
	"$(verdict place 'ip protochain 6')"
tcpdump -y EN10MB -ddd 'udp' >"$tmp/udp" 2>/dev/null
check "numbers from a file" "$(verdict ebpf udp)" \
	"$(verdict ebpf --file="$tmp/udp")"

lines() # TEXT
{
	printf -- "$1" >"$tmp/lines"
	status "$tool" filter -f "$tmp/lines"
}

check "a program in numbers" 0 "$(lines '1\n6 0 0 1\n')"
check "a length that is none" 1 "$(lines 'x\n6 0 0 1\n')"
check "a length of 0" 1 "$(lines '0\n')"
check "a length too many" 1 "$(lines '65536\n6 0 0 1\n')"
check "a negative length" 1 "$(lines '-1\n6 0 0 1\n')"
check "fewer lines than it says" 1 "$(lines '2\n6 0 0 1\n')"
check "more lines than it says" 1 "$(lines '1\n6 0 0 1\n6 0 0 1\n')"
check "garbage behind it" 1 "$(lines '1\n6 0 0 1\nx')"
check "three numbers" 1 "$(lines '1\n6 0 1\n')"
check "five numbers" 1 "$(lines '1\n6 0 0 1 1\n')"
check "a negative number" 1 "$(lines '1\n6 0 0 -1\n')"
check "a number too large" 1 "$(lines '1\n6 0 0 4294967296\n')"
check "an opcode too large" 1 "$(lines '1\n65536 0 0 1\n')"
check "a jump too large" 1 "$(lines '1\n6 256 0 1\n')"
check "hexadecimal" 1 "$(lines '1\n0x6 0 0 1\n')"
check "all on one line" 1 "$(lines '1 6 0 0 1\n')"
check "what is wrong is said" 1 "$("$tool" filter -f "$tmp/lines" 2>&1 |
	grep -c 'first line')"

check "the snapshot length is the program's" "ret #68" \
	"$("$tool" filter --snaplen=68 udp | grep -o 'ret *#68' | tr -s ' \t' ' ')"
for bad in 0 -1 x 262145 68x ''; do
	check "snapshot length \"$bad\"" 2 \
		"$(status "$tool" filter --snaplen="$bad" udp)"
done
check "Ethernet by name" driver "$(verdict place --dlt=EN10MB udp)"
check "... and by number" driver "$(verdict place --dlt=1 udp)"
check "another link type is not ours" system \
	"$(verdict place --dlt=LINUX_SLL udp)"
check "... which is said" 1 \
	"$("$tool" filter --dlt=LINUX_SLL udp | grep -c 'LINUX_SLL is not Ethernet')"
check "... with its own program" \
	"$(tcpdump -y RAW -d udp 2>/dev/null | cksum)" \
	"$("$tool" filter --dlt=RAW udp | grep '^([0-9]*)' | cksum)"
check "a link type that is none" 2 "$(status "$tool" filter --dlt=nothing udp)"
check "the time to compile is said" 1 \
	"$("$tool" filter udp | grep -c '^# compiled in [0-9.]* ms')"
if [ "$(id -u)" = 0 ]; then
	check "... and to load" 1 \
		"$("$tool" filter udp | grep -c 'loaded in [0-9.]* ms')"
fi

check "no expression" 2 "$(status "$tool" filter)"
check "two" 2 "$(status "$tool" filter tcp udp)"
check "an expression that is none" 1 "$(status "$tool" filter 'no such words')"
check "a file that is none" 1 "$(status "$tool" filter -f /etc/passwd)"
check "a file that is not there" 1 "$(status "$tool" filter -f "$tmp/no")"
printf '1\n32 0 0 0\n' >"$tmp/endless"
check "a program that does not end" 1 "$(status "$tool" filter -f "$tmp/endless")"

check_end
