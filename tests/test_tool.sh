#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The command pcap-fast: run and path, and what they say of wrong words.
set -u
. "${PCF_TOP:?}/tests/check.sh"
build=${PCF_BUILD:-$PWD}
tool=$build/pcap-fast
dropin=$build/.libs/dropin/${PCF_DROPIN_SONAME:?}
# Preloading a sanitized library wants its runtime first.
[ -z "${PCF_PRELOAD_EXTRA:-}" ] || verify=${PCF_PRELOAD_EXTRA}

run()
{
	LD_PRELOAD=${verify:-} ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 \
		"$tool" run "$@"
}

check "path" "$dropin" "$("$tool" path)"
check "path with a word too many" 2 "$(status "$tool" path x)"
check "no command" 2 "$(status "$tool")"
check "unknown command" 2 "$(status "$tool" fly)"
check "--help" 0 "$(status "$tool" --help)"
check "--version" "pcap-fast" "$("$tool" --version | cut -d' ' -f1)"
check "run without a command" 2 "$(status "$tool" run)"
check "run with an unknown option" 2 "$(status "$tool" run --fly true)"
check "run passes the status on" 3 "$(status run -- sh -c 'exit 3')"
check "run of what is not there" 127 "$(status run -- /nonexistent/program)"
check "run of what cannot run" 126 "$(status run -- /etc/passwd)"
check "run preloads the drop-in, in front" "$dropin${verify:+:$verify}" \
	"$(run -- printenv LD_PRELOAD)"
check "run sets the mode" system "$(run --mode=system -- printenv PCAP_FAST_MODE)"
check "run sets the queues" 0,2-3 "$(run --queues 0,2-3 printenv PCAP_FAST_QUEUES)"
check "the command's options are its own" "--mode" "$(run -- echo --mode)"
check "tcpdump runs on it" 1 \
	"$(run -- tcpdump --version 2>&1 | grep -c 'libpcap-fast')"

check "doctor of what is not there" 1 "$(status "$tool" doctor nosuch0)"
check "doctor says why" 1 "$("$tool" doctor lo | grep -c 'would choose system')"
check "doctor with a word too many" 2 "$(status "$tool" doctor lo lo)"
check "doctor of all, as JSON" 1 "$("$tool" doctor --json | python3 -c \
	'import json, sys; print(int("lo" in json.load(sys.stdin)))')"

check_end
