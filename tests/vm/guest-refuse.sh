# SPDX-License-Identifier: BSD-3-Clause
#
# What a driver, a setting or another program refuses, what the library and
# pcap-fast doctor say then, and that following their advice helps. Sourced by
# guest.sh, whose variables it uses.

# says FILE TEXT...: the file has each of these.
says() {
	file=$1
	shift
	for text; do
		grep -qF -- "$text" "$file" && continue
		echo "does not say \"$text\":"
		cat "$file"
		return 1
	done
}

# refused TEXT...: a capture that requires zero-copy fails at once, in these
# words, and leaves nothing behind.
refused() {
	if timeout 20 $zerocopy tcpdump -i n0 -c 1 >/tmp/refused 2>&1; then
		echo "it captures"
		return 1
	fi
	says /tmp/refused "$@" && no_xdp && grep -F "$1" /tmp/refused
}

# The driver's name, the kernel's error and what would help; then the MTU that
# the text names does.
test_require_mtu() {
	case $nic in
	virtio_net)
		large_mtu=9000 good_mtu=3814
		text="an MTU of 3814 or less" error="Operation not supported"
		;;
	*)
		large_mtu=9000 good_mtu=3046
		text="most often the MTU" error="Invalid argument"
		;;
	esac
	mtu $large_mtu && refused "$nic" "$error" "$text" || return 1
	mtu $good_mtu && link_up && exchange 500 "-m $((good_mtu + 14))" \
		$zerocopy vm_recv -w $window -z 1 -m $((good_mtu + 14)) n0 500
}

mtu() {
	ip link set n0 mtu "$1" && peer ip link set n1 mtu "$1"
}

# Another AF_XDP socket has the queue: an error where zero-copy is required,
# `system` with the reason in auto, and a capture as soon as it is gone.
test_require_taken() {
	zc_probe hold n0 60 >/tmp/holder 2>&1 &
	holder=$!
	wait_text /tmp/holder held && link_up &&
		refused "$nic" "Device or resource busy" \
			"another AF_XDP socket has this queue" &&
		exchange 500 "" $preload vm_recv -w $window n0 500 &&
		says /tmp/receiver "mode 1" "another AF_XDP socket"
	code=$?
	stop
	kill -9 $holder
	wait $holder 2>/dev/null
	[ $code = 0 ] && exchange 500 "" $zerocopy vm_recv -w $window -z 1 \
		n0 500
}

# A queue that becomes free a moment later, as that of a capture that was just
# closed does: activation tries again for about a second.
test_bind_waits() {
	for tenths in 3 5 7; do
		zc_probe hold n0 60 >/tmp/holder 2>&1 &
		holder=$!
		wait_text /tmp/holder held && link_up || break
		start $zerocopy vm_recv -w $window -z 1 -B 1048576 n0 200
		usleep ${tenths}00000
		kill -9 $holder
		wait $holder
		feed 0 200 && finish || break
		[ $tenths != 7 ] || return 0
	done
	stop
	kill -9 $holder 2>/dev/null
	return 1
}

# Whoever comes right after a capture was killed finds nothing of it.
test_bind_again() {
	for round in 1 2 3; do
		start $zerocopy vm_recv -w $window -z 1 n0 1000
		feed 0 200 || break
		kill -9 $receiver
		wait $receiver
		exchange 200 "" $zerocopy vm_recv -w $window -z 1 n0 200 ||
			break
		[ $round != 3 ] || return 0
	done
	stop
	return 1
}

# What igb and others do when a program comes: activation says how long the
# link was away, unless it was back before activation was done. A small buffer
# leaves little time for that, but a slow host may (test_driver has the rest).
test_link_reset() {
	[ "$nic" = igb ] || {
		echo "$nic does not reset the link"
		return 77
	}
	for round in 1 2 3 4 5; do
		# the one before has reset it in going
		link_up && exchange 200 "" $zerocopy vm_recv -w $window -z 1 \
			-B 1048576 n0 200 || return 1
		says /tmp/receiver "reset the link: up again after" && return 0
	done
	echo "slow host: the link was back before activation was done"
	return 77
}

doctor() {
	pcap-fast doctor n0 >/tmp/doctor 2>&1
	code=$?
	cat /tmp/doctor
	return $code
}

# finding VERDICT NAME TEXT: a line of its.
finding() {
	grep -q "^ *$1 *$2 .*$3" /tmp/doctor && return 0
	echo "no line \"$1 $2 $3\""
	return 1
}

# Yes to all, and how zero-copy was found out; then a capture agrees.
test_doctor() {
	doctor && finding yes zero-copy "the driver says so (netdev-genl)" &&
		finding yes "native XDP" netdev-genl && finding - driver $nic &&
		finding yes auto "would choose exclusive" &&
		exchange 200 "" $preload vm_recv -w $window -z 1 n0 200
}

# What is in the way, and the command that the doctor gives for it, executed.
test_doctor_advice() {
	if [ "$nic" = igb ]; then
		ethtool -K n0 rxvlan on
	else
		mtu 9000
	fi
	doctor
	finding NO "MTU" "several frames" ||
		finding NO "VLAN tags" "taken out by the NIC" || return 1
	advice=$(sed -n 's/^ *-> //p' /tmp/doctor | head -n 1)
	$advice && link_up && doctor && ! grep -q "^ *NO" /tmp/doctor &&
		echo "helps: $advice"
}
