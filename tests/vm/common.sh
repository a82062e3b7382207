# SPDX-License-Identifier: BSD-3-Clause
#
# What the scripts of the virtual machine tests share: where things lie, and
# how a test that cannot be run says so. Sourced by fetch, image and run; knows
# nothing of what is tested.

vm_src=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
vm_top=$(cd "$vm_src/../.." && pwd)
vm_build=${PCF_BUILD_DIR:-$vm_top}
vm_out=$vm_build/tests/vm/out
vm_cache=${PCF_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/libpcap-fast-vm}

# skip REASON: the automake way to say "not run".
skip() {
	echo "skipped: $*"
	exit 77
}

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}
