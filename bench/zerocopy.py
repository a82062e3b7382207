#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tables from the RATE lines that tests/vm/run leaves in its serial logs.

    bench/zerocopy.py NIC=LOG [NIC=LOG...]

A RATE line: what, case, frames, seconds, busy seconds of each processor. Two
figures are made of it: frames a second by the clock, and frames a second of
processor time, which is that of the first processor (the sender has the other
one when receiving is measured, and nobody otherwise).

Ratios are of one round each, to the case "stock" of that round; given are the
median and, in brackets, the least and the most.
"""
import collections
import statistics
import sys

CASES = {
    ("receive", "stock"): "system libpcap, pcap_dispatch",
    ("receive", "copy"): "copy mode, pcap_dispatch",
    ("receive", "zerocopy"): "zero-copy, pcap_dispatch",
    ("receive", "batch"): "zero-copy, pcap_next_batch",
    ("send", "stock"): "system libpcap, pcap_inject",
    ("send", "copy"): "copy mode, pcap_inject",
    ("send", "copy_batch"): "copy mode, pcap_inject_batch",
    ("send", "zerocopy"): "zero-copy, pcap_inject",
    ("send", "batch"): "zero-copy, pcap_inject_batch",
    ("send", "place"): "zero-copy, pcap_tx_reserve and submit",
    ("forward", "stock"): "system libpcap, pcap_next_ex and pcap_inject",
    ("forward", "copy"): "copy mode, pcap_forward_batch",
    ("forward", "zerocopy"): "zero-copy, pcap_forward_batch",
}


def read(path):
    """{(what, case): [(frames a second, frames a processor second), ...]}"""
    rounds = collections.defaultdict(list)
    with open(path, errors="replace") as log:
        for line in log:
            words = line.split()
            if len(words) != 7 or words[0] != "RATE":
                continue
            frames, seconds, busy = map(float, words[3:6])
            if frames <= 0 or busy <= 0:
                sys.exit(f"{path}: nothing measured: {line}")
            rounds[words[1], words[2]].append((frames / seconds,
                                               frames / busy))
    return rounds


def spread(values, form):
    return (f"{statistics.median(values):{form}} "
            f"({min(values):{form}}-{max(values):{form}})")


def row(nic, key, rounds):
    mine, stock = rounds[key], rounds[key[0], "stock"]
    if len(mine) != len(stock):
        sys.exit(f"{nic}: {key} has {len(mine)} rounds, stock {len(stock)}")
    cells = [nic, key[0], CASES[key]]
    for figure in (0, 1):
        ratios = [a[figure] / b[figure] for a, b in zip(mine, stock)]
        cells.append(spread([a[figure] / 1000 for a in mine], ".0f"))
        cells.append("1" if key[1] == "stock" else spread(ratios, ".2f"))
    return "| " + " | ".join(cells) + " |"


def main():
    print("| NIC | | case | kpps | / stock | k a processor second | / stock |")
    print("|---|---|---|---|---|---|---|")
    for argument in sys.argv[1:]:
        nic, path = argument.split("=", 1)
        rounds = read(path)
        if not rounds:
            sys.exit(f"{path}: no RATE lines")
        for key in CASES:
            if key in rounds:
                print(row(nic, key, rounds))


if __name__ == "__main__":
    main()
