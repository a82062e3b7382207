# SPDX-License-Identifier: BSD-3-Clause
#
# The tests that run in the guest, one function each, named by what they show.
# Prints one TEST line a test, and the VERDICT at the end. Arguments: the tests
# to run, or core; default all but the measurements.

. /vm/guest-lib.sh
. /vm/guest-refuse.sh
. /vm/guest-rates.sh

nic=$(basename "$(readlink /sys/class/net/n0/device/driver)")
preload="env LD_PRELOAD=/vm/dropin/libpcap.so.0.8"
exclusive="$preload PCAP_FAST_MODE=exclusive"
zerocopy="$exclusive PCAP_FAST_ZEROCOPY=require"
copy="$exclusive PCAP_FAST_ZEROCOPY=off"
n0_mac=52:54:00:00:00:01
other_mac=52:54:00:00:00:99

# How each test finds the NICs. igb would start with two queues, over which a
# sender that changes the processor reorders, and would strip tags, which
# nothing that captures at the XDP hook can see then.
reset_nics() {
	ip addr flush dev n0
	peer ip addr flush dev n1
	ip link set n0 mtu 1500
	peer ip link set n1 mtu 1500
	if [ "$nic" = igb ]; then
		ethtool -X n0 default
		ethtool -L n0 combined 1
		peer ethtool -L n1 combined 1
		ethtool -K n0 rxvlan off rxhash on
	fi
	ip link set n0 up
	link_up
} >/dev/null 2>&1

only_igb() {
	[ "$nic" = igb ] && return 0
	echo "$nic has one queue here"
	return 1
}

# The NIC does zero-copy without the library.
test_probe_rx() {
	exchange 3000 "" zc_probe -w $window rx n0 3000
}

test_probe_tx() {
	zc_probe tx n0 3000
}

# Receiver and sender are right about the system's libpcap too.
test_stock() {
	exchange 1000 "" vm_recv -w $window n0 1000
}

# tcpdump under the drop-in writes exactly what was sent.
test_tcpdump() {
	rm -f /tmp/sent.pcap /tmp/got.pcap
	start $zerocopy tcpdump -i n0 -w /tmp/got.pcap -c 500
	wait_text /tmp/receiver "listening on" && link_up &&
		peer vm_send -o /tmp/sent.pcap n1 500 &&
		wait_end $receiver && finish && same_packets && return 0
	stop
	return 1
}

same_packets() {
	for file in sent got; do
		tcpdump -r /tmp/$file.pcap -t -nn -xx >/tmp/$file.txt \
			2>/dev/null
	done
	cmp /tmp/sent.txt /tmp/got.txt &&
		echo "$(grep -c '^IP' /tmp/got.txt) packets, all bytes equal"
}

# Every byte over several turns of a small UMEM, by each read call.
read_by() {
	exchange 9000 "" $zerocopy vm_recv -w $window -z 1 -B 1048576 -T 2 \
		-M "$1" n0 9000
}

test_dispatch() {
	read_by dispatch
}

test_loop() {
	read_by loop
}

test_next_ex() {
	read_by next_ex
}

# A reader that is never inside a call in which the kernel could be asked for
# the next frame.
test_select() {
	read_by select
}

test_next_batch() {
	read_by next_batch
}

test_hold_release() {
	read_by hold
}

# Bursts of 32 with pauses of 10 ms.
paced() {
	start $zerocopy vm_recv -w $window -z 1 "$@" n0 2000
	wait_ready && peer taskset 2 vm_send n1 2000 && finish && return 0
	stop
	return 1
}

slept() {
	sed -n 's/^slept \([0-9]*\) times$/\1/p' /tmp/receiver
}

# A reader that is not in a hurry is woken for many packets, or after 50 ms.
test_naps() {
	paced -i || return 1
	hasty=$(slept)
	paced || return 1
	echo "slept $(slept) times, in immediate mode $hasty"
	[ $(($(slept) * 2)) -lt "$hasty" ]
}

# Programs ask an XSKMAP whether the reader lives, and this kernel takes no
# socket without RX ring into one.
test_ring() {
	exchange 3000 "" $exclusive PCAP_FAST_RX=ring vm_recv -w $window -z 0 \
		n0 3000
}

test_cluster() {
	exchange 3000 "" $preload vm_recv -w $window exclusive:n0%ids 3000
}

