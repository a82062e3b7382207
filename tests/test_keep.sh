#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# An exclusive capture by name on the interface that a host lives on: by default
# the way in (ssh, ARP) stays open, and the reader sees it, too.
set -u
. "${PCF_TOP:?}/tests/ns.sh"
. "$PCF_TOP/tests/check.sh"
tool=${PCF_BUILD:-$PWD}/pcap-fast
[ -z "${PCF_PRELOAD_EXTRA:-}" ] || export LD_PRELOAD=$PCF_PRELOAD_EXTRA \
	ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0

# Is there an answer from this port?
answers() # PORT
{
	ns_tx timeout 2 bash -c "exec 3</dev/tcp/10.77.0.2/$1 && read -r -n 1 <&3" \
		2>/dev/null && echo yes || echo no
}

pings()
{
	ns_tx ping -c 1 -W 1 10.77.0.2 >/dev/null 2>&1 && echo yes || echo no
}

capture() # ENVIRONMENT...
{
	ns_spawn rx env "$@" "$tool" run -- tcpdump -i exclusive:rx0 -nn -U \
		-w "$tmp/out.pcap"
	catcher=$NS_PID
	for i in $(seq 50); do
		ns_rx ip -d link show rx0 | grep -q 'prog/xdp' && break
		sleep 0.1
	done
	sleep 0.3
}

end()
{
	kill -INT "$catcher"
	ns_wait_pid "$catcher" 5
}

seen() # FILTER
{
	tcpdump -r "$tmp/out.pcap" -nn "$1" 2>/dev/null | wc -l
}

ns_require_root
tmp=$(mktemp -d)
chmod 777 "$tmp"
trap 'ns_cleanup; rm -rf "$tmp"' EXIT
ns_pair pcfkeep
ns_address
# Says hello to everyone who connects.
for port in 22 80; do
	ns_spawn rx env LD_PRELOAD= python3 -c "
import socket
s = socket.create_server(('', $port))
while True:
    c, _ = s.accept()
    c.send(b'hello')
    c.close()"
done
for i in $(seq 50); do
	[ "$(answers 22)$(answers 80)" = yesyes ] && break
	sleep 0.1
done
check "without a capture ssh's port answers" yes "$(answers 22)"

capture
ns_tx ip neigh flush dev tx0
check "with one, too, after a new ARP" yes "$(answers 22)"
check "what is not kept is taken" no "$(answers 80)"
check "... also pings" no "$(pings)"
end
check "the reader has seen ssh" 1 "$(($(seen 'tcp dst port 22') > 3))"
check "... the host's answers" 1 "$(($(seen 'tcp src port 22') > 1))"
check "... ARP" 1 "$(($(seen arp) >= 1))"
check "... and the rest" 1 "$(($(seen 'tcp dst port 80') > 0))"
check "afterwards all is as before" yesyes "$(answers 80)$(pings)"

capture PCAP_FAST_KEEP='arp or icmp'
check "what was asked to be kept is" yes "$(pings)"
check "and nothing else" no "$(answers 22)"
end
check "the reader has seen the pings" 2 "$(seen icmp)"

check_end
