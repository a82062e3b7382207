# SPDX-License-Identifier: BSD-3-Clause
#
# What the guest's first process and its tests share: verdict lines, the NICs
# and their names, and a receiver on n0 fed by a sender on n1. n1 lives in a
# network namespace of its own ("peer"). Runs under busybox sh.

window=/tmp/window
passed=0 failed=0 skipped=0 receiver=

# busybox's shell prefers its own applet of that name.
ip() {
	/vm/bin/ip "$@"
}

# result NAME ok|FAIL|SKIP DETAIL
result() {
	case $2 in
	ok) passed=$((passed + 1)) ;;
	FAIL) failed=$((failed + 1)) ;;
	SKIP) skipped=$((skipped + 1)) ;;
	esac
	echo "TEST $1 $2 $3"
}

# check NAME COMMAND...: ok when the command succeeds, not run when it returns
# 77. Its output's last line is the detail, more of it follows on failure.
check() {
	name=$1
	shift
	"$@" >/tmp/log 2>&1
	case $? in
	0) verdict=ok ;;
	77) verdict=SKIP ;;
	*) verdict=FAIL ;;
	esac
	result "$name" $verdict "$(tail -n 1 /tmp/log)"
	[ $verdict != FAIL ] || tail -n 15 /tmp/log | sed 's/^/	/'
}

# peer COMMAND...: where n1 is.
peer() {
	ip netns exec peer "$@"
}

# pci_of NIC: the folder of its PCI device (virtio puts its own in between).
pci_of() {
	dir=$(readlink -f "/sys/class/net/$1/device")
	[ -d "$dir/msi_irqs" ] || dir=${dir%/*}
	echo "$dir"
}

# name_nics: eth0 and eth1 become n0 and n1, by the last digit of their MAC.
name_nics() {
	for nic in /sys/class/net/eth*; do
		[ -e "$nic/address" ] || continue
		n=$(sed 's/.*:0\(.\)$/\1/' "$nic/address")
		ip link set "${nic##*/}" name "n$((n - 1))"
	done
}

# nic_ready: n0 is back after its driver was taken away.
nic_ready() {
	for try in $(seq 50); do
		name_nics
		ip link set n0 up 2>/dev/null && return 0
		usleep 100000
	done
	return 1
}

# link_up: both ends have their carrier. Drivers reset it on many changes.
link_up() {
	for try in $(seq 80); do
		[ "$(cat /sys/class/net/n0/carrier 2>/dev/null)" = 1 ] &&
			[ "$(peer cat /sys/class/net/n1/carrier)" = 1 ] &&
			return 0
		usleep 100000
	done
	echo "no carrier"
	return 1
}

# Nothing may be left on n0 by a capture that is gone.
no_xdp() {
	! ip -d link show n0 | grep xdp
}

# start RECEIVER...: in the background; stop ends it where a test has failed.
start() {
	rm -f $window
	"$@" >/tmp/receiver 2>&1 &
	receiver=$!
}

# wait_ready: the receiver has opened its handle.
wait_ready() {
	feed 0 0
}

# feed FIRST COUNT OPTIONS...: the peer sends these, the receiver has them. A
# sender that changes the processor on its way may overtake itself.
feed() {
	first=$1 count=$2
	shift 2
	peer taskset 2 vm_send -w $window "$@" n1 "$count" "$first"
}

# finish: the receiver's own verdict. It ends by itself in bounded time.
finish() {
	wait $receiver
	code=$?
	receiver=
	cat /tmp/receiver
	return $code
}

stop() {
	[ -n "$receiver" ] || return 0
	kill -9 $receiver 2>/dev/null
	wait $receiver 2>/dev/null
	cat /tmp/receiver
	receiver=
}

# exchange COUNT "SEND OPTIONS" RECEIVER...: one receiver, fed once.
exchange() {
	count=$1 options=$2
	shift 2
	start "$@"
	feed 0 "$count" $options && finish && return 0
	stop
	return 1
}

# wait_text FILE TEXT: until the file says so.
wait_text() {
	for try in $(seq 100); do
		grep -q "$2" "$1" 2>/dev/null && return 0
		usleep 100000
	done
	echo "$1 does not say \"$2\":"
	cat "$1"
	return 1
}

# wait_end PID: until the process is gone, at most 20 s.
wait_end() {
	for try in $(seq 100); do
		kill -0 "$1" 2>/dev/null || return 0
		usleep 200000
	done
	kill -9 "$1"
	echo "still running after 20 s"
	return 1
}