# In use or promised to somebody who has mapped them.
huge_pages() {
	awk '/^HugePages_(Total|Rsvd):/ { n += $2 }
		/^HugePages_Free:/ { n -= $2 } END { print n }' /proc/meminfo
}

# Packet memory is in huge pages where the machine has some to spare.
test_huge_pages() {
	[ -e /proc/sys/vm/nr_hugepages ] || return 77
	echo 64 >/proc/sys/vm/nr_hugepages
	start $zerocopy vm_recv -w $window -z 1 n0 1000
	wait_ready
	used=$(huge_pages)
	feed 0 1000 && finish && [ "$used" -gt 0 ] &&
		[ "$(huge_pages)" = 0 ]
	result=$?
	stop
	echo 0 >/proc/sys/vm/nr_hugepages
	echo "$used huge pages during the capture, $(huge_pages) after it"
	return $result
}

# A reader that is too slow loses frames, but what it gets is whole, and it
# gets frames again afterwards.
test_overrun() {
	start $zerocopy vm_recv -w $window -z 1 -B 1048576 -L /tmp/go n0 500
	wait_ready && peer vm_send -g 1 n1 6000 1000 && touch /tmp/go &&
		sleep 1 && feed 0 500 && finish && rm /tmp/go && return 0
	rm -f /tmp/go
	stop
	return 1
}

no_ports() {
	awk '$1 == "Udp:" && $3 ~ /[0-9]/ { print $3 }' /proc/net/snmp
}

# With a filter: what matches does not reach the host, the rest does.
test_filter() {
	ip addr add 10.77.0.1/24 dev n0
	peer ip addr add 10.77.0.2/24 dev n1
	link_up && peer ping -c 1 -W 5 10.77.0.1 || return 1
	before=$(no_ports)
	start $zerocopy vm_recv -w $window -z 1 -d $n0_mac \
		-f "udp dst port 7777" n0 1000
	feed 0 500 -d $n0_mac && peer ping -c 3 -W 5 10.77.0.1 &&
		feed 500 500 -d $n0_mac && finish &&
		[ "$(no_ports)" = "$before" ] && return 0
	echo "host's UDP saw $(($(no_ports) - before)) frames"
	stop
	return 1
}

# igb's queues by RSS, merged in the order of their time stamps.
queues() {
	only_igb || return 77
	ethtool -L n0 combined "$1" && ethtool -X n0 equal "$1" && link_up &&
		exchange 3000 "-F 32" $zerocopy vm_recv -w $window -z 1 -u \
			-F 32 -q "$1" n0 3000 && all_queues "$1"
}

# all_queues N: the driver gave each of them some.
all_queues() {
	for queue in $(seq 0 $(($1 - 1))); do
		ethtool -S n0 |
			grep -q "rx_queue_${queue}_packets: [1-9]" || {
			echo "nothing on queue $queue"
			return 1
		}
	done
	echo "all $1 queues had packets, merged in order of time"
}

test_queues_2() {
	queues 2
}

test_queues_4() {
	queues 4
}

# during COMMAND...: something happens to n0 in the middle of a capture.
during() {
	start $zerocopy vm_recv -w $window -z 1 n0 1000
	if feed 0 500 && "$@" && link_up && feed 500 500; then
		finish && return 0
	fi
	stop
	return 1
}

down_up() {
	ip link set n0 down && sleep 1 && ip link set n0 up
}

test_link_down_up() {
	during down_up
}

# A driver may refuse; the capture goes on either way.
change_rings() {
	ethtool -G n0 rx 128 || echo "refused"
	link_up
	ethtool -G n0 rx 256 || echo "refused"
}

test_ring_size() {
	during change_rings
}

# Fewer queues than are captured on are refused by the kernel; of more of them
# the reader is told.
change_channels() {
	! ethtool -L n0 combined 1 || return 1
	ethtool -L n0 combined 8
}

test_channels() {
	only_igb || return 77
	ethtool -L n0 combined 4 && ethtool -X n0 equal 1 && link_up ||
		return 1
	start $zerocopy vm_recv -w $window -z 1 -e "8 receive queues now" n0 500
	feed 0 500 && change_channels && finish && return 0
	stop
	return 1
}

# Reads that drive the device. What sends meanwhile leaves, too, also where
# sending has an interrupt of its own.
busy="PCAP_FAST_BUSY_POLL=3000"

test_busy_poll() {
	exchange 3000 "" $zerocopy $busy vm_recv -w $window -z 1 -b 2 n0 3000
}

