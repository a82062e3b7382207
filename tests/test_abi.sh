#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Both shared objects export what the system's libpcap exports, kinds and data
# sizes included, what 1.11 adds, the extension, and nothing else; and they
# have the SONAMEs that loaders look for.
set -u
. "${PCF_TOP:?}/tests/check.sh"
build=${PCF_BUILD:-.}
list=${PCF_TOP:-.}/libpcap-fast/exports.sym
system=${PCF_SYSTEM_LIBPCAP:?}

# name and kind: T is code, D and B are data
symbols()
{
	nm -D --defined-only "$1" | awk '{ k = $2 == "B" ? "D" : $2; print $3, k }' | sort
}

# of the system's symbols, those the object has as well
in_system()
{
	join <(symbols "$1") <(symbols "$system" | cut -d' ' -f1)
}

data_sizes()
{
	readelf -Ws --dyn-syms "$1" | awk '
		$4 == "OBJECT" && $7 != "UND" && $8 ~ /^(pcap_version|eproto_db)$/ { print $8, $3 }' | sort -u
}

soname()
{
	readelf -d "$1" | sed -n 's/.*soname: \[\(.*\)\]/\1/p'
}

for object in "$build/.libs/libpcap-fast.so.0" "$build/.libs/dropin/${PCF_DROPIN_SONAME:?}"; do
	check "$object: exports are those of the list" \
		"$(sort "$list")" "$(symbols "$object" | cut -d' ' -f1)"
	check "$object: has all that the system's has, of the same kind" \
		"$(symbols "$system")" "$(in_system "$object")"
	check "$object: data objects have the system's sizes" \
		"$(data_sizes "$system")" "$(data_sizes "$object")"
	check "$object: has what libpcap 1.11 adds" 5 \
		"$(symbols "$object" | grep -cE '^pcap_(createsrcstr|findalldevs_ex|open|parsesrcstr|setsampling) T$')"
	check "$object: no symbol versions" 0 \
		"$(nm -D --defined-only "$object" | grep -c @)"
done
check "the SONAME to link with" libpcap-fast.so.0 \
	"$(soname "$build/.libs/libpcap-fast.so.0")"
check "the drop-in's SONAME is the system's" "$(soname "$system")" \
	"$(soname "$build/.libs/dropin/$PCF_DROPIN_SONAME")"

check_end
