#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The manual pages say what the header, the environment and the command have,
# and nothing else; they have no faults that man or mandoc knows of; installed,
# every function is found by its name. Needs man for the latter two.
set -u
. "${PCF_TOP:?}/tests/check.sh"
top=${PCF_TOP:-.}
build=${PCF_BUILD:-.}
system=${PCF_SYSTEM_LIBPCAP:?}
header=$top/include/pcap-fast.h
tool=$build/pcap-fast
export LC_ALL=C.UTF-8 MANWIDTH=80

# --- what the header has ----------------------------------------------------

# without comments and lines for the preprocessor
declarations()
{
	sed -z 's:/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/::g' "$header" |
		grep -v '^#'
}

# one a line, by single spaces
prototypes()
{
	tr '\n\t' '  ' |
		grep -oE '[^;{}]*\bpcap_[a-z_]+\([^()]*\);' |
		sed 's/  */ /g; s/^ //' | sort
}

names_of()
{
	grep -oE '\bpcap_[a-z_]+\(' | tr -d '(' | sort
}

fields() # STRUCT
{
	declarations | sed -n "/^struct $1 {/,/^}/p" |
		grep -oE '[a-z_]+(\[[A-Z_]*\])?;' | sed 's/[[;].*//' | sort
}

constants()
{
	{
		declarations | grep -oE '\b(PCAP_FAST|PCAP_BATCH)_[A-Z_]+ ='
		grep -oE '^#define (PCAP_FAST|PCAP_BATCH)_[A-Z_]+ ' "$header"
	} | grep -oE 'PCAP_[A-Z_]+' | sort
}

# --- what the pages have ----------------------------------------------------

# the pages that are more than a line which leads to another
pages()
{
	grep -L '^\.so ' "$top"/man/*.3pcap
}

section() # PAGE TITLE
{
	sed -n "/^\.S[HS] $2\$/,/^\.S[HS]/p" "$1" | sed '1d' | grep -v '^\.SH'
}

page_names() # PAGE
{
	section "$1" NAME | sed 's/ \\- .*//; s/, */\n/g' | sort
}

page_prototypes() # PAGE
{
	section "$1" SYNOPSIS | grep -v '^[.#]' | prototypes
}

page_terms() # PAGE [SECTION]
{
	local text

	text=$(if [ $# -gt 1 ]; then section "$1" "$2"; else cat "$1"; fi)
	echo "$text" | grep -A1 '^\.TP' | sed -n 's/^\.B \([A-Za-z_]*\)$/\1/p' |
		sort
}

# --- functions --------------------------------------------------------------

# What libpcap 1.11 adds is libpcap's, whichever version the system has.
own_exports()
{
	{
		nm -D --defined-only "$system" | awk '{ print $3 }'
		printf 'pcap_%s\n' createsrcstr findalldevs_ex open \
			parsesrcstr setsampling
	} | sort -u | comm -13 - <(sort "$top/libpcap-fast/exports.sym")
}

check_functions()
{
	local page name file

	check "what is declared is what is exported beyond libpcap's" \
		"$(own_exports)" "$(declarations | prototypes | names_of)"
	check "the pages' synopses are the header's declarations" \
		"$(declarations | prototypes)" \
		"$(for page in $(pages); do page_prototypes "$page"; done | sort)"
	for page in $(pages); do
		check "${page##*/}: NAME has what the synopsis has" \
			"$(page_prototypes "$page" | names_of)" \
			"$(page_names "$page")"
		for name in $(page_names "$page"); do
			file=$top/man/$name.3pcap
			[ "$file" = "$page" ] ||
				check "$name leads to ${page##*/}" \
					".so man3/${page##*/}" "$(cat "$file")"
		done
	done
}

check_types()
{
	local type=pcap_fast_info name

	check "the fields of struct $type" "$(fields $type)" \
		"$(page_terms "$top/man/pcap_fast_get_info.3pcap")"
	check "the fields of struct pcap_batch_pkt" "$(fields pcap_batch_pkt)" \
		"$(page_terms "$top/man/pcap_next_batch.3pcap")"
	for name in $(constants); do
		check "a page has $name" "$name" \
			"$(cat "$top"/man/*.3pcap | grep -ow "$name" | head -n 1)"
	done
}

# --- environment and command ------------------------------------------------

check_environment()
{
	local known

	known=$(cat "$top"/libpcap-fast/*.c "$top"/backend/*.c "$top"/compat/*.c |
		grep -oE '"PCAP_FAST_[A-Z_]+"' | tr -d '"' | sort -u)
	check "the variables" "$known" \
		"$(page_terms "$top/man/libpcap-fast.7" ENVIRONMENT)"
	check "no variable of README.md is unknown" "" \
		"$(grep -oE '^\| `PCAP_FAST_[A-Z_]+`' "$top/README.md" |
			tr -d '|` ' | sort | comm -23 - <(echo "$known"))"
}

options()
{
	grep -oE -e '--[a-z]+' | grep -vx -e --help | sort -u
}

check_command()
{
	local page=$top/man/pcap-fast.1 names name

	names=$("$tool" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | sort)
	check "the subcommands" "$names" \
		"$(sed -n 's/^\.SS //p' "$page" | sort)"
	check "the subcommands in the synopsis" "$names" \
		"$(section "$page" SYNOPSIS | sed -n 's/^\.B pcap-fast //p' | sort)"
	for name in $names; do
		check "the options of $name" \
			"$("$tool" "$name" --help | options)" \
			"$(section "$page" "$name" | sed 's/\\-/-/g' | options)"
	done
}

# --- man --------------------------------------------------------------------

check_faults()
{
	local page

	for page in $(pages) "$top"/man/*.[17]; do
		check "${page##*/}: man has no warnings" "" \
			"$(man --warnings -l "$page" 2>&1 >/dev/null)"
		command -v mandoc >/dev/null || continue
		check "${page##*/}: mandoc has none" "" \
			"$(mandoc -Tlint -Wwarning "$page")"
	done
}

# make is a make of its own, not one of the one that runs the tests
check_installed()
{
	local name

	env -u MAKEFLAGS -u MAKELEVEL make -s -C "$build" install-man \
		DESTDIR="$tmp" mandir=/man >"$tmp/log" 2>&1
	check "make install-man" 0 "$?"
	for name in $(declarations | prototypes | names_of); do
		check "man 3pcap $name" "$name" \
			"$(man -M "$tmp/man" 3pcap "$name" 2>&1 | col -b |
				sed -n '/^NAME/,/^SYN/p' | grep -ow "$name")"
	done
	check "man 1 pcap-fast" "$tmp/man/man1/pcap-fast.1" \
		"$(man -M "$tmp/man" -w 1 pcap-fast 2>&1)"
	check "man 7 libpcap-fast" "$tmp/man/man7/libpcap-fast.7" \
		"$(man -M "$tmp/man" -w 7 libpcap-fast 2>&1)"
	check "as many files as there are" \
		"$(ls "$top"/man/ | wc -l)" "$(find "$tmp/man" -type f | wc -l)"
}

check_functions
check_types
check_environment
check_command
if command -v man >/dev/null && man --version | grep -q '^man '; then
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	check_faults
	check_installed
else
	echo "SKIP: needs man (man-db)"
	skipped=1
fi

check_end