test_busy_poll_inject() {
	inject_by inject $busy
}

test_busy_poll_batch() {
	inject_by batch $busy
}

# The timers of the queue are put back by whoever set them, or, after a
# SIGKILL, by the next one. log_of NAME: what that one says.
log_of() {
	$zerocopy PCAP_FAST_LOG=info vm_recv -z 1 -R 1 n0 0 >/tmp/"$1" 2>&1
	cat /tmp/"$1"
}

test_busy_poll_put_back() {
	exchange 100 "" $zerocopy $busy vm_recv -w $window -z 1 -b 2 n0 100 ||
		return 1
	! log_of closed | grep "put back" || return 1
	start $zerocopy $busy vm_recv -w $window -z 1 -b 2 n0 1000
	feed 0 500
	kill -9 $receiver
	wait $receiver
	log_of killed | grep "put back" || return 1
	! log_of again | grep "put back"
}

hash_key() {
	ethtool -x n0 | grep -A 1 "hash key" | tail -n 1
}

# The NIC's hash of each packet, of many flows, is the one that its key gives,
# by socket, zero-copy, and by ring; in any order, for the wire of this NIC.
# While it is set not to compute one, or its driver does not tell XDP programs
# of it, that is what is said.
test_rx_hash() {
	hashed="PCAP_FAST_RX_HASH=on vm_recv"
	if ! doctor | grep "tells the hash"; then
		! $exclusive $hashed n0 1 >/tmp/refused &&
			grep "$nic, does not tell XDP programs" /tmp/refused
		return
	fi
	ethtool -K n0 rxhash off && ! $exclusive $hashed n0 1 >/tmp/refused &&
		grep "set not to compute it (ethtool -K n0 rxhash on)" \
			/tmp/refused && doctor &&
		$(sed -n 's/^ *-> \(.*rxhash.*\)/\1/p' /tmp/doctor) || return 1
	hashed="$hashed -w $window -u -F 100 -M next_batch -H $(hash_key)"
	exchange 3000 "-F 100" $exclusive PCAP_FAST_RX=ring $hashed -z 0 \
		n0 3000 &&
		exchange 3000 "-F 100" $zerocopy $hashed -z 1 n0 3000
	result=$?
	ethtool -K n0 rxhash off
	return $result
}

# SIGKILL, then a stock tcpdump at once; no program is left behind.
test_sigkill() {
	start $zerocopy vm_recv -w $window -z 1 n0 1000
	feed 0 500
	kill -9 $receiver
	tcpdump -i n0 -w /tmp/got.pcap -c 500 udp >/tmp/stock 2>&1 &
	stock=$!
	wait $receiver
	receiver=
	wait_text /tmp/stock "listening on" && link_up && no_xdp &&
		peer vm_send -o /tmp/sent.pcap n1 500 && wait_end $stock &&
		same_packets && return 0
	kill -9 $stock 2>/dev/null
	return 1
}

test_rounds() {
	rounds=100
	begun=$(cut -d . -f 1 /proc/uptime)
	$zerocopy vm_recv -z 1 -R $rounds n0 0 && no_xdp &&
		exchange 500 "" $zerocopy vm_recv -w $window -z 1 n0 500 ||
		return 1
	echo "$rounds rounds in $(($(cut -d . -f 1 /proc/uptime) - begun)) s"
}

# n0 sends, zero-copy, and the peer's stock capture checks every byte; more
# frames than there are for sending, so that each must come back.
inject_by() {
	start peer vm_recv -w $window n1 5000
	$zerocopy $2 vm_inject -w $window -z 1 -M "$1" n0 5000 && finish &&
		return 0
	stop
	return 1
}

test_inject() {
	inject_by inject
}

test_inject_batch() {
	inject_by batch
}

test_in_place() {
	inject_by place
}

# What the peer sends comes back to it by the same frames, in order. By
# direction, not with the filter "inbound": libpcap runs a new filter in user
# space for a while, where such a filter matches nothing.
reflect_by() {
	rm -f $window /tmp/there
	$zerocopy vm_inject -w /tmp/there -z 1 -M "$1" n0 3000 >/tmp/reflect &
	reflector=$!
	peer vm_send -w /tmp/there n1 0 &&
		start peer vm_recv -w $window -I n1 3000 &&
		feed 0 3000 && finish && wait $reflector &&
		cat /tmp/reflect && return 0
	stop
	kill -9 $reflector 2>/dev/null
	cat /tmp/reflect
	return 1
}

