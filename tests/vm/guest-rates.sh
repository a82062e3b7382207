# SPDX-License-Identifier: BSD-3-Clause
#
# Measurements: stock libpcap, copy mode and zero-copy in turn, several rounds,
# so that what disturbs the machine disturbs all of them. One RATE line each,
# with vm_rate's numbers; what they mean together is bench/zerocopy.py's to
# say. Sourced by guest.sh, whose variables it uses.

rounds=$(sed -n 's/.*vm\.rounds=\([0-9]*\).*/\1/p' /proc/cmdline)
away=52:54:00:00:00:99

# irqs FOLDER CPUMASK: where the interrupts that it lists are handled. Those
# that a driver asks for anew go to the first processor (irqaffinity=0).
irqs() {
	for irq in $(ls "$1"); do
		echo "$2" >"/proc/irq/$irq/smp_affinity"
	done
}

peer_irqs() {
	irqs "$(peer sh -c '. /vm/guest-lib.sh; pci_of n1')/msi_irqs" "$1"
}

# rate WHAT CASE ENVIRONMENT... -- VM_RATE'S WORDS
rate() {
	what=$1 kind=$2
	shift 2
	words=
	while [ "$1" != -- ]; do
		words="$words $1"
		shift
	done
	shift
	link_up
	if ! env $words taskset 1 vm_rate "$@" >/tmp/rate 2>&1; then
		cat /tmp/rate
		return 1
	fi
	echo "RATE $what $kind $(tail -n 1 /tmp/rate)" >/dev/console
}

receive_round() {
	rate receive stock -- dispatch n0 &&
		rate receive copy $copy -- -z 0 dispatch n0 &&
		rate receive zerocopy $zerocopy -- -z 1 dispatch n0 &&
		rate receive batch $zerocopy -- -z 1 next_batch n0
}

# The sender has the other processor, and sends more than any of them takes.
test_rate_receive() {
	/vm/bin/ip netns exec peer taskset 2 zc_probe -m 60 -d $n0_mac \
		flood n1 600 >/dev/null 2>&1 &
	flood=$!
	sleep 3
	irqs "$(pci_of n0)/msi_irqs" 1
	peer_irqs 2
	for round in $(seq ${rounds:-5}); do
		receive_round || break
	done
	code=$?
	kill $flood
	wait $flood
	peer_irqs 1
	return $code
}

# To an address that the other NIC does not take: only sending is measured.
send_round() {
	rate send stock -- -d $away inject n0 &&
		rate send copy $copy -- -z 0 -d $away inject n0 &&
		rate send copy_batch $copy -- -z 0 -d $away inject_batch n0 &&
		rate send zerocopy $zerocopy -- -z 1 -d $away inject n0 &&
		rate send batch $zerocopy -- -z 1 -d $away inject_batch n0 &&
		rate send place $zerocopy -- -z 1 -d $away place n0
}

test_rate_send() {
	for round in $(seq ${rounds:-5}); do
		send_round || return 1
	done
}

forward_round() {
	honest=PCAP_FAST_TIMEOUT=honest
	rate forward stock -- -d $away relay n0 peer n1 &&
		rate forward copy $copy $honest -- \
			-z 0 -d $away forward n0 peer n1 &&
		rate forward zerocopy $zerocopy $honest -- \
			-z 1 -d $away forward n0 peer n1
}

test_rate_forward() {
	peer ethtool -K n1 rxvlan off >/dev/null 2>&1
	for round in $(seq ${rounds:-5}); do
		forward_round || return 1
	done
}
