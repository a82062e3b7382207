# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# What bench/run, run-send and run-latency share: options, what they need, and
# how the measuring half is started. To be sourced by bash; knows nothing of
# what is measured.
#
#   ROOT, PYTHON            the tree, and what runs the measuring half
#   GIVEN[NAME]=VALUE       a script's own options and their defaults, set
#                           before bench_arguments "$@"; --out is everybody's
#   ARGS                    the other arguments, for the measuring half
#   bench_require PROG..    exit 77 with the reason when it cannot run here
#   bench_pin_napi          rx0 polled by kernel threads on the reader's core
#   bench_measure FILE ARG..  the measuring half, in the pair of namespaces;
#                           returns its status

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PCF_BUILD=${PCF_BUILD:-$ROOT}
export PCF_DROPIN=${PCF_DROPIN:-$PCF_BUILD/.libs/dropin/libpcap.so.0.8}

# The distribution's own has the distribution's packages.
PYTHON=/usr/bin/python3
[ -x $PYTHON ] || PYTHON=python3

# shellcheck source=tests/ns.sh
. "$ROOT/tests/ns.sh"

declare -A GIVEN=([out]=$ROOT/bench/out)
ARGS=()

bench_arguments()
{
	local name

	while [ $# -gt 0 ]; do
		name=${1#--}
		if [ "$1" = --help ]; then
			sed -n '4,/^$/s/^# \{0,1\}//p' "$0"
			exit 0
		elif [[ $1 == --?* && -n ${GIVEN[$name]+own} ]]; then
			GIVEN[$name]=${2:?"$1 needs a value"}
			shift
		else
			ARGS+=("$1")
		fi
		shift
	done
	mkdir -p "${GIVEN[out]}"
}

bench_require()
{
	local f

	ns_require_root
	for f in tcpdump $PYTHON taskset "$@"; do
		command -v "$f" >/dev/null || { echo "SKIP: no $f"; exit 77; }
	done
	if [ "$(nproc)" -lt 2 ]; then
		echo "SKIP: needs two processors, one for the generator"
		exit 77
	fi
}

bench_pin_napi()
{
	ns_pin_napi rx0 1 && return
	echo "SKIP: no threaded NAPI on this kernel (5.12)"
	exit 77
}

# In the background, so that a signal to the script is acted upon at once.
bench_measure()
{
	local file=$1

	shift
	NS_TX=$NS_TX NS_RX=$NS_RX $PYTHON "$ROOT/bench/$file" "$@" \
		--json "${GIVEN[out]}/results.json" "${ARGS[@]}" &
	NS_PIDS+=($!)
	wait $!
}