test_forward() {
	reflect_by reflect
}

test_hold() {
	reflect_by held
}

# Round and round between the two NICs, with one packet memory.
test_circle() {
	peer ethtool -K n1 rxvlan off >/dev/null 2>&1
	$zerocopy vm_inject -z 1 -M circle -n peer -o n1 n0 20000
}

# Two captures on one NIC: the mirror sees what the exclusive one takes.
test_mirror() {
	rm -f /tmp/mirror.pcap
	start $zerocopy vm_recv -w $window -z 1 n0 1000
	wait_ready
	$preload PCAP_FAST_MODE=mirror tcpdump -i n0 -w /tmp/mirror.pcap \
		-c 1000 udp >/tmp/mirror 2>&1 &
	mirror=$!
	wait_text /tmp/mirror "listening on" && feed 0 1000 && finish &&
		wait_end $mirror && grep "1000 packets captured" /tmp/mirror &&
		return 0
	stop
	kill -9 $mirror 2>/dev/null
	cat /tmp/mirror
	return 1
}

# large MTU TEXT...: any mode, with its reason, nothing lost.
large() {
	ip link set n0 mtu "$1" && peer ip link set n1 mtu "$1" && link_up &&
		exchange 1000 "-m $(($1 + 14))" $preload vm_recv -w $window \
			-m $(($1 + 14)) n0 1000 || return 1
	shift
	says /tmp/receiver "$@"
}

test_mtu_3000() {
	large 3000 "zerocopy 1"
}

# Too large for zero-copy: the kernel refuses XDP_USE_SG there, so virtio goes
# on with copies; igb takes no XDP program at all, which leaves `system`.
test_mtu_9000() {
	if [ "$nic" = igb ]; then
		large 9000 "mode 1" "driver igb: cannot attach"
	else
		large 9000 "mode 2 zerocopy 0" "zero-copy refused by $nic"
	fi
}

# Tagged frames keep their tag, whether or not the NIC would strip it. In any
# order: the emulated wire reorders them, for a stock capture too.
offload() {
	ethtool -K n0 "$1" "$2" || return 77
	link_up && exchange 500 "-v 7" $preload vm_recv -w $window -v 7 -u \
			n0 500
}

test_rxvlan_on() {
	offload rxvlan on
}

test_rxvlan_off() {
	offload rxvlan off
}

test_rxhash_on() {
	offload rxhash on
}

test_rxhash_off() {
	offload rxhash off
}

# Frames for others come in promiscuous mode, and only then.
test_promisc_on() {
	exchange 500 "-d $other_mac" $zerocopy vm_recv -w $window -z 1 \
		-d $other_mac n0 500
}

test_promisc_off() {
	start $zerocopy vm_recv -w $window -z 1 -P n0 500
	wait_ready && peer vm_send -d $other_mac n1 100 && feed 0 500 &&
		finish && return 0
	stop
	return 1
}

# The driver goes away under the capture; then the NIC comes back.
test_unbind() {
	device=$(basename "$(readlink -f /sys/class/net/n0/device)")
	driver=$(readlink -f /sys/class/net/n0/device/driver)
	start $zerocopy vm_recv -w $window -z 1 -e disappeared n0 500
	feed 0 500 && echo "$device" >"$driver/unbind"
	if [ $? = 0 ] && finish; then
		result=0
	else
		result=1
		stop
	fi
	echo "$device" >"$driver/bind"
	nic_ready && return $result
}

# "core": all but what takes a minute or more.
core="probe_rx probe_tx stock tcpdump dispatch loop next_ex select next_batch
hold_release naps ring cluster huge_pages overrun filter queues_2 queues_4 link_down_up
ring_size channels
busy_poll busy_poll_inject busy_poll_batch busy_poll_put_back sigkill inject
inject_batch in_place forward hold circle mirror mtu_3000
mtu_9000 require_mtu require_taken bind_waits bind_again link_reset doctor doctor_advice
rxvlan_on rxvlan_off rxhash_on rxhash_off rx_hash promisc_on promisc_off unbind"
tests=${*:-core rounds}
[ "${tests%% *}" != core ] || tests="$core ${tests#core}"
for test in $tests; do
	reset_nics
	check "$test" "test_$test"
done
echo "VERDICT $passed $failed $skipped"
