# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Network namespaces for tests, demo and benchmark: to be sourced by bash.
#
# Owns a pair of namespaces joined by a veth pair and the processes started in
# them; whatever was made is gone when the script ends, also when it fails or
# is interrupted. Knows nothing of captures. Needs root, iproute2, ethtool.
#
#   ns_require_root             exit 77 with the reason when it cannot work here
#   ns_pair PREFIX [OPTION=V..] two namespaces, $NS_TX with tx0 and $NS_RX with
#                               rx0, up, without addresses, IPv6, offloads
#             queues=N            RX queues of rx0 (1)
#             mtu=N               both ends (1500)
#             gro=on              rx0 has GRO, hence NAPI without an XDP program
#   ns_address                  10.77.0.1/24 on tx0, 10.77.0.2/24 on rx0
#   ns_tx CMD.., ns_rx CMD..    run there, in the foreground
#   ns_spawn tx|rx CMD..        run there in the background; NS_PID is the
#                               command's own process
#   ns_wait_for FILE RE [SEC]   until a line of FILE matches; 1 on time-out
#   ns_wait_pid PID [SEC]       until it has ended; NS_STATUS; 1 on time-out
#   ns_pin_napi IF CORE         rx's IF polled by a kernel thread on that core
#   ns_cleanup                  (done by itself on exit)

NS_NAMES=()
NS_PIDS=()

ns_require_root()
{
	if [ "$(id -u)" != 0 ]; then
		echo "SKIP: needs root"
		exit 77
	fi
	if ! ip netns list >/dev/null 2>&1 || ! command -v ethtool >/dev/null
	then
		echo "SKIP: needs iproute2 (network namespaces) and ethtool"
		exit 77
	fi
}

ns_cleanup()
{
	local pid name

	for pid in "${NS_PIDS[@]}"; do
		kill -TERM "$pid" 2>/dev/null
	done
	for pid in "${NS_PIDS[@]}"; do
		ns_wait_pid "$pid" 2 || kill -KILL "$pid" 2>/dev/null
	done
	for name in "${NS_NAMES[@]}"; do
		ip netns del "$name" 2>/dev/null
	done
	NS_PIDS=()
	NS_NAMES=()
}

# A script with an exit trap of its own calls ns_cleanup there.
trap ns_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

ns_make()
{
	ip netns add "$1" || return
	NS_NAMES+=("$1")
	# shellcheck disable=SC2016 # the inner shell's own $f
	ip netns exec "$1" sh -c '
		for f in all default; do
			f=/proc/sys/net/ipv6/conf/$f/disable_ipv6
			[ ! -e $f ] || echo 1 >$f
		done'
	ip -n "$1" link set lo up
}

# No offload may change what is on the wire. One by one: a feature that this
# kernel does not have must not keep the others on.
ns_plain()
{
	local ns=$1 dev=$2 feature

	for feature in tx rx tso gso gro rxvlan txvlan; do
		ip netns exec "$ns" ethtool -K "$dev" $feature off \
			>/dev/null 2>&1
	done
}

ns_pair()
{
	local prefix=$1 queues=1 mtu=1500 gro=off option

	shift
	for option; do
		case $option in
		queues=*) queues=${option#*=} ;;
		mtu=*) mtu=${option#*=} ;;
		gro=*) gro=${option#*=} ;;
		*) echo "ns_pair: $option?" >&2; return 2 ;;
		esac
	done
	NS_TX=$prefix-tx-$$
	NS_RX=$prefix-rx-$$
	ns_make "$NS_TX" && ns_make "$NS_RX" || return
	ip -n "$NS_TX" link add tx0 mtu "$mtu" \
		numtxqueues "$queues" numrxqueues "$queues" type veth \
		peer name rx0 netns "$NS_RX" mtu "$mtu" \
		numtxqueues "$queues" numrxqueues "$queues" || return
	ns_plain "$NS_TX" tx0
	ns_plain "$NS_RX" rx0
	[ "$gro" = off ] || ns_rx ethtool -K rx0 gro on || return
	ns_tx ip link set tx0 up && ns_rx ip link set rx0 up
}

ns_tx() { ip netns exec "$NS_TX" "$@"; }
ns_rx() { ip netns exec "$NS_RX" "$@"; }

ns_address()
{
	ns_tx ip addr add 10.77.0.1/24 dev tx0 &&
	ns_rx ip addr add 10.77.0.2/24 dev rx0
}

# `ip netns exec` and env become the command, so their process is its own. The
# shell lets background commands ignore SIGINT; programs under test must not.
ns_spawn()
{
	local ns=$NS_TX

	[ "$1" = tx ] || ns=$NS_RX
	shift
	ip netns exec "$ns" env --default-signal=INT,QUIT "$@" &
	NS_PID=$!
	NS_PIDS+=("$NS_PID")
}

ns_wait_for()
{
	local i

	for ((i = 0; i < ${3:-10} * 20; i++)); do
		grep -qE "$2" "$1" 2>/dev/null && return 0
		sleep 0.05
	done
	return 1
}

# shellcheck disable=SC2034 # NS_STATUS is for the caller
ns_wait_pid()
{
	local i

	for ((i = 0; i < ${2:-10} * 20; i++)); do
		if ! kill -0 "$1" 2>/dev/null; then
			wait "$1" 2>/dev/null
			NS_STATUS=$?
			return 0
		fi
		sleep 0.05
	done
	return 1
}

# The threads of a device are called napi/NAME-ID, and appear when it has NAPI
# (GRO or an XDP program on a veth). Names are not unique on a machine, so the
# one to take is one that was not there before.
ns_napi_threads()
{
	local comm

	for comm in /proc/[0-9]*/comm; do
		case $(cat "$comm" 2>/dev/null) in
		"napi/$1-"*) comm=${comm%/comm}; echo "${comm#/proc/}" ;;
		esac
	done | sort
}

ns_pin_napi()
{
	local dev=$1 core=$2 before pid found=1

	before=$(ns_napi_threads "$dev")
	ns_rx sh -c "echo 1 >/sys/class/net/$dev/threaded" || return
	for pid in $(comm -13 <(echo "$before") <(ns_napi_threads "$dev")); do
		taskset -pc "$core" "$pid" >/dev/null && found=0
	done
	return $found
}
